"""The list of our own document signers, in the form that other verifiers import."""

import base64
from datetime import datetime

from msgspec import Struct

from store.database import Tx
from vaccination.revocation.service import day_of
from vaccination.signer.keys import standing_signers


class OwnKey(Struct, frozen=True, kw_only=True, rename="camel"):
    """One document signer, as items of the European gateway are written. raw_data: its certificate, DER in
    base64; kid: base64 with padding."""

    certificate_type: str
    country: str
    kid: str
    raw_data: str
    timestamp: datetime


class OwnKeys(Struct, frozen=True, kw_only=True):
    """Every key whose certificates may still stand. issued_at: this day (UTC): the list has an age."""

    certificates: list[OwnKey]
    issued_at: datetime


async def own_keys(tx: Tx, now: datetime) -> OwnKeys:
    """Retired keys stay on it until their certificates ended, revoked ones go at once."""
    signers = [one for one in await standing_signers(tx, "hc1") if one.not_after >= now]
    return OwnKeys(
        certificates=[
            OwnKey(
                certificate_type="DSC",
                country=one.country,
                kid=one.kid_text,
                raw_data=base64.b64encode(one.certificate).decode(),
                timestamp=one.added_at,
            )
            for one in signers
        ],
        issued_at=day_of(now),
    )
