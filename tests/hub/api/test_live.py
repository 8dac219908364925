"""What changes, as server-sent events from a real server."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from hub.api.live import QUEUE, RESYNC, Live, LiveClient, LiveMessage
from hub.domain.actor import Actor, Role
from hub.server import serve
from hub.store import changes, views
from tests.hub.api.city import City, city, free_port, street
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually

DISPATCHER = Actor("Chen Jing", Role.DISPATCHER)


@contextmanager
def listening(
    town: City, cookies: dict[str, str] | None = None
) -> Iterator[Iterator[tuple[str, str]]]:
    """(topic, id) of what a page hears, from its first word on; cookies: of whose page."""
    cookies = cookies or signed_in(town.hub)
    with (
        httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False) as asks,
        asks.stream("GET", "/api/v1/live") as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _messages(response.iter_lines())


def _messages(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    topic = ""
    for line in lines:
        if line.startswith("event: "):
            topic = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield topic, json.loads(line.removeprefix("data: ")).get("id", "")


def until(heard: Iterator[tuple[str, str]], wanted: tuple[str, str]) -> None:
    assert wanted in heard


def test_a_page_is_told_to_fetch_anew_and_then_of_every_event(town: City) -> None:
    with listening(town) as heard:
        assert next(heard) == ("resync", "")
        number = town.sees()
        until(heard, ("event", number))


def test_every_open_page_hears_a_decision(town: City, client: httpx.Client) -> None:
    number = town.sees()
    with listening(town) as first, listening(town) as second:
        next(first), next(second)
        body = {"verdict": "confirmed", "evidence_missing": True}
        client.post(f"/api/v1/events/{number}/verdict", json=body)
        until(first, ("event", number))
        until(second, ("event", number))


def cell_of(town: City, number: str) -> str:
    with town.hub.pool.connection() as conn:
        return views.event(conn, number).cell or ""


def before(heard: Iterator[tuple[str, str]], mark: str) -> list[tuple[str, str]]:
    """What is heard until the notice of that id, which is for whoever listens."""
    found: list[tuple[str, str]] = []
    for said in heard:
        if said == ("notice", mark):
            return found
        found.append(said)
    raise AssertionError(f"never heard of {mark}")


def tell(town: City, topic: changes.Topic, id: str) -> None:
    with town.hub.pool.connection() as conn:
        changes.tell(conn, topic, id)


def test_a_page_hears_of_events_and_evidence_within_reach_only(town: City) -> None:
    here, there = town.sees(picture=street(seed=1)), town.sees(stream="cam-02")
    assert cell_of(town, here) != cell_of(town, there)
    near = signed_in(town.hub, "near", Role.LEADER, (cell_of(town, here),))
    far = signed_in(town.hub, "far", Role.LEADER, (cell_of(town, there),))
    with listening(town, near) as heard_near, listening(town, far) as heard_far:
        assert next(heard_near) == next(heard_far) == ("resync", "")
        first = town.sees(picture=street(seed=2))
        assert first == here  # it joined
        tell(town, "notice", changes.EVERYBODY)

        told = before(heard_near, changes.EVERYBODY)
        assert ("event", here) in told
        assert {topic for topic, _ in told} == {"event", "evidence"}
        assert before(heard_far, changes.EVERYBODY) == []


def test_who_loses_an_event_is_told_of_it_once_more(town: City) -> None:
    number = town.sees()
    there = cell_of(town, town.sees(stream="cam-02"))
    near = signed_in(town.hub, "near", Role.LEADER, (cell_of(town, number),))
    with listening(town, near) as heard:
        next(heard)
        tell(town, "event", number)
        until(heard, ("event", number))
        town.execute("UPDATE grid_event SET cell = %s WHERE number = %s", there, number)
        for told in ([("event", number)], []):
            tell(town, "event", number)
            tell(town, "notice", changes.EVERYBODY)
            assert before(heard, changes.EVERYBODY) == told


def test_who_may_have_lost_an_event_before_anybody_listened_fetches_anew(
    town: City, client: httpx.Client
) -> None:
    number = town.sees()
    there = cell_of(town, town.sees(stream="cam-02"))
    body = {"verdict": "confirmed", "evidence_missing": True}
    assert client.post(f"/api/v1/events/{number}/verdict", json=body).is_success
    with listening(town, signed_in(town.hub, "far", Role.LEADER, (there,))) as heard:
        next(heard)
        tell(town, "event", number)
        assert next(heard) == ("resync", "")
        tell(town, "event", number)
        tell(town, "notice", changes.EVERYBODY)
        assert before(heard, changes.EVERYBODY) == []


def test_whoever_an_event_was_given_to_hears_of_it_wherever_it_lies(town: City) -> None:
    number = town.sees()
    elsewhere = cell_of(town, town.sees(stream="cam-02"))
    with listening(town, signed_in(town.hub, "wang", Role.ASSISTANT, (elsewhere,))) as heard:
        next(heard)
        town.execute("UPDATE grid_event SET assignee = 'wang' WHERE number = %s", number)
        tell(town, "event", number)
        until(heard, ("event", number))


def test_cameras_are_the_desks_and_a_notice_is_for_whom_it_names(town: City) -> None:
    with (
        listening(town, signed_in(town.hub, "wang", Role.ASSISTANT)) as assistant,
        listening(town) as desk,
    ):
        next(assistant), next(desk)
        tell(town, "stream", "demo-01/cam-01")
        tell(town, "agent", "demo-01")
        tell(town, "notice", "wang")
        tell(town, "notice", changes.EVERYBODY)

        told = [("stream", "demo-01/cam-01"), ("agent", "demo-01")]
        assert before(assistant, changes.EVERYBODY) == [("notice", "wang")]
        assert before(desk, changes.EVERYBODY) == told


def test_a_break_of_the_database_ends_in_a_resync_and_listening_goes_on(town: City) -> None:
    with listening(town) as heard:
        next(heard)
        time.sleep(0.3)
        town.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'gridwarden live' AND datname = current_database()"
        )
        until(heard, ("resync", ""))
        until(heard, ("event", town.sees()))


def test_what_is_not_a_notification_of_ours_is_passed_over(town: City) -> None:
    with listening(town) as heard:
        next(heard)
        for payload in ("nonsense", '{"topic": "secrets", "id": 1}', "[]"):
            town.execute("SELECT pg_notify('gridwarden', %s)", payload)
        until(heard, ("event", town.sees()))


def test_an_open_page_does_not_hold_up_a_stop(database_url: str, tmp_path: Path) -> None:
    with city(database_url, tmp_path, free_port()) as here:
        stop = threading.Event()
        thread = threading.Thread(target=serve, args=(here.hub, stop))
        thread.start()
        eventually(here.answers)
        with listening(here) as heard:
            next(heard)
            stop.set()
            assert list(heard) == []  # ended by the hub; cut off, it would raise
            thread.join(10)
        assert not thread.is_alive()


def test_a_page_that_is_too_slow_gets_one_resync_instead_of_a_backlog() -> None:
    page = LiveClient(DISPATCHER)
    for n in range(QUEUE + 50):
        page.offer(LiveMessage("event", json.dumps({"id": n})))
    assert page.take() == [RESYNC]
    page.offer(LiveMessage("event", "{}"))
    page.offer(LiveMessage("event", "{}"))
    assert page.take() == [LiveMessage("event", "{}")]


def test_a_page_that_was_there_before_the_listener_fetches_anew_once(database_url: str) -> None:
    async def first_words() -> list[bytes]:
        live = Live(database_url, heartbeat_s=0.2)
        live.start()
        words = []
        async for word in live.stream(LiveClient(DISPATCHER)):
            words.append(word)
            if live.listening and words[-1] == b": still here\n\n":
                live.close()
                break
        await asyncio.to_thread(live.join)
        return words

    assert sum(b"event: resync" in word for word in asyncio.run(first_words())) == 1


def test_a_quiet_stream_says_that_it_is_still_there(database_url: str, tmp_path: Path) -> None:
    async def first_words() -> list[bytes]:
        live = Live(database_url, heartbeat_s=0.05)
        live.start()
        words = []
        async for word in live.stream(LiveClient(DISPATCHER)):
            words.append(word)
            if len(words) == 4:
                live.close()
                break
        await asyncio.to_thread(live.join)
        return words

    assert b": still here\n\n" in asyncio.run(first_words())
    with psycopg.connect(database_url, autocommit=True) as conn:
        left = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gridwarden live' "
            "AND datname = current_database()"
        )
        eventually(lambda: conn.execute(left).fetchone(), (0,))
