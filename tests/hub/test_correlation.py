"""Which findings become one grid event, under concurrency too."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from contract.geometry import EARTH_RADIUS_M, Point
from contract.messages import Detection
from contract.taxonomy import Category, Phase, Severity
from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError, NotAllowedError
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_history import verify_history
from hub.services.evidence.keep_photo import keep_photo
from hub.services.lapse import lapse_cleared
from hub.services.outward.share_outbox import share_outbox
from hub.services.record_detections import record_detections
from hub.services.report_manually import ManualReport, report_manually
from hub.store import agents, events, views
from hub.store.detections import Change
from hub.store.rows import GridEventRow
from hub.store.view_rows import EventFilter
from tests.hub.builders import SQUARE, START, Clock, detection, episode_id, north, rows, together

DEGREE_M = math.radians(1) * EARTH_RADIUS_M
CITIZEN = Actor("zhang", Role.CITIZEN)
DISPATCHER = Actor("wang", Role.DISPATCHER)


def record(hub: Hub, *records: Detection, agent: str = "edge-1", boot: str = "b1") -> None:
    with hub.pool.connection() as conn:
        refused = record_detections(
            conn,
            hub,
            [Change("demo", agent, boot, n, r, hub.now()) for n, r in enumerate(records, 1)],
        )
    assert refused == []


def report(
    hub: Hub,
    position: Point = SQUARE,
    *,
    category: Category = Category.FIRE_SAFETY,
    key: str | None = None,
    severity: Severity | None = None,
    occurred_at: datetime | None = None,
) -> GridEventRow:
    with hub.pool.connection() as conn:
        return report_manually(
            conn,
            hub,
            ManualReport(
                CITIZEN,
                "Something burns behind the market",
                position,
                category,
                request_key=key,
                severity=severity,
                occurred_at=occurred_at,
            ),
        )


def all_events(hub: Hub) -> list[GridEventRow]:
    with hub.pool.connection() as conn:
        numbers = conn.execute("SELECT number FROM grid_event ORDER BY id").fetchall()
        found = [events.by_number(conn, str(n)) for (n,) in numbers]
    return [e for e in found if e is not None]


def only(hub: Hub) -> GridEventRow:
    (event,) = all_events(hub)
    return event


def test_a_detection_opens_a_suspected_event_with_the_first_entry_of_its_history(
    hub: Hub,
) -> None:
    record(hub, detection(at=START))

    event = only(hub)
    assert (event.number, event.state, event.origin) == (
        "410105-20261124-00001",
        "suspected",
        "machine",
    )
    assert (event.category, event.subcategory, event.severity) == (
        "fire_safety",
        "burning_or_fire",
        "S1",
    )
    assert event.decide_by == START + timedelta(seconds=60)
    assert event.cell is None  # no grid here: outside of it an event is opened all the same
    with hub.pool.connection() as conn:
        (entry,) = events.history(conn, event.id)
        assert (entry.name, entry.from_state, entry.actor) == (
            "ingest_detection",
            None,
            "edge-1/cam-01",
        )
        assert verify_history(conn, event.number) is None


def test_event_numbers_count_the_days_of_the_district(hub: Hub, clock: Clock) -> None:
    clock.at = datetime.fromisoformat("2026-11-24T15:59:00+00:00")
    report(hub)
    clock.at = datetime.fromisoformat("2026-11-24T16:01:00+00:00")  # midnight in Shanghai is past
    report(hub, north(SQUARE, 5000))
    report(hub, north(SQUARE, 9000))

    assert [e.number for e in all_events(hub)] == [
        "410105-20261124-00001",
        "410105-20261125-00001",
        "410105-20261125-00002",
    ]


def test_two_cameras_that_see_one_fire_give_one_event(hub: Hub, clock: Clock) -> None:
    record(hub, detection(at=clock(), stream="cam-01"))
    record(
        hub,
        detection(at=clock.move(60), stream="cam-02", position=north(SQUARE, 79)),
        detection(at=clock(), stream="cam-03", position=north(SQUARE, -79)),
        agent="edge-2",
    )

    event = only(hub)
    assert event.last_seen_at == clock()
    assert rows(hub.config.database.url, "SELECT DISTINCT event FROM detection") == [(event.id,)]


@pytest.mark.parametrize(
    ("metres", "seconds", "kind"),
    [(81, 0, "flame"), (0, 901, "flame"), (0, 0, "congestion")],
    ids=["beyond the radius", "beyond the time", "another group"],
)
def test_what_is_elsewhere_later_or_of_another_group_is_another_event(
    hub: Hub, clock: Clock, metres: float, seconds: float, kind: str
) -> None:
    record(hub, detection(at=clock()))
    record(hub, detection(at=clock.move(seconds), kind=kind, position=north(SQUARE, metres)))

    assert len(all_events(hub)) == 2


def test_every_change_of_an_episode_is_one_event_and_leaves_its_version(
    hub: Hub, clock: Clock
) -> None:
    episode = episode_id()
    for revision in range(1, 200):
        phase = Phase.RAISED if revision == 1 else Phase.UPDATED
        record(hub, detection(at=clock.move(5), episode=episode, revision=revision, phase=phase))

    event = only(hub)
    assert event.version == 1
    assert event.last_seen_at == clock()


def test_reports_of_many_people_at_once_across_a_tile_edge_are_one_event(hub: Hub) -> None:
    tile_m = hub.categories.groups["fire"].radius_m
    for place in range(1, 7):  # a lock of the own tile only gives two events in most of these
        edge = Point(SQUARE.lon, math.ceil(SQUARE.lat * DEGREE_M / tile_m) * tile_m / DEGREE_M)
        edge = north(edge, 10 * place * tile_m)
        answered = together(
            [partial(report, hub, north(edge, 5 if i % 2 else -5)) for i in range(24)]
        )
        assert len(all_events(hub)) == place, answered
    assert rows(hub.config.database.url, "SELECT count(*) FROM report") == [(6 * 24,)]
    with hub.pool.connection() as conn:
        for event in all_events(hub):
            assert verify_history(conn, event.number) is None
            assert event.version == 24


def test_events_opened_at_once_in_different_places_have_consecutive_numbers(hub: Hub) -> None:
    together([partial(report, hub, north(SQUARE, 1000 * i)) for i in range(20)])

    assert [e.number[-5:] for e in sorted(all_events(hub), key=lambda e: e.number)] == [
        f"{n:05}" for n in range(1, 21)
    ]


def test_a_report_joins_a_machine_event_makes_it_urgent_and_counts(hub: Hub, clock: Clock) -> None:
    record(hub, detection(at=clock(), kind="smoke", label="smoke"))

    clock.move(30)
    event = report(hub, north(SQUARE, 20))

    assert event.number == only(hub).number
    assert (event.state, event.origin) == ("suspected", "machine")
    assert (event.urgent, event.ever_reported, event.severity) == (True, True, "S1")
    assert event.version == 2


def test_a_machine_joins_what_a_person_reported(hub: Hub, clock: Clock) -> None:
    reported = report(hub)
    record(hub, detection(at=clock.move(30)))

    event = only(hub)
    assert (event.number, event.state, event.urgent) == (reported.number, "reported", False)
    assert rows(hub.config.database.url, "SELECT event FROM detection") == [(event.id,)]


def test_a_graver_detection_makes_the_event_graver_and_sooner_due(hub: Hub, clock: Clock) -> None:
    record(hub, detection(at=clock(), kind="smoke", label="smoke"))
    assert (only(hub).severity, only(hub).subcategory) == ("S2", "smoke")

    record(hub, detection(at=clock.move(20), stream="cam-02"))

    event = only(hub)
    assert (event.severity, event.subcategory) == ("S1", "burning_or_fire")
    assert event.decide_by == clock() + timedelta(seconds=60)
    assert event.version == 2
    record(hub, detection(at=clock.move(5), kind="smoke", stream="cam-03"))
    assert only(hub).severity == "S1"


def test_a_repeated_request_is_the_same_report(hub: Hub) -> None:
    first = report(hub, key="form-17")
    again = together([lambda: report(hub, north(SQUARE, 5000), key="form-17")] * 6)

    assert {e.number for e in again if isinstance(e, GridEventRow)} == {first.number}
    assert rows(hub.config.database.url, "SELECT count(*) FROM report") == [(1,)]


def test_a_late_detection_joins_what_was_open_then_and_changes_nothing(
    hub: Hub, clock: Clock
) -> None:
    record(hub, detection(at=clock()))
    clock.move(3600)
    with hub.pool.connection() as conn:
        judged = act_on_event(conn, hub, only(hub).number, Act("reject", "steam"), DISPATCHER, None)

    record(hub, detection(at=START + timedelta(seconds=60), stream="cam-02"))

    assert only(hub) == judged
    assert rows(hub.config.database.url, "SELECT event, late FROM detection ORDER BY late") == [
        (judged.id, False),
        (judged.id, True),
    ]


def test_a_late_detection_of_nothing_known_is_kept_and_pages_nobody_until_it_goes_on(
    hub: Hub, clock: Clock
) -> None:
    clock.move(3600)
    episode = episode_id()
    record(hub, detection(at=START, episode=episode))
    assert all_events(hub) == []
    assert rows(hub.config.database.url, "SELECT event, late FROM detection") == [(None, True)]

    record(hub, detection(at=clock(), episode=episode, revision=2, phase=Phase.UPDATED))

    assert only(hub).state == "suspected"
    assert rows(hub.config.database.url, "SELECT event, late FROM detection") == [
        (only(hub).id, False)
    ]


def test_a_clock_that_is_an_hour_behind_makes_nothing_late(hub: Hub, clock: Clock) -> None:
    clock.move(3600)
    with hub.pool.connection() as conn:
        agents.enrol(conn, {"edge-1": "demo"})
        agents.bear(conn, "edge-1", boot="b1", born_at=START, seen_at=START, manifest={})
        agents.hear(conn, [], {"edge-1": (START, 3600.0)})

    record(hub, detection(at=START))

    assert only(hub).last_seen_at == clock()
    assert rows(hub.config.database.url, "SELECT captured_at FROM detection") == [(START,)]


def test_a_clock_that_is_an_hour_ahead_shows_nothing_in_the_future(hub: Hub, clock: Clock) -> None:
    record(hub, detection(at=START + timedelta(hours=1)))

    assert only(hub).last_seen_at == clock()
    assert only(hub).occurred_at == clock()


def test_a_camera_without_a_position_gives_one_event_for_what_it_sees(
    hub: Hub, clock: Clock
) -> None:
    record(hub, detection(at=clock(), position=None))
    record(hub, detection(at=clock.move(60), position=None))
    record(hub, detection(at=clock(), position=None, stream="cam-02"))

    assert [(e.lon, e.lat) for e in all_events(hub)] == [(None, None)] * 2


def test_a_synthetic_detection_never_joins_a_real_event(hub: Hub, clock: Clock) -> None:
    record(hub, detection(at=clock()))
    record(hub, detection(at=clock(), test=True))

    assert [(e.test, e.state) for e in all_events(hub)] == [(False, "suspected"), (True, "lapsed")]


def test_the_tests_of_an_agent_share_an_event_that_is_over_at_once_and_waits_for_nobody(
    hub: Hub, clock: Clock
) -> None:
    names = ("cam-01", "cam-02", "cam-03")
    raised = [
        detection(
            at=clock(), kind="daily_test", label="daily_test", stream=name, episode=episode_id(),
            position=north(SQUARE, 500.0 * n), test=True,
        )
        for n, name in enumerate(names)
    ]  # fmt: skip
    record(hub, *raised)
    cleared = [
        msgspec.structs.replace(d, revision=2, phase=Phase.CLEARED, captured_at=clock.move(1))
        for d in raised
    ]
    record(hub, *cleared)

    (event,) = all_events(hub)
    assert (event.test, event.state, event.severity) == (True, "lapsed", "S4")
    found = rows(hub.config.database.url, "SELECT DISTINCT event, test, phase FROM detection")
    assert found == [(event.id, True, "cleared")]
    with hub.pool.connection() as conn:
        assert verify_history(conn, event.number) is None
        assert views.queue(conn) == []
        assert views.queue_size(conn) == 0
        assert share_outbox(conn, hub) == 2
        assert conn.execute("SELECT FROM notice").fetchall() == []
        assert views.events(conn, EventFilter(), None, 10) == []


def test_a_kind_that_tells_of_the_device_opens_no_event(hub: Hub, clock: Clock) -> None:
    record(hub, detection(at=clock(), kind="camera_health", label="frozen"))

    assert all_events(hub) == []
    assert rows(hub.config.database.url, "SELECT event, late FROM detection") == [(None, False)]


def test_a_suspected_event_whose_scene_stays_clear_lapses_and_one_that_burns_again_does_not(
    hub: Hub, clock: Clock
) -> None:
    first, second = episode_id(), episode_id()
    record(hub, detection(at=clock(), episode=first))
    record(hub, detection(at=clock(), episode=second, position=north(SQUARE, 500)))
    for episode in (first, second):
        cleared = detection(at=clock.move(5), episode=episode, revision=2, phase=Phase.CLEARED)
        record(hub, cleared)
    clock.move(600)
    record(hub, detection(at=clock(), position=north(SQUARE, 500)))
    clock.move(294)
    with hub.pool.connection() as conn:
        assert lapse_cleared(conn, hub) == []
    clock.move(10)

    with hub.pool.connection() as conn:
        (lapsed,) = lapse_cleared(conn, hub)

    assert (lapsed.state, lapsed.ended_at) == ("lapsed", clock())
    assert [e.state for e in all_events(hub)] == ["lapsed", "suspected"]
    with hub.pool.connection() as conn:
        assert events.history(conn, lapsed.id)[-1].role == "rule"


def test_an_event_that_cannot_lapse_keeps_no_other_from_it(
    hub: Hub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for metres in (0, 500):
        episode, place = episode_id(), north(SQUARE, metres)
        record(hub, detection(at=clock.move(5), episode=episode, position=place))
        told = detection(at=clock.move(5), episode=episode, revision=2, phase=Phase.CLEARED)
        record(hub, told)
    broken = all_events(hub)[0]
    with hub.pool.connection() as conn:
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute("UPDATE grid_event_history SET role = 'nobody' WHERE event = %s", (broken.id,))
    clock.move(86_400)

    with hub.pool.connection() as conn:
        lapse_cleared(conn, hub)

    assert [e.state for e in all_events(hub)] == ["suspected", "lapsed"]
    assert f"event {broken.number} does not lapse" in caplog.text


def test_a_scene_that_clears_after_filing_is_noted_and_cancels_nothing(
    hub: Hub, clock: Clock
) -> None:
    episode = episode_id()
    record(hub, detection(at=clock(), episode=episode))
    with hub.pool.connection() as conn:
        act = Act("confirm", evidence_viewed=True)
        act_on_event(conn, hub, only(hub).number, act, DISPATCHER, None)
    record(hub, detection(at=clock.move(5), episode=episode, revision=2, phase=Phase.CLEARED))
    clock.move(86_400)

    with hub.pool.connection() as conn:
        assert lapse_cleared(conn, hub) == []
    assert (only(hub).state, only(hub).scene_cleared_at) == ("filed", START + timedelta(seconds=5))


def test_what_was_merged_away_is_seen_at_the_event_it_became_part_of(
    hub: Hub, clock: Clock
) -> None:
    episode = episode_id()
    record(hub, detection(at=clock()))
    record(hub, detection(at=clock(), episode=episode, position=north(SQUARE, 300)))
    parent, child = all_events(hub)
    with hub.pool.connection() as conn:
        act_on_event(conn, hub, child.number, Act("attach", parent=parent.number), DISPATCHER, None)

    clock.move(30)
    record(
        hub,
        detection(
            at=clock(),
            episode=episode,
            revision=2,
            phase=Phase.UPDATED,
            position=north(SQUARE, 300),
        ),
    )

    assert [e.last_seen_at for e in all_events(hub)] == [clock(), START]


def test_reports_that_make_no_sense_are_refused_by_field(hub: Hub, clock: Clock) -> None:
    def refused(field: str, **changes: object) -> None:
        values: dict[str, object] = {
            "reporter": CITIZEN,
            "description": "Something burns",
            "position": SQUARE,
            "category": Category.FIRE_SAFETY,
            **changes,
        }
        with hub.pool.connection() as conn, pytest.raises(InvalidError) as caught:
            report_manually(conn, hub, ManualReport(**values))  # type: ignore[arg-type]
        assert caught.value.field == field

    refused("description", description=" \n")
    refused("description", description="a\x00b")
    refused("description", description="x" * 5000)
    refused("subcategory", subcategory="congestion")
    refused("occurred_at", occurred_at=clock() + timedelta(seconds=1))
    refused("evidence", evidence=("ab" * 32,))
    by_device = ManualReport(Actor("edge-1", Role.DEVICE), "x", SQUARE, Category.FIRE_SAFETY)
    with hub.pool.connection() as conn, pytest.raises(NotAllowedError, match="devices do not"):
        report_manually(conn, hub, by_device)


def test_a_photo_handed_in_with_a_report_is_kept_once_and_belongs_to_the_event(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        photo = keep_photo(conn, hub, b"jpeg bytes", "image/jpeg", CITIZEN)
        assert keep_photo(conn, hub, b"jpeg bytes", "image/jpeg", CITIZEN) == photo
        with pytest.raises(InvalidError, match="text/html"):
            keep_photo(conn, hub, b"<script>", "text/html", CITIZEN)
        event = report_manually(
            conn,
            hub,
            ManualReport(
                CITIZEN, "Fire", SQUARE, Category.FIRE_SAFETY, evidence=(photo.digest,) * 2
            ),
        )
    assert hub.evidence.has(photo.digest)
    assert rows(hub.config.database.url, "SELECT event, digest, history_n FROM event_evidence") == [
        (event.id, photo.digest, 1)
    ]


def test_only_the_events_store_writes_grid_events_and_only_services_ask_it_to() -> None:
    package = Path(__file__).parents[2] / "hub"
    writes = re.compile(r"(UPDATE|INSERT INTO|DELETE FROM)\s+grid_event\b")
    asks = re.compile(r"\bevents\.(update|insert|append_history)\(")

    writers = {
        str(p.relative_to(package))
        for p in [*package.rglob("*.py"), *package.glob("sql/queries/*.sql")]
        if writes.search(p.read_text(encoding="utf-8"))
    }
    askers = {
        str(p.relative_to(package))
        for p in package.rglob("*.py")
        if asks.search(p.read_text(encoding="utf-8"))
    }
    assert writers == {"store/events.py"}
    assert askers == {"services/event_history.py", "services/events_at_hand.py"}
