"""Applies the hub's command to running detectors, and keeps it for the next start."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from contract.control import encode_control, read_control
from contract.errors import ContractError
from contract.messages import Command

log = logging.getLogger(__name__)

ERRORS_KEPT = 50
ERROR_LENGTH = 500  # characters


class Tuned(Protocol):
    """A camera or a watch over readings: what a command names."""

    def use(self, commanded: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Go on with the agent's own parameters and these over them; what of it is refused."""


class Control:
    """Which command is in force. Safe to use from several threads."""

    def __init__(self, folder: Path, tuned: Mapping[str, Tuned]) -> None:
        self._path = folder / "command.json"
        self._tuned = dict(tuned)
        self._lock = threading.Lock()
        self._command: Command | None = None
        self._errors: list[str] = []

    @property
    def version(self) -> int:
        """Of the command in force, 0 for none."""
        return self._command.version if self._command is not None else 0

    @property
    def errors(self) -> list[str]:
        """What of it was refused, and why."""
        return list(self._errors)

    def restore(self) -> None:
        """Put the last command in force again, if there is one; no broker is needed for it."""
        try:
            command = read_control(Command, self._path.read_bytes())
        except FileNotFoundError:
            return
        except (ContractError, OSError) as e:
            log.warning(
                "the last command in %s is not readable, going on without: %s", self._path, e
            )
            return
        self._put_in_force(command)

    def apply(self, command: Command) -> bool:
        """Put a command in force; False where it is in force already.

        The broker hands out the hub's latest word, so whatever differs counts, whatever its
        number: a hub that was begun anew counts from 1 again.
        """
        if command == self._command:
            return False
        self._put_in_force(command)
        self._keep(command)
        log.info("command %d of %s is in force", command.version, command.issued_by)
        return True

    def _put_in_force(self, command: Command) -> None:
        with self._lock:
            errors = [
                f"no stream {name!r}; there are: {', '.join(self._tuned) or 'none'}"
                for name in command.parameters
                if name not in self._tuned
            ]
            for name, tuned in self._tuned.items():
                try:
                    errors += tuned.use(command.parameters.get(name, {}))
                except Exception as e:  # somebody's detector: the others get their parameters
                    log.exception("stream %s: its parameters are not in force", name)
                    errors.append(f"stream {name}: not in force: {type(e).__name__}: {e}")
            self._errors = [e[:ERROR_LENGTH] for e in errors[:ERRORS_KEPT]]
            self._command = command

    def _keep(self, command: Command) -> None:
        new = self._path.with_suffix(".new")
        try:
            with new.open("wb") as f:
                f.write(encode_control(command))
                f.flush()
                os.fsync(f.fileno())
            new.replace(self._path)
        except OSError as e:
            log.error("command %d is in force but cannot be kept: %s", command.version, e)
