"""Another phone, by the word of a trusted device and letters to the new one; never by letters alone (S8).

Codes for doctors pause for 72 hours after it (consent.md §8), both phones are told, and every device.
"""

from datetime import datetime

from audit.service import record_act
from identity import budgets, phones, queries
from identity.accounts import proofs
from identity.accounts.models import ProofStarted
from identity.accounts.opening import PERSON_LEVEL
from identity.accounts.sign_up import keep_sign_up_phone
from identity.problems import CHALLENGE_DEAD, PHONE_INVALID
from identity.tokens import to_base64url
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit


async def start(tx: Tx, keys: KeyRing, access: Access, phone: str, now: datetime) -> ProofStarted | Refused:
    """Send letters to the new phone. The caller has checked the device's word for this number."""
    assert access.is_own
    assert access.action == "change-factors"
    number = proofs.number_of(phone)
    if number is None:
        return Refused(problem=PHONE_INVALID, where="phone")
    refused = await budgets.charge_or_refuse(
        tx, budgets.PHONE_CHANGES_DAY, budgets.subject(access.patient_id.bytes), now
    )
    if refused is not None:
        return refused
    return await proofs.start(tx, keys, "phone-change", access.patient_id, number, now)


async def confirm(
    tx: Tx, keys: KeyRing, access: Access, challenge_id: str, code: str, *, request_id: str, now: datetime
) -> Refused | None:
    """The letters came back: the phone is the login phone from now on. Somebody else's challenge is dead."""
    assert access.is_own
    assert access.action == "change-factors"
    patient_id = access.patient_id
    proven = await proofs.charge(tx, keys, "phone-change", challenge_id, code, now)
    if isinstance(proven, Refused):
        return proven
    if proven.holder != patient_id or not await proofs.use(tx, challenge_id, proven):
        return Refused(problem=CHALLENGE_DEAD)
    before = await phones.letters_phone(tx, keys, patient_id, now)
    if access.actor.level < PERSON_LEVEL:
        await keep_sign_up_phone(tx, keys, patient_id, proven.number, now)
    else:
        await phones.make_login(tx, keys, patient_id, proven.number, now)
        await queries.CHOOSE_UNDO_PHONE.run(tx, patient_id, proven.phone_hash)
    # What the old phone opened without a device's key is somebody else's, for all we know.
    await queries.END_KEYLESS_SESSIONS.run(tx, patient_id, now, "phone-changed")
    await record_act(tx, patient_id, access.actor, "identity:phone:change", request_id=request_id, now=now)
    told = {"new": to_base64url(proven.phone_hash)}
    if before is not None and before.phone_hash != proven.phone_hash:
        told["old"] = to_base64url(before.phone_hash)
    await emit(tx, patient_id, "identity.phone-changed", told, now)
    return None
