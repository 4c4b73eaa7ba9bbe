"""Taking a manual entry in, changing it and taking it back, always by the facility that made it (S3).

The answer tells nothing of whom it is about: an entry that waits in quarantine looks like any other (S19).
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final, NoReturn
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from ehr.entry import queries
from ehr.entry.mapping import unit_of
from ehr.entry.models import EntryBody, EntryReceipt, EntryRow, EntryStatus
from ehr.entry.problems import ENTRY_CLINICAL, ENTRY_INVALID, ENTRY_NOT_FOUND, ENTRY_WITHDRAWN
from ehr.intake.counting import Channel
from ehr.intake.models import BadInputError, Reason, Unit, UnitReport
from ehr.intake.problems import RECORDS_BUSY
from ehr.intake.service import Sender, import_unit
from ehr.intake.units import Prepared, prepare
from ehr.models import Source
from ehr.quarantine.queries import DROP_OF_UNIT
from ehr.store import write_unit
from identity import budgets
from identity.models import Facility
from identity.problems import IDENTIFIER_TAKEN
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import ProblemError, ProblemType, Refused, refuse
from store.database import Tx
from store.keys import KeyRing

REASONS_SHOWN: Final = 10
RESOURCES_LOGGED: Final = 100


class Desk(Struct, frozen=True):
    """Who enters, where, and by which request."""

    actor: Actor
    facility: Facility
    request_id: str
    now: datetime

    def sender(self) -> Sender:
        by_system = self.actor.kind == "facility-system"
        channel: Channel = "api" if by_system else "form"
        return Sender(self.facility, str(self.actor.actor_id), uuid7(self.now), channel=channel)

    def id_hash(self, entry_id: UUID) -> bytes:
        """The key of this facility's entry; another facility's has another."""
        return self.hash_of(f"entry:{entry_id}")

    def hash_of(self, key: str) -> bytes:
        """What a unit of this facility is found by again (as ehr.intake.service.unit_hash)."""
        return facility_hash(self.facility.facility_id, key)


def facility_hash(facility_id: UUID, key: str) -> bytes:
    """What a unit of a facility is found by again."""
    return hashlib.sha256(f"{facility_id}\n{key}".encode()).digest()


async def record(tx: Tx, keys: KeyRing, desk: Desk, body: EntryBody) -> EntryReceipt | Refused:
    """Take a new entry in. Raises `entry-invalid` with the fields."""
    if desk.actor.role == "clerk" and body.is_clinical:
        return Refused(problem=ENTRY_CLINICAL)
    if (spent := await charge(tx, desk)) is not None:
        return spent
    entry_id = uuid7(desk.now)
    await _take_in(tx, keys, desk, body, entry_id, "ehr:entry:create")
    await queries.INSERT_ENTRY.run(tx, desk.id_hash(entry_id), entry_id, desk.now, desk.actor.actor_id)
    return EntryReceipt(
        entry_id=entry_id, version=1, status="recorded", recorded_at=desk.now, changed_at=desk.now
    )


async def recorded_again(tx: Tx, desk: Desk, entry_id: UUID) -> EntryReceipt | Refused:
    """The receipt of an entry of this facility."""
    row = await queries.ENTRY_BY_HASH.one(tx, desk.id_hash(entry_id))
    return Refused(problem=ENTRY_NOT_FOUND) if row is None else row.receipt


async def amend(tx: Tx, keys: KeyRing, desk: Desk, entry_id: UUID, body: EntryBody) -> EntryReceipt | Refused:
    """Replace the whole entry; what it no longer says is retracted, what stands makes no new version."""
    row = await _standing(tx, desk, entry_id)
    if isinstance(row, Refused):
        return row
    if desk.actor.role == "clerk" and body.is_clinical:
        return Refused(problem=ENTRY_CLINICAL)
    if (spent := await charge(tx, desk)) is not None:
        return spent
    await _take_in(tx, keys, desk, body, entry_id, "ehr:entry:amend")
    return await _changed(tx, desk, entry_id, "amended")


async def withdraw(tx: Tx, desk: Desk, entry_id: UUID) -> EntryReceipt | Refused:
    """Take an entry back: its rows are retracted with their history kept, or it leaves the quarantine."""
    row = await _standing(tx, desk, entry_id)
    if isinstance(row, Refused):
        return row
    await take_back(tx, desk, f"entry:{entry_id}", "ehr:entry:withdraw")
    return await _changed(tx, desk, entry_id, "withdrawn")


async def take_back(tx: Tx, desk: Desk, key: str, action: str) -> None:
    """Retract a unit of this facility where it stands: in a book, with its history kept, or in quarantine."""
    id_hash = desk.hash_of(key)
    await DROP_OF_UNIT.run(tx, id_hash[0], id_hash)
    patient_id = await queries.PATIENT_OF_UNIT.one(tx, id_hash)
    if patient_id is None:
        return
    sender = desk.sender()
    source = Source(
        source_id=sender.source_id,
        facility_id=sender.facility_id,
        credential=sender.credential,
        batch=sender.batch,
    )
    await write_unit(tx, patient_id, source, [], unit=key, now=desk.now)
    await record_act(tx, patient_id, desk.actor, action, request_id=desk.request_id, now=desk.now)


async def charge(tx: Tx, desk: Desk) -> Refused | None:
    """What an account has entered today, amendments too; a repeat of a request costs nothing (S33). A
    facility's system speaks for many people, so it has a budget of its own."""
    account = budgets.subject(desk.actor.actor_id.bytes)
    budget = budgets.ENTRIES_DAY if desk.actor.kind == "practitioner" else budgets.SYSTEM_ENTRIES_DAY
    return await budgets.charge_or_refuse(tx, budget, account, desk.now)


