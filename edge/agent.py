"""The agent beside the cameras: many streams, one spool, one connection to the hub."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import cv2

from contract.messages import Command, Look, Manifest, StreamManifest
from contract.taxonomy import CameraState, Lane
from detectors.models.sharing import share_budget
from detectors.models.turns import Turns
from edge.capture import Camera
from edge.clip_maker import ClipMaker
from edge.control import Control, Tuned
from edge.daily_test import DailyTest
from edge.errors import ConfigError, SpoolFullError
from edge.health import HealthWatch
from edge.known_scenes import KnownScenes
from edge.looking import cannot_tell
from edge.mqtt import MqttTransport
from edge.pipeline import Pipeline, Stream
from edge.publisher import Publisher
from edge.readings.opening import open_source
from edge.readings.source import ReadingSource
from edge.sensing import Sensing
from edge.settings import EdgeConfig, SensorSettings, StreamSettings
from edge.sources.opening import without_credentials
from edge.spool import Spool
from edge.sqlite_spool import SqliteSpool
from edge.transport import Transport
from edge.watching import StreamWatch

log = logging.getLogger(__name__)

ROOM_S = 5.0  # between two attempts to open a spool that has no room
SOFTWARE = f"gridwarden {version('gridwarden')}"


def run(config: EdgeConfig, stop: threading.Event) -> None:
    """Run the agent in this process until `stop` is set; returns within 3 s of that.

    A full disk is waited for. Raises ConfigError where its data folder cannot be used, SpoolError
    where its spool cannot.
    """
    told = False
    while not stop.is_set():
        transport = MqttTransport(config.broker, f"{config.agent.station}.{config.agent.name}")
        try:
            with running(config, transport, _now):
                if told:
                    log.warning("there is room for the spool again: the agent begins")
                stop.wait()
        except SpoolFullError as e:  # of its opening: once open, a full disk is the spool's matter
            if not told:
                log.error("%s; nothing can be recorded until then, trying again", e)
            told = True
            stop.wait(ROOM_S)


@contextmanager
def running(
    config: EdgeConfig, transport: Transport, now: Callable[[], datetime]
) -> Iterator[Agent]:
    """An agent at work over any transport; stopped on leaving."""
    with _own_folder(config.agent.folder):
        spool = open_spool(config, now)
        try:
            agent = Agent(config, spool, transport, now)
            agent.start()
            try:
                yield agent
            finally:
                agent.stop()
        finally:
            spool.close()


def open_spool(config: EdgeConfig, now: Callable[[], datetime]) -> Spool:
    """The spool of an agent with these settings, begun where there is none.

    Raises SpoolError where it cannot be opened.
    """
    return SqliteSpool(
        config.agent.folder,
        config.spool.budgets(),
        now,
        ages_s=config.spool.ages_s(),
        reserve_bytes=config.spool.reserve_mb * 1_000_000,
    )


class Agent:
    """The parts, put together."""

    def __init__(
        self,
        config: EdgeConfig,
        spool: Spool,
        transport: Transport,
        now: Callable[[], datetime],
    ) -> None:
        cv2.setNumThreads(1)  # the workers are the parallelism
        share_budget(Turns(config.models.budget_ms))
        self._config = config
        self._spool = spool
        self._started_at = now()
        self._now = now
        self._first_boot = spool.boot
        self._first_detection = spool.state()[Lane.DETECTION].next_seq
        self.publisher = Publisher(
            config.agent.station,
            config.agent.name,
            spool,
            transport,
            config.publish,
            now,
            self._manifest,
            self._commanded,
            self._asked,
        )
        self.pipeline = Pipeline(spool, self.publisher.wake)
        self.clips = ClipMaker(config.clip, self.pipeline.take)
        for settings in config.streams:
            self.pipeline.add(self._stream(settings))
        self.sensing = Sensing(
            config.agent.name, config.sensors, self._open_sensor, self.pipeline.take, now
        )
        tuned: dict[str, Tuned] = {**self.pipeline.streams, **self.sensing.watches}
        self.control = Control(config.agent.folder, tuned)
        self.scenes = KnownScenes(
            config.agent.folder, self.pipeline.streams, config.agent.scenes_every_s
        )
        self.daily_test = self._daily_test()
        self.health = HealthWatch(
            config.agent.folder,
            self.pipeline,
            spool,
            self.clips,
            self.publisher.status,
            now,
            config.publish.heartbeat_s,
            self.sensing.health,
        )

    def start(self) -> None:
        """Begin."""
        self.scenes.start()
        for stream in self.pipeline.streams.values():
            stream.camera.start()
        self.control.restore()
        workers = self._config.agent.workers or os.cpu_count() or 1
        self.pipeline.start(max(1, min(workers, len(self.pipeline.streams))))
        self.clips.start()
        self.sensing.start()
        self.publisher.start()
        self.health.start()
        if self.daily_test is not None:
            self.daily_test.start()

    def stop(self) -> None:
        """End the cameras, tell what is left to tell, say goodbye."""
        stops = [
            threading.Thread(target=s.camera.stop, name=f"stop-{name}")
            for name, s in self.pipeline.streams.items()
        ]
        for thread in stops:
            thread.start()
        if self.daily_test is not None:
            self.daily_test.stop()
        self.pipeline.stop()
        self.scenes.stop()
        self.clips.stop()
        self.sensing.stop()
        for thread in stops:
            thread.join()
        self.health.stop()
        self.publisher.stop()

    def _stream(self, settings: StreamSettings) -> Stream:
        """A camera, its detectors, and the ring of pictures that its clips are cut from."""
        name, capture = self._config.agent.name, self._config.capture
        if not self._clip_s(settings):
            camera = Camera(settings, capture, self._now, self.pipeline.fresh)
            return Stream(settings, camera, StreamWatch(name, settings))
        ring = self.clips.ring(settings.id)
        camera = Camera(
            settings, capture, self._now, self.pipeline.fresh, self._config.clip.fps, ring.add
        )
        return Stream(settings, camera, StreamWatch(name, settings, raised=ring.raised))

    def _clip_s(self, settings: StreamSettings) -> float:
        """Seconds of the clips of a camera, 0 where none are made: nothing is ever raised there."""
        clip = self._config.clip
        return clip.before_s + clip.after_s if clip.fps > 0.0 and settings.detectors else 0.0

    def _daily_test(self) -> DailyTest | None:
        config = self._config
        at = config.daily_test.time
        if at is None or not config.streams:
            return None
        return DailyTest(
            config.agent.name,
            config.agent.folder,
            at,
            config.daily_test.zone,
            config.streams,
            lambda: self.health.states(),
            self.pipeline.take,
            self._now,
        )

    def _manifest(self, published_at: datetime) -> Manifest:
        states = self.health.states()
        return Manifest(
            boot=self._spool.boot,
            started_at=self._started_at,
            published_at=published_at,
            software=SOFTWARE,
            streams=[
                StreamManifest(
                    stream=name,
                    name=stream.settings.name,
                    source=without_credentials(stream.settings.source),
                    position=stream.settings.position,
                    state=states.get(name, CameraState.CONNECTING),
                    detectors=stream.watch.manifests(),
                    clip_s=self._clip_s(stream.settings),
                    footprint=list(stream.settings.footprint),
                    ground=list(stream.settings.ground),
                )
                for name, stream in self.pipeline.streams.items()
            ],
            sensors=self.sensing.manifests(),
            daily_test=self.daily_test is not None,
            looks=True,
            command_version=self.control.version,
            command_errors=self.control.errors,
            first_detection=self._first_detection if self._spool.boot == self._first_boot else 1,
        )

    def _open_sensor(self, sensor: SensorSettings) -> ReadingSource:
        agent = self._config.agent
        return open_source(sensor, f"{agent.station}.{agent.name}.{sensor.id}", self._now)

    def _asked(self, look: Look) -> None:
        """The hub wants to know what is at a place now; who cannot see says so at once."""
        stream = self.pipeline.streams.get(look.stream)
        state = self.health.states().get(look.stream)
        if stream is None:
            answer = [cannot_tell(look, f"there is no stream {look.stream!r}", self._now())]
        elif state is not None and state is not CameraState.ONLINE:
            answer = [cannot_tell(look, f"the camera is {state}", self._now())]
        else:
            answer = stream.look(look, self._now())
        self.pipeline.take(answer)

    def _commanded(self, command: Command) -> None:
        if self.control.apply(command):
            self.publisher.announce()


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """The data folder, ours alone.

    Raises SpoolFullError where its disk has no room for it, ConfigError where it cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SpoolFullError(
                f"no room for data_dir {folder}: free some space on its disk"
            ) from None
        raise ConfigError(
            f"data_dir {folder} cannot be used: {e.strerror}; name a folder that can be written"
        ) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                f"data_dir {folder} is in use by another agent: stop it, or name another folder"
            ) from None
        yield
    finally:
        os.close(lock)


def _now() -> datetime:
    return datetime.now(UTC)
