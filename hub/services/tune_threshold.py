"""An engineer changes parameters of a detector: a new complete command version for its agent."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from psycopg import Connection

from contract.messages import DetectorManifest, Manifest, StreamManifest
from hub.domain.actor import OFFICE, Actor, Role
from hub.domain.errors import InvalidError, NotFoundError, WrongRoleError
from hub.services.context import Hub
from hub.services.handed_in import MAX_REASON, check_text
from hub.store import agents, commands
from hub.store import changes as store_changes
from hub.store.rows import CommandRow

_MAY_TUNE = (*OFFICE, Role.RULE)


def tune_threshold(
    conn: Connection[Any],
    hub: Hub,
    agent: str,
    stream: str,
    kind: str,
    changes: dict[str, object],
    actor: Actor,
    note: str = "",
) -> CommandRow:
    """The new command; None as a value takes a parameter back to the agent's own setting.

    Raises NotFoundError, WrongRoleError and InvalidError (what the manifest's schema says
    against it).
    """
    if actor.role not in _MAY_TUNE:
        raise WrongRoleError(
            f"tuning is not for the role {actor.role}; it is for {', '.join(_MAY_TUNE)}",
            action="tune_threshold",
            role=actor.role,
        )
    check_text("note", note, MAX_REASON)
    if not changes:
        raise InvalidError("no parameter is changed", field="changes")
    row = agents.by_name(conn, agent, lock=True)  # so that versions have no race
    if row is None or row.manifest is None:
        raise NotFoundError("agent", agent)
    detector = _detector(msgspec.convert(row.manifest, Manifest), stream, kind)
    last = commands.latest(conn, agent)
    parameters = copy.deepcopy(last.parameters) if last else {}
    tuned = parameters.setdefault(stream, {}).setdefault(kind, {})
    for name, value in changes.items():
        if value is None:
            tuned.pop(name, None)
        else:
            tuned[name] = value
    _check(detector, stream, changes, tuned)
    if not tuned:
        del parameters[stream][kind]
    if not parameters[stream]:
        del parameters[stream]
    command = commands.insert(
        conn, agent, (last.version if last else 0) + 1, hub.now(), actor.name, note, parameters
    )
    store_changes.tell(conn, "command", agent)
    return command


def _detector(manifest: Manifest, stream: str, kind: str) -> DetectorManifest:
    streams: dict[str, StreamManifest] = {s.stream: s for s in manifest.tuned()}
    if stream not in streams:
        raise NotFoundError("stream", stream)
    detectors = {d.kind: d for d in streams[stream].detectors}
    if kind not in detectors:
        raise NotFoundError("detector", f"{kind} on {stream}")
    return detectors[kind]


def _check(
    detector: DetectorManifest, stream: str, changes: dict[str, object], tuned: dict[str, Any]
) -> None:
    known = detector.schema.get("properties", {})
    for name in changes:
        if name not in known:
            raise InvalidError(
                f"{detector.kind} of stream {stream} has no parameter {name!r} "
                f"(it has: {', '.join(sorted(known))})",
                field=name,
            )
    wrong = next(iter(Draft202012Validator(detector.schema).iter_errors(tuned)), None)
    if wrong is not None:
        at = str(wrong.path[0]) if wrong.path else None
        raise InvalidError(
            f"{detector.kind} of stream {stream}: {at or 'parameters'}: {wrong.message}"
            + _unit(known.get(at or "", {})),
            field=at,
        )


def _unit(schema: dict[str, Any]) -> str:
    """What the parameter takes, as far as the schema tells."""
    low, high, unit = schema.get("minimum"), schema.get("maximum"), schema.get("x-unit", "")
    if low is None and high is None:
        return ""
    return f" (it takes {low} to {high} {unit}".rstrip() + ")"
