"""What people call metrics and units."""

from __future__ import annotations

from hub.api.words import Both

METRICS: dict[str, Both] = {
    "temperature": Both("Temperature", "温度"),
    "humidity": Both("Humidity", "湿度"),
    "soil_moisture": Both("Soil moisture", "土壤湿度"),
    "pressure": Both("Air pressure", "气压"),
    "co2": Both("Carbon dioxide", "二氧化碳"),
    "co": Both("Carbon monoxide", "一氧化碳"),
    "ch4": Both("Methane", "甲烷"),
    "tvoc": Both("Organic vapours", "挥发性有机物"),
    "formaldehyde": Both("Formaldehyde", "甲醛"),
    "pm1": Both("PM1", "PM1"),
    "pm2_5": Both("PM2.5", "PM2.5"),
    "pm10": Both("PM10", "PM10"),
    "no2": Both("Nitrogen dioxide", "二氧化氮"),
    "so2": Both("Sulphur dioxide", "二氧化硫"),
    "o3": Both("Ozone", "臭氧"),
    "illuminance": Both("Brightness", "光照"),
    "noise": Both("Noise", "噪声"),
    "wind_speed": Both("Wind speed", "风速"),
    "wind_direction": Both("Wind direction", "风向"),
    "rain": Both("Rain", "雨量"),
    "water_level": Both("Water level", "水位"),
    "distance": Both("Distance", "距离"),
    "flow": Both("Flow", "流量"),
    "power": Both("Power", "功率"),
    "voltage": Both("Voltage", "电压"),
    "current": Both("Current", "电流"),
    "energy": Both("Energy", "电量"),
    "battery": Both("Battery", "电池"),
    "link_quality": Both("Link quality", "链路质量"),
    "rssi": Both("Signal", "信号强度"),
    "snr": Both("Signal to noise", "信噪比"),
    "online": Both("Online", "在线"),
    "occupancy": Both("Occupancy", "有人"),
    "contact": Both("Contact", "门磁"),
    "door": Both("Door", "门"),
    "water_leak": Both("Water leak", "漏水"),
    "smoke": Both("Smoke", "烟雾"),
    "gas": Both("Gas", "燃气"),
    "tamper": Both("Tampering", "拆动"),
    "people": Both("People", "人数"),
    "clock_offset": Both("Clock is off by", "时钟偏差"),
}

CONDITIONS: dict[str, Both] = {
    "high": Both("too high", "过高"),
    "low": Both("too low", "过低"),
    "rising": Both("rising fast", "上升过快"),
    "falling": Both("falling fast", "下降过快"),
    "gap": Both("silent", "无数据"),
    "stuck": Both("stuck", "数值卡死"),
    "flat": Both("does not move", "数值不变"),
    "out_of_range": Both("impossible value", "超出量程"),
    "anomaly": Both("unlike its past", "异常"),
}

SOURCE_STATES: dict[str, Both] = {
    "connecting": Both("connecting", "连接中"),
    "online": Both("online", "在线"),
    "lost": Both("lost", "失联"),
    "ended": Both("ended", "已结束"),
}

_UNITS = {
    "1": "", "Cel": "°C", "ug/m3": "µg/m³", "mg/m3": "mg/m³", "[ppm]": "ppm", "[ppb]": "ppb",
    "m3/h": "m³/h", "dB[mW]": "dBm", "dB{A}": "dB(A)", "kW.h": "kWh", "W.h": "Wh", "V.A": "VA",
    "V.A{reactive}": "var", "deg": "°", "{person}": "", "[pH]": "pH", "W/m2": "W/m²", "m3": "m³",
}  # fmt: skip


def unit_word(unit: str) -> str:
    """A UCUM unit as people write it; an annotation without its braces."""
    return _UNITS.get(unit, unit.strip("{}"))


def value_word(value: float) -> str:
    """A value with the digits that say something: at most four, no exponent where it can be."""
    if value == int(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def metric_of(label: str) -> tuple[str, str]:
    """(metric, condition) in the label of a detector over readings: `pm2_5.high`."""
    metric, _, condition = label.rpartition(".")
    return metric, condition
