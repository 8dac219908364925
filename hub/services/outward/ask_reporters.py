"""Whoever reported a case and left an address is told by mail that it was closed, and asked how.

The link in the letter is made as it is sent, so that it lies in no queue.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from hub.domain.dispatch import GRACE
from hub.domain.quiet import may_ring_at
from hub.services.context import Hub
from hub.services.outward.own_report import give_token, my_report
from hub.store import mail, ratings
from hub.store.rows import GridEventRow


def ask_reporters(conn: Connection[Any], hub: Hub, event: GridEventRow) -> int:
    """Queue the letters of a case that was just closed; how many.

    They wait until the closing can no longer be undone, and for the end of the quiet hours.
    """
    if not hub.config.mail.host:
        return 0
    now = hub.now()
    quiet, zone = hub.config.notices.quiet_hours(), hub.zone
    letters = ratings.letters_to(conn, event.id)
    for letter in letters:
        mail.queue_letter(
            conn,
            letter.report,
            address=letter.address,
            language=hub.config.open311.language,
            at=now,
            not_before=may_ring_at(now + GRACE, quiet, zone, None),
        )
    return len(letters)


def letter_to_reporter(
    conn: Connection[Any], hub: Hub, report: int, closed_by: datetime
) -> tuple[str, list[str]] | None:
    """Subject and lines of a letter, in both languages; None where the case is not closed any more.

    closed_by: when the letter was queued; a case that was closed again since has another one.
    """
    mine = my_report(conn, hub, report)
    event = mine.event
    if event.state != "closed" or event.ended_at is None or event.ended_at > closed_by:
        return None
    zone = hub.zone
    at = f"{event.ended_at.astimezone(zone):%Y-%m-%d %H:%M}"
    what = hub.categories.subcategories.get(event.subcategory)
    zh, en = (what.zh, what.en) if what else (event.title, event.title)
    chinese = [f"您上报的事件“{zh}”（编号 {event.number}）已于 {at} 结案。"]
    english = [f"The matter you reported ({en}, number {event.number}) was closed on {at}."]
    base = hub.config.http.public_url
    if base and mine.ratable.standing.may_rate and mine.ratable.until is not None:
        until = f"{mine.ratable.until.astimezone(zone):%Y-%m-%d %H:%M}"
        link = f"{base}/rate/{give_token(conn, hub, report)}"
        chinese += [f"您对处置结果是否满意？请于 {until} 前评价：", f"{link}?lang=zh"]
        english += [f"How was it dealt with? Please tell us by {until}:", f"{link}?lang=en"]
    parts = [chinese, english] if hub.config.open311.language == "zh" else [english, chinese]
    subject = f"您上报的事件已结案 / Your report was closed: {event.number}"
    return subject, [*parts[0], "", *parts[1], "", f"({zone.key})"]
