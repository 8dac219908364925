"""What an agent said of itself at its birth."""

from __future__ import annotations

from typing import Any

import msgspec

from contract.messages import Manifest
from hub.domain.errors import NotFoundError


def read_manifest(agent: str, manifest: dict[str, Any] | None) -> Manifest:
    """The manifest of an agent; raises NotFoundError where it never sent one."""
    if manifest is None:
        raise NotFoundError("manifest of agent", agent)
    return msgspec.convert(manifest, Manifest)
