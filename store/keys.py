"""The key directory (HEALTHBOOK_KEYS): one file per purpose and key id, loaded by purpose.

File names are `<purpose>.<key id>.key`; key ids are four digits and the highest is the current one,
so a rotation adds a file. Secrets are 32 random bytes in hexadecimal, signers PKCS#8 PEM;
`<purpose>.<key id>.pub` keeps the public half of a signer whose private half is gone.
`<purpose>.<key id>.from` holds the instant from which a key is the current one: until then it opens and
verifies and makes nothing, so that every process knows a key before the first of them uses it.
A file `demo` marks keys that `healthbook demo` made (security.md S4).

A running process looks into the directory every LOOK_SECONDS and whenever it meets a key id that it does not
know: nothing has to be started again for a rotation.
"""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final, Literal, Self, TypeAlias, TypeVar, get_args

import structlog
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from kernel.clock import Clock, SystemClock

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
LOOK_SECONDS: Final = 5.0
FIRST_ID = "0001"
_DEMO_MARK = "demo"
T = TypeVar("T")

_log = structlog.get_logger(__name__)


class KeyRingError(Exception):
    """The key directory is incomplete, malformed or open to other users."""


class HeldKeys:
    """What the files held at one moment, by purpose and key id; replaced as a whole, never changed."""

    def __init__(self) -> None:
        self.secrets: dict[Purpose, dict[str, bytes]] = {}
        self.signers: dict[Purpose, dict[str, PrivateKey]] = {}
        self.public: dict[Purpose, dict[str, PublicKey]] = {}
        self.axis: dict[str, rsa.RSAPrivateKey] = {}
        self.starts: dict[tuple[Purpose, str], datetime] = {}

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read every key file. Raises KeyRingError when a purpose is missing or a file is open to others."""
        held = cls()
        for path in sorted(directory.glob("*.*.*")):
            held._read(path)
        there = {*held.secrets, *held.signers, *OPTIONAL}
        missing = [p for p in PURPOSES if p not in there]
        if missing:
            raise KeyRingError(
                f"no key for {', '.join(missing)} in {directory}; "
                f"`healthbook admin first-key PURPOSE` makes the first one of a purpose"
            )
        return held

    def _read(self, path: Path) -> None:
        name, key_id, kind = path.name.rsplit(".", 2)
        if name not in PURPOSES or kind not in {"key", "pub", "from"}:
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
        if kind == "from":
            self.starts[purpose, key_id] = datetime.fromisoformat(raw.decode().strip()).astimezone(UTC)
            return
        if purpose == "axis":
            if kind == "key":
                self.axis[key_id] = _expect_rsa(load_pem_private_key(raw, password=None))
            return
        if purpose not in SIGNING:
            secret = bytes.fromhex(raw.decode())
            if len(secret) != SECRET_BYTES:
                raise ValueError("wrong length")
            self.secrets.setdefault(purpose, {})[key_id] = secret
            return
        public = self.public.setdefault(purpose, {})
        if kind == "pub":
            public[key_id] = _expect_public(load_pem_public_key(raw))
            return
        private = _expect_private(load_pem_private_key(raw, password=None))
        self.signers.setdefault(purpose, {})[key_id] = private
        public[key_id] = private.public_key()


class KeyRing:
    """All keys of the process, by purpose. Never printed: its repr shows purposes only.

    One that was loaded from a directory follows it; one that was not has what a test puts in.
    """

    def __init__(
        self, directory: Path | None = None, *, demo: bool = False, clock: Clock | None = None
    ) -> None:
        self.demo = demo
        self._directory = directory
        self._clock = clock or SystemClock()
        self._names: frozenset[str] = frozenset()
        self._look_again = 0.0
        self._held = HeldKeys()

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(sorted({*self._held.secrets, *self._held.signers}))})"

    @classmethod
    def load(cls, directory: Path, clock: Clock | None = None) -> Self:
        """Read every key file. Raises KeyRingError when a purpose is missing or a file is open to others."""
        ring = cls(directory, demo=(directory / _DEMO_MARK).exists(), clock=clock)
        ring._take(_names(directory) if directory.is_dir() else frozenset())
        return ring

    @classmethod
    def create(cls, directory: Path, demo: bool) -> Self:
        """Make one key per purpose (files 0600) and load them."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for purpose in PURPOSES:
            if purpose not in OPTIONAL:
                add_key(directory, purpose)
        if demo:
            write_new(directory / _DEMO_MARK, b"These keys belong to a demo. Never use them elsewhere.\n")
        return cls.load(directory)

    def look(self) -> None:
        """Take over what is new or gone in the directory. What cannot be read changes nothing: the keys that
        served until now serve on, and each look says so in the log."""
        if self._directory is None:
            return
        self._look_again = monotonic() + LOOK_SECONDS
        try:
            names = _names(self._directory)
            if names != self._names:
                self._take(names)
        except (OSError, KeyRingError) as error:
            _log.error("keys_unreadable", alert=True, error=type(error).__name__)

    def secret(self, purpose: Purpose, key_id: str | None = None) -> tuple[str, bytes]:
        """The current secret of a purpose with its id, or the one that a row names."""
        held = self._fresh().secrets[purpose]
        wanted = self._current(purpose, held) if key_id is None else key_id
        if wanted not in held:
            self.look()  # another process may have made it a moment ago
            held = self._held.secrets[purpose]
        if wanted not in held:
            raise KeyRingError(f"no {purpose} key {wanted}")
        return wanted, held[wanted]

    def secrets(self, purpose: Purpose) -> list[tuple[str, bytes]]:
        """All secrets of a purpose, the current one first, the newest of the others next."""
        held = self._fresh().secrets[purpose]
        current = self._current(purpose, held)
        return sorted(held.items(), key=lambda one: (one[0] == current, one[0]), reverse=True)

    def first_secret(self, purpose: Purpose) -> bytes:
        """The secret of a purpose that is never changed, whatever somebody laid beside it."""
        held = self._fresh().secrets[purpose]
        return held[min(held)]

    def signer(self, purpose: Purpose) -> tuple[str, PrivateKey]:
        """The current signing key of a purpose with its id."""
        held = self._fresh().signers[purpose]
        current = self._current(purpose, held)
        return current, held[current]

    def signers(self, purpose: Purpose) -> dict[str, PrivateKey]:
        """Every private key of a purpose that is still held, by key id."""
        return dict(self._fresh().signers[purpose])

    def axis_signer(self) -> rsa.RSAPrivateKey | None:
        """The current key of messages to the ministry's axis, where there is one."""
        held = self._fresh().axis
        return held[self._current("axis", held)] if held else None

    def newest_axis_signer(self) -> rsa.RSAPrivateKey | None:
        """The one that the ministry has to know: the current key, or the one that comes after it."""
        held = self._fresh().axis
        return held[max(held)] if held else None

    def public_keys(self, purpose: Purpose) -> dict[str, PublicKey]:
        """Every public key of a purpose by key id: retired ones and those that will be used included."""
        return dict(self._fresh().public[purpose])

    def _fresh(self) -> HeldKeys:
        if monotonic() >= self._look_again:
            self.look()
        return self._held

    def _take(self, names: frozenset[str]) -> None:
        """names: listed before the files are read: what comes meanwhile is seen at the next look."""
        assert self._directory is not None
        self._held = HeldKeys.read(self._directory)
        self._names, self._look_again = names, monotonic() + LOOK_SECONDS

    def _current(self, purpose: Purpose, held: dict[str, T]) -> str:
        starts = self._held.starts
        newest = max(held)
        if (purpose, newest) not in starts:
            return newest
        now = self._clock.now()
        begun = [
            key_id for key_id in held if (purpose, key_id) not in starts or starts[purpose, key_id] <= now
        ]
        return max(begun, default=min(held))


