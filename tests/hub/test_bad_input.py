"""Each kind of bad input ends in quarantine with its reason, topic and bytes, and harms nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from contract.envelope import Identity, build, encode_record
from contract.messages import Record
from contract.taxonomy import Lane
from contract.topics import Topic, Up
from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError
from hub.domain.grid import GridError
from hub.domain.grid_file import cells_from_geojson
from hub.ingest.births import take_control
from hub.ingest.decode import Decoder, Pack
from hub.ingest.limits import Limits
from hub.ingest.replay import replay
from hub.ingest.transaction import write
from hub.services.context import Hub
from hub.store.quarantine import MAX_KEPT, Reject
from tests.hub.builders import START, chunks, config, detection, fresh, opened, reading, rows

CHEN = Actor("chen", Role.DISPATCHER)
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def hub(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with opened(config(module_database_url, tmp_path_factory.mktemp("hub"))) as hub:
        yield hub


@dataclass(frozen=True, slots=True)
class Sender:
    """An agent that sends what it should not."""

    name: str

    def message(self, lane: Lane, record: Record, chunk: bytes = b"", seq: int = 1) -> bytes:
        identity = Identity("demo", self.name, "b1", lane, seq)
        return build(identity, [encode_record(record)], START, chunk)

    @property
    def reading(self) -> bytes:
        return self.message(Lane.READING, reading(1.0))

    @property
    def detection(self) -> bytes:
        return self.message(Lane.DETECTION, detection())


def envelope(message: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(message), **changes}).encode()


def record(message: bytes, *without: str, **changes: object) -> bytes:
    whole = json.loads(message)
    one = whole["data"]["records"][0]
    one.update(changes)
    for name in without:
        del one[name]
    return json.dumps(whole).encode()


def broken_picture(sender: Sender) -> bytes:
    """A chunk that claims bytes beyond the end of its picture."""
    ((head, piece),) = chunks(b"picture" * 50)
    return sender.message(Lane.EVIDENCE, head, piece + b"more")


def nested(sender: Sender) -> bytes:
    deep = b"[" * 20_000 + b"]" * 20_000
    return sender.reading.replace(b'"value":1.0', b'"value":' + deep)


Payload = Callable[[Sender], bytes]
# what is wrong: (topic's kind, the message, a word of the reason)
WHOLE_MESSAGES: dict[str, tuple[str, Payload, str]] = {
    "an unknown topic": ("gossip", lambda s: s.reading, "ends in an unknown kind"),
    "a topic too deep": ("reading/more", lambda s: s.reading, "is not gw/v1/"),
    "another lane's topic": ("score", lambda s: s.reading, "arrived on the topic of lane score"),
    "another agent's topic": (
        "reading",
        lambda s: Sender("somebody-else").reading,
        "does not agree with topic",
    ),
    "not JSON": ("reading", lambda s: b"\x00\xff not json", "no readable envelope"),
    "nothing": ("reading", lambda s: b"", "no readable envelope"),
    "a wrong encoding": (
        "reading",
        lambda s: s.reading.decode().encode("utf-16"),
        "no readable envelope",
    ),
    "deep nesting": ("reading", lambda s: b"[" * 30_000 + b"]" * 30_000, "no readable envelope"),
    "a deep record": ("reading", nested, "no readable envelope|recursion"),
    "an unknown type": (
        "reading",
        lambda s: envelope(s.reading, type="org.gridwarden.reading.v9"),
        "is not known for lane reading",
    ),
    "a missing attribute": ("reading", lambda s: envelope(s.reading, seq=None), "seq"),
    "a huge sequence number": ("reading", lambda s: envelope(s.reading, seq="9" * 30), "seq"),
    "no records": ("reading", lambda s: envelope(s.reading, data={"records": []}), "records"),
    "ten megabytes": ("reading", lambda s: b" " * (10 * MEGABYTE), "10485760 bytes"),
    "NaN, which is no JSON": (
        "reading",
        lambda s: s.reading.replace(b'"value":1.0', b'"value":NaN'),
        "no readable envelope",
    ),
    "a cut picture": ("evidence", lambda s: b"\xff\xff{}", "header says 65535 bytes"),
    "an empty birth": ("birth", lambda s: b"{}", "manifest message refused"),
    "a birth that is garbage": ("birth", lambda s: b"\xff" * 50, "manifest message refused"),
    "a death that is garbage": ("death", lambda s: b"[]", "death message refused"),
}
RECORDS: dict[str, tuple[Lane, Payload, str]] = {
    "a missing field": (Lane.READING, lambda s: record(s.reading, "device"), "device"),
    "a wrong type": (Lane.READING, lambda s: record(s.reading, value="warm"), "value"),
    "a huge number": (Lane.READING, lambda s: record(s.reading, value=1e308), "not a finite"),
    "a huge whole number": (Lane.DETECTION, lambda s: record(s.detection, frame=10**30), "frame"),
    "a date in 1970": (
        Lane.READING,
        lambda s: record(s.reading, captured_at="1970-01-01T00:00:00Z"),
        "set the clock of the device",
    ),
    "a date in 2100": (
        Lane.READING,
        lambda s: record(s.reading, captured_at="2100-01-01T00:00:00Z"),
        "set the clock of the device",
    ),
    "a time without a zone": (
        Lane.READING,
        lambda s: record(s.reading, captured_at="2026-01-01T00:00:00"),
        "captured_at",
    ),
    "a score of 7": (Lane.DETECTION, lambda s: record(s.detection, score=7), "score"),
    "a box that leaves the picture": (
        Lane.DETECTION,
        lambda s: record(s.detection, box=[0.9, 0.9, 0.9, 0.9]),
        "box",
    ),
    "a place that is nowhere": (
        Lane.DETECTION,
        lambda s: record(s.detection, position=[500, 0]),
        "position|longitude|lon",
    ),
    "an episode that is no UUID": (
        Lane.DETECTION,
        lambda s: record(s.detection, episode="not-a-uuid"),
        "episode",
    ),
    "a NUL in a text": (
        Lane.DETECTION,
        lambda s: record(s.detection, label="a\x00b"),
        "label",
    ),
    "a loss that ends before it begins": (
        Lane.READING,
        lambda s: record(s.reading, record="lost", first=9, last=3, reason="x"),
        "ends before it begins",
    ),
    "bytes beyond the picture": (Lane.EVIDENCE, broken_picture, "bytes at offset"),
}


def arrives(hub: Hub, topic: str, payload: bytes) -> None:
    if topic.endswith(("/birth", "/death")):
        with hub.pool.connection() as conn:
            take_control(conn, hub, topic, payload)
        return
    decoded = Decoder().decode(topic, payload)
    rejects = [decoded] if isinstance(decoded, Reject) else []
    items = [decoded] if isinstance(decoded, Pack) else []
    with hub.pool.connection() as conn:
        write(
            conn,
            hub,
            decoded if isinstance(decoded, list) else items,
            rejects,
            Limits(hub.config.limits),
        )


def kept(hub: Hub, topic: str) -> tuple[int, str, bytes, bool]:
    """The one entry of the quarantine with that topic: id, reason, bytes, whether counted."""
    ((id, reason, payload, counted),) = rows(
        hub.config.database.url,
        "SELECT id, reason, payload, counted FROM quarantine WHERE topic = %s",
        topic,
    )
    return id, reason, payload, counted


@pytest.mark.parametrize("what", WHOLE_MESSAGES)
def test_a_message_that_cannot_be_read_is_kept_as_it_came(hub: Hub, what: str) -> None:
    kind, make, words = WHOLE_MESSAGES[what]
    sender = Sender(fresh("agent"))
    topic = f"gw/v1/demo/up/{sender.name}/{kind}"
    payload = make(sender)

    arrives(hub, topic, payload)

    id, reason, bytes_kept, counted = kept(hub, topic)
    assert any(w in reason for w in words.split("|")), reason
    assert bytes_kept == payload[:MAX_KEPT]
    assert not counted
    with hub.pool.connection() as conn:
        if len(payload) > MAX_KEPT:
            with pytest.raises(InvalidError, match="give it up"):
                replay(conn, hub, id, CHEN)
        else:
            assert replay(conn, hub, id, CHEN).outcome is None


@pytest.mark.parametrize("what", RECORDS)
def test_a_record_that_is_refused_is_kept_and_counts_as_received(hub: Hub, what: str) -> None:
    lane, make, words = RECORDS[what]
    sender = Sender(fresh("agent"))
    topic = str(Topic("demo", sender.name, Up(lane)))

    arrives(hub, topic, make(sender))

    id, reason, raw, counted = kept(hub, topic)
    assert any(w in reason for w in words.split("|")), reason
    assert json.loads(raw)
    assert counted
    assert rows(
        hub.config.database.url, "SELECT watermark FROM ledger WHERE agent = %s", sender.name
    ) == [(1,)]
    with hub.pool.connection() as conn:
        assert replay(conn, hub, id, CHEN).outcome is None
    assert rows(
        hub.config.database.url, "SELECT count(*) FROM detection WHERE agent = %s", sender.name
    ) == [(0,)]


def test_a_field_that_is_not_known_is_left_out_and_the_record_taken(hub: Hub) -> None:
    sender = Sender(fresh("agent"))
    topic = str(Topic("demo", sender.name, Up.READING))

    arrives(hub, topic, record(sender.reading, colour="blue"))

    assert rows(
        hub.config.database.url, "SELECT value FROM reading WHERE agent = %s", sender.name
    ) == [(1.0,)]


def test_a_grid_whose_polygon_crosses_itself_is_refused_by_name() -> None:
    """The one place where polygons come in: the district's cells."""
    bow_tie = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    cell = {
        "type": "Feature",
        "properties": {"code": "410105", "name_en": "A", "name_zh": "甲"},
        "geometry": {"type": "Polygon", "coordinates": [bow_tie]},
    }
    with pytest.raises(GridError, match="410105 has no valid polygon"):
        cells_from_geojson({"type": "FeatureCollection", "features": [cell]})
