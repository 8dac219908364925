"""What signing in is about, without a database: logins, addresses, the way back."""

from __future__ import annotations

import ipaddress
import unicodedata
from urllib.parse import urlsplit

from hub.domain.errors import InvalidError

LONGEST_LOGIN = 64  # characters
LONGEST_PASSWORD = 256  # characters: more only makes hashing slow
START = "/"


def login_key(login: str) -> str:
    """A login as it is compared: width, case, outer spaces and what nobody sees do not matter."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", login) if c.isprintable())
    return seen.casefold().strip()


def check_login(login: str) -> None:
    """Raise InvalidError where nobody could be called that."""
    if not login_key(login) or len(login) > LONGEST_LOGIN or login != login.strip():
        raise InvalidError(
            f"a login has 1 to {LONGEST_LOGIN} characters and no space around it, got "
            f"{login[:80]!r}",
            field="login",
        )
    if not login.isprintable():
        raise InvalidError(f"login {login!r} has characters nobody can see", field="login")


def check_password(password: str, login: str, least: int) -> None:
    """Raise InvalidError where a new password is too short, too long, or the login itself."""
    if not least <= len(password) <= LONGEST_PASSWORD:
        raise InvalidError(
            f"a password has {least} to {LONGEST_PASSWORD} characters, this one has "
            f"{len(password)}",
            field="password",
        )
    if login_key(login) in login_key(password) and len(password) < len(login) + least:
        raise InvalidError("a password must not be the login", field="password")
    if len(set(password)) < 4:
        raise InvalidError("a password has at least 4 different characters", field="password")


def net_of(address: str) -> str:
    """What counts as one place: an IPv4 address, the /64 of an IPv6 address, else what was told."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((ip, 64), strict=False))
    return str(ip)


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(net_of(address).partition("/")[0]).is_loopback or (
            address == "::1"
        )
    except ValueError:
        return False


def way_back(wanted: str) -> str:
    """Where to go after signing in: a path of this hub, never another site; else the start."""
    if not wanted.startswith("/") or wanted[1:2] in ("/", "\\") or len(wanted) > 2000:
        return START
    if any(ord(c) < 0x21 or c == "\\" or ord(c) == 0x7F for c in wanted):
        return START  # browsers drop line breaks and turn \ into /
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return START
    if parts.scheme or parts.netloc or parts.path.startswith("/sign-"):
        return START
    return wanted
