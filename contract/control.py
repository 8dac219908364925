"""What passes outside the lanes, without sequence numbers: birth, death, ack, nack, flow, command,
look."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from contract.errors import EnvelopeError
from contract.messages import Ack, Command, Death, Flow, Look, Manifest, Nack

ControlMessage = Manifest | Death | Ack | Nack | Flow | Command | Look
M = TypeVar("M", Manifest, Death, Ack, Nack, Flow, Command, Look)

# \u0000 whose backslash is not itself escaped
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

_encoder = msgspec.json.Encoder()


def encode_control(message: ControlMessage) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def read_control(kind: type[M], payload: bytes) -> M:
    """The message of this kind in `payload`; raises EnvelopeError saying what is wrong."""
    if _NUL.search(payload):
        raise EnvelopeError(
            f"{kind.__name__.lower()} message refused: it holds the character U+0000, which "
            "PostgreSQL cannot keep, not in JSON either: leave it out"
        )
    try:
        payload.decode("utf-8")  # a field that is not known is passed over unread
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as e:
        raise EnvelopeError(f"{kind.__name__.lower()} message refused: {e}") from None
