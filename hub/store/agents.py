"""Edge agents and their cameras, as births, deaths and heartbeats tell of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Json
from shapely.geometry import mapping

from contract.geometry import Point
from contract.messages import GroundPoint
from hub.domain.filing import Device
from hub.domain.footprint import footprint_of
from hub.domain.sight import SEEING, SILENT_AFTER, Word
from hub.store import camera_states
from hub.store.rows import AgentRow


@dataclass(frozen=True, slots=True)
class StreamBirth:
    """A camera as its agent's manifest names it."""

    stream: str
    name: str
    position: Point | None
    cell: str | None
    state: str
    footprint: tuple[Point, ...] = ()  # the ground it sees, corner by corner
    ground: tuple[GroundPoint, ...] = ()  # points of the picture whose place is known


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The latest word on one camera."""

    agent: str
    stream: str
    state: str
    since: datetime
    here_since: datetime  # the same on the hub's clock, if the agent knows how far off its own is
    here_at: datetime | None  # when it arrived; None: it waited too long to say anything of now
    heard_at: datetime
    seq: int  # of the heartbeat in its boot: clocks jump, numbers do not
    frame_age_s: float | None
    frame_hash: str
    captured: int
    observed: int
    restarts: int
    detail: str


def enrol(conn: Connection[Any], stations: Mapping[str, str]) -> dict[str, str]:
    """The stations that these agents are enrolled at: agent -> station.

    stations: agent -> station it now claims. An agent never heard of before is enrolled there.
    """
    agents = sorted(stations)
    known = _stations(conn, agents)
    strangers = [a for a in agents if a not in known]
    if not strangers:
        return known
    conn.execute(
        """
        INSERT INTO agent (agent, station) SELECT * FROM unnest(%s::text[], %s::text[])
        ON CONFLICT DO NOTHING
        """,
        (strangers, [stations[a] for a in strangers]),
    )
    return _stations(conn, agents)


def _stations(conn: Connection[Any], agents: list[str]) -> dict[str, str]:
    return dict(
        conn.execute(
            "SELECT agent, station FROM agent WHERE agent = ANY (%s)", (agents,)
        ).fetchall()
    )


def names(conn: Connection[Any]) -> list[str]:
    """Every agent ever heard of or enrolled, by name."""
    return [row[0] for row in conn.execute("SELECT agent FROM agent ORDER BY agent").fetchall()]


def by_name(conn: Connection[Any], agent: str, *, lock: bool = False) -> AgentRow | None:
    """The agent of that name, locked until the transaction ends if asked."""
    with conn.cursor(row_factory=class_row(AgentRow)) as cur:
        return cur.execute(
            "SELECT * FROM agent WHERE agent = %s" + (" FOR UPDATE" if lock else ""), (agent,)
        ).fetchone()


def bear(
    conn: Connection[Any],
    agent: str,
    *,
    boot: str,
    born_at: datetime,
    seen_at: datetime,
    manifest: Mapping[str, Any],
    first_detection: int | None = None,
) -> None:
    """An enrolled agent was born. A new boot forgets the clock offset of the old one."""
    conn.execute(
        """
        UPDATE agent SET
            clock_offset_s = CASE WHEN boot = %(boot)s THEN clock_offset_s END,
            boot = %(boot)s, online = true, born_at = %(born_at)s, seen_at = %(seen_at)s,
            manifest = %(manifest)s, first_detection = %(first_detection)s
        WHERE agent = %(agent)s
        """,
        {
            "agent": agent,
            "boot": boot,
            "born_at": born_at,
            "seen_at": seen_at,
            "manifest": Json(manifest),
            "first_detection": first_detection,
        },
    )


def bury(
    conn: Connection[Any], agent: str, *, boot: str, born_at: datetime, seen_at: datetime
) -> bool:
    """The birth that boot and time name is over; whether it was the one in force."""
    ended = conn.execute(
        """
        UPDATE agent SET online = false, seen_at = %s
        WHERE agent = %s AND boot = %s AND born_at = %s AND online
        """,
        (seen_at, agent, boot, born_at),
    ).rowcount
    if ended:
        conn.execute(
            """
            UPDATE stream SET state = 'lost', since = %s, detail = 'its agent is offline'
            WHERE agent = %s AND state NOT IN ('lost', 'ended') AND retired_at IS NULL
            """,
            (seen_at, agent),
        )
        camera_states.lose(conn, agent, "lost", seen_at)
    return bool(ended)


def save_streams(
    conn: Connection[Any],
    agent: str,
    streams: Iterable[StreamBirth],
    at: datetime,
    *,
    same_boot: bool,
) -> None:
    """The cameras of an agent are these; what it no longer names is retired.

    same_boot: whether the agent was born with this boot before, so that its numbers go on.
    """
    rows = sorted(streams, key=lambda s: s.stream)
    conn.execute(
        """
        UPDATE stream SET retired_at = %s
        WHERE agent = %s AND retired_at IS NULL AND stream <> ALL (%s::text[])
        """,
        (at, agent, [s.stream for s in rows]),
    )
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO stream AS s (agent, stream, name, lon, lat, cell, state, since, footprint,
                                     ground)
            VALUES (%(agent)s, %(stream)s, %(name)s, %(lon)s, %(lat)s, %(cell)s, %(state)s, %(at)s,
                    %(footprint)s, %(ground)s)
            ON CONFLICT (agent, stream) DO UPDATE SET
                name = excluded.name, lon = excluded.lon, lat = excluded.lat, cell = excluded.cell,
                state = excluded.state, detail = '', retired_at = NULL,
                footprint = excluded.footprint, ground = excluded.ground,
                heard_seq = CASE WHEN %(same_boot)s THEN s.heard_seq ELSE 0 END,
                since = CASE WHEN s.state = excluded.state THEN s.since ELSE excluded.since END
            """,
            [
                {
                    "agent": agent,
                    "stream": s.stream,
                    "name": s.name,
                    "lon": s.position.lon if s.position else None,
                    "lat": s.position.lat if s.position else None,
                    "cell": s.cell,
                    "state": s.state,
                    "at": at,
                    "same_boot": same_boot,
                    "footprint": _footprint(s.footprint),
                    "ground": Json([[g.x, g.y, g.lon, g.lat] for g in s.ground])
                    if s.ground
                    else None,
                }
                for s in rows
            ],
        )
    camera_states.retire(conn, agent, [s.stream for s in rows], at)
    camera_states.tell(conn, [Word(agent, s.stream, s.cell, s.state, at, at) for s in rows])


