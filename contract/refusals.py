"""Why a connection to the broker is refused, in words with the way out; for edge and hub alike."""

from __future__ import annotations

# OpenSSL, include/openssl/x509_vfy.h
_NOT_YET_VALID, _EXPIRED, _REVOKED = 9, 10, 23
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
_WRONG_NAME = (62, 64)


def broker_distrusted(code: int, told: str, host: str, ca_file: str) -> str:
    """Why we do not believe the broker's certificate.

    code, told: OpenSSL's verify code and its words. ca_file: "" for the system's authorities.
    """
    if code == _EXPIRED:
        return (
            "its certificate has expired (or this machine's clock is wrong): on the hub's machine "
            "run `gridwarden agents broker`"
        )
    if code == _NOT_YET_VALID:
        return "its certificate is not valid yet: set this machine's clock"
    if code == _REVOKED:
        return "its certificate was revoked"
    if code in _UNKNOWN_AUTHORITY:
        trusted = (
            f"ca_file {ca_file}" if ca_file else "the system's authorities (no ca_file is set)"
        )
        return (
            f"its certificate is not signed by {trusted}: copy ca.crt of the broker's authority "
            "and name it as ca_file"
        )
    if code in _WRONG_NAME:
        return (
            f"its certificate is not for {host!r}: call it by a name that stands there, or run "
            f"`gridwarden agents broker --host {host}` on the hub's machine"
        )
    return f"its certificate is not to be trusted: {told}"


def handshake_failed(told: str) -> str:
    """Why TLS did not come about though both spoke; told: OpenSSL's words."""
    if "WRONG_VERSION_NUMBER" in told or "RECORD_LAYER_FAILURE" in told:
        return "does not speak TLS there: name its TLS port (8883 is usual)"
    return hung_up(told, tls=True, has_certificate=True)


def hung_up(told: str, *, tls: bool, has_certificate: bool) -> str:
    """Why the broker ended the connection before it answered; told: what TLS said, if anything."""
    for alert, words in (
        ("CERTIFICATE_EXPIRED", "has expired"),
        ("CERTIFICATE_REVOKED", "was revoked"),
        ("UNKNOWN_CA", "is of an authority that it does not know"),
    ):
        if alert in told:
            return f"refuses our certificate, which {words}: {_ROTATE}"
    if "CERTIFICATE_REQUIRED" in told:
        return "wants a certificate of us: set cert_file and key_file, or name its password port"
    if tls and has_certificate:
        return (
            f"closed the connection without a word, as it does where it does not take our "
            f"certificate (expired, revoked, of another authority): {_ROTATE}"
        )
    if tls:
        return (
            "closed the connection before it answered: where this is its port for certificates, "
            "set cert_file and key_file, or name its port for passwords"
        )
    return "closed the connection before it answered: where it speaks TLS, set tls = true"


def cut_at_once(code: str) -> str:
    """Why a session ended as soon as we had spoken in it; code: what the client library says.

    Mosquitto 2.0 with `max_queued_messages 0` cuts who writes where it may not; otherwise it
    takes such a message and drops it.
    """
    return (
        f"let us in and hung up at once ({code}), as it does where this agent may not send for the "
        f"station in its settings: {_LIST}"
    )


def not_authorised(code: str) -> str:
    """Why the broker does not let us in though it spoke to us; code: of its CONNACK."""
    return f"refuses us ({code}): wrong name or password, or revoked: {_ROTATE}"


_LIST = "see `gridwarden agents list` on the hub's machine"
_ROTATE = f"{_LIST}, `rotate` gives new credentials"
