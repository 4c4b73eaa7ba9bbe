"""Signed texts that a phone or a desk scans: compact, versioned, of one kind, expiring.

text    = "SSK1:" ‖ base45(payload ‖ signature)
payload = JCS({"body", "exp", "kid", "kind", "v": "1"}), exp in Unix seconds
signature = Ed25519 over "SSK1:" ‖ payload, by the QR key `kid`, which apps pin; of a printed paper and a
letter by the paper key, so that neither stands in for the other (security.md S28)

citizen         who shows it, sealed; 60 s, grants nothing (visits/identification.py)
doctor-request  what a doctor asks for (consent/transfer.py)
counter         the screen of a counter, drawn anew within 60 s: presence (qr/points.py)
poster          the same counter on paper: a ticket and no presence (qr/points.py)
ticket          the number somebody holds in a line, sealed
letter          a referral or an appointment on paper, sealed; an address with the fragment
paper           any other printed paper, likewise (ehr/paper_proofs)

An app checks the same text without a network. Schema and vectors: mobile-contract/qr.schema.json,
mobile-contract/vectors/qr.json.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kernel.problems import ProblemType, Refused
from qr import base45
from qr.problems import QR_EXPIRED, QR_FORGED, QR_KIND, QR_UNREADABLE, QR_VERSION
from qr.scanner import cleaned
from store.keys import KeyRing, Purpose

Kind = Literal["citizen", "doctor-request", "counter", "poster", "ticket", "letter", "paper"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_PURPOSES: Final[dict[Kind, Purpose]] = {"paper": "paper", "letter": "paper"}
# What proves presence is never signed for longer, by whatever mistake (security.md S7).
_LONGEST: Final[dict[Kind, timedelta]] = {"citizen": timedelta(seconds=60), "counter": timedelta(seconds=60)}

FAMILY = "SSK"
PREFIX = "SSK1:"
SIGNATURE_BYTES = 64
# A QR code of level M holds at most 3,391 alphanumeric characters (ISO/IEC 18004, version 40).
TEXT_MAX = 3391


class Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    body: dict[str, Any]
    exp: int
    kid: str
    kind: str
    v: str


def sign(keys: KeyRing, kind: Kind, body: dict[str, Any], expires_at: datetime, now: datetime) -> str:
    """The text to draw. `expires_at` is cut to whole seconds. The body carries no name or number of a
    citizen: anybody in view of the screen can read it. Raises ValueError for a life that is no life, or is
    longer than the kind's."""
    life = expires_at - now
    if not timedelta(0) < life <= _LONGEST.get(kind, life):
        raise ValueError("a code must expire in the future, and within the life of its kind")
    key_id, signer = keys.signer(_PURPOSES.get(kind, "qr"))
    assert isinstance(signer, Ed25519PrivateKey)
    return sign_payload(signer, key_id, kind, body, int(expires_at.timestamp()))


def sign_payload(signer: Ed25519PrivateKey, key_id: str, kind: str, body: dict[str, Any], exp: int) -> str:
    payload = rfc8785.dumps({"body": body, "exp": exp, "kid": key_id, "kind": kind, "v": "1"})
    return PREFIX + base45.encode(payload + signer.sign(PREFIX.encode() + payload))


def read(keys: KeyRing, kind: Kind, text: str, now: datetime) -> dict[str, Any] | Refused:
    """The body of a text of this kind that one of our keys signed and that has not expired, whatever a
    scanner put around it. A genuine one of another kind is qr-wrong-kind, whichever key signs that kind."""
    text = cleaned(text)
    found = read_with(_public_keys(keys, kind), kind, text, now)
    if isinstance(found, Refused) and found.problem is QR_FORGED and _is_genuine(keys, text, now):
        return Refused(problem=QR_KIND, where="qr")
    return found


def read_with(
    public_keys: Mapping[str, object], kind: str, text: str, now: datetime
) -> dict[str, Any] | Refused:
    """`read` with given public keys: what an app does with the keys it pinned."""
    opened = _open(text)
    if isinstance(opened, ProblemType):
        return Refused(problem=opened, where="qr")
    payload, raw, signature = opened
    problem = _check(public_keys.get(payload.kid), payload, raw, signature, kind, now)
    return Refused(problem=problem, where="qr") if problem else payload.body


def kind_of(text: str) -> Kind | Refused:
    """The kind a text says it is of, before anybody looked at its signature: good for choosing the reader and
    for nothing else. Refused: qr-unreadable, qr-version-unknown."""
    opened = _open(cleaned(text))
    if isinstance(opened, ProblemType):
        return Refused(problem=opened, where="qr")
    kind = next((kind for kind in KINDS if kind == opened[0].kind), None)
    # A kind that did not exist when this was written is of a newer version.
    return kind or Refused(problem=QR_VERSION, where="qr")


def _public_keys(keys: KeyRing, kind: Kind) -> Mapping[str, object]:
    return keys.public_keys(_PURPOSES.get(kind, "qr"))


def _is_genuine(keys: KeyRing, text: str, now: datetime) -> bool:
    """Whether the text is what it says it is, expired or not."""
    claimed = kind_of(text)
    if isinstance(claimed, Refused):
        return False
    own = read_with(_public_keys(keys, claimed), claimed, text, now)
    return not isinstance(own, Refused) or own.problem is QR_EXPIRED


def to_fragment(text: str) -> str:
    """The same text as it may follow `#` in an address: base45 has signs that an address can't hold."""
    return base64.urlsafe_b64encode(base45.decode(text.removeprefix(PREFIX))).rstrip(b"=").decode()


def from_fragment(fragment: str) -> str:
    """The text again; what is no fragment of ours comes back as it is, and is refused when it is read."""
    try:
        raw = base64.b64decode(fragment + "=" * (-len(fragment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return fragment
    return PREFIX + base45.encode(raw)


def _open(text: str) -> tuple[Payload, bytes, bytes] | ProblemType:
    if not text.startswith(FAMILY) or len(text) > TEXT_MAX:
        return QR_UNREADABLE
    head, colon, rest = text.partition(":")
    if colon and head + colon != PREFIX and head[len(FAMILY) :].isdigit():
        return QR_VERSION
    if head + colon != PREFIX:
        return QR_UNREADABLE
    try:
        raw = base45.decode(rest)
        payload = msgspec.json.decode(raw[:-SIGNATURE_BYTES], type=Payload)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return QR_UNREADABLE
    return payload, raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]


def _check(
    key: object, payload: Payload, raw: bytes, signature: bytes, kind: str, now: datetime
) -> ProblemType | None:
    """The signature first: nothing inside an unsigned text decides anything."""
    if not isinstance(key, Ed25519PublicKey):
        return QR_FORGED
    try:
        key.verify(signature, PREFIX.encode() + raw)
    except InvalidSignature:
        return QR_FORGED
    if payload.kind != kind:
        return QR_KIND
    return QR_EXPIRED if now.timestamp() >= payload.exp else None
