"""Encodes one clip in a process of its own: `python -m edge.clip_encoder`, frames in, WebM out.

A crash of it, or a picture that makes it run for ever, costs one clip and nothing else. It ends
with the agent, and gives way to everything else on the machine.

Standard input: a line of JSON (`Recipe`), then the JPEGs. Standard output: VP8 in WebM.
"""

from __future__ import annotations

import ctypes
import io
import os
import resource
import signal
import sys
from fractions import Fraction

import msgspec

BITS = 300_000  # a second, of 640 x 360 pixels
MILLISECONDS = Fraction(1, 1000)
# libvpx's own words, chosen for little CPU at 4 pictures a second
OPTIONS = {"deadline": "good", "cpu-used": "4", "auto-alt-ref": "0"}
CPU_S, MEMORY = 60, 2 << 30  # limits of this process, in seconds and bytes
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Recipe(msgspec.Struct, frozen=True):
    """What follows: pictures with their times since the first one, ascending."""

    offsets_ms: list[int]
    sizes: list[int]  # bytes


def main() -> int:
    """Read, encode, write."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)
    recipe = msgspec.json.decode(sys.stdin.buffer.readline(), type=Recipe)
    jpegs = [sys.stdin.buffer.read(size) for size in recipe.sizes]
    sys.stdout.buffer.write(encode(recipe.offsets_ms, jpegs))
    return 0


def encode(offsets_ms: list[int], jpegs: list[bytes]) -> bytes:
    """A WebM of these pictures, each shown from its time on; the first one sets the size."""
    import av

    decoder = av.CodecContext.create("mjpeg", "r")
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libvpx", options=OPTIONS)
        stream.codec_context.time_base = MILLISECONDS
        stream.codec_context.thread_count = 1
        stream.pix_fmt = "yuv420p"
        for at_ms, jpeg in zip(offsets_ms, jpegs, strict=True):
            for picture in decoder.decode(av.Packet(jpeg)):
                if not stream.codec_context.is_open:
                    stream.width, stream.height = picture.width, picture.height
                    stream.bit_rate = max(100_000, BITS * stream.width * stream.height // 230_400)
                frame = picture.reformat(stream.width, stream.height, "yuv420p")
                frame.pts, frame.time_base = at_ms, MILLISECONDS
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
