"""The hub asks a camera, and the camera looks: an agent in a process of its own, a real broker.

Before the camera stands a folder of stills, into which the test puts what is to be seen.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hub.domain.actor import Actor, Role
from hub.domain.errors import NotAllowedError
from hub.ingest.subscriber import run_ingest
from hub.services.context import Hub
from hub.store import camera_looks, events, views
from hub.store.camera_looks import LookRow
from hub.store.rows import GridEventRow
from hub.timers import run_timers
from tests.hub.builders import config, eventually, fresh, opened, rows, running
from tests.hub.cases import DISPATCHER, LEADER, act, as_it_is, photo, steps

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
HANDLER = Actor("unit-b", Role.DEPT)
CATEGORIES = ROOT / "configs" / "categories.toml"
BRIGHT, DARK = 220, 40
STILL_S = 0.3
LITTER = '''"""Litter: as bright as the picture is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.params import param
from detectors.kit.registry import register
from detectors.kit.types import Finding, Frame, Observation


@dataclass(frozen=True, slots=True)
class LitterParams:
    threshold: float = param(0.5, minimum=0.05, maximum=1.0, unit="1", text="When to raise")


@register
class Litter:
    kind: ClassVar[str] = "litter"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Bright pictures."
    Params: ClassVar[type[LitterParams]] = LitterParams
    budget_ms: ClassVar[float] = 1.0
    sample_fps: ClassVar[float] = 0.0

    def __init__(self, params: LitterParams) -> None:
        self.params = params

    def use(self, params: LitterParams) -> None:
        self.params = params

    def rule(self) -> ConfirmationRule | None:
        return KOfN(2, 2, self.params.threshold).build()

    def policy(self) -> EpisodePolicy:
        return EpisodePolicy(off_delay_s=1.0, update_every_s=1.0)

    def observe(self, frame: Frame) -> Iterable[Finding]:
        score = float(frame.image[5, 5, 0]) / 255.0
        return [Observation("litter", score, Box(0.25, 0.25, 0.5, 0.5))]

    def reset(self) -> None:
        pass
