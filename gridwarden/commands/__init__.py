"""The subcommands, one module each: `add(subparsers)` declares it, `run(chosen)` does it.

Heavy imports stay inside `run`, so that `gridwarden --help` answers at once.
"""

from __future__ import annotations

import argparse

from gridwarden.commands import (
    accounts,
    agents,
    assessment,
    assets,
    audit,
    backup,
    broker,
    chaos,
    demo,
    district,
    edge,
    evaluate,
    grid,
    hub,
    label,
    learn_rule,
    models,
    people,
    ratings,
    readiness,
    replay,
    restore,
    tokens,
    units,
    version,
    webhooks,
)

COMMANDS = (
    demo,
    hub,
    edge,
    accounts,
    tokens,
    audit,
    agents,
    grid,
    people,
    units,
    readiness,
    webhooks,
    ratings,
    evaluate,
    replay,
    label,
    learn_rule,
    models,
    chaos,
    broker,
    assessment,
    assets,
    district,
    backup,
    restore,
    version,
)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Declare every subcommand; the parsed arguments then hold `run`."""
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(subparsers)
