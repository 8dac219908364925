from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import Reading
from edge.readings.adapter import AdapterError
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, metric_name
from tests.edge.readings.builders import AT


@given(st.text(min_size=1, max_size=120).filter(lambda s: s.strip()))
def test_any_foreign_name_becomes_a_device_name_the_contract_takes(foreign: str) -> None:
    Reading(device=device_name(foreign), metric="x", value=0.0, captured_at=AT)


@given(st.text(min_size=1, max_size=120).filter(lambda s: s.strip()))
def test_any_foreign_metric_either_fits_or_is_refused_by_name(foreign: str) -> None:
    try:
        name = metric_name(foreign)
    except AdapterError:
        return
    Reading(device="d", metric=name, value=0.0, captured_at=AT)


def test_a_name_that_fits_is_kept() -> None:
    assert device_name("0x00158d0001dc126a") == "0x00158d0001dc126a"


def test_two_foreign_names_that_differ_in_forbidden_characters_stay_two_devices() -> None:
    names = {device_name(n) for n in ("yard/1", "yard 1", "yard-1", "院子/1", "院子/2")}
    assert len(names) == 5


def test_two_long_names_with_the_same_beginning_stay_two_devices() -> None:
    assert device_name("x" * 80 + "a") != device_name("x" * 80 + "b")


@pytest.mark.parametrize(
    ("foreign", "metric"),
    [
        ("temperature", Metric("temperature", "Cel")),
        ("Temperature", Metric("temperature", "Cel")),
        ("CarbonDioxide", Metric("co2", "[ppm]")),
        ("PM2.5", Metric("pm2_5", "ug/m3")),
        ("ApparentPower", Metric("apparent_power", "V.A")),
        ("no such thing", None),
        ("", None),
    ],
)
def test_the_table_knows_foreign_spellings(foreign: str, metric: Metric | None) -> None:
    assert known(foreign) == metric


@pytest.mark.parametrize(
    ("metric", "value", "unit", "kept"),
    [
        ("temperature", 212.0, "°F", (100.0, "Cel")),
        ("temperature", 273.15, "K", (0.0, "Cel")),
        ("pressure", 101325.0, "Pa", (1013.25, "hPa")),
        ("pressure", 760.0, "mmHg", (1013.2501, "hPa")),
        ("energy", 1500.0, "Wh", (1.5, "kW.h")),
        ("voltage", 3045.0, "mV", (3045.0, "mV")),
    ],
)
def test_values_are_kept_in_one_unit_where_the_table_has_a_conversion(
    metric: str, value: float, unit: str, kept: tuple[float, str]
) -> None:
    found = known(metric)
    assert found is not None
    converted, kept_unit = measured(found, value, ucum(unit))
    assert (round(converted, 4), kept_unit) == kept


@given(st.text(max_size=40))
def test_any_unit_fits_the_contract(foreign: str) -> None:
    assert len(ucum(foreign)) <= 16
