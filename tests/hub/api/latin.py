"""The Latin words that somebody reads on a page of the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

_READ = ("title", "aria-label", "placeholder", "alt", "data-consequence", "data-saw", "data-last")
_EMPTY = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# a name of a program's or a machine's is no word: it has a digit, a dash, a dot, an underscore
_NAME = re.compile(r"[A-Za-z0-9_./:@+-]*[0-9_./:@+-][A-Za-z0-9_./:@+-]*")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
_UNREAD = ("script", "style", "code", "kbd")


def latin_words(page: str) -> Iterator[tuple[str, str]]:
    """Each word with the text it stands in; what is marked as English or as code is not read."""
    reader = _Reader()
    reader.feed(page)
    for text in reader.texts:
        for word in _WORD.findall(_NAME.sub(" ", text)):
            yield word, text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []  # elements, and whether each is not read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        unread = tag in _UNREAD or "mono" in said.get("class", "").split()
        unread = unread or said.get("lang", "").startswith("en")
        if not unread and not self._unread():
            self.texts += [said[name] for name in _READ if said.get(name)]
        if tag not in _EMPTY:
            self._open.append((tag, unread))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Drawings; nothing in them is read."""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._unread():
            self.texts.append(" ".join(data.split()))

    def _unread(self) -> bool:
        return any(unread for _, unread in self._open)
