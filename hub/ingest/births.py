"""Births and deaths of agents: who they are, where their cameras stand, what is in force."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.control import read_control
from contract.errors import ContractError, EnvelopeError, TopicError
from contract.geometry import Point
from contract.messages import Death, Manifest
from contract.topics import Topic, Up
from hub.ingest.admission import Claim, admit
from hub.services.context import Hub
from hub.store import agents, changes, commands, detections, events, ledger, quarantine, sensors
from hub.store.agents import StreamBirth
from hub.store.quarantine import Reject
from hub.store.rows import AgentRow
from hub.store.sensors import SensorBirth


def take_control(conn: Connection[Any], hub: Hub, topic_text: str, payload: bytes) -> str | None:
    """Take a birth or death in; the agent that was born, None for anything else.

    What cannot be read is quarantined.
    """
    try:
        return read_and_take(conn, hub, topic_text, payload)
    except ContractError as e:
        try:
            topic = Topic.parse(topic_text)
            reject = Reject(topic_text, payload, str(e), topic.station, topic.agent)
        except TopicError:
            reject = Reject(topic_text, payload, str(e))
        quarantine.put_aside(conn, [reject], hub.now())
        return None


def read_and_take(
    conn: Connection[Any], hub: Hub, topic_text: str, payload: bytes, *, newer_only: bool = False
) -> str | None:
    """Take a birth or death in; raises ContractError where it cannot be read or is not allowed.

    newer_only: a birth is refused unless it is younger than the one in force.
    """
    topic = Topic.parse(topic_text)
    if topic.kind is Up.BIRTH:
        manifest = read_control(Manifest, payload)
    elif topic.kind is Up.DEATH:
        death = read_control(Death, payload) if payload else None
    else:
        raise TopicError(f"topic {topic} is neither birth nor death")
    for reason in admit(conn, hub, [Claim(topic.agent, topic.station)]).values():
        raise TopicError(reason)
    if topic.kind is Up.BIRTH:
        before = agents.by_name(conn, topic.agent, lock=True)
        born_at = before.born_at if before else None
        if newer_only and born_at is not None and manifest.published_at <= born_at:
            raise EnvelopeError(
                f"agent {topic.agent} was born anew at {born_at.isoformat()}: give this birth up"
            )
        _bear(conn, hub, topic.agent, manifest, payload, before)
        return topic.agent
    if death is not None and agents.bury(
        conn, topic.agent, boot=death.boot, born_at=death.published_at, seen_at=hub.now()
    ):
        changes.tell(conn, "agent", topic.agent)
    return None


def _bear(
    conn: Connection[Any],
    hub: Hub,
    agent: str,
    manifest: Manifest,
    payload: bytes,
    before: AgentRow | None,
) -> None:
    now = hub.now()
    same_boot = before is not None and before.boot == manifest.boot
    agents.bear(
        conn,
        agent,
        boot=manifest.boot,
        born_at=manifest.published_at,
        seen_at=now,
        manifest=json.loads(payload),
        first_detection=manifest.first_detection,
    )
    streams = []
    for s in manifest.streams:
        streams.append(
            StreamBirth(
                s.stream,
                s.name,
                s.position,
                _cell(hub, s.position),
                str(s.state),
                tuple(s.footprint),
                tuple(s.ground),
            )
        )
    agents.save_streams(conn, agent, streams, now, same_boot=same_boot)
    devices = _sensors(hub, manifest)
    sensors.save(conn, agent, devices, now)
    for name, position, cell in (
        *((born.stream, born.position, born.cell) for born in streams),
        *((born.device, born.position, born.cell) for born in devices),
    ):
        if position is not None:
            for number in events.place_unplaced(conn, agent, name, position, cell):
                changes.tell(conn, "event", number)
    _lose_sight(conn, agent, manifest, now)
    if not same_boot:
        ledger.close_older_boots(conn, agent, manifest.boot, now)
    if commands.answered(conn, agent, manifest.command_version, manifest.command_errors, now):
        changes.tell(conn, "command", agent)
    changes.tell(conn, "agent", agent)


def _lose_sight(conn: Connection[Any], agent: str, manifest: Manifest, now: datetime) -> None:
    """Episodes of an earlier run, or of a camera that is no more: nobody will clear them.

    The scene counts as clear from now on, so that a suspected event can lapse; should the fire
    still burn, the new run raises it anew, and that joins the event while it lives.
    """
    ended = detections.lose_sight(
        conn,
        agent,
        boot=manifest.boot,
        first_seq=manifest.first_detection or 0,
        at=now,
    )
    events.see_scenes(conn, ended, now)
    for number in events.numbers_of(conn, ended):
        changes.tell(conn, "event", number)


def _sensors(hub: Hub, manifest: Manifest) -> list[SensorBirth]:
    """The devices a manifest names; one of which only the cell is told stands inside it."""
    found: dict[str, SensorBirth] = {}
    for s in manifest.sensors:
        for d in s.devices:
            position = hub.grid.place(d.position, d.cell)
            found[d.device] = SensorBirth(
                d.device, s.sensor, d.name, position, _cell(hub, position)
            )
    return list(found.values())


def _cell(hub: Hub, position: Point | None) -> str | None:
    cell = hub.grid.locate(position) if position else None
    return cell.code if cell else None
