"""Mail leaves: one for each notice, or one digest where a storm would bury its reader.

Mail that was sent and whose hub was killed before it could note so is sent again: SMTP knows no
better. Its Message-ID stays the same, by which mail programs tell the two apart.
"""

from __future__ import annotations

import logging
import random
import smtplib
import ssl
import threading
from collections import defaultdict
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from psycopg import Connection

from hub.domain.backoff import wait_s
from hub.domain.quiet import AT_ANY_TIME
from hub.services.context import Hub
from hub.services.outward.ask_reporters import letter_to_reporter
from hub.store import mail
from hub.store.mail import DueMail

AT_ONCE = 50  # mails in one round
_FIRST_WAIT_S, _LONGEST_WAIT_S = 10.0, 1800.0
_GRAVE_MINUTES = 1  # between two digests that tell of S1 or S2
_LISTED = 20  # notices a digest names

_log = logging.getLogger(__name__)


def send_due(hub: Hub, stop: threading.Event) -> int:
    """Send the mail that is due, up to AT_ONCE; how many were dealt with.

    Opens transactions of its own: none is held while the mail server is waited for.
    """
    settings = hub.config.mail
    if not settings.host:
        return 0
    now = hub.now()
    lease = timedelta(seconds=AT_ONCE * settings.timeout_s + 60.0)
    with hub.pool.connection() as conn:
        due = _without_storms(conn, hub, mail.claim(conn, now, now + lease, AT_ONCE))
    if not due:
        return 0
    try:
        server = _connect(hub)
    except (OSError, smtplib.SMTPException) as e:
        _log.warning("the mail server %s:%d fails: %s", settings.host, settings.port, e)
        for one in due:
            _failed(hub, one, f"mail server: {e}", for_good=False)
        return len(due)
    with server:
        for one in due:
            if stop.is_set():
                with hub.pool.connection() as conn:
                    mail.release(conn, [m.id for m in due[due.index(one) :]])
                break
            _send(hub, server, one)
    return len(due)


def _without_storms(conn: Connection[Any], hub: Hub, due: list[DueMail]) -> list[DueMail]:
    """What is to be sent singly: the mail of people who get too many is folded into a digest."""
    settings, now = hub.config.notices, hub.now()
    span = timedelta(minutes=settings.storm_minutes)
    by_person: dict[str, list[DueMail]] = defaultdict(list)
    for one in due:
        by_person[one.person].append(one)
    left: list[DueMail] = []
    for person, theirs in by_person.items():
        singles = [m for m in theirs if not m.is_digest]
        digests = [m for m in theirs if m.is_digest]
        digest = mail.digest_waiting(conn, person) if singles else None
        had = mail.sent_since(conn, person, now - span)
        if singles and (digest is not None or had + len(singles) > settings.storm_notices):
            if digest is None:
                digest = mail.begin_digest(conn, singles[0], now, _digest_at(conn, hub, singles))
            n = mail.fold(conn, digest, person, [m.id for m in singles], now)
            _log.warning("%d notices to %s are folded into one mail", n, person)
            singles = []
        left += singles + digests
    return left


def _digest_at(conn: Connection[Any], hub: Hub, folded: list[DueMail]) -> datetime:
    """Digests keep a distance from each other, a shorter one where something grave is told."""
    now = hub.now()
    grave = any(m.severity in AT_ANY_TIME for m in folded)
    apart = timedelta(minutes=_GRAVE_MINUTES if grave else hub.config.notices.storm_minutes)
    last = mail.last_digest_at(conn, folded[0].person)
    return now if last is None else max(now, last + apart)


def _connect(hub: Hub) -> smtplib.SMTP:
    settings = hub.config.mail
    context = ssl.create_default_context(cafile=settings.ca_file)
    server: smtplib.SMTP
    if settings.security == "tls":
        server = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=settings.timeout_s, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)  # raises where the server has none
        if settings.username:
            server.login(settings.username, settings.password)
    except BaseException:
        server.close()
        raise
    return server


