"""Whatever the hub refuses has Chinese words, and no Chinese waits for a sentence nobody says."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
from jsonschema import Draft202012Validator
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.api.refusal_words import TEMPLATES, refusal_zh, template_of
from hub.api.refusal_words import faults as fault_words
from hub.api.refusal_words.faults import fault_zh
from hub.api.refusal_words.values import WHAT, WHY, said
from hub.api.refusals import fault_of
from hub.domain.actor import Role
from hub.domain.capacity import Capacity
from hub.domain.lifecycle import load_lifecycle
from hub.domain.rating import Standing
from tests.hub.api.refusing import OWN_SENTENCE, SENTENCE_OF, Place, kinds, places

# whose refusals nobody reads in the console
ELSEWHERE = {
    "hub/api/routes/alertmanager.py": "Alertmanager",
    "hub/api/routes/health.py": "what watches over the hub",
    "hub/domain/office_table.py": "the command line",
    "hub/services/accounts.py": "the command line",
    "hub/services/outward/public_face.py": "Open311, which is in English",
    "hub/services/outward/take_alerts.py": "Alertmanager",
    "hub/services/try_merging.py": "the command line",
}
# what is not written where it is refused
RETOLD = {
    ("hub/api/asked_period.py", "str(e)"): "the ValueErrors of hub/domain/period.py",
    ("hub/api/refusals.py", "'; '.join((f'{fault.at}: {fault.detail}' for fault in "
     "faults[:MOST_TOLD]))"): "each by `fault_zh`",
    ("hub/api/refusals.py", "detail"): "what `_in_our_words` returns",
    ("hub/api/refusals.py", "error.detail"): "the framework's: a body that is no form",
    ("hub/api/refusals.py", "str(error)"): "any refusal",
    ("hub/api/routes/device_pages.py", "str(e)"): "a NotFoundError",
    ("hub/api/routes/event_pages.py", "str(e)"): "a NotFoundError",
    ("hub/api/routes/grid_upkeep.py", "str(e)"): "GridErrors: no page imports a grid",
    ("hub/api/routes/sensor_pages.py", "str(e)"): "a NotFoundError",
    ("hub/api/turned_away.py", "str(error)"): "any refusal",
    ("hub/domain/lifecycle.py", "elsewhere"): "what `out_of_scope` returns",
    ("hub/domain/readiness.py", "_nobody('assistant', code, there)"): "what `_nobody` returns",
    ("hub/domain/readiness.py", "_nobody('leader', above, there)"): "what `_nobody` returns",
    ("hub/services/outward/keep_webhooks.py", "str(e)"): "an AddressError",
    ("hub/services/registry/base_registry.py", "str(e)"): "a NotFoundError",
    ("hub/services/registry/staff.py", "str(e)"): "a NotFoundError",
}  # fmt: skip
# sentences that the console tells in another way, or that nobody is told
OTHERWISE = {
    ("hub/domain/lifecycle.py", "needs"): "told by the names of what is missing",
    ("hub/domain/period.py", "custom_period()"): "a fault of the program's",
}
# what Chinese readers know by these letters: names of settings, headers and formats
LATIN = (
    {"allow_plain_http", "allowed_hosts", "allowed_networks", "expected_version", "webhooks"}
    | {"ASCII", "ETag", "Fetch", "If", "JPEG", "Match", "PNG", "POST", "Sec", "Site", "WebP"}
    | {"api", "DIGEST", "ID", "erase", "evidence", "json", "openapi", "rating", "reports"}
    | {"down", "example", "http", "https", "month", "next", "path", "period", "receiver", "take"}
)  # fmt: skip
FILLED = re.compile(r"X[12]|it's|2026-11-24T08:00:00")
STATES = {name: state.name_zh for name, state in load_lifecycle().states.items()}


@pytest.fixture(scope="module")
def found() -> list[Place]:
    return [p for p in places() if p.path not in ELSEWHERE]


def test_whatever_is_refused_has_chinese_words(found: list[Place]) -> None:
    unknown = [
        f"{place} {sentence}"
        for place in found
        for sentence in place.sentences
        if template_of(sentence) is None and not is_told_otherwise(place, sentence)
    ]
    assert not unknown, "\n".join(unknown)
    assert len(found) > 200


def test_a_refusal_in_chinese_has_no_english_word(found: list[Place]) -> None:
    left = [
        f"{place} {refusal_zh(sentence, STATES)}"
        for place in found
        for sentence in place.sentences
        if not is_told_otherwise(place, sentence)
        for word in re.findall(r"[A-Za-z_]{2,}", FILLED.sub("", refusal_zh(sentence, STATES)))
        if word not in LATIN
    ]
    assert not left, "\n".join(left)


def test_what_is_not_written_where_it_is_refused_is_known(found: list[Place]) -> None:
    unread = [place for place in found if not place.sentences]
    new = [f"{p} {p.source}" for p in unread if (p.path, p.source) not in RETOLD]
    assert not new, "\n".join(new)
    assert set(RETOLD) == {(p.path, p.source) for p in unread}


def test_every_kind_of_refusal_is_looked_for() -> None:
    looked_for = {name for name in (*SENTENCE_OF, *OWN_SENTENCE) if name.endswith("Error")}
    assert looked_for - {"AddressError"} == kinds()  # that one is retold


def test_no_chinese_waits_for_a_sentence_that_nobody_says(found: list[Place]) -> None:
    said_somewhere = {
        known[0].en for p in found for s in p.sentences if (known := template_of(s)) is not None
    }
    assert [t.en for t in TEMPLATES if t.en not in said_somewhere] == []
    assert {(p.path, word) for p in found for s in p.sentences for path, word in OTHERWISE
            if p.path == path and word in s} == set(OTHERWISE)  # fmt: skip
    paths = {p.path for p in places()}
    assert set(ELSEWHERE) <= paths


def test_what_somebody_does_not_reach_is_called_by_its_chinese_name(found: list[Place]) -> None:
    english = "lies outside the grid; you may act and see in X1 only"
    told = [s for p in found if p.path == "hub/domain/reach.py" for s in p.sentences]
    called = {s.removesuffix(english).strip() for s in told if s.endswith(english)}
    assert len(called) > 10
    used = {t.en for t in WHAT for what in called if t.match(what) is not None}
    assert [t.en for t in WHAT if t.en not in used] == []


def test_the_chinese_names_no_value_that_its_sentence_lacks() -> None:
    for template in (*TEMPLATES, *WHAT, *WHY, *fault_words.TEMPLATES):
        places_of = set(re.findall(r"\{(\w+)", template.zh))
        assert places_of <= set(template.pattern.groupindex), template.en


def test_who_is_told_in_english_has_no_part_in_the_console() -> None:
    """What is for the command line is not what a route imports."""
    modules = [path.removesuffix(".py").replace("/", ".") for path, who in ELSEWHERE.items()
               if who == "the command line"]  # fmt: skip
    routes = Path(__file__).parents[3] / "hub" / "api"
    text = "\n".join(p.read_text(encoding="utf-8") for p in routes.rglob("*.py"))
    assert [m for m in modules if re.search(rf"{re.escape(m)}\b", text)] == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("there is no task '{0}'", "任务 {0} 不存在"),
        ("""there is no unit "it's" to belong to""", "上级单位 it's 不存在"),
        ("the shift of D001 lies in cell 310101; you may act in 310102 only",
         "D001 的班次 位于网格 310101，超出您的操作范围：310102"),
        ("D001 is no leader: dispatcher in the whole district; dept of fire in 310101",
         "D001 没有网格长岗位，现有岗位：值班（全区）；fire 责任部门（310101）"),
        ("flame of stream cam-01: threshold: 2 is greater than the maximum of 1 (it takes 0 to 1)",
         "cam-01 的检测器“明火”：threshold 2 大于上限 1，取值范围为 0 至 1"),
        ("event 1 cannot be rated (expired): it is closed",
         "事件 1 不能评价（评价期限已过）：当前为“结案”"),
        ("there is no transition or act 'x'; there are " + ", ".join(["dispatch"] * 80),
         "没有“x”这一步骤，可用的有：" + "、".join(["派遣"] * 80)),
    ],
)  # fmt: skip
def test_values_are_kept_and_names_of_ours_are_chinese(english: str, chinese: str) -> None:
    assert refusal_zh(english, STATES) == chinese


def test_every_post_and_standing_has_a_chinese_name() -> None:
    posts = [Capacity(role, ("310101",), "fire") for role in Role]
    told = said("posts", "; ".join(map(str, posts)), {})
    assert re.findall("[a-z]+", told) == ["fire"] * len(posts)
    assert [s for s in Standing if said("standing", s, {}) == s] == []


class Colour(StrEnum):
    RED = "red"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(max_length=2)]
    name: Annotated[str, Field(min_length=3)]
    code: Annotated[str, Field(pattern="^[0-9]+$")]
    lon: Annotated[float, Field(le=180)]
    lat: Annotated[float, Field(ge=-90)]
    days: Annotated[int, Field(gt=0, lt=10)]
    until: AwareDatetime
    colour: Colour
    cells: Annotated[list[str], Field(min_length=1)]
    ids: Annotated[list[int], Field(max_length=1)]
    note: str


def test_what_is_wrong_with_a_parameter_is_told_in_chinese() -> None:
    refused: dict[str, tuple[dict[str, object], object]] = {
        "2 大于上限 1": ({"maximum": 1}, 2),
        "-1 小于下限 0": ({"minimum": 0}, -1),
        "1 须小于 1": ({"exclusiveMaximum": 1}, 1),
        "0 须大于 0": ({"exclusiveMinimum": 0}, 0),
        "'a' 的类型不符": ({"type": "number"}, "a"),
        "'b' 不在可选值之中：['a']": ({"enum": ["a"]}, "b"),
        "'b' 的格式不符": ({"pattern": "^a$"}, "b"),
        "'ab' 过长": ({"maxLength": 1}, "ab"),
        "'a' 过短": ({"minLength": 2}, "a"),
        "取值不符合要求": ({"multipleOf": 2}, 3),
    }
    told = [
        said("why_not", next(Draft202012Validator(schema).iter_errors(value)).message, {})
        for schema, value in refused.values()
    ]
    assert told == list(refused)


def test_a_value_that_is_refused_is_named_in_chinese() -> None:
    with pytest.raises(ValidationError) as refused:
        Asked.model_validate(
            {"reason": "long", "name": "x", "code": "a", "lon": 181, "lat": -91, "days": 11,
             "until": "2026-11-24T08:00:00", "colour": "blue", "cells": [], "ids": [1, 2], "of": 1}
        )  # fmt: skip
    told = {
        str(e["loc"][0]): fault_zh(f"body.{e['loc'][0]}", fault_of(dict(e)))
        for e in refused.value.errors()
    }
    assert told == {
        "reason": "“原因”最多 2 字，当前为 'long'",
        "name": "“名称”至少 3 字，当前为 'x'",
        "code": "“body.code”格式不正确，当前为 'a'",
        "lon": "“body.lon”须不大于 180，当前为 181",
        "lat": "“body.lat”须不小于 -90，当前为 -91",
        "days": "“body.days”须小于 10，当前为 11",
        "until": "“截止时间”缺少时区，例如 +08:00，当前为 '2026-11-24T08:00:00'",
        "colour": "“body.colour”须为以下之一：'red'，当前为 'blue'",
        "cells": "“body.cells”至少 1 项",
        "ids": "“body.ids”最多 1 项，现有 2 项",
        "note": "“备注”必填",
        "of": "“body.of”不支持此项，当前为 1",
    }
    assert fault_zh("query.limit", "Nobody knows why") == "“query.limit”取值不符合要求"


def is_told_otherwise(place: Place, sentence: str) -> bool:
    return any(place.path == path and word in sentence for path, word in OTHERWISE)
