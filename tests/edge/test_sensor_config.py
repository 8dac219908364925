"""The [[sensor]] blocks of an agent's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.geometry import Point
from edge.config import BASE, ConfigError, explain, load
from edge.readings.settings import KINDS
from tests.edge.sensor_builders import config, sensor

ZIGBEE = '[[sensor]]\nid = "z"\nkind = "zigbee2mqtt"\n'
MODBUS = '[[sensor]]\nid = "m"\nkind = "modbus"\nhost = "192.0.2.7"\n'
REGISTER = '[[sensor.register]]\nmetric = "temperature"\naddress = 7\n'
WATCH = '[[sensor.watch]]\nmetric = "temperature"\n'
LIMIT = "[sensor.watch.detectors.reading_limit]\n"


def test_a_sensor_listens_to_the_agents_broker_or_to_its_own(tmp_path: Path) -> None:
    text = ZIGBEE + ZIGBEE.replace('"z"', '"y"') + '[sensor.broker]\nhost = "iot"\ntls = true\n'
    one, two = config(tmp_path, text, port=1885).sensors
    assert one.broker is not None
    assert (one.broker.host, one.broker.port) == ("127.0.0.1", 1885)
    assert two.broker is not None
    assert (two.broker.host, two.broker.port, two.broker.tls) == ("iot", 1883, True)


def test_a_device_without_a_place_stands_where_its_sensor_does(tmp_path: Path) -> None:
    text = (
        ZIGBEE
        + "position = [113.65, 34.76]\n"
        + '[[sensor.device]]\nid = "a"\n'
        + '[[sensor.device]]\nid = "b"\nposition = [113.7, 34.7]\n'
        + '[[sensor.device]]\nid = "c"\ncell = "410105001002005"\n'
    )
    places = {d.id: (d.position, d.cell) for d in sensor(tmp_path, text).devices}
    assert places == {
        "a": (Point(113.65, 34.76), ""),
        "b": (Point(113.7, 34.7), ""),
        "c": (None, "410105001002005"),
    }


def test_a_watch_is_called_after_its_sensor_and_the_metric_as_we_call_it(tmp_path: Path) -> None:
    text = ZIGBEE + WATCH.replace("temperature", "PM2.5") + LIMIT + "high_on = true\nhigh = 75\n"
    (watch,) = sensor(tmp_path, text).watches
    assert (watch.id, watch.metric) == ("z.pm2_5", "pm2_5")
    assert dict(watch.detectors[0].values) == {"high_on": True, "high": 75}


def test_check_config_shows_a_sensor_with_its_layer_and_hides_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        '[agent]\nname = "a"\nstation = "demo"\ndata_dir = "/tmp/none"\n'
        + ZIGBEE
        + '[sensor.broker]\nusername = "u"\npassword = "${IOT_SECRET}"\n',
        encoding="utf-8",
    )
    environ = {"IOT_SECRET": "hush-3"}
    lines = explain(path, environ)
    assert f"sensor.z.kind = 'zigbee2mqtt'  ({path})" in lines
    assert "sensor.z.topic = 'zigbee2mqtt'  (default)" in lines
    assert "sensor.z subscribes to 'zigbee2mqtt/#'" in lines
    assert f"sensor.z.broker.password = ***  ({path})" in lines
    assert "hush" not in repr(load(path, environ)) + "".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[sensor]\nid = "z"\n', "two brackets"),
        ('[[sensor]]\nkind = "zigbee2mqtt"\n', "has no id"),
        ('[[sensor]]\nid = "z"\n', "has no kind"),
        (ZIGBEE.replace("zigbee2mqtt", "zigbee"), "did you mean 'zigbee2mqtt'?"),
        (ZIGBEE + "topci = 'x'\n", "a zigbee2mqtt sensor has no 'topci'; did you mean 'topic'?"),
        (ZIGBEE + "topic = 7\n", "$.topic"),
        (ZIGBEE + "position = [34.76, 113.65]\n", "not (longitude, latitude)"),
        (ZIGBEE + 'cell = "41"\n', "$.cell"),
        (ZIGBEE + ZIGBEE, "two sensors are called 'z'"),
        (ZIGBEE + '[sensor.broker]\nhots = "x"\n', "did you mean 'host'?"),
        (ZIGBEE + '[sensor.broker]\npassword = "${UNSET_ONE}"\n', "UNSET_ONE, which is not set"),
        (ZIGBEE + 'also_listen = ["a/#/b"]\n', "'#' for the rest"),
        (ZIGBEE + 'also_listen = ["+/hall"]\n', "which a broker may deliver twice"),
        (ZIGBEE + WATCH, "has no detectors"),
        (ZIGBEE + WATCH + "[sensor.watch.detectors.reading_limt]\n", "reading_limit"),
        (ZIGBEE + WATCH + LIMIT + "hihg = 1\n", "did you mean 'high'?"),
        (ZIGBEE + 2 * (WATCH + LIMIT), "two watches are called 'z.temperature'"),
        (ZIGBEE + '[[sensor.watch]]\nmetric = "Ωμ"\n' + LIMIT, "watch has no metric"),
        ('[[sensor]]\nid = "n"\nkind = "number"\ntopic = "a/b"\n', "has no {device}"),
        ('[[sensor]]\nid = "n"\nkind = "number"\ntopic = "a/{b"\n', "topic pattern"),
        ('[[sensor]]\nid = "t"\nkind = "tasmota"\ntime_zone = "Mars"\n', "'Asia/Shanghai'"),
        (MODBUS, "register"),
        (MODBUS + REGISTER + 'typ = "int16"\n', "unknown field `typ` - at `$.register[0]`"),
        (MODBUS + REGISTER + 'type = "int12"\n', "$.register[0].type"),
        (MODBUS + REGISTER.replace("7", "65535") + 'type = "float32"\n', "ends beyond"),
        ("".join(ZIGBEE.replace('"z"', f'"z{i}"') for i in range(17)), "a second agent"),
    ],
)
def test_a_mistake_is_refused_in_one_line_that_names_it(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        config(tmp_path, text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_name_is_a_stream_or_a_device_and_not_both(tmp_path: Path) -> None:
    camera = '[[stream]]\nid = "yard"\nsource = "scene:fire"\n'
    with pytest.raises(ConfigError, match="a stream and a device"):
        config(tmp_path, camera + ZIGBEE + '[[sensor.device]]\nid = "yard"\n')


def test_the_example_shows_every_kind_and_all_of_it_is_valid(tmp_path: Path) -> None:
    text = BASE.with_name("sensors.example.toml").read_text(encoding="utf-8")
    sensors = config(tmp_path, text).sensors
    assert {s.fields.kind for s in sensors} == set(KINDS)
