"""Pages from templates: two languages, the district's time zone, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hub.api import audit_words, clock_words, detector_words, metric_words, words
from hub.api.access import DESK
from hub.api.metric_words import unit_word, value_word
from hub.api.reason_words import reason_zh
from hub.api.refusal_words import named_zh, refusal_zh
from hub.api.shelf import Shelf
from hub.domain.actor import Role
from hub.domain.reach import within
from hub.services.context import Hub
from hub.services.signing_in import Caller
from hub.store import units, views

Lang = Literal["en", "zh"]
COOKIE = "lang"
TEMPLATES = Path(__file__).resolve().parent.parent / "web" / "templates"
_YEAR_S = 365 * 24 * 3600
_DAYS_ZH = "一二三四五六日"
_CJK = 0x2E80  # and above: characters as wide as two letters


class Pages:
    """The templates of the console over an opened hub. Thread-safe."""

    def __init__(self, hub: Hub, shelf: Shelf) -> None:
        self._hub = hub
        self._shelf = shelf
        self._zone = hub.zone
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            t=_t,
            words=words,
            clock_words=clock_words,
            metric_words=metric_words,
            detector_words=detector_words,
            audit_words=audit_words,
        )
        self._environment.filters.update(
            clock=self._clock,
            stamp=self._stamp,
            minute=self._minute,
            day=self._day,
            moment=datetime.fromisoformat,
            short=_short,
            browser=browser_word,
            initials=initials,
            rule_reason=_rule_reason,
            thousands=_thousands,
            span=_span,
            unit=unit_word,
            told=self._told,
            measure=value_word,
        )

    def page(
        self, request: Request, template: str, values: Mapping[str, Any], status: int = 200
    ) -> HTMLResponse:
        """A page or a part of one, for who is signed in, in their language."""
        caller: Caller = request.state.caller
        return self._answer(request, template, self._frame(caller) | dict(values), status)

    def bare(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        status: int = 200,
        otherwise: Lang = "en",
    ) -> HTMLResponse:
        """A page for anybody, signed in or not: it tells nothing of the district.

        otherwise: the language for who has not chosen one.
        """
        return self._answer(request, template, values, status, otherwise)

    def _answer(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        status: int,
        otherwise: Lang = "en",
    ) -> HTMLResponse:
        asked = request.query_params.get(COOKIE)
        lang = language_of(request, otherwise)
        context = self._around(request, lang) | dict(values)
        text = self._environment.get_template(template).render(context)
        response = HTMLResponse(text, status_code=status, headers={"Vary": "Cookie"})
        if asked in ("en", "zh"):
            response.set_cookie(COOKIE, asked, max_age=_YEAR_S, httponly=True, samesite="strict")
        return response

    def midnight(self, now: datetime) -> datetime:
        """When the day of the district began."""
        return now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)

    def _around(self, request: Request, lang: Lang) -> dict[str, Any]:
        """What every page needs, whoever sees it."""
        return {
            "lang": lang,
            "other_lang": request.url.include_query_params(lang="en" if lang == "zh" else "zh"),
            "assets": f"/assets/{self._shelf.fingerprint}",
            "missing_assets": self._shelf.missing,
            "here": str(request.url.replace(scheme="", netloc="")),
            "now": self._hub.now(),
        }

    def _frame(self, caller: Caller) -> dict[str, Any]:
        """What the pages of the console show around their content."""
        hub, actor = self._hub, caller.actor
        own = (actor.role, actor.unit)
        with hub.pool.connection() as conn:
            waiting = views.queue_size(conn, within(actor)) if actor.role in DESK else 0
            unit_names = units.names(conn)
        return {
            "operator": actor.name,
            "known_as": caller.known_as,
            "capacities": [c for c in caller.capacities if (c.role, c.unit) != own],
            "role": actor.role,
            "at_desk": actor.role in DESK,
            "may_audit": actor.role is Role.SUPERVISOR,
            "district": hub.grid.district_of(hub.config.hub.district),
            "zone": hub.config.hub.time_zone,
            "offset": _offset(hub.now().astimezone(self._zone)),
            "waiting": waiting,
            "called": unit_names,
            "grid": hub.grid,
            "categories": hub.categories,
            "lifecycle": hub.lifecycle,
        }

    def _clock(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%H:%M:%S}"

    def _minute(self, at: datetime) -> str:
        """Day and time of day, for whoever comes back to it another day."""
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"

    @jinja2.pass_context
    def _told(self, context: jinja2.runtime.Context, text: str) -> str:
        """A refusal or another sentence of the hub's, in the language of the page."""
        if context["lang"] != "zh":
            return text
        states = {name: state.name_zh for name, state in self._hub.lifecycle.states.items()}
        said = refusal_zh(text, states)
        return said if said != text else ", ".join(map(named_zh, text.split(", ")))

    @jinja2.pass_context
    def _day(self, context: jinja2.runtime.Context, at: datetime) -> str:
        """The day, with the year where it is not this one."""
        local = at.astimezone(self._zone)
        other = local.year != context["now"].astimezone(self._zone).year
        if context["lang"] == "zh":
            year = f"{local.year}年" if other else ""
            return f"{year}{local.month}月{local.day}日 周{_DAYS_ZH[local.weekday()]}"
        return f"{local:%a} {local.day} {local:%b}" + (f" {local.year}" if other else "")

    @jinja2.pass_context
    def _stamp(self, context: jinja2.runtime.Context, at: datetime) -> str:
        """Day and time; the time alone where it is today."""
        same = at.astimezone(self._zone).date() == context["now"].astimezone(self._zone).date()
        clock = self._clock(at)
        return clock if same else f"{self._day(context, at)} {clock}"


