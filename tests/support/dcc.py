"""A certificate to sign, of an invented person, and the issuance for it."""

import base64
import json
import zlib
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from kernel.ids import uuid7
from store.database import Store
from vaccination.hc1 import cose
from vaccination.hc1.claims import COUNTRY, Name, Vaccination, cwt, dcc_map
from vaccination.hc1.names import icao
from vaccination.hc1.uvci import new_uvci
from vaccination.signer.issuances import open_issuance
from vaccination.signer.models import DocumentSigner
from vaccination.signer.ports import Signer
from vaccination.signer.shapes import COSE_ALGORITHMS, HEALTH_CARD

ISSUER = "https://so.example/shc"


def dcc(uvci: str | None = None, country: str = COUNTRY, **changed: Any) -> dict[str, Any]:
    name = Name(fn="Nguyễn", fnt=icao("Nguyễn"), gn="Bảo Duy", gnt=icao("Bảo Duy"))
    dose = Vaccination(
        vp="1119349007",
        mp="EU/1/20/1528",
        ma="ORG-100030215",
        dn=2,
        sd=2,
        dt=date(2026, 5, 4),
        co=country,
        is_="Trạm Y tế An Bình",
        ci=uvci or new_uvci(country),
    )
    said = dcc_map(name, "1984-02-29", dose)
    said["v"][0] |= changed
    return said


def certificate_parts(
    signer: DocumentSigner, now: datetime, said: dict[str, Any] | None = None, days: float = 365
) -> tuple[bytes, bytes]:
    """Protected header and payload."""
    protected = cose.protected_header(COSE_ALGORITHMS[signer.alg], signer.kid)
    body = said or dcc(country=signer.country)
    return protected, cwt(body, signer.country, now, now + timedelta(days=days))


def certificate_bytes(signer: DocumentSigner, now: datetime, **changed: Any) -> bytes:
    """What is signed of a certificate."""
    return cose.to_be_signed(*certificate_parts(signer, now, dcc(country=signer.country, **changed)))


def health_card_bytes(signer: DocumentSigner, now: datetime, **header: Any) -> bytes:
    """What is signed of a health card."""
    protected = {"zip": "DEF", "alg": "ES256", "kid": signer.kid.decode()} | header
    said = {
        "iss": ISSUER,
        "nbf": int(now.timestamp()),
        "vc": {
            "type": [HEALTH_CARD],
            "rid": "AAAAAAAAAAA",
            "credentialSubject": {
                "fhirVersion": "4.0.1",
                "fhirBundle": {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [
                        {"fullUrl": "resource:0", "resource": {"resourceType": "Patient"}},
                        {
                            "fullUrl": "resource:1",
                            "resource": {"resourceType": "Immunization", "status": "completed"},
                        },
                    ],
                },
            },
        },
    }
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(json.dumps(said).encode()) + packer.flush()
    return base64url(json.dumps(protected).encode()) + b"." + base64url(packed)


def base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


async def ask(
    store: Store, signer: DocumentSigner, to_sign: bytes, now: datetime, patient_id: UUID | None = None
) -> tuple[UUID, UUID]:
    """An issuance, committed. Returns it and its person."""
    person = patient_id or uuid7(now)
    async with store.transaction() as tx:
        return await open_issuance(tx, person, signer, to_sign, now), person


async def signed_text(
    store: Store, signer: Signer, key: DocumentSigner, now: datetime, said: dict[str, Any] | None = None
) -> str:
    """A certificate's text, signed by way of an issuance."""
    protected, payload = certificate_parts(key, now, said)
    to_sign = cose.to_be_signed(protected, payload)
    issuance, person = await ask(store, key, to_sign, now)
    return cose.pack(protected, payload, await signer.sign(issuance, person, key.key_id, "cose", to_sign))
