"""Mail to people, by a real SMTP server: singly, in a digest when it storms, tried again."""

from __future__ import annotations

import email
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from contract.taxonomy import Category, Severity
from gridwarden.ports import choose
from hub.domain.actor import Actor, Role
from hub.domain.notice import NoticeKind
from hub.domain.rating import Standing
from hub.outward_settings import MailConfig, NoticesConfig
from hub.services.context import Hub
from hub.services.outward.own_report import my_report, report_of
from hub.services.outward.public_face import PublicReport, take_report
from hub.services.outward.send_mail import send_due
from hub.services.outward.tell import tell
from hub.services.report_manually import ManualReport, report_manually
from hub.store.rows import GridEventRow
from tests.hub.builders import SQUARE, Clock, config, opened, rows
from tests.hub.cases import DISPATCHER, SUPERVISOR, act, force_close
from tests.hub.test_telling import Person

GO = threading.Event()
OPERATOR = Actor("operator", Role.DISPATCHER)
LI = Person("P1001", "li@district.example", "zh")
ANN = Person("P1002", "ann@district.example", "en")


@dataclass  # no slots: aiosmtpd looks at every member, which early 3.11 cannot do to slots
class Post:
    """What a mail server took, and how it answers."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)  # answers by address

    async def handle_RCPT(  # noqa: N802
        self, _s: Any, _session: Any, envelope: Any, address: str, _o: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


@contextmanager
def posting() -> Iterator[Post]:
    post = Post()
    post.port = choose(random.randrange(30_000, 32_000))
    controller = Controller(post, hostname="127.0.0.1", port=post.port)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


@pytest.fixture
def post() -> Iterator[Post]:
    with posting() as post:
        yield post


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock, post: Post) -> Iterator[Hub]:
    base = config(database_url, tmp_path)
    settings = replace(
        base,
        mail=MailConfig(
            host="127.0.0.1", port=post.port, security="none", sender="hub@district.example"
        ),
        notices=NoticesConfig(storm_notices=5, storm_minutes=10),
        http=replace(base.http, public_url="https://hub.example"),
    )
    with opened(settings, clock) as hub:
        yield hub


def an_event(hub: Hub, words: str = "Rubbish", severity: Severity = Severity.S3) -> GridEventRow:
    report = ManualReport(OPERATOR, words, SQUARE, Category.URBAN_MANAGEMENT, severity=severity)
    with hub.pool.connection() as conn:
        return report_manually(conn, hub, report)


def told(hub: Hub, event: GridEventRow, *people: Person, times: int = 1) -> None:
    with hub.pool.connection() as conn:
        for n in range(times):
            tell(conn, hub, NoticeKind.SUPERVISION, event, people, occasion=f"{hub.now()} {n}")


def subjects(post: Post) -> list[str]:
    return [str(m["Subject"]) for m in post.mails]


def test_a_notice_is_mailed_in_the_readers_language_with_a_link(hub: Hub, post: Post) -> None:
    event = an_event(hub, "Rubbish\nBcc: all@district.example")
    told(hub, event, LI, ANN)
    assert send_due(hub, GO) == 2
    assert send_due(hub, GO) == 0
    by_address = {str(m["To"]): m for m in post.mails}
    english, chinese = by_address[ANN.email or ""], by_address[LI.email or ""]
    assert (
        english["Subject"] == "[S3] Overdue, under supervision: Rubbish Bcc: all@district.example"
    )
    assert english["Bcc"] is None  # a title writes no header
    assert "已超时" in str(chinese["Subject"])
    assert f"https://hub.example/events/{event.number}" in english.get_content()


def test_a_storm_is_folded_into_one_mail_that_says_how_many(
    hub: Hub, post: Post, clock: Clock
) -> None:
    event = an_event(hub)
    told(hub, event, ANN, times=40)
    told(hub, event, LI)
    send_due(hub, GO)
    send_due(hub, GO)
    assert sorted(subjects(post)) == ["[S3] 40 notices", "[S3] 已超时，督办：Rubbish"]
    digest = next(m for m in post.mails if m["To"] == ANN.email)
    assert "and 20 more" in digest.get_content()
    assert "https://hub.example/notices" in digest.get_content()
    clock.move(60)
    told(hub, event, ANN, times=7)
    send_due(hub, GO)
    send_due(hub, GO)
    assert len(post.mails) == 2  # the next digest keeps its distance
    clock.move(600)
    send_due(hub, GO)
    assert subjects(post)[2:] == ["[S3] 7 notices"]


def test_a_few_notices_are_mailed_singly(hub: Hub, post: Post) -> None:
    told(hub, an_event(hub), ANN, times=5)
    send_due(hub, GO)
    assert len(post.mails) == 5


def test_mail_that_finds_no_server_waits_for_it(hub: Hub, post: Post, clock: Clock) -> None:
    told(hub, an_event(hub), ANN)
    with opened(
        replace(hub.config, mail=replace(hub.config.mail, port=1)), clock
    ) as without_server:
        send_due(without_server, GO)
    assert send_due(hub, GO) == 0  # not at once
    clock.move(60)
    assert send_due(hub, GO) == 1
    assert len(post.mails) == 1


def test_an_address_that_is_refused_for_good_is_given_up(
    hub: Hub, post: Post, clock: Clock
) -> None:
    post.refuse = {ANN.email or "": "550 no such user", LI.email or "": "451 try later"}
    told(hub, an_event(hub), ANN, LI)
    send_due(hub, GO)
    found = rows(hub.config.database.url, "SELECT person, state FROM mail ORDER BY person")
    assert found == [("P1001", "waiting"), ("P1002", "dead")]
    post.refuse = {}
    clock.move(60)
    send_due(hub, GO)
    assert [m["To"] for m in post.mails] == [LI.email]


def test_hubs_that_run_at_once_mail_each_notice_once(hub: Hub, post: Post) -> None:
    told(hub, an_event(hub), ANN, LI)
    threads = [threading.Thread(target=send_due, args=(hub, GO)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(post.mails) == 2


def test_without_tls_the_hub_logs_in_nowhere(
    database_url: str, tmp_path: Path, clock: Clock, post: Post
) -> None:
    """The server offers no STARTTLS: nothing is sent, least of all the password."""
    mail = MailConfig(
        host="127.0.0.1",
        port=post.port,
        security="starttls",
        username="hub",
        password="secret",
        sender="hub@district.example",
    )
    with opened(replace(config(database_url, tmp_path), mail=mail), clock) as hub:
        told(hub, an_event(hub), ANN)
        send_due(hub, GO)
    assert post.mails == []
    ((error,),) = rows(database_url, "SELECT last_error FROM mail")
    assert "STARTTLS" in error


def test_a_reporter_hears_that_it_is_closed_and_is_asked_by_a_link_that_is_made_as_it_is_sent(
    hub: Hub, post: Post, clock: Clock
) -> None:
    with hub.pool.connection() as conn:
        for email in ("zhang@mail.example", "ZHANG@mail.example", "", "no address"):
            report = PublicReport("exposed_rubbish", "Bags", SQUARE, email=email)
            event = take_report(conn, hub, report).event
    act(hub, event, "file", DISPATCHER)
    force_close(hub, event)
    clock.move(29)
    assert send_due(hub, GO) == 0  # it may still be undone
    clock.move(2)
    assert send_due(hub, GO) == 1
    (letter,) = post.mails
    assert str(letter["To"]).lower() == "zhang@mail.example"
    text = letter.get_content()
    tokens = set(re.findall(r"https://hub.example/rate/([A-Za-z0-9_-]+)", text))
    assert len(tokens) == 1
    assert "已于" in text
    assert "was closed on" in text
    with hub.pool.connection() as conn:
        mine = my_report(conn, hub, report_of(conn, tokens.pop()))
    assert (mine.event.number, mine.ratable.standing) == (event.number, Standing.OPEN)
    stored = rows(hub.config.database.url, "SELECT digest FROM report_token")
    assert all(digest not in text for (digest,) in stored)


def test_a_letter_of_a_closing_that_was_taken_back_is_not_sent(
    hub: Hub, post: Post, clock: Clock
) -> None:
    with hub.pool.connection() as conn:
        report = PublicReport("exposed_rubbish", "Bags", SQUARE, email="zhang@mail.example")
        event = take_report(conn, hub, report).event
    act(hub, event, "file", DISPATCHER)
    force_close(hub, event)
    act(hub, event, "undo", SUPERVISOR)
    clock.move(31)
    assert send_due(hub, GO) == 1
    assert post.mails == []
    force_close(hub, event)
    clock.move(31)
    assert send_due(hub, GO) == 1
    assert len(post.mails) == 1
    told = "SELECT state, last_error FROM mail ORDER BY id"
    assert rows(hub.config.database.url, told) == [
        ("dead", "the case was opened again before it was sent"),
        ("sent", None),
    ]
