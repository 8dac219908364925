"""Notices: what people are told of grid events, in both languages."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class NoticeKind(StrEnum):
    """Why somebody is told."""

    URGENT = "urgent"  # an S1 or S2 waits for a decision
    AUTO_FILED = "auto_filed"  # filed by itself: to be endorsed or recalled
    TASK = "task"  # go and verify, or check
    DISPATCHED = "dispatched"  # work for a unit
    COHANDLER = "cohandler"  # a unit is to help
    RETURNED = "returned"  # a unit sent it back
    ESCALATED = "escalated"  # by a unit, or by the ladder at 150 and 300 %
    REWORK = "rework"  # it did not pass its check
    TO_CHECK = "to_check"  # it was handled: somebody is to check
    ASKED = "asked"  # an extension, a suspension or an appeal waits for an answer
    ANSWERED = "answered"  # that was decided
    HALF_TIME = "half_time"  # 50 % of the limit
    NEARLY_DUE = "nearly_due"  # 80 %
    SUPERVISION = "supervision"  # overdue, 100 %: a supervision record
    RECALLED = "recalled"  # what was told before does not hold
    REOPENED = "reopened"
    CLOSED = "closed"
    TRUST_LOST = "trust_lost"  # a camera no longer files by itself
    RECEIVER_DOWN = "receiver_down"  # a webhook fails for long, or gave up messages


class Words(NamedTuple):
    """A phrase in both languages."""

    en: str
    zh: str


PHRASES: dict[NoticeKind, Words] = {
    NoticeKind.URGENT: Words("Decide now", "请立即研判"),
    NoticeKind.AUTO_FILED: Words("Filed by itself, to be endorsed", "已自动立案，请认可"),
    NoticeKind.TASK: Words("A task for you", "待办任务"),
    NoticeKind.DISPATCHED: Words("Dispatched to you", "派遣给您"),
    NoticeKind.COHANDLER: Words("Your help is asked for", "请协办"),
    NoticeKind.RETURNED: Words("Returned by the unit", "单位退回"),
    NoticeKind.ESCALATED: Words("Escalated to your level", "上报至本级"),
    NoticeKind.REWORK: Words("Not passed, to be done again", "核查不通过，请返工"),
    NoticeKind.TO_CHECK: Words("Handled, to be checked", "处置完毕，待核查"),
    NoticeKind.ASKED: Words("Waits for your answer", "待您审批"),
    NoticeKind.ANSWERED: Words("Your request was decided", "申请已有结果"),
    NoticeKind.HALF_TIME: Words("Half of the time is over", "时限已过半"),
    NoticeKind.NEARLY_DUE: Words("Due soon", "即将超时"),
    NoticeKind.SUPERVISION: Words("Overdue, under supervision", "已超时，督办"),
    NoticeKind.RECALLED: Words("Recalled: please stop", "已撤回，请停止处置"),
    NoticeKind.REOPENED: Words("Opened again", "重新打开"),
    NoticeKind.CLOSED: Words("Closed", "已结案"),
    NoticeKind.TRUST_LOST: Words("A camera no longer files by itself", "摄像机不再自动立案"),
    NoticeKind.RECEIVER_DOWN: Words("A receiver cannot be reached", "接收方无法送达"),
}


# told of what is over: nobody has to do anything, so it waits for the morning, however grave
WAKES_NOBODY = frozenset({NoticeKind.CLOSED, NoticeKind.TRUST_LOST})

# what was asked for, by the act that asks
REQUESTS: dict[str, Words] = {
    "request_extension": Words("more time", "延期"),
    "request_hang": Words("suspension", "挂账"),
    "propose_close": Words("closing by force", "强制结案"),
    "appeal": Words("appeal", "申诉"),
    "review_appeal": Words("second opinion on an appeal", "申诉复核"),
}
GRANTED, REFUSED = Words("granted", "同意"), Words("not granted", "不同意")


def title_of(kind: NoticeKind, subject: Words, detail: Words | None = None) -> Words:
    """The heading of a notice about `subject`, such as a grid event's title; detail in brackets."""
    phrase = PHRASES[kind]
    if detail is not None:
        phrase = Words(f"{phrase.en} ({detail.en})", f"{phrase.zh}（{detail.zh}）")
    if not subject.en:
        return phrase
    return Words(f"{phrase.en}: {subject.en}", f"{phrase.zh}：{subject.zh}")
