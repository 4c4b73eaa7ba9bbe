"""Taking back what credentials said of enrolments since an instant (security.md S3).

The rows of the record are put back person by person (ehr/revert.py). Here the papers follow, also those of
people in quarantine, and the unit is made anew of what stands: what an honest change wrote on top of a bad
one goes too.
"""

from datetime import datetime
from uuid import UUID

from ehr.entry.queries import PATIENT_OF_UNIT
from ehr.entry.service import Desk
from ehr.intake.models import BadInputError
from ehr.intake.service import NO_ACCOUNT, Sender, import_unit
from ehr.models import Source
from ehr.programmes import queries
from ehr.programmes.mapping import key_of
from ehr.programmes.paper import Act, Paper, standing, status_of, without
from ehr.programmes.service import Made, keep, opened, prepare_unit
from ehr.quarantine.queries import DROP_OF_UNIT
from ehr.revert import Undo
from ehr.store import write_unit
from identity.register.facilities import facility_by_id
from kernel.access import Actor
from store.database import Tx
from store.keys import KeyRing


async def revert_enrolment(
    tx: Tx, keys: KeyRing, facility_id: UUID, enrolment_id: UUID, undo: Undo, now: datetime
) -> bool:
    """Put one enrolment back to what nobody takes back. Whether anything changed; not a second time."""

    def goes(act: Act) -> bool:
        return not act.is_reverted and act.credential in undo.credentials and act.at >= undo.since

    row = await queries.LOCK_ENROLMENT.one(tx, facility_id, enrolment_id)
    facility = await facility_by_id(tx, facility_id)
    if row is None or facility is None:
        return False
    paper = opened(keys, row)
    if not any(goes(act) for act in paper.acts):
        return False
    paper = without(paper, goes)
    desk = Desk(Actor(kind="operator", actor_id=NO_ACCOUNT), facility, str(undo.batch), now)
    await _write(tx, keys, desk, enrolment_id, paper, undo)
    await keep(tx, keys, desk, enrolment_id, paper)
    return True


async def _write(tx: Tx, keys: KeyRing, desk: Desk, enrolment_id: UUID, paper: Paper, undo: Undo) -> None:
    if status_of(paper) == "withdrawn":
        await _take_out(tx, desk, key_of(enrolment_id), undo)
        return
    try:
        made = await prepare_unit(tx, desk, enrolment_id, paper)
    except BadInputError:
        # What is left no longer makes a whole; the rows stand as they were put back.
        return
    if isinstance(made, Made):
        sender = Sender(desk.facility, standing(paper)[-1].credential, undo.batch)
        await import_unit(tx, keys, made.unit, made.prepared, sender, desk.now)


async def _take_out(tx: Tx, desk: Desk, key: str, undo: Undo) -> None:
    id_hash, facility_id = desk.hash_of(key), desk.facility.facility_id
    await DROP_OF_UNIT.run(tx, id_hash[0], id_hash)
    patient_id = await PATIENT_OF_UNIT.one(tx, id_hash)
    if patient_id is not None:
        source = Source(
            source_id=str(facility_id),
            facility_id=facility_id,
            credential=str(undo.batch),
            batch=undo.batch,
            method="revert",
        )
        await write_unit(tx, patient_id, source, [], unit=key, now=desk.now)
