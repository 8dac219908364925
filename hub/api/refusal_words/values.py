"""What stands in a refusal where a value does: names of ours in Chinese, all else as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.api import words
from hub.api.detector_words import KINDS_ZH
from hub.api.refusal_words.template import Template, longest_first

STEPS_ZH = {name: both.zh for name, both in words.STEPS.items()}
_ROLES_ZH = {name: both.zh for name, both in words.ROLES.items()}
_SEVERAL = ("answers", "roles", "states", "steps")  # lists of such names
_FIELDS = {
    "address": "地址",
    "agent": "代理",
    "as_of": "截止时间",
    "assignee": "人员",
    "at": "时间",
    "comment": "意见",
    "description": "情况描述",
    "detector": "检测器",
    "from": "开始时间",
    "from_at": "开始时间",
    "name": "名称",
    "note": "备注",
    "occurred_at": "发生时间",
    "permit": "许可编号",
    "person": "人员",
    "reason": "原因",
    "request_key": "请求标识",
    "responsible_unit": "责任单位",
    "since": "开始时间",
    "stream": "摄像机",
    "unit": "单位",
    "until": "截止时间",
    "until_at": "结束时间",
}
_THINGS = {
    "account": "账户",
    "agent": "代理",
    "alert": "预警",
    "category": "大类",
    "control window": "管控时段",
    "delivery of this webhook": "该推送地址的推送记录",
    "detection": "检测记录",
    "detector": "检测器",
    "entry of the matrix in force": "现行责任清单条目",
    "evidence": "证据",
    "file of evidence": "证据文件",
    "file of the console": "页面文件",
    "grid cell": "网格",
    "grid event": "事件",
    "person": "人员",
    "quarantine entry": "隔离记录",
    "registry entry": "台账条目",
    "report": "上报",
    "sensor": "传感器",
    "shift": "班次",
    "stream": "摄像机",
    "sub-category": "小类",
    "task": "任务",
    "training attempt": "培训记录",
    "training set": "培训题集",
    "training set that is offered": "可用的培训题集",
    "unit": "单位",
    "unit that answers for": "负责单位",
    "webhook": "推送地址",
}
# phrases, not words: what it is, whose it is, where it is
WHAT = longest_first(
    [
        ("a post of {who:w}", "{who} 的岗位"),
        ("detection {number:w}", "检测记录 {number}"),
        ("event {number:w}", "事件 {number}"),
        ("evidence {number:w}", "证据 {number}"),
        ("its new place", "新位置"),
        ("registry entry {number:w}", "台账条目 {number}"),
        ("report {number:w}", "上报 {number}"),
        ("the post of {role:w}", "{role}岗位"),
        ("the shift of {who:w}", "{who} 的班次"),
        ("the {kind:w} {name:r}", "{kind} {name}"),
        ("unit {number:w}", "单位 {number}"),
        ("what changes", "更改的内容"),
        ("what the unit answers for", "该单位的负责范围"),
        ("what the unit is to answer for", "该单位拟负责的范围"),
    ]
)
# what jsonschema says of a parameter's value
WHY = longest_first(
    [
        ("{value} is greater than the maximum of {n:w}", "{value} 大于上限 {n}"),
        ("{value} is greater than or equal to the maximum of {n:w}", "{value} 须小于 {n}"),
        ("{value} is less than the minimum of {n:w}", "{value} 小于下限 {n}"),
        ("{value} is less than or equal to the minimum of {n:w}", "{value} 须大于 {n}"),
        ("{value} is not of type {types}", "{value} 的类型不符"),
        ("{value} is not one of {values}", "{value} 不在可选值之中：{values}"),
        ("{value} does not match {pattern}", "{value} 的格式不符"),
        ("{value} is too long", "{value} 过长"),
        ("{value} is too short", "{value} 过短"),
    ]
)
_POST = longest_first(
    [
        ("{role:w} in {cells}", "{role}（{cells}）"),
        ("{role:w} of {unit:w} in {cells}", "{unit} {role}（{cells}）"),
    ]
)
_OTHERS = {
    "the whole district": "全区",
    "nobody": "无人",
    "nobody yet": "尚未确定",
    "no unit yet": "尚未确定",
    "no cell": "辖区外",
    "none": "空",
    "not there yet": "尚未产生",
    "the clock": "时限规则",
    "time": "到期",
}
_NAMES: dict[str, Mapping[str, str]] = {
    "answer": {name: both.zh for name, both in words.TASK_OUTCOMES.items()},
    "answers": {name: both.zh for name, both in words.TASK_OUTCOMES.items()},
    "detector": KINDS_ZH,
    "field": _FIELDS,
    "kind": {name: both.zh for name, both in words.ENTRY_KINDS.items()},
    "outcome": {name: both.zh for name, both in words.TASK_OUTCOMES.items()},
    "level": {"basic": "单元网格", "secondary": "二级网格"},
    "parameter": {"parameters": "参数"},
    "role": _ROLES_ZH,
    "roles": _ROLES_ZH,
    "standing": {
        "expired": "评价期限已过",
        "no_case": "未予立案",
        "open": "尚未评价",
        "rated": "已评价",
        "reopened": "已重新打开",
        "settled": "该月考核已结束",
        "waiting": "尚未结案",
    },
    "step": STEPS_ZH,
    "steps": STEPS_ZH,
    "thing": _THINGS,
    "verdict": {name: both.zh for name, both in words.VERDICTS.items()},
    "who": {name: both.zh for name, both in words.RULES.items()},
}


def said(name: str, value: str, states: Mapping[str, str]) -> str:
    """What a Chinese sentence says for the value of that name.

    states: what each state of an event is called.
    """
    if name == "what":
        return _phrase(WHAT, value, states) or value
    if name == "why_not":
        return _phrase(WHY, value, states) or "取值不符合要求"
    if name == "posts":
        return "；".join(_phrase(_POST, post, states) or post for post in value.split("; "))
    known = states if name in ("state", "states") else _NAMES.get(name, {})
    parts = re.split(r", | or | and ", value) if name in _SEVERAL else [value]
    return "、".join(known.get(part) or _OTHERS.get(part, part) for part in parts)


def _phrase(known: list[Template], value: str, states: Mapping[str, str]) -> str | None:
    for template in known:
        values = template.match(value)
        if values is not None:
            return template.zh.format_map({k: said(k, v, states) for k, v in values.items()})
    return None
