"""Another PIN, by the word of a trusted device: the old one is not asked for (security.md S8)."""

from datetime import datetime

from audit.service import record_act
from identity import budgets, people, queries
from identity.models import Demographics
from identity.passwords import POOL, hash_secret
from identity.policy import pin_is_easy
from identity.problems import PIN_TOO_EASY
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit


async def check(tx: Tx, keys: KeyRing, access: Access, pin: str, now: datetime) -> Refused | None:
    """Before the work of hashing: is the PIN good enough, and is one more change of today left."""
    POOL.require_room()
    refused = await budgets.charge_or_refuse(
        tx, budgets.PIN_CHANGES_DAY, budgets.subject(access.patient_id.bytes), now
    )
    if refused is not None:
        return refused
    known = await people.person_of(tx, keys, access) or Demographics()
    return Refused(problem=PIN_TOO_EASY, where="pin") if pin_is_easy(pin, known.birth_date) else None


async def hash_pin(keys: KeyRing, access: Access, pin: str) -> str:
    """No transaction may be open."""
    return await hash_secret(keys, access.patient_id, pin)


async def keep(tx: Tx, access: Access, pin_hash: str, *, request_id: str, now: datetime) -> None:
    """The new PIN counts from now on; every device is told."""
    assert access.is_own
    assert access.action == "change-factors"
    patient_id = access.patient_id
    await queries.UPSERT_PIN.run(tx, patient_id, pin_hash, now)
    await queries.CHOOSE_UNDO_PIN.run(tx, patient_id, pin_hash)
    # What the old pin opened without a device's key is somebody else's, for all we know.
    await queries.END_KEYLESS_SESSIONS.run(tx, patient_id, now, "pin-changed")
    await record_act(tx, patient_id, access.actor, "identity:pin:change", request_id=request_id, now=now)
    await emit(tx, patient_id, "identity.pin-changed", {}, now)
