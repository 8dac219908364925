"""What the console shows of one event: its evidence, why it was raised, what lies around it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.api.by_itself import by_itself
from hub.api.curve import Curve, score_curve
from hub.api.sensor_charts import Measured, measured
from hub.domain.actor import Actor
from hub.domain.reach import within
from hub.services.context import Hub
from hub.services.filing.control_windows import windows_over
from hub.services.read_manifest import read_manifest
from hub.store import case_facts, views
from hub.store.rows import DetectionRow, GridEventRow
from hub.store.view_rows import Picture

_NEARBY_M = 500.0
_CURVE_S = 30.0  # of scores before and after the moment it fired
_CLIP_COMES_WITHIN = timedelta(seconds=120)  # the seconds after the alarm, encoding, the way here


def pane(
    conn: Connection[Any], hub: Hub, event: GridEventRow | None, actor: Actor, *, swap: bool
) -> dict[str, Any]:
    """What the pane of an event shows. swap: as a part, with the facts beside it."""
    if event is None:
        nothing: list[Any] = []
        return {"event": None, "swap": swap, "clip_due": False, "filing": None} | dict.fromkeys(
            ("detections", "pictures", "reports", "history", "nearby", "windows"), nothing
        )
    detections = views.detections_of(conn, event.id)
    pictures = views.pictures(conn, event.id)
    episodes = {d.episode: d for d in detections}
    first = next((p.episode for p in pictures if p.is_image and p.episode in episodes), None)
    # told of is the detection whose picture is on show; without one, the first
    shown = episodes[first] if first else next(iter(detections), None)
    return {
        "event": event,
        "swap": swap,
        "detections": detections,
        "episodes": episodes,
        "detection": shown,
        "why": views.why_raised(conn, shown.episode) if shown else "",
        "curve": _curve(conn, shown) if shown else None,
        "measured": _measured(conn, hub, shown) if shown else None,
        "pictures": pictures,
        "clip_due": _clip_due(conn, detections, pictures, hub.now()),
        "reports": views.reports(conn, event.id),
        "history": views.history(conn, event.id),
        "nearby": views.nearby(conn, event, _NEARBY_M, within(actor)),
        "filing": by_itself(conn, hub, event),
        "unit_name": _unit_name(conn, event.responsible_unit),
        "windows": windows_over(conn, event, detections),
        "recurrence_of": None
        if event.recurrence_of is None
        else views.event_number(conn, event.recurrence_of),
        "cameras": views.names(conn),
    }


def _unit_name(conn: Connection[Any], code: str | None) -> tuple[str, str] | None:
    """What the responsible unit is called, in English and Chinese."""
    return None if code is None else case_facts.unit_names(conn, [code]).get(code, (code, code))


def _clip_due(
    conn: Connection[Any],
    detections: Sequence[DetectionRow],
    pictures: Sequence[Picture],
    now: datetime,
) -> bool:
    """Whether a clip is still being made of a detection that was raised just now."""
    shown = {p.episode for p in pictures if p.role == "clip"}
    young = [
        d for d in detections if d.episode not in shown and now - d.raised_at < _CLIP_COMES_WITHIN
    ]
    for agent in {d.agent for d in young}:
        manifest = views.agent(conn, agent).manifest
        streams = read_manifest(agent, manifest).streams if manifest else []
        making = {s.stream for s in streams if s.clip_s > 0.0}
        if any(d.agent == agent and d.stream in making for d in young):
            return True
    return False


def _curve(conn: Connection[Any], detection: DetectionRow) -> Curve | None:
    scores = views.scores_around(conn, detection.episode, _CURVE_S)
    return score_curve(scores, detection.rule["threshold"])


def _measured(conn: Connection[Any], hub: Hub, detection: DetectionRow) -> Measured | None:
    return measured(detection, views.curves_of(conn, detection.episode), hub.zone)
