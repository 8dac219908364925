"""Other systems are told: signed, in order for each event, until they take it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.backoff import wait_s
from hub.domain.errors import ForbiddenError, InvalidError, NotAllowedError
from hub.outward_settings import WebhooksConfig
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.outward.deliver_webhooks import REFUSED_TIMES, deliver_some
from hub.services.outward.keep_webhooks import (
    Made,
    Wanted,
    add_webhook,
    queue_test,
    redeliver,
    remove_webhook,
    rotate_secret,
    show_webhook,
    start_webhook,
    webhooks_of,
)
from hub.services.outward.sending import AddressError, Sender, SendingError
from hub.services.outward.share_outbox import prune_outbox, share_outbox
from hub.services.record_detections import record_detections
from hub.services.report_manually import ManualReport, report_manually
from hub.store import notices, webhooks
from hub.store.detections import Change
from tests.hub.builders import SQUARE, Clock, config, detection, north, opened, rows
from tests.hub.receiver import Receiver, receiving

OPERATOR = Actor("Chen Jing", Role.DISPATCHER)
HERE = ("127.0.0.0/8",)
GO = threading.Event()
SETTINGS = WebhooksConfig(allowed_networks=HERE, allow_plain_http=True, timeout_s=2.0)
SENDER = Sender(SETTINGS.networks(), allow_plain_http=True, timeout_s=2.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    with opened(replace(config(database_url, tmp_path), webhooks=SETTINGS), clock) as hub:
        yield hub


def told(hub: Hub, url: str, **wanted: object) -> Made:
    with hub.pool.connection() as conn:
        return add_webhook(conn, hub, SENDER, Wanted(url, **wanted), OPERATOR)  # type: ignore[arg-type]


def reported(hub: Hub, words: str = "Rubbish", metres: float = 0.0) -> str:
    report = ManualReport(OPERATOR, words, north(SQUARE, metres), Category.URBAN_MANAGEMENT)
    with hub.pool.connection() as conn:
        return report_manually(conn, hub, report).number


def act(hub: Hub, number: str, name: str, **given: object) -> None:
    with hub.pool.connection() as conn:
        act_on_event(conn, hub, number, Act(name, **given), OPERATOR, None)  # type: ignore[arg-type]


def deliver(hub: Hub) -> None:
    """Everything that is due now is shared and sent."""
    with hub.pool.connection() as conn:
        share_outbox(conn, hub)
    while deliver_some(hub, SENDER, GO):
        pass


def view(hub: Hub, id: int) -> webhooks.WebhookView:
    with hub.pool.connection() as conn:
        return webhooks.views(conn, id)[0]


def steps(receiver: Receiver) -> list[str]:
    return [json.loads(m.body)["id"] for m in receiver.messages]


def is_signed(message: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver checks it: docs/speaking-to-others.md."""
    content = f"{message['webhook-id']}.{message['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given = [s.partition(",")[2] for s in message["webhook-signature"].split()]
    return any(hmac.compare_digest(g, expected) for g in given)


def test_each_step_is_told_as_a_signed_cloud_event(hub: Hub, receiver: Receiver) -> None:
    secret = told(hub, receiver.url).secret
    number = reported(hub)
    act(hub, number, "file")
    deliver(hub)
    first, second = (json.loads(m.body) for m in receiver.messages)
    assert [first["id"], second["id"]] == [f"{number}/1", f"{number}/2"]
    assert (first["specversion"], first["subject"]) == ("1.0", number)
    assert second["type"] == "org.gridwarden.grid-event.file.v1"
    assert second["data"]["state"] == "filed"
    assert second["data"]["geometry"]["type"] == "Point"
    message = receiver.messages[0]
    assert message.headers["content-type"].startswith("application/cloudevents+json")
    assert is_signed(message.headers, message.body, secret)
    assert not is_signed(message.headers, message.body + b" ", secret)
    assert OPERATOR.name.encode() not in message.body  # who acted is told by role


