"""The pilot replayed: two weeks of a district through the public API, on a clock of its own.

76 cases of nine categories were reported; 75 are closed, and one was handed to the district for
co-handling and is still open: a closing rate of 98.68 %. What is known of the pilot are these
figures; the cases that give them are invented.
"""

from __future__ import annotations

import http.client
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from PIL import Image

from contract.errors import GridwardenError
from contract.geometry import Point
from contract.taxonomy import Category
from gridwarden.demo_staff import give_accounts, populate
from gridwarden.district import Cell, build_district
from hub.services.accounts import create_token
from hub.services.context import Hub

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 10, 12, 9, 0, tzinfo=ZONE)  # a Monday
END = datetime(2026, 12, 1, 9, 0, tzinfo=ZONE)  # every deadline has passed by then
PERIOD = {"period": "quarter", "day": "2026-10-01"}
REPORTED = {  # 76 cases
    Category.PUBLIC_SECURITY: 9,
    Category.URBAN_MANAGEMENT: 21,
    Category.FIRE_SAFETY: 6,
    Category.TRAFFIC_SAFETY: 8,
    Category.ENVIRONMENTAL_SAFETY: 11,
    Category.LETTERS_AND_VISITS: 5,
    Category.ETHNIC_AND_RELIGIOUS_AFFAIRS: 3,
    Category.LAND_SUPERVISION: 4,
    Category.PEOPLES_LIVELIHOOD: 9,
}
TO_DISTRICT = 40  # which of them only the district could deal with, from 0
LATE_EVERY = 9  # one in so many is dealt with late
A_DAY = 8  # cases


class PilotError(GridwardenError, RuntimeError):
    """The API answered otherwise than the pilot went."""


class PilotClock:
    """A clock that is set, and from `go_on` on runs by itself."""

    def __init__(self) -> None:
        self._at = FIRST.astimezone(UTC)
        self._since: float | None = None

    def __call__(self) -> datetime:
        """What time it is."""
        if self._since is None:
            return self._at
        return self._at + timedelta(seconds=time.monotonic() - self._since)

    def set(self, at: datetime) -> None:
        """Stand at that time."""
        self._at = at.astimezone(UTC)

    def go_on(self) -> None:
        """Run from here."""
        self._since = time.monotonic()


