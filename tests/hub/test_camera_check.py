"""Once a case was dealt with, the cameras that saw it look at the same place again.

The records come from an agent's real watch over real frames; only the wire is left out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import pytest

from contract.control import encode_control, read_control
from contract.envelope import Identity, read_record
from contract.messages import Detection, EvidenceChunk, Look, Looked
from contract.taxonomy import CameraState, Lane
from contract.topics import Topic, Up
from edge.watching import StreamWatch
from hub.api.offers import offered
from hub.domain.actor import Actor, Role
from hub.domain.camera_word import Answer, Asked, Outcome, Sight, Why, Word, together, word_of
from hub.domain.errors import NotAllowedError
from hub.ingest.births import take_control
from hub.ingest.decode import Entry
from hub.ingest.evidence import receive_chunks
from hub.ingest.heartbeats import take_heartbeats
from hub.ingest.looks import publish_looks
from hub.services.context import Hub
from hub.services.dispatch.camera_answers import take_answers
from hub.services.dispatch.look_again import look_again
from hub.services.end_state import end_states
from hub.services.record_detections import record_detections
from hub.store import camera_looks, events, views
from hub.store.camera_looks import LookRow
from hub.store.detections import Change
from hub.store.health import ReceivedHealth
from hub.store.rows import GridEventRow
from tests.edge.builders import Bright, stream
from tests.edge.builders import frame as framed
from tests.hub.builders import START, Clock, health, manifest, rows
from tests.hub.cases import DISPATCHER, LEADER, act, as_it_is, dispatched, photo, steps

HANDLER = Actor("unit-b", Role.DEPT)
CLEAR_FOR = timedelta(minutes=5)
LOOK_WAITS = Asked(START, START + timedelta(seconds=30), None)
LOOK_LATE = Asked(START - timedelta(minutes=2), START - timedelta(minutes=1), None)
LOOK_SEEN = Asked(START - timedelta(minutes=2), START, Answer.SEEN, "d")
LOOK_CLEAR = Asked(START - timedelta(minutes=1), START, Answer.CLEAR, "d")


@dataclass(slots=True)
class Broker:
    """The end of the wire."""

    sent: list[bytes] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, *, retain: bool, wait_s: float) -> bool:
        assert topic == "gw/v1/demo/dn/edge-1/look"
        assert not retain
        self.sent.append(payload)
        return True


@dataclass(slots=True)
class Camera:
    """A camera with its agent, whose clock is the hub's."""

    hub: Hub
    clock: Clock
    kind: str
    answers: bool = False  # it looks when the hub asks it to
    watch: StreamWatch = field(init=False)
    _seq: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _number: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        watched = stream("scene:street", **{self.kind: dict[str, object]()})
        self.watch = StreamWatch("edge-1", watched, lambda kind: Bright)
        self.born("b1")

    def born(self, boot: str, first: int = 1) -> None:
        birth = msgspec.structs.replace(
            manifest(boot, at=self.clock(), streams=("cam-01",)),
            first_detection=first,
            looks=self.answers,
        )
        topic = str(Topic("demo", "edge-1", Up.BIRTH))
        with self.hub.pool.connection() as conn:
            take_control(conn, self.hub, topic, encode_control(birth))
        self.beat()

    def beat(self, state: CameraState = CameraState.ONLINE) -> None:
        record = health(state=state, at=self.clock())
        with self.hub.pool.connection() as conn:
            received = ReceivedHealth("edge-1", "b1", next(self._seq), record, self.clock())
            take_heartbeats(conn, [received], self.hub.insert)

    def lives(self, seconds: float) -> None:
        """Time goes by, with heartbeats often enough for the camera to count as heard of."""
        for _ in range(math.ceil(seconds / 25)):
            self.clock.move(25)
            self.beat()

    def sees(self, *levels: int, pictures: bool = True) -> None:
        """Frames of this brightness, half a second apart; a bright one shows the thing."""
        for level in levels:
            self.clock.move(0.5)
            picture = framed(next(self._number), level)
            picture = type(picture)(picture.image, self.clock(), "cam-01", picture.number)
            for entry in self.watch.observe(picture):
                self._takes(
                    read_record(entry.lane, entry.record, entry.payload), entry.payload, pictures
                )

    def _takes(self, record: object, payload: bytes, pictures: bool) -> None:
        seq = next(self._seq)
        with self.hub.pool.connection() as conn:
            if isinstance(record, Detection):
                change = Change("demo", "edge-1", "b1", seq, record, self.clock())
                assert record_detections(conn, self.hub, [change]) == []
            elif isinstance(record, Looked):
                take_answers(conn, [("edge-1", record)], self.clock())
            elif isinstance(record, EvidenceChunk) and pictures:
                identity = Identity("demo", "edge-1", "b1", Lane.EVIDENCE, seq)
                entry = Entry(identity, seq, record, "", b"", payload)
                assert receive_chunks(conn, self.hub, [entry], self.clock()) == []

    def asked(self) -> list[Look]:
        """What it is to look at, as the wire would bring it; it begins."""
        broker = Broker()
        with self.hub.pool.connection() as conn:
            publish_looks(conn, broker, ["demo"], self.clock)  # type: ignore[arg-type]
        found = [read_control(Look, payload) for payload in broker.sent]
        for look in found:
            for entry in self.watch.look(look, self.clock()):
                self._takes(read_record(entry.lane, entry.record), b"", True)
        return found

    def event(self) -> GridEventRow:
        with self.hub.pool.connection() as conn:
            row = conn.execute("SELECT max(id) FROM grid_event").fetchone()
            assert row is not None
            found = events.by_id(conn, int(str(row[0])))
        assert found is not None
        return found


