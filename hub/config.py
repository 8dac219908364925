"""The hub's settings: defaults, then the TOML file, then the environment; checked once, frozen.

    GRIDWARDEN_HUB__DATABASE__URL=postgresql://... overrides [database] url

A value that is exactly `${NAME}` is read from the environment, so that no secret stands in a file.

Longer than most modules: half of it is the list of settings.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contract.errors import GridwardenError, TopicError
from contract.taxonomy import Category
from contract.topics import check_name
from hub.domain.retention import Periods
from hub.outward_settings import (
    AlertmanagerConfig,
    CapConfig,
    MailConfig,
    NoticesConfig,
    Open311Config,
    OutwardConfig,
    RatingsConfig,
    WebhooksConfig,
    faults,
    limits,
)
from hub.store.bulk import InsertPath

MAX_DAYS = 36_500
ENVIRONMENT_PREFIX = "GRIDWARDEN_HUB__"
_CONFIGS = Path(__file__).resolve().parent.parent / "configs"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_KINDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple[str, ...]: "a list of words",
    InsertPath: " or ".join(InsertPath),
}
_GONE = {"hub.operator": "people sign in now (gridwarden accounts create)"}
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class ConfigError(GridwardenError, ValueError):
    """A setting of the hub is unknown, missing or out of range."""


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Where the hub keeps everything."""

    url: str = "postgresql://127.0.0.1:5432/gridwarden"
    pool_size: int = 10  # connections for API and timers; ingestion has its own


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """The MQTT broker."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: Path | None = None  # None: the system's authorities; verified always


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Where console and API listen."""

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ()  # names it may be called by, beside host and loopback
    public_url: str = ""  # how others reach it, for links in what leaves the hub
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For and -Proto are believed


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """What this hub is for."""

    data_dir: Path = Path(".gridwarden/hub")  # evidence
    stations: tuple[str, ...] = ("demo",)  # the stations this hub may ingest
    district: str = "410105"  # six digits, begins every event number
    district_file: Path | None = None  # GeoJSON of the grid cells; None: what the database has
    categories_file: Path = _CONFIGS / "categories.toml"
    calendar_file: Path = _CONFIGS / "calendar.toml"
    assessment_file: Path = _CONFIGS / "assessment.toml"
    assets_dir: Path | None = None  # libraries of the console; None: where set-up puts them
    time_zone: str = "Asia/Shanghai"  # of the district: days of event numbers


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """How messages become transactions."""

    batch_messages: int = 2000  # half of the broker's in-flight window keeps both busy
    batch_wait_ms: int = 50
    queue_messages: int = 4096  # per connection; full stops reading
    ack_every_ms: int = 100  # acknowledgements of one agent within this time become one
    hole_s: float = 3.0  # a hole this old is asked for again; above two batch times


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """How long what is kept, counted from when the hub received it; 0: for ever."""

    keep_readings_days: int = 90
    keep_scores_days: int = 60
    keep_heartbeats_days: int = 30
    keep_minutes_days: int = 400  # roll-ups by minute
    keep_hours_days: int = 1830  # roll-ups by hour; those by day are kept for ever
    keep_notices_days: int = 365  # read or not, with the mail that told them
    compress_after_days: int = 2  # where TimescaleDB has the columnstore; 0: never
    insert: InsertPath = InsertPath.AUTO


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """How much each agent may have under way; the hub narrows it while it does not keep up."""

    window_records: int = 5_000
    window_bytes: int = 4 * 1024 * 1024
    least_records: int = 100  # even then


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """Records that are taken of one device in a minute of capture; 0: any number."""

    readings_per_minute: int = 60_000  # of one device: 1 kHz
    detections_per_minute: int = 600  # changes of one camera's episodes
    scores_per_minute: int = 1_000  # blocks of one camera
    chunks_per_minute: int = 6_000  # of one camera's evidence, 48 KiB each
    heartbeats_per_minute: int = 600  # of one agent
    lane_per_minute: int = 1_000_000  # of one agent's lane as a whole
    refused_per_minute: int = 600  # of one agent: what is quarantined


