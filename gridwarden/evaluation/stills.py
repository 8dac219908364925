"""Single frames of a clip as small JPEGs. As a module it is a process of its own, like decoding."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np

from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Frame, Image
from gridwarden.evaluation.errors import EvaluationError

QUALITY = 70


class Wanted(msgspec.Struct, frozen=True):
    """Frames of one clip."""

    video: str
    numbers: tuple[int, ...]
    long_side: int = 240


def pictures(wanted: Wanted) -> dict[int, bytes]:
    """JPEGs by frame number; those that are not there are left out. Decodes in a child process."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=msgspec.json.encode(wanted),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        return {}
    found = msgspec.json.decode(done.stdout, type=dict[int, str])
    return {number: base64.b64decode(text) for number, text in found.items()}


def pick(frames: Iterable[Frame], numbers: Iterable[int]) -> Iterator[Frame]:
    """The frames with these numbers, in order; stops reading after the last."""
    left = set(numbers)
    for frame in frames:
        if frame.number in left:
            left.discard(frame.number)
            yield frame
        if not left:
            return


def numbered(frame: Frame, long_side: int) -> Image:
    """A small copy with its number in the corner."""
    small = np.array(thumbnail(frame.image, long_side))
    for colour, thickness in (((20, 20, 20), 3), ((255, 255, 255), 1)):
        cv2.putText(
            small, str(frame.number), (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness
        )
    return small


def jpeg(image: Image) -> bytes:
    """The picture as JPEG; raises EvaluationError."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise EvaluationError(f"a picture of {image.shape} cannot be encoded as JPEG")
    return data.tobytes()


def _main() -> None:
    from gridwarden.evaluation.recorder import frames

    cv2.setNumThreads(1)
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    found = {
        frame.number: base64.b64encode(jpeg(numbered(frame, wanted.long_side))).decode()
        for frame in pick(frames(Path(wanted.video)), wanted.numbers)
    }
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    _main()
