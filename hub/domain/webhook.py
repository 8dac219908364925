"""What another system is told: CloudEvents 1.0 in JSON, signed as Standard Webhooks says.

https://github.com/cloudevents/spec (JSON format 1.0), https://www.standardwebhooks.com
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TEST_TYPE = "org.gridwarden.webhook.test.v1"
_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def step_message(
    source: str, name: str, at: datetime, data: Mapping[str, Any], link: str | None
) -> tuple[str, bytes]:
    """(id, body) of the message about a step; the same step gives the same bytes each time.

    data: the event as the step left it. The id lets a receiver know what it has had already.
    """
    id = f"{data['number']}/{data['n']}"
    place = None
    if data["lon"] is not None:
        place = {"type": "Point", "coordinates": [data["lon"], data["lat"]]}
    told = {k: v for k, v in data.items() if k not in ("lon", "lat")} | {"geometry": place}
    if link is not None:
        told["link"] = link
    return id, _envelope(
        source, id, f"org.gridwarden.grid-event.{name}.v1", at, str(data["number"]), told
    )


def test_message(source: str, id: int, at: datetime) -> tuple[str, bytes]:
    """(id, body) of a message that only asks whether it arrives."""
    told = {"message": "A test: this webhook works.", "message_zh": "测试：webhook 可用。"}
    return f"test/{id}", _envelope(source, f"test/{id}", TEST_TYPE, at, None, told)


def sign(id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The three headers of Standard Webhooks; one signature for each key in force."""
    seconds = str(int(at.timestamp()))
    content = f"{id}.{seconds}.".encode() + body
    return {
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(key, content)}" for key in keys),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _envelope(
    source: str, id: str, type: str, at: datetime, subject: str | None, data: Mapping[str, Any]
) -> bytes:
    message: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
    }
    if subject is not None:
        message["subject"] = subject
    return json.dumps(message | {"data": data}, ensure_ascii=False, separators=(",", ":")).encode()
