"""The first accounts of an empty database: two operators at least, because a change takes two (S26)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, field

from identity import practitioners
from identity.models import Facility
from identity.practitioners import InitialSecrets, NewPractitioner, PreparedCredential
from identity.problems import NOT_EMPTY, NOT_IN_REGISTER
from identity.register import queries
from identity.register.facilities import NewFacility, add_facility
from kernel.problems import Refused, refuse
from store.database import Store, Tx
from store.keys import KeyRing


class NewOperator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_name: str
    name: str


class NewAdministrator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """facility_code: a code of one of the plan's facilities."""

    user_name: str
    name: str
    facility_code: str
    licence: str | None = None


class BootstrapPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who and what an empty database begins with."""

    operators: Annotated[list[NewOperator], Meta(min_length=2)]
    facilities: list[NewFacility] = field(default_factory=list)
    administrators: list[NewAdministrator] = field(default_factory=list)


async def bootstrap(store: Store, plan: BootstrapPlan, now: datetime) -> list[InitialSecrets] | Refused:
    """Make the plan's facilities, operators and administrators; their secrets are returned this once.

    Refused with `database-not-empty` when any operator, practitioner, facility or citizen is there.
    Raises `not-in-register` for a facility code that the plan does not name.
    """
    people: list[NewOperator | NewAdministrator] = [*plan.operators, *plan.administrators]
    prepared = [await practitioners.prepare_credential(store.keys, now) for _ in people]
    async with store.transaction() as tx:
        if not await is_empty(tx):
            return Refused(problem=NOT_EMPTY)
        facilities = {new.code: await add_facility(tx, new, now) for new in plan.facilities}
        made = []
        for person, credential in zip(people, prepared, strict=True):
            if isinstance(person, NewOperator):
                made.append(await _add_operator(tx, store.keys, person, credential, now))
            else:
                facility = facilities.get(person.facility_code)
                made.append(await _add_administrator(tx, store.keys, person, facility, credential, now))
        return made


async def is_empty(tx: Tx) -> bool:
    """True while nobody and nothing is registered."""
    found = [
        await queries.ANY_OPERATOR.one(tx),
        await queries.ANY_PRACTITIONER.one(tx),
        await queries.ANY_FACILITY.one(tx),
        await queries.ANY_CITIZEN.one(tx),
    ]
    return found == [None] * len(found)


async def _add_operator(
    tx: Tx, keys: KeyRing, new: NewOperator, prepared: PreparedCredential, now: datetime
) -> InitialSecrets:
    user_name = new.user_name.strip().casefold()
    # The unique user name lets one of two bootstraps at the same moment win.
    if await queries.INSERT_OPERATOR.one(tx, prepared.actor_id, user_name, new.name, now) is None:
        refuse(NOT_EMPTY)
    await practitioners.keep_credential(tx, keys, prepared, now)
    return InitialSecrets(
        actor_id=prepared.actor_id,
        user_name=user_name,
        password=prepared.password,
        totp_secret=prepared.totp_secret,
    )


async def _add_administrator(
    tx: Tx,
    keys: KeyRing,
    new: NewAdministrator,
    facility: Facility | None,
    prepared: PreparedCredential,
    now: datetime,
) -> InitialSecrets:
    if facility is None:
        refuse(NOT_IN_REGISTER, "facility_code")
    entered = NewPractitioner(user_name=new.user_name, name=new.name, licence=new.licence)
    made = await practitioners.add_practitioner(tx, keys, entered, prepared, now)
    role_id = await practitioners.add_role(tx, made.actor_id, facility.facility_id, "facility-admin", now)
    assert isinstance(role_id, UUID), "person and facility were made a moment ago"
    return made
