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

from hub.api.live import QUEUE, RESYNC, Live, LiveMessage, _Client
from hub.server import serve
from tests.hub.api.city import City, city, free_port
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually


@contextmanager
def listening(town: City) -> Iterator[Iterator[tuple[str, str]]]:
    """(topic, id) of what a page hears, from its first word on."""
    with (
        httpx.Client(
            base_url=town.url, cookies=signed_in(town.hub), timeout=20, trust_env=False
        ) as asks,
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
    page = _Client()
    for n in range(QUEUE + 50):
        page.offer(LiveMessage("event", json.dumps({"id": n})))
    assert page.take() == [RESYNC]
    page.offer(LiveMessage("event", "{}"))
    page.offer(LiveMessage("event", "{}"))
    assert page.take() == [LiveMessage("event", "{}")]


def test_a_quiet_stream_says_that_it_is_still_there(database_url: str, tmp_path: Path) -> None:
    async def first_words() -> list[bytes]:
        live = Live(database_url, heartbeat_s=0.05)
        live.start()
        words = []
        async for word in live.stream():
            words.append(word)
            if len(words) == 4:
                live.close()
                break
        await asyncio.to_thread(live.join)
        return words

    assert b": still here\n\n" in asyncio.run(first_words())
    with psycopg.connect(database_url) as conn:
        left = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gridwarden live' "
            "AND datname = current_database()"
        ).fetchone()
    assert left == (0,)
