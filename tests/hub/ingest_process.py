"""A hub that only ingests, as a process of its own that a test may kill.

python -m tests.hub.ingest_process DATABASE_URL BROKER_PORT STATION DATA_DIR
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from hub.server import run_ingest
from tests.hub.builders import config


def main(database_url: str, port: str, station: str, data_dir: str) -> None:
    run_ingest(
        config(database_url, Path(data_dir), broker_port=int(port), stations=(station,)),
        threading.Event(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
