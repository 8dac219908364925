"""The reasons that confirmation rules give, in Chinese.

An agent tells them in English, as `contract/` words them; what is not known here stays as it is.
"""

from __future__ import annotations

import re

from hub.api.metric_words import CONDITIONS, METRICS, metric_of

_N = r"([0-9]+)"
_V = r"([0-9]+(?:\.[0-9]+)?)"
_REASONS = [
    (
        rf"{_N} of the last {_N} samples at or above {_V} within {_V} s \({_N} of {_N} needed\)",
        r"\4 秒内最近 \2 个样本中有 \1 个不低于 \3（需 \6 中 \5）",
    ),
    (
        rf"the last {_N} scores of at most {_N} add up to {_V} within {_V} s \({_V} needed\)",
        r"\4 秒内最近 \1 个得分（至多 \2 个）之和为 \3（需 \5）",
    ),
    (
        rf"evidence {_V} of {_N} samples within {_V} s \({_V} needed\); score {_V} adds "
        r"([+-][0-9.]+)",
        r"\3 秒内 \2 个样本的累积证据为 \1（需 \4）；得分 \5 计 \6",
    ),
    (
        rf"{_V}, at or above {_V} for {_N} s \({_N} s needed\)",
        r"\1，不低于 \2 已持续 \3 秒（需 \4 秒）",
    ),
    (
        rf"at or above {_V} for {_V} of the last {_V} s \({_V} s needed\)",
        r"最近 \3 秒内有 \2 秒不低于 \1（需 \4 秒）",
    ),
    (rf"{_V} is below {_V}", r"\1 低于 \2"),
    (rf"quiet for {_V} s: ", r"已平静 \1 秒："),
]
_READING = re.compile(r"^([a-z0-9_]+\.[a-z_]+) at (-?[0-9.e+-]+): ")
_PATTERNS = [(re.compile(pattern), zh) for pattern, zh in _REASONS]


def reason_zh(reason: str) -> str:
    """A rule's reason in Chinese, as far as its wording is known."""
    for pattern, zh in _PATTERNS:
        reason = pattern.sub(zh, reason)
    return _READING.sub(_reading_zh, reason)


def _reading_zh(found: re.Match[str]) -> str:
    metric, condition = metric_of(found[1])
    if metric not in METRICS or condition not in CONDITIONS:
        return found[0]
    return f"{METRICS[metric].zh}{CONDITIONS[condition].zh}，读数 {found[2]}："
