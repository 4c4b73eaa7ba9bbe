"""A trusted device answers for a new one: its probation ends at once (security.md S8)."""

from datetime import datetime
from uuid import UUID

from audit.service import record_act
from identity.accounts import queries
from identity.problems import NO_SUCH_DEVICE
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit


async def trust_device(
    tx: Tx, access: Access, device_id: UUID, *, request_id: str, now: datetime
) -> Refused | None:
    """End the probation of one of the person's devices; what its enrolment replaced stays replaced.

    The caller has checked the word of the session's own device, which is on no probation itself.
    """
    assert access.is_own
    assert access.action == "change-factors"
    patient_id = access.patient_id
    if await queries.TRUST_DEVICE.one(tx, patient_id, device_id, now) is None:
        return Refused(problem=NO_SUCH_DEVICE)
    await queries.DROP_UNDO.run(tx, patient_id, device_id)
    await record_act(tx, patient_id, access.actor, "identity:device:trust", request_id=request_id, now=now)
    await emit(tx, patient_id, "identity.device-trusted", {"device_id": str(device_id)}, now)
    return None
