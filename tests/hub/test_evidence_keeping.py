"""How long evidence is kept, what holds it back, and what is left of it once erased."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from contract.taxonomy import Category
from hub.config import EvidenceConfig
from hub.domain.actor import Actor, Role
from hub.domain.errors import ConflictError, GoneError, InvalidError, NotAllowedError
from hub.domain.retention import Case, kept_until
from hub.services.act_on_event import Act, act_on_event
from hub.services.context import Hub
from hub.services.event_history import verify_history
from hub.services.evidence.erase_evidence import erase_evidence, expire_evidence, remove_erased
from hub.services.evidence.hold_evidence import hold_event, hold_one, release_event, release_one
from hub.services.evidence.keep_photo import keep_photo
from hub.services.judge_detection import Judgement, Verdict, judge_detection
from hub.store import views
from hub.store.rows import EvidenceRow
from tests.hub.api.city import City, street
from tests.hub.builders import START, Clock

CHEN = Actor("Chen Jing", Role.DISPATCHER)
PERIODS = EvidenceConfig().periods()
DAY = timedelta(days=1)


@pytest.fixture
def town(hub: Hub) -> City:
    here = City(hub)
    here.cameras()
    return here


def evidence(town: City, digest: str) -> EvidenceRow:
    with town.hub.pool.connection() as conn:
        return views.evidence(conn, digest)


def go_round(town: City) -> None:
    """What the timer does, until nothing is left to do."""
    while True:
        with town.hub.pool.connection() as conn:
            looked = expire_evidence(conn, town.hub)
        with town.hub.pool.connection() as conn:
            removed = remove_erased(conn, town.hub)
        if not looked and not removed:
            return


def steps(town: City, number: str) -> list[tuple[str, str, str | None]]:
    with town.hub.pool.connection() as conn:
        event = views.event(conn, number)
        assert verify_history(conn, number) is None
        return [(h.name, h.actor, h.reason) for h in views.history(conn, event.id)]


def rejected(town: City, picture: bytes) -> tuple[str, str]:
    """A false alarm: the number of its event and the digest of its picture."""
    number = town.sees(picture=picture)
    with town.hub.pool.connection() as conn:
        said = Judgement(Verdict.FALSE_ALARM, "vehicle lights", evidence_viewed=True)
        judge_detection(conn, town.hub, number, said, CHEN, None)
        (shown,) = views.pictures(conn, views.event(conn, number).id)
    return number, shown.digest


@pytest.mark.parametrize(
    ("cases", "complete", "days"),
    [
        ([], True, PERIODS.loose),
        ([], False, PERIODS.partial),
        ([Case("fire_safety", "closed", START)], True, 365),
        ([Case("fire_safety", "rejected", START)], True, PERIODS.rejected),
        (
            [Case("fire_safety", "lapsed", START), Case("urban_management", "closed", START)],
            True,
            180,
        ),
        ([Case("fire_safety", "closed", START), Case("fire_safety", "filed", None)], True, None),
    ],
)
def test_evidence_is_kept_by_the_longest_of_its_cases_and_always_while_one_is_open(
    cases: list[Case], complete: bool, days: int | None
) -> None:
    until = kept_until(PERIODS, START, complete, cases)
    assert until == (None if days is None else START + days * DAY)


def test_every_category_has_its_period() -> None:
    assert set(PERIODS.category) == set(Category)


def test_a_false_alarms_picture_goes_when_its_time_is_over_and_its_digest_stays(
    town: City, clock: Clock
) -> None:
    number, digest = rejected(town, street())
    clock.move((PERIODS.rejected * DAY - timedelta(hours=1)).total_seconds())
    go_round(town)
    assert town.hub.evidence.has(digest)
    clock.move(timedelta(days=1).total_seconds())
    go_round(town)
    assert not town.hub.evidence.path(digest).exists()
    row = evidence(town, digest)
    assert (row.erased_by, row.erased_why, row.erased_at) == (
        "retention",
        "its time is over",
        clock.at,
    )
    assert steps(town, number)[-1] == ("erase_evidence", "retention", "its time is over")
    with town.hub.pool.connection() as conn:
        (shown,) = views.pictures(conn, views.event(conn, number).id)
    assert (shown.complete, shown.is_image, shown.erased_by) == (False, False, "retention")


def test_evidence_of_an_open_case_stays_however_old(town: City, clock: Clock) -> None:
    number = town.sees(picture=street())
    clock.move((3000 * DAY).total_seconds())
    go_round(town)
    with town.hub.pool.connection() as conn:
        (shown,) = views.pictures(conn, views.event(conn, number).id)
    assert shown.is_image


def test_what_is_held_is_not_deleted_until_its_release(town: City, clock: Clock) -> None:
    number, digest = rejected(town, street())
    with town.hub.pool.connection() as conn:
        hold_event(conn, town.hub, number, "case 2026-117 of the public prosecutor", CHEN)
    clock.move((3000 * DAY).total_seconds())
    go_round(town)
    assert town.hub.evidence.has(digest)
    with town.hub.pool.connection() as conn:
        release_event(conn, town.hub, number, "the case is closed", CHEN)
    clock.move((8 * DAY).total_seconds())
    go_round(town)
    assert not town.hub.evidence.has(digest)
    assert [name for name, _, _ in steps(town, number)[-3:]] == [
        "hold_evidence",
        "release_evidence",
        "erase_evidence",
    ]


def test_nobody_erases_what_is_held_not_even_by_sql(town: City) -> None:
    number, digest = rejected(town, street())
    with town.hub.pool.connection() as conn:
        act = Act("hold_evidence", reason="a complaint")  # as the console asks for it
        act_on_event(conn, town.hub, number, act, CHEN, None)
    with town.hub.pool.connection() as conn, pytest.raises(NotAllowedError, match="is held"):
        erase_evidence(conn, town.hub, digest, "a mistake", CHEN)
    with pytest.raises(psycopg.errors.RestrictViolation, match="is held and cannot be erased"):
        town.execute(
            "UPDATE evidence SET erased_at = now(), erased_by = 'x', erased_why = 'y'"
            " WHERE digest = %s",
            digest,
        )
    assert town.hub.evidence.has(digest)


def test_a_hold_on_one_piece_holds_that_one(town: City, clock: Clock) -> None:
    _, held = rejected(town, street(seed=1))
    clock.move(DAY.total_seconds())
    _, other = rejected(town, street(seed=2))
    with town.hub.pool.connection() as conn:
        hold_one(conn, town.hub, held, "an audit", CHEN)
    with town.hub.pool.connection() as conn, pytest.raises(ConflictError, match="held already"):
        hold_one(conn, town.hub, held, "an audit", CHEN)
    clock.move((100 * DAY).total_seconds())
    go_round(town)
    assert (town.hub.evidence.has(held), town.hub.evidence.has(other)) == (True, False)
    with town.hub.pool.connection() as conn:
        release_one(conn, town.hub, held, "audited", CHEN)
    with town.hub.pool.connection() as conn, pytest.raises(ConflictError, match="no hold stands"):
        release_one(conn, town.hub, held, "audited", CHEN)


def test_an_erased_picture_says_who_erased_it_and_does_not_come_back(town: City) -> None:
    picture = street()
    number = town.sees(picture=picture)
    with town.hub.pool.connection() as conn:
        (shown,) = views.pictures(conn, views.event(conn, number).id)
        erase_evidence(conn, town.hub, shown.digest, "shows a bedroom", CHEN)
    with town.hub.pool.connection() as conn:
        assert remove_erased(conn, town.hub) == 1
    town.picture_arrives(picture)  # the agent sends it again
    assert not town.hub.evidence.path(shown.digest).exists()
    with town.hub.pool.connection() as conn, pytest.raises(GoneError, match="by Chen Jing"):
        keep_photo(conn, town.hub, picture, "image/jpeg", CHEN)
    assert not town.hub.evidence.path(shown.digest).exists()
    with town.hub.pool.connection() as conn, pytest.raises(GoneError):
        erase_evidence(conn, town.hub, shown.digest, "again", CHEN)
    assert steps(town, number)[-1] == ("erase_evidence", "Chen Jing", "shows a bedroom")


def test_a_hub_that_dies_before_the_bytes_are_gone_removes_them_later(town: City) -> None:
    _, digest = rejected(town, street())
    with town.hub.pool.connection() as conn:
        erase_evidence(conn, town.hub, digest, "a mistake", CHEN)
    assert town.hub.evidence.has(digest)  # it died here
    go_round(town)
    assert not town.hub.evidence.has(digest)


def test_an_erasure_needs_a_reason_and_a_person_who_may(town: City) -> None:
    _, digest = rejected(town, street())
    with town.hub.pool.connection() as conn, pytest.raises(InvalidError, match="reason is empty"):
        erase_evidence(conn, town.hub, digest, "  ", CHEN)
    somebody = Actor("Zhao Lei", Role.ASSISTANT)
    with town.hub.pool.connection() as conn, pytest.raises(NotAllowedError, match="not for"):
        erase_evidence(conn, town.hub, digest, "please", somebody)


def test_what_never_arrives_whole_is_given_up_after_the_longest_outage(
    town: City, clock: Clock
) -> None:
    picture = street()
    town.sees(picture=picture, arrives=False)
    digest = town.picture_arrives(picture, part=0.5)
    part = town.hub.evidence.path(digest).with_name(f"{digest}.part")
    clock.move(((PERIODS.partial - 1) * DAY).total_seconds())
    go_round(town)
    assert part.exists()
    clock.move((9 * DAY).total_seconds())
    go_round(town)
    assert not part.exists()
    assert evidence(town, digest).erased_why == "it never arrived whole"


def test_a_round_is_bounded_and_the_next_one_goes_on(
    town: City, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.services.evidence.erase_evidence.STEP", 2)
    digests = [rejected(town, street(seed=n))[1] for n in range(3)]
    clock.move((100 * DAY).total_seconds())
    with town.hub.pool.connection() as conn:
        assert expire_evidence(conn, town.hub) == 2
    assert sum(evidence(town, d).erased_at is not None for d in digests) == 2
    go_round(town)
    assert not any(town.hub.evidence.has(d) for d in digests)
