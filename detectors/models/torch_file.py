"""A PyTorch checkpoint of ultralytics (.pt): a zip with a pickle, looked at without torch."""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from detectors.models import pickles
from detectors.models.errors import ModelError, UnsafeModelError
from detectors.models.facts import ModelFacts, read_names, read_side
from detectors.models.torch_names import is_harmless

BAD_ZIP = (  # what zipfile may raise over hostile bytes
    *(zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError),  # packed in an unknown way; locked by a password
)
MOST_MEMBERS = 20_000
MOST_UNPACKED = 4 * 2**30  # bytes
MOST_GROWTH = 20  # unpacked bytes for each packed one; torch packs nothing, so 1 is usual


def inspect(data: bytes, where: str) -> ModelFacts:
    """What the checkpoint says of itself; raises ModelError where it may not be loaded."""
    if not data.startswith(b"PK\x03\x04"):
        raise UnsafeModelError(
            f"{where} is no zip, so an old checkpoint or none at all: save it anew with a present "
            "torch, or export it to ONNX"
        )
    with _damage_told(where):
        archive = zipfile.ZipFile(io.BytesIO(data))
    pickled = _pickle_of(archive, len(data), where)
    pickles.check(pickled, is_harmless, where)
    return _facts(pickles.read(pickled, where), data, where)


@contextmanager
def _damage_told(where: str) -> Iterator[None]:
    try:
        yield
    except BAD_ZIP as e:
        raise UnsafeModelError(f"{where} is a damaged zip: {e}"[:300]) from None


def _pickle_of(archive: zipfile.ZipFile, packed: int, where: str) -> bytes:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UnsafeModelError(f"{where} holds {len(members):,} files: no model needs that")
    unpacked = sum(member.file_size for member in members)
    if unpacked > min(MOST_UNPACKED, MOST_GROWTH * packed):
        raise UnsafeModelError(
            f"{where} would unpack from {packed:,} to {unpacked:,} bytes: no model does"
        )
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise UnsafeModelError(f"{where} holds a file twice: which of them is loaded is unclear")
    if any(name.startswith("/") or ".." in PurePosixPath(name).parts for name in names):
        raise UnsafeModelError(f"{where} holds a file that would be written outside")
    if any(PurePosixPath(name).name == "constants.pkl" for name in names):
        raise UnsafeModelError(f"{where} is TorchScript, which is a program: export it to ONNX")
    wanted = [name for name in names if PurePosixPath(name).name == "data.pkl"]
    others = [n for n in names if PurePosixPath(n).suffix in (".pkl", ".py") and n not in wanted]
    if len(wanted) != 1 or others:
        raise UnsafeModelError(f"{where} must hold one data.pkl, it has {[*wanted, *others]!r:.99}")
    if archive.getinfo(wanted[0]).file_size > pickles.MOST_BYTES:
        raise UnsafeModelError(f"{where} holds a pickle larger than any model needs")
    with _damage_told(where), archive.open(wanted[0]) as stream:
        return stream.read(pickles.MOST_BYTES + 1)


def _facts(held: object, data: bytes, where: str) -> ModelFacts:
    if not isinstance(held, dict):
        raise ModelError(f"{where} is no checkpoint of ultralytics: export it to ONNX")
    network = held.get("ema") or held.get("model")
    if not isinstance(network, pickles.Inert):
        raise ModelError(
            f"{where} holds weights without their network: save the whole model, or ONNX"
        )
    trained = held.get("train_args")
    args = trained if isinstance(trained, dict) else {}
    licence = held.get("license")
    task = network.get("task") or args.get("task")
    return ModelFacts(
        format="PyTorch (ultralytics)",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        classes=read_names(network.get("names"), where),
        input_size=read_side(args.get("imgsz")) or (640, 640),
        batch=None,
        licence=licence[:200] if isinstance(licence, str) else "",
        task=task[:40] if isinstance(task, str) else "detect",
    )
