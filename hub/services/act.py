"""What somebody does to a grid event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """A transition or act of the lifecycle by name, with what it needs."""

    name: str
    reason: str = ""
    note: str = ""
    subcategory: str | None = None  # confirm, file: None keeps the event's
    filing_condition: str | None = None  # confirm, file: None takes the sub-category's first
    closing_condition_met: bool = False  # check_pass: the closer states it
    responsible_unit: str | None = None  # dispatch
    unit: str | None = None  # add_cohandler, finish_part
    assignee: str | None = None  # dispatch: who handles; send_verify, start_check: who looks
    parent: str | None = None  # attach, merge: number of the event it belongs to
    until: datetime | None = None  # suspend, request_hang, send_verify
    evidence: tuple[str, ...] = ()  # digests: feedback, self_handle, verified_*
    granted: bool | None = None  # decide_extension, review_appeal, decide_appeal
    satisfaction: int | None = None  # rate: 1 (not at all) .. 5
    report: int | None = None  # take_down_comment: whose
    evidence_viewed: bool = False  # confirm
    evidence_missing: bool = False  # confirm
    verdict: str | None = None  # what the operator said of a detection: set by judge_detection
    policy_pass: bool = False  # auto_file: set by the rule that checked the policy
    same_place_and_group: bool = False  # recur: set by the rule that found it again
