"""The command line. Every expected failure is one line on stderr and an exit code above 0."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from contract.errors import GridwardenError
from gridwarden import __version__
from gridwarden.commands import add_commands

FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="gridwarden", description="IoT and video-sensor ingestion hub for grid cities."
    )
    parser.add_argument("--version", action="version", version=f"gridwarden {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where a failure came from")
    add_commands(parser)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except KeyboardInterrupt:
        return 130
    except (GridwardenError, OSError) as e:
        if chosen.debug:
            raise
        print(f"gridwarden: {_one_line(e)}", file=sys.stderr)
        return FAILED


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
