"""Tables as offices send them: CSV with a heading, in UTF-8 or GB 18030, headings in English or
Chinese; an error names file, line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from hub.domain.errors import InvalidError

MAX_LINES = 100_000
SHOWN = 5  # errors of a file that are told

T = TypeVar("T")
Headings = Mapping[str, str]  # the Chinese heading of each column, by its name


class TableError(InvalidError):
    """A table cannot be taken; nothing of it was."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    table: str  # name of the file
    number: int  # as an editor counts, the heading is 1
    values: Mapping[str, str]

    def text(self, column: str) -> str:
        """What stands there, "" for nothing."""
        return self.values.get(column, "")

    def code(self, column: str) -> str | None:
        """What stands there, None for nothing."""
        return self.values.get(column) or None

    def one_of(self, column: str, words: Mapping[str, T]) -> T:
        """What the word stands for; raises TableError naming the words there are."""
        word = self.text(column)
        if word not in words:
            raise self.wrong(column, f"{word!r} is none of {', '.join(w for w in words if w)}")
        return words[word]

    def yes(self, column: str) -> bool:
        """Whether it says yes; an empty field says no."""
        return self.one_of(column, _YES_NO)

    def whole(self, column: str) -> int:
        """A whole number from 0 on."""
        word = self.text(column).replace(",", "")
        if not word.isdecimal() or len(word) > 15:
            raise self.wrong(column, f"{word!r} is no whole number from 0 on")
        return int(word)

    def time(self, column: str, zone: ZoneInfo) -> datetime:
        """A time such as 2026-11-24 08:00; without an offset it is the district's."""
        try:
            at = datetime.fromisoformat(self.text(column).replace("/", "-"))
            return at if at.tzinfo else at.replace(tzinfo=zone)
        except ValueError:
            raise self.wrong(
                column, f"{self.text(column)!r} is no time such as 2026-11-24 08:00"
            ) from None

    def wrong(self, column: str, what: str) -> TableError:
        """The error of this line and column."""
        return TableError(f"{self.table} line {self.number}, {column}: {what}", field=column)


_YES_NO = {
    "": False,
    **dict.fromkeys(("yes", "true", "1", "是"), True),
    **dict.fromkeys(("no", "false", "0", "否"), False),
}


def read_table(
    name: str, content: bytes, headings: Headings, needed: Collection[str]
) -> list[Line]:
    """The lines of a table; empty lines and lines that begin with # are left out.

    headings: the columns there may be. needed: those that every line fills. Raises TableError.
    """
    reader = csv.reader(io.StringIO(_decoded(name, content), newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as e:
        raise TableError(f"{name} line {reader.line_num}: {e}") from None
    rows = [(n, r) for n, r in rows if any(v.strip() for v in r) and not r[0].startswith("#")]
    if not rows:
        raise TableError(f"{name} is empty: its first line names the columns {_list(headings)}")
    if len(rows) > MAX_LINES:
        raise TableError(f"{name} has more than {MAX_LINES} lines: split it")
    columns = _columns(name, rows[0][1], headings, needed)
    lines, faults = [], []
    for number, row in rows[1:]:
        line = Line(name, number, {c: v.strip() for c, v in zip(columns, row, strict=False)})
        if len(row) > len(columns):
            faults.append(
                line.wrong(columns[-1], f"{len(row)} fields under {len(columns)} columns")
            )
        faults += [line.wrong(c, "is empty") for c in needed if not line.text(c)]
        faults += [line.wrong(c, "holds a NUL") for c, v in line.values.items() if "\x00" in v]
        lines.append(line)
    raise_all(faults)
    return lines


def each(lines: list[Line], make: Callable[[Line], T]) -> Iterator[T]:
    """What `make` makes of each line; raises TableError that names every line it refused."""
    made, faults = [], []
    for line in lines:
        try:
            made.append(make(line))
        except TableError as e:
            faults.append(e)
        except InvalidError as e:
            faults.append(line.wrong(e.field or "line", str(e)))
    raise_all(faults)
    yield from made


def raise_all(faults: Collection[TableError]) -> None:
    """One error that tells of the first few; nothing where there are none."""
    if faults:
        told = "; ".join(str(f) for f in list(faults)[:SHOWN])
        more = len(faults) - SHOWN
        raise TableError(told + (f"; and {more} more" if more > 0 else ""))


def _decoded(name: str, content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):  # what a Chinese spreadsheet writes
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError(f"{name} is neither UTF-8 nor GB 18030: save it as CSV UTF-8")


def _columns(
    name: str, heading: list[str], headings: Headings, needed: Collection[str]
) -> list[str]:
    by_word = {zh: column for column, zh in headings.items()} | {c: c for c in headings}
    columns = []
    for word in (h.strip() for h in heading):
        column = by_word.get(word) or by_word.get(word.lower())
        if column is None:
            raise TableError(f"{name}: no column {word!r}; there are {_list(headings)}")
        if column in columns:
            raise TableError(f"{name}: column {column} stands there twice")
        columns.append(column)
    missing = [c for c in needed if c not in columns]
    if missing:
        raise TableError(f"{name} lacks the column {', '.join(missing)}")
    return columns


def _list(headings: Headings) -> str:
    return ", ".join(f"{c} ({zh})" for c, zh in headings.items())
