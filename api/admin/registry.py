"""Changes of the registers: one person proposes with a reason, a second one confirms (S16, S26)."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.idempotency import PROBLEMS, SECRET_PROBLEMS, create_once
from api.request import Call, answer
from identity import practitioners
from identity.app_clients.problems import CLIENT_ENTRY_INVALID
from identity.app_versions.problems import APP_POLICY_INVALID, APP_POLICY_OVERTAKEN
from identity.practitioners import NewPractitioner, PreparedCredential
from identity.problems import (
    DISCREET_NAME_TELLS,
    LICENCE_NEEDED,
    NOT_IN_REGISTER,
    NOT_YOURS_TO_CHANGE,
    REGISTER_ENTRY_EXISTS,
    SECOND_ACCOUNT_NEEDED,
    SPECIALTY_UNKNOWN,
    TRY_LATER,
    UNITS_FULL,
)
from identity.register import changes
from identity.register.changes import (
    Applied,
    Change,
    ChangeKind,
    CredentialReset,
    EndedProtection,
    EndedRole,
    NewClient,
    NewRole,
    ProtectedPractitioner,
    RenewedClient,
    SuspendedLicence,
)
from identity.register.facilities import NewCode, NewFacility
from identity.units import service as units
from identity.units.models import ClosedUnit, NewUnit, RestoredEmergency, RoleUnit
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from visits.directory.service import follow_units

TAGS = ["register"]
_OF_UNITS = frozenset({"facility-unit", "facility-unit-end"})
Reason = Annotated[str, Meta(min_length=5, max_length=300)]


class FacilityBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    facility: NewFacility


class PractitionerBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner: NewPractitioner


class RoleBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner_role: NewRole


class EndedRoleBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner_role: EndedRole


class SuspensionBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner: SuspendedLicence


class ProtectionBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner: ProtectedPractitioner


class EndedProtectionBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner: EndedProtection


class UnitBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    unit: NewUnit


class ClosedUnitBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    unit: ClosedUnit


class RoleUnitBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner_role: RoleUnit


class RestorationBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    practitioner: RestoredEmergency


class ClientBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    client: NewClient


class RenewedClientBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    client: RenewedClient


class CodeBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    facility_code: NewCode


class ResetBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    account: CredentialReset


class ProposedChange(Struct, kw_only=True):
    """Waits for a second person for three days."""

    change_id: UUID


async def propose_change(
    call: Call, kind: ChangeKind, change: Change, reason: str
) -> Response[ProposedChange]:
    """The first of two people says what is to change, and why."""
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            202,
            make=lambda: changes.propose(tx, actor, kind, change, reason, call.now),
            again=lambda change_id: changes.proposed_again(tx, actor, change_id),
            id_of=lambda change_id: change_id,
        )
    return answer(made if isinstance(made, Refused) else ProposedChange(change_id=made))


@post(
    "/v1/admin/facilities",
    status_code=202,
    actors=("operator",),
    operation_id="propose_facility",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_facility(
    data: JSONBody[FacilityBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose a facility with its codes."""
    return await propose_change(call, "facility", data.facility, data.reason)


