"""What the public face says, as Open311 writes it: JSON and XML of the same things."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from starlette.responses import Response

Format = Literal["json", "xml"]
Value = str | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Things = Sequence[Mapping[str, Value]]

_MEDIA = {"json": "application/json", "xml": "text/xml; charset=utf-8"}
# what XML 1.0 cannot hold, not even escaped; a reporter may have sent it
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
# how the items of a list are called in XML
_ITEMS = {
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
    "services": "service",
}


def answer(
    things: Things | Mapping[str, Value], kind: Format, root: str, item: str, status: int = 200
) -> Response:
    """A list of things, or one thing, in the format asked for; in XML below the name of `root`."""
    if kind == "json":
        body = json.dumps(things, ensure_ascii=False)
    else:
        top = ET.Element(root)
        if isinstance(things, Mapping):
            _fill(top, things)
        else:
            for thing in things:
                _fill(ET.SubElement(top, item), thing)
        body = '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(top, encoding="unicode")
    return Response(body, status_code=status, media_type=_MEDIA[kind])


def fault(status: int, detail: str, kind: Format) -> Response:
    """An error as the standard writes it."""
    return answer([{"code": status, "description": detail}], kind, "errors", "error", status)


def stamp(at: datetime | None) -> str | None:
    """A time of the W3C's kind, to the second."""
    return None if at is None else at.isoformat(timespec="seconds")


def _fill(element: ET.Element, thing: Mapping[str, Value]) -> None:
    for name, value in thing.items():
        _add(element, name, value)


def _add(parent: ET.Element, name: str, value: Value) -> None:
    child = ET.SubElement(parent, name)
    if isinstance(value, Mapping):
        _fill(child, value)
    elif isinstance(value, bool):
        child.text = "true" if value else "false"
    elif isinstance(value, str):
        child.text = _NOT_XML.sub("�", value)
    elif isinstance(value, Sequence):
        for part in value:
            _add(child, _ITEMS.get(name, "item"), part)
    elif value is not None:
        child.text = str(value)
