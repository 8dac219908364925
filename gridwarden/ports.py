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


class HeldPort:
    """A loopback port kept from others until the part that is to listen there starts."""

    def __init__(self, number: int) -> None:
        """Raises OSError where the port is taken. 0: any free one."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            self._socket.bind((LOOPBACK, number))
            self._socket.listen(1)  # two can bind, only one can listen
        except OSError:
            self._socket.close()
            raise
        self.number = int(self._socket.getsockname()[1])

    def release(self) -> None:
        """Let it go; once more does no harm."""
        self._socket.close()


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    if answers(port):  # another address family or a wildcard listener
        return False
    try:
        HeldPort(port).release()
    except OSError:
        return False
    return True


def hold(wanted: int) -> HeldPort:
    """The wanted port, or the next free one above it, or any free one, kept from others."""
    for port in range(wanted, min(wanted + NEIGHBOURS, 65536)):
        if not answers(port):
            try:
                return HeldPort(port)
            except OSError:
                continue
    return HeldPort(0)


def choose(wanted: int) -> int:
    """The number `hold` would find; somebody else may be quicker to take it."""
    held = hold(wanted)
    held.release()
    return held.number
