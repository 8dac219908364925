from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Category
from hub.domain.actor import Role
from hub.domain.errors import InvalidError
from hub.domain.people import check_post
from hub.domain.responsibility import Assignment, most_specific, unassigned
from hub.store import duty, people, units
from hub.store.duty import NewShift
from hub.store.people import PeopleFilter
from hub.store.people import holders as held_by
from hub.store.units import responsible_unit
from tests.hub.staff import (
    DISTRICT,
    EAST,
    SECONDARY,
    WEST,
    codes,
    day,
    found,
    hire,
    small_grid,
)

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def conn(shared_database_url: str) -> Iterator[Connection[Any]]:
    with (
        psycopg.connect(shared_database_url, autocommit=True) as conn,
        conn.transaction(force_rollback=True),
    ):
        small_grid(conn)
        yield conn


def test_a_cell_has_its_own_assistant_and_the_leader_of_the_grid_above(
    conn: Connection[Any],
) -> None:
    hire(conn, "zhao", Role.ASSISTANT, WEST)
    hire(conn, "qian", Role.ASSISTANT, EAST)
    hire(conn, "sun", Role.LEADER, SECONDARY)

    assert codes(held_by(conn, Role.ASSISTANT, WEST, NOW)) == ["zhao"]
    assert codes(held_by(conn, Role.LEADER, WEST, NOW)) == ["sun"]
    assert codes(held_by(conn, Role.MASTER, WEST, NOW)) == []


def test_the_nearest_level_that_has_somebody_holds_the_post(conn: Connection[Any]) -> None:
    hire(conn, "far", Role.MASTER, None)
    hire(conn, "near", Role.MASTER, SECONDARY)

    assert codes(held_by(conn, Role.MASTER, WEST, NOW)) == ["near"]
    assert codes(held_by(conn, Role.MASTER, DISTRICT, NOW)) == ["far"]
    assert codes(held_by(conn, Role.MASTER, None, NOW)) == ["far"]  # outside every cell


def test_a_post_is_held_from_its_beginning_until_its_end(conn: Connection[Any]) -> None:
    hire(conn, "zhao", Role.ASSISTANT, WEST, since=NOW)
    assert held_by(conn, Role.ASSISTANT, WEST, NOW - HOUR) == []

    people.set_posts(conn, ["zhao"], [], NOW + HOUR)

    assert codes(held_by(conn, Role.ASSISTANT, WEST, NOW)) == ["zhao"]
    assert held_by(conn, Role.ASSISTANT, WEST, NOW + HOUR) == []


def test_who_left_or_is_in_training_is_neither_told_nor_sent(conn: Connection[Any]) -> None:
    hire(conn, "left", Role.ASSISTANT, WEST, shift=day(NOW))
    hire(conn, "new", Role.ASSISTANT, WEST, shift=day(NOW), in_training=True)
    people.leave(conn, "left", NOW - HOUR)

    assert held_by(conn, Role.ASSISTANT, WEST, NOW) == []
    assert people.on_duty(conn, Role.ASSISTANT, WEST, NOW) == []
    assert codes(people.on_duty(conn, Role.ASSISTANT, WEST, NOW - 2 * HOUR)) == ["left"]


def test_on_duty_is_who_is_on_shift(conn: Connection[Any]) -> None:
    hire(conn, "early", Role.ASSISTANT, WEST, shift=(NOW - 9 * HOUR, NOW))
    hire(conn, "late", Role.ASSISTANT, WEST, shift=(NOW, NOW + 8 * HOUR))

    assert codes(people.on_duty(conn, Role.ASSISTANT, WEST, NOW - HOUR)) == ["early"]
    assert codes(people.on_duty(conn, Role.ASSISTANT, WEST, NOW)) == ["late"]


