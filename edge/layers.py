"""Where a setting came from: TOML files and the environment, laid over one another.

Lowest first: defaults, the base file, the site's file, the environment. A value keeps the name of
the layer it came from, so that `gridwarden edge check-config` can tell it.
"""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ConfigError

PREFIX = "GRIDWARDEN_EDGE__"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and the layer it came from."""

    value: Any
    layer: str
    secret: bool = False  # it was filled in from the environment by ${VARIABLE}


Table = dict[str, Setting]


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises ConfigError saying what is wrong and where."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no settings at {path}: name a file that exists") from None
    except OSError as e:
        raise ConfigError(f"settings {path} cannot be read: {e.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"settings {path} are not TOML: {e}") from None


def table(values: object, where: str, layer: str) -> Table:
    """One table of a layer; raises ConfigError where it is none."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{layer}: {where} must be a table of settings, got {values!r}")
    return {str(name): Setting(value, layer) for name, value in values.items()}


def from_environment(environ: Mapping[str, str]) -> Iterator[tuple[list[str], Setting]]:
    """(path, setting) for each variable that begins with PREFIX, such as (broker, host)."""
    for name in sorted(environ):
        if name.startswith(PREFIX):
            path = [part.lower() for part in name[len(PREFIX) :].split("__")]
            yield path, Setting(_Text(environ[name]), name)


class _Text(str):
    """A value of the environment: still to be read as what the setting wants."""


def fill_in(name: str, setting: Setting, environ: Mapping[str, str]) -> Setting:
    """The setting with each ${VARIABLE} filled in; raises ConfigError where one is not set."""
    if not isinstance(setting.value, str) or not _VARIABLE.search(setting.value):
        return setting

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise ConfigError(
                f"{setting.layer}: {name} needs the environment variable {match[1]}, which is "
                "not set: export it before starting"
            )
        return environ[match[1]]

    return Setting(_VARIABLE.sub(value_of, setting.value), setting.layer, secret=True)


def plain(kind: type[Any], values: Table) -> dict[str, Any]:
    """The values of a table, those of the environment read as the fields of `kind` want them."""
    hints = typing.get_type_hints(kind)
    return {name: _as(hints.get(name, str), s.value) for name, s in values.items()}


def _as(hint: Any, value: Any) -> Any:
    if not isinstance(value, _Text) or hint is str:
        return str(value) if isinstance(value, _Text) else value
    try:
        return tomllib.loads(f"v = {value.strip().lower()}")["v"]
    except tomllib.TOMLDecodeError:
        return str(value)  # refused by the check of its type, which names it
