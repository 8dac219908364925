"""`gridwarden agents enrol | list | rotate | revoke | broker`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers
    from gridwarden.identity.bundle import Bundle
    from gridwarden.identity.enrolling import Registry
    from hub.config import HubConfig
    from hub.store.enrolments import Enrolment

GRACE_HOURS = 720  # a month: a former credential is still a credential
WATCHED_S = 3.0  # the container's start script looks for new files every second


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "agents",
        help="say which agents may send: enrol, list, rotate, revoke",
        description="An agent has credentials of its own, and a station. They are shown once. "
        "Works on the hub's database and, where broker_dir of [identity] is set, writes "
        "Mosquitto's files.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    enrol = actions.add_parser("enrol", help="give an agent credentials")
    enrol.add_argument("agent", metavar="AGENT", help="its name; never that of another agent")
    enrol.add_argument("--station", required=True, metavar="S", help="the station it belongs to")
    _credential(enrol, "a password it logs in with (usual)")
    _bundle(enrol)
    enrol.add_argument(
        "--if-new", action="store_true", help="do nothing where it is enrolled already"
    )
    enrol.set_defaults(run=run_enrol)

    listing = actions.add_parser("list", help="who is enrolled, and who was refused")
    listing.set_defaults(run=run_list)

    rotate = actions.add_parser("rotate", help="new credentials; those before are worth nothing")
    rotate.add_argument("agent", metavar="AGENT")
    rotate.add_argument(
        "--grace",
        type=_hours,
        default=timedelta(),
        metavar="HOURS",
        help="let those before work for so long, until the agent has the new ones (up to 720)",
    )
    _credential(rotate, "a password from now on")
    _bundle(rotate)
    rotate.set_defaults(run=run_rotate)

    revoke = actions.add_parser("revoke", help="let an agent send no more, at once")
    revoke.add_argument("agent", metavar="AGENT")
    revoke.set_defaults(run=run_revoke)

    broker = actions.add_parser(
        "broker", help="write Mosquitto's files anew, its certificate where it needs another"
    )
    broker.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name or address that agents call the broker by; repeatable",
    )
    broker.set_defaults(run=run_broker)
    for action in (enrol, listing, rotate, revoke, broker):
        action.add_argument("--config", type=Path, metavar="FILE", help="the hub's settings (TOML)")


def run_enrol(chosen: argparse.Namespace) -> int:
    """Enrol an agent and show its credentials."""
    from hub.store.enrolments import Credential

    config, registry = _registry(chosen)
    if chosen.if_new and registry.is_enrolled(chosen.agent):
        print(f"agent {chosen.agent} is enrolled already")
        return _write_files(config, registry)
    kind = Credential.CERTIFICATE if chosen.certificate else Credential.PASSWORD
    bundle, left = registry.enrol(chosen.agent, chosen.station, kind)
    _show(bundle, chosen.bundle)
    if left.names:
        print(
            "from now on the hub refuses agents that are not enrolled; it has heard of: "
            f"{', '.join(left.names)}",
            file=sys.stderr,
        )
    return _write_files(config, registry)


def run_rotate(chosen: argparse.Namespace) -> int:
    """Give an agent new credentials and show them."""
    from hub.store.enrolments import Credential

    config, registry = _registry(chosen)
    kind = None
    if chosen.certificate or chosen.password:
        kind = Credential.CERTIFICATE if chosen.certificate else Credential.PASSWORD
    before = registry.session(chosen.agent)
    _show(registry.rotate(chosen.agent, kind, chosen.grace), chosen.bundle)
    if chosen.grace:
        until = datetime.now(UTC) + chosen.grace
        print(
            f"what agent {chosen.agent} had works until {until:%Y-%m-%d %H:%M} UTC; then "
            "run `gridwarden agents broker`, so that the broker hears of it",
            file=sys.stderr,
        )
    return _write_files(config, registry, None if chosen.grace else before)


def run_revoke(chosen: argparse.Namespace) -> int:
    """Revoke an agent."""
    config, registry = _registry(chosen)
    before = registry.revoke(chosen.agent)
    print(
        f"agent {chosen.agent} is revoked: the hub takes nothing more of it; "
        "what it has not delivered stays in its spool"
    )
    return _write_files(config, registry, before)


def run_broker(chosen: argparse.Namespace) -> int:
    """Write the broker's files."""
    config, registry = _registry(chosen)
    issued = registry.write_broker_files(tuple(chosen.host))
    print(f"the broker's files in {config.identity.broker_dir} are up to date")
    if issued is not None:
        print(f"its new certificate is good until {issued.expires_at:%Y-%m-%d}")
    _reload(config)
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    """Print who is enrolled, and who was refused."""
    from gridwarden.identity import mosquitto
    from gridwarden.identity.listing import lines

    config, registry = _registry(chosen)
    now = datetime.now(UTC)
    everybody, refused = registry.all()
    warn = timedelta(days=config.identity.warn_days)
    folder = config.identity.broker_dir
    broker_ends_at = mosquitto.broker_expiry(folder) if folder else None
    for line in lines(everybody, refused, broker_ends_at, now, warn):
        print(line)
    return 0


