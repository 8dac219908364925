"""One network for all cameras of a process: loaded once, run for many frames at a time.

Whoever comes while the network is at rest runs it, for every frame that waits; who comes meanwhile
waits for the next run. A camera brings its newest frame only, so at most one of it waits.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image
from detectors.models.boxes import Seen, read_boxes
from detectors.models.errors import ModelError
from detectors.models.letterbox import fit, letterbox
from detectors.models.network import Network, open_network
from detectors.models.turns import Turns


@dataclass(slots=True)
class _Waiting:
    """A frame that waits for its answer."""

    frame: NDArray[np.float32]
    raw: NDArray[np.float32] | None = None
    fault: str = ""
    cost_ms: float = field(default=0.0)

    @property
    def is_answered(self) -> bool:
        return self.raw is not None or bool(self.fault)


class SharedNetwork:
    """A network and the frames that wait for it. Safe from any thread."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.batches: list[int] = []  # sizes of the latest runs
        self._turn = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._busy = False

    @property
    def classes(self) -> tuple[str, ...]:
        """What it tells apart."""
        return self.network.classes

    def look(self, image: Image, least: float, iou: float) -> list[Seen]:
        """The objects in a picture, the surest first. Raises ModelError where the network fails."""
        height, width = image.shape[:2]
        mine = _Waiting(letterbox(image, self.network.size))
        with self._turn:
            self._waiting.append(mine)
        while not mine.is_answered:
            self._run(mine)
        turns = _turns
        if turns is not None:
            turns.spent(mine.cost_ms)
        if mine.raw is None:
            raise ModelError(mine.fault)
        place = fit(width, height, self.network.size)
        return read_boxes(mine.raw, self.classes, place, least, iou)

    def _run(self, mine: _Waiting) -> None:
        """Answer those that wait, as many as it takes at a time; or wait while another does."""
        with self._turn:
            while self._busy and not mine.is_answered:
                self._turn.wait()
            if mine.is_answered:
                return
            self._busy = True
            batch = self._waiting[: self.network.most]
            del self._waiting[: self.network.most]
        begun = time.perf_counter()
        fault, raw = "", None
        try:
            raw = self.network.run(np.stack([one.frame for one in batch]))
        except ModelError as e:
            fault = str(e)
        except BaseException as e:
            fault = f"the network failed: {type(e).__name__}: {e}"
            raise
        finally:
            cost_ms = (time.perf_counter() - begun) * 1e3 / len(batch)
            with self._turn:
                for n, one in enumerate(batch):
                    one.cost_ms = cost_ms
                    one.fault = fault
                    one.raw = None if raw is None else raw[n]
                self.batches = [*self.batches[-99:], len(batch)]
                self._busy = False
                self._turn.notify_all()


_networks: dict[tuple[str, int, int], SharedNetwork] = {}
_lock = threading.Lock()
_turns: Turns | None = None


def share_budget(turns: Turns | None) -> None:
    """From now on all cameras of this process keep to these turns; None: each looks at will."""
    global _turns
    _turns = turns


def may_look(camera: str) -> bool:
    """Whether a camera's picture may be given to a network now."""
    turns = _turns
    return turns is None or turns.may_look(camera)


def shared(path: str) -> SharedNetwork:
    """The network in a file, loaded once for this process; anew where the file has changed.

    Raises ModelError.
    """
    where = Path(path).expanduser()
    try:
        stat = where.stat()
    except OSError:
        raise ModelError(
            f'no model at {where}: name a file with `model = "..."` (`gridwarden models check`)'
        ) from None
    key = str(where.resolve()), stat.st_mtime_ns, stat.st_size
    with _lock:
        if key not in _networks:
            for old in [k for k in _networks if k[0] == key[0]]:
                del _networks[old]
            _networks[key] = SharedNetwork(open_network(where))
        return _networks[key]
