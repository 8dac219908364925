"""Values of a request that the framework refuses, as pydantic says it."""

from __future__ import annotations

from hub.api.refusal_words.template import longest_first
from hub.api.refusal_words.values import said

ZH: list[tuple[str, str]] = [
    ("Field required", "必填"),
    ("Extra inputs are not permitted", "不支持此项"),
    ("Input should be {names}", "须为以下之一：{names}"),
    ("Input should be a valid {type}", "格式不正确"),
    ("Input should be a valid {type}, {why}", "格式不正确"),
    ("Input should be greater than {n:w}", "须大于 {n}"),
    ("Input should be greater than or equal to {n:w}", "须不小于 {n}"),
    ("Input should be less than {n:w}", "须小于 {n}"),
    ("Input should be less than or equal to {n:w}", "须不大于 {n}"),
    ("Input should have timezone info", "缺少时区，例如 +08:00"),
    ("String should have at least {n:w} character", "至少 {n} 字"),
    ("String should have at least {n:w} characters", "至少 {n} 字"),
    ("String should have at most {n:w} character", "最多 {n} 字"),
    ("String should have at most {n:w} characters", "最多 {n} 字"),
    ("String should match pattern {pattern:r}", "格式不正确"),
    ("List should have at least {n:w} item after validation, not {m:w}", "至少 {n} 项"),
    ("List should have at least {n:w} items after validation, not {m:w}", "至少 {n} 项"),
    ("List should have at most {n:w} item after validation, not {m:w}", "最多 {n} 项，现有 {m} 项"),
    (
        "List should have at most {n:w} items after validation, not {m:w}",
        "最多 {n} 项，现有 {m} 项",
    ),
]
TEMPLATES = longest_first(ZH)
_GOT = ", got "


def fault_zh(at: str, detail: str) -> str:
    """A refused value in Chinese: where it stands, what is wrong, what was given.

    at: such as `body.until_at`. What is wrong is told in general words where it is not known.
    """
    told, _, value = detail.partition(_GOT)
    matched = ((t, t.match(told)) for t in TEMPLATES)
    wrong = next((t.zh.format_map(v) for t, v in matched if v is not None), "取值不符合要求")
    name = at.rpartition(".")[2]
    field = said("field", name, {})
    return f"“{field if field != name else at}”{wrong}" + (f"，当前为 {value}" if value else "")
