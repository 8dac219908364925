"""Pixels or readings in, observations and measurements out. No MQTT, no database, no HTTP."""

from __future__ import annotations

import os

import cv2

_CHOICE = "OPENCV_IPP"


def _without_ipp() -> None:
    """Have OpenCV use its own vector code in every thread, unless the environment chooses.

    Each call of the Intel library that its wheels carry asks the processor for its name (`cpuid`),
    for which a virtual machine stops, longer than a pass over a thumbnail takes. What comes out is
    the same.
    """
    if _CHOICE in os.environ:
        return
    level = cv2.getLogLevel()
    cv2.setLogLevel(2)  # errors: that it was chosen is no warning
    os.environ[_CHOICE] = "disabled"
    try:
        cv2.ipp.useIPP()  # the first call reads the choice, for the whole process
    finally:
        del os.environ[_CHOICE]
        cv2.setLogLevel(level)


_without_ipp()
