"""The demo's sensors: simulated, each with something that goes wrong a while after the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract.geometry import Point
from gridwarden.cameras import SCENES, places

SENSOR = "demo-sensors"
STEP_S = 2.0
REPEAT_S = 900.0  # what goes wrong does so again


@dataclass(frozen=True, slots=True)
class DemoSensor:
    """One simulated device and the limit it is watched for."""

    device: str
    name: str
    metric: str
    unit: str  # UCUM
    position: Point
    series: Mapping[str, object]  # level, noise, daily
    fault: Mapping[str, object]
    limit: Mapping[str, object]  # parameters of reading_limit


def demo_sensors() -> list[DemoSensor]:
    """Dust, water and smoke, where no camera of the demo stands."""
    free = places()[len(SCENES) :]
    return [
        DemoSensor(
            "well-underpass",
            "Water level, underpass 下穿通道水位",
            "water_level",
            "m",
            free[0],
            {"level": 0.2, "noise": 0.01},
            {"kind": "drift", "start_s": 14.0, "end_s": 90.0, "size": 1.4},
            {"high_on": True, "high": 0.6, "hysteresis": 0.1, "duration_s": 4.0, "gap_s": 60.0},
        ),
        DemoSensor(
            "air-site",
            "Fine dust, building site 工地扬尘",
            "pm2_5",
            "ug/m3",
            free[1],
            {"level": 38.0, "noise": 2.5},
            {"kind": "step", "start_s": 30.0, "end_s": 150.0, "size": 110.0},
            {"high_on": True, "high": 75.0, "hysteresis": 10.0, "duration_s": 6.0, "gap_s": 60.0},
        ),
        DemoSensor(
            "smoke-hall",
            "Smoke detector, market hall 市场烟感",
            "smoke",
            "1",
            free[2],
            {"level": 0.0},
            {"kind": "step", "start_s": 60.0, "end_s": 120.0, "size": 1.0},
            {"high_on": True, "high": 1.0, "gap_s": 60.0},
        ),
    ]


def tables(sensors: Sequence[DemoSensor]) -> list[tuple[str, dict[str, object]]]:
    """(heading, values) of the tables that an agent's settings need for them."""
    if not sensors:
        return []
    found: list[tuple[str, dict[str, object]]] = [
        ("[[sensor]]", {"id": SENSOR, "name": "Simulated sensors 模拟传感器", "kind": "simulated"})
    ]
    for seed, s in enumerate(sensors):
        place = [s.position.lon, s.position.lat]
        found.append(("[[sensor.device]]", {"id": s.device, "name": s.name, "position": place}))
        series = {"device": s.device, "metric": s.metric, "unit": s.unit, "step_s": STEP_S}
        series |= {"seed": seed, "repeat_s": REPEAT_S, **s.series}
        found.append(("[[sensor.series]]", series))
        found.append(("[[sensor.series.fault]]", dict(s.fault)))
    for s in sensors:
        found.append(("[[sensor.watch]]", {"metric": s.metric, "device": s.device}))
        found.append(("[sensor.watch.detectors.reading_limit]", dict(s.limit)))
    return found
