"""Changes of the registers by two people (security.md S16, S26).

The first proposes with a reason, the second confirms within three days and receives the initial
secrets, once. Operators may change everything; a facility's administrators who works in which role at
their own facility, for licences that the register already holds, its emergency units and the secrets of
its systems; its privacy officers only whose name people's logs do not show (S27).
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from asyncpg import UniqueViolationError
from msgspec import Meta, Struct

from audit.protection.service import end_protection, protect
from audit.service import record_admin_event
from identity import practitioners, sessions
from identity.app_clients import service as app_clients
from identity.app_clients.models import ChangedAppClient, EndedAppClient, NewAppClient
from identity.app_versions import service as app_versions
from identity.app_versions.models import NewAppPolicy
from identity.clients import service as clients
from identity.facility_admin.models import WaitingChange
from identity.models import ChangeRow
from identity.policy import LICENSED_ROLES, can_hold_licensed_role
from identity.practitioners import NewPractitioner, PreparedCredential
from identity.problems import (
    LICENCE_NEEDED,
    NOT_IN_REGISTER,
    NOT_YOURS_TO_CHANGE,
    REGISTER_ENTRY_EXISTS,
    SECOND_ACCOUNT_NEEDED,
)
from identity.register import queries
from identity.register.facilities import NewCode, NewFacility, add_client, add_facility, change_code
from identity.units import service as units
from identity.units.models import ClosedUnit, NewUnit, RestoredEmergency, RoleUnit
from kernel.access import Actor, Role
from kernel.ids import uuid7
from kernel.problems import Refused, refuse
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from store.problems import ALREADY_CREATED

PROPOSAL_LIFE = timedelta(days=3)
RESET_WAIT = timedelta(hours=24)
ChangeKind = Literal[
    "facility",
    "practitioner",
    "practitioner-role",
    "practitioner-role-end",
    "practitioner-suspension",
    "practitioner-protection",
    "practitioner-protection-end",
    "facility-client",
    "facility-client-secret",
    "facility-code",
    "credential-reset",
    "facility-unit",
    "facility-unit-end",
    "practitioner-role-unit",
    "emergency-restoration",
    "app-client",
    "app-client-change",
    "app-client-end",
    "app-policy",
]
BY_ADMINISTRATORS: frozenset[ChangeKind] = frozenset(
    {
        "facility-client",
        "facility-client-secret",
        "practitioner-role",
        "practitioner-role-end",
        "facility-unit",
        "facility-unit-end",
        "practitioner-role-unit",
    }
)
_BY_PRIVACY_OFFICERS: frozenset[ChangeKind] = frozenset(
    {"practitioner-protection", "practitioner-protection-end"}
)
# What reaches beyond one facility is given by operators: two clinics of one owner would be both officers of a
# merge, and every look-up of the country (security.md S10, S16). A hotline is the department's.
_BEYOND_ONE_FACILITY: frozenset[Role] = frozenset(
    {"registry-officer", "privacy-officer", "department-analyst", "hotline-agent"}
)

_WITH_SECRETS: frozenset[ChangeKind] = frozenset(
    {"practitioner", "facility-client", "facility-client-secret", "credential-reset"}
)


class NewRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    practitioner_id: UUID
    facility_id: UUID
    role: Role


class EndedRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    practitioner_role_id: UUID
    facility_id: UUID


class NewClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    facility_id: UUID
    kind: Literal["facility-system", "kiosk"]
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class RenewedClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another secret for a system of the facility; the one before ends with the confirmation."""

    facility_id: UUID
    client_id: UUID


class SuspendedLicence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The licence of this person: every role at every facility stops."""

    practitioner_id: UUID


class ProtectedPractitioner(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose name people's logs do not show for a year. The facility is one where the practitioner works."""

    practitioner_id: UUID
    facility_id: UUID


