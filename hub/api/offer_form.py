"""A form of the event's page: an act, what it needs to be told, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.api.words import Both


@dataclass(frozen=True, slots=True)
class Field:
    """Something an act needs to be told."""

    name: str  # member of the request
    label: Both
    long: bool = False
    time: bool = False  # a day and time of the district's zone
    choices: tuple[tuple[str, Both], ...] = ()  # value and label, one is chosen
    value: str = ""  # what stands in it at first
    needed: bool = True


@dataclass(frozen=True, slots=True)
class OfferForm:
    """An act that is open, its fields, and what follows from it."""

    name: str
    label: Both
    consequence: Both
    fields: tuple[Field, ...] = ()
    verdict: str | None = None  # on what a machine found it is said as a verdict: it is a label too
    granted: bool | None = None  # what is said of it, where there is no choice


REASON = Field("reason", Both("Reason", "原因"), long=True)
