"""A hub with nothing behind it: the floor. Reads, acknowledges, tells watermarks; keeps nothing.

    python -m tests.bench.bare_hub PORT STATION RECORDS_EACH

On a plain socket: what any subscriber of this broker could do at best.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from contract.control import encode_control
from contract.messages import Ack, LaneAck
from contract.taxonomy import Lane
from contract.topics import Down, Topic
from tests.bench.wire import BareClient

ACK_EVERY_S = 0.1  # as the hub


def main(port: int, station: str, records_each: int) -> None:
    """Run until killed. Every agent sends one boot of full messages of readings."""
    client = BareClient(port, "bare-hub")
    client.subscribe(f"gw/v1/{station}/up/#", qos=1)
    print("ready", flush=True)
    boots: dict[str, str] = {}
    counts: dict[str, int] = {}
    told_s = 0.0
    while True:
        for topic, payload in client.take_all(ACK_EVERY_S):
            agent, kind = topic.split("/")[4:6]
            if kind == "birth":
                boots[agent] = payload.split(b'"boot":"')[1].split(b'"')[0].decode()
                counts[agent] = 0
            else:
                counts[agent] += 1
        if time.monotonic() - told_s < ACK_EVERY_S:
            continue
        told_s = time.monotonic()
        for agent, boot in boots.items():
            ack = Ack(
                epoch="bare",
                hub_time=datetime.now(UTC),
                boot=boot,
                lanes={Lane.READING: LaneAck(counts[agent] * records_each)},
            )
            client.tell(str(Topic(station, agent, Down.ACK)), encode_control(ack))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
