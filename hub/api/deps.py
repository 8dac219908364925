"""What routes share: the hub, who acts, a look at the database, pages of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Header, Path, Query, Request, Response
from psycopg import Connection

from hub.api.caller import CallerDep
from hub.domain.actor import Actor
from hub.domain.errors import InvalidError
from hub.services.context import Hub
from hub.store.part import Part

R = TypeVar("R")
_MOST_FIELDS = 10  # of a form


def _the_hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


HubDep = Annotated[Hub, Depends(_the_hub)]


def _acting(caller: CallerDep) -> Actor:
    return caller.actor


ActorDep = Annotated[Actor, Depends(_acting)]


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


# the fields of a form; the guard has bounded its size
FormDep = Annotated[dict[str, str], Depends(_form)]
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=200, description="Entries at most")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]
IfMatch = Annotated[
    str | None,
    Header(max_length=40, description='The version that was seen, as ETag: `"7"`'),
]


@dataclass(frozen=True, slots=True)
class Portion:
    """The part of a list that is asked for. An answer that is a bare list tells of the rest in its
    header `Link`, as RFC 8288 has it."""

    part: Part  # one entry more than is shown
    _request: Request
    _response: Response

    def shown(self, found: list[R], **pinned: str) -> list[R]:
        """The entries of the page, out of what was found of the part.

        pinned: parameters that the next page has to be asked with beside those of this one.
        """
        assert self.part.limit is not None
        limit = self.part.limit - 1
        if len(found) > limit:
            following = {"limit": limit, "cursor": self.part.skip + limit, **pinned}
            url = self._request.url.include_query_params(**following)
            self._response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return found[:limit]

    def shown_of(self, everything: Sequence[R]) -> list[R]:
        """The entries of the page, out of the whole list."""
        assert self.part.limit is not None
        return self.shown(list(everything[self.part.skip : self.part.skip + self.part.limit]))


def portion(most: int, usual: int) -> Any:
    """A dependency that reads which part of a list is asked for.

    most: entries that may be asked for at once. usual: entries where no number is asked for.
    """

    def read(
        request: Request,
        response: Response,
        limit: int = Query(
            usual, ge=1, le=most, description='Entries at most; `Link: <…>; rel="next"` has more'
        ),
        cursor: str | None = Query(
            None, max_length=100, description="As `Link` of the page before has it"
        ),
    ) -> Portion:
        parts = cursor_parts(cursor, r"([0-9]{1,9})")
        return Portion(Part(limit + 1, int(parts[0]) if parts else 0), request, response)

    return Depends(read)


Listed = Annotated[Portion, portion(1000, 1000)]
ListedValues = Annotated[Portion, portion(5000, 1000)]


@contextmanager
def reading(hub: Hub) -> Iterator[Connection[Any]]:
    """A connection that sees one moment of the database and cannot write."""
    with hub.pool.connection() as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield conn


def seen_version(body: int | None, if_match: str | None) -> int | None:
    """The version the caller saw, from the body or the header If-Match; None for any."""
    if if_match is None or if_match.strip() == "*":
        return body
    match = re.fullmatch(r'\s*(?:W/)?"([0-9]{1,9})"\s*', if_match)
    if match is None:
        raise InvalidError(
            f'If-Match {if_match!r} is not a version: send the ETag of the event, such as "7"',
            field="If-Match",
        )
    if body is not None and body != int(match[1]):
        raise InvalidError(
            f"If-Match says version {match[1]} and expected_version {body}: send one of them",
            field="expected_version",
        )
    return int(match[1])


def cursor_parts(cursor: str | None, pattern: str) -> tuple[str, ...] | None:
    """The groups of `pattern` in a cursor, None where there is no cursor.

    Raises InvalidError where it is none of ours.
    """
    if cursor is None:
        return None
    match = re.fullmatch(pattern, cursor)
    if match is None:
        raise InvalidError(
            f"cursor {cursor!r} is not one of ours: send `next` of the page before, unchanged",
            field="cursor",
        )
    return match.groups()


def cursor_id(cursor: str | None) -> int | None:
    """The id in a cursor; raises InvalidError where it is none of ours."""
    parts = cursor_parts(cursor, r"([0-9]{1,18})")
    return int(parts[0]) if parts else None


def one_page(found: list[R], limit: int) -> tuple[list[R], R | None]:
    """The entries of a page, and the last of them where more follow.

    found: one entry more than `limit`, if there is one.
    """
    return found[:limit], found[limit - 1] if len(found) > limit else None