@post(
    "/v1/admin/practitioners",
    status_code=202,
    actors=("operator",),
    operation_id="propose_practitioner",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_practitioner(
    data: JSONBody[PractitionerBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose an entry of the licence register."""
    return await propose_change(call, "practitioner", data.practitioner, data.reason)


@post(
    "/v1/admin/practitioner-roles",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_practitioner_role",
    tags=TAGS,
    idempotent=True,
    problems=(LICENCE_NEEDED, NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_role(data: JSONBody[RoleBody], call: NamedDependency[Call]) -> Response[ProposedChange]:
    """Propose a role of a known practitioner; administrators at their own facility only."""
    return await propose_change(call, "practitioner-role", data.practitioner_role, data.reason)


@post(
    "/v1/admin/practitioner-roles/end",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_practitioner_role_end",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_role_end(
    data: JSONBody[EndedRoleBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose the end of a role; administrators at their own facility only."""
    return await propose_change(call, "practitioner-role-end", data.practitioner_role, data.reason)


@post(
    "/v1/admin/practitioner-suspensions",
    status_code=202,
    actors=("operator",),
    operation_id="propose_practitioner_suspension",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_suspension(
    data: JSONBody[SuspensionBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose to suspend a licence; once confirmed, sessions end and grants open nothing."""
    return await propose_change(call, "practitioner-suspension", data.practitioner, data.reason)


@post(
    "/v1/admin/practitioner-protections",
    status_code=202,
    actors=("operator", "privacy-officer"),
    operation_id="propose_practitioner_protection",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_protection(
    data: JSONBody[ProtectionBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose to hide a practitioner's name in people's logs for a year; again renews.

    Privacy officers for who works at their own facility.
    """
    return await propose_change(call, "practitioner-protection", data.practitioner, data.reason)


@post(
    "/v1/admin/practitioner-protections/end",
    status_code=202,
    actors=("operator", "privacy-officer"),
    operation_id="propose_practitioner_protection_end",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_protection_end(
    data: JSONBody[EndedProtectionBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose to show a protected practitioner's name in people's logs again."""
    return await propose_change(call, "practitioner-protection-end", data.practitioner, data.reason)


@post(
    "/v1/admin/facility-units",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_facility_unit",
    tags=TAGS,
    idempotent=True,
    problems=(SPECIALTY_UNKNOWN, DISCREET_NAME_TELLS, NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_unit(data: JSONBody[UnitBody], call: NamedDependency[Call]) -> Response[ProposedChange]:
    """Propose a unit of a facility: its emergency unit may break the glass."""
    return await propose_change(call, "facility-unit", data.unit, data.reason)


@post(
    "/v1/admin/facility-units/end",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_facility_unit_end",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_unit_end(
    data: JSONBody[ClosedUnitBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose to close a unit; what was opened from it ends with the confirmation."""
    return await propose_change(call, "facility-unit-end", data.unit, data.reason)


@post(
    "/v1/admin/practitioner-roles/unit",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_practitioner_role_unit",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_role_unit(
    data: JSONBody[RoleUnitBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose in which unit a role works; administrators at their own facility only."""
    return await propose_change(call, "practitioner-role-unit", data.practitioner_role, data.reason)


@post(
    "/v1/admin/emergency-restorations",
    status_code=202,
    actors=("operator",),
    operation_id="propose_emergency_restoration",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_restoration(
    data: JSONBody[RestorationBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose to give the right to break the glass back after a suspension."""
    return await propose_change(call, "emergency-restoration", data.practitioner, data.reason)


@post(
    "/v1/admin/facility-systems",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_facility_system",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_client(data: JSONBody[ClientBody], call: NamedDependency[Call]) -> Response[ProposedChange]:
    """Propose a system of a facility; administrators of their own facility only.

    Kiosks are made at their counters; operators may propose one without."""
    return await propose_change(call, "facility-client", data.client, data.reason)


@post(
    "/v1/admin/facility-systems/secret",
    status_code=202,
    actors=("operator", "facility-admin"),
    operation_id="propose_facility_system_secret",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_client_secret(
    data: JSONBody[RenewedClientBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose another secret for a system; with the confirmation the one before and its sessions end."""
    return await propose_change(call, "facility-client-secret", data.client, data.reason)


@post(
    "/v1/admin/facility-codes",
    status_code=202,
    actors=("operator",),
    operation_id="propose_facility_code",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_code(data: JSONBody[CodeBody], call: NamedDependency[Call]) -> Response[ProposedChange]:
    """Propose another code of a facility from a day on; the one before it ends the day before."""
    return await propose_change(call, "facility-code", data.facility_code, data.reason)


@post(
    "/v1/admin/credential-resets",
    status_code=202,
    actors=("operator",),
    operation_id="propose_credential_reset",
    tags=TAGS,
    idempotent=True,
    problems=(NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_reset(data: JSONBody[ResetBody], call: NamedDependency[Call]) -> Response[ProposedChange]:
    """Propose a new password and TOTP secret for a practitioner; they work after 24 hours."""
    return await propose_change(call, "credential-reset", data.account, data.reason)


@post(
    "/v1/admin/changes/{change_id:uuid}/confirm",
    status_code=201,
    actors=("operator", "facility-admin", "privacy-officer"),
    operation_id="confirm_change",
    tags=TAGS,
    idempotent=True,
    problems=(
        APP_POLICY_INVALID,
        APP_POLICY_OVERTAKEN,
        CLIENT_ENTRY_INVALID,
        LICENCE_NEEDED,
        SPECIALTY_UNKNOWN,
        DISCREET_NAME_TELLS,
        UNITS_FULL,
        NOT_IN_REGISTER,
        NOT_YOURS_TO_CHANGE,
        SECOND_ACCOUNT_NEEDED,
        REGISTER_ENTRY_EXISTS,
        TRY_LATER,
        *SECRET_PROBLEMS,
    ),
)
async def confirm_change(change_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Applied]:
    """Confirm a change as the second person; initial secrets are shown this once."""
    async with call.begin() as (tx, _):
        account = await changes.account_to_reset(tx, change_id, call.now)
    prepared = await practitioners.prepare_credential(call.keys, call.now, account)
    async with call.begin() as (tx, actor):
        made = await create_once(
            tx,
            call,
            actor,
            201,
            make=lambda: _confirm(tx, call, actor, change_id, prepared),
            again=lambda _: changes.confirmed_again(tx, actor, change_id),
            id_of=lambda applied: applied.created_id,
        )
    return answer(made)


async def _confirm(
    tx: Tx, call: Call, actor: Actor, change_id: UUID, prepared: PreparedCredential
) -> Applied | Refused:
    """A facility is found under what its units are for, also those that two people opened."""
    applied = await changes.confirm(tx, call.keys, actor, change_id, prepared, call.now)
    if not isinstance(applied, Refused) and applied.kind in _OF_UNITS:
        facility_id = await units.facility_of(tx, applied.created_id)
        if facility_id is not None:
            await follow_units(tx, facility_id)
    return applied


handlers: list[Any] = [
    propose_facility,
    propose_practitioner,
    propose_role,
    propose_role_end,
    propose_suspension,
    propose_protection,
    propose_protection_end,
    propose_unit,
    propose_unit_end,
    propose_role_unit,
    propose_restoration,
    propose_client,
    propose_client_secret,
    propose_code,
    propose_reset,
    confirm_change,
]
