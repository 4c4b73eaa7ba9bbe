"""The person's emergency card and contacts for an emergency.

Off until the person ticks a line, each line alone. A tick that was not there before, a new code and naming a
contact are signed by the device; unticking, turning off and removing a contact need the session alone.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.exporting import CARD, PDF, export_own, origin_of
from api.problems import INVALID_FIELD
from api.reading import OWN_PROBLEMS, preview_emergency_card
from api.request import Call, answer
from consent.emergency_card import contacts, service
from consent.emergency_card.contacts import Contact, NewContact
from consent.emergency_card.models import CardContent, LiveCard, Part, Relation
from consent.emergency_card.problems import (
    CARD_OFF,
    SIGNATURE_NEEDED,
    TOO_MANY_CONTACTS,
    UNKNOWN_CONTACT,
)
from consent.emergency_card.service import Saved
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from family.problems import GUARDIAN_NEEDED
from identity.identifiers import normal_phone
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED, TOO_MANY
from kernel.problems import Refused, refuse

TAGS = ["emergency-card"]
Parts = Annotated[list[Part], Meta(min_length=1, max_length=7)]
BASE_PROBLEMS = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")


class CardView(Struct, kw_only=True):
    """The card. on: whoever has the code sees the parts. link: the text of the QR code, handed out only when
    it is new; the app keeps it."""

    on: bool
    parts: list[Part]
    agreed_at: datetime | None
    issued_at: datetime | None
    link: str | None = None


class CardChoice(Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole choice. signed is needed where a part was not ticked before: the device signs JCS of typ
    emergency-card, environment, patient_id, device_id, nonce, iat, exp, parts (sorted), new_code "no"."""

    parts: Parts
    signed: SignedAct | None = None


class NewCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """Signed as a choice is, over the parts as they are and new_code "yes"."""

    signed: SignedAct


