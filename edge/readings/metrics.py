"""The one table of metric names and units: what others call a value, what we call it.

Units are UCUM (ucum.org). A value is converted where we keep one unit for a metric whatever the
sender's: temperatures in degrees Celsius, air pressure in hPa, energy in kWh. All others keep the
sender's unit, spelt in UCUM.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.readings.adapter import AdapterError
from edge.readings.names import metric_name

_UNIT_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Metric:
    """A name and unit of ours."""

    name: str
    unit: str = "1"  # UCUM


_TABLE: dict[Metric, tuple[str, ...]] = {
    # air
    Metric("temperature", "Cel"): (
        "temperature", "temp", "air_temperature", "soil_temperature", "water_temperature",
        "device_temperature", "local_temperature",
    ),
    Metric("dew_point", "Cel"): ("dew_point", "dewpoint"),
    Metric("humidity", "%"): ("humidity", "relative_humidity", "rh"),
    Metric("soil_moisture", "%"): ("soil_moisture", "moisture"),
    Metric("pressure", "hPa"): ("pressure", "atmospheric_pressure", "barometric_pressure"),
    Metric("sea_pressure", "hPa"): ("sea_pressure",),
    Metric("co2", "[ppm]"): ("co2", "carbon_dioxide", "eco2", "e_co2"),
    Metric("co", "[ppm]"): ("co", "carbon_monoxide"),
    Metric("ch4", "[ppm]"): ("ch4", "methane"),
    Metric("tvoc", "[ppb]"): ("tvoc", "voc", "volatile_organic_compounds_parts"),
    Metric("voc_index", "1"): ("voc_index",),
    Metric("formaldehyde", "mg/m3"): ("formaldehyde", "hcho", "formaldehyd"),
    Metric("pm1", "ug/m3"): ("pm1", "pm1_0", "pm1.0"),
    Metric("pm2_5", "ug/m3"): ("pm25", "pm2_5", "pm2.5"),
    Metric("pm10", "ug/m3"): ("pm10",),
    Metric("no2", "ug/m3"): ("no2", "nitrogen_dioxide"),
    Metric("so2", "ug/m3"): ("so2", "sulphur_dioxide"),
    Metric("o3", "ug/m3"): ("o3", "ozone"),
    Metric("air_quality_index", "1"): ("air_quality_index", "aqi"),
    # weather and water
    Metric("illuminance", "lx"): ("illuminance", "illuminance_lux", "lux"),
    Metric("noise", "dB"): ("noise", "sound_pressure", "noise_level"),
    Metric("wind_speed", "m/s"): ("wind_speed",),
    Metric("wind_direction", "deg"): ("wind_direction",),
    Metric("rain", "mm"): ("rain", "rainfall", "precipitation"),
    Metric("water_level", "m"): ("water_level",),
    Metric("distance", "m"): ("distance",),
    Metric("flow", "m3/h"): ("flow", "volume_flow_rate"),
    # electricity
    Metric("power", "W"): ("power", "active_power"),
    Metric("apparent_power", "V.A"): ("apparent_power",),
    Metric("reactive_power", "V.A{reactive}"): ("reactive_power",),
    Metric("power_factor", "1"): ("power_factor",),
    Metric("voltage", "V"): ("voltage",),
    Metric("current", "A"): ("current",),
    Metric("energy", "kW.h"): ("energy",),
    Metric("frequency", "Hz"): ("frequency", "ac_frequency"),
    # the device itself
    Metric("battery", "%"): ("battery", "battery_level"),
    Metric("link_quality", "1"): ("linkquality", "link_quality"),
    Metric("rssi", "dB[mW]"): ("rssi", "signal_strength"),
    Metric("snr", "dB"): ("snr",),
    Metric("online", "1"): ("online",),
    # yes (1) or no (0)
    Metric("occupancy", "1"): ("occupancy", "motion", "presence"),
    Metric("contact", "1"): ("contact",),
    Metric("door", "1"): ("door", "opening", "window"),
    Metric("water_leak", "1"): ("water_leak",),
    Metric("smoke", "1"): ("smoke",),
    Metric("gas", "1"): ("gas",),
    Metric("tamper", "1"): ("tamper",),
    Metric("vibration", "1"): ("vibration",),
    Metric("battery_low", "1"): ("battery_low",),
    Metric("people", "{person}"): ("people", "people_count", "person_count"),
}  # fmt: skip

_KNOWN = {name: metric for metric, names in _TABLE.items() for name in names}

_UNITS = {
    "": "1", "°C": "Cel", "C": "Cel", "℃": "Cel", "°F": "[degF]", "F": "[degF]", "K": "K",
    "%": "%", "%RH": "%", "% RH": "%", "hPa": "hPa", "mbar": "mbar", "Pa": "Pa", "kPa": "kPa",
    "bar": "bar", "mmHg": "mm[Hg]", "inHg": "[in_i'Hg]", "psi": "[psi]",
    "ppm": "[ppm]", "ppb": "[ppb]", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "ug/m3": "ug/m3",
    "µg/m3": "ug/m3", "mg/m³": "mg/m3", "mg/m3": "mg/m3", "p/m³": "/m3",
    "lx": "lx", "lm": "lm", "dB": "dB", "dBA": "dB{A}", "dB(A)": "dB{A}", "dBm": "dB[mW]",
    "m/s": "m/s", "km/h": "km/h", "mph": "[mi_i]/h", "kn": "[kn_i]", "°": "deg", "mm": "mm",
    "cm": "cm", "m": "m", "km": "km", "in": "[in_i]", "ft": "[ft_i]", "mm/h": "mm/h",
    "L": "L", "l": "L", "mL": "mL", "m³": "m3", "m3": "m3", "L/min": "L/min", "m³/h": "m3/h",
    "m3/h": "m3/h", "gal": "[gal_us]", "V": "V", "mV": "mV", "A": "A", "mA": "mA", "W": "W",
    "kW": "kW", "VA": "V.A", "var": "V.A{reactive}", "VAr": "V.A{reactive}", "Wh": "W.h",
    "kWh": "kW.h", "MWh": "MW.h", "Hz": "Hz", "kHz": "kHz", "s": "s", "ms": "ms", "min": "min",
    "h": "h", "d": "d", "g": "g", "kg": "kg", "t": "t", "pH": "[pH]", "µS/cm": "uS/cm",
    "uS/cm": "uS/cm", "NTU": "{NTU}", "W/m²": "W/m2", "lqi": "1", "B": "By", "kB": "kBy",
}  # fmt: skip

# (from, to): factor and offset, to = from * factor + offset
_CONVERSIONS: dict[tuple[str, str], tuple[float, float]] = {
    ("[degF]", "Cel"): (5 / 9, -160 / 9),
    ("K", "Cel"): (1.0, -273.15),
    ("Pa", "hPa"): (0.01, 0.0),
    ("kPa", "hPa"): (10.0, 0.0),
    ("mbar", "hPa"): (1.0, 0.0),
    ("bar", "hPa"): (1000.0, 0.0),
    ("mm[Hg]", "hPa"): (1.33322387415, 0.0),  # NIST SP 811
    ("[in_i'Hg]", "hPa"): (33.86389, 0.0),  # NIST SP 811
    ("W.h", "kW.h"): (0.001, 0.0),
    ("MW.h", "kW.h"): (1000.0, 0.0),
}


def known(foreign: str) -> Metric | None:
    """The metric that others call `foreign`, None where the table has none.

    Upper case, camel case and blanks do not matter: `CarbonDioxide` is `carbon_dioxide`.
    """
    if foreign in _KNOWN:
        return _KNOWN[foreign]
    try:
        return _KNOWN.get(metric_name(foreign))
    except AdapterError:  # 温度: no letters of ours to look up by
        return None


def ucum(foreign: str) -> str:
    """The UCUM spelling of a unit; one that is in no table becomes an annotation `{unit}`."""
    text = foreign.strip()
    return _UNITS.get(text) or "{" + _plain(text) + "}"


def measured(metric: Metric, value: float, unit: str | None = None) -> tuple[float, str]:
    """(value, unit) as it is kept for `metric` when the sender gave it in UCUM `unit`.

    unit None: the sender said none, the table's is meant.
    """
    if unit is None or unit == metric.unit:
        return value, metric.unit
    conversion = _CONVERSIONS.get((unit, metric.unit))
    if conversion is None:
        return value, unit
    factor, offset = conversion
    return value * factor + offset, metric.unit


def _plain(text: str) -> str:
    kept = "".join(c for c in text if c.isascii() and c.isprintable() and c not in "{} ")
    return kept[: _UNIT_LENGTH - 2] or "unit"
