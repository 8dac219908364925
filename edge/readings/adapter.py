"""What every adapter is: a topic and a payload in, readings and detections of ours out.

An adapter reads no clock and does no I/O: the time a message arrived is an argument, what it wants
published comes back with the result. Those that need to remember (Sparkplug aliases, Home Assistant
discovery) remember within the object; all others are frozen and pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from contract.errors import GridwardenError
from contract.messages import Detection, Reading
from edge.evidence import Evidence

Record = Reading | Detection | Evidence
MAX_PAYLOAD = 256 * 1024  # bytes; none of these systems sends a reading that large

_decode_json = msgspec.json.Decoder().decode


class AdapterError(GridwardenError, ValueError):
    """A foreign message could not be understood: the reason says what and where."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one message said.

    unmapped: names of values that arrived but are in no table, so that an engineer can map them.
    notes: what is worth telling although the message was taken, such as a sequence gap.
    replies: (topic, payload) to publish, such as a request for a new birth.
    wants: topic filters to hear from now on, such as a state topic that was announced.
    """

    records: tuple[Record, ...] = ()
    unmapped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    replies: tuple[tuple[str, bytes], ...] = ()
    wants: tuple[str, ...] = ()


NOTHING = Decoded()  # not a topic of this adapter; compared by identity
LEFT_OUT = Decoded()  # one of its topics that holds no reading: a setting, an answer


class Adapter(Protocol):
    """One foreign system on one broker. Called from one thread."""

    @property
    def filters(self) -> tuple[str, ...]:
        """The MQTT topic filters it wants; may grow as it learns."""

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """What this message says. Raises AdapterError where it cannot be understood."""


def read_json(payload: bytes) -> Any:
    """The JSON document in `payload`; raises AdapterError."""
    try:
        return _decode_json(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise AdapterError(f"payload is not JSON: {e}") from None


def read_object(payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`; raises AdapterError."""
    document = read_json(payload)
    if not isinstance(document, dict):
        raise AdapterError(f"payload is a JSON {type(document).__name__}, an object is needed")
    return document


def number(value: object) -> float | None:
    """`value` as a finite number: true is 1, false 0; None where it is none."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if -1e300 < converted < 1e300 else None
