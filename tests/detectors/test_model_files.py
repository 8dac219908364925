"""Model files are looked at before anything in them is run; hostile ones are refused by a line."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import sys
import tomllib
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.models.errors import ModelError, UnsafeModelError
from detectors.models.inspecting import inspect
from gridwarden.cli import main
from tests.detectors.tiny_onnx import external_tensor, part, tiny_model

RAN = "ran-by-the-model"


class Commands:
    """Pickles into a call of the shell."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {RAN}",)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def checkpoint(pickled: bytes) -> bytes:
    return zipped({"best/data.pkl": pickled, "best/version": b"3\n", "best/data/0": bytes(64)})


def text(words: str) -> bytes:
    data = words.encode()
    return b"\x8c" + bytes([len(data)]) + data


def called(module: str, name: str) -> bytes:
    """A pickle of protocol 4 that calls module.name() with a command."""
    head = b"\x80\x04" + text(module) + text(name) + b"\x93"
    return head + text(f"touch {RAN}") + b"\x85R."


def with_names(names: bytes) -> bytes:
    """A checkpoint whose network names these classes: a pickled value, without PROTO and STOP."""
    network = b"cultralytics.nn.tasks\nDetectionModel\n)\x81}" + text("names") + names + b"sb"
    return checkpoint(b"\x80\x04}" + text("model") + network + b"s.")


def laughs(times: int) -> bytes:
    """A list of ten times a list of ten times ... the letter a, in a few bytes a level."""
    return (
        b"("
        + text("a") * 10
        + b"l"
        + b"".join(
            b"q" + bytes([n]) + b"0(" + (b"h" + bytes([n])) * 10 + b"l" for n in range(times)
        )
    )


def damaged_inside() -> bytes:
    """A zip whose table is sound and whose packed pickle is not."""
    pickled = random.Random(1).randbytes(2000)
    data = bytearray(zipped({"a/data.pkl": pickled}, zipfile.ZIP_DEFLATED))
    data[40 : 40 + 64] = b"\xff" * 64
    return bytes(data)