def _send(hub: Hub, server: smtplib.SMTP, one: DueMail) -> None:
    try:
        with hub.pool.connection() as conn:
            message = _compose(conn, hub, one)
        if message is None:
            _failed(hub, one, "the case was opened again before it was sent", for_good=True)
            return
        server.send_message(message, hub.config.mail.sender, [one.address])
    except smtplib.SMTPRecipientsRefused as e:
        code = next(iter(e.recipients.values()), (550, b""))[0]
        _failed(hub, one, f"the mail server refuses {one.address} ({code})", for_good=code >= 500)
    except (OSError, smtplib.SMTPException, ValueError) as e:
        permanent = isinstance(e, ValueError) or (
            isinstance(e, smtplib.SMTPResponseException) and e.smtp_code >= 500
        )
        _failed(hub, one, str(e) or type(e).__name__, for_good=permanent)
    else:
        with hub.pool.connection() as conn:
            mail.sent(conn, one.id, hub.now())


def _failed(hub: Hub, one: DueMail, error: str, *, for_good: bool) -> None:
    now = hub.now()
    given_up = now - one.queued_at >= timedelta(hours=hub.config.mail.give_up_hours)
    wait = wait_s(one.attempts + 1, _FIRST_WAIT_S, _LONGEST_WAIT_S, random.random)
    again_at = None if for_good or given_up else now + timedelta(seconds=wait)
    with hub.pool.connection() as conn:
        mail.failed(conn, one.id, error[:1000], now, again_at)
    if again_at is None:
        _log.warning("mail %d to %s is given up: %s", one.id, one.person, error)


def _compose(conn: Connection[Any], hub: Hub, one: DueMail) -> EmailMessage | None:
    """The mail as it is now; None where it has nothing to tell any more."""
    if one.report is not None:
        letter = letter_to_reporter(conn, hub, one.report, one.queued_at)
        return None if letter is None else _envelope(hub, one, *letter)
    return _digest(conn, hub, one) if one.is_digest else _message(hub, one)


def _message(hub: Hub, one: DueMail) -> EmailMessage:
    zh = one.language == "zh"
    title = str(one.title_zh if zh else one.title_en)
    zone = hub.zone
    at = (one.at or one.queued_at).astimezone(zone)
    lines = [title, ""]
    if one.number:
        lines.append(f"{'编号' if zh else 'Number'}: {one.number}")
    if one.severity:
        lines.append(f"{'等级' if zh else 'Severity'}: {one.severity}")
    lines.append(f"{'时间' if zh else 'Time'}: {at:%Y-%m-%d %H:%M} ({zone.key})")
    if one.body:
        lines += ["", one.body]
    base = hub.config.http.public_url
    if base:
        lines += ["", f"{base}/events/{one.number}" if one.number else f"{base}/notices"]
    grave = f"[{one.severity}] " if one.severity else ""
    return _envelope(hub, one, grave + title, lines)


def _digest(conn: Connection[Any], hub: Hub, one: DueMail) -> EmailMessage:
    zh = one.language == "zh"
    count, gravest = mail.folded(conn, one.id, _LISTED)
    count_told = f"{count} 条通知" if zh else f"{count} notices"
    lines = [
        f"短时间内有 {count} 条通知，已合并为此邮件。"
        if zh
        else f"{count} notices came within a short time and are folded into this mail.",
        "",
        *(
            f"{n.severity or '--'}  {n.title_zh if zh else n.title_en}"
            + (f"  ({n.number})" if n.number else "")
            for n in gravest
        ),
    ]
    if count > len(gravest):
        lines.append(
            f"… 另有 {count - len(gravest)} 条" if zh else f"… and {count - len(gravest)} more"
        )
    base = hub.config.http.public_url
    if base:
        lines += ["", f"{base}/notices"]
    grave = f"[{one.severity}] " if one.severity else ""
    return _envelope(hub, one, grave + count_told, lines)


def _envelope(hub: Hub, one: DueMail, subject: str, lines: list[str]) -> EmailMessage:
    message = EmailMessage()
    # a header ends at a line break: a title that holds one must not write headers of its own
    message["Subject"] = " ".join(subject.split())
    message["From"] = Address("Gridwarden", addr_spec=hub.config.mail.sender)
    message["To"] = Address(addr_spec=one.address)
    message["Date"] = format_datetime(hub.now())
    message["Message-ID"] = f"<notice-{one.id}.{hub.config.hub.district}@{_domain(hub)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n")
    return message


def _domain(hub: Hub) -> str:
    return hub.config.mail.sender.rpartition("@")[2]
