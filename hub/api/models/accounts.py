"""Accounts and the audit log as the API tells them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from hub.api.models.base import Answer
from hub.domain.actor import Role


class Myself(Answer):
    """Who is asking."""

    login: str
    name: str = Field(description="As histories and the audit log name them")
    role: Role
    cells: list[str] = Field(description="Grid codes whose subtrees they may act in; []: all")
    unit: str | None
    via: str = Field(description="session or token")
    expires_at: datetime


class AuditEntry(Answer):
    """Something done or seen."""

    id: int
    at: datetime
    actor: str = Field(description="The person's code, else the login")
    role: str
    login: str = Field(description="The account; empty for a command")
    via: str = Field(description="password, link, session, token or command")
    address: str = Field(description="From where; empty for a command")
    action: str
    subject: str = Field(description="Number of an event, digest, agent or login")
    detail: str
    outcome: str | None = Field(
        description="done, refused or failed; null: it began, and the hub died before it ended"
    )


class AuditPage(Answer):
    """A page of the audit log, the newest first."""

    entries: list[AuditEntry]
    next: str | None
