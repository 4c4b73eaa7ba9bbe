"""A request once it stands: what both sides see of it, and the person's refusal or report.

The asking side learns waiting, granted or ended. Whatever the person does short of granting looks the same
and ends at the same instant (security.md S19).
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.blocks.service import Target, block
from consent.grants.queries import grant_by_id
from consent.models import AccessRequest, AskingState, Grant, PractitionerRequest, RequestStatus, Scope
from consent.policy import (
    REQUEST_WINDOW,
    asking_state,
)
from consent.problems import (
    REQUEST_DECIDED,
    REQUEST_EXPIRED,
    UNKNOWN_REQUEST,
)
from consent.queries import lock_guard
from consent.requests import queries
from consent.requests.asking import Asked
from consent.transfer import Display, draw
from kernel.access import ALL_LABELS, Access, Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from visits.presence import presence_of, ticket_of


class AskingView(Struct, frozen=True, kw_only=True):
    """patient_id, grant_id and grant are set once it was granted, and never before. request: as it was asked;
    None where it is gone. grant: as it was given, before any later version of it."""

    request_id: UUID
    state: AskingState
    expires_at: datetime
    patient_id: UUID | None = None
    grant_id: UUID | None = None
    request: AccessRequest | None = None
    grant: Grant | None = None


def requested_scope(request: AccessRequest) -> Scope:
    """What was asked, as a scope. A request names no labels: they are the citizen's to tick."""
    return Scope(
        types=frozenset(request.types),
        since=request.since,
        until=request.until,
        duration_seconds=request.duration_seconds,
        labels=ALL_LABELS,
    )


async def asking_view(tx: Tx, actor: Actor, request_id: UUID, now: datetime) -> AskingView | Refused:
    """The state of the practitioner's own request."""
    mirror = await own_mirror(tx, actor, request_id)
    if isinstance(mirror, Refused):
        return mirror
    # Of an unknown person too a request stands: the same statement either way (security.md S19).
    request = await queries.request_by_id(tx, mirror.patient_id, request_id)
    granted = mirror.grant_id is not None
    grant = await grant_by_id(tx, mirror.patient_id, mirror.grant_id) if mirror.grant_id else None
    return AskingView(
        request_id=request_id,
        state=asking_state(granted, mirror.expires_at, now),
        expires_at=mirror.expires_at,
        patient_id=mirror.patient_id if granted else None,
        grant_id=mirror.grant_id,
        request=request,
        grant=grant,
    )


async def display(tx: Tx, keys: KeyRing, actor: Actor, request_id: UUID, now: datetime) -> Display | Refused:
    """The code and digits to show now, drawn anew each minute while the request is open."""
    mirror = await own_mirror(tx, actor, request_id)
    if isinstance(mirror, Refused):
        return mirror
    request = await queries.request_by_id(tx, mirror.patient_id, request_id)
    if request is None or now >= mirror.expires_at:
        return Refused(problem=REQUEST_EXPIRED)
    return draw(keys, request, now)


async def asked_again(
    tx: Tx, keys: KeyRing, actor: Actor, request_id: UUID, now: datetime
) -> Asked | Refused:
    """The answer to a repeat of the same ask: the request that stands, drawn anew."""
    mirror = await own_mirror(tx, actor, request_id)
    shown = await display(tx, keys, actor, request_id, now)
    if isinstance(mirror, Refused) or isinstance(shown, Refused):
        return Refused(problem=REQUEST_EXPIRED)
    return Asked(request_id=request_id, expires_at=mirror.expires_at, display=shown)


async def own_mirror(tx: Tx, actor: Actor, request_id: UUID) -> PractitionerRequest | Refused:
    """The practitioner's own request, made at the facility of this session."""
    if actor.facility_id is None:
        return Refused(problem=UNKNOWN_REQUEST)
    mirror = await queries.practitioner_request(tx, actor.actor_id, request_id, actor.facility_id)
    return mirror if mirror is not None else Refused(problem=UNKNOWN_REQUEST)


async def is_present(tx: Tx, request: AccessRequest, now: datetime) -> bool:
    """Presence when the request was made, or a check-in since."""
    found = await presence_of(tx, request.patient_id, request.facility_id, now)
    return request.presence or found is not None


async def has_ticket(tx: Tx, request: AccessRequest, now: datetime) -> bool:
    """Whether another account of the facility wrote the person down at the desk today."""
    found = await ticket_of(tx, request.patient_id, request.facility_id, request.practitioner_id, now)
    return found is not None


async def open_requests(tx: Tx, patient_id: UUID, now: datetime) -> list[AccessRequest]:
    """What waits for the person's answer, newest first."""
    return await queries.open_requests(tx, patient_id, now, now - REQUEST_WINDOW - timedelta(minutes=1))


async def request_for_citizen(
    tx: Tx, patient_id: UUID, request_id: UUID, now: datetime
) -> AccessRequest | Refused:
    """One open request of the person; one that did not reach the app does not exist."""
    request = await queries.request_by_id(tx, patient_id, request_id)
    if request is None or request.delivery not in ("ring", "silent"):
        return Refused(problem=UNKNOWN_REQUEST)
    if request.status != "requested":
        return Refused(problem=REQUEST_DECIDED)
    return Refused(problem=REQUEST_EXPIRED) if now >= request.expires_at else request


async def refuse_request(
    tx: Tx, access: Access, request_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """The person says no. Saying it again changes nothing; the asking side is not told."""
    return await _end(tx, access, request_id, "refused", trace_id, now)


async def report_request(
    tx: Tx, access: Access, request_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """Not me: the request ends, and the practitioner is blocked."""
    refused = await _end(tx, access, request_id, "reported", trace_id, now)
    if refused is not None:
        return refused
    request = await queries.request_by_id(tx, access.patient_id, request_id)
    assert request is not None
    target = Target(kind="practitioner", id=request.practitioner_id, name=request.practitioner_name)
    await block(tx, access, target, trace_id=trace_id, now=now)
    return None


async def _end(
    tx: Tx, access: Access, request_id: UUID, status: RequestStatus, trace_id: str, now: datetime
) -> Refused | None:
    assert access.action in ("answer-request", "guard-grants", "manage-grants")
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    if not await queries.end_request(tx, patient_id, request_id, status, now):
        standing = await queries.request_by_id(tx, patient_id, request_id)
        if standing is not None and standing.status == status:
            return None
        outcome = await request_for_citizen(tx, patient_id, request_id, now)
        return outcome if isinstance(outcome, Refused) else Refused(problem=REQUEST_DECIDED)
    what = "refuse" if status == "refused" else "report"
    await emit(tx, patient_id, f"consent.{status}", {"request_id": str(request_id)}, now)
    await record_act(tx, patient_id, access.actor, f"consent:request:{what}", request_id=trace_id, now=now)
    return None