def test_a_shift_in_another_cell_stands_in_for_a_colleague(conn: Connection[Any]) -> None:
    hire(conn, "zhao", Role.ASSISTANT, WEST, shift=day(NOW), shift_cell=EAST)

    assert codes(people.on_duty(conn, Role.ASSISTANT, EAST, NOW)) == ["zhao"]
    assert people.on_duty(conn, Role.ASSISTANT, WEST, NOW) == []


def test_the_nearest_on_duty_comes_first_and_an_old_position_is_no_position(
    conn: Connection[Any],
) -> None:
    fire = Point(113.605, 34.705)
    for code, cell in (("east", EAST), ("old", WEST), ("west", WEST)):
        hire(conn, code, Role.ASSISTANT, cell, shift=day(NOW))
    duty.report_position(conn, "east", Point(113.615, 34.705), 8.0, NOW)
    duty.report_position(conn, "west", Point(113.606, 34.705), None, NOW - 0.4 * HOUR)
    duty.report_position(conn, "old", fire, 5.0, NOW - HOUR)

    on_duty = people.on_duty(conn, Role.ASSISTANT, SECONDARY, NOW, near=fire, within=True)

    assert codes(on_duty) == ["west", "east", "old"]
    assert people.on_duty(conn, Role.ASSISTANT, SECONDARY, NOW, near=fire) == []


def test_a_position_that_arrives_late_does_not_replace_a_newer_one(conn: Connection[Any]) -> None:
    hire(conn, "zhao", Role.ASSISTANT, WEST)

    assert duty.report_position(conn, "zhao", Point(113.61, 34.7), 5.0, NOW)
    assert not duty.report_position(conn, "zhao", Point(113.6, 34.7), 5.0, NOW - HOUR)

    assert duty.positions(conn, ["zhao"])[0].lon == 113.61


def test_people_are_found_by_unit_post_place_and_name(conn: Connection[Any]) -> None:
    found(conn, "brigade")
    hire(conn, "zhao", Role.ASSISTANT, WEST)
    hire(conn, "qian", Role.DEPT, None, unit="brigade")

    def who(**wanted: Any) -> list[str]:
        return codes(people.people(conn, PeopleFilter(**wanted), "", 10, NOW))

    assert who() == ["qian", "zhao"]
    assert who(unit="brigade") == who(role="dept") == who(text="QIA") == ["qian"]
    assert who(cell=SECONDARY) == ["zhao"]
    assert codes(held_by(conn, Role.DEPT, WEST, NOW, unit="brigade")) == ["qian"]
    assert codes(people.people(conn, PeopleFilter(), "qian", 10, NOW)) == ["zhao"]


def test_posts_that_go_on_keep_their_beginning(conn: Connection[Any]) -> None:
    hire(conn, "zhao", Role.ASSISTANT, WEST, since=NOW - HOUR)
    hire(conn, "zhao", Role.ASSISTANT, EAST, since=NOW)

    posts = people.posts_of(conn, ["zhao"])

    assert [(p.cell, p.from_at) for p in posts] == [(WEST, NOW - HOUR), (EAST, NOW)]


def test_a_shift_told_again_is_the_same_shift(conn: Connection[Any]) -> None:
    hire(conn, "zhao", Role.ASSISTANT, WEST, shift=(NOW, NOW + HOUR))
    duty.save_shifts(conn, [NewShift("zhao", None, NOW, NOW + 3 * HOUR)])

    assert [s.ends_at for s in duty.shifts(conn, NOW, NOW + HOUR)] == [NOW + 3 * HOUR]