def add_key(directory: Path, purpose: Purpose, starts_at: datetime | None = None) -> str:
    """Make the next key of a purpose; the current one from `starts_at` on (None: as soon as it is seen).

    Returns its id. Raises KeyRingError where there may never be a second one.
    """
    # A `.from` alone is what a run left that was cut off: its id is taken.
    kinds = ("key", "pub", "from")
    ids = [p.name.rsplit(".", 2)[1] for kind in kinds for p in directory.glob(f"{purpose}.*.{kind}")]
    if ids and purpose in FOR_EVER:
        raise KeyRingError(f"the key for {purpose} is never changed")
    key_id = f"{int(max(ids)) + 1:04d}" if ids else FIRST_ID
    if starts_at is not None:
        write_new(
            directory / f"{purpose}.{key_id}.from", f"{starts_at.astimezone(UTC).isoformat()}\n".encode()
        )
    write_new(directory / f"{purpose}.{key_id}.key", _make(purpose))
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


def _names(directory: Path) -> frozenset[str]:
    return frozenset(os.listdir(directory))


def write_new(path: Path, data: bytes) -> None:
    """Whole or not at all, and never over another: running processes may read the directory at any moment."""
    part = path.with_name(f"{secrets.token_hex(8)}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        if os.geteuid() == 0:  # whoever reads the others reads this one too
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # unlike a rename it refuses where something is
    finally:
        part.unlink()


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
