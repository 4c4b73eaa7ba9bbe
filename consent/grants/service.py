"""Grants: issuing, ending and listing them. At most one lives per practitioner, facility and person."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.service import record_act
from consent.artefact import fhir_consent, sign_artefact
from consent.delegations.ending import end_one, end_with_grant
from consent.grants import queries
from consent.grants.policy import RevokeBy, is_alike
from consent.grants.prompts import arm_prompt
from consent.models import AccessRequest, EndReason, Grant, PractitionerGrant, Scope, Tier
from consent.policy import ENDING_ACTIONS, REMOTE_DELAY
from consent.problems import UNKNOWN_GRANT
from consent.queries import lock_doors, lock_guard
from consent.requests.queries import mark_granted
from consent.terms import ForAnother, note_for_another
from kernel.access import Access, Actor
from kernel.paging import PAGE_MAX
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

LAST_ID = UUID(int=(1 << 128) - 1)


class Consented(Struct, frozen=True, kw_only=True):
    """How the person agreed. choice: the bytes the device signed, None where a code was read out.

    renewal: to a grant in force and without a new visit; it opens nothing that was not open already.
    ends_by: never later, for another person whom age sets free; for_another: who answered.
    shared: by a code that the person gave out; the practitioner redeemed it.
    """

    tier: Tier
    scope: Scope
    presence: bool
    choice: bytes | None = None
    signature: str | None = None
    renewal: bool = False
    ends_by: datetime | None = None
    for_another: ForAnother | None = None
    shared: bool = False


async def issue_grant(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    request: AccessRequest,
    consented: Consented,
    *,
    grant_id: UUID,
    trace_id: str,
    now: datetime,
) -> Grant:
    """Write the grant that a charged attempt has just won; the person's consent lock is held.

    A live grant of the same practitioner and facility is superseded; scopes are never united.
    """
    old = await queries.supersede(tx, request.patient_id, request.practitioner_id, request.facility_id, now)
    if old is not None:
        await queries.end_practitioner_grant(
            tx, request.practitioner_id, request.patient_id, old.grant_id, now
        )
        await end_with_grant(tx, request.patient_id, old.grant_id, now)
        # The newer one may be the narrower: a restored backup brings the older back to nobody (S12).
        await emit(tx, request.patient_id, "consent.replaced", {"grant_id": str(old.grant_id)}, now)
    grant = _new_grant(request, consented, old, grant_id, now)
    artefact = sign_artefact(
        keys, grant, role=request.role, choice=consented.choice, signature=consented.signature
    )
    await queries.insert_grant(
        tx,
        grant,
        practitioner_role_id=request.practitioner_role_id,
        artefact=artefact,
        fhir_consent=msgspec.json.encode(fhir_consent(grant)).decode(),
    )
    await queries.insert_practitioner_grant(tx, grant)
    if consented.for_another is not None:
        await note_for_another(tx, request.patient_id, request.request_id, consented.for_another)
    await mark_granted(tx, request.practitioner_id, request.request_id, grant_id)
    await arm_prompt(tx, grant)
    await emit(tx, grant.patient_id, "consent.granted", {"grant_id": str(grant_id)}, now)
    await record_act(
        tx,
        grant.patient_id,
        actor,
        _act(consented),
        purpose=grant.purpose,
        grant_id=grant_id,
        grant_version=grant.version,
        request_id=trace_id,
        now=now,
    )
    return grant


async def revoke_grant(
    tx: Tx, access: Access, grant_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """Take a grant back; the practitioner's next request is refused. Once more changes nothing.

    Where a newer version took its place, that one ends: an old list on a screen must not leave it open.
    """
    assert access.action in ENDING_ACTIONS
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    grant = await queries.grant_by_id(tx, patient_id, grant_id)
    if grant is None:
        return Refused(problem=UNKNOWN_GRANT)
    if grant.end_reason in ("superseded", "narrowed"):
        grant = await queries.successor_of(tx, grant)
    if grant is None or grant.ended_at is not None:
        return None
    await end_grant(tx, patient_id, grant.grant_id, access.actor, trace_id=trace_id, now=now)
    return None


async def give_back(tx: Tx, actor: Actor, grant_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """A practitioner ends the own access: a grant, or what a doctor handed to a nurse. Once more changes
    nothing, and a newer version that took its place ends, as above. Somebody else's is none: grant-unknown.
    """
    line = actor.facility_id and await queries.own_line(tx, actor.actor_id, grant_id, actor.facility_id)
    if not line:
        return Refused(problem=UNKNOWN_GRANT)
    await lock_guard(tx, line.patient_id)
    if line.delegated_by is not None:
        if await end_one(tx, line.patient_id, grant_id, now):
            await record_act(
                tx, line.patient_id, actor, "consent:delegation:end", request_id=trace_id, now=now
            )
        return None
    grant = await queries.grant_by_id(tx, line.patient_id, grant_id)
    if grant is not None and grant.end_reason in ("superseded", "narrowed"):
        grant = await queries.successor_of(tx, grant)
    if grant is not None and grant.ended_at is None:
        ended = _Ended("given-back", "consent.given-back", "consent:grant:give-back")
        await end_grant(tx, line.patient_id, grant.grant_id, actor, trace_id=trace_id, now=now, how=ended)
    return None


class _Ended(Struct, frozen=True):
    """How a grant ends: in its row, for what follows from it, and in the log."""

    reason: EndReason
    event: str
    act: str


_REVOKED: Final = _Ended("revoked", "consent.revoked", "consent:grant:revoke")


async def end_grant(
    tx: Tx,
    patient_id: UUID,
    grant_id: UUID,
    actor: Actor,
    *,
    trace_id: str,
    now: datetime,
    how: _Ended = _REVOKED,
) -> None:
    """End a grant that has not ended, and what stands on it. The person's consent lock is held."""
    ended = await queries.revoke(tx, patient_id, grant_id, now, how.reason)
    assert ended is not None, "the person's consent lock is held"
    await queries.end_practitioner_grant(tx, ended.practitioner_id, patient_id, grant_id, now)
    await end_with_grant(tx, patient_id, grant_id, now)
    await emit(tx, patient_id, how.event, {"grant_id": str(grant_id)}, now)
    await record_act(
        tx,
        patient_id,
        actor,
        how.act,
        grant_id=grant_id,
        grant_version=ended.version,
        request_id=trace_id,
        now=now,
    )