'''


@dataclass(slots=True)
class Yard:
    """A hub at work, and a camera whose agent runs in a process."""

    hub: Hub
    folder: Path
    agent: subprocess.Popen[bytes]
    level: int = BRIGHT

    def paint(self, stop: threading.Event) -> None:
        """A still every now and then, as bright as the scene is, until `stop`."""
        number = 0
        while not stop.wait(STILL_S):
            number += 1
            new = self.folder / f".{number % 20:02}.jpg"
            cv2.imwrite(str(new), np.full((72, 128, 3), self.level, np.uint8))
            new.replace(self.folder / f"{number % 20:02}.jpg")

    def event(self) -> GridEventRow:
        """The one event, once there is one and its camera was heard of."""
        found: list[GridEventRow] = []

        def is_there() -> bool:
            with self.hub.pool.connection() as conn:
                row = conn.execute("SELECT id FROM grid_event").fetchone()
                event = events.by_id(conn, int(str(row[0]))) if row else None
            if event is not None:
                found.append(event)
            return bool(found)

        eventually(is_there, timeout_s=40.0)
        state = "SELECT state FROM camera_state WHERE ended_at IS NULL"
        eventually(lambda: rows(self.hub.config.database.url, state), [("online",)])
        return found[-1]

    def said(self, event: GridEventRow) -> LookRow:
        with self.hub.pool.connection() as conn:
            look = camera_looks.of_event(conn, event.id)
        assert look is not None
        return look

    def dealt_with(self, event: GridEventRow) -> GridEventRow:
        """Handled, and its check begun; the time in which that could be undone is over."""
        event = act(self.hub, event, "accept", HANDLER)
        event = act(self.hub, event, "feedback", HANDLER, evidence=(photo(self.hub),))
        event = act(self.hub, event, "start_check", LEADER)
        self.execute("UPDATE camera_look SET next_at = now()")
        return event

    def execute(self, statement: str) -> None:
        with self.hub.pool.connection() as conn:
            conn.execute(statement.encode())

    def earlier(self, change: str) -> None:
        """As if what was asked had been asked so much earlier."""
        self.execute(
            f"UPDATE camera_look SET begun_at = begun_at - interval '1 h', next_at = now();"
            f"UPDATE look SET {change}"
        )

    def asked(self) -> list[tuple[object, ...]]:
        """What came of each look, the first one first."""
        return rows(self.hub.config.database.url, "SELECT outcome FROM look ORDER BY asked_at")


@contextmanager
def yard_at(database_url: str, broker_port: int, folder: Path) -> Iterator[Yard]:
    station = fresh("station")
    stills, own = folder / "stills", folder / "detectors"
    stills.mkdir()
    own.mkdir()
    (own / "litter.py").write_text(LITTER, encoding="utf-8")
    text = CATEGORIES.read_text(encoding="utf-8")
    for before, after in (
        ('{ kind = "dumping" }', '{ kind = "litter" }'),
        ("clear_s = 3600, reopen_h = 12", "clear_s = 1, reopen_h = 12"),
    ):
        assert before in text
        text = text.replace(before, after, 1)
    (folder / "categories.toml").write_text(text, encoding="utf-8")
    site = folder / "site.toml"
    site.write_text(
        f'[agent]\nname = "{station}-agent"\nstation = "{station}"\ndata_dir = "{folder}/edge"\n'
        f"[broker]\nport = {broker_port}\n"
        f'[[stream]]\nid = "yard"\nsource = "stills:{stills}"\nposition = [113.65, 34.76]\n'
        "[stream.detectors.litter]\n",
        encoding="utf-8",
    )
    plain = config(database_url, folder / "hub", broker_port=broker_port, stations=(station,))
    settings = replace(plain, hub=replace(plain.hub, categories_file=folder / "categories.toml"))
    with opened(settings) as hub, running(lambda stop: run_ingest(hub, stop)):
        agent = subprocess.Popen(
            [sys.executable, "-m", "gridwarden", "edge", "--config", str(site)],
            cwd=ROOT,
            env={**os.environ, "GRIDWARDEN_DETECTORS": str(own)},
        )
        here = Yard(hub, stills, agent)
        try:
            with running(here.paint), running(lambda stop: run_timers(hub, stop, every_s=0.2)):
                yield here
        finally:
            agent.send_signal(signal.SIGCONT)
            agent.kill()
            agent.wait()


@pytest.fixture
def yard(database_url: str, broker_port: int, tmp_path: Path) -> Iterator[Yard]:
    """Litter lies before the camera."""
    with yard_at(database_url, broker_port, tmp_path) as here:
        yield here


def test_a_case_whose_camera_still_sees_it_comes_back_and_one_that_is_clear_is_closed(
    yard: Yard,
) -> None:
    hub = yard.hub
    event = act(hub, yard.event(), "confirm", DISPATCHER, evidence_viewed=True)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")

    event = yard.dealt_with(event)  # they say so, and it still lies there
    eventually(lambda: yard.said(event).outcome == "still_seen", timeout_s=40.0)
    (camera,) = yard.said(event).cameras
    assert camera["why"] == "seen"
    with hub.pool.connection() as conn:
        (shown,) = [p for p in views.pictures(conn, event.id) if p.digest == camera["seen"]]
    assert (shown.role, shown.complete) == ("box", True)
    with pytest.raises(NotAllowedError, match="still sees it"):
        act(hub, event, "check_pass", LEADER, closing_condition_met=True)
    # a minute later it is asked once more
    yard.earlier("asked_at = asked_at - interval '61 s'")
    eventually(lambda: as_it_is(hub, event).state == "dispatched", timeout_s=40.0)
    assert yard.asked() == [("seen",), ("seen",)]
    assert steps(hub, event)[-1] == "check_fail"

    yard.level = DARK  # now it is taken away
    phase = "SELECT phase FROM detection"
    eventually(lambda: rows(hub.config.database.url, phase), [("cleared",)])
    event = yard.dealt_with(as_it_is(hub, event))
    eventually(lambda: as_it_is(hub, event).state == "closed", timeout_s=40.0)
    assert yard.asked()[-1] == ("clear",)
    assert steps(hub, event)[-2:] == ["look_again", "check_pass"]
    (camera,) = yard.said(event).cameras
    with hub.pool.connection() as conn:
        after = {p.digest: p for p in views.pictures(conn, event.id) if p.role == "after"}
    assert camera["why"] == "gone"
    assert after[camera["after"]].complete


def test_a_camera_whose_agent_hangs_does_not_answer_and_a_person_decides(yard: Yard) -> None:
    hub = yard.hub
    event = act(hub, yard.event(), "confirm", DISPATCHER, evidence_viewed=True)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    yard.agent.send_signal(signal.SIGSTOP)
    event = yard.dealt_with(event)
    sent = "SELECT count(*) FROM look WHERE sent_at IS NOT NULL"
    eventually(lambda: rows(hub.config.database.url, sent), [(1,)])
    # the time for an answer is over
    yard.earlier("asked_at = asked_at - interval '31 s', until = now()")
    eventually(lambda: yard.said(event).outcome == "cannot_tell", timeout_s=40.0)
    assert [c["why"] for c in yard.said(event).cameras] == ["no_answer"]
    assert as_it_is(hub, event).state == "checking"
    yard.agent.send_signal(signal.SIGCONT)  # its answer would be late
    assert act(hub, event, "check_pass", LEADER, closing_condition_met=True).state == "closed"
