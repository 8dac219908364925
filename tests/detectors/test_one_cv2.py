"""Exactly one `cv2` is installed, and it is the pinned one: a second overwrites half of it."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from importlib.metadata import packages_distributions

import cv2
import pytest


def test_one_distribution_brings_cv2() -> None:
    assert sorted(set(packages_distributions()["cv2"])) == ["opencv-python-headless"]


def test_it_is_the_version_that_survives_corrupt_streams() -> None:
    assert importlib.metadata.version("opencv-python-headless") == "4.12.0.88"
    assert cv2.__version__ == "4.12.0"


@pytest.mark.parametrize("choice", [None, "avx2"])
def test_its_intel_library_is_left_out_unless_the_environment_chooses(choice: str | None) -> None:
    """Its calls stop a virtual machine; where a wheel carries none, there is nothing to choose."""
    if cv2.ipp.getIppVersion() == "disabled":
        pytest.skip("this cv2 carries no Intel library")
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_IPP"}
    if choice is not None:
        environment["OPENCV_IPP"] = choice

    def told(modules: str) -> tuple[str, str]:
        ask = (
            f"import threading, {modules}\n"
            "ask = threading.Thread(target=lambda: print(cv2.ipp.useIPP()))\n"
            "ask.start(); ask.join()"
        )
        run = [sys.executable, "-c", ask]
        said = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
        return said.stdout.strip(), said.stderr

    used, warned = told("cv2")  # which a processor may settle by itself
    assert told("cv2, detectors") == ("False" if choice is None else used, warned)
