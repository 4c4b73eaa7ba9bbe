"""Taking parts out of a grant: a new version that supersedes; a row's scope never changes."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import structs

from audit.service import record_act
from consent.artefact import fhir_consent, role_in, sign_artefact
from consent.delegations.ending import end_with_grant
from consent.grants import queries
from consent.grants.policy import Narrower, exceeds_grant, is_left
from consent.grants.prompts import arm_prompt
from consent.models import Grant
from consent.problems import NOTHING_GRANTED, SCOPE_EXCEEDS_GRANT, UNKNOWN_GRANT
from consent.queries import lock_guard
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit


async def narrow_grant(
    tx: Tx, keys: KeyRing, access: Access, grant_id: UUID, less: Narrower, *, trace_id: str, now: datetime
) -> Grant | Refused:
    """Cut a grant down; the practitioner's next request sees the rest. A session alone may do so.

    A version that was narrowed already stands for the one that took its place, so a repeat changes nothing.
    What is held stays held: the new version was agreed when the old one was.
    Refused: grant-unknown (also for one that is over), scope-exceeds-grant, nothing-to-grant.
    """
    assert access.action == "manage-grants"
    await lock_guard(tx, access.patient_id)
    grant = await queries.grant_by_id(tx, access.patient_id, grant_id)
    if grant is not None and grant.end_reason == "narrowed":
        grant = await queries.successor_of(tx, grant)
    if grant is None or grant.ended_at is not None or now >= grant.ends_at:
        return Refused(problem=UNKNOWN_GRANT)
    wider = exceeds_grant(less, grant)
    if wider is not None:
        return Refused(problem=SCOPE_EXCEEDS_GRANT, where=wider)
    if not is_left(less, grant, now):
        return Refused(problem=NOTHING_GRANTED)
    version = _version(grant, less)
    if version == grant:
        return grant
    return await _replace(tx, keys, access, grant, _numbered(version, grant, now), trace_id, now)


def _version(grant: Grant, less: Narrower) -> Grant:
    return structs.replace(
        grant,
        types=grant.types if less.types is None else sorted(less.types),
        since=less.since or grant.since,
        until=less.until or grant.until,
        labels=grant.labels if less.labels is None else int(less.labels),
        ends_at=less.ends_at or grant.ends_at,
    )


def _numbered(version: Grant, old: Grant, now: datetime) -> Grant:
    return structs.replace(
        version, grant_id=uuid7(now), version=old.version + 1, supersedes=old.grant_id, narrowed_at=now
    )


async def _replace(
    tx: Tx, keys: KeyRing, access: Access, old: Grant, new: Grant, trace_id: str, now: datetime
) -> Grant:
    ended = await queries.end_for_narrower(tx, old.patient_id, old.grant_id, now)
    await queries.end_practitioner_grant(tx, old.practitioner_id, old.patient_id, old.grant_id, now)
    await end_with_grant(tx, old.patient_id, old.grant_id, now)
    role = role_in(ended.artefact)
    await queries.insert_grant(
        tx,
        new,
        practitioner_role_id=ended.practitioner_role_id,
        # The signed choice stands in the artefact that this one supersedes.
        artefact=sign_artefact(keys, new, role=role, choice=None, signature=None),
        fhir_consent=msgspec.json.encode(fhir_consent(new)).decode(),
    )
    await queries.insert_practitioner_grant(tx, new)
    await arm_prompt(tx, new)
    await emit(tx, new.patient_id, "consent.narrowed", {"grant_id": str(new.grant_id)}, now)
    await emit(tx, old.patient_id, "consent.replaced", {"grant_id": str(old.grant_id)}, now)
    await record_act(
        tx,
        new.patient_id,
        access.actor,
        "consent:grant:narrow",
        purpose=new.purpose,
        grant_id=new.grant_id,
        grant_version=new.version,
        request_id=trace_id,
        now=now,
    )
    return new
