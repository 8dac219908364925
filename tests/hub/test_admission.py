"""What the hub itself takes, whatever the broker lets through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from contract.taxonomy import Lane
from hub.config import IdentityConfig
from hub.ingest.subscriber import run_ingest
from hub.store import enrolments
from hub.store.enrolments import Credential, Enrolment
from tests.hub.builders import Agent, config, eventually, fresh, health, opened, rows, running

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@contextmanager
def ingesting(
    database_url: str, port: int, folder: Path, *stations: str, required: bool = False
) -> Iterator[None]:
    settings = config(database_url, folder, broker_port=port, stations=stations)
    settings = dataclasses.replace(settings, identity=IdentityConfig(required=required))
    with opened(settings) as hub, running(lambda stop: run_ingest(hub, stop)):
        yield


def enrol(database_url: str, agent: str, station: str, *, revoked: bool = False) -> None:
    with psycopg.connect(database_url) as conn:
        enrolments.save(
            conn,
            Enrolment(agent, station, Credential.PASSWORD, "$7$", None, NOW, NOW, None, None),
        )
        if revoked:
            enrolments.revoke(conn, agent, NOW)


def refusals(database_url: str, agent: str) -> dict[str, str]:
    """kind of topic -> reason."""
    found = rows(database_url, "SELECT topic, reason FROM quarantine WHERE agent = %s", agent)
    return {topic.rsplit("/", 1)[1]: reason for topic, reason in found}


def listening(agent: Agent) -> None:
    """Return once the hub hears this agent: it answers nobody before all of it listens."""
    agent.bear()
    eventually(lambda: agent.acks != [])


@pytest.fixture
def here() -> str:
    return fresh("station")


def test_without_enrolments_whoever_the_broker_lets_in_may_send(
    database_url: str, broker_port: int, tmp_path: Path, here: str
) -> None:
    with ingesting(database_url, broker_port, tmp_path, here), Agent(broker_port, here) as agent:
        listening(agent)
        agent.send(Lane.HEALTH, [health()])
        agent.acked(Lane.HEALTH, 1)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("stranger", "is not enrolled"),
        ("revoked", "was revoked at 2026-11-24 08:00 UTC"),
        ("elsewhere", "is enrolled at station elsewhere, not at"),
    ],
)
def test_what_disagrees_with_the_enrolments_is_quarantined_and_counted_by_agent(
    database_url: str, broker_port: int, tmp_path: Path, here: str, who: str, words: str
) -> None:
    good = fresh("good")
    enrol(database_url, good, here)
    with (
        ingesting(database_url, broker_port, tmp_path, here),
        Agent(broker_port, here, good) as friend,
        Agent(broker_port, here) as agent,
    ):
        listening(friend)
        if who != "stranger":
            station = here if who == "revoked" else "elsewhere"
            enrol(database_url, agent.name, station, revoked=who == "revoked")
        agent.bear()
        agent.send(Lane.HEALTH, [health()])
        eventually(lambda: {"birth", "health"} <= set(refusals(database_url, agent.name)))
        friend.send(Lane.HEALTH, [health()])
        friend.acked(Lane.HEALTH, 1)

    assert words in refusals(database_url, agent.name)["birth"]
    assert words in refusals(database_url, agent.name)["health"]
    with psycopg.connect(database_url) as conn:
        counted = {r.agent: r.times for r in enrolments.refused(conn)}
    assert counted[agent.name] >= 2
    assert good not in counted
    # nothing of it is taken: it keeps what it has, and goes on once it is enrolled
    assert rows(database_url, "SELECT * FROM ledger WHERE agent = %s", agent.name) == []
    assert rows(database_url, "SELECT * FROM agent WHERE agent = %s", agent.name) == []


def test_an_agent_refused_before_is_taken_once_it_is_enrolled(
    database_url: str, broker_port: int, tmp_path: Path, here: str
) -> None:
    with (
        ingesting(database_url, broker_port, tmp_path, here, required=True),
        Agent(broker_port, here) as agent,
    ):
        agent.bear()
        eventually(lambda: "birth" in refusals(database_url, agent.name))
        agent.send(Lane.HEALTH, [health()])
        eventually(lambda: "health" in refusals(database_url, agent.name))
        assert "is not enrolled" in refusals(database_url, agent.name)["health"]

        enrol(database_url, agent.name, here)
        listening(agent)
        agent.send(Lane.HEALTH, [health()], seq=1)

        agent.acked(Lane.HEALTH, 1)