@dataclass(slots=True)
class Api:
    """The public API as one program uses it, over one connection. Not thread-safe."""

    host: str
    port: int
    _connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, token: str, body: object = None, kind: str = ""
    ) -> dict[str, Any]:
        """The answer's JSON; raises PilotError for anything but success."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {token}"}
        if sent is not None:
            headers["Content-Type"] = kind or "application/json"
        self._connection.request(method, f"/api/v1{path}", sent, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if not 200 <= answer.status < 300:
            raise PilotError(f"{method} {path} was answered {answer.status}: {text.decode()[:500]}")
        found: dict[str, Any] = json.loads(text)
        return found

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True, slots=True)
class Team:
    """Who deals with a case, by staff number."""

    assistant: str
    leader: str
    master: str
    dispatcher: str
    supervisor: str
    department: str
    unit: str


@dataclass(slots=True)
class PilotCase:
    """One case as it goes. number: of its event, once it was reported."""

    n: int
    category: Category
    position: Point
    team: Team
    begins: datetime
    number: str = ""


@dataclass(slots=True)
class Pilot:
    """The whole replay over a hub that serves its API at host and port."""

    hub: Hub
    clock: PilotClock
    api: Api
    told: Callable[[str], None]
    _tokens: dict[str, str] = field(default_factory=dict)

    def replay(self) -> dict[str, Any]:
        """Do everything in the order in which it happened; the assessment of the quarter."""
        self.clock.set(FIRST - timedelta(days=1))
        populate(self.hub)
        give_accounts(self.hub)
        cases = list(self._cases())
        photo = self._photo(cases[0].team.assistant)
        steps = sorted(
            ((at, case.n, step) for case in cases for at, step in self._steps(case, photo)),
            key=lambda s: s[:2],
        )
        for done, (at, _, step) in enumerate(steps, 1):
            self.clock.set(at)
            step()
            if done % 100 == 0:
                self.told(f"{done} of {len(steps)} steps, {at:%d %B}")
        self.clock.set(END)
        return self.assessment(cases[0].team.supervisor)

    def assessment(self, who: str) -> dict[str, Any]:
        """The assessment of the quarter as the API tells it."""
        return self.api.ask("GET", f"/assessment?{urlencode(PERIOD)}", self._token(who))

    def _cases(self) -> Iterator[PilotCase]:
        cells = [cell for cell in build_district() if cell.level == 1]
        kinds = [kind for kind, count in REPORTED.items() for _ in range(count)]
        kinds = [kinds[n * 31 % len(kinds)] for n in range(len(kinds))]  # mixed
        for n, kind in enumerate(kinds):
            cell = cells[n * 3]  # far enough from each other to be no case of another
            day = n // A_DAY
            begins = FIRST + timedelta(days=day + day // 5 * 2, minutes=15 * (n % A_DAY))
            yield PilotCase(n, kind, cell.centre, self._team(kind, cell), begins)

    def _team(self, category: Category, cell: Cell) -> Team:
        with self.hub.pool.connection() as conn:
            row = conn.execute(
                """
                SELECT (SELECT min(person) FROM post WHERE role = 'assistant' AND cell = %(cell)s),
                       (SELECT min(person) FROM post WHERE role = 'leader' AND cell = %(parent)s),
                       (SELECT min(person) FROM post WHERE role = 'master'),
                       (SELECT min(person) FROM post WHERE role = 'dispatcher'),
                       (SELECT min(person) FROM post WHERE role = 'supervisor'),
                       (SELECT min(person) FROM post WHERE role = 'dept' AND unit = r.unit), r.unit
                FROM responsibility r WHERE category = %(category)s AND subcategory IS NULL LIMIT 1
                """,
                {"cell": cell.code, "parent": cell.parent, "category": category},
            ).fetchone()
        assert row is not None
        return Team(*map(str, row))

    def _steps(self, case: PilotCase, photo: str) -> Sequence[tuple[datetime, Callable[[], None]]]:
        """What happens to a case, and when."""
        team, at = case.team, case.begins

        def after(minutes: float) -> datetime:
            return at + timedelta(minutes=minutes)

        steps: list[tuple[datetime, Callable[[], None]]] = [
            (at, lambda: self._report(case)),
            (after(4), lambda: self._act(case, team.leader, "file")),
        ]
        if case.n == TO_DISTRICT:
            return [
                *steps,
                (after(30), lambda: self._act(case, team.leader, "escalate", reason="beyond us")),
                (
                    after(60),
                    lambda: self._act(case, team.master, "escalate", reason="two departments"),
                ),
                (
                    after(70),
                    lambda: self._act(case, team.supervisor, "add_cohandler", unit=team.unit),
                ),
                (after(80), lambda: self._dispatch(case)),
                (after(95), lambda: self._act(case, team.department, "accept")),
            ]
        late = 60 * 24 * 30 if case.n % LATE_EVERY == LATE_EVERY - 1 else 0
        handled = 30 + (case.n * 7) % 20 + late
        return [
            *steps,
            (after(9), lambda: self._dispatch(case)),
            (after(15), lambda: self._act(case, team.department, "accept")),
            (
                after(handled),
                lambda: self._act(case, team.department, "feedback", evidence=[photo]),
            ),
            (after(handled + 5), lambda: self._act(case, team.leader, "start_check")),
            (
                after(handled + 12),
                lambda: self._act(case, team.leader, "check_pass", closing_condition_met=True),
            ),
        ]

    def _report(self, case: PilotCase) -> None:
        said = {
            "description": f"Pilot case {case.n + 1}: {case.category.replace('_', ' ')}",
            "lon": case.position.lon,
            "lat": case.position.lat,
            "category": case.category,
        }
        answer = self.api.ask("POST", "/reports", self._token(case.team.assistant), said)
        case.number = str(answer["number"])

    def _dispatch(self, case: PilotCase) -> None:
        self._act(case, case.team.dispatcher, "dispatch", responsible_unit=case.team.unit)

    def _act(self, case: PilotCase, who: str, name: str, **given: object) -> None:
        path = f"/events/{case.number}/acts"
        self.api.ask("POST", path, self._token(who), {"name": name, **given})

    def _photo(self, who: str) -> str:
        picture = io.BytesIO()
        Image.new("RGB", (320, 240), (96, 128, 96)).save(picture, "JPEG")
        answer = self.api.ask(
            "POST", "/evidence/photos", self._token(who), picture.getvalue(), "image/jpeg"
        )
        return str(answer["digest"])

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            with self.hub.pool.connection() as conn:
                self._tokens[who] = create_token(
                    conn, self.hub, who, name="pilot", role=None, cells=(), days=365, by="pilot"
                )
        return self._tokens[who]


def told_figures(found: dict[str, Any]) -> list[str]:
    """The figures of the pilot in lines."""
    figures = found["figures"]
    closing, at_district = figures["closing_rate"], figures["share_at_level_3"]
    lines = [
        f"{found['name']}: {found['reported']} cases reported in {len(found['categories'])} "
        f"categories, {closing['counted']} of {closing['among']} closed: {closing['percent']}; "
        f"{at_district['counted']} at the district"
    ]
    for category, of_it in found["categories"].items():
        rate = of_it["closing_rate"]
        lines.append(
            f"  {category:30} {of_it['reported']:3} reported, {rate['counted']:3} closed, "
            f"{rate['percent']:>8}"
        )
    lines += [f"  {name:30} {figure['percent']:>8}" for name, figure in figures.items()]
    return lines
