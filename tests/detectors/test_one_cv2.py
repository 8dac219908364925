"""Exactly one `cv2` is installed, and it is the pinned one: a second overwrites half of it."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import packages_distributions

import cv2


def test_one_distribution_brings_cv2() -> None:
    assert sorted(set(packages_distributions()["cv2"])) == ["opencv-python-headless"]


def test_it_is_the_version_that_survives_corrupt_streams() -> None:
    assert importlib.metadata.version("opencv-python-headless") == "4.12.0.88"
    assert cv2.__version__ == "4.12.0"
