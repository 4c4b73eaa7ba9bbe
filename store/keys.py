"""The key directory (HEALTHBOOK_KEYS): one file per purpose and key id, loaded by purpose.

File names are `<purpose>.<key id>.key`; key ids are four digits and the highest is the current one,
so a rotation adds a file. Secrets are 32 random bytes in hexadecimal, signers PKCS#8 PEM;
`<purpose>.<key id>.pub` keeps the public half of a signer whose private half is gone.
A file `demo` marks keys that `healthbook demo` made (security.md S4).
"""

import os
import secrets
from pathlib import Path
from typing import Literal, Self, TypeAlias, get_args

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

# identification: the person's id in the rotating code. cursor: ETags of filtered views. statistics: names
# and rounding of what is counted. alias: what a person's log calls a protected practitioner, and what a
# client calls a person.
# audit-pseudonym: whom a leaf of the public log of heads belongs to. paper: codes on printed papers;
# paper-reference: which paper of whose book such a code is, for us alone. partner: what is handed to
# partners. axis: messages to the ministry's axis (QĐ 1551 asks for RSA); only where there is an exchange.
Purpose = Literal[
    "field",
    "lookup",
    "pepper",
    "consent-artefact",
    "audit-root",
    "qr",
    "identification",
    "cursor",
    "statistics",
    "alias",
    "audit-pseudonym",
    "paper",
    "paper-reference",
    "partner",
    "axis",
]
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
# A second key would undo what the first one protects, so none is ever added.
FOR_EVER: frozenset[Purpose] = frozenset({"statistics", "alias", "audit-pseudonym"})
SIGNING: frozenset[Purpose] = frozenset({"consent-artefact", "audit-root", "qr", "paper", "partner"})
# What others check with the tools of OpenID Connect; the other signers are Ed25519.
_P256: frozenset[Purpose] = frozenset({"consent-artefact", "partner"})
# Nobody needs one before an operator makes it.
OPTIONAL: frozenset[Purpose] = frozenset({"axis"})
SECRET_BYTES = 32
RSA_BITS = 3072
RSA_BITS_MIN = 2048
_FIRST_ID = "0001"
_DEMO_MARK = "demo"


class KeyRingError(Exception):
    """The key directory is incomplete, malformed or open to other users."""


class KeyRing:
    """All keys of the process, by purpose. Never printed: its repr shows purposes only."""

    def __init__(self, *, demo: bool = False) -> None:
        self.demo = demo
        self._secrets: dict[Purpose, dict[str, bytes]] = {}
        self._signers: dict[Purpose, dict[str, PrivateKey]] = {}
        self._public: dict[Purpose, dict[str, PublicKey]] = {}
        self._axis: dict[str, rsa.RSAPrivateKey] = {}

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(sorted({*self._secrets, *self._signers}))})"

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read every key file. Raises KeyRingError when a purpose is missing or a file is open to others."""
        ring = cls(demo=(directory / _DEMO_MARK).exists())
        for path in sorted(directory.glob("*.*.*")):
            ring._read(path)
        held = {*ring._secrets, *ring._signers, *OPTIONAL}
        missing = [p for p in PURPOSES if p not in held]
        if missing:
            raise KeyRingError(
                f"no key for {', '.join(missing)} in {directory}; "
                f"`healthbook admin first-key PURPOSE` makes the first one of a purpose"
            )
        return ring

    @classmethod
    def create(cls, directory: Path, demo: bool) -> Self:
        """Make one key per purpose (files 0600) and load them."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for purpose in PURPOSES:
            if purpose not in OPTIONAL:
                add_key(directory, purpose)
        if demo:
            _write(directory / _DEMO_MARK, b"These keys belong to a demo. Never use them elsewhere.\n")
        return cls.load(directory)

    def secret(self, purpose: Purpose, key_id: str | None = None) -> tuple[str, bytes]:
        """The current secret of a purpose with its id, or the one that a row names."""
        held = self._secrets[purpose]
        wanted = max(held) if key_id is None else key_id
        if wanted not in held:
            raise KeyRingError(f"no {purpose} key {wanted}")
        return wanted, held[wanted]

    def secrets(self, purpose: Purpose) -> list[tuple[str, bytes]]:
        """All secrets of a purpose, the current one first."""
        return sorted(self._secrets[purpose].items(), reverse=True)

    def signer(self, purpose: Purpose) -> tuple[str, PrivateKey]:
        """The current signing key of a purpose with its id."""
        held = self._signers[purpose]
        return max(held), held[max(held)]

    def signers(self, purpose: Purpose) -> dict[str, PrivateKey]:
        """Every private key of a purpose that is still held, by key id."""
        return dict(self._signers[purpose])

    def axis_signer(self) -> rsa.RSAPrivateKey | None:
        """The current key of messages to the ministry's axis, where there is one."""
        return self._axis[max(self._axis)] if self._axis else None

    def public_keys(self, purpose: Purpose) -> dict[str, PublicKey]:
        """Every public key of a purpose by key id, retired ones included."""
        return dict(self._public[purpose])

    def _read(self, path: Path) -> None:
        name, key_id, kind = path.name.rsplit(".", 2)
        if name not in PURPOSES or kind not in {"key", "pub"}:
            return
        purpose: Purpose = name
        if kind == "key" and path.stat().st_mode & 0o007:
            raise KeyRingError(f"{path} is open to every user of this machine")
        raw = path.read_bytes()
        try:
            self._keep(purpose, key_id, kind, raw)
        except (ValueError, TypeError) as error:
            raise KeyRingError(f"{path} does not hold a key for {purpose}") from error

    def _keep(self, purpose: Purpose, key_id: str, kind: str, raw: bytes) -> None:
        if purpose == "axis":
            if kind == "key":
                self._axis[key_id] = _expect_rsa(load_pem_private_key(raw, password=None))
            return
        if purpose not in SIGNING:
            secret = bytes.fromhex(raw.decode())
            if len(secret) != SECRET_BYTES:
                raise ValueError("wrong length")
            self._secrets.setdefault(purpose, {})[key_id] = secret
            return
        public = self._public.setdefault(purpose, {})
        if kind == "pub":
            public[key_id] = _expect_public(load_pem_public_key(raw))
            return
        private = _expect_private(load_pem_private_key(raw, password=None))
        self._signers.setdefault(purpose, {})[key_id] = private
        public[key_id] = private.public_key()


def add_key(directory: Path, purpose: Purpose) -> str:
    """Make the next key of a purpose; it is current from the next load on. Returns its id.

    Raises KeyRingError where there may never be a second one.
    """
    ids = [p.name.rsplit(".", 2)[1] for p in directory.glob(f"{purpose}.*.key")]
    if ids and purpose in FOR_EVER:
        raise KeyRingError(f"the key for {purpose} is never changed")
    key_id = f"{int(max(ids)) + 1:04d}" if ids else _FIRST_ID
    _write(directory / f"{purpose}.{key_id}.key", _make(purpose))
    return key_id


def _make(purpose: Purpose) -> bytes:
    if purpose == "axis":
        made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if purpose not in SIGNING:
        return secrets.token_hex(SECRET_BYTES).encode() + b"\n"
    key: PrivateKey
    if purpose in _P256:
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _expect_private(key: object) -> PrivateKey:
    if isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise TypeError("neither P-256 nor Ed25519")


def _expect_rsa(key: object) -> rsa.RSAPrivateKey:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= RSA_BITS_MIN:
        return key
    raise TypeError("no RSA key of 2048 bits or more")


def _expect_public(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key
    raise TypeError("neither P-256 nor Ed25519")
