"""Settings of how the hub speaks to others: webhooks, Open311, CAP, Alertmanager, mail, notices."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

from contract.taxonomy import Category
from hub.domain.quiet import QuietHours

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class WebhooksConfig:
    """Messages to other systems."""

    allowed_networks: tuple[str, ...] = ()  # private ones that receivers may be in
    allow_plain_http: bool = False
    ca_file: Path | None = None  # None: the system's authorities; verified always
    timeout_s: float = 10.0  # of one message as a whole
    first_wait_s: float = 5.0  # before the second attempt; doubles
    longest_wait_s: float = 3600.0
    give_up_days: float = 14.0  # a message is dead after that; it can be sent again by hand
    keep_days: float = 30.0  # what was delivered, and what can be sent again
    rotation_hours: float = 24.0  # a secret before the present one signs too

    def networks(self) -> tuple[Network, ...]:
        """The networks as such; raises ValueError."""
        return tuple(ipaddress.ip_network(n) for n in self.allowed_networks)


@dataclass(frozen=True, slots=True)
class Open311Config:
    """The public face: Open311 GeoReport v2."""

    enabled: bool = True
    jurisdiction: str = ""  # `jurisdiction_id`; "": none is asked for
    api_keys: tuple[str, ...] = field(default=(), repr=False)  # any: needed to report
    categories: tuple[str, ...] = (  # that are taken and shown
        "urban_management",
        "fire_safety",
        "traffic_safety",
        "environmental_safety",
        "land_supervision",
        "peoples_livelihood",
    )
    tokens: bool = False  # answer a report with a token instead of its number
    publish_photos: bool = False  # show photos that came with reports
    reports_per_hour: int = 20  # of one address that has no key; 0: any number
    contact: str = ""  # of who runs it, in discovery
    language: str = "zh"  # of texts that know only one: zh or en


@dataclass(frozen=True, slots=True)
class CapConfig:
    """Public alerts, CAP 1.2."""

    sender: str = ""  # such as "alerts@district.example"; "": no alerts are issued
    sender_name: str = ""
    contact: str = ""
    radius_m: float = 300.0  # of the circle around the place
    expires_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """Alerts of a Prometheus Alertmanager."""

    token: str = field(default="", repr=False)  # bearer; "": none are taken
    category: str = "urban_management"  # of an alert that names no sub-category
    lon: float = 0.0  # of an alert that names no place; 0, 0: the district's
    lat: float = 0.0


@dataclass(frozen=True, slots=True)
class MailConfig:
    """Outgoing mail."""

    host: str = ""  # "": no mail
    port: int = 587
    security: str = "starttls"  # starttls | tls | none
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    sender: str = "gridwarden@localhost"
    timeout_s: float = 20.0
    give_up_hours: float = 48.0


@dataclass(frozen=True, slots=True)
class NoticesConfig:
    """How people are told who have not said otherwise."""

    quiet_from: str = "22:00"  # no mail but of S1 and S2; by the district's clock
    quiet_to: str = "07:00"  # equal: no quiet hours
    storm_notices: int = 12  # more mail to one person than this
    storm_minutes: int = 10  # within this is folded into one digest

    def quiet_hours(self) -> QuietHours:
        """The same as the domain knows them."""
        return QuietHours(_time(self.quiet_from), _time(self.quiet_to))


@dataclass(frozen=True, slots=True)
class RatingsConfig:
    """How reporters rate what became of their report."""

    days: int = 30  # after closing; a rating is taken so long
    tries_per_hour: int = 30  # ratings and unknown links from one address; 0: any number


@dataclass(frozen=True, slots=True)
class OutwardConfig:
    """All of it, to be checked together."""

    webhooks: WebhooksConfig
    open311: Open311Config
    cap: CapConfig
    alertmanager: AlertmanagerConfig
    mail: MailConfig
    notices: NoticesConfig
    ratings: RatingsConfig
    public_url: str


def faults(config: OutwardConfig) -> Iterator[str]:
    """What makes no sense, each as one line that names the key, the value and the way out."""
    try:
        config.webhooks.networks()
    except ValueError as e:
        yield f"webhooks.allowed_networks: {e}; write networks such as '10.20.0.0/16'"
    for category in config.open311.categories:
        if category not in list(Category):
            yield (
                f"open311.categories: {category!r} is no category; there are {', '.join(Category)}"
            )
    if config.open311.language not in ("zh", "en"):
        yield f"open311.language must be zh or en, got {config.open311.language!r}"
    if any(len(key) < 16 for key in config.open311.api_keys):
        yield "open311.api_keys: a key has fewer than 16 characters, anyone could guess it"
    if config.cap.sender and not re.fullmatch(r"[^\s<&,]+", config.cap.sender):
        yield f"cap.sender {config.cap.sender!r} must have no spaces, commas, < and &"
    if config.alertmanager.category not in list(Category):
        yield f"alertmanager.category: {config.alertmanager.category!r} is no category"
    if config.alertmanager.token and len(config.alertmanager.token) < 16:
        yield "alertmanager.token has fewer than 16 characters, anyone could guess it"
    if config.mail.security not in ("starttls", "tls", "none"):
        yield f"mail.security must be starttls, tls or none, got {config.mail.security!r}"
    if config.mail.username and config.mail.security == "none":
        yield "mail.security = none would send mail.password in the clear: use starttls or tls"
    if config.mail.host and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", config.mail.sender):
        yield f"mail.sender {config.mail.sender!r} is no address such as hub@district.example"
    for name in ("quiet_from", "quiet_to"):
        value = getattr(config.notices, name)
        try:
            _time(value)
        except ValueError:
            yield f"notices.{name} must be a time of day such as '22:00', got {value!r}"
    if config.public_url and not re.fullmatch(r"https?://[^\s/?#]+", config.public_url):
        yield (
            f"http.public_url must be like https://hub.example, without a path, "
            f"got {config.public_url!r}"
        )


def limits(config: OutwardConfig) -> Iterator[tuple[str, float, float, float]]:
    """(name, value, lowest, highest) of each number."""
    webhooks, mail, notices = config.webhooks, config.mail, config.notices
    yield "webhooks.timeout_s", webhooks.timeout_s, 0.1, 120
    yield "webhooks.first_wait_s", webhooks.first_wait_s, 0.01, 3600
    yield "webhooks.longest_wait_s", webhooks.longest_wait_s, webhooks.first_wait_s, 86_400
    yield "webhooks.give_up_days", webhooks.give_up_days, 0, 365
    yield "webhooks.keep_days", webhooks.keep_days, webhooks.give_up_days, 3650
    yield "webhooks.rotation_hours", webhooks.rotation_hours, 0, 24 * 365
    yield "open311.reports_per_hour", config.open311.reports_per_hour, 0, 1_000_000
    yield "cap.radius_m", config.cap.radius_m, 1, 100_000
    yield "cap.expires_hours", config.cap.expires_hours, 1, 24 * 30
    yield "alertmanager.lon", config.alertmanager.lon, -180, 180
    yield "alertmanager.lat", config.alertmanager.lat, -90, 90
    yield "mail.port", mail.port, 1, 65_535
    yield "mail.timeout_s", mail.timeout_s, 0.1, 300
    yield "mail.give_up_hours", mail.give_up_hours, 0, 24 * 365
    yield "notices.storm_notices", notices.storm_notices, 1, 100_000
    yield "notices.storm_minutes", notices.storm_minutes, 1, 1440
    yield "ratings.days", config.ratings.days, 1, 365
    yield "ratings.tries_per_hour", config.ratings.tries_per_hour, 0, 1_000_000


def _time(text: str) -> time:
    if not re.fullmatch(r"[0-2][0-9]:[0-5][0-9]", text):
        raise ValueError(text)
    return time.fromisoformat(text)
