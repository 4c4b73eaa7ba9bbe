"""What the holder of a code may do without an account: open an emergency card, answer an invitation.

Codes stand in bodies, never in addresses (security.md S34).
"""

from typing import Annotated, Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.problems import UNAVAILABLE
from api.reading import open_emergency_card
from api.request import Call, answer
from consent.emergency_card import contacts
from consent.emergency_card.contacts import Answer, Invitation
from consent.emergency_card.models import CardContent, Relation
from consent.emergency_card.problems import CARD_UNKNOWN, INVITATION_UNKNOWN
from identity.problems import TOO_MANY
from kernel.problems import Refused

TAGS = ["emergency-card"]
Code = Annotated[str, Meta(min_length=1, max_length=40)]


class CardCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """token: what follows `#` in the text of the QR code."""

    token: Annotated[str, Meta(min_length=1, max_length=100)]


class InvitationCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: the sixteen letters of the message, with or without dashes."""

    code: Code


class InvitationAnswer(Struct, kw_only=True, forbid_unknown_fields=True):
    """answer: accept; decline; end, later, by the same code."""

    code: Code
    answer: Answer


class InvitationView(Struct, kw_only=True):
    """Who asks. Whoever accepts lets name and number stand on the person's emergency card, if that line is
    ticked, and is told by SMS when somebody opens the record in an emergency, never with health data."""

    person_name: str
    relation: Relation
    accepted: bool


@post(
    "/v1/public/emergency-card",
    actors=("public",),
    operation_id="open_emergency_card",
    any_app=True,
    tags=TAGS,
    status_code=200,
    problems=(CARD_UNKNOWN, TOO_MANY, UNAVAILABLE),
)
async def open_card(data: JSONBody[CardCode], call: NamedDependency[Call]) -> Response[CardContent]:
    """What the person lets whoever finds the card see. Each opening is logged and told to the person."""
    return await open_emergency_card(call, data.token)


@post(
    "/v1/public/emergency-contacts/invitation",
    actors=("public",),
    operation_id="read_contact_invitation",
    tags=TAGS,
    status_code=200,
    problems=(INVITATION_UNKNOWN, TOO_MANY),
)
async def invitation(data: JSONBody[InvitationCode], call: NamedDependency[Call]) -> Response[InvitationView]:
    """Who asks one to be an emergency contact, before anything is answered."""
    async with call.begin_public() as tx:
        found = await contacts.read_invitation(tx, call.keys, data.code, call.network_prefix(), call.now)
    return answer(_view(found))


@post(
    "/v1/public/emergency-contacts/answer",
    actors=("public",),
    operation_id="answer_contact_invitation",
    tags=TAGS,
    status_code=200,
    problems=(INVITATION_UNKNOWN, TOO_MANY),
)
async def answer_invitation(
    data: JSONBody[InvitationAnswer], call: NamedDependency[Call]
) -> Response[InvitationView]:
    """Accept or decline to be a contact, or end it; after a decline or an end the code opens nothing."""
    async with call.begin_public() as tx:
        found = await contacts.answer_invitation(
            tx,
            call.keys,
            data.code,
            data.answer,
            call.network_prefix(),
            trace_id=call.request_id,
            now=call.now,
        )
    return answer(_view(found))


def _view(found: Invitation | Refused) -> InvitationView | Refused:
    if isinstance(found, Refused):
        return found
    return InvitationView(person_name=found.person_name, relation=found.relation, accepted=found.accepted)


handlers: list[Any] = [open_card, invitation, answer_invitation]
