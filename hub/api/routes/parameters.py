"""Parameters of detectors: what an agent runs, what is in force, and setting another value."""

from __future__ import annotations

from fastapi import APIRouter

from hub.api.access import DESK, allow
from hub.api.deps import ActorDep, HubDep, reading
from hub.api.errors import problems
from hub.api.models.parameters import Change, CommandNow, DetectorNow, Parameters, StreamDetectors
from hub.services.read_manifest import read_manifest
from hub.services.tune_threshold import tune_threshold
from hub.store import views

router = APIRouter(prefix="/agents/{agent}", tags=["Parameters"], dependencies=[allow(*DESK)])


@router.get(
    "/parameters",
    summary="What an agent runs, what is in force, what was set",
    responses=problems(404),
)
def show_parameters(agent: str, hub: HubDep) -> Parameters:
    """Read from the agent's manifest; each parameter with type, unit and range."""
    with reading(hub) as conn:
        found = views.agent(conn, agent)
        commands = views.commands(conn, agent)
    manifest = read_manifest(agent, found.manifest)
    return Parameters(
        agent=agent,
        command_version=manifest.command_version,
        command_errors=manifest.command_errors,
        streams=[
            StreamDetectors(
                stream=s.stream,
                name=s.name,
                detectors=[
                    DetectorNow(
                        kind=d.kind,
                        version=d.version,
                        summary=d.summary,
                        parameter_schema=d.schema,
                        in_force=d.parameters,
                    )
                    for d in s.detectors
                ],
            )
            for s in manifest.tuned()
        ],
        commands=[CommandNow.model_validate(c) for c in commands],
    )


@router.put(
    "/streams/{stream}/detectors/{kind}/parameters",
    status_code=202,
    summary="Set parameters of one detector on one stream",
    responses=problems(403, 404, 409, 413),
)
def set_parameters(
    agent: str, stream: str, kind: str, body: Change, hub: HubDep, actor: ActorDep
) -> CommandNow:
    """The new command version. It is in force once the agent says so: `answered_at` is set then,
    and `errors` holds what it refused. What is not named keeps its value."""
    changes: dict[str, object] = dict(body.parameters)
    with hub.pool.connection() as conn:
        command = tune_threshold(conn, hub, agent, stream, kind, changes, actor, body.note)
    return CommandNow.model_validate(command)
