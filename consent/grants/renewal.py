"""Renewing a grant without a new visit (consent.md §3.3): the person's own act, and a new request version.

It starts with the person and never with the practitioner, whose remote requests keep the caps of S6
(docs/decisions/0008-renewal.md). Scope and length are chosen and signed anew.
"""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import rfc8785
from msgspec import Struct, structs

from consent.approval import Signed
from consent.grants import queries
from consent.grants.policy import is_renewable, scope_of, why_not_renewable
from consent.grants.service import Consented, issue_grant
from consent.holds import held_of
from consent.models import AccessRequest, Grant, Scope
from consent.policy import REQUEST_WINDOW, cap_for, exceeds, granted_scope, is_empty
from consent.problems import GRANT_NOT_RENEWABLE, NOTHING_GRANTED, SCOPE_EXCEEDS_GRANT, UNKNOWN_GRANT
from consent.queries import lock_guard
from consent.requests.queries import insert_request, request_by_id
from identity.devices import verify_step_up
from identity.practitioners import practitioner_card
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access, Actor, Label, RecordType
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

RENEW_TYP: Final = "grant-renew"


class Renewal(Struct, frozen=True, kw_only=True):
    """What the person chooses anew, inside the grant. Sensitive labels are never renewed."""

    types: frozenset[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    signed: Signed


def renewal_text(actor: Actor, grant: Grant, renewal: Renewal, environment: str) -> dict[str, Any]:
    """What the device signs to renew: JCS of this, rebuilt here from the grant and the choice."""
    return {
        "typ": RENEW_TYP,
        "environment": environment,
        "patient_id": str(grant.patient_id),
        "device_id": str(actor.device_id),
        "nonce": renewal.signed.nonce,
        "iat": renewal.signed.iat,
        "exp": renewal.signed.exp,
        "grant_id": str(grant.grant_id),
        "version": grant.version,
        "doctor": grant.practitioner_name,
        "licence": grant.licence,
        "facility": grant.facility_name,
        "purpose": grant.purpose,
        "types": sorted(renewal.types),
        "since": renewal.since.isoformat() if renewal.since else None,
        "until": renewal.until.isoformat() if renewal.until else None,
        "duration_seconds": renewal.duration_seconds,
    }


async def renew_grant(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    grant_id: UUID,
    renewal: Renewal,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Grant | Refused:
    """A new version from now on, at most as wide and as long as the one in force.

    Refused: grant-unknown, grant-not-renewable (over, held, made without presence or for less than a week, or
    the practitioner no longer works there), scope-exceeds-grant, step-up-refused, nothing-to-grant.
    """
    assert access.action == "confirm-grants"
    await lock_guard(tx, access.patient_id)
    grant = await queries.grant_by_id(tx, access.patient_id, grant_id)
    if grant is None:
        return Refused(problem=UNKNOWN_GRANT)
    old = await _request_to_renew(tx, grant, now)
    if old is None:
        return Refused(problem=GRANT_NOT_RENEWABLE, where=why_not_renewable(grant))
    choice = _choice(renewal)
    wider = exceeds(choice, scope_of(grant))
    if wider is not None:
        return Refused(problem=SCOPE_EXCEEDS_GRANT, where=wider)
    text = rfc8785.dumps(renewal_text(access.actor, grant, renewal, environment))
    refused = await _step_up(tx, access, text, renewal, environment, now)
    if refused is not None:
        return refused
    cap = cap_for(grant.tier, presence=True, probation=False)
    scope = granted_scope(scope_of(grant), choice, cap, old.role, local_day(now))
    if is_empty(scope):
        return Refused(problem=NOTHING_GRANTED)
    request = await _new_request(tx, old, scope, now)
    consented = Consented(
        tier=grant.tier,
        scope=scope,
        presence=False,
        choice=text,
        signature=renewal.signed.signature,
        renewal=True,
    )
    return await issue_grant(
        tx, keys, access.actor, request, consented, grant_id=uuid7(now), trace_id=trace_id, now=now
    )


async def _request_to_renew(tx: Tx, grant: Grant, now: datetime) -> AccessRequest | None:
    """The request that the grant came from, with the practitioner's role of today; None: not renewable."""
    held = grant.grant_id in await held_of(tx, [grant], now)
    request = await request_by_id(tx, grant.patient_id, grant.request_id)
    if request is None or not is_renewable(grant, held=held, now=now):
        return None
    card = await practitioner_card(tx, request.practitioner_role_id, now)
    if card is None or not card.active:
        return None
    return structs.replace(request, role=card.role)


async def _step_up(
    tx: Tx, access: Access, text: bytes, renewal: Renewal, environment: str, now: datetime
) -> Refused | None:
    device_id = access.actor.device_id
    if device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    signature = renewal.signed.signature
    outcome = await verify_step_up(
        tx, access.patient_id, device_id, RENEW_TYP, text, signature, now, environment=environment
    )
    return outcome if isinstance(outcome, Refused) else None


async def _new_request(tx: Tx, old: AccessRequest, scope: Scope, now: datetime) -> AccessRequest:
    """The next version of the request, answered as it is written."""
    request = structs.replace(
        old,
        request_id=uuid7(now),
        types=sorted(scope.types),
        since=scope.since,
        until=scope.until,
        duration_seconds=scope.duration_seconds,
        presence=False,
        status="granted",
        attempts=0,
        created_at=now,
        expires_at=now + REQUEST_WINDOW,
    )
    await insert_request(tx, request)
    return request


def _choice(renewal: Renewal) -> Scope:
    return Scope(
        types=renewal.types,
        since=renewal.since,
        until=renewal.until,
        duration_seconds=renewal.duration_seconds,
        labels=Label.NONE,
    )