def _hours(text: str) -> timedelta:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0.0 <= hours <= GRACE_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours from 0 to {GRACE_HOURS}")
    return timedelta(hours=hours)


def _credential(parser: argparse.ArgumentParser, password: str) -> None:
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--password", action="store_true", help=password)
    kinds.add_argument(
        "--certificate", action="store_true", help="a client certificate of the local authority"
    )


def _bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FOLDER",
        help="write the agent's files there (0600) instead of showing them",
    )


def _registry(chosen: argparse.Namespace) -> tuple[HubConfig, Registry]:
    from gridwarden.identity.enrolling import Registry
    from gridwarden.received import myself
    from hub.config import load

    config = load(chosen.config, os.environ)
    return config, Registry(config, datetime.now(UTC), myself().name)


def _show(bundle: Bundle, folder: Path | None) -> None:
    from gridwarden.identity.bundle import write

    if folder is not None:
        paths = write(bundle, folder)
        print(f"agent {bundle.agent} at station {bundle.station}; copy to its machine:")
        for path in paths:
            print(f"  {path}")
        return
    print(f"# agent {bundle.agent} at station {bundle.station}: this is shown once")
    for name, content in bundle.contents().items():
        print(f"# --- {name}\n{content.decode().rstrip()}\n")
    sys.stdout.flush()


def _write_files(config: HubConfig, registry: Registry, ended: Enrolment | None = None) -> int:
    """Let the broker know; `ended`: whose session must not go on."""
    from gridwarden.identity.errors import IdentityError

    if config.identity.broker_dir is None:
        print(
            "the broker knows nothing of this: broker_dir of [identity] is not set. The hub does",
            file=sys.stderr,
        )
        return 0
    try:
        registry.write_broker_files()
    except IdentityError as e:
        raise IdentityError(
            f"{e}. The hub knows the change, the broker does not: run `gridwarden agents broker` "
            "once this is mended"
        ) from None
    if _reload(config) and ended is not None and ended.serial is not None:
        from gridwarden.identity.eviction import end_session

        end_session(config.broker, ended.station, ended.agent)
    return 0


def _reload(config: HubConfig) -> bool:
    """Have the broker read its files; whether it is running, as far as we know."""
    from gridwarden.identity import mosquitto

    pid_file = config.identity.broker_pid_file
    if pid_file is None:
        print(
            f"the broker reads them within {WATCHED_S:g} s where it runs by docker-compose.yml; "
            "otherwise: systemctl reload mosquitto",
            file=sys.stderr,
        )
        time.sleep(WATCHED_S)
        return True
    if mosquitto.reload(pid_file):
        return True
    print(f"{pid_file} names no running mosquitto: it reads them at its start", file=sys.stderr)
    return False
