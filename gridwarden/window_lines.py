"""Control windows and silences on the command line, in plain lines."""

from __future__ import annotations

import getpass
from datetime import datetime

from contract.errors import GridwardenError
from hub.api.deps import reading
from hub.domain.actor import Actor, Role
from hub.domain.control_window import ControlWindow, WindowKind
from hub.services.context import Hub
from hub.services.filing.control_windows import WantedWindow, end_window, make_window
from hub.store import control_windows

_MOST = 1000


class WindowError(GridwardenError):
    """The command was not told which device."""


def listed(hub: Hub, *, all: bool) -> list[str]:
    """Each window in one line, the newest first."""
    with reading(hub) as conn:
        state = "all" if all else "standing"
        found = control_windows.page(conn, state, hub.now(), None, _MOST)
    return [_line(hub, w) for w in found] or ["no control window holds or is coming"]


def made(
    hub: Hub,
    *,
    kind: str,
    cells: tuple[str, ...],
    device: str | None,
    category: str | None,
    subcategory: str | None,
    detector: str | None,
    from_at: datetime | None,
    until_at: datetime,
    permit: str,
    reason: str,
) -> list[str]:
    """The new window in one line. Raises a GridwardenError that says what is wrong."""
    agent, slash, stream = (device or "").partition("/")
    if device is not None and not slash:
        raise WindowError(f"--stream is AGENT/STREAM, such as yard-01/cam-01; got {device!r}")
    wanted = WantedWindow(
        kind=WindowKind(kind),
        until_at=until_at,
        reason=reason,
        from_at=from_at,
        category=category,
        subcategory=subcategory,
        detector=detector,
        cells=cells,
        agent=agent or None,
        stream=stream or None,
        permit=permit,
    )
    with hub.pool.connection() as conn:
        return [_line(hub, make_window(conn, hub, wanted, _whoever()))]


def ended(hub: Hub, id: int) -> list[str]:
    """The window that ended now, in one line."""
    with hub.pool.connection() as conn:
        return [_line(hub, end_window(conn, hub, id, _whoever()))]


def _whoever() -> Actor:
    """Who sits at the command line of the hub's machine."""
    return Actor(getpass.getuser(), Role.SUPERVISOR)


def _line(hub: Hub, w: ControlWindow) -> str:
    now = hub.now()
    where = f"{w.agent}/{w.stream}" if w.stream else " ".join(w.cells)
    what = w.subcategory or w.category or "everything"
    state = "in force" if w.holds(now) else "coming" if w.over_at > now else "over"
    return (
        f"{w.id}  {state}  {w.kind}  {what}{f' by {w.detector}' if w.detector else ''}  {where}  "
        f"{w.from_at.isoformat(timespec='minutes')} to {w.over_at.isoformat(timespec='minutes')}  "
        f"{w.made_by}: {w.reason}{f' (permit {w.permit})' if w.permit else ''}"
    )
