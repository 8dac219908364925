"""What detectors said of every frame of one clip, in one compressed file without pickles.

One row a score, in the order they were given: replaying them through rules and episodes gives the
live run bit by bit. Format: docs/evaluation.md.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gridwarden.evaluation.errors import RecordingError
from gridwarden.evaluation.labels import ClipLabel

FORMAT = 1
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # when every clip begins
MICROSECOND = timedelta(microseconds=1)


class DetectorNote(msgspec.Struct, frozen=True):
    """A detector as it ran."""

    kind: str
    version: str
    parameters: dict[str, Any]
    looks_at: tuple[str, ...]  # parameters read while scoring: changing them needs the video
    fault: str = ""  # why it was switched off: then nothing of it counts


class Subject(msgspec.Struct, frozen=True):
    """What a row is about."""

    kind: str
    label: str
    place: str


class Header(msgspec.Struct, frozen=True):
    """The words of a recording."""

    format: int
    clip: str
    label: ClipLabel
    detectors: tuple[DetectorNote, ...]
    subjects: tuple[Subject, ...]
    measured: tuple[tuple[str, str, str], ...]  # metric, label, place
    peak_memory: int  # bytes, of the process that ran it


@dataclass(frozen=True, slots=True)
class Recording:
    """Header and columns. Times are microseconds from the clip's beginning."""

    header: Header
    frame_us: NDArray[np.int64]  # of every frame
    score_subject: NDArray[np.int32]
    score_frame: NDArray[np.int64]
    score: NDArray[np.float64]
    box: NDArray[np.float64]  # (n, 4) shares of the picture; NaN: none
    measured_what: NDArray[np.int32]
    measured_frame: NDArray[np.int64]
    measured_value: NDArray[np.float64]
    cost_kind: NDArray[np.int32]  # index into detectors, one a look
    cost_ms: NDArray[np.float32]

    @property
    def duration_s(self) -> float:
        """From the first frame to the last and one frame more."""
        n = len(self.frame_us)
        if n < 2:
            return 0.0
        span = float(self.frame_us[-1] - self.frame_us[0]) / 1e6
        return span * n / (n - 1)

    def at(self, frame: int) -> datetime:
        """When a frame was captured."""
        return EPOCH + int(self.frame_us[frame]) * MICROSECOND

    def second(self, frame: int) -> float:
        """Seconds from the beginning; a frame beyond the end is the last."""
        return float(self.frame_us[min(frame, len(self.frame_us) - 1)]) / 1e6


COLUMNS = tuple(name for name in Recording.__slots__ if name != "header")


def save(recording: Recording, path: Path) -> None:
    """Write it; an older one is replaced at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    header = np.frombuffer(msgspec.json.encode(recording.header), np.uint8)
    columns = {name: getattr(recording, name) for name in COLUMNS}
    with fresh.open("wb") as stream:
        np.savez_compressed(stream, header=header, **columns)
    fresh.replace(path)


def load(path: Path) -> Recording:
    """Read one; raises RecordingError where it is none of ours."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            header = msgspec.json.decode(found["header"].tobytes(), type=Header)
            columns = {name: found[name] for name in COLUMNS}
    except OSError as e:
        raise RecordingError(f"{path} cannot be read: {e.strerror or e}") from e
    except (KeyError, ValueError, zipfile.BadZipFile, msgspec.MsgspecError) as e:
        raise RecordingError(f"{path} is no recording of `gridwarden evaluate`: {e}") from e
    if header.format != FORMAT:
        raise RecordingError(f"{path} has format {header.format}, not {FORMAT}: evaluate anew")
    return Recording(header, **columns)
