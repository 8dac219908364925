"""The demo district's staff, always the same: units, people, matrix, terminals, budget, shifts.

1 station master, 30 grid leaders, 300 grid assistants, dispatchers round the clock, a supervisor
and two officers in each of the departments. All names are made up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.geometry import Point
from contract.taxonomy import Category
from gridwarden.district import DISTRICT, SEED, STREETS, Cell, build_district
from hub.domain.actor import Role
from hub.domain.people import Post
from hub.domain.responsibility import Assignment
from hub.store.duty import NewShift
from hub.store.equipment import BudgetLine, TerminalRow
from hub.store.people import PersonRow
from hub.store.registry import EntryFacts
from hub.store.units import UnitRow

STATION, CLEANING = "station", "cleaning"
SHIFT = timedelta(hours=12)
DAYS = 14  # of shifts, from the day before the first on
BASIC_FEN, SECONDARY_FEN = 3_600_000, 12_000_000  # of a year

# category -> its department
DEPARTMENTS: dict[Category, tuple[str, str, str]] = {
    Category.PUBLIC_SECURITY: ("police", "Public Security Bureau", "公安分局"),
    Category.URBAN_MANAGEMENT: ("urban", "Urban Management Bureau", "城市管理局"),
    Category.FIRE_SAFETY: ("fire", "Fire and Rescue Brigade", "消防救援大队"),
    Category.TRAFFIC_SAFETY: ("traffic", "Traffic Police Brigade", "交警大队"),
    Category.ENVIRONMENTAL_SAFETY: ("environment", "Environment Bureau", "生态环境分局"),
    Category.LETTERS_AND_VISITS: ("petitions", "Letters and Visits Bureau", "信访局"),
    Category.ETHNIC_AND_RELIGIOUS_AFFAIRS: (
        "religion",
        "Ethnic and Religious Affairs Bureau",
        "民族宗教事务局",
    ),
    Category.LAND_SUPERVISION: ("land", "Natural Resources Bureau", "自然资源分局"),
    Category.PEOPLES_LIVELIHOOD: ("civil", "Civil Affairs Bureau", "民政局"),
}
_ROUND_THE_CLOCK = ("police", "fire", "traffic")
_SWEPT = ("exposed_rubbish", "overflowing_bins")  # sub-categories of the cleaning service

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_FIRST = "建国志明海晓文玉春永德秀俊红丽雪家子天新金立世少宝桂兰长克振"
_SECOND = "华强军平杰芳敏静磊洋勇艳娟涛明霞刚英玲峰鹏慧龙辉燕波宁斌莉成"


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody and everything the demo district works with."""

    units: list[UnitRow] = field(default_factory=list)
    people: list[PersonRow] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    terminals: list[TerminalRow] = field(default_factory=list)
    matrix: list[Assignment] = field(default_factory=list)
    budget: list[BudgetLine] = field(default_factory=list)
    positions: list[tuple[str, Point]] = field(default_factory=list)
    entries: list[EntryFacts] = field(default_factory=list)


def build_staff(at: datetime, year: int) -> Staff:
    """The staff of the demo district, in post from `at` on, with the budget of a year."""
    chance = random.Random(SEED)
    names = _names(chance)
    cells = build_district()
    staff = Staff()
    staff.units.extend(_units())
    _desk(staff, names, at)
    for cell in cells:
        if cell.level == 3:
            continue
        role, letter = (Role.LEADER, "L") if cell.level == 2 else (Role.ASSISTANT, "A")
        n = sum(p.role is role for p in staff.posts) + 1
        code = _person(staff, names, f"{letter}{n:03}", _team(cell.code))
        staff.posts.append(Post(code, role, cell.code, None, at, None))
        staff.terminals.append(TerminalRow(f"T-{code}", code, "handset", "", None))
        fen = SECONDARY_FEN if cell.level == 2 else BASIC_FEN
        staff.budget.append(BudgetLine(cell.code, year, fen, ""))
        staff.positions.append((code, cell.centre))
    for category, (unit, _, _) in DEPARTMENTS.items():
        staff.matrix.append(Assignment(category, None, DISTRICT, unit, at, None))
    for sub in _SWEPT:
        what = Category.ENVIRONMENTAL_SAFETY
        staff.matrix.append(Assignment(what, sub, DISTRICT, CLEANING, at, None))
    staff.entries.extend(_entries(cells, chance))
    return staff


