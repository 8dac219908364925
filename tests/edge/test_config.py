"""The agent's settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.geometry import Point
from contract.messages import GroundPoint
from edge.config import BASE, ConfigError, explain, load

AGENT = '[agent]\nname = "a-1"\nstation = "demo"\ndata_dir = "/tmp/none"\n'
CAMERA = '[[stream]]\nid = "cam-1"\nsource = "scene:fire"\n'


def site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(AGENT + text, encoding="utf-8")
    return path


def test_a_site_needs_only_a_name_a_station_a_folder_and_cameras(tmp_path: Path) -> None:
    text = CAMERA + "position = [113.65, 34.76]\n[stream.detectors.flame]\nthreshold = 0.6\n"
    config = load(site(tmp_path, text), {})
    (camera,) = config.streams
    assert camera.position == Point(113.65, 34.76)
    assert camera.loop
    assert [(d.kind, d.values) for d in camera.detectors] == [("flame", {"threshold": 0.6})]


def test_later_layers_lie_over_earlier_ones(tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text('[broker]\nhost = "base"\nport = 1\nusername = "u"\n', encoding="utf-8")
    path = site(tmp_path, '[broker]\nhost = "site"\nport = 2\n')
    config = load(path, {"GRIDWARDEN_EDGE__BROKER__PORT": "3"}, base)
    assert (config.broker.username, config.broker.host, config.broker.port) == ("u", "site", 3)


def test_a_detector_for_all_can_be_switched_off_for_one(tmp_path: Path) -> None:
    text = (
        "[detectors.flame]\nthreshold = 0.4\n[detectors.camera_health]\n"
        + CAMERA
        + "[stream.detectors.flame]\nenabled = false\n"
        + CAMERA.replace("cam-1", "cam-2")
        + "[stream.detectors.flame]\noff_delay_s = 3\n"
    )
    one, two = load(site(tmp_path, text), {}).streams
    assert [d.kind for d in one.detectors] == ["camera_health"]
    assert {d.kind: dict(d.values) for d in two.detectors} == {
        "flame": {"threshold": 0.4, "off_delay_s": 3},
        "camera_health": {},
    }


def test_a_secret_comes_from_the_environment_and_is_masked(tmp_path: Path) -> None:
    text = '[broker]\npassword = "${MQTT_SECRET}"\n' + CAMERA.replace(
        "scene:fire", "rtsp://u:${CAMERA_SECRET}@192.0.2.1/x"
    )
    environ = {"MQTT_SECRET": "hush-1", "CAMERA_SECRET": "hush-2"}
    path = site(tmp_path, text)
    config = load(path, environ)
    assert config.broker.password == "hush-1"
    assert config.streams[0].source == "rtsp://u:hush-2@192.0.2.1/x"
    assert "hush" not in repr(config)
    assert not [line for line in explain(path, environ) if "hush" in line]


def test_explain_tells_each_value_and_its_layer(tmp_path: Path) -> None:
    path = site(tmp_path, CAMERA + "[stream.detectors.flame]\nthreshold = 0.6\n")
    lines = explain(path, {"GRIDWARDEN_EDGE__BROKER__PORT": "1884"})
    assert "broker.port = 1884  (GRIDWARDEN_EDGE__BROKER__PORT)" in lines
    assert f"stream.cam-1.detectors.flame.threshold = 0.6  ({path})" in lines
    assert "stream.cam-1.detectors.flame.off_delay_s = 10.0  (default)" in lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[brokr]\n", "did you mean [broker]?"),
        ('[broker]\nhots = "x"\n', "did you mean 'host'?"),
        ("[broker]\nport = 99999\n", "must lie in 1 to 65535"),
        ('[broker]\nport = "1883"\n', "must be a integer"),
        ('[broker]\npassword = "${UNSET_ONE}"\n', "UNSET_ONE, which is not set"),
        ('[[stream]]\nsource = "scene:fire"\n', "has no id"),
        ('[[stream]]\nid = "cam-1"\n', "has no source"),
        ('[[stream]]\nid = "cam/1"\nsource = "scene:fire"\n', "'cam/1' is not a name"),
        ('[stream]\nid = "cam-1"\n', "two brackets"),
        (CAMERA + CAMERA, "two streams are called 'cam-1'"),
        (CAMERA + "position = [34.76, 113.65]\n", "not (longitude, latitude)"),
        (CAMERA + 'position = "here"\n', "must be [longitude, latitude]"),
        (CAMERA + "[stream.detectors.flmae]\n", "no detector 'flmae'"),
        (CAMERA + "[stream.detectors.flame]\ntreshold = 1\n", "did you mean 'threshold'?"),
        (CAMERA + "[stream.detectors.flame]\nthreshold = 7\n", "must lie in"),
        (CAMERA + '[stream.detectors.flame]\nenabled = "no"\n', "must be true or false"),
        (CAMERA.replace("fire", "fier"), "did you mean 'fire'?"),
        (CAMERA.replace("fire", "fire?sed=1"), "only ?seed=NUMBER can follow"),
        (CAMERA.replace("scene:fire", "gopher://x/y"), "scheme 'gopher'"),
        (CAMERA + 'pace = "quick"\n', "pace"),
        (CAMERA + 'pace = "fast"\n', "set loop = false"),
        (
            CAMERA.replace("scene:fire", "rtsp://192.0.2.1/x") + 'pace = "fast"\nloop = false\n',
            "is for a file",
        ),
        (CAMERA + 'order = "size"\n', "order"),
        ('[daily_test]\nat = "4 pm"\n', "a time of day as HH:MM"),
        ('[daily_test]\ntime_zone = "Nowhere/Town"\n', "is not known"),
        ("[broker\n", "are not TOML"),
    ],
)
def test_a_mistake_is_refused_in_one_line_that_names_it(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(site(tmp_path, text), {})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_missing_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no settings at"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "empty.toml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\[agent\] name is missing"):
        load(tmp_path / "empty.toml", {})


def test_an_unknown_variable_of_ours_is_refused(tmp_path: Path) -> None:
    path = site(tmp_path, CAMERA)
    with pytest.raises(ConfigError, match="names no setting"):
        load(path, {"GRIDWARDEN_EDGE__STREAM__0__ID": "x"})
    with pytest.raises(ConfigError, match="did you mean 'host'"):
        load(path, {"GRIDWARDEN_EDGE__BROKER__HOSTS": "x"})


def test_a_camera_that_is_not_there_is_no_mistake_of_the_settings(tmp_path: Path) -> None:
    config = load(site(tmp_path, CAMERA.replace("scene:fire", "/not/there.mp4")), {})
    assert config.streams[0].source == "/not/there.mp4"


def test_the_shipped_files_are_valid_and_the_base_shows_the_defaults(tmp_path: Path) -> None:
    load(BASE.with_name("site.example.toml"), {})
    path = site(tmp_path, CAMERA)
    assert load(path, {}, BASE) == load(path, {}, tmp_path / "no-base.toml")


def test_a_camera_says_what_it_sees_of_the_ground(tmp_path: Path) -> None:
    text = CAMERA + (
        "footprint = [[113.65, 34.76], [113.66, 34.76], [113.66, 34.77]]\n"
        "ground = [[0.1, 0.9, 113.65, 34.76], [0.9, 0.9, 113.66, 34.76],\n"
        "          [0.7, 0.4, 113.66, 34.77], [0.3, 0.4, 113.65, 34.77]]\n"
    )
    (camera,) = load(site(tmp_path, text), {}).streams
    assert camera.footprint[2] == Point(113.66, 34.77)
    assert camera.ground[3] == GroundPoint(0.3, 0.4, 113.65, 34.77)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("footprint = [[113.65, 34.76]]", "footprint needs 3 corners or more, got 1"),
        ("footprint = [[113.65, 94.76], [1, 1], [1, 2]]", "footprint: point"),
        ("footprint = 7", r"footprint must be a list of at most 64 \[longitude, latitude\]"),
        ("ground = [[0.1, 0.9, 113.65, 34.76]]", "ground needs 4 points or more, got 1"),
        ("ground = [[1, 90, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]", "y 90 are no sha"),
        ("ground = [[0, 0, 1, 1], [0.1, 0.1, 1, 1], [0.2, 0.2, 1, 1], [1, 1, 1, 1]]", "one line"),
    ],
)
def test_ground_that_makes_no_sense_is_refused_by_name(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        load(site(tmp_path, CAMERA + text + "\n"), {})
