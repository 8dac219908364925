"""Births and deaths of agents: who they are, where their cameras stand, what is in force."""

from __future__ import annotations

import json
from typing import Any

from psycopg import Connection

from contract.control import read_control
from contract.errors import ContractError, TopicError
from contract.messages import Death, Manifest
from contract.topics import Topic, Up
from hub.services.context import Hub
from hub.store import agents, changes, commands, events, ledger, quarantine
from hub.store.agents import StreamBirth
from hub.store.quarantine import Reject


def take_control(conn: Connection[Any], hub: Hub, topic_text: str, payload: bytes) -> str | None:
    """Take a birth or death in; the agent that was born, None for anything else.

    What cannot be read is quarantined.
    """
    topic: Topic | None = None
    try:
        topic = Topic.parse(topic_text)
        if topic.kind is Up.BIRTH:
            manifest = read_control(Manifest, payload)
        elif topic.kind is Up.DEATH:
            death = read_control(Death, payload) if payload else None
        else:
            raise TopicError(f"topic {topic} is neither birth nor death")
        enrolled = agents.enrol(conn, {topic.agent: topic.station})[topic.agent]
        if enrolled != topic.station:
            raise TopicError(
                f"agent {topic.agent} is enrolled at station {enrolled}, not at {topic.station}"
            )
    except ContractError as e:
        told = (topic.station, topic.agent) if topic else (None, None)
        quarantine.put_aside(
            conn, [Reject(topic_text, payload, str(e), station=told[0], agent=told[1])], hub.now()
        )
        return None
    if topic.kind is Up.BIRTH:
        _bear(conn, hub, topic.agent, manifest, payload)
        return topic.agent
    if death is not None and agents.bury(
        conn, topic.agent, boot=death.boot, born_at=death.published_at, seen_at=hub.now()
    ):
        changes.tell(conn, "agent", topic.agent)
    return None


def _bear(conn: Connection[Any], hub: Hub, agent: str, manifest: Manifest, payload: bytes) -> None:
    now = hub.now()
    before = agents.by_name(conn, agent, lock=True)
    same_boot = before is not None and before.boot == manifest.boot
    agents.bear(
        conn,
        agent,
        boot=manifest.boot,
        born_at=manifest.published_at,
        seen_at=now,
        manifest=json.loads(payload),
    )
    streams = []
    for s in manifest.streams:
        cell = hub.grid.locate(s.position) if s.position else None
        streams.append(
            StreamBirth(s.stream, s.name, s.position, cell.code if cell else None, str(s.state))
        )
    agents.save_streams(conn, agent, streams, now, same_boot=same_boot)
    for born in streams:
        if born.position is not None:
            for number in events.place_unplaced(conn, agent, born.stream, born.position, born.cell):
                changes.tell(conn, "event", number)
    if not same_boot:
        ledger.close_older_boots(conn, agent, manifest.boot, now)
    if commands.answered(conn, agent, manifest.command_version, manifest.command_errors, now):
        changes.tell(conn, "command", agent)
    changes.tell(conn, "agent", agent)