@dataclass(frozen=True, slots=True)
class EvidenceConfig:
    """Days for which pictures and clips are kept, counted from the end of their case."""

    public_security_days: int = 365
    urban_management_days: int = 180
    fire_safety_days: int = 365
    traffic_safety_days: int = 180
    environmental_safety_days: int = 365
    letters_and_visits_days: int = 730
    ethnic_and_religious_affairs_days: int = 180
    land_supervision_days: int = 730
    peoples_livelihood_days: int = 180
    rejected_days: int = 30  # of events that were rejected, lapsed or voided
    loose_days: int = 30  # of what belongs to no event, from its arrival on
    partial_days: int = 30  # of what never arrived whole; longer than the longest outage

    def periods(self) -> Periods:
        """The same as the domain knows them."""
        return Periods(
            {category: getattr(self, f"{category}_days") for category in Category},
            self.rejected_days,
            self.loose_days,
            self.partial_days,
        )


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """Who may send. All but `required` and `warn_days` is for `gridwarden agents`."""

    required: bool = False  # refuse strangers even before the first agent is enrolled
    broker_dir: Path | None = None  # Mosquitto's passwords, rules, certificates; None: no files
    broker_pid_file: Path | None = None  # of Mosquitto, to make it read them; None: told how
    authority_dir: Path | None = None  # of the local authority; None: in data_dir
    broker_host: str = ""  # how agents call the broker; "": broker.host
    password_port: int = 8883  # where agents with a password connect
    certificate_port: int = 8884  # where agents with a certificate connect
    certificate_days: int = 365  # life of an agent's certificate
    warn_days: int = 30  # before it ends


@dataclass(frozen=True, slots=True)
class AccountsConfig:
    """How people sign in, and for how long."""

    idle_minutes: int = 120  # a session that nobody uses ends; an open page of the console uses it
    longest_hours: int = 16  # a session ends, however much it is used: longer than a shift
    tries_per_login: int = 10  # wrong passwords of one login before it has to wait
    tries_per_address: int = 50  # from one address, whatever the login
    tries_minutes: int = 15  # within this time
    least_password: int = 10  # characters
    token_days: int = 365  # longest life of an API token
    argon2_time_cost: int = 3  # RFC 9106, second recommended choice
    argon2_memory_kib: int = 65_536
    argon2_parallelism: int = 4


@dataclass(frozen=True, slots=True)
class HubConfig:
    """Every setting of the hub."""

    database: DatabaseConfig = DatabaseConfig()
    broker: BrokerConfig = BrokerConfig()
    http: HttpConfig = HttpConfig()
    hub: SiteConfig = SiteConfig()
    ingest: IngestConfig = IngestConfig()
    storage: StorageConfig = StorageConfig()
    flow: FlowConfig = FlowConfig()
    limits: LimitsConfig = LimitsConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    identity: IdentityConfig = IdentityConfig()
    accounts: AccountsConfig = AccountsConfig()
    webhooks: WebhooksConfig = field(default_factory=WebhooksConfig)
    open311: Open311Config = field(default_factory=Open311Config)
    cap: CapConfig = field(default_factory=CapConfig)
    alertmanager: AlertmanagerConfig = field(default_factory=AlertmanagerConfig)
    mail: MailConfig = field(default_factory=MailConfig)
    notices: NoticesConfig = field(default_factory=NoticesConfig)
    ratings: RatingsConfig = field(default_factory=RatingsConfig)

    def outward(self) -> OutwardConfig:
        """The settings of how the hub speaks to others, to be checked together."""
        return OutwardConfig(
            self.webhooks,
            self.open311,
            self.cap,
            self.alertmanager,
            self.mail,
            self.notices,
            self.ratings,
            self.http.public_url,
        )


