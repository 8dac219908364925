"""The files a page is made of: our own and the libraries fetched at set-up time.

They are read once, so what is served cannot change under a running hub, and stand under a path
that names their content: a browser keeps them for ever and still never shows an old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("htmx.js", "htmx-sse.js", "leaflet.js", "leaflet.css")  # without them no live page
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    media_type: str


class Shelf:
    """The files of some folders, by name, under one fingerprint; nothing else can be reached."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._files: dict[str, File] = {}
        digest = hashlib.sha256()
        for folder in folders:
            for path in sorted(folder.glob("*")) if folder.is_dir() else ():
                if path.suffix in _MEDIA_TYPES and path.is_file():
                    content = path.read_bytes()
                    self._files[path.name] = File(content, _MEDIA_TYPES[path.suffix])
                    digest.update(path.name.encode() + b"\0" + content)
        self.fingerprint = digest.hexdigest()[:16]

    def get(self, name: str) -> File | None:
        """The file of that name."""
        return self._files.get(name)

    @property
    def missing(self) -> list[str]:
        """The libraries that were not fetched."""
        return [name for name in LIBRARIES if name not in self._files]
