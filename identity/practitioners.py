"""Practitioners: entries of the licence register, their roles at facilities, their credentials."""

import base64
import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import pyotp
from asyncpg import UniqueViolationError
from msgspec import Meta, Struct

from identity.entry import queries as entry
from identity.models import PractitionerCard, RoleRow
from identity.passwords import hash_secret
from identity.policy import role_in_force
from identity.problems import NOT_IN_REGISTER, REGISTER_ENTRY_EXISTS
from identity.register import queries
from kernel.access import Role
from kernel.ids import uuid7
from kernel.problems import Refused, refuse
from store.database import Tx
from store.fields import seal
from store.keys import KeyRing


class NewPractitioner(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """licence: number in the licence register; None for staff without one (clerks)."""

    user_name: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._-]{3,60}$(?!\n)")]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    licence: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    licence_from: date | None = None
    licence_until: date | None = None


class InitialSecrets(Struct, frozen=True, kw_only=True):
    """Handed out once. totp_secret: base32, as authenticator apps read it."""

    actor_id: UUID
    user_name: str
    password: str
    totp_secret: str


class PreparedCredential(Struct, frozen=True, kw_only=True):
    """A credential hashed before its transaction: hashing takes longer than a lock should."""

    actor_id: UUID
    password: str
    password_hash: str
    totp_secret: str


async def prepare_credential(
    keys: KeyRing, now: datetime, actor_id: UUID | None = None
) -> PreparedCredential:
    """Random password (96 bits) and TOTP secret (160 bits), for a new id or an existing account.

    No transaction may be open.
    """
    actor_id, password = actor_id or uuid7(now), secrets.token_urlsafe(12)
    return PreparedCredential(
        actor_id=actor_id,
        password=password,
        password_hash=await hash_secret(keys, actor_id, password),
        totp_secret=base64.b32encode(secrets.token_bytes(20)).decode(),
    )


async def keep_credential(
    tx: Tx,
    keys: KeyRing,
    prepared: PreparedCredential,
    usable_from: datetime,
    *,
    reset_at: datetime | None = None,
) -> None:
    """reset_at: when these factors replaced others; grants made before are held from then on (S16)."""
    sealed = seal(keys, prepared.actor_id, "account_credential", "totp_secret", prepared.totp_secret)
    await entry.UPSERT_CREDENTIAL.run(
        tx, prepared.actor_id, prepared.password_hash, sealed, usable_from, reset_at
    )


async def factors_reset_at(tx: Tx, practitioner_id: UUID) -> datetime | None:
    """When password and TOTP secret were last replaced by somebody else; None if never."""
    return await entry.FACTORS_RESET_AT.one(tx, practitioner_id)


async def add_practitioner(
    tx: Tx, keys: KeyRing, new: NewPractitioner, prepared: PreparedCredential, now: datetime
) -> InitialSecrets:
    """Enter a person of the licence register. Raises `register-entry-exists` for a known user or licence."""
    user_name = new.user_name.strip().casefold()
    try:
        await queries.INSERT_PRACTITIONER.run(
            tx,
            prepared.actor_id,
            user_name,
            new.name,
            new.licence,
            new.licence_from,
            new.licence_until,
            now,
        )
    except UniqueViolationError:
        refuse(REGISTER_ENTRY_EXISTS)
    await keep_credential(tx, keys, prepared, now)
    return InitialSecrets(
        actor_id=prepared.actor_id,
        user_name=user_name,
        password=prepared.password,
        totp_secret=prepared.totp_secret,
    )


async def add_role(
    tx: Tx, practitioner_id: UUID, facility_id: UUID, role: Role, now: datetime
) -> UUID | Refused:
    """Let an existing practitioner work in one role at one facility. Returns practitioner_role_id."""
    person = await queries.PRACTITIONER_BY_ID.one(tx, practitioner_id)
    facility = await queries.FACILITY_BY_ID.one(tx, facility_id)
    if person is None or facility is None:
        return Refused(problem=NOT_IN_REGISTER)
    role_id = uuid7(now)
    await queries.INSERT_ROLE.run(tx, role_id, practitioner_id, facility_id, role, now, None)
    return role_id


async def end_role(tx: Tx, practitioner_role_id: UUID, now: datetime) -> Refused | None:
    """End a role: the next request of its sessions is refused."""
    if await queries.END_ROLE.one(tx, practitioner_role_id, now) is None:
        return Refused(problem=NOT_IN_REGISTER)
    return None


async def suspend(tx: Tx, practitioner_id: UUID, now: datetime) -> Refused | None:
    """Suspend a licence: every role of the person stops at the next request. A first suspension keeps
    its time."""
    if await queries.SUSPEND_PRACTITIONER.one(tx, practitioner_id, now) is None:
        return Refused(problem=NOT_IN_REGISTER)
    return None


async def practitioner_card(tx: Tx, practitioner_role_id: UUID, now: datetime) -> PractitionerCard | None:
    """Who stands behind a role; `active` says whether the role is in force now."""
    role = await queries.ROLE_BY_ID.one(tx, practitioner_role_id)
    return None if role is None else card_of(role, now)


async def names_of(tx: Tx, practitioner_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by id, for lists that staff read."""
    rows = await queries.PRACTITIONER_NAMES.all(tx, list(set(practitioner_ids)))
    return {row.practitioner_id: row.name for row in rows}


async def active_roles(tx: Tx, practitioner_id: UUID, now: datetime) -> list[PractitionerCard]:
    """The roles a practitioner can sign in with now, oldest first."""
    rows = await queries.ROLES_OF_PRACTITIONER.all(tx, practitioner_id)
    return [card_of(row, now) for row in rows if role_in_force(row, now)]


async def colleague_of(tx: Tx, licence: str, facility_id: UUID, now: datetime) -> PractitionerCard | None:
    """Who works at this facility now under that licence; the first role where there are several."""
    rows = await queries.ROLES_BY_LICENCE.all(tx, licence, facility_id)
    return next((card_of(row, now) for row in rows if role_in_force(row, now)), None)


def card_of(role: RoleRow, now: datetime) -> PractitionerCard:
    return PractitionerCard(
        practitioner_role_id=role.practitioner_role_id,
        practitioner_id=role.practitioner_id,
        name=role.name,
        licence=role.licence,
        role=role.role,
        facility_id=role.facility_id,
        facility_name=role.facility_name,
        facility_short=role.facility_short,
        active=role_in_force(role, now),
    )


TOTP_SECONDS = 30


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is: the present one or its neighbours (RFC 6238 §5.2), else None."""
    present = int(now.timestamp()) // TOTP_SECONDS
    otp = pyotp.TOTP(secret)
    steps: tuple[Literal[0, -1, 1], ...] = (0, -1, 1)
    for offset in steps:
        at = datetime.fromtimestamp((present + offset) * TOTP_SECONDS, now.tzinfo)
        if pyotp.utils.strings_equal(otp.at(at), code):
            return present + offset
    return None


def totp_at(secret: str, now: datetime) -> str:
    """The code of this moment, as an authenticator app shows it."""
    return pyotp.TOTP(secret).at(now)
