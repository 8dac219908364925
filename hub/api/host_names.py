"""By which names this machine is called."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def name_of(host: str) -> str:
    """The name in a Host header, without the port and the brackets of an IPv6 address."""
    host = host.lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
