"""Sending a request to an address that somebody else chose, without harm to our own network.

Every address a name resolves to is looked at, and the connection goes to one that was: a name that
is rebound between the look and the connection reaches nothing. Redirects are not followed,
little of the answer is read, and the whole has one deadline that a slow receiver cannot stretch.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from contract.errors import GridwardenError
from hub.outward_settings import Network

MAX_URL = 2000  # characters
_READ = 512  # bytes of an answer that are kept, for the list of deliveries
_PORTS = {"http": 80, "https": 443}


class SendingError(GridwardenError):
    """There was no answer; the message says why. Nothing is known of what was received."""


class AddressError(GridwardenError, ValueError):
    """The address may not be sent to; the message says why and how to allow it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int
    text: str  # the beginning of its body


class Sender:
    """Sends requests within the rules. Thread-safe."""

    def __init__(
        self,
        allowed: Sequence[Network],
        *,
        allow_plain_http: bool,
        timeout_s: float,
        ca_file: Path | None = None,
    ) -> None:
        self._allowed = tuple(allowed)
        self._allow_plain_http = allow_plain_http
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context(cafile=ca_file)

    def check(self, url: str) -> SplitResult:
        """The parts of an address that may be sent to, as far as it can be told without a network.

        Raises AddressError.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as e:
            raise AddressError(f"{url[:200]!r} is no address: {e}") from None
        if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise AddressError(
                f"the address must have at most {MAX_URL} printable ASCII characters and no spaces"
            )
        if parts.scheme == "http" and not self._allow_plain_http:
            raise AddressError(
                f"{url[:200]} is http: what is sent could be read on the way. Use https, or set "
                "allow_plain_http of [webhooks]"
            )
        if parts.scheme not in _PORTS or not parts.hostname:
            raise AddressError(f"{url[:200]!r} is no address such as https://receiver.example/path")
        if parts.username is not None or parts.password is not None:
            raise AddressError(
                "the address must hold no user name or password: messages are signed"
            )
        if port == 0:
            raise AddressError(f"{url[:200]!r} has port 0")
        try:
            literal = ipaddress.ip_address(parts.hostname)
        except ValueError:
            return parts
        self._check_reachable(str(literal))
        return parts

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What the receiver answers.

        Raises SendingError where there is no answer in time, AddressError where the address, or
        what its name resolves to, may not be sent to.
        """
        parts = self.check(url)
        assert parts.hostname is not None
        port = parts.port or _PORTS[parts.scheme]
        address = self._resolved(parts.hostname, port)
        connection = http.client.HTTPConnection(parts.hostname, port, timeout=self._timeout_s)
        expired = threading.Event()
        late = threading.Timer(self._timeout_s, _cut, (connection, expired))
        late.daemon = True
        late.start()
        try:
            self._connect(connection, parts, address, port)
            path = parts.path or "/"
            target = f"{path}?{parts.query}" if parts.query else path
            connection.request("POST", target, body, {"Connection": "close", **headers})
            response = connection.getresponse()
            return Answer(response.status, response.read(_READ).decode("utf-8", "replace"))
        except SendingError as e:
            raise (self._too_late() if expired.is_set() else e) from None
        except (OSError, http.client.HTTPException, AttributeError, ValueError) as e:
            # AttributeError, ValueError: the socket was cut at the deadline under http.client
            if expired.is_set():
                raise self._too_late() from None
            raise SendingError(_told(e)) from None
        finally:
            late.cancel()
            connection.close()

    def _too_late(self) -> SendingError:
        return SendingError(f"no answer within {self._timeout_s:g} s")

    def _connect(
        self, connection: http.client.HTTPConnection, parts: SplitResult, address: str, port: int
    ) -> None:
        try:
            raw = socket.create_connection((address, port), timeout=self._timeout_s)
        except OSError as e:
            raise SendingError(f"cannot connect to {address} port {port}: {_told(e)}") from None
        connection.sock = raw
        if parts.scheme == "http":
            return
        try:
            secured = self._context.wrap_socket(
                raw, server_hostname=parts.hostname, do_handshake_on_connect=False
            )
            connection.sock = secured
            secured.do_handshake()
        except (OSError, ValueError) as e:
            raise SendingError(f"no TLS with {parts.hostname}: {_told(e)}") from None

    def _resolved(self, host: str, port: int) -> str:
        """The first address of a name; every one of them must be allowed."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as e:
            raise SendingError(f"the name {host[:200]!r} does not resolve: {_told(e)}") from None
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            self._check_reachable(address)
        return addresses[0]

    def _check_reachable(self, text: str) -> None:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = _inner(address)
        if any(a in network for a in (address, inner) for network in self._allowed):
            return
        if not (address.is_global and inner.is_global) or inner.is_multicast:
            raise AddressError(
                f"{text} is not a public address: name its network in allowed_networks of "
                "[webhooks] if it is meant"
            )


def _inner(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, Teredo or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _cut(connection: http.client.HTTPConnection, expired: threading.Event) -> None:
    expired.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            sock.close()


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300]