async def revoke_many(
    tx: Tx, access: Access, like: UUID | None, by: RevokeBy, *, trace_id: str, now: datetime
) -> Refused | None:
    """Take back every grant, or every one of the practitioner or facility that `like` was given to."""
    assert access.action in ("guard-grants", "manage-grants")
    await lock_guard(tx, access.patient_id)
    await lock_doors(tx, access.patient_id)
    known = None if like is None else await queries.grant_by_id(tx, access.patient_id, like)
    if known is None and by != "all":
        return Refused(problem=UNKNOWN_GRANT)
    for grant in await queries.live_grants_of_person(tx, access.patient_id, now):
        if known is None or is_alike(grant, known, by):
            await revoke_grant(tx, access, grant.grant_id, trace_id=trace_id, now=now)
    return None


async def grant_of_person(tx: Tx, patient_id: UUID, grant_id: UUID) -> Grant | Refused:
    grant = await queries.grant_by_id(tx, patient_id, grant_id)
    return grant if grant is not None else Refused(problem=UNKNOWN_GRANT)


async def proof_of_grant(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> queries.Proof | Refused:
    """The signed artefact of one's own grant as it was made, and its FHIR Consent as it stands now."""
    proof = await queries.proof_of_grant(tx, patient_id, grant_id)
    grant = await queries.grant_by_id(tx, patient_id, grant_id)
    if proof is None or grant is None:
        return Refused(problem=UNKNOWN_GRANT)
    active = grant.ended_at is None and now < grant.ends_at
    fhir = {**msgspec.json.decode(proof.fhir_consent), "status": "active" if active else "inactive"}
    return queries.Proof(artefact=proof.artefact, fhir_consent=msgspec.json.encode(fhir).decode())


async def grants_of_person(tx: Tx, patient_id: UUID, before: UUID | None, limit: int) -> list[Grant]:
    """All grants ever made, newest first, a page at a time."""
    return await queries.grants_of_person(tx, patient_id, before or LAST_ID, min(limit, PAGE_MAX + 1))


async def grants_of_practitioner(
    tx: Tx, actor: Actor, before: UUID | None, limit: int, now: datetime, patient_id: UUID | None = None
) -> list[PractitionerGrant]:
    """The practitioner's grants at this facility that have not ended, newest first; of one person where it is
    named."""
    if actor.facility_id is None:
        return []
    return await queries.grants_of_practitioner(
        tx,
        actor.actor_id,
        actor.facility_id,
        now,
        before or LAST_ID,
        min(limit, PAGE_MAX + 1),
        actor.factors_reset_at,
        patient_id,
    )


def _act(consented: Consented) -> str:
    if consented.renewal:
        return "consent:grant:renew"
    if consented.shared:
        return "consent:share-code:redeem"
    # Codes are typed by the practitioner: the log does not say that the practitioner allowed it.
    return "consent:grant:create" if consented.tier in ("A", "B") else "consent:code:accept"


def _new_grant(
    request: AccessRequest,
    consented: Consented,
    old: queries.Superseded | None,
    grant_id: UUID,
    now: datetime,
) -> Grant:
    scope = consented.scope
    # Without presence there are ten minutes in which one tap on any device cancels (S6).
    starts_at = now if consented.presence or consented.renewal else now + REMOTE_DELAY
    return Grant(
        patient_id=request.patient_id,
        grant_id=grant_id,
        version=old.version + 1 if old is not None else 1,
        supersedes=old.grant_id if old is not None else None,
        request_id=request.request_id,
        practitioner_id=request.practitioner_id,
        practitioner_name=request.practitioner_name,
        licence=request.licence,
        facility_id=request.facility_id,
        facility_name=request.facility_name,
        purpose=request.purpose,
        tier=consented.tier,
        presence=consented.presence,
        types=sorted(scope.types),
        since=scope.since,
        until=scope.until,
        labels=int(scope.labels),
        created_at=now,
        starts_at=starts_at,
        ends_at=_end(consented, starts_at),
        ended_at=None,
        end_reason=None,
    )


def _end(consented: Consented, starts_at: datetime) -> datetime:
    ends_at = starts_at + timedelta(seconds=consented.scope.duration_seconds)
    return ends_at if consented.ends_by is None else max(starts_at, min(ends_at, consented.ends_by))
