"""What the hub refuses, in Chinese, for whoever uses the console in it.

The domain says it in English, once. What is not known here stays as it is; programs always get it
as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hub.api import words

NEEDS_ZH: dict[str, str] = {
    "policy_pass": "符合自动立案条件",
    "evidence_viewed_or_declared_missing": "已查看证据，或声明无图像",
    "category": "类别",
    "filing_condition": "该类别的立案条件",
    "confirmation_pending": "尚待确认",
    "reject_reason": "不予立案的原因",
    "scene_clear_for_T": "画面已消除足够长时间",
    "parent_event": "所并入的未结事件编号",
    "assignee": "前往查看的人员",
    "evidence": "证据：至少一张照片或一段录像",
    "task_overdue": "核实已超时",
    "after_evidence": "处置后的照片或录像",
    "self_handle_allowed": "可现场自处置的类别",
    "responsible_unit": "责任单位",
    "reason": "原因",
    "approved_request": "派遣以来的挂账申请",
    "until": "截止时间（须在将来）",
    "checker_not_handler": "未参与处置的核查人",
    "closing_condition": "确认已满足结案条件",
    "not_still_seen": "说明为何已办结（摄像机仍能看到），否则请退回",
    "four_eyes": "另一人在最近一次更改之后先行提请",
    "two_reviewers": "另一人的初审，且两人均非申诉人",
    "reviewers_agree": "与初审意见一致，否则请重新审议",
    "did_not_appeal": "非申诉人进行审议",
    "open_appeal": "待审议的申诉",
    "open_extension_request": "待审批的延期申请",
    "decider_did_not_ask": "非申请人进行审批",
    "notify_all": "通知所有已通知的人员",
    "within_reopen_window": "在可重新立案的时限内",
    "same_place_and_group": "同一地点的同类发现",
    "within_30s": "在更改后 30 秒内",
    "no_later_transition_or_verdict": "此后无其他更改，且有可撤销的内容",
    "not_overdue": "在超时之前申请",
    "extension_count_below_2": "延期少于两次",
    "first_appeal": "首次申诉",
    "unit": "单位",
    "part_to_do": "尚未完成其协办部分的单位",
    "machine_may_close": "允许由摄像机复核结案的类别",
}
_FIELDS = {
    "reason": "原因",
    "note": "备注",
    "comment": "意见",
    "description": "情况描述",
    "name": "名称",
    "until": "截止时间",
}
_THINGS = {
    "grid event": "事件",
    "evidence": "证据",
    "report": "上报",
    "task": "任务",
    "agent": "代理",
    "unit": "单位",
    "webhook": "推送地址",
    "control window": "管控时段",
    "account": "账户",
    "token": "令牌",
}
# what stands where a group of this name does; other groups stay as they are
_STEPS_ZH = {name: both.zh for name, both in words.STEPS.items()}
_ROLES_ZH = {name: both.zh for name, both in words.ROLES.items()}
_PATTERNS: list[tuple[str, str]] = [
    # the lifecycle
    (
        r"(?P<step>\w+) is not possible on an event that is (?P<state>[\w ]+); it goes from "
        r"(?P<states>.+)",
        "无法“{step}”：事件当前为“{state}”，仅可在以下状态进行：{states}",
    ),
    (
        r"(?P<step>\w+) is not for the role (?P<role>\w+); it is for (?P<roles>.+)",
        "“{step}”不适用于{role}，适用于：{roles}",
    ),
    (
        r"(?P<step>\w+) is open to (?P<who>.+), who made the last change, not to (?P<you>.+)",
        "“{step}”仅限最近一次更改的操作人 {who}",
    ),
    (r"undo is not possible: (?P<what>\w+) has changed since", "无法撤销：此后已有更改"),
    (
        r"(?P<who>.+) did (?P<step>\w+) at (?P<at>\S+): event (?P<number>\S+) is (?P<state>\w+) "
        r"now \(version (?P<v>\d+), you saw (?P<seen>\d+)\); nothing of yours was done",
        "事件 {number} 已由 {who} 执行“{step}”，当前为“{state}”；您的操作未执行，请刷新后再试",
    ),
    (
        r"(?P<step>\w+) is not possible: the event is at the district's level already",
        "无法“{step}”：事件已在区级",
    ),
    # whose it is
    (
        r"this is for (?P<roles>.+); you are signed in as (?P<who>.+), (?P<role>\w+)",
        "仅限：{roles}；您以 {who}（{role}）登录",
    ),
    (
        r"event (?P<number>\S+) lies in cell (?P<cell>\S+); you may act and see in (?P<yours>.+) "
        r"only",
        "事件 {number} 位于网格 {cell}，超出您的范围：{yours}",
    ),
    (
        r"event (?P<number>\S+) lies outside the grid; you may act and see in (?P<yours>.+) only",
        "事件 {number} 位于辖区外，超出您的范围：{yours}",
    ),
    (
        r"event (?P<number>\S+) is not in the hands of (?P<unit>.+), for which you act, but of "
        r"(?P<other>.+)",
        "事件 {number} 不由您的单位负责",
    ),
    (r"the task is (?P<who>.+)'s, not (?P<you>.+)'s", "该任务属于 {who}"),
    (
        r"(?P<who>.+) had a hand in event (?P<number>\S+): nobody rates their own work",
        "{who} 参与了事件 {number} 的处理，不得评价本人的工作",
    ),
    # what is not there
    (r"there is no (?P<thing>[a-z ]+) '(?P<key>.*)'", "{thing} {key} 不存在"),
    (r"there is nothing at '(?P<path>.+)'", "此地址没有内容：{path}"),
    (r"there is no unit '(?P<code>.+)', or it was closed; .*", "单位 {code} 不存在或已停用"),
    (r"there is nobody with the staff number '(?P<code>.*)'; .*", "没有工号为 {code} 的人员"),
    (r"(?P<who>.+) has left: choose another", "{who} 已离岗，请另选"),
    (
        r"(?P<who>.+) is in training and is given recorded cases only: choose another",
        "{who} 正在培训，仅处理录制案例，请另选",
    ),
    (
        r"there is no complete evidence '(?P<digest>.*)': hand the photo in first",
        "照片尚未上传完成，请先上传照片",
    ),
    (
        r"the task is over \((?P<outcome>\w+)\): event (?P<number>\S+) is (?P<state>\w+) now",
        "该任务已结束：事件 {number} 当前为“{state}”",
    ),
    (
        r"event (?P<number>\S+) was itself merged into (?P<root>\S+): name that one",
        "事件 {number} 已并入 {root}，请填写后者",
    ),
    (r"event (?P<number>\S+) cannot join itself", "事件 {number} 不能并入自身"),
    # what was written
    (r"(?P<field>\w+) is empty", "“{field}”不能为空"),
    (
        r"(?P<field>\w+) has (?P<n>\d+) characters, at most (?P<most>\d+) are kept",
        "“{field}”有 {n} 字，最多 {most} 字",
    ),
    (
        r"(?P<field>\w+) contains a NUL character, which no text has",
        "“{field}”含有无法保存的字符",
    ),
    (r"until_at must lie after from_at", "结束时间须晚于开始时间"),
    (r"until_at (?P<at>\S+) is past: it would never hold", "结束时间已过"),
    (r"a window lasts (?P<days>\d+) days at most: .*", "管控时段最长 {days} 天，到期请重新登记"),
    (r"the present password is another", "当前密码不正确"),
    (r"no parameter is changed", "没有更改任何参数"),
    # evidence and ratings
    (
        r"evidence (?P<digest>\S+) is held and cannot be erased: release the hold first",
        "证据已保全，不能删除：请先解除保全",
    ),
    (r"the evidence of event (?P<number>\S+) is held already", "事件 {number} 的证据已经保全"),
    (r"no hold stands on the evidence of event (?P<number>\S+)", "事件 {number} 的证据未被保全"),
    (
        r"nothing is written beside the rating of report (?P<id>\d+)",
        "上报 {id} 的评价没有文字意见",
    ),
    (
        r"the comment of report (?P<id>\d+) was taken down: .*",
        "上报 {id} 的意见已被删除：可修改评分，不再接收意见",
    ),
    # what a cell lacks
    (r"nobody is (?P<role>\w+) of (?P<cell>\d+)", "{cell} 无{role}"),
    (
        r"(?P<who>.+) is in training for (?P<role>\w+) of (?P<cell>\d+)",
        "{who} 正在接受 {cell} 的{role}培训",
    ),
    (r"nobody as (?P<role>\w+) has no terminal", "无{role}，故无终端"),
    (r"nobody as (?P<role>\w+) has no account", "无{role}，故无账户"),
    (r"(?P<who>.+) has no terminal", "{who} 无终端"),
    (r"(?P<who>.+) has no account", "{who} 无账户"),
    (r"no budget line of this year names it", "本年度经费未列入"),
    (r"nobody surveyed it yet", "尚未测绘"),
    # the hub itself
    (
        r"the database does not answer; nothing was changed\. Try again in a few seconds",
        "数据库无响应，没有任何更改，请稍后再试",
    ),
]
_LONGEST = 500  # characters: what is longer repeats what somebody sent, and is not gone over
_COMPILED = [(re.compile(pattern, re.DOTALL), zh) for pattern, zh in _PATTERNS]


def refusal_zh(
    detail: str, states: Mapping[str, str], action: str = "", missing: Sequence[str] = ()
) -> str:
    """A refusal in Chinese, as far as its wording is known.

    states: what each is called. action, missing: of a step that the lifecycle does not allow.
    """
    if missing and all(need in NEEDS_ZH for need in missing):
        needs = "；".join(NEEDS_ZH[need] for need in missing)
        return f"“{_STEPS_ZH.get(action, action)}”需要：{needs}"
    for pattern, zh in _COMPILED if len(detail) <= _LONGEST else ():
        found = pattern.fullmatch(detail)
        if found is not None:
            return zh.format_map({k: _said(k, v, states) for k, v in found.groupdict().items()})
    return detail


def named_zh(name: str) -> str:
    """A step or a verdict by its name."""
    both = words.STEPS.get(name) or words.VERDICTS.get(name)
    return name if both is None else both.zh


def _said(group: str, value: str, states: Mapping[str, str]) -> str:
    one = {
        "step": _STEPS_ZH,
        "role": _ROLES_ZH,
        "roles": _ROLES_ZH,
        "state": states,
        "states": states,
        "field": _FIELDS,
        "thing": _THINGS,
    }.get(group, {})
    parts = re.split(r", | or | and ", value) if group in ("roles", "states") else [value]
    return "、".join(one.get(part, part) for part in parts)
