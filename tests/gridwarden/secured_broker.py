"""Mosquitto with TLS, passwords and rules as shipped, on free ports; and who speaks to it."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge import trust
from edge.mqtt import MqttTransport
from edge.settings import BrokerSettings
from edge.transport import Connected, Disconnected, TransportEvent, Will
from gridwarden.cli import main
from gridwarden.ports import LOOPBACK, answers, choose

CONFIGS = Path(__file__).parents[2] / "configs" / "mosquitto"
HUB_PASSWORD = "the hub's own, 'quoted' $7$ :password"


@dataclass(frozen=True, slots=True)
class City:
    """A hub's settings, its database, and the broker that is secured from it."""

    folder: Path
    database_url: str
    password_port: int
    certificate_port: int

    @property
    def settings(self) -> Path:
        return self.folder / "hub.toml"

    @property
    def broker_dir(self) -> Path:
        return self.folder / "broker"

    @property
    def pid_file(self) -> Path:
        return self.folder / "mosquitto.pid"

    def write_settings(self, name: str = "hub.toml", pid_file: str = "mosquitto.pid") -> Path:
        path = self.folder / name
        path.write_text(
            f"""
            [database]
            url = "{self.database_url}"
            [broker]
            host = "localhost"
            port = {self.password_port}
            username = "hub"
            password = "${{HUB_PASSWORD}}"
            tls = true
            ca_file = "broker/ca.crt"
            [hub]
            data_dir = "hub"
            stations = ["north", "south"]
            [ingest]
            batch_wait_ms = 10
            ack_every_ms = 20
            hole_s = 0.5
            [identity]
            broker_dir = "broker"
            broker_pid_file = "{pid_file}"
            authority_dir = "authority"
            password_port = {self.password_port}
            certificate_port = {self.certificate_port}
            """,
            encoding="utf-8",
        )
        return path

    def agents(self, *arguments: str, settings: Path | None = None) -> int:
        """`gridwarden agents ...`; its exit code."""
        return main(["agents", *arguments, "--config", str(settings or self.settings)])

    def password_settings(self, agent: str, password: str) -> BrokerSettings:
        return BrokerSettings(
            host="localhost",
            port=self.password_port,
            username=agent,
            password=password,
            tls=True,
            ca_file=str(self.broker_dir / "ca.crt"),
        )

    def certificate_settings(self, bundle: Path) -> BrokerSettings:
        return BrokerSettings(
            host="localhost",
            port=self.certificate_port,
            tls=True,
            ca_file=str(bundle / "ca.crt"),
            cert_file=str(bundle / "agent.crt"),
            key_file=str(bundle / "agent.key"),
        )


def password_in(shown: str) -> str:
    """The password that a command showed."""
    found = re.search(r"^GRIDWARDEN_BROKER_PASSWORD=(\S+)$", shown, re.M)
    assert found is not None, shown
    return found[1]


@contextmanager
def running_mosquitto(city: City, program: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The shipped settings and start script, with ports and paths of the test."""
    conf = (CONFIGS / "mosquitto.conf").read_text(encoding="utf-8")
    conf = conf.replace("/broker/", f"{city.broker_dir}/")
    conf = conf.replace("listener 8883", f"listener {city.password_port} {LOOPBACK}")
    conf = conf.replace("listener 8884", f"listener {city.certificate_port} {LOOPBACK}")
    user = "user root\n" if os.geteuid() == 0 else ""  # the tests' folder is closed to others
    path = city.folder / "mosquitto.conf"
    path.write_text(f"{user}pid_file {city.pid_file}\n{conf}", encoding="utf-8")
    environ = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "BROKER_DIR": str(city.broker_dir),
        "HUB_PASSWORD": HUB_PASSWORD,
        "XDG_CONFIG_HOME": str(city.folder / "health"),
    }
    with (city.folder / "mosquitto.log").open("ab") as log:
        broker = subprocess.Popen(
            [str(CONFIGS / "run.sh"), str(path)], env=environ, stderr=log, process_group=0
        )
    try:
        deadline = time.monotonic() + 30
        while not (answers(city.certificate_port) and city.pid_file.exists()):
            assert broker.poll() is None, (city.folder / "mosquitto.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield broker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(broker.pid, 9)  # with the script's watch
        broker.wait()


def new_city(folder: Path, database_url: str) -> City:
    port = choose(18_960)
    city = City(folder, database_url, port, choose(port + 1))
    city.write_settings()
    return city


def outcome_of(settings: BrokerSettings, client_id: str = "north.test") -> str:
    """What the agent's own transport says of its first attempt: "connected", or why not."""
    told: queue.Queue[TransportEvent] = queue.Queue()
    transport = MqttTransport(settings, client_id)
    transport.start(
        lambda: Will("gw/v1/north/up/nobody/death", b""), ["gw/v1/north/dn/test/#"], told.put
    )
    try:
        event = told.get(timeout=30)
    finally:
        transport.stop()
    if isinstance(event, Connected):
        return "connected"
    assert isinstance(event, Disconnected)
    return event.reason


@contextmanager
def speaking(settings: BrokerSettings, client_id: str) -> Iterator[mqtt.Client]:
    """A bare client that is let in, and may say what it likes."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    client.username_pw_set(settings.username or None, settings.password or None)
    client.tls_set_context(trust.context(settings))
    client.connect(settings.host, settings.port)
    client.loop_start()
    try:
        deadline = time.monotonic() + 30
        while not client.is_connected():
            assert time.monotonic() < deadline, "it is not let in"
            time.sleep(0.01)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def is_let_in(settings: BrokerSettings) -> bool:
    """Whether the broker answers a CONNECT that shows this certificate, whatever its dates."""
    connect = b"\x10\x14\x00\x04MQTT\x04\x02\x00\x0a\x00\x08somebody"
    context = trust.context(settings)
    try:
        with (
            socket.create_connection((settings.host, settings.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=settings.host) as secured,
        ):
            secured.sendall(connect)
            return secured.recv(4) == b"\x20\x02\x00\x00"
    except OSError:
        return False


def copy(bundle: Path, to: Path) -> Path:
    shutil.copytree(bundle, to)
    return to
