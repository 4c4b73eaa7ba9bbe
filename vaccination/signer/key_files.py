"""The signer's own key directory: `<purpose>.<number>.key`, PKCS#8 PEM, 0600. No other process reads it.

What an HSM would hold; the rest of the signer knows only `sign`. A file `demo` marks keys that
`healthbook demo` made.
"""

import base64
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, assert_never

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from vaccination.hc1.cose import KID_BYTES
from vaccination.signer.authority import PrivateKey, PublicKey, document_key
from vaccination.signer.models import Algorithm
from vaccination.signer.ports import SignerPurpose

RSA_BITS: Final = 2048
_SALT_BYTES: Final = 32
_DEMO_MARK: Final = "demo"
_ECDSA: Final = ec.ECDSA(SHA256())
_PSS: Final = padding.PSS(padding.MGF1(SHA256()), _SALT_BYTES)


class KeyFileError(Exception):
    """The signer's directory holds what is no key of its own, or is open to others."""


class SignerKeys:
    """The private keys, by key id. Never printed: its repr shows ids only."""

    def __init__(self, keys: dict[str, PrivateKey], *, demo: bool, directory: Path | None = None) -> None:
        self._keys = keys
        self._directory = directory
        self.demo = demo

    def __repr__(self) -> str:
        return f"SignerKeys({', '.join(sorted(self._keys))})"

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Every key of a directory. Raises KeyFileError."""
        return cls(_read_all(directory), demo=(directory / _DEMO_MARK).exists(), directory=directory)

    def holds(self, key_id: str, certificate: bytes) -> bool:
        """Whether the key of this id is the one that was certified."""
        key = self._keys.get(key_id) or self._made_since(key_id)
        return key is not None and _spki(key.public_key()) == _spki(
            document_key(x509.load_der_x509_certificate(certificate).public_key())
        )

    def _made_since(self, key_id: str) -> PrivateKey | None:
        """A key that was made and enrolled while the signer runs; what cannot be read is none."""
        if self._directory is not None:
            with suppress(KeyFileError, OSError):
                self._keys = _read_all(self._directory)
        return self._keys.get(key_id)

    def sign(self, key_id: str, to_sign: bytes) -> bytes:
        """ES256 by a P-256 key, PS256 by an RSA key, raw (RFC 9053 §2.1, RFC 8230 §2)."""
        key = self._keys[key_id]
        if isinstance(key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(key.sign(to_sign, _ECDSA))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return key.sign(to_sign, _PSS, SHA256())

    def key(self, key_id: str) -> PrivateKey:
        """For a request to the authority. Raises KeyFileError."""
        if key_id not in self._keys:
            raise KeyFileError(f"no key {key_id}")
        return self._keys[key_id]


def _read_all(directory: Path) -> dict[str, PrivateKey]:
    return {path.stem: _read(path) for path in sorted(directory.glob("*.*.key"))}


def make_key(directory: Path, purpose: SignerPurpose, alg: Algorithm, *, demo: bool = False) -> str:
    """Make the next key of a purpose. Returns its id, `<purpose>.<number>`."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken = [int(path.stem.rpartition(".")[2]) for path in directory.glob(f"{purpose}.*.key")]
    key_id = f"{purpose}.{max(taken, default=0) + 1:04d}"
    pem = _make(alg).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(directory / f"{key_id}.key", pem)
    if demo and not (directory / _DEMO_MARK).exists():
        _write(directory / _DEMO_MARK, b"These keys belong to a demo. Never use them elsewhere.\n")
    return key_id


def purpose_of(key_id: str) -> SignerPurpose:
    """Raises KeyFileError for what is no key id."""
    match key_id.split("."):
        case ["hc1", number] if number.isascii() and number.isdecimal():
            return "hc1"
        case ["shc", number] if number.isascii() and number.isdecimal():
            return "shc"
    raise KeyFileError(f"{key_id} is no key id")


def algorithm_of(key: PublicKey) -> Algorithm:
    return "ES256" if isinstance(key, ec.EllipticCurvePublicKey) else "PS256"


def kid_of(purpose: SignerPurpose, certificate: x509.Certificate) -> bytes:
    """As verifiers look for it: 8 bytes of the certificate's SHA-256 (hcert-spec §3.3), or the thumbprint.

    Raises KeyFileError for a health cards' key that is not P-256.
    """
    if purpose == "hc1":
        return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()[:KID_BYTES]
    public = certificate.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise KeyFileError("health cards are signed with P-256 alone")
    return thumbprint(public).encode()


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """RFC 7638, of a P-256 key."""
    point = key.public_numbers()
    parts = {"crv": "P-256", "kty": "EC", "x": _coordinate(point.x), "y": _coordinate(point.y)}
    return _base64url(hashlib.sha256(msgspec.json.encode(parts)).digest())


def _coordinate(value: int) -> str:
    return _base64url(value.to_bytes(32, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _make(alg: Algorithm) -> PrivateKey:
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if alg == "PS256":
        return rsa.generate_private_key(65537, RSA_BITS)
    assert_never(alg)


def _read(path: Path) -> PrivateKey:
    purpose_of(path.stem)
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path} is open to others than its owner")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path} does not hold a key") from error
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key
    raise KeyFileError(f"{path} is neither P-256 nor RSA")


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
