"""An agent that comes back after it was killed cannot clear what its earlier run had raised."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract.control import encode_control
from contract.messages import Death, Detection
from contract.taxonomy import Phase
from contract.topics import Topic, Up
from hub.ingest.births import take_control
from hub.services.context import Hub
from hub.services.lapse import lapse_cleared
from hub.services.record_detections import record_detections
from hub.store.detections import Change
from tests.hub.builders import Clock, detection, episode_id, manifest, rows

TOPIC = str(Topic("demo", "edge-1", Up.BIRTH))


def born(
    hub: Hub, *, boot: str = "b1", first: int | None = 1, streams: Sequence[str] = ("cam-01",)
) -> None:
    birth = manifest(boot, at=hub.now(), streams=streams)
    with hub.pool.connection() as conn:
        take_control(
            conn,
            hub,
            TOPIC,
            encode_control(msgspec.structs.replace(birth, first_detection=first)),
        )


def told(hub: Hub, record: Detection, seq: int, boot: str = "b1") -> None:
    with hub.pool.connection() as conn:
        change = Change("demo", "edge-1", boot, seq, record, hub.now())
        assert record_detections(conn, hub, [change]) == []


def scene(hub: Hub) -> list[tuple[str, bool]]:
    """Of each event: its state, and whether its scene counts as clear."""
    return [
        (str(state), bool(clear))
        for state, clear in rows(
            hub.config.database.url,
            "SELECT state, scene_cleared_at IS NOT NULL FROM grid_event ORDER BY id",
        )
    ]


def lapse(hub: Hub, clock: Clock) -> None:
    clock.move(24 * 3600.0)
    with hub.pool.connection() as conn:
        lapse_cleared(conn, hub)


def test_what_an_earlier_run_left_open_is_lost_sight_of_and_lapses(hub: Hub, clock: Clock) -> None:
    born(hub)
    told(hub, detection(at=clock()), 1)
    clock.move(60.0)
    born(hub, first=2)  # the same spool, another process

    assert scene(hub) == [("suspected", True)]
    lapse(hub, clock)
    assert scene(hub) == [("lapsed", True)]


def test_a_spool_that_was_lost_ends_the_sight_of_all_that_was_open(hub: Hub, clock: Clock) -> None:
    born(hub)
    told(hub, detection(at=clock()), 9)

    born(hub, boot="b2")

    assert scene(hub) == [("suspected", True)]


def test_a_birth_of_the_same_run_ends_nothing(hub: Hub, clock: Clock) -> None:
    """A reconnection, or a command that was applied."""
    born(hub, first=4)
    told(hub, detection(at=clock()), 4)

    born(hub, first=4)

    assert scene(hub) == [("suspected", False)]


def test_an_agent_that_does_not_say_where_its_run_began_keeps_what_is_open(
    hub: Hub, clock: Clock
) -> None:
    born(hub, first=None)
    told(hub, detection(at=clock()), 4)

    born(hub, first=None)

    assert scene(hub) == [("suspected", False)]


def test_a_camera_that_was_taken_away_is_waited_for_no_longer(hub: Hub, clock: Clock) -> None:
    born(hub, streams=["cam-01", "cam-02"])
    told(hub, detection(at=clock(), stream="cam-02"), 1)

    born(hub, streams=["cam-01"])

    assert scene(hub) == [("suspected", True)]


def test_a_backlog_of_an_earlier_run_that_arrives_after_the_birth_is_out_of_sight(
    hub: Hub, clock: Clock
) -> None:
    born(hub, first=3)

    told(hub, detection(at=clock()), 2)

    assert scene(hub) == [("suspected", True)]


def test_a_later_word_on_the_episode_takes_it_back(hub: Hub, clock: Clock) -> None:
    """The spool began a new boot while the agent ran: the episode goes on under other numbers.

    Smoke, for a flame that goes on is filed by itself.
    """
    episode = episode_id()
    born(hub)
    told(hub, detection(at=clock(), episode=episode, kind="smoke", label="smoke"), 5)
    born(hub, boot="b2", first=1)
    assert scene(hub) == [("suspected", True)]

    clock.move(5.0)
    told(
        hub,
        detection(
            at=clock(),
            episode=episode,
            revision=2,
            phase=Phase.UPDATED,
            kind="smoke",
            label="smoke",
        ),
        1,
        boot="b2",
    )

    assert scene(hub) == [("suspected", False)]
    assert rows(hub.config.database.url, "SELECT lost_sight_at FROM detection") == [(None,)]


def test_a_fire_that_still_burns_is_raised_anew_and_joins_its_event(hub: Hub, clock: Clock) -> None:
    born(hub)
    told(hub, detection(at=clock()), 1)
    clock.move(20.0)
    born(hub, first=2)

    told(hub, detection(at=clock.move(5.0)), 2)

    assert scene(hub) == [("suspected", False)]
    assert rows(hub.config.database.url, "SELECT count(*) FROM detection") == [(2,)]


def test_the_death_of_an_agent_ends_no_sight(hub: Hub, clock: Clock) -> None:
    """Its cameras are blind, which is no word on what they saw."""
    born(hub)
    told(hub, detection(at=clock()), 1)
    with hub.pool.connection() as conn:
        death = Death(boot="b1", published_at=hub.now())
        take_control(conn, hub, str(Topic("demo", "edge-1", Up.DEATH)), encode_control(death))
    assert rows(hub.config.database.url, "SELECT online FROM agent") == [(False,)]
    lapse(hub, clock)

    assert scene(hub) == [("suspected", False)]
