"""Letters that prove a phone, before an account is made or its phone is another one.

They are sign-in letters to whoever gets them: the same beginning of the text, the same caps, and none while a
consent code is live for the phone (security.md S2). An answer says nothing of the phone (S19).
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from identity.accounts import queries
from identity.accounts.models import PhoneCode, ProofPurpose, ProofStarted, ProvenPhone
from identity.entry.letters import CODE_LIFE, CODE_TRIES, letters_hold, letters_mac, may_send, new_letters
from identity.identifiers import is_mobile, normal_phone
from identity.phones import free_code_lock, phone_hashes
from identity.problems import CHALLENGE_DEAD, SIGN_IN_REFUSED
from identity.sign_in import challenge_hash, event_reference
from identity.tokens import from_base64url, new_secret, to_base64url
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit

_TABLE: Final = "phone_proof"
EVENT: Final = "identity.phone-code"


def number_of(text: str) -> str | None:
    """The mobile number that letters can go to; None for anything else."""
    number = normal_phone(text)
    return number if number is not None and is_mobile(number) else None


async def start(
    tx: Tx, keys: KeyRing, purpose: ProofPurpose, holder: UUID, number: str, now: datetime
) -> ProofStarted:
    """Make a challenge for a phone. holder: who changes the phone, or the id of an account to be made."""
    phone_hash = phone_hashes(keys, number)[0][1]
    challenge_id, code = to_base64url(new_secret()), new_letters()
    sends = await may_send(tx, phone_hash, number, now)
    pepper_id, pepper = keys.secret("pepper")
    await queries.INSERT_PROOF.run(
        tx,
        challenge_hash(challenge_id),
        purpose,
        holder,
        phone_hash,
        seal(keys, holder, _TABLE, "phone", number),
        pepper_id,
        letters_mac(pepper, challenge_id, code),
        seal(keys, holder, _TABLE, "code", code) if sends else None,
        now,
        now + CODE_LIFE,
    )
    await emit(tx, holder, EVENT, {"challenge": event_reference(challenge_id)}, now)
    return ProofStarted(challenge_id=challenge_id, expires_in_seconds=int(CODE_LIFE.total_seconds()))


async def charge(
    tx: Tx, keys: KeyRing, purpose: ProofPurpose, challenge_id: str, code: str, now: datetime
) -> ProvenPhone | Refused:
    """Charge one of five tries, then compare. Letters of another purpose are dead ones."""
    row = await queries.CHARGE_PROOF.one(tx, challenge_hash(challenge_id), purpose, now, CODE_TRIES)
    if row is None:
        return Refused(problem=CHALLENGE_DEAD)
    if not letters_hold(keys, challenge_id, code, row.pepper_id, row.code_hash):
        return Refused(problem=SIGN_IN_REFUSED, remaining=CODE_TRIES - row.attempts)
    number = unseal(keys, row.patient_id, _TABLE, "phone", row.phone)
    return ProvenPhone(holder=row.patient_id, number=number, phone_hash=row.phone_hash)


async def use(tx: Tx, challenge_id: str, proven: ProvenPhone) -> bool:
    """Use the challenge up, once. False: somebody else just did."""
    if await queries.USE_PROOF.one(tx, challenge_hash(challenge_id)) is None:
        return False
    await free_code_lock(tx, proven.phone_hash, "sign-in")
    return True


async def code_for_delivery(tx: Tx, keys: KeyRing, challenge: str, now: datetime) -> PhoneCode | None:
    """Open the letters for the one SMS they are for, and erase them in the same transaction.

    challenge: the reference in the event. None: expired, used, delivered before, or kept back.
    """
    id_hash = from_base64url(challenge)
    row = None if id_hash is None else await queries.PROOF_FOR_DELIVERY.one(tx, id_hash, now)
    await queries.ERASE_CODE.run(tx, id_hash)
    if row is None or row.code is None:
        return None
    return PhoneCode(
        purpose=row.purpose,
        holder=row.patient_id,
        number=unseal(keys, row.patient_id, _TABLE, "phone", row.phone),
        code=unseal(keys, row.patient_id, _TABLE, "code", row.code),
        expires_at=row.expires_at,
    )
