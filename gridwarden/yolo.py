"""Puts the extra [yolo] into the environment of the Python that runs it; the headless cv2 last.

    .venv/bin/python -I gridwarden/yolo.py [--dev]

ultralytics brings opencv-python, which overwrites the cv2 of opencv-python-headless and needs a
display's libraries. Exactly one may be installed: docs/decisions/0003-pinned-opencv.md.
"""

import argparse
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOR_TESTS = ("onnx", "openvino", "lap")  # exporters, and what its tracker needs for a bench
HEADLESS, OTHER = "opencv-python-headless", ("opencv-python", "opencv-contrib-python")


def main() -> int:
    """Install what is missing; the exit code of what failed, 0 where nothing did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="with the tools to test")
    dev: bool = parser.parse_args().dev
    extras = "[dev,yolo]" if dev else "[yolo]"
    if _has("ultralytics") and not any(map(_has, OTHER)) and (not dev or _has("pytest")):
        return 0
    print(f"installing gridwarden{extras}: several GB, this takes a while", flush=True)
    pinned = ("--constraint", str(ROOT / "constraints.txt"))
    steps = [
        ("install", *pinned, "--editable", f"{ROOT}{extras}", *(FOR_TESTS if dev else ())),
        ("uninstall", "--yes", *OTHER),
        ("install", *pinned, "--force-reinstall", "--no-deps", HEADLESS),
    ]
    for step in steps:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *step]
        failed = subprocess.run(command, check=False).returncode
        if failed:
            print(f"gridwarden: pip {step[0]} failed, see above; it needs 12 GB", file=sys.stderr)
            return failed
    return 0


def _has(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
