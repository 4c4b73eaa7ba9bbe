"""What operators do with the exchange: grounds, and messages that do not get through."""

from datetime import datetime
from typing import Final
from uuid import UUID

from kernel.ids import bucket_of
from partners.axis import queries
from partners.axis.models import SEND_JOB, Listed, Place, SenderRow
from partners.axis.outgoing import ref_of
from store.database import Tx
from store.due_queue import disarm, schedule

LIST_MAX: Final = 500
# Of a facility that goes on: so many messages in one transaction.
STEP: Final = 500


async def allow(tx: Tx, facility_id: UUID, basis: str, now: datetime) -> None:
    """From now on health checks of a facility are exchanged, on a ground in words."""
    await queries.ALLOW.run(tx, facility_id, basis, now)


async def end(tx: Tx, facility_id: UUID, now: datetime) -> bool:
    """Nothing of a facility leaves or comes in any more. Whether anything did until now."""
    return await queries.END.one(tx, facility_id, now) is not None


async def senders(tx: Tx) -> list[SenderRow]:
    return await queries.SENDERS.all(tx, LIST_MAX)


async def not_through(tx: Tx, now: datetime) -> list[Listed]:
    """What stopped, is late or was tried in vain, the oldest first."""
    return await queries.OPEN.all(tx, now, LIST_MAX)


async def resume(tx: Tx, message_id: UUID, now: datetime) -> bool:
    """Make a stopped message anew, with the key and the record of now, and send it under a new msg_id."""
    found = await queries.FIND.one(tx, message_id)
    return found is not None and await _resume(tx, found, now)


async def resume_facility(tx: Tx, facility_id: UUID, since: datetime, now: datetime) -> int:
    """After a wrong signature was put right: let a facility go on. Returns how many messages do that stopped
    until since, at most STEP: call again with the same one until none does. Those that waited go on by their
    own timers."""
    await queries.RELEASE.run(tx, facility_id)
    stopped = await queries.STOPPED_OF_FACILITY.all(tx, facility_id, "signature-invalid", since, STEP)
    return sum([await _resume(tx, one, now) for one in stopped])


async def close(tx: Tx, message_id: UUID, now: datetime) -> bool:
    """Let a message be: the ministry was told by another way, or need not be."""
    found = await queries.FIND.one(tx, message_id)
    if found is None or await queries.CLOSE.one(tx, found.patient_id, message_id, now) is None:
        return False
    await disarm(tx, bucket_of(found.patient_id), SEND_JOB, ref_of(found.patient_id, message_id))
    return True


async def _resume(tx: Tx, place: Place, now: datetime) -> bool:
    if await queries.RESUME.one(tx, place.patient_id, place.message_id) is None:
        return False
    ref = ref_of(place.patient_id, place.message_id)
    await schedule(tx, bucket_of(place.patient_id), now, SEND_JOB, ref)
    return True
