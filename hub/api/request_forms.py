"""Forms for what one person asks for and another decides: more time, a pause, an appeal, closing by
force; and for supervision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.api.offer_form import REASON, Field, OfferForm
from hub.api.words import Both
from hub.domain.actor import Actor
from hub.domain.deadline import MAX_EXTENSIONS
from hub.services.open_requests import OpenRequests
from hub.store.rows import GridEventRow, HistoryRow

# acts that answer what somebody else asked for
DECISIONS = ("decide_extension", "suspend", "review_appeal", "decide_appeal", "force_close")

_UNTIL = Field("until", Both("Until", "截止时间"), time=True)
_GRANTED = Field(
    "granted",
    Both("Decision", "决定"),
    choices=(("true", Both("granted", "同意")), ("false", Both("refused", "不同意"))),
)
_NOTE = Field("note", Both("Why", "说明"), long=True, needed=False)

_REQUEST_EXTENSION = OfferForm(
    "request_extension",
    Both("Ask for more time…", "申请延期…"),
    Both(
        "One original limit more, if somebody else grants it; twice at most, not once overdue.",
        "经他人批准后延长一个原时限；最多两次，超时后不可申请。",
    ),
    (REASON,),
)
_DECIDE_EXTENSION = OfferForm(
    "decide_extension",
    Both("Decide on more time…", "审批延期…"),
    Both("Granted, it is due one original limit later.", "同意后时限顺延一个原时限。"),
    (_GRANTED, _NOTE),
)
_REQUEST_HANG = OfferForm(
    "request_hang",
    Both("Ask to suspend…", "申请挂账…"),
    Both("Its clock goes on until somebody approves it.", "批准前继续计时。"),
    (_UNTIL, REASON),
)
_SUSPEND = OfferForm(
    "suspend",
    Both("Suspend…", "批准挂账…"),
    Both("Its clock stands until then, or until it is resumed.", "到期或恢复前停止计时。"),
    (_UNTIL,),
)
_APPEAL = OfferForm(
    "appeal",
    Both("Appeal…", "申诉…"),
    Both(
        "Once. Two people review it; granted, the case does not count in assessments.",
        "仅一次，由两人审议；同意后不计入考核。",
    ),
    (REASON,),
)
_REVIEW_APPEAL = OfferForm(
    "review_appeal",
    Both("Review the appeal…", "申诉初审…"),
    Both("The first of two reviews; a supervisor decides.", "两级审议之一，由督查终审。"),
    (_GRANTED, _NOTE),
)
_GRANT_APPEAL = OfferForm(
    "decide_appeal",
    Both("Grant the appeal", "申诉终审：同意"),
    Both("The case no longer counts in assessments; the facts stay.", "不计入考核，事实保留。"),
)
_REFUSE_APPEAL = OfferForm(
    "decide_appeal",
    Both("Refuse the appeal", "申诉终审：不同意"),
    Both("The case counts as it is. There is no second appeal.", "照常计入考核，不可再次申诉。"),
)
_SUPERVISE = OfferForm(
    "supervise",
    Both("Put under supervision…", "督办…"),
    Both("It is marked, and stays so until it is closed.", "标记为督办事件，直至结案。"),
    (_NOTE,),
)
_PROPOSE_CLOSE = OfferForm(
    "propose_close",
    Both("Propose to close by force…", "提请强制结案…"),
    Both(
        "Nothing is closed: a supervisor, another person, signs it in their own session.",
        "不会立即结案，须由另一名督查人员登录后确认。",
    ),
    (REASON,),
)
_FORCE_CLOSE = OfferForm(
    "force_close",
    Both("Close by force…", "强制结案…"),
    Both(
        "Closed without a check, signed by both of you; can be undone within 30 s.",
        "未经核查直接结案，由二人共同确认；30 秒内可撤销。",
    ),
    (REASON,),
)


def request_forms(
    requests: OpenRequests, event: GridEventRow, actor: Actor, now: datetime, zone: ZoneInfo
) -> Iterator[OfferForm]:
    """The forms that what was asked for so far leaves to this actor, whatever their role."""
    in_time = event.due_at is None or now <= event.due_at
    if requests.extension is None and in_time and event.extension_count < MAX_EXTENSIONS:
        yield _REQUEST_EXTENSION
    if requests.extension is not None and requests.extension.actor != actor.name:
        yield _DECIDE_EXTENSION
    if requests.hang is None:
        yield _REQUEST_HANG
    else:
        until = _local(_given_until(requests.hang), zone)
        yield replace(_SUSPEND, fields=(replace(_UNTIL, value=until),))
    yield from _of_appeal(requests, actor)
    if not event.supervised:
        yield _SUPERVISE
    if requests.closing is None:
        yield _PROPOSE_CLOSE
    elif requests.closing.actor != actor.name:
        reason = replace(REASON, value=requests.closing.reason or "")
        yield replace(_FORCE_CLOSE, fields=(reason,))


def _of_appeal(requests: OpenRequests, actor: Actor) -> Iterator[OfferForm]:
    if not requests.appealed:
        yield _APPEAL
    if requests.appeal is None or requests.appeal.actor == actor.name:
        return
    review = requests.review
    yield _REVIEW_APPEAL
    if review is not None and review.actor not in (actor.name, requests.appeal.actor):
        granted = review.facts["given"].get("granted") is True
        yield replace(_GRANT_APPEAL if granted else _REFUSE_APPEAL, granted=granted)


def _given_until(entry: HistoryRow) -> datetime | None:
    until = entry.facts["given"].get("until")
    return datetime.fromisoformat(until) if until else None


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    """As the field of a day and time holds it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" if at else ""
