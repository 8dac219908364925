"""Makes the virtual environment and installs into it; instant when nothing has changed.

    python -I gridwarden/environment.py [--dev]

Needs only the standard library, and says so in one line where Python itself does not fit.
`constraints.txt` names the exact versions: first the program's, then the developers'.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, TOO_NEW = (3, 11), (3, 14)

if not OLDEST <= sys.version_info[:2] < TOO_NEW:
    sys.exit(
        f"gridwarden: Python {sys.version_info[0]}.{sys.version_info[1]} does not fit, 3.11 to "
        "3.13 do: make PYTHON=/path/to/python3.12"
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "gridwarden-installed.json"
DEVELOPMENT = "# development"  # the line of constraints.txt where the developers' part begins
SAID_ON_FAILURE = 8  # lines of pip


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def main() -> int:
    """Bring the environment up to date; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="with the tools to test and check")
    dev: bool = parser.parse_args().dev
    try:
        wanted = fingerprint()
        if not is_installed(wanted, dev):
            make_venv()
            install(dev)
            told = {"fingerprint": wanted, "dev": dev, "root": str(ROOT)}
            STAMP.write_text(json.dumps(told), encoding="utf-8")
        fetch_assets()
    except SetupError as e:
        print(f"gridwarden: {e}", file=sys.stderr)
        return 1
    except OSError as e:
        print(f"gridwarden: cannot set up {VENV}: {e}", file=sys.stderr)
        return 1
    return 0


def fingerprint() -> str:
    """Changes whenever something must be installed again; also when the folder has moved."""
    told = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        told.update((ROOT / name).read_bytes())
    return told.hexdigest()


def is_installed(wanted: str, dev: bool) -> bool:
    """Whether the environment has what is wanted, or more."""
    told = _stamp()
    return told.get("fingerprint") == wanted and bool(told.get("dev")) >= dev and _works()


def make_venv() -> None:
    """An environment of this Python in `.venv`; one of another Python or place is replaced."""
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"this Python ({sys.executable}) has no venv: install the package "
            f"python{version}-venv, or name another Python: make PYTHON=/path/to/python"
        )
    if (VENV / "pyvenv.cfg").exists():
        if _works() and _stamp().get("root", str(ROOT)) == str(ROOT):
            return
        print("the environment in .venv is of another Python or place: making it anew")
        shutil.rmtree(VENV)
    elif VENV.exists() and any(VENV.iterdir()):
        raise SetupError(f"{VENV} exists and is no virtual environment: move it away")
    print(f"making a virtual environment of Python {sys.version.split()[0]} in .venv")
    # we may run in the very environment that was just removed: its Python's own Python makes it
    base = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run(
        [base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise SetupError(f"no virtual environment: {(made.stderr or made.stdout).strip()}")


def install(dev: bool) -> None:
    """The program, editable, with exactly the versions of constraints.txt."""
    total = packages_wanted(dev)
    command = [
        *(str(_python()), "-m", "pip", "install", "--disable-pip-version-check"),
        *("--progress-bar", "off", "--no-input", "--constraint", str(ROOT / "constraints.txt")),
        *("--editable", f"{ROOT}[dev]" if dev else str(ROOT)),
    ]
    environ = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PYTHONUNBUFFERED": "1"}
    said: list[str] = []
    display = Progress(total)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line.rstrip())
            display.heard(line)
    display.close()
    if pip.returncode != 0:
        errors = [line.strip() for line in said if "ERROR:" in line][-SAID_ON_FAILURE:]
        last = "\n    ".join(errors or [line for line in said[-SAID_ON_FAILURE:] if line])
        raise SetupError(f"pip could not install what is needed; it said last\n    {last}")


def packages_wanted(dev: bool) -> int:
    """How many packages constraints.txt names, without or with the developers' part."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    if not dev:
        text = text.partition(DEVELOPMENT)[0]
    return sum(1 for line in text.splitlines() if "==" in line)


class Progress:
    """One calm line: packages found of packages wanted, and what pip is at."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._on_terminal = sys.stdout.isatty()
        print(f"installing {total} packages", end="" if self._on_terminal else "\n", flush=True)

    def heard(self, line: str) -> None:
        """Take a line of pip."""
        words = line.split()
        if words[:1] == ["Collecting"]:
            self._done += 1
            self._show(f"{words[1].partition('=')[0].partition('<')[0].partition('>')[0]}")
        elif line.startswith("Installing collected packages"):
            self._done = self._total
            self._show("unpacking, this takes a moment")

    def _show(self, what: str) -> None:
        if self._on_terminal:
            width = 24
            full = round(width * min(self._done, self._total) / max(self._total, 1))
            bar = "█" * full + "·" * (width - full)
            done = min(self._done, self._total)
            print(f"\r\033[Kinstalling {bar} {done}/{self._total} {what}", end="", flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self._on_terminal:
            print("\r\033[K", end="", flush=True)


def fetch_assets() -> None:
    """The console's libraries; without them everything but the console's pages works."""
    fetched = subprocess.run(
        [str(_python()), "-m", "gridwarden.assets"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if fetched.returncode != 0:
        print(f"{fetched.stdout.strip()}\nthe console will look plain; `make assets` tries again")


def _stamp() -> "dict[str, object]":
    """What was noted when the environment was installed; empty where nothing was."""
    try:
        told = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _works() -> bool:
    """Whether the environment's Python runs, and is of our version."""
    asked = [str(_python()), "-c", "import sys; print(sys.version, end='')"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout == sys.version


def _python() -> Path:
    return VENV / "bin" / "python"


if __name__ == "__main__":
    raise SystemExit(main())
