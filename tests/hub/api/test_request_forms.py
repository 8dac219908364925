"""What one person asks for and another decides, as the event's page offers it to each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from hub.domain.actor import Role
from tests.hub.api.city import City, offset, town_with_cameras
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in

_places = iter(range(0, 100_000, 2_000))  # metres apart: no event joins another


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


class Desk:
    """Somebody signed in."""

    def __init__(self, town: City, login: str, role: Role, unit: str | None = None) -> None:
        self.http = httpx.Client(
            base_url=town.url,
            cookies=signed_in(town.hub, login, role, unit=unit),
            timeout=20,
            trust_env=False,
        )

    def does(self, number: str, name: str, **said: object) -> httpx.Response:
        return self.http.post(f"/api/v1/events/{number}/acts", json={"name": name, **said})

    def offers(self, number: str) -> set[str]:
        """The names of the acts that have a form on the event's page."""
        text = self.http.get(f"/events/{number}").text
        return set(re.findall(r"data-body='\{\"name\": \"(\w+)\"", text))

    def page(self, number: str, lang: str = "en") -> str:
        return self.http.get(f"/events/{number}", params={"lang": lang}).text


@pytest.fixture(scope="module")
def desks(town: City) -> Iterator[dict[str, Desk]]:
    found = {
        "dispatcher": Desk(town, "Chen Jing", Role.DISPATCHER),
        "master": Desk(town, "He Yong", Role.MASTER),
        "supervisor": Desk(town, "Wu Min", Role.SUPERVISOR),
        "other": Desk(town, "Sun Li", Role.SUPERVISOR),
        "dept": Desk(town, "Zhao Lei", Role.DEPT, "urban"),
        "stranger": Desk(town, "Qian Bo", Role.DEPT, "fire"),
    }
    yield found
    for desk in found.values():
        desk.http.close()


@pytest.fixture
def number(town: City, desks: dict[str, Desk]) -> str:
    """An event that the department handles."""
    made = town.reports("rubbish on the road", offset(town.centre, next(_places) - 30_000, 0))
    at_desk = desks["dispatcher"]
    assert at_desk.does(made, "file").status_code == 200
    assert at_desk.does(made, "dispatch", responsible_unit="urban").status_code == 200
    return made


def test_more_time_is_asked_for_by_the_department_and_decided_by_another(
    desks: dict[str, Desk], number: str
) -> None:
    asks, decides = desks["dept"], desks["dispatcher"]
    assert "request_extension" in asks.offers(number)
    assert "decide_extension" not in decides.offers(number)

    assert asks.does(number, "request_extension", reason="rain").status_code == 200

    assert "request_extension" not in asks.offers(number)
    assert "decide_extension" in decides.offers(number)
    assert "Extension asked for</b> · Zhao Lei" in decides.page(number)
    assert "申请延期</b> · Zhao Lei" in decides.page(number, "zh")
    assert decides.does(number, "decide_extension", granted="true", note="ok").status_code == 200
    assert "decide_extension" not in decides.offers(number)


def test_a_pause_is_asked_for_until_a_day_that_stands_in_the_form_that_approves_it(
    town: City, desks: dict[str, Desk], number: str
) -> None:
    until = (town.hub.now() + timedelta(days=3)).replace(hour=1, minute=30, second=0, microsecond=0)
    assert "suspend" not in desks["master"].offers(number)
    desks["dept"].does(number, "request_hang", reason="parts", until=until.isoformat())

    form = f'<input type="datetime-local" name="until" value="{until:%Y-%m-%d}T09:30" required>'
    assert form in desks["master"].page(number)  # the district's zone is eight hours ahead
    desks["master"].does(number, "suspend", until=until.isoformat())
    assert {"resume", "undo"} <= desks["master"].offers(number) | {"undo"}
    assert "Suspension asked for</b> ·" not in desks["master"].page(number).split("<aside")[1]


def test_closing_by_force_takes_two_who_are_signed_in(desks: dict[str, Desk], number: str) -> None:
    first, second = desks["supervisor"], desks["other"]
    assert "force_close" not in first.offers(number)
    problem(first.does(number, "force_close", reason="dispute", second_actor="Sun Li"), 422)
    problem(first.does(number, "force_close", reason="dispute"), 409)

    assert first.does(number, "propose_close", reason="dispute").status_code == 200

    assert not {"force_close", "propose_close"} & first.offers(number)
    problem(first.does(number, "force_close", reason="dispute"), 409)
    assert "force_close" in second.offers(number)
    assert "force_close" not in desks["master"].offers(number)
    closed = second.does(number, "force_close", reason="dispute").json()
    assert closed["state"] == "closed"
    last = second.http.get(f"/api/v1/events/{number}").json()["history"][-1]
    assert (last["actor"], last["facts"]["given"]["second_actor"]) == ("Sun Li", "Wu Min")


def test_an_appeal_is_reviewed_by_one_and_decided_by_another(
    desks: dict[str, Desk], number: str
) -> None:
    desks["master"].does(number, "propose_close", reason="done")
    desks["supervisor"].does(number, "force_close", reason="done")
    assert "appeal" in desks["dept"].offers(number)
    desks["dept"].does(number, "appeal", reason="not ours")
    assert "appeal" not in desks["dept"].offers(number)
    assert "decide_appeal" not in desks["supervisor"].offers(number)

    desks["master"].does(number, "review_appeal", granted="true", note="true")

    assert "decide_appeal" in desks["supervisor"].offers(number)
    assert "Grant the appeal" in desks["supervisor"].page(number)
    assert "申诉终审：同意" in desks["supervisor"].page(number, "zh")
    problem(desks["supervisor"].does(number, "decide_appeal", granted=False), 409)
    decided = desks["supervisor"].does(number, "decide_appeal", granted=True)
    assert decided.status_code == 200
    assert "decide_appeal" not in desks["supervisor"].offers(number)


def test_supervision_is_offered_to_supervisors_once(desks: dict[str, Desk], number: str) -> None:
    assert "supervise" not in desks["dispatcher"].offers(number)
    assert "supervise" in desks["supervisor"].offers(number)
    assert desks["supervisor"].does(number, "supervise", note="the mayor asked").status_code == 200
    assert "supervise" not in desks["supervisor"].offers(number)


def test_a_department_is_offered_nothing_of_another_ones_event(
    desks: dict[str, Desk], number: str
) -> None:
    assert desks["stranger"].http.get(f"/events/{number}").status_code == 403
    problem(desks["stranger"].does(number, "request_extension", reason="rain"), 403)
