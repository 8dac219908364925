"""TLS to the broker: always verified, by certificate chain and host name.

The files are read anew for every session, so that what was mended is used without a restart.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from edge.errors import ConfigError
from edge.settings import BrokerSettings

WARN = timedelta(days=30)


def context(settings: BrokerSettings) -> ssl.SSLContext:
    """What to connect with. Raises ConfigError with one line that names file and way out."""
    try:
        made = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as e:  # ssl errors are OSErrors
        raise ConfigError(_unreadable("ca_file", settings.ca_file, e)) from None
    made.sslsocket_class = _ClosedOnFailure
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file:
        try:
            made.load_cert_chain(settings.cert_file, settings.key_file or None)
        except ssl.SSLError as e:
            if "KEY_VALUES_MISMATCH" in str(e):
                raise ConfigError(
                    f"key_file {settings.key_file} does not belong to cert_file "
                    f"{settings.cert_file}: copy both anew"
                ) from None
            raise ConfigError(_unreadable("cert_file", settings.cert_file, e)) from None
        except OSError as e:
            gone = settings.cert_file
            if Path(gone).is_file() and settings.key_file:
                gone = settings.key_file
            raise ConfigError(_unreadable("cert_file or key_file", gone, e)) from None
    return made


def expiry(settings: BrokerSettings) -> datetime | None:
    """When our own certificate ends; None where there is none to be read."""
    if not settings.cert_file:
        return None
    try:
        pem = Path(settings.cert_file).read_bytes()
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (OSError, ValueError):
        return None


def expired(settings: BrokerSettings) -> str | None:
    """Why our own certificate cannot be shown any more, None where it can."""
    ends_at = expiry(settings)
    if ends_at is None or ends_at > datetime.now(UTC):
        return None
    return (
        f"our certificate {settings.cert_file} expired on {ends_at:%Y-%m-%d}: on the hub's machine "
        "run `gridwarden agents rotate` for this agent"
    )


def expires_soon(settings: BrokerSettings) -> str | None:
    """A warning where our own certificate ends within WARN."""
    ends_at = expiry(settings)
    now = datetime.now(UTC)
    if ends_at is None or not now < ends_at < now + WARN:
        return None
    return (
        f"our certificate {settings.cert_file} expires on {ends_at:%Y-%m-%d}: on the hub's machine "
        "run `gridwarden agents rotate` for this agent before that"
    )


def _unreadable(key: str, path: str, error: OSError) -> str:
    why = "is not PEM" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
    return f"[broker] {key} {path}: {why}; name the file that was given with the enrolment"


class _ClosedOnFailure(ssl.SSLSocket):
    """A handshake that fails leaves no open socket behind; paho would."""

    def do_handshake(self, block: bool = False) -> None:
        """As `ssl.SSLSocket` does."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