@pytest.fixture
def camera(hub: Hub, clock: Clock) -> Camera:
    """It has seen rubbish: S3, and a rule may close it."""
    here = Camera(hub, clock, "dumping")
    here.sees(10, 200, 200, 200)
    return here


def handled(hub: Hub, event: GridEventRow) -> GridEventRow:
    """Confirmed, dispatched, and said to be dealt with."""
    event = act(hub, event, "confirm", DISPATCHER, evidence_viewed=True)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    event = act(hub, event, "accept", HANDLER)
    return act(hub, event, "feedback", HANDLER, evidence=(photo(hub),))


def timers(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        end_states(conn, hub)
    with hub.pool.connection() as conn:
        look_again(conn, hub)


def said(hub: Hub, event: GridEventRow) -> LookRow:
    with hub.pool.connection() as conn:
        look = camera_looks.of_event(conn, event.id)
    assert look is not None
    return look


def whys(look: LookRow) -> list[str]:
    return [c["why"] for c in look.cameras]


def test_a_camera_that_sees_the_place_without_it_closes_an_ordinary_case(
    hub: Hub, camera: Camera
) -> None:
    event = handled(hub, camera.event())
    camera.sees(*[10] * 6)  # it is taken away: the detector clears, with a picture
    camera.lives(70)
    timers(hub)
    assert as_it_is(hub, event).state == "checking"  # gone, not yet for long enough
    group = hub.categories.groups[event.merge_group]
    camera.lives(group.clear_s)
    timers(hub)
    event = as_it_is(hub, event)
    assert event.state == "closed"
    assert steps(hub, event)[-2:] == ["look_again", "check_pass"]
    with hub.pool.connection() as conn:
        pictures = views.pictures(conn, event.id)
        entry = events.history(conn, event.id)[-2]
    (after,) = [p for p in pictures if p.role == "after"]
    (before,) = [p for p in pictures if p.role == "box"]
    assert (after.agent, after.stream) == (before.agent, before.stream) == ("edge-1", "cam-01")
    assert after.is_image
    assert entry.facts["given"]["cameras"] == [
        {"camera": "edge-1/cam-01", "why": "gone", "after": after.digest}
    ]


def test_a_camera_that_still_sees_it_says_so_and_a_person_decides(hub: Hub, camera: Camera) -> None:
    event = handled(hub, camera.event())
    camera.lives(70)
    timers(hub)
    look = said(hub, event)
    assert (look.outcome, whys(look)) == ("still_seen", ["seen"])
    camera.lives(120)
    timers(hub)
    assert as_it_is(hub, event).state == "checking"
    assert steps(hub, event).count("look_again") == 1  # told once, as long as it stays so


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda c: c.beat(CameraState.COVERED), "not_seeing"),
        (lambda c: c.clock.move(60), "not_seeing"),  # nobody has heard of it
        (lambda c: (c.beat(CameraState.MOVED), c.lives(10)), "moved"),
        (lambda c: c.born("b1", first=10_000), "lost_sight"),
    ],
    ids=["covered", "silent", "moved", "began anew"],
)
def test_a_camera_that_cannot_tell_says_why_and_a_person_decides(
    hub: Hub, camera: Camera, happens: Callable[[Camera], object], why: str
) -> None:
    event = handled(hub, camera.event())
    camera.lives(70)
    happens(camera)
    timers(hub)
    look = said(hub, event)
    assert (look.outcome, whys(look)) == ("cannot_tell", [why])
    assert as_it_is(hub, event).state == "checking"


