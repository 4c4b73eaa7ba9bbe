"""Checks typed in one by one, and the rows of a session: amended and withdrawn by the same facility (S3)."""

from typing import Any, Final
from uuid import UUID

from ehr.entry import queries as entries
from ehr.entry.mapping import author_of, person_of
from ehr.entry.models import EntryRow
from ehr.entry.service import Desk, charge, facility_hash, take_back, take_unit
from ehr.health_checks import queries
from ehr.health_checks.mapping import check_id_of, id_in, key_of, unit_of
from ehr.health_checks.models import CheckBody, CheckReceipt, Filled
from ehr.health_checks.problems import (
    CHECK_EXISTS,
    CHECK_FORM_UNKNOWN,
    CHECK_INVALID,
    CHECK_NOT_FOUND,
    CHECK_WITHDRAWN,
)
from ehr.health_checks.templates import CheckForm, CheckKind, form_of
from ehr.intake.drafts import UnitDraft
from ehr.intake.models import Reason, Unit
from kernel.access import Actor
from kernel.problems import Refused, refuse
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

ENTERED: Final = "ehr:check:create"
AMENDED: Final = "ehr:check:amend"
WITHDRAWN: Final = "ehr:check:withdraw"


def form_for(kind: CheckKind, name: str, version: int | None) -> CheckForm | Refused:
    """The form of that name for that kind of check."""
    form = form_of(name, version)
    if form is None or kind not in form.kinds:
        return Refused(problem=CHECK_FORM_UNKNOWN)
    return form


def entered_by(actor: Actor, facility_name: str) -> dict[str, Any]:
    """Who enters a check; a facility's own system speaks for the facility."""
    return author_of(actor) if actor.kind == "practitioner" else {"display": facility_name}


def check_of(desk: Desk, body: CheckBody) -> UUID:
    return check_id_of(desk.facility.facility_id, body.kind, body.done_on, body.check_number)


async def record(tx: Tx, keys: KeyRing, desk: Desk, body: CheckBody) -> CheckReceipt | Refused:
    """Take a new check in. Raises `health-check-invalid` with the fields."""
    form = form_for(body.kind, body.form, body.form_version)
    if isinstance(form, Refused):
        return form
    check_id = check_of(desk, body)
    row = await entries.LOCK_ENTRY.one(tx, desk.hash_of(key_of(check_id)))
    if row is not None:
        return Refused(problem=CHECK_WITHDRAWN if row.status == "withdrawn" else CHECK_EXISTS)
    return await _take_in(tx, keys, desk, body, form, check_id, ENTERED)


async def recorded_again(tx: Tx, desk: Desk, check_id: UUID) -> CheckReceipt | Refused:
    """The receipt of a check of this facility."""
    row = await entries.ENTRY_BY_HASH.one(tx, desk.hash_of(key_of(check_id)))
    return Refused(problem=CHECK_NOT_FOUND) if row is None else receipt(row)


async def was_recorded(tx: Tx, facility_id: UUID, check_id: UUID) -> bool:
    """Whether a facility recorded this check itself, standing or taken back since."""
    return await entries.ENTRY_BY_HASH.one(tx, facility_hash(facility_id, key_of(check_id))) is not None


async def amend(tx: Tx, keys: KeyRing, desk: Desk, check_id: UUID, body: CheckBody) -> CheckReceipt | Refused:
    """Replace a check as a whole. Its number, kind and day say which one it is and stay."""
    form = form_for(body.kind, body.form, body.form_version)
    if isinstance(form, Refused):
        return form
    standing = await _standing(tx, desk, check_id)
    if isinstance(standing, Refused):
        return standing
    if check_of(desk, body) != check_id:
        refuse(CHECK_INVALID, where="other-check check_number")
    return await _take_in(tx, keys, desk, body, form, check_id, AMENDED)


async def withdraw(tx: Tx, desk: Desk, check_id: UUID) -> CheckReceipt | Refused:
    """Take a check back: its rows are retracted with their history kept, or it leaves the quarantine."""
    standing = await _standing(tx, desk, check_id)
    if isinstance(standing, Refused):
        return standing
    patient_id = await entries.PATIENT_OF_UNIT.one(tx, desk.hash_of(key_of(check_id)))
    await take_back(tx, desk, key_of(check_id), WITHDRAWN)
    if patient_id is not None:
        ref = {"facility_id": str(desk.facility.facility_id), "check_id": str(check_id)}
        await emit(tx, patient_id, "ehr.check-withdrawn", ref, desk.now)
    id_hash = desk.hash_of(key_of(check_id))
    row = await entries.CHANGE_ENTRY.one(tx, id_hash, "withdrawn", desk.now, desk.actor.actor_id)
    assert row is not None
    return receipt(row)


async def keep(tx: Tx, desk: Desk, unit: Unit) -> EntryRow | None:
    """Note that a check was taken in, new or once more; None where it was withdrawn."""
    key, actor_id = desk.hash_of(unit.key), desk.actor.actor_id
    return await queries.KEEP_CHECK.one(tx, key, id_in(unit), desk.now, actor_id)


def receipt(row: EntryRow) -> CheckReceipt:
    return CheckReceipt(
        check_id=row.entry_id,
        version=row.version,
        status=row.status,
        recorded_at=row.recorded_at,
        changed_at=row.changed_at,
    )


async def _take_in(
    tx: Tx, keys: KeyRing, desk: Desk, body: CheckBody, form: CheckForm, check_id: UUID, action: str
) -> CheckReceipt | Refused:
    if (spent := await charge(tx, desk)) is not None:
        return spent

    def make() -> Unit:
        faults: list[Reason] = []
        filled = _filled(body, form, faults)
        return unit_of(filled, check_id, entered_by(desk.actor, desk.facility.name), desk.now, faults)

    unit = await take_unit(tx, keys, desk, make, action, CHECK_INVALID)
    row = await keep(tx, desk, unit)
    return Refused(problem=CHECK_WITHDRAWN) if row is None else receipt(row)


def _filled(body: CheckBody, form: CheckForm, faults: list[Reason]) -> Filled:
    draft = UnitDraft("person")
    person = person_of(body.person, draft)
    faults += draft.reasons
    return Filled(
        form=form,
        kind=body.kind,
        number=body.check_number,
        done_on=body.done_on,
        person=person,
        values=body.values,
        health_class=body.health_class,
        conclusion=body.conclusion,
        valid_until=body.valid_until,
    )


async def _standing(tx: Tx, desk: Desk, check_id: UUID) -> EntryRow | Refused:
    row = await entries.LOCK_ENTRY.one(tx, desk.hash_of(key_of(check_id)))
    if row is None:
        return Refused(problem=CHECK_NOT_FOUND)
    return Refused(problem=CHECK_WITHDRAWN) if row.status == "withdrawn" else row
