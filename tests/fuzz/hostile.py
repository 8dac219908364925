"""Messages nobody should send: made up by hypothesis, and real ones mutated."""

from __future__ import annotations

import json
import random
import struct
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from contract.envelope import MAX_RECORDS
from contract.messages import Lost
from contract.taxonomy import Lane
from contract.topics import PREFIX, Up

MADE_UP_SHARE = 0.1  # of all messages; the rest are mutations, which reach deeper
A_BOOT = 50  # messages: what is refused whole leaves a hole, and holes of a lane are limited
MAX_BYTES = 200_000  # more no broker of ours lets through
SEQS = ("0", "1", "7", "-1", "00", "1e3", str(2**31), str(2**62), str(2**63 - 1), str(2**63))
TOKENS = (
    *(b"NaN", b"Infinity", b"1e999", b"-0", b"1e-400", b"0x10", b"true", b"null", b"{}", b"[]"),
    *(b"\x00", b"\\u0000", b"\xff\xfe", b"\\ud800", b"\xed\xa0\x80", b'"', b"\\", b",", b"}" * 9),
    *(b"[" * 2000, b'{"a":' * 2000, b"9" * 400, b'"' + b"x" * 5000 + b'"', "城市".encode()),
    *(b"1970-01-01T00:00:00Z", b"9999-12-31T23:59:59.999999Z", b"2026-11-24T08:00:00", b"2.5"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it travels."""

    topic: str
    payload: bytes


class Source:
    """Hostile messages to agents of one station."""

    def __init__(self, station: str, real: Sequence[Sent], seed_: int) -> None:
        """real: messages recorded from a run; what is mutated."""
        self._station = station
        self._real = [*real, *_seldom(real)]
        self._chance = random.Random(seed_)
        self._sent = 0

    def messages(self, count: int) -> Iterator[Sent]:
        """That many, none like a good one but by chance."""
        made_up = self._made_up(round(count * MADE_UP_SHARE))
        for n in range(count):
            if made_up and n % round(1 / MADE_UP_SHARE) == 0:
                yield made_up.pop()
            else:
                yield self._mutated()

    def _numbered_anew(self, real: Sent) -> bytes:
        """The message under numbers nobody had: the ledger would drop another copy unread."""
        self._sent += 1
        boot, place = divmod(self._sent, A_BOOT)
        return _with_number(real, f"fuzz-{boot}", 1 + place * MAX_RECORDS)

    def _made_up(self, count: int) -> list[Sent]:
        found: list[Sent] = []

        @seed(self._chance.getrandbits(32))
        @settings(
            max_examples=max(1, count),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(_messages(self._station))
        def gather(sent: Sent) -> None:
            found.append(sent)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gather()
        return found[:count]

    def _mutated(self) -> Sent:
        chance = self._chance
        real = chance.choice(self._real)
        topic, payload = real.topic, self._numbered_anew(real)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            topic, payload = chance.choice(_MUTATIONS)(chance, topic, payload, self._real)
        return Sent(topic, payload[:MAX_BYTES])


def _with_number(sent: Sent, boot: str, seq: int) -> bytes:
    head, tail = _parts(sent.topic, sent.payload)
    said = json.loads(head)
    if "lane" not in said:  # a birth
        return sent.payload
    said |= {"boot": boot, "seq": str(seq), "id": f"{boot}/{said['lane']}/{seq}"}
    return _joined(sent.topic, json.dumps(said).encode(), tail)


def _seldom(real: Sequence[Sent]) -> list[Sent]:
    """Real kinds of messages that a short run does not show."""
    out = []
    for sent in real:
        if not sent.topic.endswith(Lane.READING):
            continue
        said = json.loads(sent.payload)
        for first, last in ((1, 1), (1, 50), (2**61, 2**61 + 5), (5, 2)):
            lost = Lost(first=first, last=last, reason="a test")
            record = {"record": "lost", **{f: getattr(lost, f) for f in lost.__struct_fields__}}
            said["data"]["records"] = [record]
            out.append(Sent(sent.topic, json.dumps(said).encode()))
        break
    return out


# --- made up


def _messages(station: str) -> st.SearchStrategy[Sent]:
    kinds = st.sampled_from([*Up, "ack", "nothing", "", "a/b", "é", "reading "])
    names = st.sampled_from(["edge-1", "edge-2", "-", "a" * 65, "..", "edge 1", "ädge"])
    topics = st.builds(lambda name, kind: f"{PREFIX}/{station}/up/{name}/{kind}", names, kinds)
    json_values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=40)
        | st.sampled_from(["reading", "1.0", "2026-11-24T08:00:00Z", "raised", "lost"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(_FIELDS) | st.text(max_size=8), inner, max_size=6)
        ),
        max_leaves=12,
    )
    envelopes = st.builds(
        _envelope,
        st.just(station),
        st.sampled_from(["edge-1", "edge-2"]),
        st.sampled_from(list(Lane)),
        st.sampled_from(SEQS),
        st.lists(json_values, max_size=4),
    )
    payloads = st.binary(max_size=300) | json_values.map(_json) | envelopes
    return st.builds(Sent, topics, payloads) | envelopes.map(
        lambda payload: Sent(f"{PREFIX}/{station}/up/edge-1/reading", payload)
    )


_FIELDS = (
    *("specversion", "id", "source", "type", "time", "boot", "lane", "seq", "data", "records"),
    *("episode", "revision", "phase", "stream", "kind", "label", "score", "box", "position"),
    *("device", "metric", "value", "unit", "captured_at", "record", "first", "last", "reason"),
)


def _envelope(station: str, agent: str, lane: Lane, seq: str, records: list[Any]) -> bytes:
    said = {
        "specversion": "1.0",
        "id": f"fuzz/{lane}/{seq}",
        "source": f"/{station}/{agent}",
        "type": f"org.gridwarden.{lane}.v1",
        "time": "2026-11-24T08:00:00Z",
        "boot": "fuzz",
        "lane": lane,
        "seq": seq,
        "data": {"records": records},
    }
    head = _json(said)
    return struct.pack(">H", len(head)) + head + b"picture" if lane is Lane.EVIDENCE else head


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


# --- mutated

Changed = tuple[str, bytes]


def _flip(chance: random.Random, topic: str, payload: bytes, _: Sequence[Sent]) -> Changed:
    out = bytearray(payload)
    for _n in range(chance.choice((1, 2, 8))):
        if out:
            out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return topic, bytes(out)


def _cut(chance: random.Random, topic: str, payload: bytes, _: Sequence[Sent]) -> Changed:
    a, b = sorted((chance.randrange(len(payload) + 1), chance.randrange(len(payload) + 1)))
    return topic, chance.choice((payload[:a], payload[b:], payload[:a] + payload[b:]))


def _insert(chance: random.Random, topic: str, payload: bytes, _: Sequence[Sent]) -> Changed:
    at = chance.randrange(len(payload) + 1)
    return topic, payload[:at] + chance.choice(TOKENS) + payload[at:]


def _splice(chance: random.Random, topic: str, payload: bytes, real: Sequence[Sent]) -> Changed:
    other = chance.choice(real).payload
    at, over = chance.randrange(len(payload) + 1), chance.randrange(len(other) + 1)
    return topic, payload[:at] + other[over:]


def _other_topic(chance: random.Random, topic: str, payload: bytes, _: Sequence[Sent]) -> Changed:
    parts = topic.split("/")
    parts[-1] = chance.choice([*Up, "score", "ack"])
    if chance.random() < 0.3:
        parts[4] = chance.choice(("edge-1", "edge-2", "edge-9"))
    return "/".join(parts), payload


def _value(chance: random.Random, topic: str, payload: bytes, _: Sequence[Sent]) -> Changed:
    """One value of the JSON becomes another, goes, or comes twice."""
    head, tail = _parts(topic, payload)
    try:
        said = json.loads(head)
        places = list(_places(said))
    except (ValueError, RecursionError):
        return _flip(chance, topic, payload, _)
    if not places:
        return topic, payload
    holder, key = chance.choice(places)
    act = chance.random()
    if act < 0.15 and isinstance(holder, dict):
        del holder[key]
    elif act < 0.25 and isinstance(holder, list):
        holder.append(holder[key])
    elif key in ("seq", "id") and act < 0.9:
        _renumber(said, chance.choice((*SEQS, str(chance.randrange(1, 400)))))
    else:
        holder[key] = _odd(chance, holder[key])
    try:
        return topic, _joined(topic, json.dumps(said, allow_nan=True).encode(), tail)
    except (ValueError, RecursionError):
        return topic, payload


def _renumber(said: Any, seq: str) -> None:
    if isinstance(said, dict) and isinstance(said.get("id"), str):
        said["seq"] = seq
        said["id"] = "/".join([*said["id"].split("/")[:-1], seq])


def _places(said: Any) -> Iterator[tuple[Any, Any]]:
    keys: Iterable[Any] = ()
    if isinstance(said, dict):
        keys = said.keys()
    elif isinstance(said, list):
        keys = range(len(said))
    for key in keys:
        yield said, key
        yield from _places(said[key])


def _odd(chance: random.Random, value: Any) -> Any:
    if isinstance(value, bool) or value is None or chance.random() < 0.2:
        return chance.choice((None, True, 0, "", [], {}, "null", [[]], {"": {}}))
    if isinstance(value, int | float):
        numbers = (0, -1, 7, 1e308, -1e308, 2**53, 2**63, 2**64, float("nan"), float("inf"), 1e-320)
        return chance.choice(numbers)
    if isinstance(value, str):
        texts = ("", "\x00", "a\nb", "é" * 70, "x" * 3000, value + "\n", "\u202e" + value, "0" * 64)
        times = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2026-11-24T08:00:00", "24:00")
        return chance.choice((*texts, *times, value.upper(), value[:-1], 5))
    if isinstance(value, list):
        return chance.choice((value * 40, [], value[:1], [value], None))
    return chance.choice(({}, [value], {"a": value}, None))


def _parts(topic: str, payload: bytes) -> tuple[bytes, bytes]:
    """JSON, and the bytes behind it in an evidence message."""
    if not topic.endswith("/evidence") or len(payload) < 2:
        return payload, b""
    (length,) = struct.unpack_from(">H", payload)
    return payload[2 : 2 + length], payload[2 + length :]


def _joined(topic: str, head: bytes, tail: bytes) -> bytes:
    if not topic.endswith("/evidence"):
        return head
    return struct.pack(">H", min(len(head), 65535)) + head + tail


_MUTATIONS = (_flip, _cut, _insert, _splice, _other_topic, *(_value,) * 8)
