"""Which source a setting names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from edge.errors import ConfigError, SourceError
from edge.privacy import Polygon
from edge.scenes import read_name
from edge.sources.source import Canvas, FrameSource, Tell

SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp")


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How one stream is to be played."""

    stream: str
    source: str
    loop: bool = True
    open_timeout_s: float = 10.0
    read_timeout_s: float = 10.0
    retry_min_s: float = 0.5
    retry_max_s: float = 30.0
    keep_fps: float = 0.0  # small pictures a second for the clips; 0: none
    privacy: tuple[Polygon, ...] = ()  # painted over in them
    pace: str = "paced"  # files: paced by their own time, or "fast"
    order: str = "name"  # of the pictures of a folder: name or time


def check_source(source: str, where: str) -> None:
    """Refuse what cannot be a source, whether or not it answers; raises ConfigError."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    if source.startswith("scene:"):
        try:
            read_name(source.removeprefix("scene:"))
        except SourceError as e:
            raise ConfigError(f"{where}: {e}") from None
    elif source.startswith("stills:"):
        if source == "stills:":
            raise ConfigError(f"{where}: write the folder behind it, stills:PATH")
    elif source.startswith("webcam:"):
        if not re.fullmatch(r"webcam:[0-9]{1,3}", source):
            raise ConfigError(f"{where}: {source!r} is no webcam: write webcam:0")
    elif scheme and scheme[1].lower() not in SCHEMES:
        raise ConfigError(
            f"{where}: sources of scheme {scheme[1]!r} are not known "
            f"(there are: {', '.join(SCHEMES)}, a path, stills:PATH, webcam:N, scene:NAME)"
        )


def is_live(source: str) -> bool:
    """Whether it goes on by itself, so that what is not read is gone."""
    return (
        source.startswith("webcam:") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source) is not None
    )


def without_credentials(source: str) -> str:
    """The source as it may be shown: no user name, no password, no query."""
    if "://" not in source:
        return source
    return re.sub(r"//[^/@]*@", "//", source).partition("?")[0]


def open_source(
    settings: SourceSettings,
    tell: Tell,
    canvas: Canvas,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> FrameSource:
    """The source that plays these settings; loads only the modules it needs."""
    if settings.source.startswith("scene:"):
        from edge.sources.scenes import SceneSource

        return SceneSource(settings, tell, canvas, now, sleep)
    if settings.source.startswith("stills:"):
        from edge.sources.stills import StillsSource

        return StillsSource(settings, tell, canvas, now, sleep)
    from edge.sources.video import VideoSource

    return VideoSource(settings, tell, canvas, now, sleep)
