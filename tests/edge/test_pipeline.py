"""Workers, the streams they serve, and what the hub hears of both."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.envelope import read_record
from contract.messages import Health
from contract.taxonomy import Lane
from edge.capture import Camera
from edge.clip_maker import ClipMaker
from edge.health import HealthWatch
from edge.pipeline import Pipeline, Stream
from edge.publisher import LinkStatus
from edge.said_once import SaidOnce
from edge.settings import CaptureSettings, ClipSettings
from edge.sqlite_spool import SqliteSpool
from edge.watching import StreamWatch
from tests.edge.builders import eventually, find, now, stream

ROOM = dict.fromkeys(Lane, 10_000_000)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SqliteSpool]:
    opened = SqliteSpool(tmp_path, ROOM, now)
    yield opened
    opened.close()


def test_a_stream_whose_frames_fail_says_so_in_its_health_and_once_in_the_log(
    tmp_path: Path, spool: SqliteSpool, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline(spool, lambda: None)
    for name, kind in (("failing", "endless"), ("sound", "bright")):
        settings = replace(stream("scene:street", **{kind: {}}), id=name)
        camera = Camera(settings, CaptureSettings(), now, pipeline.fresh)
        pipeline.add(Stream(settings, camera, StreamWatch("a-1", settings, find)))
        camera.start()
    failing, sound = pipeline.streams.values()
    pipeline.start(1)
    try:
        eventually(lambda: "frames left out" in failing.fault() and sound.watch.observed >= 5)
        eventually(lambda: not failing.fault().startswith(("1 ", "2 ")))
    finally:
        for one in (failing, sound):
            one.camera.stop()
        pipeline.stop()
    clips = ClipMaker(ClipSettings(), pipeline.take)
    watch = HealthWatch(
        tmp_path, pipeline, spool, clips, lambda: LinkStatus(False, None, ""), now, 10.0
    )
    watch.stop()  # looks once
    (heartbeat,) = spool.peek(Lane.HEALTH, 0, 10, 1_000_000)
    told = read_record(Lane.HEALTH, heartbeat.record)
    assert isinstance(told, Health)
    details = {h.stream: h.detail for h in told.streams}
    assert "frames left out, the last by ValueError: value 1e+305 of length" in details["failing"]
    assert "left out" not in details["sound"]
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert [r.message for r in errors] == ["stream failing: frames are left out"]


def test_a_spool_that_fails_keeps_no_agent_from_stopping(
    tmp_path: Path, spool: SqliteSpool, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline(spool, lambda: None)
    clips = ClipMaker(ClipSettings(), pipeline.take)
    watch = HealthWatch(
        tmp_path, pipeline, spool, clips, lambda: LinkStatus(False, None, ""), now, 10.0
    )
    spool.close()
    watch.stop()
    assert [r.message for r in caplog.records] == [
        f"the spool does not say where it stands: spool {spool.path} failed: "
        "Cannot operate on a closed database."
    ]


def test_what_differs_in_numbers_alone_is_said_once() -> None:
    said = SaidOnce()
    assert said.is_new("captured_at 1970-01-01T00:00:09 lies outside 2015 to 2098")
    assert not said.is_new("captured_at 1970-01-01T00:00:10 lies outside 2015 to 2098")
    assert said.is_new("started_at 1970-01-01T00:00:10 lies outside 2015 to 2098")