def test_the_most_specific_cell_answers_then_the_sub_category(conn: Connection[Any]) -> None:
    found(conn, "city", "street", "rubbish")
    urban = Category.URBAN_MANAGEMENT
    units.assign(
        conn,
        [
            Assignment(urban, "overflowing_bin", DISTRICT, "rubbish", NOW, None),
            Assignment(urban, None, DISTRICT, "city", NOW, None),
            Assignment(urban, None, WEST, "street", NOW, None),
        ],
        NOW,
    )

    def who(subcategory: str | None, cell: str | None, at: datetime = NOW) -> str | None:
        unit = responsible_unit(conn, urban, subcategory, cell, at)
        return unit.code if unit else None

    assert who("overflowing_bin", WEST) == "street"
    assert who("overflowing_bin", EAST) == "rubbish"
    assert who("other", EAST) == who(None, EAST) == who(None, None) == "city"
    assert who(None, EAST, NOW - HOUR) is None
    assert responsible_unit(conn, Category.FIRE_SAFETY, None, EAST, NOW) is None


def test_a_reassignment_ends_the_one_before_and_a_closed_unit_answers_for_nothing(
    conn: Connection[Any],
) -> None:
    found(conn, "old", "new")
    fire = Category.FIRE_SAFETY
    units.assign(conn, [Assignment(fire, None, DISTRICT, "old", NOW, None)], NOW)
    changed = units.assign(conn, [Assignment(fire, None, DISTRICT, "new", NOW, None)], NOW + HOUR)
    again = units.assign(conn, [Assignment(fire, None, DISTRICT, "new", NOW, None)], NOW + 2 * HOUR)

    def who(at: datetime) -> str | None:
        unit = responsible_unit(conn, fire, None, WEST, at)
        return unit.code if unit else None

    assert (changed, again) == (1, 0)
    assert (who(NOW), who(NOW + HOUR)) == ("old", "new")
    units.close_unit(conn, "new", NOW + 3 * HOUR)
    assert who(NOW + 3 * HOUR) is None
    assert units.matrix(conn, NOW + 3 * HOUR) == []


def test_the_database_and_the_rule_agree_on_who_answers(conn: Connection[Any]) -> None:
    chance = random.Random(7)
    names = [f"u{n}" for n in range(6)]
    found(conn, *names)
    categories = list(Category)[:3]
    for _ in range(40):
        at = NOW + chance.randrange(8) * HOUR
        what = Assignment(
            chance.choice(categories),
            chance.choice([None, "a", "b"]),
            chance.choice([DISTRICT, SECONDARY, WEST, EAST]),
            chance.choice(names),
            at,
            None,
        )
        units.assign(conn, [what], at)
    every = [
        r.assignment for at in (NOW + n * HOUR for n in range(9)) for r in units.matrix(conn, at)
    ]

    for _ in range(200):
        asked = (
            chance.choice(categories),
            chance.choice([None, "a", "b", "c"]),
            chance.choice([None, WEST, EAST, SECONDARY, DISTRICT]),
            NOW + chance.randrange(9) * HOUR,
        )
        row, rule = responsible_unit(conn, *asked), most_specific(every, *asked)
        assert (row and row.code) == (rule and rule.unit), asked


def test_what_no_unit_answers_for_is_named_by_cell(conn: Connection[Any]) -> None:
    whole = [Assignment(c, None, DISTRICT, "u", NOW, None) for c in list(Category)[1:]]
    assert unassigned(whole, [WEST], NOW) == {WEST: [Category.PUBLIC_SECURITY]}
    west = Assignment(Category.PUBLIC_SECURITY, None, WEST, "u", NOW, None)
    assert unassigned([*whole, west], [WEST], NOW) == {}


@pytest.mark.parametrize(
    ("role", "cell"),
    [
        ("assistant", SECONDARY),
        ("assistant", None),
        ("leader", WEST),
        ("dept", None),
        ("citizen", None),
    ],
)
def test_a_post_that_cannot_be_is_refused_by_the_database_and_by_the_rule(
    conn: Connection[Any], role: str, cell: str | None
) -> None:
    hire(conn, "zhao", Role.MASTER, None)
    with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
        conn.execute(
            "INSERT INTO post (person, role, cell, from_at) VALUES ('zhao', %s, %s, %s)",
            (role, cell, NOW),
        )
    with pytest.raises(InvalidError):
        check_post(Role(role), cell, None)