def test_a_secret_is_shown_once_and_the_one_before_signs_for_a_day(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    made = told(hub, receiver.url)
    with hub.pool.connection() as conn:
        rotated = rotate_secret(conn, hub, made.webhook.id, OPERATOR)
    assert rotated.secret != made.secret
    assert not hasattr(rotated.webhook, "secret")
    reported(hub)
    deliver(hub)
    clock.move(25 * 3600)
    reported(hub, metres=500)
    deliver(hub)
    both, later = receiver.messages
    assert is_signed(both.headers, both.body, made.secret)
    assert is_signed(both.headers, both.body, rotated.secret)
    assert not is_signed(later.headers, later.body, made.secret)
    assert is_signed(later.headers, later.body, rotated.secret)


def test_a_receiver_that_is_down_for_a_week_loses_nothing_and_holds_up_nobody(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    with receiving() as gone:
        down = told(hub, gone.url).webhook
    told(hub, receiver.url)
    number = reported(hub)
    deliver(hub)
    assert steps(receiver) == [f"{number}/1"]
    for _ in range(7):
        clock.move(24 * 3600)
        deliver(hub)
    act(hub, number, "file")
    deliver(hub)
    state = view(hub, down.id)
    assert (state.waiting, state.dead) == (2, 0)
    assert state.failures >= 8
    with hub.pool.connection() as conn:
        assert [n.kind for n in notices.inbox(conn, OPERATOR, None, 99)] == ["receiver_down"]
    with receiving() as back:
        with hub.pool.connection() as conn:
            conn.execute("UPDATE webhook SET url = %s WHERE id = %s", (back.url, down.id))
        clock.move(2 * 3600)
        deliver(hub)
        assert steps(back) == [f"{number}/1", f"{number}/2"]
    assert view(hub, down.id).failing_since is None


def test_what_one_event_waits_for_holds_up_no_other(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    receiver.refuses = "Poison"
    webhook = told(hub, receiver.url).webhook
    bad = reported(hub, "Poison")
    good = reported(hub, "Rubbish", 500)
    act(hub, bad, "file")
    act(hub, good, "file")
    deliver(hub)
    assert steps(receiver) == [f"{bad}/1", f"{good}/1", f"{good}/2"]
    for _ in range(REFUSED_TIMES):
        clock.move(3 * 3600)
        deliver(hub)
    assert steps(receiver).count(f"{bad}/1") == REFUSED_TIMES
    assert view(hub, webhook.id).dead >= 1
    receiver.refuses = ""
    receiver.messages.clear()
    with hub.pool.connection() as conn:
        redeliver(conn, hub, webhook.id, None, OPERATOR)
    clock.move(3 * 3600)
    deliver(hub)
    assert f"{bad}/1" in steps(receiver)
    assert view(hub, webhook.id).waiting == 0


def test_a_message_that_breaks_its_receiver_does_not_stand_before_all_others(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    told(hub, receiver.url)
    bad, good = reported(hub, "Breaks it"), reported(hub, "Rubbish", 500)
    receiver.answers = [500]
    deliver(hub)
    clock.move(7)
    deliver(hub)
    assert steps(receiver)[:2] == [f"{bad}/1", f"{good}/1"]
    clock.move(60)
    deliver(hub)
    assert steps(receiver)[2:] == [f"{bad}/1"]


def test_redirects_are_not_followed(hub: Hub, receiver: Receiver) -> None:
    webhook = told(hub, receiver.url).webhook
    receiver.answers = [302]
    reported(hub)
    deliver(hub)
    assert [m.path for m in receiver.messages] == ["/hook"]
    with hub.pool.connection() as conn:
        (delivery,) = webhooks.deliveries(conn, webhook.id, None, None, 9)
    assert (delivery.state, delivery.last_status) == ("waiting", 302)


def test_a_receiver_that_says_it_is_gone_is_stopped_until_somebody_starts_it(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    webhook = told(hub, receiver.url).webhook
    receiver.answers = [410]
    number = reported(hub)
    deliver(hub)
    clock.move(7 * 3600)
    deliver(hub)
    assert len(receiver.messages) == 1
    assert view(hub, webhook.id).stopped_why == "the receiver says it is gone (410)"
    with hub.pool.connection() as conn:
        start_webhook(conn, hub, webhook.id, OPERATOR)
    deliver(hub)
    assert steps(receiver) == [f"{number}/1"] * 2


def test_a_message_is_dead_after_a_fortnight_and_seen_to_be(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    webhook = told(hub, receiver.url).webhook
    receiver.answers = [503] * 3
    reported(hub)
    deliver(hub)
    clock.move(14 * 24 * 3600)
    deliver(hub)
    with hub.pool.connection() as conn:
        (delivery,) = webhooks.deliveries(conn, webhook.id, "dead", None, 9)
        assert (delivery.last_error or "").startswith("HTTP 503")
        assert notices.unread(conn, OPERATOR, 9) == 1


def test_a_receiver_gets_only_what_it_asked_for(hub: Hub, receiver: Receiver) -> None:
    told(hub, receiver.url, steps=("file",), severities=("S3", "S4"))
    with receiving() as elsewhere:
        told(hub, elsewhere.url, cell="999999")
        number = reported(hub)
        act(hub, number, "file")
        deliver(hub)
        assert elsewhere.messages == []
    assert steps(receiver) == [f"{number}/2"]


def test_a_daily_test_is_told_to_who_asked_for_tests(hub: Hub, receiver: Receiver) -> None:
    told(hub, receiver.url, tests=True)
    tested = detection(at=hub.now(), test=True)
    with receiving() as elsewhere:
        told(hub, elsewhere.url)
        with hub.pool.connection() as conn:
            change = Change("S1", "edge-1", "boot-1", 1, tested, hub.now())
            assert record_detections(conn, hub, [change]) == []
        deliver(hub)
        assert elsewhere.messages == []
    assert [json.loads(m.body)["data"]["step"] for m in receiver.messages] == [
        "ingest_detection",
        "lapse",
    ]


def test_a_test_message_is_sent_like_any_other(hub: Hub, receiver: Receiver) -> None:
    made = told(hub, receiver.url)
    with hub.pool.connection() as conn:
        id = queue_test(conn, hub, made.webhook.id, OPERATOR)
    deliver(hub)
    (message,) = receiver.messages
    assert json.loads(message.body)["type"] == "org.gridwarden.webhook.test.v1"
    assert is_signed(message.headers, message.body, made.secret)
    with hub.pool.connection() as conn:
        assert [
            (d.id, d.state) for d in webhooks.deliveries(conn, made.webhook.id, None, None, 9)
        ] == [(id, "delivered")]


def test_the_address_of_a_webhook_which_may_hold_a_key_is_in_no_log_or_notice(
    hub: Hub, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    told(hub, f"{receiver.url}?key=s3cret")
    reported(hub)
    receiver.answers = [503, 503]
    deliver(hub)
    clock.move(2 * 3600.0)
    deliver(hub)
    assert "webhook 1 (http://127.0.0.1) fails" in caplog.text
    with hub.pool.connection() as conn:
        (notice,) = notices.inbox(conn, OPERATOR, None, 9)
    assert notice.title_en == "A receiver cannot be reached: http://127.0.0.1"
    assert "s3cret" not in caplog.text


def test_hubs_that_run_at_once_send_each_message_once(hub: Hub, receiver: Receiver) -> None:
    told(hub, receiver.url)
    number = reported(hub)
    for _ in range(9):
        act(hub, number, "comment", note="again")
    with hub.pool.connection() as one, hub.pool.connection() as other:
        assert share_outbox(one, hub) == 10
        assert share_outbox(other, hub) == 0
    threads = [threading.Thread(target=deliver_some, args=(hub, SENDER, GO)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert steps(receiver) == [f"{number}/{n}" for n in range(1, 11)]


def test_a_hub_that_was_killed_lets_go_of_its_claim(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    told(hub, receiver.url)
    reported(hub)
    with hub.pool.connection() as conn:
        share_outbox(conn, hub)
        assert webhooks.claim(conn, hub.now(), clock.at.replace(hour=9)) is not None
    assert not deliver_some(hub, SENDER, GO)
    clock.move(3600)
    assert deliver_some(hub, SENDER, GO)
    assert len(receiver.messages) == 1


def test_what_was_told_is_forgotten_after_its_time_and_not_before(
    hub: Hub, receiver: Receiver, clock: Clock
) -> None:
    webhook = told(hub, receiver.url).webhook
    reported(hub)
    deliver(hub)
    receiver.answers = [503] * 9
    reported(hub, metres=500)
    deliver(hub)
    clock.move(31 * 24 * 3600)
    with hub.pool.connection() as conn:
        assert prune_outbox(conn, hub) == 1
    assert view(hub, webhook.id).waiting == 1
    with hub.pool.connection() as conn:
        remove_webhook(conn, webhook.id, OPERATOR)
    assert rows(hub.config.database.url, "SELECT count(*) FROM webhook_delivery") == [(0,)]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://192.168.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://[fd00::1]/x",
        "https://0.0.0.0/x",
        "https://224.0.0.1/x",
        "http://93.184.216.34/x",
        "ftp://93.184.216.34/x",
        "https://name:password@93.184.216.34/x",
        "https:///x",
        "https://93.184.216.34:99999/x",
        "https://93.184.216.34/x y",
        "https://93.184.216.34/x\r\nX-Injected: 1",
        "",
    ],
)
def test_an_address_that_reaches_inwards_is_refused(url: str) -> None:
    guarded = Sender((), allow_plain_http=False, timeout_s=1.0)
    with pytest.raises(AddressError):
        guarded.check(url)


def test_a_name_that_resolves_inwards_is_refused_when_it_is_sent_to() -> None:
    guarded = Sender((), allow_plain_http=True, timeout_s=1.0)
    with pytest.raises(AddressError, match=r"(127\.0\.0\.1|::1) is not a public address"):
        guarded.post("http://localhost:1/x", b"", {})


def test_a_receiver_that_drips_its_answer_is_cut_off_at_the_deadline(receiver: Receiver) -> None:
    receiver.drips = True
    guarded = Sender(
        WebhooksConfig(allowed_networks=HERE).networks(), allow_plain_http=True, timeout_s=0.3
    )
    begun = time.monotonic()
    with pytest.raises(SendingError, match=r"no answer within 0\.3 s"):
        guarded.post(receiver.url, b"{}", {})
    assert time.monotonic() - begun < 5


def test_webhooks_are_kept_by_those_who_may_and_say_what_is_wrong(
    hub: Hub, receiver: Receiver
) -> None:
    with hub.pool.connection() as conn:
        with pytest.raises(NotAllowedError):
            add_webhook(conn, hub, SENDER, Wanted(receiver.url), Actor("x", Role.ASSISTANT))
        with pytest.raises(InvalidError, match="'fly' is no step"):
            add_webhook(conn, hub, SENDER, Wanted(receiver.url, steps=("fly",)), OPERATOR)
        with pytest.raises(InvalidError, match="not a public address"):
            add_webhook(conn, hub, SENDER, Wanted("https://10.0.0.1/"), OPERATOR)


def test_who_may_act_in_some_cells_has_nobody_told_of_others(hub: Hub, receiver: Receiver) -> None:
    master = Actor("zhao", Role.MASTER, cells=("410105001",))
    whole = told(hub, receiver.url).webhook
    with hub.pool.connection() as conn:
        with pytest.raises(ForbiddenError, match="every cell tells of more than 410105001"):
            add_webhook(conn, hub, SENDER, Wanted(receiver.url), master)
        with pytest.raises(ForbiddenError):
            rotate_secret(conn, hub, whole.id, master)
        with pytest.raises(ForbiddenError):
            show_webhook(conn, whole.id, master)
        wanted = Wanted(receiver.url, cell="410105001002")
        own = add_webhook(conn, hub, SENDER, wanted, master).webhook
        assert webhooks_of(conn, master) == [own]
        assert webhooks_of(conn, OPERATOR) == [whole, own]


def test_waits_double_up_to_the_longest_and_vary_by_a_fifth() -> None:
    waits = [wait_s(n, 5.0, 3600.0, lambda: 0.5) for n in (1, 2, 3, 10, 11, 2000)]
    assert waits == [5.0, 10.0, 20.0, 2560.0, 3600.0, 3600.0]
    assert wait_s(1, 5.0, 3600.0, lambda: 0.0) == 4.0
    assert wait_s(1, 5.0, 3600.0, lambda: 1.0) == pytest.approx(6.0)