def test_a_picture_that_never_came_is_no_evidence(hub: Hub, camera: Camera) -> None:
    event = handled(hub, camera.event())
    camera.sees(*[10] * 6, pictures=False)
    camera.lives(4000)
    timers(hub)
    assert (said(hub, event).outcome, whys(said(hub, event))) == ("cannot_tell", ["no_picture"])
    assert as_it_is(hub, event).state == "checking"


@pytest.mark.parametrize("kind", ["flame", "wrong_way"], ids=["S1", "not allowed"])
def test_what_is_grave_or_not_allowed_is_shown_to_a_person(
    hub: Hub, clock: Clock, kind: str
) -> None:
    camera = Camera(hub, clock, kind)
    camera.sees(10, 200, 200)
    event = handled(hub, camera.event())
    camera.sees(*[10] * 6)
    camera.lives(2000)
    timers(hub)
    assert said(hub, event).outcome == "clear"
    assert as_it_is(hub, event).state == "checking"


def test_a_part_that_is_not_done_keeps_a_rule_from_closing(hub: Hub, camera: Camera) -> None:
    event = act(hub, camera.event(), "confirm", DISPATCHER, evidence_viewed=True)
    event = act(hub, event, "add_cohandler", DISPATCHER, unit="unit-c", note="the lorry")
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    event = act(hub, event, "accept", HANDLER)
    event = act(hub, event, "feedback", HANDLER, evidence=(photo(hub),))
    camera.sees(*[10] * 6)
    camera.lives(4000)
    timers(hub)
    assert (said(hub, event).outcome, as_it_is(hub, event).state) == ("clear", "checking")


def test_what_only_people_saw_has_no_camera_to_ask(hub: Hub, clock: Clock) -> None:
    event = act(hub, dispatched(hub), "accept", HANDLER)
    event = act(hub, event, "feedback", HANDLER, evidence=(photo(hub),))
    with hub.pool.connection() as conn:
        assert camera_looks.of_event(conn, event.id) is None


# a camera that is asked ------------------------------------------------------------------------


@pytest.fixture
def asked(hub: Hub, clock: Clock) -> Camera:
    """It has seen rubbish, and looks when it is asked to."""
    here = Camera(hub, clock, "dumping", answers=True)
    here.sees(10, 200, 200, 200)
    return here


def at_check(hub: Hub, camera: Camera) -> GridEventRow:
    """Dealt with, and its check has begun."""
    event = handled(hub, camera.event())
    camera.lives(70)
    timers(hub)
    return as_it_is(hub, event)


def test_a_place_is_clear_once_the_camera_was_asked_and_sees_nothing(
    hub: Hub, asked: Camera
) -> None:
    event = handled(hub, asked.event())
    asked.sees(*[10] * 6)
    asked.lives(hub.categories.groups[event.merge_group].clear_s + 70)
    timers(hub)
    assert as_it_is(hub, event).state == "checking"  # its detector cleared it; it is asked first
    assert (said(hub, event).outcome, steps(hub, event)[-1]) == (None, "start_check")
    (look,) = asked.asked()
    assert (look.stream, look.kind, look.label) == ("cam-01", "dumping", "bright")
    assert look.box is not None
    asked.sees(*[10] * 6)
    timers(hub)
    assert as_it_is(hub, event).state == "closed"
    with hub.pool.connection() as conn:
        pictures = [p for p in views.pictures(conn, event.id) if p.role == "after"]
        entry = events.history(conn, event.id)[-2]
    assert len(pictures) == 2  # of the moment it went, and of the look
    newest = max(pictures, key=lambda p: p.captured_at)
    assert entry.facts["given"]["cameras"][0]["after"] == newest.digest


