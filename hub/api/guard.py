"""What stands before every route: the allowed names, no foreign origin, a bounded body, headers.

A page of another site must not act through the browser of somebody who is signed in: a name that
was rebound to this machine is refused by its Host header, a request sent by a foreign page by its
Origin or Sec-Fetch-Site, whatever cookie came with it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.errors import Problem
from hub.api.host_names import LOOPBACK, name_of
from hub.api.problem_pages import answer, document

MAX_BODY = 64 * 1024  # bytes; no request of the API needs more, but for these
_WITH_PHOTO = 17 * 1024 * 1024  # a photo, and the fields of a form around it
LARGER = {
    "/api/v1/grid/import": 16 * 1024 * 1024,  # some 10,000 cells
    "/api/v1/evidence/photos": _WITH_PHOTO,
    "/open311/v2/requests.json": _WITH_PHOTO,
    "/open311/v2/requests.xml": _WITH_PHOTO,
}
LARGER_AT_ONCE = 4  # held in memory, in this process
LARGER_WITHIN_S = 120.0  # one that takes longer makes room for others
_SAFE = ("GET", "HEAD", "OPTIONS")
_ALIVE = ("/healthz", "/readyz")  # asked by address, by load balancers; they reveal nothing

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}

log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware; `hosts` are the names the hub may be called by, without a port."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(h.lower() for h in (*LOOPBACK, *hosts))
        self._larger = 0  # bodies under way; touched by the event loop's thread only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused, pass on the rest."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        if refused is None and scope["method"] not in _SAFE:
            body = await self._whole_body(scope, receive)
            if isinstance(body, Problem):
                refused = body
            else:
                receive = _replay(body, receive)
        if refused is not None:
            headers = {"Retry-After": "5"} if refused.status == 503 else None
            told = document(Request(scope), refused, headers)
            await told(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            # the one place where an unforeseen error ends: named in the answer, told in the log
            incident = secrets.token_hex(6)
            log.exception("incident %s: %s %s failed", incident, scope["method"], scope["path"])
            if started:
                raise
            failed = Problem.of(
                500,
                f"the hub failed at {scope['method']} {scope['path']}; nothing was changed. Its "
                f"log tells more under incident {incident}",
                incident=incident,
            )
            await answer(Request(scope), failed)(scope, receive, send_with_headers)

    async def _whole_body(self, scope: Scope, receive: Receive) -> bytes | Problem:
        """The body, or why it is not taken. Large ones are few at a time: each is in memory."""
        most = LARGER.get(scope["path"], MAX_BODY)
        if most == MAX_BODY:
            body = await _body(scope, receive, most)
            return body if body is not None else _too_large(most)
        if self._larger >= LARGER_AT_ONCE:
            return Problem.of(503, "too much is being sent just now: try again soon")
        self._larger += 1
        try:
            async with asyncio.timeout(LARGER_WITHIN_S):
                body = await _body(scope, receive, most)
        except TimeoutError:
            return Problem.of(408, f"the body did not come within {LARGER_WITHIN_S:g} s")
        finally:
            self._larger -= 1
        return body if body is not None else _too_large(most)

    def _refused(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["path"] not in _ALIVE and name_of(host) not in self.hosts:
            return Problem.of(
                421,
                f"this hub is not called {host[:100]!r}: use one of "
                f"{', '.join(sorted(self.hosts))}, or add the name to [http] allowed_hosts",
            )
        if scope["method"] in _SAFE:
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in (None, "same-origin", "none"):
            return Problem.of(
                403,
                f"this request was sent by a page of another site (Sec-Fetch-Site: {site[:20]})",
            )
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return Problem.of(
                403,
                f"this request was sent by a page of {origin[:100]!r}, only pages of {host!r} may",
            )
        return None


def _too_large(most: int) -> Problem:
    return Problem.of(
        413,
        f"the body is larger than {most} bytes: send less; what devices saw does not travel "
        "through this API",
    )


async def _body(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """The whole body, None where it is larger than `most` bytes."""
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdigit() and int(announced) > most:
        return None
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(parts)
        parts += message.get("body", b"")
        if len(parts) > most:
            return None
        if not message.get("more_body", False):
            return bytes(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
