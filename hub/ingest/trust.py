"""TLS from the hub to the broker: always verified, by certificate chain and host name."""

from __future__ import annotations

import ssl

from contract import refusals
from hub.config import BrokerConfig


def context(config: BrokerConfig) -> ssl.SSLContext:
    """What to connect with. Raises ValueError with one line where ca_file is not to be used."""
    try:
        made = ssl.create_default_context(cafile=config.ca_file)
    except OSError as e:  # ssl errors are OSErrors
        why = "is not PEM" if isinstance(e, ssl.SSLError) else e.strerror
        raise ValueError(
            f"[broker] ca_file {config.ca_file}: {why}; name the broker's ca.crt"
        ) from None
    made.sslsocket_class = _ClosedOnFailure
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def told(error: OSError | ValueError, config: BrokerConfig) -> str:
    """Why a connection did not come about, with the way out where we know it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return refusals.broker_distrusted(
            error.verify_code, error.verify_message, config.host, str(config.ca_file or "")
        )
    if isinstance(error, ssl.SSLError):
        return f"it {refusals.handshake_failed(str(error))}"
    return str(error) or type(error).__name__


class _ClosedOnFailure(ssl.SSLSocket):
    """A handshake that fails leaves no open socket behind; paho would."""

    def do_handshake(self, block: bool = False) -> None:
        """As `ssl.SSLSocket` does."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
