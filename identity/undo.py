"""Taking back an activation that the person did not want (security.md S8).

A staff activation sets PIN and login phone. If ending its device left those in place, whoever got
the code would sign in again at once; so what was replaced is kept until the probation is over.
"""

from datetime import datetime
from uuid import UUID

from identity import queries
from identity.policy import PROBATION
from store.database import Tx


async def keep_replaced(tx: Tx, patient_id: UUID, device_id: UUID, now: datetime) -> None:
    """Before an activation overwrites PIN and login phone. A first activation replaces nothing."""
    await queries.PURGE_UNDO.run(tx, patient_id, now - PROBATION)
    pin_hash = await queries.PIN_HASH.one(tx, patient_id)
    if pin_hash is not None:
        phone = await queries.LOGIN_PHONE.one(tx, patient_id, datetime.fromtimestamp(0, now.tzinfo))
        phone_hash = None if phone is None else phone.phone_hash
        await queries.INSERT_UNDO.run(tx, patient_id, device_id, pin_hash, phone_hash, now)


async def put_back(tx: Tx, patient_id: UUID, device_id: UUID, now: datetime) -> None:
    """After the device of an activation was ended within its probation.

    If another activation came later, that one now stands on what was there before this one: its
    own undo gets the older PIN and phone, never those of the device that was thrown out.
    """
    kept = await queries.TAKE_UNDO.one(tx, patient_id, device_id)
    if kept is None or kept.recorded_at <= now - PROBATION:
        return
    later = await queries.LATER_UNDO.one(tx, patient_id, kept.recorded_at)
    if later is not None:
        await queries.HAND_ON_UNDO.run(tx, patient_id, later, kept.pin_hash, kept.phone_hash)
        return
    await queries.UPSERT_PIN.run(tx, patient_id, kept.pin_hash, now)
    await queries.DEMOTE_OTHER_PHONES.run(tx, patient_id, kept.phone_hash or b"", now)
    if kept.phone_hash is not None:
        await queries.PROMOTE_PHONE.run(tx, patient_id, kept.phone_hash, now)
