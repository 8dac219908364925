"""Where somebody may act: a right is role x grid subtree x transition.

The role and the transition stand in `lifecycle.yaml`; the subtree is the actor's.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.actor import Actor, Role

# whoever sees something may say so, wherever it is
ANYWHERE = frozenset({"ingest_detection", "report", "join_report"})
_PLACELESS = frozenset({Role.DEVICE, Role.RULE, Role.CITIZEN})


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an event lies and whose it is.

    cell: its grid code, None where it lies in no cell. units: the responsible one and co-handlers.
    named: persons it was given to.
    """

    cell: str | None = None
    units: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


def out_of_scope(actor: Actor, step: str, ground: Ground) -> str | None:
    """Why this event is not the actor's to do `step` with, as a sentence; None where it is."""
    if step in ANYWHERE or actor.role in _PLACELESS or actor.name in ground.named:
        return None
    if actor.role is Role.DEPT and actor.unit is not None and actor.unit not in ground.units:
        whose = ", ".join(sorted(ground.units)) or "no unit yet"
        return f"{step} is not open to {actor.name} of {actor.unit}: the event is with {whose}"
    if not actor.reaches(ground.cell):
        where = f"in cell {ground.cell}" if ground.cell else "in no cell of the grid"
        return (
            f"{step} is not open to {actor.name}, who answers for {', '.join(actor.cells)}: the "
            f"event lies {where}"
        )
    return None
