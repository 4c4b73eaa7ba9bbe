"""What a key may sign: a certificate of ours in its exact form, for the time that its key covers. Pure.

The signer believes nobody who asks it, so it reads the bytes itself. Nothing else has this form: not a
consent, not a root of the log, not a token, not a health card under a certificate's key.
"""

import base64
import binascii
import zlib
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from vaccination.hc1 import cbor, claims, cose, uvci
from vaccination.signer.models import Algorithm, DocumentSigner
from vaccination.signer.ports import SHAPES, Shape

COSE_ALGORITHMS: Final[dict[Algorithm, int]] = {"ES256": cose.ES256, "PS256": cose.PS256}
# The path of the health cards' issuer: no other key of ours is published there (security.md S28).
SHC_PATH: Final = "/shc"
HEALTH_CARD: Final = "https://smarthealth.cards#health-card"
TO_SIGN_MAX: Final = 65_536
# Decision 5772/QĐ-BYT: twelve months; a leap year has one day more.
LIFE_MAX: Final = timedelta(days=366)
# From the moment a certificate or card is made until it is signed, and how far two clocks differ.
AGE_MAX: Final = timedelta(minutes=10)
SKEW_MAX: Final = timedelta(minutes=1)

_ENTRY: Final = frozenset({"tg", "vp", "mp", "ma", "dn", "sd", "dt", "co", "is", "ci"})


def fits(signer: DocumentSigner, shape: Shape, to_sign: bytes, now: datetime) -> bool:
    """Whether this key signs these bytes at this time."""
    if shape != SHAPES[signer.purpose] or len(to_sign) > TO_SIGN_MAX:
        return False
    if shape == "cose":
        return _is_certificate(signer, to_sign, now)
    return _is_health_card(signer, to_sign, now)


def _is_certificate(signer: DocumentSigner, to_sign: bytes, now: datetime) -> bool:
    try:
        match cbor.decode(to_sign):
            case ["Signature1", bytes() as protected, b"", bytes() as payload]:
                header, said = cbor.decode(protected), cbor.decode(payload)
            case _:
                return False
    except cbor.CborError:
        return False
    # One spelling: what is signed is what a verifier builds from the parts.
    return (
        to_sign == cose.to_be_signed(protected, payload)
        and header == {cose.ALG: COSE_ALGORITHMS[signer.alg], cose.KID: signer.kid}
        and isinstance(said, dict)
        and _are_claims(signer, said, now)
    )


def _are_claims(signer: DocumentSigner, said: dict[Any, Any], now: datetime) -> bool:
    match said:
        case {
            claims.ISSUER: country,
            claims.EXPIRES: int() as expires,
            claims.ISSUED: int() as issued,
            claims.HCERT: {claims.EU_DCC: dict() as dcc, **others},
        } if len(said) == 4 and not others and country == signer.country:
            return _is_timely(signer, issued, expires, now) and _is_one_dose(dcc, signer.country)
    return False


def _is_timely(signer: DocumentSigner, issued: int, expires: int, now: datetime) -> bool:
    starts, ends = signer.not_before.timestamp(), signer.not_after.timestamp()
    return _is_now(issued, now) and starts <= issued < expires <= min(ends, issued + LIFE_MAX.total_seconds())


def _is_now(said: float, now: datetime) -> bool:
    """Whether it was made just now: what was left lying is signed no more."""
    return -AGE_MAX.total_seconds() <= said - now.timestamp() <= SKEW_MAX.total_seconds()


def _is_one_dose(dcc: dict[Any, Any], country: str) -> bool:
    match dcc:
        case {"ver": claims.SCHEMA_VERSION, "nam": dict(), "dob": str(), "v": [dict() as dose]}:
            number = dose.get("ci")
            return (
                len(dcc) == 4
                and set(dose) == _ENTRY
                and dose.get("co") == country
                and isinstance(number, str)
                and number.startswith(uvci.prefix_of(country))
            )
    return False


def _is_health_card(signer: DocumentSigner, to_sign: bytes, now: datetime) -> bool:
    header, _, payload = to_sign.partition(b".")
    try:
        protected = msgspec.json.decode(_raw(header))
        said = msgspec.json.decode(_inflated(_raw(payload)))
    except (binascii.Error, zlib.error, ValueError):
        return False
    match said:
        case {
            "iss": str() as issuer,
            "nbf": int() as since,
            "vc": {
                "type": types,
                "rid": str(),
                "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": book},
            },
        } if len(said) == len(said["vc"]) == 3 and len(said["vc"]["credentialSubject"]) == 2:
            return (
                protected == {"zip": "DEF", "alg": "ES256", "kid": signer.kid.decode()}
                and issuer.endswith(SHC_PATH)
                and types == [HEALTH_CARD]
                and signer.not_before.timestamp() <= since
                and _is_now(since, now)
                and _is_book(book)
            )
    return False


def _is_book(book: Any) -> bool:
    """One person and doses that were given, and nothing else of a record."""
    match book:
        case {"resourceType": "Bundle", "type": "collection", "entry": [person, *doses]} if (
            len(book) == 3 and doses
        ):
            return _is_of(person, "Patient") and all(
                _is_of(dose, "Immunization") and dose["resource"].get("status") == "completed"
                for dose in doses
            )
    return False


def _is_of(entry: Any, rtype: str) -> bool:
    match entry:
        case {"fullUrl": str(), "resource": {"resourceType": found}}:
            return found == rtype and len(entry) == 2
    return False


def _raw(text: bytes) -> bytes:
    """base64url without padding, in its one spelling. Raises binascii.Error."""
    raw = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text:
        raise binascii.Error("another spelling")
    return raw


def _inflated(packed: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    data = stream.decompress(packed, cose.INFLATED_MAX)
    if not stream.eof or stream.unused_data:
        raise zlib.error("not whole, or too large")
    return data
