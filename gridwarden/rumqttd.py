"""The MQTT broker that comes in a wheel: rumqttd, in a process of its own.

    python -m gridwarden.rumqttd PORT

It keeps nothing on disk and knows no access rules; our parts need neither: the spool is the queue.
"""

from __future__ import annotations

import logging
import signal
import sys

from gridwarden.ports import LOOPBACK

MAX_PACKET_BYTES = 256 * 1024  # ours stay below 64 KiB; the wheel's default of 20 KiB is less
MAX_INFLIGHT = 100  # the broker accepts no more: measured with iotcore 0.4.0
MAX_CONNECTIONS = 2_000


def main(port: int) -> None:
    """Run the broker until a signal ends the process."""
    from iotcore import IotCoreBroker

    for sign in (signal.SIGINT, signal.SIGTERM):  # the Rust loop never returns to Python's handler
        signal.signal(sign, signal.SIG_DFL)
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # rumqttd reports its routing of every packet as an error
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(
        listen=LOOPBACK,
        port=port,
        max_connections=MAX_CONNECTIONS,
        max_payload_size=MAX_PACKET_BYTES,
        max_inflight_count=MAX_INFLIGHT,
    ).run_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
