"""Which assessment a request asks for: period, moment, place, who is compared, whose figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from hub.api.deps import ActorDep, HubDep
from hub.domain.actor import Actor
from hub.domain.errors import InvalidError
from hub.domain.period import NamedPeriod, PeriodKind, custom_period, period_around
from hub.domain.reach import within
from hub.domain.scores import Dimension
from hub.services.assess_period import Question
from hub.services.context import Hub

Subject = Annotated[
    str | None,
    Query(max_length=100, description="One of those compared; without it: all of them together"),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the words it was asked by, for links that ask the same."""

    question: Question
    by: Dimension
    subject: str | None

    @property
    def period(self) -> NamedPeriod:
        """The period."""
        return self.question.period

    def query(self, **other: object) -> str:
        """The query of a link that asks the same, but for `other`; None leaves a word out."""
        period = self.period
        said: dict[str, object] = {"period": period.kind}
        if period.kind is PeriodKind.CUSTOM:
            said |= {"first": period.first, "last": period.last}
        else:
            said |= {"day": period.first}
        said |= {
            "by": self.by,
            "cell": self.question.cell or None,
            "as_of": self.question.as_of.astimezone(UTC).isoformat(),
            "subject": self.subject,
        }
        return urlencode({k: v for k, v in (said | other).items() if v is not None})


def _asked(
    hub: HubDep,
    actor: ActorDep,
    period: Annotated[PeriodKind, Query(description="How long")] = PeriodKind.MONTH,
    day: Annotated[date | None, Query(description="A day of the period; null: today")] = None,
    first: Annotated[date | None, Query(description="custom: its first day")] = None,
    last: Annotated[date | None, Query(description="custom: its last day")] = None,
    by: Annotated[Dimension, Query(description="Who is compared")] = Dimension.AREA,
    cell: Annotated[
        str, Query(pattern=r"^([0-9]{6}([0-9]{6}([0-9]{3})?)?)?$", description="With all below it")
    ] = "",
    as_of: Annotated[
        datetime | None,
        Query(description="As things stood then; null: at the end of the period, or now"),
    ] = None,
    subject: Subject = None,
) -> Asked:
    zone = hub.zone
    now = hub.now()
    try:
        if period is PeriodKind.CUSTOM:
            if first is None or last is None:
                raise InvalidError("a custom period needs its first and last day", field="first")
            named = custom_period(first, last, zone)
        else:
            named = period_around(period, day or now.astimezone(zone).date(), zone)
    except ValueError as e:
        if isinstance(e, InvalidError):
            raise
        raise InvalidError(str(e), field="day") from None
    return Asked(_question(hub, actor, named, by, cell, as_of, now), by, subject)


AskedDep = Annotated[Asked, Depends(_asked)]


def moment(hub: Hub, period: NamedPeriod, as_of: datetime | None = None) -> datetime:
    """As of when a period is assessed: its end, now while it goes on, or earlier where asked."""
    now = hub.now().replace(second=0, microsecond=0)  # the same for a minute: it is computed once
    latest = min(hub.now() if as_of else now, period.period.until)
    return latest if as_of is None else min(as_of, latest)


def _question(
    hub: Hub,
    actor: Actor,
    named: NamedPeriod,
    by: Dimension,
    cell: str,
    as_of: datetime | None,
    now: datetime,
) -> Question:
    if as_of is not None and as_of.tzinfo is None:
        raise InvalidError("as_of needs a time zone", field="as_of")
    return Question(named, moment(hub, named, as_of), (by,), cell, within(actor))
