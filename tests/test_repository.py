"""The repository keeps its own promises: pins, portability, commented settings, container files."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
# trained here, from data whose licences allow it: docs/models/fire-verifier.md; no other weights
OWN_WEIGHTS = Path("detectors/weights/fire_verifier.onnx")
# written in pieces, or this file would name them itself
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wor" r"k|roo" r"t|hom" r"e/[a-z]+|User" r"s)/")
REGISTRIES = re.compile(
    r"pypi\.o" r"rg|pythonhosted\.o" r"rg|npmjs\.(?:o" r"rg|com)|/sim" r"ple\b|_auth" r"Token"
)


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        try:
            found.append((path.relative_to(ROOT), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            found[normal(name)] = version
    return found


def test_exactly_one_distribution_provides_cv2() -> None:
    providers = importlib.metadata.packages_distributions()["cv2"]
    assert set(providers) == {"opencv-python-headless"}
    assert importlib.metadata.version("opencv-python-headless") == "4.12.0.88"


def test_no_machine_path_stands_in_a_tracked_file() -> None:
    found = [
        f"{path}: {match[0]}" for path, text in texts() if (match := MACHINE_PATHS.search(text))
    ]
    assert found == []


def test_no_address_of_a_package_registry_stands_in_a_tracked_file() -> None:
    found = [f"{p}: {m[0]}" for p, text in texts() if (m := REGISTRIES.search(text))]
    assert found == []


def test_nothing_leans_on_a_folder_beside_the_repository() -> None:
    beside = re.compile(r"\.\./shar" r"ed\b|(?<![\w/])shar" r"ed/(?:data|design|prototypes)")
    found = [str(p) for p, text in texts() if beside.search(text) and str(p) != ".ci/run"]
    assert found == []


def test_no_video_no_weights_and_no_large_file_is_tracked() -> None:
    heavy = {".mp4", ".avi", ".mkv", ".mov", ".pt", ".onnx", ".pth", ".engine", ".safetensors"}
    for path in tracked():
        if path.relative_to(ROOT) == OWN_WEIGHTS:
            assert path.stat().st_size < 2_000_000, path
            continue
        assert path.suffix.lower() not in heavy, path
        assert path.stat().st_size < 1_000_000, path


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


def test_what_is_installed_is_what_the_constraints_name() -> None:
    pinned = pins()
    for distribution in importlib.metadata.distributions():
        name = normal(distribution.metadata["Name"])
        if name in pinned:
            assert distribution.version == pinned[name], name


def test_every_dependency_and_what_it_needs_is_pinned() -> None:
    pinned, todo = pins(), [Requirement(text) for text in requirements()]
    seen = set()
    while todo:
        requirement = todo.pop()
        name = normal(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        assert name in pinned, f"{name} is not in constraints.txt"
        assert requirement.specifier.contains(pinned[name]), requirement
        for text in importlib.metadata.requires(name) or []:
            todo.append(Requirement(text))


def requirements() -> list[str]:
    return [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


def test_python_3_11_to_3_13_are_declared_everywhere_alike() -> None:
    declared = SpecifierSet(PROJECT["requires-python"])
    fitting = [f"3.{minor}" for minor in range(8, 20) if declared.contains(f"3.{minor}.5")]
    assert fitting == ["3.11", "3.12", "3.13"]
    environment = (ROOT / "gridwarden" / "environment.py").read_text(encoding="utf-8")
    assert "OLDEST, TOO_NEW = (3, 11), (3, 14)" in environment
    assert "(3, 11) <= sys.version_info[:2] < (3, 14)" in (ROOT / "Makefile").read_text("utf-8")
    image = re.search(r"^FROM python:(\d+\.\d+)", (ROOT / "Dockerfile").read_text("utf-8"), re.M)
    assert image is not None
    assert image[1] in fitting


def test_every_package_at_the_root_is_declared() -> None:
    include = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert {f"{name}*" for name in packages} == set(include)
    assert packages == set(PYPROJECT["tool"]["importlinter"]["root_packages"])
    for package in packages:
        assert (ROOT / package / "py.typed").exists(), package


def test_every_package_folder_can_be_imported() -> None:
    for path in tracked():
        if path.suffix == ".py" and path.parent != ROOT:
            assert (path.parent / "__init__.py").exists(), path


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").rglob("*.toml")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_key_of_a_settings_file_is_commented(path: Path) -> None:
    """By a comment on its line or above it, once in the file, or by the folder's base file."""
    explained, seen = set[str](), set[str]()
    for file in (path, path.with_name("base.toml")):
        commented = False
        for line in map(str.strip, file.read_text("utf-8").splitlines() if file.exists() else []):
            key = re.match(r"(?:# )?([A-Za-z_-]+)\s*=(?!\s*\{)", line)  # a row is data
            if not line or line.startswith("["):
                commented = False
            elif "#" in line:
                commented = True
                explained |= set(re.findall(r"[A-Za-z_-]+", line.partition("#")[2]))
            if key and file == path and not line.startswith("#"):
                seen.add(key[1])
            if key and commented:
                explained.add(key[1])
    assert seen - explained == set()