def test_a_camera_that_still_sees_it_sends_the_case_back_with_its_picture(
    hub: Hub, asked: Camera
) -> None:
    event = at_check(hub, asked)
    assert event.state == "checking"
    assert len(asked.asked()) == 1
    asked.sees(*[200] * 6)
    timers(hub)
    look = said(hub, event)
    assert (look.outcome, whys(look)) == ("still_seen", ["seen"])
    with hub.pool.connection() as conn:
        shown = {p.digest for p in views.pictures(conn, event.id) if p.role == "box"}
    assert look.cameras[0]["seen"] in shown
    assert as_it_is(hub, event).state == "checking"  # once may be somebody passing by
    with pytest.raises(NotAllowedError, match="a camera that saw it still sees it") as caught:
        act(hub, event, "check_pass", LEADER, closing_condition_met=True)
    assert caught.value.missing == ("not_still_seen",)
    with hub.pool.connection() as conn:
        history = events.history(conn, event.id)
    forms = {f.name: f for f in offered(hub, as_it_is(hub, event), history, LEADER, held=False)}
    assert [f.name for f in forms["check_pass"].fields] == ["reason"]

    asked.lives(70)
    timers(hub)
    assert len(asked.asked()) == 1
    asked.sees(*[200] * 6)
    timers(hub)
    event = as_it_is(hub, event)
    assert (event.state, event.assignee, event.rework_count) == ("dispatched", HANDLER.name, 1)
    assert steps(hub, event)[-2:] == ["look_again", "check_fail"]


def test_a_person_may_know_better_than_a_camera_and_says_why(hub: Hub, asked: Camera) -> None:
    event = at_check(hub, asked)
    asked.asked()
    asked.sees(*[200] * 6)
    timers(hub)
    why = "it is a new bench"
    done = act(hub, event, "check_pass", LEADER, closing_condition_met=True, reason=why)
    assert done.state == "closed"


def test_what_was_seen_before_it_was_dealt_with_anew_counts_no_more(
    hub: Hub, asked: Camera
) -> None:
    event = at_check(hub, asked)
    asked.asked()
    asked.sees(*[200] * 6)
    timers(hub)
    event = act(hub, event, "check_fail", LEADER, reason="the camera is right")
    event = act(hub, event, "accept", HANDLER)
    event = act(hub, event, "feedback", HANDLER, evidence=(photo(hub),))
    asked.sees(*[10] * 6)
    asked.lives(hub.categories.groups[event.merge_group].clear_s + 70)
    timers(hub)
    assert len(asked.asked()) == 1
    asked.sees(*[10] * 6)
    timers(hub)
    assert as_it_is(hub, event).state == "closed"


def test_a_camera_that_does_not_answer_in_time_says_so_and_a_person_decides(
    hub: Hub, asked: Camera
) -> None:
    event = at_check(hub, asked)
    (look,) = asked.asked()
    asked.lives(25)
    timers(hub)
    assert said(hub, event).outcome is None
    asked.lives(10)
    timers(hub)
    assert (said(hub, event).outcome, whys(said(hub, event))) == ("cannot_tell", ["no_answer"])
    asked.sees(*[200] * 6)  # it answers after all: late
    timers(hub)
    assert whys(said(hub, event)) == ["no_answer"]
    assert look.within_s == 30.0
    assert act(hub, event, "check_pass", LEADER, closing_condition_met=True).state == "closed"


def test_a_camera_that_cannot_look_says_why(hub: Hub, asked: Camera) -> None:
    event = at_check(hub, asked)
    asked.watch = StreamWatch("edge-1", stream("scene:street"), lambda kind: Bright)
    asked.asked()  # its detector was taken away: it says so at once
    timers(hub)
    assert (said(hub, event).outcome, whys(said(hub, event))) == ("cannot_tell", ["cannot_look"])
    reason = rows(hub.config.database.url, "SELECT reason FROM look")
    assert reason == [("stream cam-01 has no detector 'dumping' any more",)]


def test_a_camera_that_is_away_is_not_asked(hub: Hub, asked: Camera, clock: Clock) -> None:
    event = handled(hub, asked.event())
    asked.lives(70)
    clock.move(60)
    timers(hub)
    assert asked.asked() == []
    assert whys(said(hub, event)) == ["not_seeing"]