def load(path: Path | None, environ: Mapping[str, str]) -> HubConfig:
    """The settings of the hub; raises ConfigError naming the key, the value and the way out.

    Relative paths in the file count from the file's folder, in the environment from the
    working directory.
    """
    values: dict[str, dict[str, Any]] = {}
    if path is not None:
        for section, table in _read(path).items():
            if not isinstance(table, dict):
                raise ConfigError(f"{path}: {section!r} must be a table: write [{section}]")
            values[section] = {
                key: _Given(value, f"{path}: {section}.{key}", path.parent)
                for key, value in table.items()
            }
    for name, text in environ.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            section, _, key = name[len(ENVIRONMENT_PREFIX) :].lower().partition("__")
            values.setdefault(section, {})[key] = _Given(text, name, Path())
    sections: dict[str, Any] = {}
    kinds = typing.get_type_hints(HubConfig)
    for section, given in values.items():
        if section not in kinds:
            raise ConfigError(_unknown("section", section, kinds, next(iter(given.values()), None)))
        sections[section] = _section(kinds[section], section, given, environ)
    return _checked(HubConfig(**sections))


@dataclass(frozen=True, slots=True)
class _Given:
    """A value somebody wrote, and where."""

    value: Any
    where: str
    folder: Path


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"cannot read the hub's settings {path}: {e.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path} is not TOML: {e}") from None


def _section(
    kind: type[Any], section: str, given: Mapping[str, _Given], environ: Mapping[str, str]
) -> Any:
    hints = typing.get_type_hints(kind)
    fields: dict[str, Any] = {}
    for key, entry in given.items():
        if (gone := _GONE.get(f"{section}.{key}")) is not None:
            raise ConfigError(f"{entry.where} is of no use any more: {gone}; delete it")
        if key not in hints:
            raise ConfigError(_unknown(f"key of [{section}]", key, hints, entry))
        fields[key] = _convert(hints[key], entry, environ)
    return dataclasses.replace(kind(), **fields)


def _unknown(what: str, name: str, known: Mapping[str, Any], entry: _Given | None) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"{entry.where if entry else name}: unknown {what} {name!r}; {hint}"


def _convert(kind: Any, entry: _Given, environ: Mapping[str, str]) -> Any:
    value = entry.value
    if isinstance(value, str) and (variable := _VARIABLE.fullmatch(value)):
        if variable[1] not in environ:
            raise ConfigError(f"{entry.where} needs the environment variable {variable[1]}: set it")
        value = environ[variable[1]]
    if kind in (Path, Path | None) and isinstance(value, str):
        if value == "" and kind == Path | None:
            return None
        return (entry.folder / Path(value).expanduser()).resolve() if value else entry.folder
    if kind == tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, list) and all(isinstance(p, str) for p in parts):
            return tuple(p.strip() for p in parts)
    elif kind is str and isinstance(value, str):
        return value
    elif kind is InsertPath and value in list(InsertPath):
        return InsertPath(value)
    elif kind is bool and (isinstance(value, bool) or str(value).lower() in _TRUE + _FALSE):
        return value if isinstance(value, bool) else value.lower() in _TRUE
    elif kind in (int, float) and not isinstance(value, bool):
        try:
            number = kind(value)
        except (TypeError, ValueError):
            pass
        else:
            if isinstance(value, str) or number == value:
                return number
    raise ConfigError(f"{entry.where} must be {_KINDS.get(kind, 'a path')}, got {value!r}")


