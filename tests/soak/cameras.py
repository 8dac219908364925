"""Sixteen cameras for a soak: ten small clips played over and over, six that never give a frame."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from edge.scenes import open_scene
from gridwarden.cameras import SCENE_PARAMETERS, Camera, places
from gridwarden.ports import LOOPBACK

LIVE, DEAD = 10, 6
CLIP_SCENES = ("fire", "street", "water")  # alarms, vehicles, slow change
CLIP_S = 12.0
SIZE = (320, 180)


@contextmanager
def soak_cameras(folder: Path) -> Iterator[list[Camera]]:
    """The cameras, their clips rendered into `folder`; the refusing port is held meanwhile."""
    clips = [(scene, _render(scene, folder / f"{scene}.avi")) for scene in CLIP_SCENES]
    broken = folder / "broken.avi"
    broken.write_bytes(bytes(range(256)) * 200)
    with socket.socket() as nobody:
        nobody.bind((LOOPBACK, 0))  # bound and not listening: every connection is refused
        refusing = f"rtsp://{LOOPBACK}:{nobody.getsockname()[1]}/stream"
        dead = (str(folder / "missing.avi"), str(broken), refusing)
        free = iter(places())
        cameras = []
        for n, place in enumerate(islice(free, LIVE)):
            scene, clip = clips[n % len(clips)]
            parameters = SCENE_PARAMETERS.get(scene, {})
            name = f"live-{n + 1:02d}"
            cameras.append(Camera(name, f"Clip: {scene}", str(clip), place, True, parameters))
        for n, place in enumerate(islice(free, DEAD)):
            source = dead[n % len(dead)]
            cameras.append(Camera(f"dead-{n + 1:02d}", "Never there", source, place, True))
        yield cameras


def _render(name: str, path: Path) -> Path:
    scene = open_scene(name)
    height, width = scene.size
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), scene.fps, SIZE)
    canvas = np.empty((height, width, 3), np.uint8)
    for n in range(round(CLIP_S * scene.fps)):
        scene.draw(n / scene.fps, canvas)
        writer.write(cv2.resize(canvas, SIZE))
    writer.release()
    return path
