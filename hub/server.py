"""The hub's parts, run until they are told to stop: API, ingestion, timers, upkeep, notify."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from contract.errors import GridwardenError
from hub.config import HubConfig
from hub.grid_watch import watch_grid
from hub.ingest.subscriber import run_ingest as ingest
from hub.notify import run_notify as notify
from hub.services.context import Hub, open_hub
from hub.timers import run_timers as timers
from hub.upkeep import run_upkeep as upkeep

GRACE_S = 2  # for requests under way when the API stops

Part = Callable[[Hub, threading.Event], None]
_TIMED: dict[str, Part] = {
    "timers": partial(timers, compare=True),
    "upkeep": upkeep,
}  # what time alone brings about


class ServerError(GridwardenError):
    """A part of the hub cannot start, or ended by itself."""


def run(config: HubConfig, stop: threading.Event) -> None:
    """API, ingestion, timers, upkeep and notify in this process, until `stop` is set.

    Raises a GridwardenError with one clear line where a part cannot start.
    """
    with _opened(config) as hub:
        _run_parts(hub, stop, {"api": serve, "ingest": ingest, "notify": notify, **_TIMED})


def run_api(config: HubConfig, stop: threading.Event) -> None:
    """Only the API; it keeps no state, so there may be many."""
    with _opened(config) as hub:
        _run_parts(hub, stop, {"api": serve})


def run_ingest(config: HubConfig, stop: threading.Event) -> None:
    """Only ingestion; a second one stands by for the stations of the first."""
    with _opened(config) as hub:
        _run_parts(hub, stop, {"ingest": ingest})


def run_timers(config: HubConfig, stop: threading.Event) -> None:
    """Only the timers, and the upkeep of the database."""
    with _opened(config) as hub:
        _run_parts(hub, stop, _TIMED)


def run_notify(config: HubConfig, stop: threading.Event) -> None:
    """Only what speaks to others: webhooks, alerts, mail; there may be several."""
    with _opened(config) as hub:
        _run_parts(hub, stop, {"notify": notify})


def serve(hub: Hub, stop: threading.Event) -> None:
    """API and console, until `stop` is set. Raises ServerError where the port is taken."""
    import uvicorn  # the parts that serve nothing start in half the time without it

    from hub.api.app import create_app

    http = hub.config.http
    with _listen(http.host, http.port) as listener:
        app = create_app(hub)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
                proxy_headers=bool(http.trusted_proxies),
                forwarded_allow_ips=list(http.trusted_proxies),
                lifespan="on",
            )
        )
        # uvicorn's own `run` takes the process's signals; they are the command line's
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="api", daemon=True
        )
        thread.start()
        try:
            while not stop.wait(0.1):
                if not thread.is_alive():
                    raise ServerError("the API ended by itself; the log says why")
        finally:
            app.state.live.close()  # open pages would hold the server up
            server.should_exit = True
            thread.join(GRACE_S + 1.0)


@contextmanager
def _opened(config: HubConfig) -> Iterator[Hub]:
    hub = open_hub(config, lambda: datetime.now(UTC))
    try:
        yield hub
    finally:
        hub.close()


def _run_parts(hub: Hub, stop: threading.Event, parts: dict[str, Part]) -> None:
    """Run each part in a thread until `stop`, or until one of them fails, which is raised."""
    ended = threading.Event()  # set by `stop`, or by a part that fails
    failures: list[BaseException] = []

    def guard(part: Part) -> None:
        try:
            part(hub, ended)
        except BaseException as e:  # noqa: BLE001 - raised again in the caller's thread
            failures.append(e)
        finally:
            ended.set()

    threads = [
        threading.Thread(target=guard, args=(part,), name=f"hub-{name}")
        for name, part in {**parts, "grid": watch_grid}.items()
    ]
    for thread in threads:
        thread.start()
    while not ended.is_set() and not stop.wait(0.1):
        pass
    ended.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as e:
        raise ServerError(
            f"the API cannot listen on {host}:{port}: {e.strerror or e}; choose another http.port"
        ) from None
    with listener:
        yield listener