# --- the container files -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def test_every_variable_of_the_compose_file_is_in_the_example_and_used(
    variables: dict[str, str],
) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    assert used == set(variables)


def test_no_secret_has_a_default(variables: dict[str, str]) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in (n for n in variables if n.endswith("PASSWORD")):
        assert variables[name] == ""
        assert set(re.findall(rf"\$\{{{name}([^}}]*)", text)) == {":?set it in .env"}


def test_every_file_the_compose_file_mounts_exists(
    compose: dict[str, Any], variables: dict[str, str]
) -> None:
    for name, service in compose["services"].items():
        for volume in service["volumes"]:
            filled = re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda m: variables[m[1]], volume)
            source = filled.partition(":")[0]
            if source.startswith("."):
                assert (ROOT / source).is_file(), f"{name} mounts {source}"
            else:
                assert source in compose["volumes"], f"{name} mounts {source}"


def test_every_service_is_watched_restarted_and_waits_for_what_it_needs(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert set(services) == {"identity", "broker", "database", "hub", "edge"}
    for name, service in services.items():
        once = name == "identity"
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        assert once or service["healthcheck"]["test"], name
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services
            good = "service_completed_successfully" if needed == "identity" else "service_healthy"
            assert how == {"condition": good}


def test_the_settings_in_the_compose_file_are_ones_that_hub_and_agent_know(
    compose: dict[str, Any], variables: dict[str, str], tmp_path: Path
) -> None:
    from edge.config import load as load_edge
    from hub.config import load as load_hub

    def environment(service: str) -> dict[str, str]:
        given = compose["services"][service]["environment"]
        fill = {n: v or "secret" for n, v in variables.items()}
        return {
            name: re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda m: fill[m[1]], value)
            for name, value in given.items()
        }

    hub = load_hub(ROOT / "configs" / "hub.toml", environment("hub"))
    assert (hub.broker.host, hub.broker.username) == ("broker", "hub")
    assert hub.broker.password == environment("broker")["HUB_PASSWORD"]
    assert "@database:5432/gridwarden" in hub.database.url
    assert compose["services"]["hub"]["ports"][0].endswith(f":{hub.http.port}")
    agent = load_edge(ROOT / variables["GRIDWARDEN_SITE_FILE"], environment("edge"))
    assert agent.agent.name == environment("identity")["AGENT"]
    assert agent.agent.station in hub.hub.stations
    assert hub.broker.tls
    assert agent.broker.tls
    conf = (ROOT / "configs" / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    listeners = [int(port) for port in re.findall(r"^listener (\d+)", conf, re.M)]
    assert listeners == [hub.broker.port, agent.broker.port]
    assert listeners == [hub.identity.password_port, hub.identity.certificate_port]
    assert hub.identity.required
    assert str(hub.identity.broker_dir) == "/broker"


def test_mosquitto_keeps_more_under_way_than_a_batch_of_the_hub() -> None:
    from hub.config import load

    conf = (ROOT / "configs" / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    window = re.search(r"^max_inflight_messages (\d+)", conf, re.M)
    assert window is not None
    assert int(window[1]) > load(ROOT / "configs" / "hub.toml", {}).ingest.batch_messages


def test_every_file_the_image_copies_exists_and_reaches_it() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    sent = {
        line[1:].strip()
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for line in re.findall(r"^COPY (.+)$", dockerfile, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.partition("/")[0] in sent, source
    assert re.search(r"^USER gridwarden$", dockerfile, re.M)


def test_docker_compose_accepts_the_file(tmp_path: Path, variables: dict[str, str]) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose on this machine")
    env = tmp_path / "env"
    env.write_text("".join(f"{n}={v or 'secret'}\n" for n, v in variables.items()))
    accepted = subprocess.run(
        [program, "--env-file", str(env), "-f", "docker-compose.yml", "config", "--services"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert accepted.returncode == 0, accepted.stderr
    assert set(accepted.stdout.split()) == {"identity", "broker", "database", "hub", "edge"}


def test_the_ci_script_is_executable_and_runs_check_and_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert text.index("\nmake check\n") < text.index("\nmake test\n")


def test_documents_link_only_to_files_that_exist() -> None:
    for path in tracked():
        if path.suffix == ".md":
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_architecture_names_only_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for row in (line for line in text.splitlines() if line.startswith("|")):
        folder = ""
        for named in re.findall(r"`([\w/*.]+(?:\.py|/))`", row):
            folder = named.rpartition("/")[0] or folder  # a bare name lies beside
            pattern = named if "/" in named else f"{folder}/{named}"
            assert list(ROOT.glob(pattern.rstrip("/"))), pattern


def test_json_is_valid_where_it_is_tracked() -> None:
    for path in tracked():
        if path.suffix in (".json", ".geojson"):
            json.loads(path.read_text(encoding="utf-8"))
