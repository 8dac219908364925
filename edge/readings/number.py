"""A topic whose payload is one plain number: `yard/{device}/temperature` -> `21.4`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contract.messages import Reading
from edge.readings.adapter import NOTHING, AdapterError, Decoded, number
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, metric_name
from edge.readings.topics import TopicPattern

_WORDS = {"on": 1.0, "true": 1.0, "open": 1.0, "off": 0.0, "false": 0.0, "closed": 0.0}


@dataclass(frozen=True)
class PlainNumber:
    """Reads a number, or on / off, true / false, open / closed (any case) as 1 / 0.

    The device is the pattern's {device} or `device`; the metric `metric` or the pattern's {metric}.
    unit: as the sender spells it, "" for the table's.
    """

    pattern: TopicPattern
    device: str = ""
    metric: str = ""
    unit: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        for name in ("device", "metric"):
            if not getattr(self, name) and name not in self.pattern.names:
                raise AdapterError(
                    f"topic pattern {self.pattern.text!r} has no {{{name}}}: write it into the "
                    f"pattern or give {name}"
                )

    @property
    def filters(self) -> tuple[str, ...]:
        """The filter of the pattern."""
        return (self.pattern.filter,)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """The one reading in the payload; raises AdapterError."""
        named = self.pattern.match(topic)
        if named is None:
            return NOTHING
        value = _value(payload)
        foreign = self.metric or named["metric"]
        metric = known(foreign) or Metric(metric_name(foreign), ucum(self.unit))
        value, unit = measured(metric, value, ucum(self.unit) if self.unit else None)
        reading = Reading(
            device=device_name(self.device or named["device"], self.prefix),
            metric=metric.name,
            value=value,
            unit=unit,
            captured_at=received_at,
        )
        return Decoded((reading,))


def _value(payload: bytes) -> float:
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise AdapterError(f"payload {payload[:40]!r} is not text") from None
    word = _WORDS.get(text.lower())
    if word is not None:
        return word
    try:
        value = number(float(text)) if len(text) <= 64 and "_" not in text else None
    except ValueError:
        value = None
    if value is None:
        raise AdapterError(f"payload {text[:40]!r} is not a number")
    return value