def test_an_answer_that_nobody_asked_for_is_left_aside(hub: Hub, asked: Camera) -> None:
    event = at_check(hub, asked)
    (look,) = asked.asked()
    answer = Looked(
        look=look.look, stream="cam-01", outcome="clear", reason="", captured_at=asked.clock()
    )
    strange = msgspec.structs.replace(answer, look="00000000-0000-4000-8000-000000000009")
    elsewhere = msgspec.structs.replace(answer, stream="cam-02")
    nonsense = msgspec.structs.replace(answer, look="nonsense")
    with hub.pool.connection() as conn:
        theirs = [("edge-1", strange), ("edge-1", elsewhere), ("edge-1", nonsense)]
        take_answers(conn, [*theirs, ("edge-2", answer)], asked.clock())
    timers(hub)
    assert said(hub, event).outcome is None
    with hub.pool.connection() as conn:
        take_answers(conn, [("edge-1", answer)] * 2, asked.clock())  # sent twice, it counts once
    assert rows(hub.config.database.url, "SELECT outcome FROM look") == [("clear",)]


def test_a_case_that_waits_long_is_asked_about_ever_less_often(hub: Hub, asked: Camera) -> None:
    event = at_check(hub, asked)
    times = []
    for _ in range(34):  # three quarters of an hour
        times += [asked.clock() for _ in asked.asked()]
        asked.sees(*[200] * 6)
        timers(hub)
        asked.lives(60)
        with hub.pool.connection() as conn:  # a leader's case: no rule sends it back
            conn.execute("UPDATE grid_event SET severity = 'S2' WHERE id = %s", (event.id,))
        timers(hub)
    waits = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    assert 5 <= len(times) <= 9
    assert waits == sorted(waits)


# what the cameras say together -----------------------------------------------------------------


def _sight(**differs: object) -> Sight:
    ago = START - timedelta(hours=1)
    plain = Sight("a/c", cleared_at=ago, lost_sight=False, moved=False, online_since=ago, after="d")
    return replace(plain, **differs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sights", "outcome"),
    [
        ([], Outcome.CANNOT_TELL),
        ([{}], Outcome.CLEAR),
        ([{}, {"cleared_at": None}], Outcome.STILL_SEEN),
        ([{}, {"moved": True}], Outcome.CANNOT_TELL),
        ([{"moved": True}, {"cleared_at": None}], Outcome.STILL_SEEN),
        ([{}, {"cleared_at": START}], None),
        ([{"online_since": START}], None),  # it was away, and has to look long enough anew
        ([{"answers": True}], None),  # it is asked first
        ([{"answers": True, "asked": (LOOK_WAITS,)}], None),
        ([{"answers": True, "asked": (LOOK_CLEAR,)}], Outcome.CLEAR),
        ([{"answers": True, "asked": (LOOK_SEEN,)}], Outcome.STILL_SEEN),
        ([{"answers": True, "asked": (LOOK_LATE,)}], Outcome.CANNOT_TELL),
        ([{"answers": True, "asked": (LOOK_SEEN, LOOK_CLEAR)}], Outcome.CLEAR),
        ([{"answers": True, "asked": (LOOK_CLEAR, LOOK_WAITS)}], Outcome.CLEAR),
        ([{"answers": True, "asked": (LOOK_CLEAR,), "cleared_at": None}], Outcome.STILL_SEEN),
        ([{"answers": True, "asked": (LOOK_CLEAR,), "lost_sight": True}], Outcome.CANNOT_TELL),
        ([{}, {"answers": True, "asked": (LOOK_LATE,)}], Outcome.CANNOT_TELL),
    ],
)
def test_all_cameras_have_to_agree_and_one_that_sees_it_outweighs_the_others(
    sights: Sequence[dict[str, object]], outcome: Outcome | None
) -> None:
    words = [word_of(_sight(**s), START, CLEAR_FOR) for s in sights]
    assert together(words) is outcome


def test_a_camera_says_from_when_on_it_counts() -> None:
    word = word_of(_sight(cleared_at=START), START, CLEAR_FOR)
    assert word == Word(Why.TOO_SOON, START + CLEAR_FOR)
