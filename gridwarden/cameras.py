"""Which cameras a demo has: rendered scenes, or a person's own files, addresses and webcams."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.errors import GridwardenError
from contract.geometry import Point
from edge.scenes.wrong_way import lane_text
from edge.sources.opening import check_source, without_credentials
from gridwarden.district import Cell, build_district
from gridwarden.probing import probe_all

# the scenes that are played, each with the name of its camera, for readers of either language
SCENES = {
    "fire": "Fire yard 消防演练场",
    "street": "Street 城市道路",
    "water": "Underpass 铁路下穿道",
    "freeze": "Tram square 电车广场",
}
DETECTORS = ("flame", "traffic_flow", "camera_health")  # of every camera
# the two sides of the rendered street
CARRIAGEWAYS = f"{lane_text('in', 'down', -1.0, 2.0)}; {lane_text('out', 'up', 1.0, 2.0)}"
# what a scene is watched for besides, and where in its picture: the kerb lane, the dip
SCENE_PARAMETERS: dict[str, dict[str, dict[str, object]]] = {
    "street": {"stopped_vehicle": {"zone_x": 0.5, "zone_y": 0.25, "zone_w": 0.5, "zone_h": 0.75}},
    "water": {"ponding": {"zone_x": 0.15, "zone_y": 0.45, "zone_w": 0.7, "zone_h": 0.35}},
    "wrong_way": {"wrong_way": {"lanes": CARRIAGEWAYS}},
    "queue": {"congestion": {"lanes": CARRIAGEWAYS}},
    "fog": {"visibility": {}},
    "dumped": {"dumping": {}},
}
STRIDE = 7  # cameras lie in every seventh secondary cell: too far apart to share a grid event


class CamerasError(GridwardenError, ValueError):
    """What was asked for cannot be played."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of the demo."""

    stream: str
    name: str
    source: str  # "scene:fire", a path, an address, "webcam:0"
    position: Point
    loop: bool
    # detector kind -> its parameters; a kind that is not of every camera is switched on by it
    parameters: dict[str, dict[str, object]] = field(default_factory=dict)


def choose_cameras(
    videos: Sequence[str],
    *,
    scenes: bool,
    loop: bool,
    line: float | None = None,
    axis: str | None = None,
) -> list[Camera]:
    """The cameras: the videos if there are any, and the scenes where there are none or `scenes`.

    Every video is opened once, so that one that cannot be played is told before anything starts:
    raises CamerasError, ConfigError or VideoError. line, axis: the count line of every video.
    """
    free = places()
    chosen: list[Camera] = []
    if scenes or not videos:
        for scene, name in SCENES.items():
            place = free[len(chosen)]
            besides = SCENE_PARAMETERS.get(scene, {})
            chosen.append(Camera(f"scene-{scene}", name, f"scene:{scene}", place, loop, besides))
    flow: dict[str, object] = {}
    if line is not None:
        flow["line"] = line
    if axis is not None:
        flow["axis"] = axis
    taken = {camera.stream for camera in chosen}
    if len(chosen) + len(videos) > len(free):
        raise CamerasError(
            f"{len(videos)} videos are more than the demo district has places for "
            f"({len(free)}): name fewer"
        )
    sources = [to_source(video) for video in videos]
    for source in sources:
        check_source(source, "--video")
    probe_all([source for source in sources if not source.startswith("scene:")])
    for source in sources:
        stream = _stream_name(source, taken)
        taken.add(stream)
        parameters = dict(SCENE_PARAMETERS.get(_scene_of(source), {}))
        if flow:
            parameters["traffic_flow"] = dict(flow)
        place = free[len(chosen)]
        chosen.append(Camera(stream, _title(source), source, place, loop, parameters))
    return chosen


def to_source(video: str) -> str:
    """What a person typed as the edge writes it: an address, `webcam:N`, or an absolute path."""
    if re.fullmatch(r"[0-9]{1,2}", video):
        return f"webcam:{video}"
    if re.match(r"[a-z][a-z0-9+.-]*://", video) or re.match(r"(webcam|scene):", video):
        return video
    return str(Path(video).expanduser().absolute())


def _scene_of(source: str) -> str:
    """The kind of a rendered scene, "" for anything else."""
    return source.removeprefix("scene:").partition("?")[0] if source.startswith("scene:") else ""


def _title(source: str) -> str:
    """What stands under the picture; never with a user name or password."""
    shown = without_credentials(source)
    return Path(shown).name if shown.startswith("/") else shown


def _stream_name(source: str, taken: set[str]) -> str:
    """A name that can stand in a topic, made of the file's or the host's."""
    stem = Path(_title(source).rstrip("/")).name
    stem = stem.rpartition(".")[0] or stem
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:48] or "video"
    n, unique = 1, name
    while unique in taken:
        n += 1
        unique = f"{name}-{n}"
    return unique


def places() -> list[Point]:
    """Where things stand: the fifth basic cell of each secondary cell, far ones first."""
    cells = build_district()
    secondary: list[Cell] = [cell for cell in cells if cell.level == 2]
    by_code = {cell.code: cell for cell in cells}
    order = (n * STRIDE % len(secondary) for n in range(len(secondary)))
    return [by_code[f"{secondary[n].code}005"].centre for n in order]