def _footprint(ring: tuple[Point, ...]) -> Json | None:
    polygon = footprint_of(ring)
    return None if polygon is None else Json(mapping(polygon))


def cell_of(conn: Connection[Any], agent: str, stream: str) -> tuple[str | None] | None:
    """The cell of a camera or sensor, in a tuple; None where no agent has named it."""
    return conn.execute(
        """
        SELECT cell FROM stream WHERE agent = %(agent)s AND stream = %(device)s
        UNION ALL SELECT cell FROM sensor WHERE agent = %(agent)s AND device = %(device)s
        """,
        {"agent": agent, "device": stream},
    ).fetchone()


def soundness(
    conn: Connection[Any], devices: Collection[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], Device]:
    """How these cameras and sensors (agent, stream) are now; those that nobody named are left out.

    A sensor is as sound as its agent is heard of: what it measures is checked at the edge.
    """
    ordered = sorted(devices)
    rows = conn.execute(
        """
        SELECT s.agent, s.stream, s.state, s.retired_at IS NULL
                   AND coalesce(a.seen_at, '-infinity') >= %(since)s
        FROM stream s JOIN agent a USING (agent)
        WHERE (agent, stream) IN (SELECT * FROM unnest(%(agents)s::text[], %(streams)s::text[]))
        UNION ALL
        SELECT n.agent, n.device, 'online', n.retired_at IS NULL
                   AND coalesce(a.seen_at, '-infinity') >= %(since)s
        FROM sensor n JOIN agent a USING (agent)
        WHERE (agent, device) IN (SELECT * FROM unnest(%(agents)s::text[], %(streams)s::text[]))
        """,
        {
            "agents": [a for a, _ in ordered],
            "streams": [s for _, s in ordered],
            "since": now - SILENT_AFTER,
        },
    )
    return {
        (agent, stream): (
            Device.UNSOUND if state not in SEEING else Device.SOUND if heard else Device.SILENT
        )
        for agent, stream, state, heard in rows
    }


def boots(conn: Connection[Any], agents: Collection[str]) -> dict[str, str | None]:
    """The boot each of these agents was last born with, None before its first birth."""
    return dict(
        conn.execute(
            "SELECT agent, boot FROM agent WHERE agent = ANY (%s)", (sorted(agents),)
        ).fetchall()
    )


