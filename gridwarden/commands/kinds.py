"""Kinds of arguments that several subcommands take."""

from __future__ import annotations

import argparse
from pathlib import Path
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


def minutes(text: str) -> float:
    """A time above 0, at most a week."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= 10_080.0:
        raise argparse.ArgumentTypeError(f"a time is a number of minutes above 0, got {text!r}")
    return value


def address(text: str) -> tuple[str, int]:
    """A server: host:port."""
    host, _, number = text.rpartition(":")
    if not host:
        raise argparse.ArgumentTypeError(f"an address is host:port such as mqtt:1883, got {text!r}")
    return host.strip("[]"), port(number)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"a number from 1 to 1024 is needed, got {text!r}")
    return int(text)


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` and `replay` take alike."""
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="KIND.NAME=VALUE",
        help="a parameter of a detector, as flame.threshold=0.4; repeatable",
    )
    parser.add_argument(
        "--split",
        metavar="FILE|by-source",
        help="figures for each part of the clips: a JSON file of globs, or by the hash of the "
        "clips' source",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", dest="json_file", help="the report for programs"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", dest="html_file", help="the report with pictures"
    )


def frame(text: str) -> int:
    """A frame number, or a count: a whole number from 0 on."""
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"a whole number from 0 on is needed, got {text!r}")
    return int(text)


def add_config(parser: argparse.ArgumentParser) -> None:
    """What every command on the hub's database takes."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")


def row_id(text: str) -> int:
    """The number of an entry."""
    if not text.isdecimal() or not 1 <= int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"an entry is named by its number, got {text!r}")
    return int(text)


def rows_at_most(text: str) -> int:
    """How many rows to show."""
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"a number from 1 to 100000 is needed, got {text!r}")
    return int(text)
