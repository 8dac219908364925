"""What the duty operator may do with an event now, as forms of the event's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hub.api.offer_form import REASON, Field, OfferForm
from hub.api.request_forms import DECISIONS, request_forms
from hub.api.words import Both
from hub.domain.actor import Actor
from hub.domain.camera_word import Outcome
from hub.domain.guards import UNDO_WITHIN
from hub.domain.lifecycle import UNDO
from hub.services.context import Hub
from hub.services.event_facts import ground_of
from hub.services.open_requests import open_requests
from hub.store.rows import GridEventRow, HistoryRow

_UNIT = Field("responsible_unit", Both("Responsible unit", "责任单位"))
_PARENT = Field("parent", Both("Number of the event it belongs to", "所属事件编号"))
_ALL_THE_SAME = Field(
    "reason",
    Both("A camera still sees it: why is it done all the same?", "摄像机仍可见：为何仍予结案？"),
    long=True,
)
_WHO = Field("assignee", Both("Who goes and looks", "核实人员"))

# acts that the page can carry out whole; others need photos or people that are not there yet
_FORMS: tuple[OfferForm, ...] = (
    OfferForm(
        "file",
        Both("File", "立案"),
        Both("It is filed and waits to be dispatched.", "立案并等待派遣。"),
    ),
    OfferForm(
        "endorse",
        Both("Endorse", "认可"),
        Both("What was filed by itself is confirmed by you.", "确认自动立案的事件。"),
        verdict="confirmed",
    ),
    OfferForm(
        "dispatch",
        Both("Dispatch…", "派遣…"),
        Both("The unit is named and its clock starts.", "指定责任单位并开始计时。"),
        (
            _UNIT,
            Field(
                "assignee", Both("Who handles it (staff number)", "处置人员（工号）"), needed=False
            ),
        ),
    ),
    OfferForm(
        "accept",
        Both("Accept", "接收"),
        Both("You handle it.", "由您处置。"),
    ),
    OfferForm(
        "return_unit",
        Both("Return…", "退回…"),
        Both("It is somebody else's; the desk is told.", "退回调度，说明原因。"),
        (REASON,),
    ),
    OfferForm(
        "escalate",
        Both("Escalate…", "升级…"),
        Both("The next level takes it over and is told.", "上报上一级并通知。"),
        (REASON,),
    ),
    OfferForm(
        "add_cohandler",
        Both("Ask a unit to help…", "增加协办单位…"),
        Both("It is told, and says when its part is done.", "通知该单位，由其反馈完成情况。"),
        (
            Field("unit", Both("Unit", "单位")),
            Field("note", Both("Its part", "协办事项"), long=True),
        ),
    ),
    OfferForm(
        "check_pass",
        Both("Pass the check and close", "核查通过并结案"),
        Both("By somebody who did not handle it.", "由未参与处置者确认。"),
    ),
    OfferForm(
        "check_fail",
        Both("Not done…", "核查不通过…"),
        Both("It goes back to who handled it.", "退回处置人员返工。"),
        (REASON,),
    ),
    OfferForm(
        "send_verify",
        Both("Send to verify…", "派人核实…"),
        Both("Somebody goes and looks; it stays unfiled meanwhile.", "派人到场核实，暂不立案。"),
        (_WHO,),
    ),
    OfferForm(
        "start_check",
        Both("Begin the check…", "开始核查…"),
        Both("Somebody who did not handle it checks it.", "由未参与处置者核查。"),
        (Field("assignee", Both("Who checks", "核查人员")),),
    ),
    OfferForm(
        "return_to_filing",
        Both("Return to filing…", "退回受理…"),
        Both("The filing is taken back with a reason.", "说明原因并退回受理。"),
        (REASON,),
    ),
    OfferForm(
        "resume",
        Both("Resume", "恢复处置"),
        Both("Its clock goes on.", "继续计时。"),
    ),
    OfferForm(
        "attach",
        Both("Attach to another event…", "并入其他事件…"),
        Both("One event remains; this can be undone.", "合并为一个事件，可以撤销。"),
        (_PARENT,),
    ),
    OfferForm(
        "merge",
        Both("Merge into another event…", "并案…"),
        Both("One event remains; it can be split again.", "合并为一个事件，可再拆分。"),
        (_PARENT,),
    ),
    OfferForm(
        "unmerge",
        Both("Split again…", "拆分…"),
        Both("It becomes an event of its own again.", "恢复为独立事件。"),
        (REASON,),
    ),
    OfferForm(
        "refuse",
        Both("Refuse…", "不予受理…"),
        Both("The report is answered with the reason.", "以该原因答复上报人。"),
        (REASON,),
    ),
    OfferForm(
        "recall",
        Both("Recall…", "撤回作废…"),
        Both(
            "It is void; everyone who was told is told again.", "事件作废，并通知所有已通知人员。"
        ),
        (REASON,),
    ),
    OfferForm(
        "reopen",
        Both("Reopen…", "重新立案…"),
        Both("It is filed again, if that is still in time.", "在时限内重新立案。"),
        (REASON,),
    ),
    OfferForm(
        "hold_evidence",
        Both("Hold the evidence…", "证据保全…"),
        Both(
            "Its pictures and clips, those to come too, are not deleted until it is released.",
            "其图像与视频（含后续到达者）在解除前不会删除。",
        ),
        (REASON,),
    ),
    OfferForm(
        "release_evidence",
        Both("Release the hold…", "解除保全…"),
        Both("The time of its evidence counts again.", "证据恢复按保存期限处理。"),
        (REASON,),
    ),
    OfferForm(
        "comment",
        Both("Comment…", "备注…"),
        Both("Stands in the history; nothing else changes.", "记入历史，不改变其他内容。"),
        (Field("note", Both("Comment", "备注"), long=True),),
    ),
)


def offered(
    hub: Hub, event: GridEventRow, history: Sequence[HistoryRow], actor: Actor, *, held: bool
) -> list[OfferForm]:
    """The forms that are open to the actor, in the order in which they are usually wanted.

    held: whether a legal hold stands on its evidence.
    """
    ground = ground_of(event, history)
    open_now = {offer.name for offer in hub.lifecycle.offers_to(actor, event.state, ground)}
    if event.confirmation != "pending":
        open_now.discard("endorse")
    open_now.discard("hold_evidence" if held else "release_evidence")
    requests, zone = open_requests(hub, history), hub.zone
    waiting = request_forms(requests, event, actor, hub.now(), zone)
    forms = [form for form in (*_FORMS, *waiting) if form.name in open_now]
    if _still_seen(history):
        forms = [
            replace(f, fields=(_ALL_THE_SAME,)) if f.name == "check_pass" else f for f in forms
        ]
    forms.sort(key=lambda form: form.name not in DECISIONS)  # somebody waits for those
    if event.origin != "machine":
        forms = [replace(form, verdict=None) for form in forms]
    if may_undo(hub, history, actor):
        undo = OfferForm(
            UNDO,
            Both("Undo", "撤销"),
            Both("Takes the last change back, within 30 s.", "30 秒内撤销上一次更改。"),
        )
        forms.insert(0, undo)
    return forms


def _still_seen(history: Sequence[HistoryRow]) -> bool:
    """Whether a camera saw it when it was looked at last, since somebody said it is done."""
    wanted = ("look_again", "feedback", "self_handle")
    last = next((h for h in reversed(history) if h.name in wanted), None)
    given = last.facts.get("given", {}) if last is not None else {}
    return given.get("outcome") == Outcome.STILL_SEEN


def may_undo(hub: Hub, history: Sequence[HistoryRow], actor: Actor) -> bool:
    """Whether the last entry is a change of this actor that is young enough."""
    if not history:
        return False
    last = history[-1]
    changes_state = last.name in hub.lifecycle.transitions and last.name != UNDO
    young = hub.now() - last.at <= UNDO_WITHIN
    return last.n > 1 and changes_state and young and last.actor == actor.name