def runs(conn: Connection[Any], agents: Collection[str]) -> dict[tuple[str, str], int]:
    """The detection number that the present run of each agent began with, by (agent, boot)."""
    return {
        (agent, boot): int(first)
        for agent, boot, first in conn.execute(
            """
            SELECT agent, boot, first_detection FROM agent
            WHERE agent = ANY (%s) AND boot IS NOT NULL AND first_detection IS NOT NULL
            """,
            (sorted(agents),),
        )
    }


def clock_offsets(conn: Connection[Any], agents: Collection[str]) -> dict[tuple[str, str], float]:
    """Hub's clock minus the agent's in seconds, by (agent, boot), where it is known."""
    return {
        (agent, boot): float(offset)
        for agent, boot, offset in conn.execute(
            """
            SELECT agent, boot, clock_offset_s FROM agent
            WHERE agent = ANY (%s) AND boot IS NOT NULL AND clock_offset_s IS NOT NULL
            """,
            (sorted(agents),),
        )
    }


def hear(
    conn: Connection[Any],
    heartbeats: Iterable[Heartbeat],
    agents: Mapping[str, tuple[datetime, float | None]],
) -> list[tuple[str, str]]:
    """Take heartbeats over unless a later one was heard; the cameras whose state changed.

    agents: agent -> (seen at, clock offset in s).
    """
    names = sorted(agents)
    conn.execute(
        """
        UPDATE agent SET seen_at = greatest(agent.seen_at, h.seen_at),
                         clock_offset_s = coalesce(h.clock_offset_s, agent.clock_offset_s)
        FROM (SELECT agent FROM agent WHERE agent = ANY (%(names)s) ORDER BY agent FOR UPDATE) l,
             unnest(%(names)s::text[], %(seen)s::timestamptz[], %(offsets)s::float8[])
                 AS h (agent, seen_at, clock_offset_s)
        WHERE agent.agent = l.agent AND agent.agent = h.agent
        """,
        {
            "names": names,
            "seen": [agents[n][0] for n in names],
            "offsets": [agents[n][1] for n in names],
        },
    )
    latest: dict[tuple[str, str], Heartbeat] = {}
    for h in heartbeats:
        known = latest.get((h.agent, h.stream))
        if known is None or h.seq >= known.seq:
            latest[h.agent, h.stream] = h
    changed, words = [], []
    for key, h in sorted(latest.items()):
        row = conn.execute(
            """
            UPDATE stream n SET state = %(state)s, since = %(since)s, heard_at = %(heard_at)s,
                heard_seq = %(seq)s, frame_age_s = %(frame_age_s)s, frame_hash = %(frame_hash)s,
                captured = %(captured)s, observed = %(observed)s, restarts = %(restarts)s,
                detail = %(detail)s
            FROM stream o
            WHERE n.agent = %(agent)s AND n.stream = %(stream)s
              AND o.agent = n.agent AND o.stream = n.stream
              AND n.heard_seq <= %(seq)s
            RETURNING o.state <> n.state OR o.detail <> n.detail, n.cell, n.retired_at IS NULL
            """,
            {
                "agent": h.agent,
                "stream": h.stream,
                "state": h.state,
                "since": h.since,
                "heard_at": h.heard_at,
                "seq": h.seq,
                "frame_age_s": h.frame_age_s,
                "frame_hash": h.frame_hash,
                "captured": h.captured,
                "observed": h.observed,
                "restarts": h.restarts,
                "detail": h.detail,
            },
        ).fetchone()
        if row is None:
            continue
        if row[0]:
            changed.append(key)
        if row[2] and h.here_at is not None:
            words.append(Word(h.agent, h.stream, row[1], h.state, h.here_since, h.here_at))
    camera_states.tell(conn, words)
    return changed


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent is spoken to, and the boot it was last born with."""

    agent: str
    station: str
    boot: str | None


def addresses(conn: Connection[Any], stations: Collection[str]) -> list[Address]:
    """The agents enrolled at these stations, by name."""
    with conn.cursor(row_factory=class_row(Address)) as cur:
        return cur.execute(
            "SELECT agent, station, boot FROM agent WHERE station = ANY (%s) ORDER BY agent",
            (sorted(stations),),
        ).fetchall()
