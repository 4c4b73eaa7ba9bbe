"""Contacts for an emergency: named by the person, agreed to by their own phone.

The code goes to the contact's phone alone, so whoever answers holds that phone; it is no sign-in code and no
consent code (security.md S2), and the number signs nobody in (S1). Either side ends it at any time and the
other is told nothing (S23). Only contacts who agreed stand on the card and are told of emergency access.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.approval import Signed
from consent.emergency_card import queries
from consent.emergency_card.models import ContactPhone, ContactRow, Relation
from consent.emergency_card.problems import INVITATION_UNKNOWN, TOO_MANY_CONTACTS, UNKNOWN_CONTACT
from consent.queries import lock_guard
from consent.step_up import members
from identity import budgets
from identity.budgets import Budget
from identity.devices import verify_step_up
from identity.people import person_card
from identity.problems import STEP_UP_REFUSED
from identity.signatures import canonical
from identity.tokens import digest
from kernel.access import Access, Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from notifications.models import SmsContact
from notifications.service import notify
from store.database import Tx
from store.fields import lookup_hashes, seal, unseal
from store.keys import KeyRing
from store.outbox import emit

CONTACT_TYP = "emergency-contact"
CONTACTS_MAX: Final = 5
INVITATION_LIFE: Final = timedelta(days=7)
_TABLE: Final = "emergency_contact"
# 80 bits, without letters that are mistaken for digits: as long as it is found by itself, nobody guesses one.
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE: Final = re.compile(f"[{_LETTERS}]{{16}}")
_SEEN_AS: Final = str.maketrans("OIL", "011")

INVITATIONS_DAY: Final = Budget(kind="contact-invitation-day", limit=5, window=timedelta(days=1))
# What one phone, and one block of 10,000 numbers, hears of invitations. The sender does not learn of it.
PHONE_DAY: Final = Budget(kind="contact-sms-day", limit=3, window=timedelta(days=1))
PREFIX_HOUR: Final = Budget(kind="contact-sms-prefix", limit=50, window=timedelta(hours=1))
WRONG_CODES: Final = Budget(kind="contact-wrong-code", limit=30, window=timedelta(hours=1))

Answer = Literal["accept", "decline", "end"]


class NewContact(Struct, frozen=True, kw_only=True):
    """name as the person writes it; phone: E.164."""

    name: str
    phone: str
    relation: Relation


class Contact(Struct, frozen=True, kw_only=True):
    """A contact as its person sees it."""

    contact_id: UUID
    name: str
    phone: str
    relation: Relation
    accepted: bool
    named_at: datetime
    expires_at: datetime | None


class Invitation(Struct, frozen=True, kw_only=True):
    """What the contact sees before answering: who asks. accepted: it was answered with yes."""

    person_name: str
    relation: Relation
    accepted: bool


def contact_text(
    actor: Actor, patient_id: UUID, contact: NewContact, signed: Signed, environment: str
) -> dict[str, Any]:
    """What the device signs to name a contact: JCS of this."""
    return members(actor, patient_id, CONTACT_TYP, signed, environment) | {
        "name": contact.name,
        "phone": contact.phone,
        "relation": contact.relation,
    }


async def name_contact(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    contact: NewContact,
    signed: Signed,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Contact | Refused:
    """Name a contact and send the code to that phone.

    Refused: step-up-refused, too-many-emergency-contacts, too-many.
    """
    assert access.action == "manage-emergency-card"
    patient_id, actor = access.patient_id, access.actor
    await lock_guard(tx, patient_id)
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = canonical(contact_text(actor, patient_id, contact, signed, environment))
    proof = await verify_step_up(
        tx,
        patient_id,
        actor.device_id,
        CONTACT_TYP,
        text,
        signed.signature,
        now,
        environment=environment,
    )
    if isinstance(proof, Refused):
        return proof
    if len(await queries.contacts(tx, patient_id, now)) >= CONTACTS_MAX:
        return Refused(problem=TOO_MANY_CONTACTS)
    spent = await budgets.charge_or_refuse(tx, INVITATIONS_DAY, budgets.subject(patient_id.bytes), now)
    if spent is not None:
        return spent
    made = await _invite(tx, keys, patient_id, contact, now)
    await _log(tx, patient_id, actor, "emergency:contact:name", trace_id, now)
    return _shown(keys, made)


async def contacts_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Contact]:
    """Who agreed and who was asked within a week."""
    return [_shown(keys, row) for row in await queries.contacts(tx, patient_id, now)]


async def contacts_to_tell(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[ContactPhone]:
    """Whom to tell of emergency access, by SMS without a word of health data: those who agreed."""
    return [
        ContactPhone(row.contact_id, unseal(keys, patient_id, _TABLE, "phone_sealed", row.phone_sealed))
        for row in await queries.accepted_contacts(tx, patient_id)
    ]


async def remove_contact(
    tx: Tx, access: Access, contact_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """The person ends it; the contact is told nothing. Refused: emergency-contact-unknown."""
    assert access.action == "manage-grants"
    await lock_guard(tx, access.patient_id)
    if not await _end(tx, access.patient_id, contact_id, "ended", now):
        return Refused(problem=UNKNOWN_CONTACT)
    await _log(tx, access.patient_id, access.actor, "emergency:contact:remove", trace_id, now)
    return None


async def read_invitation(
    tx: Tx, keys: KeyRing, code: str, network: str, now: datetime
) -> Invitation | Refused:
    """Who asks. Refused: contact-code-unknown, too-many."""
    row = await _row_of(tx, code, network, now)
    if isinstance(row, Refused):
        return row
    return await _invitation(tx, keys, row, accepted=row.state == "accepted")


async def answer_invitation(
    tx: Tx, keys: KeyRing, code: str, said: Answer, network: str, *, trace_id: str, now: datetime
) -> Invitation | Refused:
    """The contact agrees, declines, or ends it later; the person is told nothing of an end. Agreeing again is
    the same. Refused: contact-code-unknown, too-many."""
    row = await _row_of(tx, code, network, now)
    if isinstance(row, Refused):
        return row
    actor = Actor(kind="bearer", actor_id=row.contact_id)
    if said == "accept":
        if row.state == "invited":
            await queries.ANSWER_CONTACT.run(tx, row.patient_id, row.contact_id, now)
            await _log(tx, row.patient_id, actor, "emergency:contact:accept", trace_id, now)
        return await _invitation(tx, keys, row, accepted=True)
    state: Literal["ended", "declined"] = "declined" if row.state == "invited" else "ended"
    await _end(tx, row.patient_id, row.contact_id, state, now)
    await _log(tx, row.patient_id, actor, "emergency:contact:end", trace_id, now)
    return await _invitation(tx, keys, row, accepted=False)


def normal_code(text: str) -> str | None:
    """The code without spaces and dashes, misread letters put right; None when it can be none of ours."""
    letters = re.sub(r"[\s-]", "", text).upper().translate(_SEEN_AS)
    return letters if _CODE.fullmatch(letters) else None


async def _invite(tx: Tx, keys: KeyRing, patient_id: UUID, contact: NewContact, now: datetime) -> ContactRow:
    contact_id, code = uuid7(now), "".join(secrets.choice(_LETTERS) for _ in range(16))
    row = ContactRow(
        patient_id=patient_id,
        contact_id=contact_id,
        name_sealed=seal(keys, patient_id, _TABLE, "name_sealed", contact.name),
        phone_sealed=seal(keys, patient_id, _TABLE, "phone_sealed", contact.phone),
        relation=contact.relation,
        state="invited",
        code_hash=digest(code.encode()),
        named_at=now,
        expires_at=now + INVITATION_LIFE,
        answered_at=None,
    )
    await queries.INSERT_CONTACT.run(
        tx,
        patient_id,
        contact_id,
        row.name_sealed,
        row.phone_sealed,
        row.relation,
        row.code_hash,
        now,
        row.expires_at,
    )
    await queries.INSERT_CODE.run(tx, row.code_hash, patient_id, contact_id)
    may_send = await _may_send(tx, keys, contact.phone, now)
    await notify(
        tx,
        keys,
        patient_id,
        "contact-named",
        f"consent.contact-named:{contact_id}",
        now,
        row.expires_at,
        ref={"contact_id": str(contact_id)},
        sms=SmsContact(code=_spaced(code)) if may_send else None,
        phone=contact.phone if may_send else None,
    )
    return row


async def _may_send(tx: Tx, keys: KeyRing, phone: str, now: datetime) -> bool:
    """Whether this phone and its block of numbers may hear of another invitation (SMS pumping)."""
    _, phone_hash = lookup_hashes(keys, "phone", phone)[0]
    if not await budgets.charge(tx, PHONE_DAY, phone_hash, now):
        return False
    return await budgets.charge(tx, PREFIX_HOUR, budgets.subject(phone[:-4]), now)


def _spaced(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


async def _row_of(tx: Tx, code: str, network: str, now: datetime) -> ContactRow | Refused:
    normal = normal_code(code)
    owner = None if normal is None else await queries.code_owner(tx, digest(normal.encode()))
    row = (
        None if owner is None else await queries.contact_of_code(tx, owner.patient_id, owner.contact_id, now)
    )
    if row is not None:
        return row
    spent = await budgets.charge_or_refuse(tx, WRONG_CODES, budgets.subject(network), now)
    return spent or Refused(problem=INVITATION_UNKNOWN)


async def _invitation(tx: Tx, keys: KeyRing, row: ContactRow, *, accepted: bool) -> Invitation:
    card = await person_card(tx, keys, row.patient_id)
    name = card.name if card is not None else None
    return Invitation(person_name=name or "", relation=row.relation, accepted=accepted)


async def _end(
    tx: Tx, patient_id: UUID, contact_id: UUID, state: Literal["ended", "declined"], now: datetime
) -> bool:
    code_hash = await queries.END_CONTACT.one(tx, patient_id, contact_id, state, now)
    if code_hash is None:
        return False
    await queries.DELETE_CODE.run(tx, code_hash)
    await emit(tx, patient_id, "consent.contact-ended", {"contact_id": str(contact_id)}, now)
    return True


async def end_again(tx: Tx, patient_id: UUID, contact_id: UUID, now: datetime) -> None:
    """A contact whose end a restored backup undid."""
    code_hash = await queries.END_CONTACT.one(tx, patient_id, contact_id, "ended", now)
    if code_hash is not None:
        await queries.DELETE_CODE.run(tx, code_hash)


def _shown(keys: KeyRing, row: ContactRow) -> Contact:
    return Contact(
        contact_id=row.contact_id,
        name=unseal(keys, row.patient_id, _TABLE, "name_sealed", row.name_sealed),
        phone=unseal(keys, row.patient_id, _TABLE, "phone_sealed", row.phone_sealed),
        relation=row.relation,
        accepted=row.state == "accepted",
        named_at=row.named_at,
        expires_at=None if row.state == "accepted" else row.expires_at,
    )


async def _log(tx: Tx, patient_id: UUID, actor: Actor, tag: str, trace_id: str, now: datetime) -> None:
    await record_act(tx, patient_id, actor, tag, request_id=trace_id, now=now)
