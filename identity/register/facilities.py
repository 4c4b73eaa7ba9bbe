"""Facilities with both of their code systems, and the machines that act for them."""

import secrets
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from identity.models import Facility
from identity.problems import NOT_IN_REGISTER, REGISTER_ENTRY_EXISTS
from identity.register import queries
from identity.tokens import digest, to_base64url
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx

CodeSystem = Literal["cskcb-5", "qd1551-13"]


class NewFacility(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """code: 5 characters, QĐ 384/2019; code_13: 13 digits, QĐ 1551. short_name: ≤ 20 ASCII, for SMS."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    short_name: Annotated[str, Meta(pattern=r"^[ -~]{1,20}$(?!\n)")]
    discreet_name: Annotated[str, Meta(min_length=1, max_length=60)]
    code: Annotated[str, Meta(pattern=r"^[0-9]{2}[0-9A-Z]{3}$(?!\n)")]
    code_13: Annotated[str, Meta(pattern=r"^[0-9]{13}$(?!\n)")] | None = None


class NewCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another code of a facility from a day on; the one of the same system before it ends the day before."""

    facility_id: UUID
    system: CodeSystem
    code: Annotated[str, Meta(pattern=r"^[0-9]{2}[0-9A-Z]{3}$(?!\n)|^[0-9]{13}$(?!\n)")]
    valid_from: date


class ClientSecret(Struct, frozen=True, kw_only=True):
    """Handed out once."""

    client_id: UUID
    client_secret: str


async def add_facility(tx: Tx, new: NewFacility, now: datetime) -> Facility:
    """Enter a facility with codes valid from today. UniqueViolationError: a code is in use from today."""
    facility_id, today = uuid7(now), local_day(now)
    await queries.INSERT_FACILITY.run(tx, facility_id, new.name, new.short_name, new.discreet_name, now)
    await queries.INSERT_FACILITY_CODE.run(tx, facility_id, "cskcb-5", new.code, today, None)
    if new.code_13 is not None:
        await queries.INSERT_FACILITY_CODE.run(tx, facility_id, "qd1551-13", new.code_13, today, None)
    return Facility(facility_id, new.name, new.short_name, new.discreet_name, now, None)


async def change_code(tx: Tx, new: NewCode) -> Refused | None:
    """Refused: not-in-register for a code of the other system's form; register-entry-exists for one that
    somebody has on that day or later, and for a day on or before that of another code of the facility, since
    two would count. UniqueViolationError: the same at the same moment."""
    if (new.system == "qd1551-13") != (len(new.code) == 13):
        return Refused(problem=NOT_IN_REGISTER, where="code")
    if await queries.FACILITY_BY_ID.one(tx, new.facility_id) is None:
        return Refused(problem=NOT_IN_REGISTER, where="facility_id")
    if await queries.CODE_IN_USE.one(tx, new.system, new.code, new.valid_from):
        return Refused(problem=REGISTER_ENTRY_EXISTS, where="code")
    if await queries.HAS_LATER_CODE.one(tx, new.facility_id, new.system, new.valid_from):
        return Refused(problem=REGISTER_ENTRY_EXISTS, where="valid_from")
    last_day = new.valid_from - timedelta(days=1)
    await queries.END_CODES.run(tx, new.facility_id, new.system, new.valid_from, last_day)
    await queries.INSERT_FACILITY_CODE.run(tx, new.facility_id, new.system, new.code, new.valid_from, None)
    return None


async def facility_by_id(tx: Tx, facility_id: UUID) -> Facility | None:
    return await queries.FACILITY_BY_ID.one(tx, facility_id)


async def facility_by_code(tx: Tx, code: str, on: date) -> Facility | None:
    """The facility that had a code of either system on that day."""
    system: CodeSystem = "qd1551-13" if len(code) == 13 else "cskcb-5"
    return await queries.FACILITY_BY_CODE.one(tx, system, code, on)


async def code_of(tx: Tx, facility_id: UUID, on: date, system: CodeSystem = "cskcb-5") -> str | None:
    """The code of a facility on that day, the latest where two are valid."""
    return await queries.CODE_OF_FACILITY.one(tx, facility_id, system, on)


async def has_code(tx: Tx, facility_id: UUID, code: str, on: date) -> bool:
    """True when `code` is a code of that facility on that day (facility-mismatch otherwise, S3)."""
    found = await facility_by_code(tx, code, on)
    return found is not None and found.facility_id == facility_id


async def add_client(
    tx: Tx, facility_id: UUID, kind: Literal["facility-system", "kiosk"], name: str, now: datetime
) -> ClientSecret:
    """A machine of a facility with a secret of 256 random bits, which rests as SHA-256."""
    client_id, secret = uuid7(now), secrets.token_bytes(32)
    await queries.INSERT_CLIENT.run(tx, client_id, facility_id, kind, name, digest(secret), now)
    return ClientSecret(client_id=client_id, client_secret=to_base64url(secret))
