"""Topic patterns with names in them: `yard/{device}/temperature`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from contract.errors import GridwardenError

_FIELD = re.compile(r"\{([a-z]+)\}")


class PatternError(GridwardenError, ValueError):
    """A topic pattern cannot be used."""


@dataclass(frozen=True)
class TopicPattern:
    """A topic in which whole levels are names, `+` or a final `#`.

    Raises PatternError where it is none.
    """

    text: str

    def __post_init__(self) -> None:
        levels = self.text.split("/")
        fields = [level[1:-1] for level in levels if _FIELD.fullmatch(level)]
        for k, level in enumerate(levels):
            if _FIELD.fullmatch(level) or level == "+" or (level == "#" and k == len(levels) - 1):
                continue
            if not self.text or set("{}+#\0") & set(level):
                raise PatternError(
                    f"topic pattern {self.text!r}: level {level!r} must be plain text, {{name}}, "
                    "'+', or '#' at the end"
                )
        if len(fields) != len(set(fields)):
            raise PatternError(f"topic pattern {self.text!r} has a name twice")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in it, in order."""
        return tuple(_FIELD.findall(self.text))

    @cached_property
    def filter(self) -> str:
        """The MQTT topic filter that receives everything it matches."""
        return _FIELD.sub("+", self.text)

    def match(self, topic: str) -> dict[str, str] | None:
        """The named levels of `topic`, None where it does not match."""
        found = self._regex.fullmatch(topic)
        return found.groupdict() if found else None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = []
        for level in self.text.split("/"):
            field = _FIELD.fullmatch(level)
            if field:
                parts.append(f"(?P<{field[1]}>[^/]+)")
            else:
                parts.append({"+": "[^/]+", "#": ".*"}.get(level, re.escape(level)))
        text = "/".join(parts)
        return re.compile(text.removesuffix("/.*") + "(?:/.*)?" if text.endswith("/.*") else text)


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic that the filter `narrow` matches is matched by `wide` too."""
    w, n = wide.split("/"), narrow.split("/")
    for k, level in enumerate(w):
        if level == "#":
            return True
        if k >= len(n) or n[k] == "#" or level not in ("+", n[k]):
            return False
    return len(w) == len(n)


def overlap(a: str, b: str) -> bool:
    """Whether some topic is matched by both filters."""
    one, two = a.split("/"), b.split("/")
    for k in range(max(len(one), len(two))):
        here = [levels[k] if k < len(levels) else None for levels in (one, two)]
        if "#" in here:
            return True
        if None in here or ("+" not in here and here[0] != here[1]):
            # `a/#` matches `a` too
            rest = one[k:] or two[k:]
            return rest == ["#"]
    return True


def fewest(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters without those that another one covers.

    A broker may deliver a message once for each subscription that matches (MQTT 3.1.1, 3.3.5):
    one reading would become two.
    """
    kept: list[str] = []
    for f in dict.fromkeys(filters):
        if not any(covers(k, f) for k in kept):
            kept = [k for k in kept if not covers(f, k)] + [f]
    return tuple(kept)
