"""Clips through detectors, each in a process of its own: a corrupt clip can kill no other.

As a module (`python -m gridwarden.evaluation.running`) it is that process: it reads a `Task` from
standard input and writes a recording.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import msgspec

from contract.errors import GridwardenError
from gridwarden.evaluation import recording
from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import ClipLabel

Progress = Callable[[int, int, str], None]  # done, of how many, which clip


class Task(msgspec.Struct, frozen=True):
    """One clip to be recorded."""

    video: str
    label: ClipLabel
    chosen: dict[str, dict[str, Any]]
    target: str
    perturbed: str = ""  # how its frames are changed; `label` says already what they show then


def record_all(tasks: Sequence[Task], jobs: int, progress: Progress) -> Iterator[tuple[Task, str]]:
    """Each task as it is done, and what went wrong with it ("" where nothing did)."""
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="clip") as pool:
        waiting = {pool.submit(_run, task): task for task in tasks}
        try:
            for done, future in enumerate(as_completed(waiting), 1):
                task = waiting[future]
                fault = future.result()
                progress(done, len(tasks), task.label.file)
                yield task, fault
        finally:
            pool.shutdown(cancel_futures=True)


def _run(task: Task) -> str:
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=msgspec.json.encode(task),
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode < 0:
        return f"the process that decoded it died of signal {-done.returncode}"
    return said[-1] if said else f"its process ended with {done.returncode}"


def work(task: Task) -> None:
    """Record one clip, and check that its replay is what the agent would have told."""
    import cv2

    from gridwarden.evaluation import perturbing
    from gridwarden.evaluation.recorder import frames, record_frames
    from gridwarden.evaluation.replaying import difference, replay

    cv2.setNumThreads(1)
    shown = frames(Path(task.video))
    if task.perturbed:
        shown = perturbing.find(task.perturbed).frames(lambda: frames(Path(task.video)))
    found, told = record_frames(shown, task.label, task.chosen)
    apart = difference(replay(found, {}), told)
    if apart:
        raise EvaluationError(f"{task.label.file}: the replay differs from the live run: {apart}")
    recording.save(found, Path(task.target))


if __name__ == "__main__":
    try:
        work(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))
    except (GridwardenError, OSError) as e:
        print(" ".join(str(e).split()), file=sys.stderr)
        sys.exit(1)
