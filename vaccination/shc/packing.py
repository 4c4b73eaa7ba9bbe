"""From doses to the bytes that are signed, and from a signature to a card (the framework 1.4.0; RFC 7515).

header   {"zip": "DEF", "alg": "ES256", "kid": thumbprint of the key (RFC 7638)}
payload  {"iss", "nbf", "vc": {"type", "rid", "credentialSubject": {"fhirVersion", "fhirBundle"}}}: minified,
         in raw DEFLATE

No `exp`: a vaccination stays given. What is wrong is revoked by `rid`.
"""

import base64
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from qr.cards import JWS_MAX
from vaccination.hc1.names import LENGTH_MAX, split_name
from vaccination.shc.models import CardDose, CardPerson

CARD_TYPE: Final = "https://smarthealth.cards#health-card"
FHIR_VERSION: Final = "4.0.1"
# Of a signature r‖s of 64 bytes in base64url, with the dot before it.
_SIGNATURE_LENGTH: Final = 1 + 86
# So many doses always fit one code (vaccination.md §3): a longer book may take two.
ONE_CODE_DOSES: Final = 20


class Detail(Struct, frozen=True):
    """What a card says of each dose beside what was given and when."""

    lots: bool
    places: bool


FULL: Final = Detail(lots=True, places=True)
LOTS: Final = Detail(lots=True, places=False)
BARE: Final = Detail(lots=False, places=False)


class Frame(Struct, frozen=True, kw_only=True):
    """Whose card, by which issuer and key, from when on. rid: the name by which it is revoked."""

    issuer: str
    kid: str
    rid: str
    person: CardPerson
    valid_from: datetime


class Packed(Struct, frozen=True, kw_only=True):
    """One code that waits for its signature. to_sign: the JWS signing input; doses: what it says of them."""

    doses: tuple[CardDose, ...]
    to_sign: bytes


def pack(frame: Frame, doses: Sequence[CardDose]) -> list[Packed]:
    """As few codes as hold the doses in 1,195 characters each, oldest doses first. A book of up to 20 doses
    is one code and leaves out lots and places where it must; a longer one rather takes two."""
    for detail in (FULL, LOTS, BARE) if len(doses) <= ONE_CODE_DOSES else (FULL, LOTS):
        packed = _pack(frame, tuple(_told(dose, detail) for dose in doses))
        if fits(packed):
            return [packed]
    assert len(doses) > 1, "one dose without its details fits, for names are bounded"
    half = (len(doses) + 1) // 2
    return pack(frame, doses[:half]) + pack(frame, doses[half:])


def fits(packed: Packed) -> bool:
    return len(packed.to_sign) + _SIGNATURE_LENGTH <= JWS_MAX


def finish(to_sign: bytes, signature: bytes) -> str:
    """The card: a compact JWS. signature: r‖s, 64 bytes."""
    return f"{to_sign.decode()}.{to_base64url(signature)}"


def bundle_of(person: CardPerson, doses: Sequence[CardDose]) -> dict[str, Any]:
    """The FHIR Bundle, without all that a reader does not need: no ids, no narrative, short references."""
    resources = [_patient(person), *(_immunization(dose) for dose in doses)]
    entries = [{"fullUrl": f"resource:{number}", "resource": one} for number, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _pack(frame: Frame, doses: tuple[CardDose, ...]) -> Packed:
    payload = {
        "iss": frame.issuer,
        "nbf": int(frame.valid_from.timestamp()),
        "vc": {
            "type": [CARD_TYPE],
            "rid": frame.rid,
            "credentialSubject": {"fhirVersion": FHIR_VERSION, "fhirBundle": bundle_of(frame.person, doses)},
        },
    }
    header = {"zip": "DEF", "alg": "ES256", "kid": frame.kid}
    parts = (msgspec.json.encode(header), _deflate(msgspec.json.encode(payload)))
    to_sign = ".".join(to_base64url(part) for part in parts).encode()
    return Packed(doses=doses, to_sign=to_sign)


def _deflate(data: bytes) -> bytes:
    """RFC 1951, without the frame of zlib."""
    packer = zlib.compressobj(level=9, wbits=-15, memLevel=9)
    return packer.compress(data) + packer.flush()


def _patient(person: CardPerson) -> dict[str, Any]:
    family, given = (part[:LENGTH_MAX] for part in split_name(person.name))
    name = {key: value for key, value in (("family", family), ("given", [given] if given else None)) if value}
    return {"resourceType": "Patient", "name": [name], "birthDate": person.birth_date}


def _told(dose: CardDose, detail: Detail) -> CardDose:
    return replace(dose, lot=dose.lot if detail.lots else None, place=dose.place if detail.places else None)


def _immunization(dose: CardDose) -> dict[str, Any]:
    """What differs from dose to dose stands together: so it packs best."""
    said: dict[str, Any] = {
        "resourceType": "Immunization",
        "status": "completed",
        "patient": {"reference": "resource:0"},
        "vaccineCode": {"coding": [{"system": dose.code_system, "code": dose.code}]},
    }
    if dose.lot:
        said["lotNumber"] = dose.lot
    said["occurrenceDateTime"] = dose.given
    if dose.place:
        said["performer"] = [{"actor": {"display": dose.place}}]
    return said