def _checked(config: HubConfig) -> HubConfig:
    site, ingest, storage = config.hub, config.ingest, config.storage
    identity = config.identity
    if config.broker.ca_file and not config.broker.tls:
        raise ConfigError("broker.ca_file is of no use without broker.tls = true: set it")
    for station in site.stations:
        try:
            check_name("station", station)
        except TopicError as e:
            raise ConfigError(f"hub.stations: {e}") from None
    if not site.stations:
        raise ConfigError("hub.stations is empty: name at least one station")
    if not re.fullmatch(r"[0-9]{6}", site.district):
        raise ConfigError(f"hub.district must have six digits, got {site.district!r}")
    try:
        ZoneInfo(site.time_zone)
    except (ValueError, OSError, LookupError):
        raise ConfigError(
            f"hub.time_zone {site.time_zone!r} is not known; write one such as 'Asia/Shanghai'"
        ) from None
    outward = config.outward()
    for fault in faults(outward):
        raise ConfigError(fault)
    for name, value, low, high in (
        *limits(outward),
        ("database.pool_size", config.database.pool_size, 1, 1000),
        *(
            (f"evidence.{f.name}", getattr(config.evidence, f.name), 1, 36_500)
            for f in dataclasses.fields(EvidenceConfig)
        ),
        ("broker.port", config.broker.port, 1, 65535),
        ("http.port", config.http.port, 0, 65535),
        ("ingest.batch_messages", ingest.batch_messages, 1, 10_000),
        ("ingest.batch_wait_ms", ingest.batch_wait_ms, 1, 10_000),
        ("ingest.queue_messages", ingest.queue_messages, 1, 1_000_000),
        ("ingest.ack_every_ms", ingest.ack_every_ms, 1, 10_000),
        ("identity.password_port", identity.password_port, 1, 65535),
        ("identity.certificate_port", identity.certificate_port, 1, 65535),
        ("identity.certificate_days", identity.certificate_days, 1, 7300),
        ("identity.warn_days", identity.warn_days, 0, 3650),
        ("accounts.idle_minutes", config.accounts.idle_minutes, 1, 10_080),
        ("accounts.longest_hours", config.accounts.longest_hours, 1, 720),
        ("accounts.tries_per_login", config.accounts.tries_per_login, 1, 1000),
        ("accounts.tries_per_address", config.accounts.tries_per_address, 1, 100_000),
        ("accounts.tries_minutes", config.accounts.tries_minutes, 1, 1440),
        ("accounts.least_password", config.accounts.least_password, 8, 128),
        ("accounts.token_days", config.accounts.token_days, 1, 3650),
        ("accounts.argon2_time_cost", config.accounts.argon2_time_cost, 1, 100),
        ("accounts.argon2_memory_kib", config.accounts.argon2_memory_kib, 8, 4_194_304),
        ("accounts.argon2_parallelism", config.accounts.argon2_parallelism, 1, 64),
        ("ingest.hole_s", ingest.hole_s, 2 * ingest.batch_wait_ms / 1000, 3600),
        ("storage.keep_readings_days", storage.keep_readings_days, 0, MAX_DAYS),
        ("storage.keep_scores_days", storage.keep_scores_days, 0, MAX_DAYS),
        ("storage.keep_heartbeats_days", storage.keep_heartbeats_days, 0, MAX_DAYS),
        ("storage.keep_notices_days", storage.keep_notices_days, 0, MAX_DAYS),
        ("storage.keep_minutes_days", storage.keep_minutes_days, 0, MAX_DAYS),
        ("storage.keep_hours_days", storage.keep_hours_days, 0, MAX_DAYS),
        ("storage.compress_after_days", storage.compress_after_days, 0, MAX_DAYS),
        ("flow.window_records", config.flow.window_records, 1, 1_000_000),
        ("flow.window_bytes", config.flow.window_bytes, 65_536, 2**31 - 1),
        ("flow.least_records", config.flow.least_records, 1, config.flow.window_records),
        *(
            (f"limits.{f.name}", getattr(config.limits, f.name), 0, 1_000_000_000)
            for f in dataclasses.fields(LimitsConfig)
        ),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{name} must lie in {low:g} to {high:g}, got {value:g}")
    _check_kept_longer(storage)
    return config


def _check_kept_longer(storage: StorageConfig) -> None:
    """A roll-up outlives what it sums up; one that did not would be of no use."""
    order = ("keep_readings_days", "keep_minutes_days", "keep_hours_days")
    for shorter, longer in itertools.pairwise(order):
        short, long = getattr(storage, shorter), getattr(storage, longer)
        if long != 0 and (short == 0 or short > long):
            raise ConfigError(
                f"storage.{longer} is {long} and storage.{shorter} is {short}: roll-ups are kept "
                "at least as long as what they sum up (0: for ever)"
            )
