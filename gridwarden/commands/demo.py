"""`gridwarden demo`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gridwarden.commands import kinds

if TYPE_CHECKING:
    from gridwarden.commands.kinds import Subparsers

DEFAULT_DATA = Path(".gridwarden")
PILOT_DATA = Path(".gridwarden-pilot")


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="run everything on embedded parts, on rendered scenes or your own video",
        description="Runs broker, database, hub and one agent, and supervises them. Ctrl-C ends "
        "everything; what was stored is kept for the next run.",
    )
    parser.set_defaults(run=run)
    source = parser.add_argument_group("what is played")
    source.add_argument(
        "--video",
        metavar="X",
        action="append",
        default=[],
        help="a file, an RTSP or HTTP address, or a webcam's number, instead of the scenes; "
        "any number of times",
    )
    source.add_argument("--scenes", action="store_true", help="play the rendered scenes as well")
    source.add_argument(
        "--line",
        type=kinds.share,
        help="where vehicles are counted in every video: share of the height (or width)",
    )
    source.add_argument(
        "--axis",
        choices=("horizontal", "vertical"),
        help="how the count line lies: horizontal counts up and down, vertical left and right",
    )
    source.add_argument(
        "--scenario",
        choices=("pilot",),
        help="instead of cameras: two weeks of a district's cases, replayed in a minute, with "
        "their assessment",
    )
    place = parser.add_argument_group("where it runs")
    place.add_argument(
        "--data", type=Path, metavar="DIR", help="data folder; .gridwarden by default"
    )
    place.add_argument("--fresh", action="store_true", help="begin anew: delete what is stored")
    place.add_argument("--http-port", type=kinds.port, help="of the console; 8080 or a free one")
    place.add_argument("--mqtt-port", type=kinds.port, help="of the broker; 1883 or a free one")
    report = parser.add_argument_group("report")
    report.add_argument(
        "--report",
        action="store_true",
        help="play every file once, then print what was captured, detected, committed and opened; "
        "in a temporary data folder unless --data names one; of a scenario: end after its figures",
    )
    report.add_argument("--seconds", type=kinds.seconds, help="stop the report after this time")
    report.add_argument(
        "--json", type=Path, metavar="FILE", dest="json_file", help="the report for programs"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run the demo or the report."""
    from edge.sources.opening import is_live
    from gridwarden.cameras import CamerasError, choose_cameras
    from gridwarden.demo import DemoOptions, run_demo
    from gridwarden.report import ReportOptions, run_report
    from gridwarden.serving import stop_on_signal

    for name in ("seconds", "json_file"):
        if getattr(chosen, name) is not None and not chosen.report:
            option = name.removesuffix("_file")
            raise CamerasError(f"--{option} belongs to --report: add it, or leave --{option} out")
    if (chosen.line is not None or chosen.axis is not None) and not chosen.video:
        raise CamerasError("--line and --axis are for videos: name one with --video")
    if chosen.scenario is not None:
        return _run_pilot(chosen)
    with stop_on_signal() as stop:
        cameras = choose_cameras(
            chosen.video,
            scenes=chosen.scenes,
            loop=not chosen.report,
            line=chosen.line,
            axis=chosen.axis,
        )
        if chosen.report:
            if chosen.seconds is None and (endless := [c for c in cameras if is_live(c.source)]):
                raise CamerasError(
                    f"{endless[0].stream} is live and never ends: say how long with --seconds"
                )
            return run_report(
                ReportOptions(
                    data=chosen.data,
                    fresh=chosen.fresh,
                    seconds=chosen.seconds,
                    json_file=chosen.json_file,
                    http_port=chosen.http_port,
                    mqtt_port=chosen.mqtt_port,
                ),
                cameras,
                stop,
            )
        return run_demo(
            DemoOptions(
                data=chosen.data or DEFAULT_DATA,
                fresh=chosen.fresh,
                http_port=chosen.http_port,
                mqtt_port=chosen.mqtt_port,
            ),
            cameras,
            stop,
        )


def _run_pilot(chosen: argparse.Namespace) -> int:
    from gridwarden.cameras import CamerasError
    from gridwarden.demo import print_line
    from gridwarden.pilot_demo import PilotOptions, run_pilot
    from gridwarden.serving import stop_on_signal

    if chosen.video or chosen.scenes:
        raise CamerasError("--scenario pilot has no cameras: leave --video and --scenes out")
    if chosen.data is not None and not chosen.fresh and chosen.data.exists():
        raise CamerasError(f"the pilot begins anew: add --fresh to delete what is in {chosen.data}")
    with stop_on_signal() as stop:
        options = PilotOptions(chosen.data or PILOT_DATA, chosen.http_port, not chosen.report)
        return run_pilot(options, stop, print_line)