def build_shifts(staff: Staff, midnight: datetime) -> list[NewShift]:
    """Two shifts a day of 12 h from the day before `midnight` on, for `DAYS`.

    Assistants of neighbouring grids take turns: whoever is on shift looks after both. midnight: of
    the first day, in the district's zone.
    """
    on_duty: list[tuple[str, list[str | None], int | None]] = []  # person, cells, shift of the day
    assistants = [p for p in staff.posts if p.role is Role.ASSISTANT]
    for one, other in zip(assistants[::2], assistants[1::2], strict=True):
        on_duty.append((one.person, [None, other.cell], 0))
        on_duty.append((other.person, [None, one.cell], 1))
    units = {p.code: p.unit for p in staff.people}
    for n, post in enumerate(p for p in staff.posts if p.role is not Role.ASSISTANT):
        always = post.role is Role.DISPATCHER or units[post.person] in _ROUND_THE_CLOCK
        on_duty.append((post.person, [None], n % 2 if always else 0))
    begins = midnight - timedelta(days=1) + timedelta(hours=7)
    return [
        NewShift(person, cell, start, start + SHIFT)
        for day in range(DAYS)
        for person, cells, half in on_duty
        for start in [begins + timedelta(days=day) + (half or 0) * SHIFT]
        for cell in cells
    ]


def _units() -> Iterator[UnitRow]:
    yield UnitRow(
        STATION, "station", "Grid Service Station", "网格化服务管理站", None, "", "", None
    )
    for code, name_en, name_zh in DEPARTMENTS.values():
        mail = f"{code}@district.example"
        yield UnitRow(code, "department", name_en, f"示范区{name_zh}", None, "", mail, None)
    yield UnitRow(
        CLEANING, "department", "Street Cleaning Service", "环卫服务中心", "urban", "", "", None
    )
    for n, (name_en, name_zh) in enumerate(STREETS, 1):
        yield UnitRow(
            f"street-{n:03}",
            "grid",
            f"{name_en} Street Grid Team",
            f"{name_zh}街道网格队",
            STATION,
            "",
            "",
            None,
        )


def _desk(staff: Staff, names: Iterator[str], at: datetime) -> None:
    master = _person(staff, names, "M001", STATION)
    staff.posts.append(Post(master, Role.MASTER, None, None, at, None))
    for n in range(1, 5):
        code = _person(staff, names, f"D{n:03}", STATION)
        staff.posts.append(Post(code, Role.DISPATCHER, None, None, at, None))
    supervisor = _person(staff, names, "S001", None)
    staff.posts.append(Post(supervisor, Role.SUPERVISOR, None, None, at, None))
    n = 0
    for unit in (*(code for code, _, _ in DEPARTMENTS.values()), CLEANING):
        for _ in range(2):
            n += 1
            code = _person(staff, names, f"O{n:03}", unit)
            staff.posts.append(Post(code, Role.DEPT, None, unit, at, None))
    for person in (master, supervisor):
        staff.terminals.append(TerminalRow(f"T-{person}", person, "handset", "", None))


def _person(staff: Staff, names: Iterator[str], code: str, unit: str | None) -> str:
    mail = f"{code.lower()}@district.example"
    staff.people.append(PersonRow(code, next(names), unit, "", mail, "zh", False, None))
    return code


def _team(cell: str) -> str:
    return f"street-{cell[6:9]}"


def _names(chance: random.Random) -> Iterator[str]:
    used: set[str] = set()
    while True:
        given = chance.choice(_SECOND)
        if chance.random() < 0.6:
            given = chance.choice(_FIRST) + given
        name = chance.choice(_SURNAMES) + given
        if name not in used:
            used.add(name)
            yield name


def _entries(cells: list[Cell], chance: random.Random) -> Iterator[EntryFacts]:
    """A few of each of the five kinds."""
    basic = [c for c in cells if c.level == 1]
    for kind, name, attributes in (
        ("place", "城东木材堆场", {"风险": "易燃", "面积": "3200 m²"}),
        ("place", "文化路下穿隧道", {"风险": "易积水"}),
        ("place", "花园农贸市场", {"摊位": "146"}),
        ("organisation", "恒顺再生资源回收站", {"负责人": "见台账", "风险": "易燃"}),
        ("organisation", "丰产路加油站", {"危险品": "汽油、柴油"}),
        ("thing", "消防栓 DF-017", {"类型": "地上式"}),
        ("thing", "雨水井 WH-203", {"口径": "700 mm"}),
        ("person", "独居老人（编号 0113）", {"关照": "每日探访"}),
        ("matter", "未来路施工占道许可", {"许可": "夜间 22:00 至 06:00"}),
        ("matter", "北林小区供暖投诉", {"来源": "热线"}),
    ):
        cell = chance.choice(basic)
        centre = cell.centre
        yield EntryFacts(kind, name, cell.code, centre.lon, centre.lat, attributes)