def global_(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A checkpoint as ultralytics writes it, without torch: its classes by their names."""

    def stand_in(module: str, name: str) -> type:
        made = type(name, (), {"__module__": module})
        holder = sys.modules.get(module) or types.ModuleType(module)
        setattr(holder, name, made)
        monkeypatch.setitem(sys.modules, module, holder)
        return made

    for parent in ("ultralytics", "ultralytics.nn", "ultralytics.nn.modules"):
        monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    network = stand_in("ultralytics.nn.tasks", "DetectionModel")()
    layer = stand_in("ultralytics.nn.modules.conv", "Conv")()
    layer.__dict__["training"] = False
    network.__dict__.update(
        names={0: "person", 1: "fire"}, task="detect", _modules=OrderedDict(model=layer)
    )
    held = {
        "epoch": -1,
        "model": network,
        "train_args": {"imgsz": 320, "model": "yolo11n.yaml"},
        "license": "AGPL-3.0 License",
    }
    return checkpoint(pickle.dumps(held, protocol=2))


def written(folder: Path, data: bytes, name: str = "model.pt") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_checkpoint_tells_its_classes_input_and_licence(trained: bytes, tmp_path: Path) -> None:
    facts = inspect(written(tmp_path, trained))
    assert facts.format == "PyTorch (ultralytics)"
    assert facts.classes == ("person", "fire")
    assert facts.input_size == (320, 320)
    assert facts.licence == "AGPL-3.0 License"
    assert facts.size_bytes == len(trained)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a call of the shell": (lambda: checkpoint(pickle.dumps(Commands())), "would import"),
    "the same in old form": (
        lambda: checkpoint(pickle.dumps(Commands(), protocol=0)),
        "would import",
    ),
    "eval": (lambda: checkpoint(called("builtins", "eval")), "would import 'builtins' 'eval'"),
    "a way through an allowed module": (
        lambda: checkpoint(called("torch.nn.modules.conv", "F.torch.os.system")),
        "would import",
    ),
    "a module that an allowed one imported": (
        lambda: checkpoint(called("collections", "_sys")),
        "would import",
    ),
    "names put together behind the reader's back": (
        lambda: checkpoint(
            b"\x80\x04" + text("os") + text("system") + text("x") + b"0\x93" + b"(tR."
        ),
        "computes what it imports",
    ),
    "a memo that is written over": (
        lambda: checkpoint(
            b"\x80\x04" + text("collections") + b"q\x00" + text("os") + b"q\x00"
            b"0h\x00" + text("system") + b"\x93."
        ),
        "would import 'os' 'system'",
    ),
    "an import by number": (lambda: checkpoint(b"\x80\x02\x82\x01."), "imports by number"),
    "an old instance": (
        lambda: checkpoint(b"(S'touch x'\nios\nsystem\n."),
        "would import 'os' 'system'",
    ),
    "room for billions": (
        lambda: checkpoint(b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b"."),
        "places of memory",
    ),
    "a layer that asks for terabytes": (
        lambda: checkpoint(
            b"\x80\x02"
            + global_("torch.nn.modules.linear", "Linear")
            + b"J\x40\x42\x0f\x00J\x40\x42\x0f\x00\x86R."
        ),
        "would make a layer",
    ),
    "cut off": (lambda: checkpoint(pickle.dumps(["a"] * 9)[:-4]), "damaged pickle"),
    "garbage": (lambda: checkpoint(bytes(range(1, 256))), "damaged pickle"),
    "a pickle without a zip": (lambda: pickle.dumps(Commands()), "no zip"),
    "a tape archive": (lambda: b"best/data.pkl" + bytes(600), "no zip"),
    "two pickles": (
        lambda: zipped({"a/data.pkl": b"N.", "b/data.pkl": pickle.dumps(Commands())}),
        "one data.pkl",
    ),
    "another pickle beside it": (
        lambda: zipped({"a/data.pkl": b"N.", "a/more.pkl": b"N."}),
        "one data.pkl",
    ),
    "a program": (
        lambda: zipped({"a/data.pkl": b"N.", "a/constants.pkl": b"N.", "a/code/x.py": b""}),
        "TorchScript",
    ),
    "a bomb": (
        lambda: zipped({"a/data.pkl": b"N.", "a/data/0": bytes(40_000_000)}, zipfile.ZIP_DEFLATED),
        "would unpack",
    ),
    "a way out": (lambda: zipped({"a/data.pkl": b"N.", "../../x": b""}), "outside"),
    "a zip without its end": (lambda: checkpoint(b"N.")[:-30], "damaged zip"),
    "packed data that is none": (damaged_inside, "damaged zip"),
    "class names that unfold to gigabytes": (
        lambda: with_names(b"(" + laughs(10) + b"l"),
        "no text",
    ),
    "a class name of a million digits": (
        lambda: with_names(b"(\x8b" + struct.pack("<i", 500_000) + b"\x01" * 500_000 + b"l"),
        "no text",
    ),
    "no network": (lambda: checkpoint(pickle.dumps({"weights": 1}, 2)), "without their network"),
    "not even a checkpoint": (lambda: checkpoint(b"N."), "no checkpoint"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_checkpoint_is_refused_by_one_line_and_not_run(
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build, said = HOSTILE[what]
    path = written(tmp_path, build())
    monkeypatch.chdir(tmp_path)
    assert main(["models", "check", str(path)]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert not (tmp_path / RAN).exists()


def test_a_file_that_stands_twice_in_a_zip_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/data.pkl", b"N.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/data.pkl", pickle.dumps(Commands()))
    with pytest.raises(UnsafeModelError, match="twice"):
        inspect(written(tmp_path, out.getvalue()))


def test_an_onnx_file_tells_the_same(tmp_path: Path) -> None:
    facts = inspect(written(tmp_path, tiny_model(batch=1), "m.onnx"))
    assert (facts.format, facts.classes, facts.input_size) == ("ONNX", ("red", "green"), (64, 64))
    assert (facts.batch, facts.licence, facts.task) == (1, "CC0-1.0", "detect")
    assert inspect(written(tmp_path, tiny_model(), "m.onnx")).batch is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tiny_model(extra_tensor=external_tensor()), "in another file"),
        (tiny_model(domain="evil.ops"), "operators of 'evil.ops'"),
        (tiny_model(extra=part(25, b"")), "functions of its own"),
        (tiny_model(names=None), "names no classes"),
        (tiny_model(names="__import__('os').system('x')"), "cannot be read"),
        (tiny_model(names="[" * 5000), "cannot be read"),
        (tiny_model(names="{[]: 'a'}"), "cannot be read"),
        (tiny_model(names="{1: 'a'}"), "not numbered from 0"),
        (tiny_model()[:700], "cut off"),
        (b"\xff" * 64, "no ONNX file"),
        (b"", "no graph"),
    ],
)
def test_an_onnx_file_that_reaches_out_or_is_damaged_is_refused(
    data: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        inspect(written(tmp_path, data, "m.onnx"))


def openvino(folder: Path, words: str, network: str = "<net/>") -> Path:
    made = folder / "m_openvino_model"
    made.mkdir()
    (made / "m.xml").write_text(network)
    (made / "m.bin").write_bytes(bytes(8))
    (made / "metadata.yaml").write_text(words)
    return made


def test_an_openvino_folder_tells_the_same(tmp_path: Path) -> None:
    words = "names:\n  0: person\n  1: car\nimgsz: [320, 320]\nlicense: AGPL-3.0\ntask: detect\n"
    facts = inspect(openvino(tmp_path, words))
    assert (facts.format, facts.classes) == ("OpenVINO", ("person", "car"))
    assert (facts.input_size, facts.licence) == ((320, 320), "AGPL-3.0")


@pytest.mark.parametrize(
    ("words", "network", "said"),
    [
        ("a: &a [x, x]\nnames: [*a, *a]\n", "<net/>", "refers to itself"),
        ("names: !!python/object/apply:os.system ['true']\n", "<net/>", "no YAML"),
        ("names: [a]\n", "<!DOCTYPE x [<!ENTITY a 'b'>]><net/>", "declares entities"),
        ("task: detect\n", "<net/>", "names no classes"),
        ("date: 2026-13-45\n", "<net/>", "no YAML"),
    ],
)
def test_an_openvino_folder_that_is_hostile_is_refused(
    words: str, network: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        inspect(openvino(tmp_path, words, network))


def test_what_is_no_model_is_refused_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model at .*none\.pt: give the path of \.onnx"):
        inspect(tmp_path / "none.pt")
    with pytest.raises(ModelError, match="is no model that is known"):
        inspect(written(tmp_path, b"", "m.tflite"))


def test_the_command_tells_what_it_costs_and_how_to_use_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, tiny_model(), "m.onnx")
    assert main(["models", "check", str(path)]) == 0
    told = capsys.readouterr().out
    assert "2: red, green" in told
    assert "ms a frame on this machine, output (6, 64)" in told
    block = tomllib.loads(told[told.index("[stream.detectors.objects]") :])
    assert block["stream"]["detectors"]["objects"] == {"model": str(path), "classes": "red"}


def test_a_model_is_named_from_the_folder_that_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, tiny_model(), "m.onnx")
    monkeypatch.chdir(tmp_path)
    assert main(["models", "check", "m.onnx"]) == 0
    assert "ms a frame on this machine" in capsys.readouterr().out


def test_a_model_that_cannot_be_run_is_told_and_not_fatal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = written(tmp_path, tiny_model().replace(b"AveragePool", b"AveragePoof"), "m.onnx")
    assert main(["models", "check", str(broken), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["classes"] == ["red", "green"]
    assert "makes no network" in told["fault"]
    assert main(["models", "check", str(broken), "--no-run"]) == 0
