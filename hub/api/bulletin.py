"""The bulletin of a month: one page for print and post, bilingual, that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import jinja2

from hub.api import assessment_words
from hub.api.render import TEMPLATES
from hub.domain.period import NamedPeriod, PeriodKind, period_around
from hub.domain.reach import EVERYWHERE, Within
from hub.domain.scores import Dimension
from hub.services.assess_period import Assessment, Question
from hub.services.context import Hub

COMPARED = (Dimension.DISTRICT, Dimension.AREA, Dimension.DEPARTMENT)
Names = Mapping[Dimension, Mapping[str, tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What a bulletin is made of: its month, and the month before to compare with."""

    now: Assessment
    before: Assessment
    names: Names


def questions(
    hub: Hub, month: NamedPeriod, within: Within = EVERYWHERE
) -> tuple[Question, Question]:
    """What a bulletin asks: of its month, and of the one before."""
    zone = hub.zone
    earlier = period_around(PeriodKind.MONTH, month.before, zone)
    minute = hub.now().replace(second=0, microsecond=0)
    return (
        Question(month, min(minute, month.period.until), COMPARED, within=within),
        Question(earlier, min(minute, earlier.period.until), (Dimension.DISTRICT,), within=within),
    )


def bulletin_html(hub: Hub, bulletin: Bulletin) -> str:
    """The page. It fetches nothing and runs nothing."""
    zone = hub.zone
    asked = bulletin.now.question
    district = hub.grid.district_of(hub.config.hub.district)
    return _template().render(
        found=bulletin.now,
        before=bulletin.before,
        names=bulletin.names,
        period=asked.period,
        goes_on=asked.as_of < asked.period.period.until,
        as_of=asked.as_of.astimezone(zone),
        zone=zone.key,
        district=district,
        categories=hub.categories.names,
        aw=assessment_words,
        change=_change,
        span=_span,
    )


def _change(name: str, now: Assessment, before: Assessment) -> str:
    """How a share moved since the month before, in points; empty where one of them has none."""
    a, b = now.figures[name].value, before.figures[name].value
    return "" if a is None or b is None else f"{100 * (a - b):+.2f}"


def _span(span: timedelta | None) -> str:
    """A length of time as h:mm:ss."""
    if span is None:
        return "-"
    total = round(abs(span.total_seconds()))
    sign = "-" if span < timedelta(0) else ""
    return f"{sign}{total // 3600}:{total % 3600 // 60:02}:{total % 60:02}"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("bulletin.html")