def language_of(request: Request, otherwise: Lang = "en") -> Lang:
    """The language that a page is asked for in, or was chosen in this browser."""
    chosen = request.query_params.get(COOKIE) or request.cookies.get(COOKIE) or otherwise
    return "zh" if chosen == "zh" else "en"


def pages_of(request: Request) -> Pages:
    """The console's templates, of the app that answers the request."""
    pages: Pages = request.app.state.pages
    return pages


@jinja2.pass_context
def _t(context: jinja2.runtime.Context, en: str, zh: str) -> str:
    """The words in the language of the page."""
    return zh if context["lang"] == "zh" else en


@jinja2.pass_context
def _rule_reason(context: jinja2.runtime.Context, reason: str) -> str:
    """Why a rule raised an alarm, in the language of the page as far as it is known."""
    return reason_zh(reason) if context["lang"] == "zh" else reason


def _offset(local: datetime) -> str:
    seconds = int((local.utcoffset() or local - local).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{'-' if seconds < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def _short(code: str | None) -> str:
    """A grid code as people say it: the secondary grid's last three digits and the cell's."""
    if code is None:
        return ""
    return f"{code[9:12]}-{code[12:]}" if len(code) == 15 else code[6:] or code


def browser_word(agent: str) -> str:
    """What people call the browser that names itself like this: `Chrome, Linux`."""
    names = (
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux")
    name = next((word for mark, word in names if mark in agent), agent[:40])
    system = next((s for s in systems if s in agent), "")
    return ", ".join(w for w in (name, system) if w)


def initials(name: str) -> str:
    """What stands for a name in a small circle: two letters, or one character of a Chinese name."""
    if any(ord(c) >= _CJK for c in name[:2]):
        return name[:1]
    words = name.split()
    return (words[0][:1] + words[-1][:1] if len(words) > 1 else name[:2]).upper()


def _thousands(number: float) -> str:
    return f"{number:,.0f}"


@jinja2.pass_context
def _span(context: jinja2.runtime.Context, seconds: float) -> str:
    """A length of time in its two largest units."""
    total = round(abs(seconds))
    zh = context["lang"] == "zh"
    s, mins, h, d = ("秒", "分", "小时", "天") if zh else ("s", "min", "h", "d")
    if total < 60:
        return f"{total} {s}"
    if total < 3600:
        return f"{total // 60} {mins} {total % 60} {s}" if total < 600 else f"{total // 60} {mins}"
    if total < 86400:
        return f"{total // 3600} {h} {total % 3600 // 60} {mins}"
    return f"{total // 86400} {d} {total % 86400 // 3600} {h}"
