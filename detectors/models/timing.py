"""What a network costs for a picture, in a process of its own: `python -m detectors.models.timing`.

A file that was looked at may still bring the library down that runs it; then that process ends, and
not the one that asked.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.models.errors import ModelError

RUNS = 5
LIMIT_S = 120
MOST_MEMORY = 8 * 2**30  # bytes; without torch's mappings on a GPU a detector needs far less


@dataclass(frozen=True, slots=True)
class Timed:
    """The median of some runs, and the boxes' rows that came out."""

    ms: float
    output: tuple[int, ...]


def timed(path: Path) -> Timed:
    """Run it in another process; raises ModelError where that fails or takes too long."""
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "detectors.models.timing", str(path.absolute())],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            cwd=Path(__file__).parents[2],
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"{path} took more than {LIMIT_S} s for {RUNS} pictures") from None
    if ran.returncode != 0:
        said = [line for line in ran.stderr.splitlines() if line.strip()]
        why = said[-1] if said and ran.returncode == 1 else f"it ended with {ran.returncode}"
        raise ModelError(f"{path} cannot be run: {why.removeprefix('gridwarden: ')}"[:400])
    told = json.loads(ran.stdout.splitlines()[-1])
    return Timed(float(told["ms"]), tuple(int(n) for n in told["output"]))


def main(path: Path) -> int:
    """Time it here, print what it took."""
    from detectors.models.network import open_network

    if "CUDA_VISIBLE_DEVICES" not in os.environ and not Path("/dev/nvidia0").exists():
        _, allowed = resource.getrlimit(resource.RLIMIT_AS)
        most = MOST_MEMORY if allowed == resource.RLIM_INFINITY else min(MOST_MEMORY, allowed)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        network = open_network(path)
        frame = np.full((1, 3, *network.size), 0.5, np.float32)
        took = []
        for _ in range(RUNS + 1):
            begun = time.perf_counter()
            raw = network.run(frame)
            took.append((time.perf_counter() - begun) * 1e3)
    except (ModelError, MemoryError) as e:
        print(f"gridwarden: {e or 'out of memory'}", file=sys.stderr)  # noqa: T201
        return 1
    told = {"ms": float(np.median(took[1:])), "output": list(raw.shape[1:])}
    print(json.dumps(told))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
