"""Every reason that a confirmation rule gives is known in Chinese."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from contract.rule_text import read_rule
from contract.share_of_time import ShareOfTime
from contract.sustained import Sustained
from hub.api.reason_words import reason_zh
from tests.hub.builders import START

SETTINGS = {
    "k_of_n": read_rule("k_of_n k=3 n=5"),
    "window_sum": read_rule("window_sum n=5 c=2"),
    "cusum": read_rule("cusum bar=3 ratios=0.1:-1,0.9:2"),
    "share of time": ShareOfTime(duration_s=4.0),
    "sustained": Sustained(duration_s=4.0),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_reason_of_a_rule_is_told_in_chinese(name: str) -> None:
    rule = SETTINGS[name].build()
    for n, score in enumerate([0.1, 0.9, 0.95, 0.9, 1.0, 0.9, 0.0]):
        reason = rule.step(START + timedelta(seconds=n), score).reason
        told = reason_zh(f"PM2.5 150: quiet for 3.5 s: {reason}")
        assert told.startswith("PM2.5 150: 已平静 3.5 秒：")
        rest = told.removeprefix("PM2.5 150: ")
        assert not re.search("[A-Za-z]", rest), f"{reason} is told as {rest}"
        assert sorted([*_numbers(reason), "3.5"]) == sorted(_numbers(rest))


def test_what_is_not_known_stays_as_it_is() -> None:
    assert reason_zh("a neighbour's word") == "a neighbour's word"


def _numbers(text: str) -> list[str]:
    return re.findall(r"[0-9.]*[0-9]", text)
