"""People are told of a grid event: once for each event, kind and person.

A notice is written in the transaction of what it tells; mail waits in a queue beside it, until the
person's quiet hours are over unless it is S1 or S2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Role
from hub.domain.notice import WAKES_NOBODY, NoticeKind, Words, title_of
from hub.domain.quiet import QuietHours, may_ring_at
from hub.services.context import Hub
from hub.store import changes, mail, notices, people
from hub.store.notices import NewNotice, PreferenceRow
from hub.store.rows import GridEventRow


class Reachable(Protocol):
    """A person as far as telling goes."""

    @property
    def code(self) -> str:
        """The staff number."""

    @property
    def email(self) -> str | None:
        """Where mail goes; none goes without."""

    @property
    def language(self) -> str:
        """`zh` or `en`."""


def tell(
    conn: Connection[Any],
    hub: Hub,
    kind: NoticeKind,
    event: GridEventRow | None,
    persons: Sequence[Reachable] = (),
    *,
    role: Role | None = None,
    cell: str | None = None,
    unit: str | None = None,
    body: str = "",
    occasion: str = "",
    subject: str | None = None,
    detail: Words | None = None,
) -> int:
    """Write the notices, in the caller's transaction; how many are new.

    persons: who is told by name. role (for `cell`, None: the whole district) or unit: whoever it
    is then; where nobody at all is named, the dispatchers of the event's cell. body: further
    text. occasion: tells apart what may be told again, such as the second overdue stage of one
    event. subject: what it is about; None: the event's title. detail: stands behind the kind.
    """
    about = Words(subject, subject) if subject is not None else _title(hub, event)
    title = title_of(kind, about, detail)
    if not persons and role is None and unit is None:
        role, cell = Role.DISPATCHER, event.cell if event else None
    told = 0
    for person in {p.code: p for p in persons}.values():
        id = notices.insert(
            conn, _notice(hub, kind, event, title, body, occasion, person=person.code)
        )
        if id is None:
            continue
        told += 1
        _queue_mail(conn, hub, id, kind, event, person)
        changes.tell(conn, "notice", person.code)
    if role is not None:
        shared = _notice(hub, kind, event, title, body, occasion, role=role, cell=cell)
        told += _share(conn, shared)
    if unit is not None:
        told += _share(conn, _notice(hub, kind, event, title, body, occasion, unit=unit))
    return told


def _title(hub: Hub, event: GridEventRow | None) -> Words:
    """What the event is called: its kind's name in both languages, unless it has one of its own."""
    if event is None:
        return Words("", "")
    kind = hub.categories.subcategories.get(event.subcategory)
    if kind is None or event.title != kind.en:
        return Words(event.title, event.title)
    return Words(kind.en, kind.zh)


def tell_holders(
    conn: Connection[Any],
    hub: Hub,
    kind: NoticeKind,
    event: GridEventRow,
    role: Role,
    *,
    but: str = "",
    **told: Any,
) -> int:
    """Tell whoever holds that post where the event lies; where nobody does, whoever has the role.

    but: the staff number of somebody who knows. told: further arguments of `tell`.
    """
    holders = people.holders(conn, role, event.cell, hub.now())
    if not holders:
        return tell(conn, hub, kind, event, role=role, cell=event.cell, **told)
    others = [p for p in holders if p.code != but]
    return tell(conn, hub, kind, event, others, **told) if others else 0


def wishes_of(hub: Hub, preference: PreferenceRow | None, person: str) -> PreferenceRow:
    """How that person is told: as they said, or as the settings say."""
    settings = hub.config.notices
    return preference or PreferenceRow(
        person, True, settings.quiet_hours().begins, settings.quiet_hours().ends, []
    )


def _share(conn: Connection[Any], notice: NewNotice) -> int:
    if notices.insert(conn, notice) is None:
        return 0
    changes.tell(conn, "notice", changes.EVERYBODY)
    return 1


def _notice(
    hub: Hub,
    kind: NoticeKind,
    event: GridEventRow | None,
    title: Words,
    body: str,
    occasion: str,
    *,
    person: str | None = None,
    role: Role | None = None,
    cell: str | None = None,
    unit: str | None = None,
) -> NewNotice:
    to = f"person {person}" if person else f"unit {unit}" if unit else f"role {role} {cell or ''}"
    return NewNotice(
        event=event.id if event else None,
        kind=kind,
        person=person,
        role=role,
        cell=cell,
        unit=unit,
        severity=event.severity if event else None,
        title_en=title.en,
        title_zh=title.zh,
        body=body,
        at=hub.now(),
        key=f"{event.number if event else '-'}/{kind}/{to}/{occasion}",
    )


def _queue_mail(
    conn: Connection[Any],
    hub: Hub,
    notice: int,
    kind: NoticeKind,
    event: GridEventRow | None,
    person: Reachable,
) -> None:
    if not hub.config.mail.host or not person.email:
        return
    wishes = wishes_of(hub, notices.preference(conn, person.code), person.code)
    if not wishes.mail or kind in wishes.kinds_off:
        return
    now = hub.now()
    severity = Severity(event.severity) if event else None
    wakes_by = None if kind in WAKES_NOBODY else severity
    mail.queue(
        conn,
        notice,
        person=person.code,
        address=person.email,
        language="zh" if person.language == "zh" else "en",
        severity=severity,
        at=now,
        not_before=may_ring_at(
            now,
            QuietHours(wishes.quiet_from, wishes.quiet_to),
            hub.zone,
            wakes_by,
        ),
    )
