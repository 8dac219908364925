"""What a demo shows in the terminal: a calm status, or plain lines where it is no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from contract.taxonomy import CameraState
from gridwarden.supervise import PartState
from gridwarden.watch import GridEventLine, Seen

GOOD, BAD = "green", "red"
NOTES = 4  # newest lines about parts


class Display(Protocol):
    """Where a demo shows itself."""

    def tell(self, line: str) -> None:
        """Show a line that matters now."""

    def show(self, parts: Sequence[PartState], seen: Seen) -> None:
        """Show how things are. Called several times a second."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


class PlainDisplay:
    """One line for each thing that happens."""

    def __init__(self) -> None:
        self._cameras: dict[str, CameraState] = {}
        self._events: set[str] = set()

    def tell(self, line: str) -> None:
        """Print it."""
        print(line, flush=True)

    def show(self, parts: Sequence[PartState], seen: Seen) -> None:
        """Print what is new: states of cameras, grid events."""
        for stream, status in (seen.agent.streams if seen.agent else {}).items():
            if self._cameras.get(stream) != status.state:
                self._cameras[stream] = status.state
                self.tell(f"camera {stream}: {status.state}")
        for event in reversed(seen.events):
            if event.number not in self._events:
                self._events.add(event.number)
                self.tell(f"grid event {_words(event)}")

    def close(self) -> None:
        """Nothing was changed."""


class TerminalDisplay:
    """A status that redraws itself in place."""

    def __init__(self, console: Console, heading: str) -> None:
        """heading: stands on top, such as the console's address."""
        self._heading = heading
        self._notes: list[str] = []
        self._live = Live(console=console, refresh_per_second=4, auto_refresh=False)
        self._live.start()

    def tell(self, line: str) -> None:
        """Keep it in view, under the status."""
        stamp = datetime.now().strftime("%H:%M:%S")
        self._notes = [*self._notes, f"{stamp} {line}"][-NOTES:]

    def show(self, parts: Sequence[PartState], seen: Seen) -> None:
        """Redraw."""
        self._live.update(self._picture(parts, seen), refresh=True)

    def close(self) -> None:
        """Leave the last status standing."""
        self._live.stop()

    def _picture(self, parts: Sequence[PartState], seen: Seen) -> RenderableType:
        rows: list[RenderableType] = [Text(self._heading), Text.from_markup(_parts(parts)), Text()]
        if seen.agent:
            table = Table.grid(padding=(0, 2))
            for stream, status in seen.agent.streams.items():
                fine = status.state in (CameraState.ONLINE, CameraState.ENDED)
                colour = GOOD if fine else BAD
                table.add_row(
                    escape(stream),
                    f"[{colour}]{status.state}[/]",
                    f"{status.captured:>7} frames",
                    escape(status.detail),
                )
            rows += [table, Text()]
        if seen.events:
            table = Table.grid(padding=(0, 2))
            for event in seen.events:
                table.add_row(
                    f"[bold]{event.severity}[/]",
                    event.number,
                    escape(event.title),
                    escape(event.cell_name or "outside the district"),
                    event.state,
                    event.opened_at.astimezone().strftime("%H:%M:%S"),
                )
            rows.append(table)
        else:
            rows.append(Text("no grid event yet", style="dim"))
        rows += [Text(note, style="dim") for note in self._notes]
        rows.append(Text("Ctrl-C stops everything", style="dim"))
        return Group(*rows)


def _parts(parts: Sequence[PartState]) -> str:
    words = []
    for part in parts:
        again = f" [dim](again {part.restarts}x)[/]" if part.restarts else ""
        words.append(f"[{GOOD if part.up else BAD}]●[/] {part.name}{again}")
    return "  ".join(words)


def _words(event: GridEventLine) -> str:
    where = event.cell_name or "outside the district"
    return f"{event.number} {event.severity} {event.title}: {where} ({event.state})"
