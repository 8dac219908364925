"""A model exported to OpenVINO: a folder with an .xml, a .bin and ultralytics' metadata.yaml."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from detectors.models.errors import ModelError, UnsafeModelError
from detectors.models.facts import ModelFacts, read_names, read_side

MOST_TEXT = 64 * 2**20  # bytes of the .xml
LARGEST = 2 * 2**30  # bytes of the .bin
MOST_WORDS = 1 << 20  # bytes of metadata.yaml


def read(folder: Path, where: str) -> tuple[bytes, bytes, ModelFacts]:
    """The bytes of .xml and .bin, and what they say: those that were looked at are to be used.

    Raises ModelError where the folder may not be loaded.
    """
    networks = sorted(folder.glob("*.xml"))
    if len(networks) != 1 or not networks[0].with_suffix(".bin").is_file():
        raise ModelError(f"{where} must hold one network: a .xml and the .bin of the same name")
    network, weights = networks[0], networks[0].with_suffix(".bin")
    words = folder / "metadata.yaml"
    for path, most in ((network, MOST_TEXT), (words, MOST_WORDS), (weights, LARGEST)):
        if not path.is_file() or path.is_symlink():
            raise ModelError(f"{where} has no {path.name}: export it with ultralytics")
        if path.stat().st_size > most:
            raise UnsafeModelError(f"{path} is larger than any model needs")
    text = network.read_bytes()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise UnsafeModelError(f"{network} declares entities, which no model needs")
    told = _words(words)
    batch = told.get("batch")
    data = weights.read_bytes()
    digest = hashlib.sha256(text)
    digest.update(data)
    facts = ModelFacts(
        format="OpenVINO",
        sha256=digest.hexdigest(),
        size_bytes=len(text) + len(data),
        classes=read_names(told.get("names"), where),
        input_size=read_side(told.get("imgsz")),
        batch=batch if isinstance(batch, int) else None,
        licence=str(told.get("license", ""))[:200],
        task=str(told.get("task", ""))[:40],
    )
    return text, data, facts


def _words(path: Path) -> dict[str, object]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if any(mark in text for mark in ("&", "*")) and _has_alias(text):
        raise UnsafeModelError(f"{path} refers to itself, which no model needs")
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as e:  # ValueError: a date that is none
        raise ModelError(f"{path} is no YAML: {e}"[:300]) from None
    return told if isinstance(told, dict) else {}


def _has_alias(text: str) -> bool:
    """Whether it has anchors and aliases: a few lines of them unfold to gigabytes."""
    try:
        return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))
    except (yaml.YAMLError, RecursionError):
        return False
