"""A certificate's text, what it says of itself, and how it ends: revoked for every verifier."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal

from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing
from vaccination.certificates import queries
from vaccination.certificates.models import CertificateRow, EndReason
from vaccination.hc1 import cbor
from vaccination.hc1.claims import EU_DCC, HCERT, ISSUER
from vaccination.hc1.cose import unpack
from vaccination.revocation.hashes import hashes_of
from vaccination.revocation.service import revoke
from vaccination.signer.issuances import close_issuances

TABLE: Final = "vaccination_certificate"


def text_of(keys: KeyRing, row: CertificateRow) -> str:
    """The text of a certificate that was signed."""
    assert row.issued_at is not None, "not signed"
    return unseal(keys, row.patient_id, TABLE, "content", row.content)


def dcc_of(text: str) -> dict[str, Any]:
    """The content of a certificate of ours (ehn-dcc-schema 1.3.0)."""
    dcc: dict[str, Any] = cbor.decode(unpack(text).payload)[HCERT][EU_DCC]
    return dcc


def number_hash(uvci: str) -> bytes:
    """Of the number as it is written."""
    return sha256(uvci.encode()).digest()


async def revoke_row(
    tx: Tx,
    keys: KeyRing,
    row: CertificateRow,
    state: Literal["replaced", "revoked"],
    reason: EndReason,
    now: datetime,
) -> None:
    """Put a signed certificate on the list by its number and its signature, until it would have ended."""
    text = text_of(keys, row)
    parsed, number = unpack(text), dcc_of(text)["v"][0]["ci"]
    hashes = hashes_of(cbor.decode(parsed.payload)[ISSUER], number, row.algorithm, parsed.signature)
    await revoke(tx, row.kid, hashes, row.expires_at, now)
    await queries.END.run(tx, row.patient_id, row.certificate_id, state, now, reason, None)


async def give_up(tx: Tx, row: CertificateRow, now: datetime) -> None:
    """A row that has no signature, or whose signature nobody kept: nobody holds it, so nothing is revoked,
    and none is given for it any more."""
    await close_issuances(tx, row.patient_id, [row.issuance_id], now)
    await queries.END.run(tx, row.patient_id, row.certificate_id, "abandoned", now, None, None)