class ContactInvitation(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to ask. The device signs JCS of typ emergency-contact, environment, patient_id, device_id, nonce,
    iat, exp, name, phone (as +84…), relation."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    phone: Annotated[str, Meta(min_length=8, max_length=20)]
    relation: Relation
    signed: SignedAct


class ContactView(Struct, kw_only=True):
    """One contact. accepted false: asked, and not answered yet; expires_at says until when."""

    contact_id: UUID
    name: str
    phone: str
    relation: Relation
    accepted: bool
    named_at: datetime
    expires_at: datetime | None


class Contacts(Struct, kw_only=True):
    """At most five."""

    items: list[ContactView]


@get(
    "/v1/me/emergency-card",
    actors=("citizen",),
    operation_id="me_emergency_card",
    any_app=True,
    tags=TAGS,
    problems=(),
)
async def card(call: NamedDependency[Call]) -> Response[CardView]:
    """Whether the card is on, and what it shows."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await service.card_of(tx, access.patient_id)
    return answer(_card_view(found, None))


@put(
    "/v1/me/emergency-card",
    actors=("citizen",),
    operation_id="me_set_emergency_card",
    tags=TAGS,
    problems=(SIGNATURE_NEEDED, STEP_UP_REFUSED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION),
)
async def set_card(data: JSONBody[CardChoice], call: NamedDependency[Call]) -> Response[CardView]:
    """Choose what the card shows; the first choice turns it on."""
    async with begin_for(call, "manage-emergency-card" if data.signed else "manage-grants") as (tx, access):
        outcome = await service.set_parts(
            tx,
            call.keys,
            access,
            frozenset(data.parts),
            signed_of(data.signed) if data.signed else None,
            origin=origin_of(call),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(_saved(outcome))


@post(
    "/v1/me/emergency-card/code",
    actors=("citizen",),
    operation_id="me_renew_emergency_card",
    tags=TAGS,
    status_code=200,
    problems=(CARD_OFF, STEP_UP_REFUSED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION),
)
async def renew_code(data: JSONBody[NewCode], call: NamedDependency[Call]) -> Response[CardView]:
    """Make a new code for the card; the old one opens nothing from now on."""
    async with begin_for(call, "manage-emergency-card") as (tx, access):
        outcome = await service.reissue(
            tx,
            call.keys,
            access,
            signed_of(data.signed),
            origin=origin_of(call),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(_saved(outcome))


@delete(
    "/v1/me/emergency-card",
    actors=("citizen",),
    operation_id="me_end_emergency_card",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(),
)
async def end_card(call: NamedDependency[Call]) -> Response[None]:
    """Turn the card off; its code opens nothing from now on."""
    async with begin_for(call, "manage-grants") as (tx, access):
        await service.turn_off(tx, access, trace_id=call.request_id, now=call.now)
    return answer(None)


@get(
    "/v1/me/emergency-card/content",
    actors=("citizen",),
    operation_id="me_emergency_card_content",
    any_app=True,
    tags=TAGS,
    problems=(*BASE_PROBLEMS, CARD_OFF),
)
async def content(call: NamedDependency[Call]) -> Response[CardContent]:
    """What whoever scans the card sees: for the lock screen, without the code."""
    return await preview_emergency_card(call)


@get(
    "/v1/me/emergency-card/card.pdf",
    actors=("citizen",),
    operation_id="me_emergency_card_paper",
    any_app=True,
    tags=TAGS,
    problems=(*BASE_PROBLEMS, CARD_OFF, STEP_UP_REFUSED, EXPORT_BUSY, EXPORT_OVERTAKEN),
    step_up=True,
    produces=PDF,
)
async def paper(call: NamedDependency[Call]) -> Response[bytes]:
    """The card for the wallet, with its code: signed like an export, over export `emergency-card`."""
    return await export_own(call, CARD)


@get(
    "/v1/me/emergency-contacts",
    actors=("citizen",),
    operation_id="me_emergency_contacts",
    any_app=True,
    tags=TAGS,
    problems=(GUARDIAN_NEEDED, DEVICE_ON_PROBATION),
)
async def list_contacts(call: NamedDependency[Call]) -> Response[Contacts]:
    """The emergency contacts: who agreed, and who was asked."""
    async with begin_for(call, "manage-emergency-card") as (tx, access):
        found = await contacts.contacts_of(tx, call.keys, access.patient_id, call.now)
    return answer(Contacts(items=[_contact_view(one) for one in found]))


@post(
    "/v1/me/emergency-contacts",
    actors=("citizen",),
    operation_id="me_name_emergency_contact",
    tags=TAGS,
    status_code=200,
    problems=(
        INVALID_FIELD,
        STEP_UP_REFUSED,
        TOO_MANY_CONTACTS,
        TOO_MANY,
        GUARDIAN_NEEDED,
        DEVICE_ON_PROBATION,
    ),
)
async def name_contact(
    data: JSONBody[ContactInvitation], call: NamedDependency[Call]
) -> Response[ContactView]:
    """Ask somebody to be a contact: a code goes to that phone."""
    phone = normal_phone(data.phone)
    async with begin_for(call, "manage-emergency-card") as (tx, access):
        made = await contacts.name_contact(
            tx,
            call.keys,
            access,
            NewContact(name=data.name, phone=phone or refuse(INVALID_FIELD, "phone"), relation=data.relation),
            signed_of(data.signed),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(made if isinstance(made, Refused) else _contact_view(made))


@delete(
    "/v1/me/emergency-contacts/{contact_id:uuid}",
    actors=("citizen",),
    operation_id="me_remove_emergency_contact",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_CONTACT,),
)
async def remove_contact(contact_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Remove a contact, who is told nothing."""
    async with begin_for(call, "manage-grants") as (tx, access):
        outcome = await contacts.remove_contact(
            tx, access, contact_id, trace_id=call.request_id, now=call.now
        )
    return answer(outcome)


def _saved(outcome: Saved | Refused) -> CardView | Refused:
    return outcome if isinstance(outcome, Refused) else _card_view(outcome.card, outcome.link)


def _card_view(found: LiveCard | None, link: str | None) -> CardView:
    if found is None:
        return CardView(on=False, parts=[], agreed_at=None, issued_at=None)
    return CardView(
        on=True, parts=found.parts, agreed_at=found.agreed_at, issued_at=found.issued_at, link=link
    )


def _contact_view(one: Contact) -> ContactView:
    return ContactView(
        contact_id=one.contact_id,
        name=one.name,
        phone=one.phone,
        relation=one.relation,
        accepted=one.accepted,
        named_at=one.named_at,
        expires_at=one.expires_at,
    )


handlers: list[Any] = [
    card,
    set_card,
    renew_code,
    end_card,
    content,
    paper,
    list_contacts,
    name_contact,
    remove_contact,
]
