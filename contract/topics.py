"""MQTT topics: `gw/v1/{station}/{up|dn}/{agent}/{kind}`.

The grid cell is not part of a topic: cells are redrawn and cameras move.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from contract.errors import TopicError

PREFIX = "gw/v1"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Up(StrEnum):
    """What an agent sends to the hub."""

    BIRTH = "birth"  # retained: the manifest, names the current boot
    DEATH = "death"  # the Last Will, names the birth it ends
    DETECTION = "detection"
    READING = "reading"
    SCORE = "score"
    EVIDENCE = "evidence"
    HEALTH = "health"


class Down(StrEnum):
    """What the hub sends to an agent."""

    ACK = "ack"  # retained: the commit watermark
    NACK = "nack"
    COMMAND = "command"  # retained: the parameters to apply
    FLOW = "flow"
    LOOK = "look"  # look at a place again, now; not retained


def check_name(what: str, name: str) -> str:
    """`name`, if it can stand in a topic, a file name and an MQTT user name.

    Raises TopicError naming `what` otherwise.
    """
    if not _NAME.fullmatch(name):
        raise TopicError(
            f"{what} {name!r} is not a name: use 1 to 64 letters, digits, '-', '_' or '.', "
            "beginning with a letter or digit"
        )
    return name


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic."""

    station: str
    agent: str
    kind: Up | Down

    def __str__(self) -> str:
        way = "up" if isinstance(self.kind, Up) else "dn"
        return f"{PREFIX}/{self.station}/{way}/{self.agent}/{self.kind}"

    @classmethod
    def parse(cls, text: str) -> Topic:
        """The topic in `text`; raises TopicError where it is not one of ours."""
        parts = text.split("/")
        if len(parts) != 6 or parts[:2] != ["gw", "v1"] or parts[3] not in ("up", "dn"):
            raise TopicError(
                f"topic {text[:200]!r} is not {PREFIX}/{{station}}/{{up|dn}}/{{agent}}/{{kind}}"
            )
        kinds: type[Up] | type[Down] = Up if parts[3] == "up" else Down
        try:
            kind = kinds(parts[5])
        except ValueError:
            raise TopicError(
                f"topic {text[:200]!r} ends in an unknown kind; known: {', '.join(kinds)}"
            ) from None
        return cls(check_name("station", parts[2]), check_name("agent", parts[4]), kind)


def all_up(station: str, kind: Up) -> str:
    """The subscription filter for one kind of message from every agent of a station."""
    return f"{PREFIX}/{station}/up/+/{kind}"


def all_down(station: str, agent: str) -> str:
    """The subscription filter for everything the hub sends to one agent."""
    return f"{PREFIX}/{station}/dn/{agent}/+"
