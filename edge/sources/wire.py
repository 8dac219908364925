"""What passes between a decoding child process and the agent, over one socket pair.

The child owns three picture buffers in anonymous memory (memfd: nothing to clean up after a kill).
It names a filled buffer by `Shown`; the agent gives it back by its number. A buffer belongs to
one side at a time, so a torn picture cannot be read.
"""

from __future__ import annotations

import socket

import msgspec

from contract.taxonomy import CameraState

BUFFERS = 3  # one being filled, one waiting, one being read
MESSAGE = 96 * 1024  # bytes, more than any message has
KEPT = 64 * 1024  # bytes of a kept picture at most


class Canvas(msgspec.Struct, frozen=True, tag="canvas"):
    """From now on buffers are of this size; their memory comes with this message."""

    round: int
    height: int
    width: int

    @property
    def size(self) -> int:
        """Bytes of one buffer."""
        return self.height * self.width * 3


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """A frame lies in this buffer."""

    round: int  # the canvas it was drawn on
    buffer: int
    at_us: int  # microseconds since 1970
    number: int  # frames since the child began, from 0


class Told(msgspec.Struct, frozen=True, tag="told"):
    """What became of the source."""

    state: CameraState
    detail: str


class Kept(msgspec.Struct, frozen=True, tag="kept"):
    """A small picture for the clips. Its JPEG follows the message, behind a line feed."""

    at_us: int  # microseconds since 1970


Message = Canvas | Shown | Told | Kept
encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode(raw: bytes) -> tuple[Message, bytes]:
    """A message and what follows it; raises msgspec.MsgspecError."""
    head, _, rest = raw.partition(b"\n")
    return _decoder.decode(head), rest


def encode_kept(at_us: int, jpeg: bytes) -> bytes:
    """The message that carries a kept picture."""
    return encode(Kept(at_us)) + b"\n" + jpeg


def give_back(shown: Shown) -> bytes:
    """The message that returns a buffer to the child."""
    return bytes((shown.round % 256, shown.buffer))


def receive(end: socket.socket) -> tuple[bytes, list[int]]:
    """The next message with its descriptors; empty once the other side is gone.

    Where the other side ends with something of ours unread, Linux reports a reset ahead of what
    it had still sent. That last word counts: it may be that the file was played to its end.
    Raises TimeoutError as the socket is set.
    """
    try:
        raw, descriptors, _, _ = socket.recv_fds(end, MESSAGE, 1)
    except ConnectionResetError:  # reported once
        raw, descriptors, _, _ = socket.recv_fds(end, MESSAGE, 1)
    return raw, list(descriptors)