async def _standing(tx: Tx, desk: Desk, entry_id: UUID) -> EntryRow | Refused:
    """The entry, locked. A clerk changes what that clerk recorded alone: the rest may be clinical."""
    row = await queries.LOCK_ENTRY.one(tx, desk.id_hash(entry_id))
    if row is None:
        return Refused(problem=ENTRY_NOT_FOUND)
    if row.status == "withdrawn":
        return Refused(problem=ENTRY_WITHDRAWN)
    if desk.actor.role == "clerk" and row.changed_by != desk.actor.actor_id:
        return Refused(problem=ENTRY_CLINICAL)
    return row


async def _changed(tx: Tx, desk: Desk, entry_id: UUID, status: EntryStatus) -> EntryReceipt:
    row = await queries.CHANGE_ENTRY.one(tx, desk.id_hash(entry_id), status, desk.now, desk.actor.actor_id)
    assert row is not None
    return row.receipt


async def _take_in(tx: Tx, keys: KeyRing, desk: Desk, body: EntryBody, entry_id: UUID, action: str) -> None:
    def make() -> Unit:
        return unit_of(body, entry_id, desk.actor, desk.now)

    unit = await take_unit(tx, keys, desk, make, action, ENTRY_INVALID)
    assert desk.hash_of(unit.key) == desk.id_hash(entry_id)


async def take_unit(
    tx: Tx, keys: KeyRing, desk: Desk, make: Callable[[], Unit], action: str, invalid: ProblemType
) -> Unit:
    """Import what a desk typed in, and log it under `action`. Raises `invalid` with the fields that are wrong
    (BadInputError of `make`), and `records-busy`."""
    sender = desk.sender()
    try:
        unit = make()
        prepared = prepare(unit, None, sender.source_id, desk.facility.name)
    except BadInputError as error:
        _refuse_reasons(invalid, error.reasons)
    try:
        report = await import_unit(tx, keys, unit, prepared, sender, desk.now)
    except ProblemError as error:
        if error.refused.problem is not IDENTIFIER_TAKEN:
            raise
        # A number taken in between would tell that somebody has it (S19).
        refuse(RECORDS_BUSY)
    if report.status == "rejected":
        _refuse_reasons(invalid, report.reasons)
    await log_unit(tx, desk, report, prepared, action)
    return unit


def _refuse_reasons(invalid: ProblemType, reasons: list[Reason]) -> NoReturn:
    places = "; ".join(f"{reason.code} {reason.where}" for reason in reasons[:REASONS_SHOWN])
    refuse(invalid, where=places)


async def log_unit(tx: Tx, desk: Desk, report: UnitReport, prepared: Prepared, action: str) -> None:
    """The person sees who entered what; an entry in quarantine is nobody's yet."""
    if not isinstance(report.patient_id, str):
        return
    named = [(row.rtype, row.id) for row in prepared.resources][:RESOURCES_LOGGED]
    await record_act(
        tx,
        UUID(report.patient_id),
        desk.actor,
        action,
        resources=named,
        request_id=desk.request_id,
        now=desk.now,
    )
