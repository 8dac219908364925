"""What the API says of work: proposals, tasks, parts, what waits for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from contract.taxonomy import Category, Severity
from hub.api.models.base import Answer, Asked, Words
from hub.api.models.events import Digest, State


class ProposedUnit(Answer):
    """A unit that is proposed."""

    code: str
    name_en: str
    name_zh: str


class ProposedPerson(Answer):
    """A person who is proposed."""

    code: str
    name: str


class ProposalNow(Answer):
    """Whom a case is proposed to go to. Accepted by the act of that name with these codes."""

    act: Literal["dispatch", "send_verify", "start_check"]
    unit: ProposedUnit | None
    person: ProposedPerson | None
    distance_m: float | None = Field(description="null: where they are is not known")
    reason_en: str
    reason_zh: str
    left_out: list[str] = Field(description="Who gave it back, or had a hand in it")
    complete: bool = Field(description="It can be accepted as it is")


class TaskNow(Answer):
    """Somebody is to go and look."""

    id: int
    kind: Literal["verify", "check"]
    person: str | None
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    outcome: Literal["exists", "absent", "passed", "failed", "expired", "overtaken"] | None
    answered_by: str | None
    found: Literal["passed"] | None = Field(description="Said by who may not close it")
    found_by: str | None


class CaseNow(Answer):
    """A case as whoever deals with it sees it."""

    number: str
    state: State
    severity: Severity
    category: Category
    subcategory: str
    title: str
    cell: str | None
    lon: float | None
    lat: float | None
    due_at: datetime | None
    version: int
    level: int = Field(description="1 basic grid, 2 secondary grid, 3 district")
    rework_count: int
    responsible_unit: str | None
    assignee: str | None
    picture: str | None = Field(description="Digest of the newest complete picture")
    words: str | None = Field(description="Of the first report")


class MyTaskNow(Answer):
    """A task and the case it is about."""

    task: TaskNow
    case: CaseNow


class WorkNow(Answer):
    """What waits for whoever asks, what is due first first."""

    tasks: list[MyTaskNow]
    to_accept: list[CaseNow]
    to_handle: list[CaseNow]
    to_help: list[CaseNow]


class AnswerTask(Asked):
    """What was found."""

    answer: Literal["exists", "absent", "passed", "failed"]
    note: Words = Field("", description="absent and failed: the reason, needed")
    evidence: list[Digest] = Field([], max_length=16, description="Photos handed in before")


class PartNow(Answer):
    """A unit that helps, and whether its part is done."""

    unit: str
    part: str
    added_at: datetime
    added_by: str
    done_at: datetime | None
    done_by: str | None
    note: str


class CameraWord(Answer):
    """What one camera says of a case that was dealt with."""

    camera: str
    name: str
    why: Annotated[str, Field(description="gone, seen, or why it cannot tell")]
    before: str | None = Field(description="Digest of the picture that showed it")
    after: str | None = Field(description="Digest of the same place without it")
    seen: str | None = Field(description="Digest of the picture of its last look that shows it")


class LookNow(Answer):
    """What the cameras that saw it say."""

    looked_at: datetime | None
    outcome: Literal["clear", "still_seen", "cannot_tell"] | None = Field(
        description="null: they are still looking"
    )
    cameras: list[CameraWord]


class HandlingNow(Answer):
    """Who has to do with a case: what is proposed, tasks, who helps, what the cameras say."""

    proposal: ProposalNow | None
    tasks: list[TaskNow]
    parts: list[PartNow]
    look: LookNow | None
