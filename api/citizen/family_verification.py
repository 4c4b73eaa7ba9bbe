"""Proving at the identity provider whose guardian one is."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from api.acting import begin_for
from api.citizen.family import TAGS
from api.public.enrolments import EnrolmentBegun, EnrolmentStart, Token
from api.request import Call, answer
from family import provider
from family.problems import ADULTS_ONLY
from identity import budgets
from identity.problems import DEVICE_ON_PROBATION, TOO_MANY
from identity.verification import service as verification
from identity.verification.models import Opened
from identity.verification.problems import (
    RETURN_ADDRESS_UNKNOWN,
    VERIFICATION_LEVEL_LOW,
    VERIFICATION_REFUSED,
    VERIFICATION_UNAVAILABLE,
)
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx


class FamilyProofStart(EnrolmentStart, kw_only=True, forbid_unknown_fields=True):
    """As `start_enrolment` takes it: the hash of a secret that stays on the device, and the app's address."""


class FamilyProofBegun(EnrolmentBegun, kw_only=True):
    """address: opened in the system's browser, within ten minutes."""


class FamilyProofFinish(Struct, kw_only=True, forbid_unknown_fields=True):
    """receipt: from the browser's way back. secret: the 32 bytes, base64url."""

    receipt: Token
    secret: Token


@post(
    "/v1/me/family/verification/start",
    status_code=201,
    actors=("citizen",),
    operation_id="me_start_family_proof",
    tags=TAGS,
    problems=(
        VERIFICATION_UNAVAILABLE,
        VERIFICATION_REFUSED,
        RETURN_ADDRESS_UNKNOWN,
        ADULTS_ONLY,
        TOO_MANY,
        DEVICE_ON_PROBATION,
    ),
)
async def start(data: JSONBody[FamilyProofStart], call: NamedDependency[Call]) -> Response[FamilyProofBegun]:
    """Begin to prove at the identity provider whose guardian one is."""
    async with begin_for(call, "make-proxy") as (tx, access):
        refused = await _allowed(tx, call, access, data)
    opened = refused or await verification.open_at(call.verifier, call.now)
    if isinstance(opened, Refused):
        return answer(opened)
    call.time_went_by()
    async with begin_for(call, "make-proxy") as (tx, _):
        begun = await _begun(tx, call, data, opened)
    return answer(begun)


async def _allowed(tx: Tx, call: Call, access: Access, data: FamilyProofStart) -> Refused | None:
    person = budgets.subject(access.patient_id.bytes)
    refused = await budgets.charge_or_refuse(tx, budgets.CHILD_LINKS_DAY, person, call.now)
    if refused is None and data.return_to not in call.identity_return:
        return Refused(problem=RETURN_ADDRESS_UNKNOWN, where="return_to")
    return refused


async def _begun(tx: Tx, call: Call, data: FamilyProofStart, opened: Opened) -> FamilyProofBegun | Refused:
    begun = await verification.begin(
        tx,
        call.keys,
        opened,
        purpose="link-children",
        secret_challenge=data.secret_challenge,
        return_to=data.return_to,
        now=call.now,
    )
    if isinstance(begun, Refused):
        return begun
    return FamilyProofBegun(
        transaction_id=begun.transaction_id, address=begun.address, expires_at=begun.expires_at
    )


@post(
    "/v1/me/family/verification/finish",
    status_code=204,
    actors=("citizen",),
    operation_id="me_finish_family_proof",
    tags=TAGS,
    problems=(VERIFICATION_REFUSED, VERIFICATION_LEVEL_LOW, ADULTS_ONLY, DEVICE_ON_PROBATION),
)
async def finish(data: JSONBody[FamilyProofFinish], call: NamedDependency[Call]) -> Response[None]:
    """Become the guardian of each child under 15 whom the provider names, once level 2 proved who asks.

    The answer is the same whoever was named. GET /v1/me/family shows who is linked, and with starts_at who
    waits: beside another guardian it counts after 72 hours, unless that one says no. Nothing new there means
    that no child could be linked, and never why: a number that nobody has, one that was never verified, 15 or
    older, barred or objected to read alike. A facility's desk sees the papers then.
    """
    async with begin_for(call, "make-proxy") as (tx, access):
        done = await provider.link_children(
            tx, call.keys, access, data.receipt, data.secret, trace_id=call.request_id, now=call.now
        )
    return answer(done)


handlers: list[Any] = [start, finish]
