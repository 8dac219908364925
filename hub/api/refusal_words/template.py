"""Sentences with places for values.

`{name}` stands for any text, `{name:w}` for text without a space, `{name:r}` for text in quotes, as
`repr` writes it. What stands for one name is told alike in every sentence: see `values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# characters of a text that is gone over, of one with few values and of others: what is longer
# repeats what somebody sent, and the search could be made to take long
_LONGEST, _LONGEST_OF_MANY = 4000, 500
_PLACE = re.compile(r"\{(\w+)(?::([wr]))?\}")
_SHAPES = {None: ".+?", "w": r"\S+?", "r": r"(?:'.*?'|\".*?\")"}


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence in English and in Chinese; the Chinese may leave values out."""

    en: str
    zh: str
    pattern: re.Pattern[str]
    letters: int  # of the English, without the values
    quoted: frozenset[str]  # values that stand in quotes, which are not theirs

    @classmethod
    def of(cls, en: str, zh: str) -> Template:
        """The template of two sentences with the same names."""
        pattern, end, letters, quoted = "", 0, 0, set()
        for place in _PLACE.finditer(en):
            pattern += re.escape(en[end : place.start()]) + f"(?P<{place[1]}>{_SHAPES[place[2]]})"
            if place[2] == "r":
                quoted.add(place[1])
            letters += place.start() - end
            end = place.end()
        pattern += re.escape(en[end:])
        letters += len(en) - end
        return cls(en, zh, re.compile(pattern, re.DOTALL), letters, frozenset(quoted))

    def match(self, text: str) -> dict[str, str] | None:
        """The values where the whole text is this sentence."""
        if len(text) > (_LONGEST if self.pattern.groups <= 2 else _LONGEST_OF_MANY):
            return None
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        values = found.groupdict()
        return {name: v[1:-1] if name in self.quoted else v for name, v in values.items()}


def longest_first(*areas: Iterable[tuple[str, str]]) -> list[Template]:
    """The sentences of all areas; of two that fit, the one that says more of it comes first."""
    found = [Template.of(en, zh) for area in areas for en, zh in area]
    return sorted(found, key=lambda t: t.letters, reverse=True)
