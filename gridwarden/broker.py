"""An MQTT broker of our own on the loopback: mosquitto where the machine has one, else rumqttd.

The broker is a wire, not a store: it keeps nothing over a restart, and need not.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from gridwarden import child
from gridwarden.errors import BrokerError
from gridwarden.ports import LOOPBACK, is_free

USUAL_PORT = 1883
READY_S = 15.0
STOP_S = 3.0

MOSQUITTO_CONF = """\
# Written by `gridwarden demo` at every start: changes are lost.
listener {port} {loopback}
allow_anonymous true
persistence false
# the hub fills a batch before it acknowledges: the window is two of its batches
max_inflight_messages 4000
max_inflight_bytes 16777216
# a slow hub must not cost messages; the edge's window bounds what can gather here
max_queued_messages 0
max_queued_bytes 268435456
max_packet_size 262144
set_tcp_nodelay true
connection_messages false
log_dest stderr
log_type error
log_type warning
"""

_CONNECT = b"\x10\x1b\x00\x04MQTT\x04\x02\x00\x0a\x00\x0fgridwarden-wait"
_CONNACK = b"\x20\x02\x00\x00"


def find_mosquitto() -> Path | None:
    """The machine's mosquitto, if it has one; also where PATH leaves out the system's folders."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


class EmbeddedBroker:
    """One broker process, tethered to us. Not for use by several threads at once."""

    def __init__(self, port: int, data_dir: Path, *, mosquitto: Path | None = None) -> None:
        """data_dir: for its log and configuration. mosquitto: the program; None: rumqttd."""
        self.port = port
        self.log = data_dir / "broker.log"
        self._data_dir = data_dir
        self._mosquitto = mosquitto
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Which broker it is."""
        return "mosquitto" if self._mosquitto else "rumqttd"

    @property
    def pid(self) -> int | None:
        """The broker's process; None while it is not running."""
        return self._child.pid if self.is_alive() and self._child else None

    def start(self) -> None:
        """A broker that answers. Raises BrokerError where the port is taken or it does not come."""
        if not is_free(self.port):
            raise BrokerError(
                f"port {self.port} of the broker is taken by another program: free it, or choose "
                "another with --mqtt-port"
            )
        self._data_dir.mkdir(parents=True, exist_ok=True)
        child.trim(self.log)
        self._child = self._spawn()
        deadline = time.monotonic() + READY_S
        while not _is_broker(self.port):
            if not self.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise BrokerError(
                    f"the broker ({self.name}) does not start on port {self.port}: "
                    f"{child.last_line(self.log)} (all of it in {self.log})"
                )
            time.sleep(0.01)

    def is_alive(self) -> bool:
        """Whether its process lives."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """End the broker; does nothing where it is not running."""
        if self._child is not None:
            child.end(self._child, STOP_S)
            self._child = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        if self._mosquitto is None:
            command = [sys.executable, "-m", "gridwarden.rumqttd", str(self.port)]
            return child.spawn(command, self.log)
        conf = self._data_dir / "mosquitto.conf"
        conf.write_text(MOSQUITTO_CONF.format(port=self.port, loopback=LOOPBACK), encoding="utf-8")
        conf.chmod(0o644)
        # handed over open: without rights it could not enter a folder closed to others
        with conf.open("rb") as stdin:
            command = [str(self._mosquitto), "-c", "/dev/stdin"]
            return child.spawn(command, self.log, account=_account(), stdin=stdin)


def _account() -> str:
    """Who mosquitto runs as: an account without rights where we are root."""
    if os.geteuid() != 0:
        return "-"
    for name in ("mosquitto", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return f"{entry.pw_uid}:{entry.pw_gid}"
    raise BrokerError("no account 'mosquitto' or 'nobody' on this machine to run mosquitto as")


def _is_broker(port: int) -> bool:
    """Whether an MQTT broker accepts a session there."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as s:
            s.sendall(_CONNECT)
            return s.recv(4) == _CONNACK
    except OSError:
        return False
