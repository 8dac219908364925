"""The scenes of an agent's cameras on the disk, so that a restart does not learn them anew.

A detector that has just begun takes for the scene whatever it sees first: the lorry that stands at
the gate, the bag beside the bench. So the scenes are kept every few minutes and when the agent
stops, one file a camera, and handed back to the detectors before the first picture. Whether that
picture still shows the scene is judged by `Background.resume`.

The files are small pictures of what the camera sees: they are for the agent's user alone.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from detectors.kit.background import KnownScene
from edge.pipeline import Stream
from edge.said_once import SaidOnce

log = logging.getLogger(__name__)

FOLDER = "scenes"
# what NumPy makes of a file that is cut, garbled or something else altogether
DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)
LARGEST = 2048  # pixels of a side: detectors learn a copy of 320


class KnownScenes:
    """Keeps the scenes of all streams in the agent's folder."""

    def __init__(self, folder: Path, streams: Mapping[str, Stream], every_s: float) -> None:
        """every_s: time between two savings; 0: nothing is kept or used."""
        self._folder = folder / FOLDER
        self._streams = streams
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="known-scenes", daemon=True)
        self._said = SaidOnce()

    def start(self) -> None:
        """Hand the detectors what is kept, then keep it from time to time. Before the cameras."""
        if self._every_s > 0.0 and self._streams:
            for name, stream in self._streams.items():
                with stream.lock:
                    stream.watch.resume(self._read(name))
            self._thread.start()

    def stop(self) -> None:
        """Keep the scenes a last time. After the detectors have stopped."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)
            self.keep()

    def keep(self) -> None:
        """Write the scenes of every camera that has learnt one."""
        for name, stream in self._streams.items():
            with stream.lock:
                known = stream.watch.known()
            if known:
                self._write(name, known)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self.keep()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npz"

    def _write(self, name: str, known: Mapping[str, KnownScene]) -> None:
        data = io.BytesIO()
        arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
        for key, scene in known.items():
            arrays[f"{key}/mean"] = scene.mean
            arrays[f"{key}/variance"] = scene.variance
            arrays[f"{key}/at"] = np.array(scene.at.timestamp())
        np.savez_compressed(data, allow_pickle=False, **arrays)
        new = self._path(name).with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data.getvalue())
            new.replace(self._path(name))
        except OSError as e:
            if self._said.is_new(f"{name}: {e.strerror}"):
                log.warning("the scene of %s cannot be kept in %s: %s", name, self._folder, e)

    def _read(self, name: str) -> dict[str, KnownScene]:
        """What is kept of a camera; nothing where there is none or it is damaged."""
        path = self._path(name)
        found: dict[str, KnownScene] = {}
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                for key in {entry.rpartition("/")[0] for entry in kept.files}:
                    mean, variance = kept[f"{key}/mean"], kept[f"{key}/variance"]
                    at = datetime.fromtimestamp(float(kept[f"{key}/at"]), UTC)
                    found[key] = KnownScene(mean, variance, at)
        except FileNotFoundError:
            return {}
        except DAMAGED as e:
            log.warning("the scene kept in %s is not readable and is learnt anew: %s", path, e)
            return {}
        return {key: scene for key, scene in found.items() if _fits(scene)}


def _fits(scene: KnownScene) -> bool:
    """Whether it has the shape that a background has."""
    mean, variance = scene.mean, scene.variance
    return (
        mean.dtype == np.uint8
        and variance.dtype == np.float16
        and mean.ndim == 3
        and mean.shape[2] == 3
        and mean.shape[:2] == variance.shape
        and 0 < max(variance.shape) <= LARGEST
        and bool(np.isfinite(variance).all())
        and bool((variance >= 0).all())
    )
