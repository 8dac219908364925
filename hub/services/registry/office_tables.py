"""What offices keep in tables, read and taken over: units, matrix, people, shifts, budget.

Each table is taken as a whole or not at all; an error names file, line and column.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection

from contract.errors import TopicError
from contract.taxonomy import Category
from contract.topics import check_name
from hub.domain.actor import Role
from hub.domain.errors import InvalidError
from hub.domain.office_table import Line, TableError, each, raise_all, read_table
from hub.domain.people import LONGEST_SHIFT, POST_ROLES, Post, check_post
from hub.domain.responsibility import Assignment
from hub.domain.units import parents_first
from hub.services.context import Hub
from hub.store import duty, equipment, people, units
from hub.store.duty import NewShift
from hub.store.equipment import BudgetLine, TerminalRow
from hub.store.people import PersonRow
from hub.store.units import UnitRow

UNITS = {
    "code": "编码",
    "kind": "类型",
    "name_en": "英文名",
    "name_zh": "名称",
    "parent": "上级",
    "phone": "电话",
    "email": "邮箱",
}
MATRIX = {"category": "大类", "subcategory": "小类", "cell": "网格", "unit": "责任单位"}
PEOPLE = {
    "code": "工号",
    "name": "姓名",
    "unit": "单位",
    "phone": "电话",
    "email": "邮箱",
    "language": "语言",
    "role": "岗位",
    "cell": "网格",
    "terminal": "终端",
    "in_training": "培训中",
}
SHIFTS = {"person": "工号", "cell": "网格", "begins_at": "上班", "ends_at": "下班"}
BUDGET = {"cell": "网格", "year": "年度", "amount_yuan": "金额(元)", "note": "备注"}

_KINDS = {
    "department": "department",
    "station": "station",
    "grid": "grid",
    "部门": "department",
    "工作站": "station",
    "网格": "grid",
}
_ROLES: Mapping[str, Role | None] = {
    "": None,
    **{str(r): r for r in POST_ROLES},
    "网格员": Role.ASSISTANT,
    "网格长": Role.LEADER,
    "站长": Role.MASTER,
    "派遣员": Role.DISPATCHER,
    "部门": Role.DEPT,
    "督查员": Role.SUPERVISOR,
}
_LANGUAGES = {"": "zh", "zh": "zh", "en": "en", "中文": "zh", "英文": "en"}


@dataclass(frozen=True, slots=True)
class Taken:
    """How many of what a table held."""

    lines: int
    what: str

    def __str__(self) -> str:
        return f"{self.lines} {self.what}"


def take_units(conn: Connection[Any], name: str, content: bytes) -> Taken:
    """Take a table of units over; one that is there is changed, others stay. Raises TableError."""
    lines = read_table(name, content, UNITS, ("code", "kind", "name_en", "name_zh"))
    rows = list(each(lines, _unit))
    _once(lines, "code")
    known = {u.code: u.parent for u in units.units(conn, closed=True)}
    said = {r.code: r for r in rows}
    _known(lines, "parent", {*known, *said}, "unit")
    try:
        ordered = parents_first(known | {code: r.parent for code, r in said.items()})
    except InvalidError as e:  # by way of units that are there already, too
        line = next(x for x in lines if x.text("code") in str(e).split())
        raise line.wrong("parent", str(e)) from None
    units.save_units(conn, [said[code] for code in ordered if code in said])
    return Taken(len(rows), "units")


def take_matrix(conn: Connection[Any], hub: Hub, name: str, content: bytes) -> Taken:
    """Take entries of the responsibility matrix over from now on; others stay."""
    lines = read_table(name, content, MATRIX, ("category", "cell", "unit"))
    words = {str(c): c for c in Category} | {n.zh: c for c, n in hub.categories.names.items()}
    zh = {s.zh: s.id for s in hub.categories.subcategories.values()}
    subcategories = zh | {i: i for i in hub.categories.subcategories}

    def make(line: Line) -> Assignment:
        category = line.one_of("category", words)
        word = line.code("subcategory")
        subcategory = line.one_of("subcategory", subcategories) if word else None
        if (
            subcategory is not None
            and hub.categories.subcategories[subcategory].category is not category
        ):
            raise line.wrong("subcategory", f"{word!r} is none of {category}")
        return Assignment(
            category, subcategory, line.text("cell"), line.text("unit"), hub.now(), None
        )

    rows = list(each(lines, make))
    _once(lines, "category", "subcategory", "cell")
    _known(lines, "unit", {u.code for u in units.units(conn)}, "unit")
    _known(lines, "cell", set(hub.grid.cells), "cell")
    units.assign(conn, rows, hub.now())
    return Taken(len(rows), "entries of the matrix")


def take_people(conn: Connection[Any], hub: Hub, name: str, content: bytes) -> Taken:
    """Take a table of people and their posts over.

    Several lines of one person are several posts; the posts of those it names are these from now
    on, and nobody else's change.
    """
    lines = read_table(name, content, PEOPLE, ("code", "name"))
    rows = {p.code: p for p in each(lines, _person)}
    posts = [p for p in each(lines, lambda line: _post(line, hub)) if p is not None]
    _agree(lines)
    _known(lines, "unit", {u.code for u in units.units(conn)}, "unit")
    _known(lines, "cell", set(hub.grid.cells), "cell")
    people.save_people(conn, rows.values())
    people.set_posts(conn, list(rows), posts, hub.now())
    equipment.save_terminals(
        conn,
        {
            line.text("terminal"): TerminalRow(
                line.text("terminal"), line.text("code"), "", line.text("phone"), None
            )
            for line in lines
            if line.text("terminal")
        }.values(),
    )
    return Taken(len(rows), f"people with {len(posts)} posts")


def take_shifts(conn: Connection[Any], hub: Hub, name: str, content: bytes) -> Taken:
    """Take shifts over; one of the same person, beginning and cell is replaced."""
    lines = read_table(name, content, SHIFTS, ("person", "begins_at", "ends_at"))
    zone = hub.zone

    def make(line: Line) -> NewShift:
        begins_at, ends_at = line.time("begins_at", zone), line.time("ends_at", zone)
        if not timedelta(0) < ends_at - begins_at <= LONGEST_SHIFT:
            raise line.wrong("ends_at", "a shift ends within 48 h of its beginning")
        return NewShift(line.text("person"), line.code("cell"), begins_at, ends_at)

    rows = list(each(lines, make))
    _once(lines, "person", "begins_at", "cell")
    known = people.people(conn, people.PeopleFilter(), "", 1_000_000, hub.now())
    _known(lines, "person", {p.code for p in known}, "person")
    _known(lines, "cell", set(hub.grid.cells), "cell")
    duty.save_shifts(conn, rows)
    return Taken(len(rows), "shifts")


def take_budget(conn: Connection[Any], hub: Hub, name: str, content: bytes) -> Taken:
    """Take budget lines over; one of the same cell and year is replaced, others stay."""
    lines = read_table(name, content, BUDGET, ("cell", "year", "amount_yuan"))

    def make(line: Line) -> BudgetLine:
        year = line.whole("year")
        if not 2000 <= year <= 2200:
            raise line.wrong("year", f"{year} is no year from 2000 to 2200")
        amount = line.whole("amount_yuan") * 100
        return BudgetLine(line.text("cell"), year, amount, line.text("note"))

    rows = list(each(lines, make))
    _once(lines, "cell", "year")
    _known(lines, "cell", set(hub.grid.cells), "cell")
    equipment.save_budget(conn, rows)
    return Taken(len(rows), "budget lines")


def _unit(line: Line) -> UnitRow:
    return UnitRow(
        _name(line, "code"),
        line.one_of("kind", _KINDS),
        line.text("name_en"),
        line.text("name_zh"),
        line.code("parent"),
        line.text("phone"),
        line.text("email"),
        None,
    )


def _person(line: Line) -> PersonRow:
    return PersonRow(
        _name(line, "code"),
        line.text("name"),
        line.code("unit"),
        line.text("phone"),
        line.text("email"),
        line.one_of("language", _LANGUAGES),
        line.yes("in_training"),
        None,
    )


def _post(line: Line, hub: Hub) -> Post | None:
    role = line.one_of("role", _ROLES)
    if role is None:
        if line.code("cell"):
            raise line.wrong("role", "is empty, and a cell is named: as what?")
        return None
    unit = line.code("unit") if role is Role.DEPT else None
    check_post(role, line.code("cell"), unit)
    return Post(line.text("code"), role, line.code("cell"), unit, hub.now(), None)


def _name(line: Line, column: str) -> str:
    try:
        check_name(column, line.text(column))
    except TopicError as e:
        raise line.wrong(column, str(e)) from None
    return line.text(column)


def _once(lines: Collection[Line], *columns: str) -> None:
    """No two lines say the same thing."""
    first: dict[tuple[str, ...], int] = {}
    faults = []
    for line in lines:
        key = tuple(line.text(c) for c in columns)
        if key in first:
            faults.append(line.wrong(columns[0], f"{key[0]!r} stands in line {first[key]} too"))
        first.setdefault(key, line.number)
    raise_all(faults)


def _agree(lines: Collection[Line]) -> None:
    """The lines of one person call them the same."""
    first: dict[str, Line] = {}
    faults: list[TableError] = []
    for line in lines:
        known = first.setdefault(line.text("code"), line)
        faults += [
            line.wrong(c, f"{line.text(c)!r}, but {known.text(c)!r} in line {known.number}")
            for c in ("name", "unit", "phone", "email", "in_training")
            if line.text(c) != known.text(c)
        ]
    raise_all(faults)


def _known(lines: Collection[Line], column: str, known: Collection[str], what: str) -> None:
    raise_all(
        [
            line.wrong(column, f"there is no {what} {line.text(column)!r}")
            for line in lines
            if line.text(column) and line.text(column) not in known
        ]
    )
