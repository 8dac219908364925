"""Which columns of an event a step changes beside its state."""

from __future__ import annotations

from dataclasses import replace

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.guards import Facts
from hub.domain.lifecycle import Advance
from hub.services.act import Act
from hub.services.context import Hub
from hub.services.event_clock import decision_due
from hub.store.rows import GridEventRow


def flags_of(hub: Hub, advance: Advance, event: GridEventRow, act: Act) -> Advance:
    """The decision with the flags as this act sets them: what is not granted sets none."""
    if act.granted is False and act.name in ("decide_extension", "decide_appeal"):
        return replace(advance, changes={})
    if act.name == "rate":
        return replace(advance, changes={"satisfaction": act.satisfaction})
    return advance


def columns_of(
    hub: Hub,
    advance: Advance,
    event: GridEventRow,
    act: Act,
    facts: Facts,
    parent: GridEventRow | None,
    actor: Actor,
) -> dict[str, object]:
    """The columns that follow from the step and what was given for it."""
    match advance.name:
        case "confirm" | "file" | "auto_file":
            return _filing(hub, act, facts)
        case "reject" | "refuse" | "verified_absent" | "recall":
            return {"reject_reason": act.reason, "assignee": None}
        case "attach" | "merge":
            return {"parent": parent.id if parent else None}
        case "unmerge":
            return {"parent": None}
        case "send_verify":
            return {"assignee": act.assignee}
        case "start_check":  # whoever begins it checks, unless somebody is named; a rule does not
            by_person = None if actor.role is Role.RULE else actor.name
            return {"assignee": act.assignee or by_person}
        case "verified_exists" | "verify_expired" | "check_pass":
            return {"assignee": None}
        case "check_fail":  # it goes back to who handled it
            return {"assignee": facts.handler}
        case "dispatch":
            return {"responsible_unit": facts.responsible_unit, "assignee": act.assignee}
        case "accept":
            return {"assignee": actor.name}
        case "feedback":
            return {"assignee": None}
        case "self_handle":
            return {"responsible_unit": event.responsible_unit or actor.name}
        case "return_unit" | "escalate":
            return {"responsible_unit": None, "assignee": None}
        case "return_to_filing":
            return {
                "filed_at": None,
                "decide_by": decision_due(hub, Severity(event.severity), hub.now()),
            }
        case "reopen":
            return {"reject_reason": None, "responsible_unit": None}
        case "recur":  # a machine or a passer-by found it again: a person has yet to look
            return {
                "responsible_unit": None,
                "occurrence": event.occurrence + 1,
                "scene_cleared_at": None,
            }
        case _:
            return {}


def _filing(hub: Hub, act: Act, facts: Facts) -> dict[str, object]:
    columns: dict[str, object] = {"filing_condition": facts.filing_condition, "decide_by": None}
    if act.subcategory is not None:
        what = hub.categories.subcategories[act.subcategory]
        columns |= {
            "category": what.category,
            "subcategory": what.id,
            "severity": what.severity,
        }
    return columns
