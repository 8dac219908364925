"""Which TCP ports on this machine's loopback are free."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
NEIGHBOURS = 100  # how far above the wanted port to look; stays below the ephemeral range


def answers(port: int, host: str = LOOPBACK, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    if answers(port):  # another address family or a wildcard listener
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(wanted: int) -> int:
    """The wanted port, or the next free one above it, or any free one."""
    for port in range(wanted, min(wanted + NEIGHBOURS, 65536)):
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
