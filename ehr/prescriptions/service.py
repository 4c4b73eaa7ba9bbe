"""What a facility's system sends one at a time: a prescription, and that one is withdrawn. And the seam that
reminders plan from.

The answer tells nothing of whom it is about (security.md S19); the natural key is the code, so a repeat is
the same prescription.
"""

from datetime import datetime

from ehr.intake.models import BadInputError, Reason
from ehr.intake.problems import RECORDS_BUSY
from ehr.intake.service import Sender, import_unit
from ehr.intake.units import prepare
from ehr.prescriptions import reading
from ehr.prescriptions.files import read_sent
from ehr.prescriptions.keeping import end, lock_code
from ehr.prescriptions.models import SentReceipt
from ehr.prescriptions.national import UNIT, unit_of
from ehr.prescriptions.policy import typed
from ehr.prescriptions.problems import PRESCRIPTION_INVALID, PRESCRIPTION_NOT_FOUND, PRESCRIPTION_REPLACED
from identity.models import Facility
from identity.problems import IDENTIFIER_TAKEN
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import ProblemError, Refused, refuse
from store.database import Tx
from store.keys import KeyRing

REASONS_SHOWN = 10
lines_for_plan = reading.lines_for_plan


def sender_of(facility: Facility, actor: Actor, now: datetime) -> Sender:
    return Sender(facility, str(actor.actor_id), uuid7(now))


async def send(tx: Tx, keys: KeyRing, sender: Sender, body: bytes, now: datetime) -> SentReceipt:
    """Take one prescription in, bare or with the code it replaces beside it. Raises `prescription-invalid`
    with the fields, `records-busy`."""
    assert sender.facility is not None
    try:
        unit = unit_of(read_sent(body, "body"), UNIT, now)
        prepared = prepare(unit, None, sender.source_id, sender.facility.name)
    except BadInputError as error:
        _refuse_reasons(error.reasons)
        raise
    facts = unit.prescription
    assert facts is not None
    try:
        report = await import_unit(tx, keys, unit, prepared, sender, now)
    except ProblemError as error:
        if error.refused.problem is not IDENTIFIER_TAKEN:
            raise
        refuse(RECORDS_BUSY)
    if report.status == "rejected":
        _refuse_reasons(report.reasons)
    return SentReceipt(code=facts.code, status="recorded", kept_out=prepared.withheld)


async def withdraw(tx: Tx, keys: KeyRing, sender: Sender, text: str, now: datetime) -> SentReceipt | Refused:
    """Take back what this facility prescribed: what was handed out stays. Once more changes nothing."""
    code = typed(text)
    known = await lock_code(tx, keys, code or "")
    if code is None or known is None or known.source_id != sender.source_id:
        return Refused(problem=PRESCRIPTION_NOT_FOUND)
    if known.state == "replaced":
        return Refused(problem=PRESCRIPTION_REPLACED)
    if known.state == "standing":
        await end(tx, known, "withdrawn", sender.source, now)
    return SentReceipt(code=code, status="withdrawn")


def _refuse_reasons(reasons: list[Reason]) -> None:
    places = "; ".join(f"{reason.code} {reason.where}" for reason in reasons[:REASONS_SHOWN])
    refuse(PRESCRIPTION_INVALID, where=places)
