"""`gridwarden broker check`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("broker", help="look at an MQTT broker before it is relied on")
    actions = parser.add_subparsers(metavar="check", required=True)
    check = actions.add_parser(
        "check",
        help="probe what hub and agents count on, and say what is unsafe",
        description="Probes window, acknowledgements, queue limit, access rights, size, retained "
        "messages and clean sessions, under a station of its own. Exit code 1 where something is "
        "unsafe or could not be probed.",
    )
    check.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="mqtt[s]://[user[:password]@]host[:port]; the hub's own broker where none is named",
    )
    check.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")
    check.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="who vouches for the broker's certificate"
    )
    check.add_argument("--agent-username", metavar="NAME", help="of an enrolled agent")
    check.add_argument(
        "--agent-password",
        metavar="PASSWORD",
        help="of that agent; else GRIDWARDEN_AGENT_PASSWORD from the environment",
    )
    check.add_argument(
        "--agent-station",
        default="",
        metavar="NAME",
        help="where it is enrolled, one that no hub ingests",
    )
    check.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Check the broker; 0 where nothing is unsafe."""
    from dataclasses import replace

    from gridwarden.broker_check.checking import broker_of, check
    from gridwarden.broker_check.finding import Verdict
    from gridwarden.broker_check.probing import Account
    from hub.config import load

    config = load(chosen.config, os.environ)
    broker = broker_of(chosen.url) if chosen.url else config.broker
    if chosen.ca_file:
        broker = replace(broker, ca_file=chosen.ca_file)
    agent = None
    if chosen.agent_username:
        password = chosen.agent_password or os.environ.get("GRIDWARDEN_AGENT_PASSWORD", "")
        agent = Account(chosen.agent_username, password)
    bad = 0
    batch = config.ingest.batch_messages
    for finding in check(broker, agent, batch, station=chosen.agent_station):
        print(finding, flush=True)
        bad += finding.verdict in (Verdict.UNSAFE, Verdict.UNKNOWN)
    print("this broker is safe to use" if not bad else f"{bad} to see to before it is relied on")
    return 1 if bad else 0
