from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from contract.messages import Reading
from contract.taxonomy import SensorState
from edge.readings.simulated import (
    Fault,
    FaultKind,
    SimulatedSensor,
    SimulatedSource,
    simulate,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
FAULTS = (
    Fault(FaultKind.GAP, 600, 900),
    Fault(FaultKind.STUCK, 1200, 1500),
    Fault(FaultKind.SPIKE, 1800, 1860, 50.0),
)
SENSOR = SimulatedSensor(
    "s1", "temperature", "Cel", level=20, daily=5, noise=0.2, seed=4, faults=FAULTS
)


def test_the_same_seed_gives_the_same_readings_and_another_others() -> None:
    first = list(simulate(SENSOR, START, 3600))
    assert list(simulate(SENSOR, START, 3600)) == first
    other = SimulatedSensor("s1", "temperature", "Cel", level=20, daily=5, noise=0.2, seed=5)
    assert [s.reading.value for s in simulate(other, START, 600)] != [
        s.reading.value for s in first[:10]
    ]


def test_a_gap_leaves_readings_out_and_a_fault_is_known_to_the_reading() -> None:
    truth = {s.reading.captured_at: s for s in simulate(SENSOR, START, 3600)}
    assert START + timedelta(seconds=600) not in truth
    assert START + timedelta(seconds=900) in truth
    spike = truth[START + timedelta(seconds=1800)]
    assert spike.fault is FAULTS[2]
    assert spike.reading.value > 60
    stuck = {s.reading.value for s in truth.values() if s.fault is FAULTS[1]}
    assert len(stuck) == 1


def test_a_simulated_source_gives_all_sensors_in_order_of_time_and_ends() -> None:
    other = SimulatedSensor("s2", "humidity", "%", level=50, step_s=90)
    source = SimulatedSource("sim", [SENSOR, other], START, 3600, lambda: START, paced=False)
    records = [r for r in source.readings() if isinstance(r, Reading)]
    assert {r.device for r in records} == {"s1", "s2"}
    assert [r.captured_at for r in records] == sorted(r.captured_at for r in records)
    assert source.status().state is SensorState.ENDED
    assert source.status().records == len(records)


def test_a_paced_source_waits_for_its_time_and_can_be_closed_meanwhile() -> None:
    source = SimulatedSource("sim", [SENSOR], START, 3600, lambda: START)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.extend(source.readings()), name="sim")
    thread.start()
    source.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(got) <= 1
