"""Topic patterns with names in them: `yard/{device}/temperature`."""

from __future__ import annotations

import re
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
