"""Grants held after somebody replaced a practitioner's factors (security.md S16), or after a restored backup
(S12).

The decision refuses a held grant from the instant of the reset or of the new epoch. The person is told, and
opens it again by a step-up act, or lets it end. Nobody else can: the old factor is gone with the reset.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from audit.service import record_act
from consent.approval import Signed
from consent.artefact import label_names
from consent.grants import queries
from consent.grants.queries import GrantKey
from consent.models import Grant
from consent.policy import is_held
from consent.problems import UNKNOWN_GRANT
from consent.queries import lock_guard
from identity.devices import verify_step_up
from identity.practitioners import factors_reset_at
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access, Actor, Label
from kernel.problems import Refused
from store.database import Tx
from store.epoch import current
from store.outbox import emit

CONFIRM_TYP = "consent-confirm"
PAGE = 200
NOBODY = GrantKey(UUID(int=0), UUID(int=0))


def confirm_text(actor: Actor, grant: Grant, signed: Signed, environment: str) -> dict[str, Any]:
    """What the device signs to let a grant stand: JCS of this. The whole scope: a restored backup may hold an
    older and wider version than the person remembers."""
    return {
        "typ": CONFIRM_TYP,
        "environment": environment,
        "patient_id": str(grant.patient_id),
        "device_id": str(actor.device_id),
        "nonce": signed.nonce,
        "iat": signed.iat,
        "exp": signed.exp,
        "grant_id": str(grant.grant_id),
        "doctor": grant.practitioner_name,
        "licence": grant.licence,
        "facility": grant.facility_name,
        "version": grant.version,
        "types": sorted(grant.types),
        "labels": label_names(Label(grant.labels)),
        "since": grant.since.isoformat() if grant.since else None,
        "until": grant.until.isoformat() if grant.until else None,
        "ends": int(grant.ends_at.timestamp()),
    }


async def confirm_grant(
    tx: Tx,
    access: Access,
    grant_id: UUID,
    signed: Signed,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Grant | Refused:
    """The person says again that a live grant stands. Scope and end stay as they were.

    Refused: grant-unknown (also for one that is over), step-up-refused.
    """
    assert access.action == "confirm-grants"
    actor = access.actor
    await lock_guard(tx, access.patient_id)
    grant = await queries.grant_by_id(tx, access.patient_id, grant_id)
    if grant is None:
        return Refused(problem=UNKNOWN_GRANT)
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = rfc8785.dumps(confirm_text(actor, grant, signed, environment))
    held = await verify_step_up(
        tx,
        grant.patient_id,
        actor.device_id,
        CONFIRM_TYP,
        text,
        signed.signature,
        now,
        environment=environment,
    )
    if isinstance(held, Refused):
        return held
    confirmed = await queries.confirm_grant(tx, grant.patient_id, grant_id, now)
    if confirmed is None:
        return Refused(problem=UNKNOWN_GRANT)
    await record_act(
        tx,
        grant.patient_id,
        actor,
        "consent:grant:confirm",
        purpose=grant.purpose,
        grant_id=grant_id,
        grant_version=grant.version,
        request_id=trace_id,
        now=now,
    )
    return confirmed


async def held_of(tx: Tx, grants: Iterable[Grant], now: datetime) -> frozenset[UUID]:
    """Which of these grants are held now; one statement per practitioner of a live one, and one besides."""
    live = [grant for grant in grants if grant.ended_at is None and now < grant.ends_at]
    resets = {
        practitioner_id: await factors_reset_at(tx, practitioner_id)
        for practitioner_id in {grant.practitioner_id for grant in live}
    }
    epoch = await current(tx)
    return frozenset(
        grant.grant_id
        for grant in live
        if is_held(grant.created_at, grant.confirmed_at, resets[grant.practitioner_id])
        or is_held(grant.created_at, grant.confirmed_at, epoch.started_at)
    )


async def announce_held(tx: Tx, practitioner_id: UUID, after: GrantKey, now: datetime) -> GrantKey | None:
    """Tell a page of people that a grant of theirs is held. Returns where to go on, None at the end."""
    page = await queries.live_grant_keys(tx, practitioner_id, now, after, PAGE)
    for key in page:
        await emit(tx, key.patient_id, "consent.held", {"grant_id": str(key.grant_id)}, now)
    return page[-1] if len(page) == PAGE else None
