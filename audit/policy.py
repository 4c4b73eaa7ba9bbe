"""What a row says. Pure: salts and time are arguments."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from audit.chain import body_digest, name_commitment
from audit.models import Entry, EntryActor, EntryGrant, Outcome
from kernel.access import Access, Action, Actor

# Audit tags are source:subject:action.
READ_TAGS: dict[Action, str] = {
    "read-summary": "record:summary:read",
    "read-section": "record:section:read",
    "read-timeline": "record:timeline:read",
    "read-trend": "record:trend:read",
    "search": "record:search:read",
    "read-changes": "record:changes:read",
    "read-document": "record:document:read",
    "read-access-log": "log:access:read",
    "look-at-log": "log:access:read",
    "read-notifications": "inbox:notification:read",
    "open-case": "case:list:read",
    "read-emergency-card": "record:emergency-card:read",
    "read-wishes": "record:wishes:read",
    "read-shared": "record:link:read",
    "read-prescriptions": "record:prescriptions:read",
    "dispense": "record:prescription:read",
    "read-coverage": "record:coverage:read",
    "read-costs": "record:costs:read",
    "read-referrals": "record:referrals:read",
    "read-unanswered": "record:reminders:read",
    "read-by-app": "record:app:read",
}


def read_tag(action: Action, part: str | None) -> str:
    """The tag of a read; a section of the record is named, so that an empty one says what was opened."""
    return f"record:{part}:read" if part else READ_TAGS[action]


def utc_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, the one spelling that rows use."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def by_type(resources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for resource_type, resource_id in resources:
        grouped.setdefault(resource_type, []).append(resource_id)
    return grouped


def is_own_act(actor: Actor, patient_id: UUID) -> bool:
    return actor.kind == "citizen" and actor.actor_id == patient_id


def entry_actor(actor: Actor, patient_id: UUID, actor_salt: bytes) -> EntryActor:
    """The person's own name needs no commitment: the chain is the person's own."""
    own = is_own_act(actor, patient_id)
    return EntryActor(
        commitment=None if own else name_commitment(actor_salt, actor.name, actor.licence),
        device_id=actor.device_id,
        id=actor.actor_id,
        kind=actor.kind,
        role=actor.role,
        role_id=actor.practitioner_role_id,
    )


def read_entry(
    access: Access,
    *,
    resources: list[tuple[str, str]],
    body: bytes,
    outcome: Outcome,
    request_id: str,
    at: datetime,
    salt: bytes,
    actor_salt: bytes,
    part: str | None,
) -> Entry:
    grant = access.basis_id and EntryGrant(id=access.basis_id, version=access.basis_version)
    return Entry(
        action=read_tag(access.action, part),
        actor=entry_actor(access.actor, access.patient_id, actor_salt),
        at=utc_text(at),
        basis=access.basis,
        body_sha256=body_digest(salt, body),
        count=len(resources),
        facility_id=access.actor.facility_id,
        grant=grant or None,
        on_behalf_of=access.on_behalf_of,
        outcome=outcome,
        patient_id=access.patient_id,
        purpose=access.purpose,
        reason=None,
        request_id=request_id,
        resources=by_type(resources),
    )


def _dependent(actor: Actor, patient_id: UUID) -> UUID | None:
    """A citizen who acts in a book that is not the own one does so for that person."""
    return None if actor.kind != "citizen" or actor.actor_id == patient_id else patient_id


def act_entry(
    patient_id: UUID,
    actor: Actor,
    action: str,
    *,
    purpose: str | None,
    grant: EntryGrant | None,
    resources: Iterable[tuple[str, str]],
    outcome: Outcome,
    reason: str | None,
    request_id: str,
    at: datetime,
    on_behalf_of: UUID | None,
    actor_salt: bytes,
) -> Entry:
    named = by_type(resources)
    return Entry(
        action=action,
        actor=entry_actor(actor, patient_id, actor_salt),
        at=utc_text(at),
        basis=None,
        body_sha256=None,
        count=sum(len(ids) for ids in named.values()),
        facility_id=actor.facility_id,
        grant=grant,
        on_behalf_of=on_behalf_of or _dependent(actor, patient_id),
        outcome=outcome,
        patient_id=patient_id,
        purpose=purpose,
        reason=reason,
        request_id=request_id,
        resources=named,
    )
