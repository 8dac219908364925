"""A person reports what they saw: it joins a grid event nearby or opens one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Category, Severity
from hub.domain.actor import Actor, Role
from hub.domain.categories import SubCategory
from hub.domain.errors import InvalidError, WrongRoleError
from hub.services.context import Hub
from hub.services.finding import Finding
from hub.services.handed_in import check_text, complete_evidence
from hub.services.open_event import join_or_open, lock_keys
from hub.store import events, evidence_index, locks, reports
from hub.store.rows import GridEventRow

MAX_DESCRIPTION = 4000  # characters
TITLE_LENGTH = 80  # characters of the description that stand in the queue


@dataclass(frozen=True, slots=True)
class ManualReport:
    """What a person reports."""

    reporter: Actor
    description: str
    position: Point
    category: Category
    subcategory: str | None = None  # id in categories.toml; None: the category's general one
    severity: Severity | None = None  # None: the sub-category's
    occurred_at: datetime | None = None  # None: now
    request_key: str | None = None  # chosen by the sender: a repeated request is the same report
    evidence: tuple[str, ...] = ()  # digests of photos kept with `keep_photo`


@dataclass(frozen=True, slots=True)
class Entered:
    """A report that was entered. event: what answers it, one nearby that it joined or a new one."""

    event: GridEventRow
    report: int  # its id


def report_manually(conn: Connection[Any], hub: Hub, report: ManualReport) -> GridEventRow:
    """The grid event that answers this report: one nearby that it joined, or a new one.

    Raises InvalidError and WrongRoleError.
    """
    return enter_report(conn, hub, report).event


def enter_report(conn: Connection[Any], hub: Hub, report: ManualReport) -> Entered:
    """The same, and the id of the report. One that was sent again is the one it was."""
    now = hub.now()
    what = _checked(hub, report, now)
    if report.request_key is not None:
        locks.lock(conn, [f"request/{report.request_key}"])
        repeated = reports.by_request_key(conn, report.request_key)
        if repeated is not None:
            return Entered(events.root_of(conn, repeated.event), repeated.id)
    photos = complete_evidence(conn, report.evidence)
    at = report.occurred_at or now
    finding = Finding(
        actor=report.reporter,
        what=what,
        severity=report.severity or what.severity,
        title=_title(report.description),
        position=report.position,
        first_at=at,
        last_at=at,
        given={"description": report.description, "evidence": list(photos)},
    )
    locks.lock(conn, lock_keys(hub, finding))
    event = join_or_open(conn, hub, finding)
    id = reports.insert(
        conn,
        event.id,
        report.reporter,
        report.description,
        report.position,
        now,
        report.request_key,
    )
    evidence_index.attach(conn, event.id, photos, event.version)
    return Entered(event, id)


def _checked(hub: Hub, report: ManualReport, now: datetime) -> SubCategory:
    if report.reporter.role is Role.DEVICE:
        raise WrongRoleError(
            "devices do not report by hand: their detections come through ingestion",
            action="report",
            role=report.reporter.role,
        )
    check_text("description", report.description, MAX_DESCRIPTION, needed=True)
    check_text("request_key", report.request_key or "", 200)
    if report.occurred_at is not None:
        if report.occurred_at.tzinfo is None:
            raise InvalidError("occurred_at needs a time zone", field="occurred_at")
        if report.occurred_at > now:
            raise InvalidError(
                f"occurred_at {report.occurred_at.isoformat()} lies in the future",
                field="occurred_at",
            )
    if report.subcategory is None:
        return hub.categories.general(report.category)
    what = hub.categories.subcategories.get(report.subcategory)
    if what is None or what.category is not report.category:
        raise InvalidError(
            f"{report.subcategory!r} is no sub-category of {report.category}", field="subcategory"
        )
    return what


def _title(description: str) -> str:
    line = " ".join(description.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"
