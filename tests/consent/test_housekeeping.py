"""What consent no longer needs goes after its time: of a third person first of all."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from healthbook.housekeeping import CHORES, do_chore
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen

SECOND = timedelta(seconds=1)
# Chore → a row that ended at $3 of the person $1 with the id $2, and what is left of it.
CASES = {
    "share-link-addresses": (
        "INSERT INTO share_link_address (token_hash, patient_id, link_id, expires_at)"
        " VALUES ($2::uuid::text::bytea, $1, $2, $3)",
        "share_link_address WHERE link_id = $1",
    ),
    "contact-invitations": (
        "INSERT INTO emergency_contact (patient_id, contact_id, name_sealed, phone_sealed, relation, state,"
        " code_hash, named_at, expires_at)"
        " VALUES ($1, $2, 'name', 'phone', 'friend', 'invited', $2::uuid::text::bytea, $3, $3)",
        "emergency_contact WHERE contact_id = $1 AND (name_sealed <> '' OR phone_sealed <> '')",
    ),
    "proxy-invitations": (
        "INSERT INTO proxy_invitation (code_hash, invitation_id, patient_id, scopes, until, created_at,"
        " expires_at) VALUES ($2::uuid::text::bytea, $2, $1, '{}', $3, $3, $3)",
        "proxy_invitation WHERE invitation_id = $1",
    ),
    "guardianship-proposals": (
        "INSERT INTO guardianship_proposal (proposal_id, kind, proof, child_id, guardian_id, facility_id,"
        " proposed_by, proposed_at, expires_at)"
        " VALUES ($2, 'link', 'facility-attested', $1, $1, $2, $2, $3, $3)",
        "guardianship_proposal WHERE proposal_id = $1",
    ),
    "proxy-proposals": (
        "INSERT INTO proxy_proposal (proposal_id, person_id, scopes, until, for_number, facility_id,"
        " proposed_by, proposed_at, expires_at) VALUES ($2, $1, '{}', $3, '', $2, $2, $3, $3)",
        "proxy_proposal WHERE proposal_id = $1",
    ),
    "practitioner-emergencies": (
        "INSERT INTO practitioner_emergency (actor_id, emergency_id, patient_id, facility_id, opened_at)"
        " VALUES ($2, $2, $1, $2, $3)",
        "practitioner_emergency WHERE emergency_id = $1",
    ),
}


async def left(owner: Store, where: str, *args: Any) -> int:
    async with owner.transaction() as tx:
        found: int = await tx.fetchval(f"SELECT count(*) FROM {where}", *args)
    return found


async def do(store: Store, chore: str, now: datetime) -> None:
    async with store.transaction() as tx:
        await do_chore(tx, chore, now)


@pytest.mark.parametrize("chore", CASES)
async def test_it_goes_after_its_time_and_not_a_second_before(
    store: Store, owner: Store, clock: FrozenClock, chore: str
) -> None:
    insert, where = CASES[chore]
    kept = next(one.kept for one in CHORES if one.name == chore)
    person, thing, ended = await make_citizen(store, clock), uuid7(clock.now()), clock.now()
    async with owner.transaction() as tx:
        await tx.execute(insert, person.patient_id, thing, ended)
    await do(store, chore, ended + kept)
    assert await left(owner, where, thing) == 1
    await do(store, chore, ended + kept + SECOND)
    assert await left(owner, where, thing) == 0


async def test_a_contact_who_agreed_and_an_arrival_that_is_owed_stay(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, thing, at = await make_citizen(store, clock), uuid7(clock.now()), clock.now()
    async with owner.transaction() as tx:
        for chore in ("contact-invitations", "practitioner-emergencies"):
            await tx.execute(CASES[chore][0], person.patient_id, thing, at)
        await tx.execute("UPDATE emergency_contact SET state = 'accepted' WHERE contact_id = $1", thing)
        await tx.execute(
            "UPDATE practitioner_emergency SET arrival_by = $2 WHERE emergency_id = $1", thing, at
        )
    for chore in ("contact-invitations", "practitioner-emergencies"):
        await do(store, chore, at + timedelta(days=400))
        assert await left(owner, CASES[chore][1], thing) == 1


async def test_the_code_of_an_emptied_invitation_goes_with_it(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, thing, at = await make_citizen(store, clock), uuid7(clock.now()), clock.now()
    async with owner.transaction() as tx:
        await tx.execute(CASES["contact-invitations"][0], person.patient_id, thing, at)
        await tx.execute(
            "INSERT INTO emergency_contact_code (code_hash, patient_id, contact_id)"
            " VALUES ($2::uuid::text::bytea, $1, $2)",
            person.patient_id,
            thing,
        )
    await do(store, "contact-invitations", at + timedelta(days=31))
    assert await left(owner, "emergency_contact_code WHERE contact_id = $1", thing) == 0
    assert await left(owner, "emergency_contact WHERE contact_id = $1 AND state = 'ended'", thing) == 1
