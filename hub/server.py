"""The hub's parts, run until they are told to stop: API, ingestion, timers."""

from __future__ import annotations

import threading

from hub.config import HubConfig


def run(config: HubConfig, stop: threading.Event) -> None:
    """API, ingestion and timers in this process, until `stop` is set.

    Raises a GridwardenError with one clear line where a part cannot start.
    """
    raise NotImplementedError
