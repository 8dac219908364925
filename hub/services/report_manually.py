"""A person reports what they saw: it joins a grid event nearby or opens one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Category, Severity
from hub.domain.actor import Actor
from hub.services.context import Hub
from hub.store.rows import GridEventRow


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


def report_manually(conn: Connection[Any], hub: Hub, report: ManualReport) -> GridEventRow:
    """The grid event that answers this report: one nearby that it joined, or a new one.

    Raises InvalidError.
    """
    raise NotImplementedError
