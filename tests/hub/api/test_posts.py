"""An account of a person acts as that person's posts say, from one request to the next."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import httpx
import pytest

from gridwarden.cli import main
from gridwarden.district import CENTRE
from hub.domain.actor import Role
from hub.domain.capacity import Capacity, choose, joined
from hub.services.accounts import NewAccount, create_account, create_token
from hub.store import audit, people
from tests.hub.api.city import CHEAP, City, town_with_cameras
from tests.hub.api.problems import problem
from tests.hub.staff import found, hire

PASSWORD = "four cats in a tree"
_codes = (f"P{n:03}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town"), CHEAP) as here:
        with here.hub.pool.connection() as conn:
            found(conn, "urban", "fire")
        yield here


@pytest.fixture
def browser(town: City) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=town.url, timeout=20, trust_env=False) as client:
        yield client


def person(town: City, *posts: tuple[Role, str | None, str | None]) -> str:
    """Somebody who holds these posts: role, cell, unit."""
    code = next(_codes)
    with town.hub.pool.connection() as conn:
        for role, cell, unit in posts:
            hire(conn, code, role, cell, unit=unit)
    return code


def account(town: City, code: str, role: Role | None = None) -> str:
    with town.hub.pool.connection() as conn:
        asked = NewAccount(code, role, PASSWORD, person=code)
        return create_account(conn, town.hub, asked, "test").login


def enter(client: httpx.Client, login: str) -> int:
    return client.post("/sign-in", data={"login": login, "password": PASSWORD}).status_code


def me(client: httpx.Client, **headers: str) -> tuple[str, list[str], str | None]:
    said = client.get("/api/v1/me", headers=headers).json()
    return said["role"], said["cells"], said["unit"]


def basic(town: City) -> str:
    cell = town.hub.grid.locate(CENTRE)
    assert cell is not None
    return cell.code


def test_role_and_cells_of_an_account_follow_the_posts_as_they_change(
    town: City, browser: httpx.Client
) -> None:
    cell = basic(town)
    code = person(town, (Role.ASSISTANT, cell, None), (Role.ASSISTANT, cell[:-1] + "2", None))
    assert enter(browser, account(town, code)) == 303
    assert me(browser) == ("assistant", sorted({cell, cell[:-1] + "2"}), None)

    with town.hub.pool.connection() as conn:
        people.set_posts(conn, [code], [], town.hub.now())
        hire(conn, code, Role.LEADER, cell[:12])
    assert me(browser) == ("leader", [cell[:12]], None)
    assert browser.get("/").status_code == 200  # a leader has the desk's pages


def test_somebody_of_several_posts_acts_in_one_at_a_time_and_switches_in_the_menu(
    town: City, browser: httpx.Client
) -> None:
    cell = basic(town)
    code = person(town, (Role.LEADER, cell[:12], None), (Role.DEPT, None, "urban"))
    enter(browser, account(town, code))
    other = httpx.Client(base_url=town.url, timeout=20, trust_env=False)
    with other:
        enter(other, code)
        assert me(browser) == ("leader", [cell[:12]], None)
        assert 'value="dept:urban"' in browser.get("/account").text

        answer = browser.post("/account/post", data={"post": "dept:urban"})

        assert answer.headers["location"] == "/work"
        assert me(browser) == ("dept", [], "urban")
        assert me(other) == ("leader", [cell[:12]], None)  # another browser, another session
    problem(browser.post("/account/post", data={"post": "supervisor:"}), 422)
    problem(browser.post("/account/post", data={"post": "dept:fire"}), 422)
    with town.hub.pool.connection() as conn:
        told = [e.detail for e in audit.entries(conn, actor=code) if e.action == "act_in_post"]
        assert told[-1] == "dept of urban in the whole district"
        hire(conn, code, Role.MASTER, None)
        conn.execute("UPDATE post SET to_at = now() WHERE person = %s AND role = 'dept'", (code,))
    assert me(browser)[0] == "leader"  # the chosen post ended: as usual, not as the highest


def test_who_left_cannot_sign_in_and_is_signed_out(town: City, browser: httpx.Client) -> None:
    code = person(town, (Role.DISPATCHER, None, None))
    account(town, code)
    with town.hub.pool.connection() as conn:
        token = create_token(conn, town.hub, code, name="t", role=None, cells=(), days=1, by="test")
    assert enter(browser, code) == 303
    bearer = {"Authorization": f"Bearer {token}"}
    assert me(browser, **bearer)[0] == "dispatcher"

    with town.hub.pool.connection() as conn:
        people.leave(conn, code, town.hub.now())

    problem(browser.get("/api/v1/me"), 401)
    problem(browser.get("/api/v1/me", headers=bearer), 401)
    assert enter(browser, code) == 401
    with town.hub.pool.connection() as conn:
        last = audit.entries(conn, actor=code)[0]
    assert (last.outcome, last.detail) == ("refused", "left, or holds no post")


def test_an_account_of_a_person_needs_no_role_and_has_none_but_theirs(
    town: City, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path_factory.mktemp("settings") / "hub.toml"
    path.write_text(
        f'[database]\nurl = "{town.hub.config.database.url}"\n'
        "[accounts]\nargon2_time_cost = 1\nargon2_memory_kib = 8\nargon2_parallelism = 1\n"
    )

    def create(*words: str) -> str:
        main(["accounts", "create", *words, "--config", str(path)])
        return capsys.readouterr().err

    cell = basic(town)
    code = person(town, (Role.ASSISTANT, cell, None))
    assert "is no leader: assistant in" in create(code, "--person", code, "--role", "leader")
    assert "follow from the posts" in create(code, "--person", code, "--cells", cell)
    assert "no person 'nobody'" in create(code, "--person", "nobody")
    with town.hub.pool.connection() as conn:
        people.save_people(conn, [people.PersonRow("new", "New", None, "", "", "zh", False, None)])
    assert "holds no post yet" in create("new", "--person", "new")
    assert "say the role" in create("x")
    assert f"is assistant by the posts of {code}" in create(code, "--person", code)


def test_posts_of_one_role_and_unit_are_one_capacity() -> None:
    held = [
        Capacity(Role.ASSISTANT, ("1",)),
        Capacity(Role.DEPT, (), "fire"),
        Capacity(Role.ASSISTANT, ("2",)),
        Capacity(Role.LEADER, ("3",)),
        Capacity(Role.LEADER),
    ]
    assert set(joined(held)) == {
        Capacity(Role.ASSISTANT, ("1", "2")),
        Capacity(Role.LEADER),
        Capacity(Role.DEPT, (), "fire"),
    }
    assert choose(joined(held), ("dept", "gone")) == Capacity(Role.DEPT, (), "fire")
    assert choose([]) is None
