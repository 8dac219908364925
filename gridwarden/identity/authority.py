"""The local certificate authority: signs the broker's certificate and those of agents.

    authority.pem   its private key and its certificate, 0600

Whoever has that file can be any agent. The broker never needs it: it stays on the machine where
agents are enrolled, and in its backup.

Elliptic curve P-256 throughout: every TLS library of the last ten years has it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gridwarden.identity import files
from gridwarden.identity.errors import IdentityError

FILE = "authority.pem"
AUTHORITY_YEARS = 20
BROKER_DAYS = 825  # what strict clients accept for a server at the most
EARLIER = timedelta(days=1)  # an edge whose clock is behind takes a new certificate all the same
_NAME = "Gridwarden local authority"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key, both PEM."""

    certificate: bytes
    key: bytes
    serial: str  # hexadecimal
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Issued(serial={self.serial}, expires_at={self.expires_at})"


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that is no longer to be believed."""

    serial: str  # hexadecimal
    revoked_at: datetime


class Authority:
    """The authority in a folder of its own."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Open it, or make it where there is none. Raises IdentityError."""
        pem = files.read(folder / FILE)
        if pem is None:  # an empty file is a damaged one
            pem = _make(folder, now)
        try:
            loaded = serialization.load_pem_private_key(pem, password=None)
            self._certificate = x509.load_pem_x509_certificate(pem)
        except (ValueError, TypeError) as e:
            raise IdentityError(
                f"the authority in {folder / FILE} is damaged, put its backup back: {e}"
            ) from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey) or (
            loaded.public_key() != self._certificate.public_key()
        ):
            raise IdentityError(f"{folder / FILE}: the key does not belong to the certificate")
        self._key = loaded
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def expires_at(self) -> datetime:
        """When nothing it signed is believed any more."""
        return self._certificate.not_valid_after_utc

    def issue_agent(self, agent: str, now: datetime, days: int) -> Issued:
        """A client certificate; Mosquitto takes its common name for the user name."""
        return self._issue(agent, now, days, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def issue_broker(self, names: Sequence[str], now: datetime) -> Issued:
        """The broker's certificate for the host names and addresses it is called by."""
        if not names:
            raise IdentityError("the broker's certificate needs the name it is called by")
        return self._issue(
            "gridwarden broker", now, BROKER_DAYS, ExtendedKeyUsageOID.SERVER_AUTH, names
        )

    def revocations(self, revoked: Iterable[Revoked], now: datetime) -> bytes:
        """The list of revoked certificates, PEM.

        It is as good as the authority: the broker refuses everybody once its list is out of
        date, and a file beside it is written anew whenever there is something new.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(now - EARLIER)
            .next_update(self.expires_at)
        )
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(one.serial, 16))
                .revocation_date(one.revoked_at)
                .build()
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _issue(
        self,
        name: str,
        now: datetime,
        days: int,
        usage: x509.ObjectIdentifier,
        names: Sequence[str],
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        expires_at = min(now + timedelta(days=days), self.expires_at).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - EARLIER)
            .not_valid_after(expires_at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_alternative(n) for n in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Issued(
            certificate.public_bytes(serialization.Encoding.PEM),
            _pem(key),
            f"{serial:x}",
            expires_at,
        )


def expiry_of(certificate: bytes) -> datetime:
    """When a PEM certificate expires. Raises ValueError where it is none."""
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def _make(folder: Path, now: datetime) -> bytes:
    files.make_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(_NAME))
        .issuer_name(_named(_NAME))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + timedelta(days=AUTHORITY_YEARS * 365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    pem = _pem(key) + certificate
    files.write(folder / FILE, pem)
    return pem


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
