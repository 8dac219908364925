"""Opens a video once, in a process of its own: a broken file may take its decoder down.

    python -m gridwarden.probing < SOURCE

Exit status 0: a picture was decoded. 1: the reason is on stderr. The source comes by stdin, as an
address may name a password.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

from contract.errors import GridwardenError

PATIENCE_S = 30.0


class VideoError(GridwardenError, ValueError):
    """A video cannot be played."""


def probe_all(sources: Sequence[str]) -> None:
    """Open every source, side by side; raises VideoError with a line for the first that fails."""
    command = [sys.executable, "-m", "gridwarden.probing"]
    pipe = subprocess.PIPE
    probes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in sources
    ]
    try:
        for source, probing in zip(sources, probes, strict=True):
            failure = _failure(source, probing)
            if failure is not None:
                raise VideoError(failure)
    finally:
        for probing in probes:
            if probing.poll() is None:
                probing.kill()
            probing.communicate()


def _failure(source: str, probing: subprocess.Popen[str]) -> str | None:
    from edge.sources.opening import without_credentials

    shown = without_credentials(source)
    try:
        _, said = probing.communicate(source, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"{shown} gave no picture within {PATIENCE_S:.0f} s: check it with another player"
    if probing.returncode < 0:
        name = signal.Signals(-probing.returncode).name
        return f"{shown} makes the decoder fail ({name}): it is corrupt, leave it out"
    lines = said.strip().splitlines()
    if probing.returncode > 0:
        return lines[-1] if lines else f"{shown} cannot be opened"
    return None


def main() -> int:
    """Probe the source that stdin names; the exit status."""
    from edge.sources.video import probe

    try:
        probe(sys.stdin.read())
    except GridwardenError as e:
        print(" ".join(str(e).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
