"""Kinds of arguments that several subcommands take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def port(text: str) -> int:
    """A TCP port, 1..65535."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text!r}")
    return int(text)


def share(text: str) -> float:
    """A share between 0 and 1, the ends left out."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"a share lies between 0 and 1 such as 0.6, got {text!r}")
    return value


def seconds(text: str) -> float:
    """A time above 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"a time is a number of seconds above 0, got {text!r}")
    return value