class EndedProtection(ProtectedPractitioner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name is shown again, on old rows too."""


class CredentialReset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    practitioner_id: UUID


UnitChange = NewUnit | ClosedUnit | RoleUnit | RestoredEmergency
AppClientChange = NewAppClient | ChangedAppClient | EndedAppClient
_KeptChange = EndedRole | SuspendedLicence | ProtectedPractitioner | UnitChange | AppClientChange
Change = (
    NewFacility
    | NewPractitioner
    | NewRole
    | EndedRole
    | SuspendedLicence
    | ProtectedPractitioner
    | EndedProtection
    | NewClient
    | RenewedClient
    | NewCode
    | CredentialReset
    | UnitChange
    | AppClientChange
    | NewAppPolicy
)
_BODIES: dict[str, type[Change]] = {
    "facility": NewFacility,
    "practitioner": NewPractitioner,
    "practitioner-role": NewRole,
    "practitioner-role-end": EndedRole,
    "practitioner-suspension": SuspendedLicence,
    "practitioner-protection": ProtectedPractitioner,
    "practitioner-protection-end": EndedProtection,
    "facility-client": NewClient,
    "facility-client-secret": RenewedClient,
    "facility-code": NewCode,
    "credential-reset": CredentialReset,
    "facility-unit": NewUnit,
    "facility-unit-end": ClosedUnit,
    "practitioner-role-unit": RoleUnit,
    "emergency-restoration": RestoredEmergency,
    "app-client": NewAppClient,
    "app-client-change": ChangedAppClient,
    "app-client-end": EndedAppClient,
    "app-policy": NewAppPolicy,
}


class Applied(Struct, frozen=True, kw_only=True):
    """What the second person gets. Secrets are there for new accounts only, and only this once."""

    kind: str
    created_id: UUID
    user_name: str | None = None
    initial_password: str | None = None
    totp_secret: str | None = None
    client_secret: str | None = None


async def propose(
    tx: Tx, actor: Actor, kind: ChangeKind, change: Change, reason: str, now: datetime
) -> UUID | Refused:
    """First person. Returns change_id."""
    facility_id = getattr(change, "facility_id", None)
    if not _may(actor, kind, facility_id) or not _may_give(actor, change):
        return Refused(problem=NOT_YOURS_TO_CHANGE)
    if not await _has_licence(tx, actor, change, now):
        return Refused(problem=LICENCE_NEEDED, where="practitioner_id")
    if isinstance(change, NewUnit) and (wrong := units.judge(change)) is not None:
        return wrong
    if isinstance(change, NewAppClient) and (wrong := app_clients.judge(change)) is not None:
        return wrong
    if isinstance(change, NewAppPolicy) and (wrong := app_versions.judge(change)) is not None:
        return wrong
    change_id, body = uuid7(now), msgspec.json.encode(change).decode()
    await queries.INSERT_CHANGE.run(tx, change_id, kind, facility_id, body, reason, actor.actor_id, now)
    await record_admin_event(tx, str(actor.actor_id), f"register:{kind}:propose", reason, 1, now)
    return change_id


async def waiting(tx: Tx, after: UUID | None, limit: int, now: datetime) -> list[WaitingChange]:
    """What one account proposed and no second one confirmed yet, oldest first, as an operator looks at it."""
    return await queries.WAITING_CHANGES.all(tx, now - PROPOSAL_LIFE, after, limit)


async def proposed_again(tx: Tx, actor: Actor, change_id: UUID) -> UUID | Refused:
    """The answer to a repeat of one's own proposal, decided anew."""
    row = await queries.CHANGE_OF_ACTOR.one(tx, change_id, actor.actor_id)
    if row is None or not _may(actor, row.kind, row.facility_id):
        return Refused(problem=NOT_YOURS_TO_CHANGE)
    return change_id


async def confirmed_again(tx: Tx, actor: Actor, change_id: UUID) -> Applied | Refused:
    """The answer to a repeat of one's own confirmation: what was made; secrets are not shown again (S14)."""
    row = await queries.CHANGE_OF_ACTOR.one(tx, change_id, actor.actor_id)
    if row is None or row.created_id is None or not _may(actor, row.kind, row.facility_id):
        return Refused(problem=NOT_YOURS_TO_CHANGE)
    if row.kind in _WITH_SECRETS:
        return Refused(problem=ALREADY_CREATED)
    return Applied(kind=row.kind, created_id=row.created_id)


async def account_to_reset(tx: Tx, change_id: UUID, now: datetime) -> UUID | None:
    """The account whose new credential has to be hashed before `confirm`; None for other changes."""
    row = await queries.CHANGE_BY_ID.one(tx, change_id, now - PROPOSAL_LIFE)
    if row is None or row.kind != "credential-reset":
        return None
    return msgspec.json.decode(row.body, type=CredentialReset).practitioner_id


async def confirm(
    tx: Tx, keys: KeyRing, actor: Actor, change_id: UUID, prepared: PreparedCredential, now: datetime
) -> Applied | Refused:
    """Second person, another than the first. Raises `register-entry-exists`; nothing is kept then.

    prepared: a credential hashed before the transaction, used where the change makes an account.
    """
    row = await queries.CHANGE_BY_ID.one(tx, change_id, now - PROPOSAL_LIFE)
    if row is None:
        return Refused(problem=NOT_IN_REGISTER)
    if row.proposed_by == actor.actor_id:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    change = msgspec.json.decode(row.body, type=_BODIES[row.kind])
    if not _may(actor, row.kind, row.facility_id) or not _may_give(actor, change):
        return Refused(problem=NOT_YOURS_TO_CHANGE)
    if not await _has_licence(tx, actor, change, now):
        return Refused(problem=LICENCE_NEEDED, where="practitioner_id")
    applied = await _apply(tx, keys, row, change, prepared, now)
    if isinstance(applied, Refused):
        return applied
    if await queries.CONFIRM_CHANGE.one(tx, change_id, actor.actor_id, now, applied.created_id) is None:
        refuse(SECOND_ACCOUNT_NEEDED)
    await record_admin_event(tx, str(actor.actor_id), f"register:{row.kind}:confirm", row.reason, 1, now)
    return applied


def _may(actor: Actor, kind: str, facility_id: UUID | None) -> bool:
    if actor.kind == "operator":
        return True
    own = facility_id is not None and actor.facility_id == facility_id
    if actor.role == "privacy-officer":
        return own and kind in _BY_PRIVACY_OFFICERS
    return actor.role == "facility-admin" and own and kind in BY_ADMINISTRATORS


def _may_give(actor: Actor, change: Change) -> bool:
    """A kiosk is made at its counter, not here."""
    if actor.kind == "operator":
        return True
    if isinstance(change, NewClient) and change.kind != "facility-system":
        return False
    return getattr(change, "role", None) not in _BEYOND_ONE_FACILITY


async def _has_licence(tx: Tx, actor: Actor, change: Change, now: datetime) -> bool:
    """A facility gives what only the licensed may do to nobody else (S16)."""
    if actor.kind == "operator" or not isinstance(change, NewRole) or change.role not in LICENSED_ROLES:
        return True
    person = await queries.PRACTITIONER_BY_ID.one(tx, change.practitioner_id)
    return person is not None and can_hold_licensed_role(person, now)


async def _apply(
    tx: Tx, keys: KeyRing, row: ChangeRow, change: Change, prepared: PreparedCredential, now: datetime
) -> Applied | Refused:
    if isinstance(change, NewPractitioner):
        return await _new_account(tx, keys, change, prepared, now)
    if isinstance(change, CredentialReset):
        return await _reset(tx, keys, change, prepared, now)
    if isinstance(change, NewRole | NewAppPolicy):
        made = await (
            practitioners.add_role(tx, change.practitioner_id, change.facility_id, change.role, now)
            if isinstance(change, NewRole)
            else app_versions.put(tx, change, row.proposed_at, now)
        )
        return made if isinstance(made, Refused) else Applied(kind=row.kind, created_id=made)
    if isinstance(change, _KeptChange):
        return await _change(tx, row.kind, change, now)
    if isinstance(change, NewClient | RenewedClient):
        return await _client_secret(tx, row.kind, change, now)
    return await _facility(tx, row.kind, change, now)


async def _facility(tx: Tx, kind: str, change: NewFacility | NewCode, now: datetime) -> Applied | Refused:
    try:
        if isinstance(change, NewCode):
            refused = await change_code(tx, change)
            return refused or Applied(kind=kind, created_id=change.facility_id)
        facility = await add_facility(tx, change, now)
    except UniqueViolationError:
        refuse(REGISTER_ENTRY_EXISTS)
    return Applied(kind=kind, created_id=facility.facility_id)


async def _client_secret(
    tx: Tx, kind: str, change: NewClient | RenewedClient, now: datetime
) -> Applied | Refused:
    if isinstance(change, NewClient):
        made = await add_client(tx, change.facility_id, change.kind, change.name, now)
        return Applied(kind=kind, created_id=made.client_id, client_secret=made.client_secret)
    renewed = await clients.renew(tx, change.facility_id, change.client_id, now)
    if renewed is None:
        return Refused(problem=NOT_IN_REGISTER)
    return Applied(kind=kind, created_id=renewed.client_id, client_secret=renewed.client_secret)


async def _app_client(tx: Tx, kind: str, change: AppClientChange, now: datetime) -> Applied | Refused:
    if isinstance(change, NewAppClient):
        made = await app_clients.enter(tx, change, now)
        return made if isinstance(made, Refused) else Applied(kind=kind, created_id=made)
    done = app_clients.change if isinstance(change, ChangedAppClient) else app_clients.end
    refused = await done(tx, change, now)  # type: ignore[arg-type]
    return refused or Applied(kind=kind, created_id=change.client_id)


async def _apply_unit(tx: Tx, kind: str, change: UnitChange, now: datetime) -> Applied | Refused:
    if isinstance(change, NewUnit):
        made = await units.enter_unit(tx, change, now)
        return made if isinstance(made, Refused) else Applied(kind=kind, created_id=made)
    if isinstance(change, ClosedUnit):
        refused = await units.close_unit(tx, change, now)
        return refused or Applied(kind=kind, created_id=change.unit_id)
    if isinstance(change, RoleUnit):
        refused = await units.set_unit(tx, change)
        return refused or Applied(kind=kind, created_id=change.practitioner_role_id)
    refused = await units.restore(tx, change.practitioner_id)
    return refused or Applied(kind=kind, created_id=change.practitioner_id)


async def _new_account(
    tx: Tx, keys: KeyRing, new: NewPractitioner, prepared: PreparedCredential, now: datetime
) -> Applied:
    made = await practitioners.add_practitioner(tx, keys, new, prepared, now)
    return Applied(
        kind="practitioner",
        created_id=made.actor_id,
        user_name=made.user_name,
        initial_password=made.password,
        totp_secret=made.totp_secret,
    )


async def _change(
    tx: Tx,
    kind: str,
    change: _KeptChange,
    now: datetime,
) -> Applied | Refused:
    """What is changed of somebody whom the register holds, of a facility's units or of clients."""
    if isinstance(change, AppClientChange):
        return await _app_client(tx, kind, change, now)
    if isinstance(change, UnitChange):
        return await _apply_unit(tx, kind, change, now)
    if isinstance(change, ProtectedPractitioner):
        return await _protect(tx, kind, change, now)
    return await (_end_role(tx, change, now) if isinstance(change, EndedRole) else _suspend(tx, change, now))


async def _end_role(tx: Tx, change: EndedRole, now: datetime) -> Applied | Refused:
    role = await queries.ROLE_BY_ID.one(tx, change.practitioner_role_id)
    # The named facility must be the role's own: an administrator proposes for his own only.
    if role is None or role.facility_id != change.facility_id:
        return Refused(problem=NOT_IN_REGISTER)
    refused = await practitioners.end_role(tx, change.practitioner_role_id, now)
    return refused or Applied(kind="practitioner-role-end", created_id=change.practitioner_role_id)


async def _protect(tx: Tx, kind: str, change: ProtectedPractitioner, now: datetime) -> Applied | Refused:
    roles = await practitioners.active_roles(tx, change.practitioner_id, now)
    if change.facility_id not in {role.facility_id for role in roles}:
        return Refused(problem=NOT_IN_REGISTER)
    if not isinstance(change, EndedProtection):
        await protect(tx, change.practitioner_id, now)
        ref = {"practitioner_id": str(change.practitioner_id)}
        await emit(tx, change.practitioner_id, "identity.protected", ref, now)
    elif not await end_protection(tx, change.practitioner_id, now):
        return Refused(problem=NOT_IN_REGISTER)
    return Applied(kind=kind, created_id=change.practitioner_id)


async def _suspend(tx: Tx, change: SuspendedLicence, now: datetime) -> Applied | Refused:
    """Sessions end at once; grants stand with the citizen and open nothing, as no role is in force."""
    refused = await practitioners.suspend(tx, change.practitioner_id, now)
    if refused is not None:
        return refused
    await sessions.end_all(tx, change.practitioner_id, "licence-suspended", now)
    return Applied(kind="practitioner-suspension", created_id=change.practitioner_id)


async def _reset(
    tx: Tx, keys: KeyRing, change: CredentialReset, prepared: PreparedCredential, now: datetime
) -> Applied | Refused:
    """New factors that work after 24 hours; every session ends and every grant is held at once (S16)."""
    person = await queries.PRACTITIONER_BY_ID.one(tx, change.practitioner_id)
    if person is None:
        return Refused(problem=NOT_IN_REGISTER)
    assert prepared.actor_id == person.practitioner_id, "hashed for another account"
    await practitioners.keep_credential(tx, keys, prepared, now + RESET_WAIT, reset_at=now)
    await sessions.end_all(tx, person.practitioner_id, "credential-reset", now)
    ref = {"practitioner_id": str(person.practitioner_id)}
    await emit(tx, person.practitioner_id, "identity.credential-reset", ref, now)
    return Applied(
        kind="credential-reset",
        created_id=person.practitioner_id,
        user_name=person.user_name,
        initial_password=prepared.password,
        totp_secret=prepared.totp_secret,
    )
