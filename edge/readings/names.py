"""Foreign names made to fit ours, so that two different ones stay different."""

from __future__ import annotations

import hashlib
import re

from edge.readings.adapter import AdapterError

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_NOT_IN_METRIC = re.compile(r"[^a-z0-9_.]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAME_LENGTH = 64


def device_name(foreign: str, prefix: str = "") -> str:
    """The device name for what another system calls `foreign`, 1 to 64 of A-Z a-z 0-9 _ . -

    A name that fits is kept. Where characters must go, eight digits of its hash follow, so that
    `yard/1` and `yard 1` do not become one device. Raises AdapterError on an empty name.
    """
    if not foreign.strip():
        raise AdapterError("device has an empty name")
    whole = prefix + foreign
    fitting = _NOT_IN_NAME.sub("-", whole).lstrip("-_.")
    if fitting == whole and len(fitting) <= _NAME_LENGTH:
        return fitting
    mark = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{fitting[: _NAME_LENGTH - 9].rstrip('-')}-{mark}" if fitting else f"device-{mark}"


def metric_name(foreign: str) -> str:
    """The metric name for a foreign one: `TempC_SHT` -> `temp_c_sht`; raises AdapterError."""
    snake = _CAMEL.sub("_", foreign).lower()
    fitting = _NOT_IN_METRIC.sub("_", snake).strip("_.")[:_NAME_LENGTH].rstrip("_.")
    if not fitting:
        raise AdapterError(f"{foreign!r} has no letters to name a metric by: map it by hand")
    return fitting if fitting[0].isalpha() else f"m_{fitting}"[:_NAME_LENGTH]


def label(foreign: str) -> str:
    """`foreign` as a label: at most 64 characters."""
    return foreign[:_NAME_LENGTH]
