"""The whole agent: real child processes, a real spool, a real broker."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import psutil
import pytest

from contract.messages import Command, Detection, Health, Look, Looked
from contract.taxonomy import CameraState, Lane, Phase
from contract.topics import Down
from edge import agent as edge_agent
from edge.config import ConfigError, EdgeConfig, load
from edge.looking import FRAMES
from edge.mqtt import MqttTransport
from edge.privacy import FILL
from edge.settings import BrokerSettings
from tests.edge.builders import T0, eventually, write_video
from tests.edge.hub_side import HubSide
from tests.small_disk import mounted

_names = itertools.count(1)


class Site:
    """Settings of an agent, and the hub that hears it."""

    def __init__(self, folder: Path, port: int, cameras: str) -> None:
        self.name = f"whole-{next(_names)}"
        self.data = folder / "data"
        self.path = folder / "site.toml"
        self.path.write_text(
            f'[agent]\nname = "{self.name}"\nstation = "demo"\ndata_dir = "{self.data}"\n'
            f"[broker]\nport = {port}\n[publish]\nresend_after_s = 1.0\n{cameras}",
            encoding="utf-8",
        )
        self.transport = MqttTransport(BrokerSettings(port=port), f"hub-of-{self.name}")
        self.hub = HubSide(self.transport, "demo", self.name)

    @property
    def config(self) -> EdgeConfig:
        return load(self.path, {})

    def status(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = msgspec.json.decode((self.data / "status.json").read_bytes())
        except FileNotFoundError:
            return {"streams": {}, "lanes": {}}
        return told

    def phases(self, kind: str) -> list[Phase]:
        found = self.hub.records[Lane.DETECTION].items()
        return [d.phase for _, d in sorted(found) if isinstance(d, Detection) and d.kind == kind]

    def heartbeats(self) -> list[Health]:
        return [h for h in self.hub.records[Lane.HEALTH].values() if isinstance(h, Health)]

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=edge_agent.run, args=(self.config, stop), name="agent")
        thread.start()
        try:
            yield
        finally:
            begun = time.monotonic()
            stop.set()
            thread.join(10.0)
            assert not thread.is_alive()
            assert time.monotonic() - begun < 5.0

    def spawn(self) -> subprocess.Popen[bytes]:
        script = (
            "import os, sys, threading\nfrom pathlib import Path\n"
            "from edge.agent import run\nfrom edge.config import load\n"
            "run(load(Path(sys.argv[1]), os.environ), threading.Event())\n"
        )
        root = Path(__file__).parents[2]
        return subprocess.Popen([sys.executable, "-c", script, str(self.path)], cwd=root)


@pytest.fixture
def site(tmp_path: Path, broker_port: int) -> Iterator[type[Site]]:
    made: list[Site] = []

    class Made(Site):
        def __init__(self, cameras: str) -> None:
            super().__init__(tmp_path, broker_port, cameras)
            made.append(self)

    yield Made
    for one in made:
        one.transport.stop()


FIRE = '[[stream]]\nid = "yard"\nsource = "scene:fire"\nposition = [113.65, 34.76]\n'
FLAME = "[stream.detectors.flame]\n"


CLIP = "[clip]\nbefore_s = 1.0\nafter_s = 1.0\n"
CORNER = "privacy = [[[0.0, 0.0], [0.4, 0.0], [0.4, 0.4], [0.0, 0.4]]]\n"


def test_a_fire_reaches_the_hub_with_its_picture_and_its_clip_and_nothing_private(
    site: Any, tmp_path: Path
) -> None:
    s = site(CLIP + FIRE + CORNER + FLAME)

    with s.running():
        eventually(lambda: Phase.RAISED in s.phases("flame"), 20.0)
        detections = [d for d in s.hub.records[Lane.DETECTION].values() if isinstance(d, Detection)]
        eventually(lambda: s.hub.whole("box") and s.hub.whole("clip"), 20.0)
        (reference,) = detections[0].evidence
        assert s.hub.whole("box")[0].digest == reference.digest
        assert s.hub.whole("clip")[0].episodes == [detections[0].episode]
        for role, name in (("box", "still.jpg"), ("clip", "clip.webm")):
            (tmp_path / name).write_bytes(s.hub.whole(role)[1])
            there, image = cv2.VideoCapture(str(tmp_path / name)).read()
            assert there
            height, width = image.shape[:2]
            hidden = image[: height * 2 // 5 - 16, : width * 2 // 5 - 16]
            assert int(np.abs(hidden.astype(int) - FILL).max()) <= 8, role
            assert float(image[height // 2 :].std()) > 10.0
        eventually(lambda: s.status()["clips"]["made"])
        birth = s.hub.births[-1][0]
        assert [(m.stream, m.source) for m in birth.streams] == [("yard", "scene:fire")]
        assert birth.streams[0].clip_s == 2.0
        assert birth.streams[0].detectors[0].schema["properties"]["threshold"]["x-unit"] == "1"
        assert s.status()["streams"]["yard"]["state"] == "online"
    eventually(lambda: s.hub.deaths)
    assert s.hub.ledger[Lane.DETECTION].holes() == []


def test_a_file_played_once_is_told_to_have_ended_and_all_of_it_is_committed(
    site: Any, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "a.avi", 20, fps=20.0)
    s = site(f'[[stream]]\nid = "f"\nsource = "{video}"\nloop = false\n[stream.detectors.flame]\n')
    with s.running():
        eventually(lambda: s.status()["streams"].get("f", {}).get("ended"))
        told = s.status()["streams"]["f"]
        assert (told["state"], told["captured"]) == ("ended", 20)
        eventually(lambda: s.status()["lanes"]["score"]["watermark"] >= 1)
        eventually(lambda: s.heartbeats() and s.heartbeats()[-1].streams[0].state == "ended")


def test_a_command_applies_live_is_reported_and_outlives_a_restart(site: Any) -> None:
    s = site(FIRE + FLAME)
    parameters = {"yard": {"flame": {"threshold": 0.9, "treshold": 1}}, "nobody": {}}
    command = Command(version=3, issued_at=T0, issued_by="eng", parameters=parameters)
    with s.running():
        eventually(lambda: s.hub.births)
        s.hub.say(Down.COMMAND, command)
        eventually(lambda: s.hub.births[-1][0].command_version == 3)
        birth = s.hub.births[-1][0]
        assert birth.streams[0].detectors[0].parameters["threshold"] == 0.9
        assert len(birth.command_errors) == 2
        assert birth.published_at == s.hub.births[0][0].published_at  # so that the will names it
    heard = len(s.hub.births)
    with s.running():
        eventually(lambda: len(s.hub.births) > heard)
        birth = s.hub.births[-1][0]
        assert birth.command_version == 3
        assert birth.streams[0].detectors[0].parameters["threshold"] == 0.9


def test_a_camera_that_is_not_there_is_told_as_lost_and_the_others_go_on(
    site: Any, tmp_path: Path
) -> None:
    gone = f'[[stream]]\nid = "gone"\nsource = "{tmp_path / "none.mp4"}"\n'
    s = site(gone + '[[stream]]\nid = "street"\nsource = "scene:street"\n')
    with s.running():

        def told() -> bool:
            states = {h.stream: h.state for b in s.heartbeats()[-1:] for h in b.streams}
            return states == {"gone": CameraState.LOST, "street": CameraState.ONLINE}

        eventually(told)


def test_a_camera_is_asked_to_look_and_one_that_cannot_says_why(site: Any, tmp_path: Path) -> None:
    gone = f'[[stream]]\nid = "gone"\nsource = "{tmp_path / "none.mp4"}"\n'
    s = site(FIRE + FLAME + gone)
    look = Look(
        look="yard",
        stream="yard",
        kind="flame",
        label="flame",
        episode="4f8b2c1e-0000-4000-8000-000000000001",
        within_s=30.0,
    )

    def answers() -> dict[str, Looked]:
        found = s.hub.records[Lane.DETECTION].values()
        return {x.look: x for x in found if isinstance(x, Looked)}

    with s.running():
        eventually(lambda: Phase.RAISED in s.phases("flame"), 20.0)
        assert s.hub.births[-1][0].looks
        for stream in ("yard", "gone", "nowhere"):
            s.hub.say(Down.LOOK, msgspec.structs.replace(look, look=stream, stream=stream))
        eventually(lambda: len(answers()) == 3, 20.0)
        told = answers()
        assert told["yard"].outcome == "seen"
        assert told["yard"].frames >= FRAMES
        assert (told["gone"].outcome, told["gone"].reason) == ("cannot_tell", "the camera is lost")
        assert told["nowhere"].reason == "there is no stream 'nowhere'"
        reference = told["yard"].evidence
        assert reference is not None
        eventually(lambda: reference.digest in s.hub.pieces, 20.0)


def test_kill_9_leaves_no_process_and_loses_nothing_that_was_spooled(site: Any) -> None:
    s = site(FIRE + FLAME)
    s.hub.working = False  # nothing is committed before the kill
    with s.spawn() as first:
        eventually(lambda: s.status()["lanes"].get("detection", {}).get("waiting"), 25.0)
        children = psutil.Process(first.pid).children(recursive=True)
        assert len(children) == 1
        boot = s.status()["boot"]
        first.send_signal(signal.SIGKILL)
        first.wait()
    told = s.status()["lanes"]["detection"]["next_seq"] - 1
    eventually(lambda: not any(c.is_running() and c.status() != "zombie" for c in children), 5.0)
    s.hub.working = True
    with s.running():
        eventually(lambda: s.hub.ledger[Lane.DETECTION].watermark >= 1, 20.0)
        assert s.hub.boot == boot
        # the second run says where it began: what was open before it, nobody will clear
        assert s.hub.births[0][0].first_detection == 1
        assert s.hub.births[-1][0].first_detection >= 1 + told > 1
        assert s.phases("flame")[0] is Phase.RAISED
        eventually(lambda: s.hub.ledger[Lane.DETECTION].holes() == [])
    eventually(lambda: s.hub.deaths)  # the broker spoke for the killed one, or the second itself


def test_two_agents_cannot_share_a_folder(site: Any) -> None:
    s = site("")
    with s.running():
        eventually(lambda: (s.data / "status.json").exists())
        with pytest.raises(ConfigError, match="in use by another agent"):
            edge_agent.run(s.config, threading.Event())


def test_a_full_disk_without_a_reserve_is_waited_for_and_told_once(
    site: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_agent, "ROOM_S", 0.2)
    with mounted(tmp_path / "data") as disk:
        disk.fill()
        s = site("")
        with s.running():
            eventually(lambda: "free some space on its disk" in caplog.text)
            time.sleep(0.5)  # more attempts, of which nothing is said
            disk.free()
            eventually(lambda: s.status()["lanes"] and s.hub.births)
    told = [r for r in caplog.records if "free some space" in r.getMessage()]
    assert len(told) == 1
    assert "\n" not in told[0].getMessage()
    assert told[0].exc_info is None


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(site: Any, tmp_path: Path) -> None:
    s = site("")
    s.data.write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be used"):
        edge_agent.run(s.config, threading.Event())
    assert s.data.is_file()
