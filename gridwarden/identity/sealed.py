"""The authority under a passphrase: what leaves its machine, in a backup.

PKCS#12, AES-256 under PBKDF2 with SHA-256; `openssl pkcs12 -in FILE` opens it as well.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from gridwarden.identity import files
from gridwarden.identity.authority import FILE
from gridwarden.identity.errors import IdentityError

ROUNDS = 600_000  # OWASP, Password Storage Cheat Sheet (2023): PBKDF2 with SHA-256
SHORTEST = 12  # characters of a passphrase


def seal(folder: Path, passphrase: str) -> bytes:
    """The authority in that folder, to be opened with the passphrase. Raises IdentityError."""
    if len(passphrase) < SHORTEST:
        raise IdentityError(f"a passphrase for the authority needs {SHORTEST} characters or more")
    pem = files.read(folder / FILE) or b""
    try:
        key = load_pem_private_key(pem, password=None)
        certificate = load_pem_x509_certificate(pem)
    except (ValueError, TypeError) as e:
        raise IdentityError(f"the authority in {folder / FILE} is damaged: {e}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(f"{folder / FILE} holds another key than the authority's")
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(passphrase.encode())
    )
    return pkcs12.serialize_key_and_certificates(None, key, certificate, None, encryption)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """What `authority.pem` held. Raises IdentityError where the passphrase is another."""
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(sealed, passphrase.encode())
    except ValueError:
        raise IdentityError("the authority does not open: this is not its passphrase") from None
    if key is None or certificate is None:
        raise IdentityError("the authority is not whole: its key or certificate is missing")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + certificate.public_bytes(Encoding.PEM)
