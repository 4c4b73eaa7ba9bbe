"""What a facility system is told: that its units were taken or could not be read, never whose they were.

The answer is the same for known, unknown and conflicting persons (security.md S19), so it holds neither
a patient_id, nor counts, nor what the gate stopped; `accepted` covers imported and quarantined alike.
"""

import hashlib
import io
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr.intake import queries
from ehr.intake.apart import AWAITING_SUMMARY
from ehr.intake.files import Importer
from ehr.intake.models import Reason, SignatureStatus, UnitReport
from ehr.intake.problems import RECEIPT_NOT_FOUND, RECORDS_UNREADABLE
from ehr.intake.queries import ReceiptRow
from identity.models import Facility
from kernel.clock import Clock
from kernel.problems import Refused
from store.database import Store, Tx

BODY_BYTES_MAX = 4 * 1024 * 1024
# An episode takes some kilobytes; hundreds of thousands of empty ones would take a worker's minute.
UNITS_MAX = 1000


class ReceiptUnit(Struct, kw_only=True, omit_defaults=True):
    """unit: its place in what was sent. reasons: codes and places; of what was accepted only that a table
    waits for the summary of its visit, which this sender has not sent. signature: the
    verdict on the signature of what was sent, where it carries one."""

    unit: str
    accepted: bool
    reasons: list[Reason]
    signature: SignatureStatus | None = None


class Receipt(Struct, kw_only=True):
    """What was sent, when, and which of its units were readable."""

    receipt_id: UUID
    received_at: datetime
    units: list[ReceiptUnit]


async def receive(
    store: Store, clock: Clock, facility: Facility, actor_id: UUID, body: bytes
) -> Receipt | Refused:
    """Import a body of one facility system and keep the receipt. Each unit is its own transaction."""
    importer = Importer(store, clock, facility, str(actor_id))
    reports = await importer.stream(io.BytesIO(body), "body", most=UNITS_MAX)
    units = [_unit(report) for report in reports]
    if not any(unit.accepted for unit in units):
        return Refused(problem=RECORDS_UNREADABLE, where=_places(units))
    now = clock.now()
    receipt = Receipt(receipt_id=importer.batch, received_at=now, units=units)
    async with store.transaction() as tx:
        digest, text = hashlib.sha256(body).digest(), msgspec.json.encode(units).decode()
        await queries.INSERT_RECEIPT.run(tx, actor_id, receipt.receipt_id, now, digest, text)
    return receipt


async def receipt_of(tx: Tx, actor_id: UUID, receipt_id: UUID) -> Receipt | Refused:
    """A receipt again, for the system that got it."""
    row = await queries.RECEIPT_BY_ID.one(tx, actor_id, receipt_id)
    return Refused(problem=RECEIPT_NOT_FOUND) if row is None else _receipt(row)


async def mark_returned(tx: Tx, credential: str, batch: UUID, unit: str, code: str) -> None:
    """A unit that was accepted has to be looked at again by its sender; a command's import has no receipt."""
    try:
        actor_id = UUID(credential)
    except ValueError:
        return
    row = await queries.LOCK_RECEIPT.one(tx, actor_id, batch)
    if row is None:
        return
    told = [
        ReceiptUnit(unit=one.unit, accepted=False, reasons=[Reason(code, one.unit)])
        if one.unit == unit and one.accepted
        else one
        for one in _receipt(row).units
    ]
    await queries.REPLACE_RECEIPT.run(tx, actor_id, batch, msgspec.json.encode(told).decode())


def _receipt(row: ReceiptRow) -> Receipt:
    units = msgspec.json.decode(row.units, type=list[ReceiptUnit])
    return Receipt(receipt_id=row.receipt_id, received_at=row.received_at, units=units)


def _unit(report: UnitReport) -> ReceiptUnit:
    accepted = report.status != "rejected"
    return ReceiptUnit(
        unit=report.unit,
        accepted=accepted,
        reasons=[one for one in report.reasons if not accepted or one.code == AWAITING_SUMMARY],
        signature=report.signature or None,
    )


def _places(units: list[ReceiptUnit]) -> str:
    """The first places by code, so that a sender can find them without a receipt."""
    reasons = [reason for unit in units for reason in unit.reasons][:10]
    return "; ".join(f"{reason.code} {reason.where}" for reason in reasons)
