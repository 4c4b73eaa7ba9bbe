"""Role caps, and what a doctor hands to a nurse."""

import hashlib
from datetime import timedelta

import msgspec
import pytest

from consent.delegations import service as delegations
from consent.delegations.queries import Delegation
from consent.grants.standing import standing_of
from consent.role_caps import VERSION, VERSIONS, cap_of_role
from identity.models import Facility
from identity.practitioners import end_role
from kernel.access import ALL_LABELS, Access, Label, RecordType
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

People = tuple[Doctor, Doctor, Citizen, Facility]
# A released version is written here once; a change of the caps is a new version with a new line.
DIGESTS = {
    "1": "e2100cc52e3386b9",
    "2": "ec40706fe1187b37",
    "3": "0210da719ce36149",
}


@pytest.fixture
async def people(store: Store, clock: FrozenClock) -> People:
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    nurse = await make_doctor(store, clock, facility, "nurse")
    return doctor, nurse, await make_citizen(store, clock), facility


async def delegate(
    store: Store, clock: FrozenClock, doctor: Doctor, nurse: Doctor, citizen: Citizen, *types: RecordType
) -> Delegation | Refused:
    assert nurse.actor.licence is not None
    async with store.transaction() as tx:
        return await delegations.delegate(
            tx,
            doctor.actor,
            citizen.patient_id,
            nurse.actor.licence,
            frozenset(types) or None,
            trace_id=steps.TRACE,
            now=clock.now(),
        )


async def delegated(store: Store, clock: FrozenClock, people: People, *types: RecordType) -> Delegation:
    doctor, nurse, citizen, _ = people
    made = await delegate(store, clock, doctor, nurse, citizen, *types)
    assert isinstance(made, Delegation), made
    return made


def test_a_version_of_the_role_caps_is_never_edited() -> None:
    seen = {
        version: hashlib.sha256(
            msgspec.json.encode(
                {
                    role: [sorted(cap.types), sorted(cap.delegated), cap.duration_seconds]
                    for role, cap in sorted(caps.items())
                }
            )
        ).hexdigest()[:16]
        for version, caps in VERSIONS.items()
    }
    assert seen == DIGESTS
    assert max(VERSIONS, key=int) == VERSION


async def test_a_pharmacist_is_granted_medicines_and_allergies_for_three_days(
    store: Store, clock: FrozenClock
) -> None:
    pharmacist = await make_doctor(store, clock, await make_facility(store, clock), "pharmacist")
    citizen = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, pharmacist, citizen, duration_seconds=7 * 86400)
    assert grant.types == ["AllergyIntolerance", "MedicationRequest", "MedicationStatement"]
    assert grant.ends_at - grant.starts_at == timedelta(days=3)


async def test_a_vaccinator_is_granted_immunisations_allergies_and_pregnancy(
    store: Store, clock: FrozenClock
) -> None:
    vaccinator = await make_doctor(store, clock, await make_facility(store, clock), "vaccinator")
    citizen = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, vaccinator, citizen)
    assert grant.types == ["AllergyIntolerance", "Immunization", "Observation.pregnancy"]


@pytest.mark.parametrize("role", ["clerk", "facility-admin", "registry-officer", "department-analyst", None])
def test_everybody_else_is_granted_nothing(role: None) -> None:
    cap = cap_of_role(role)
    assert cap.types == cap.delegated == frozenset()


async def test_a_nurse_asks_nobody_and_reads_what_a_doctor_hands_over(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, nurse, citizen, _ = people
    asked = await steps.ask(store, clock, nurse, citizen)
    assert steps.code_of(asked) == "role-may-not-ask"
    grant = await steps.granted(store, clock, doctor, citizen, tier="A", labels=Label.PSY)
    assert await steps.read(store, clock, nurse, citizen.patient_id) == "no-access"
    await delegated(store, clock, people, "Condition", "Procedure")
    access = await steps.read(store, clock, nurse, citizen.patient_id)
    assert isinstance(access, Access)
    # Procedures are beyond a nurse; sensitive labels are never handed on.
    assert access.types == {"Condition"}
    assert access.withheld_labels == ALL_LABELS
    assert (access.actor.actor_id, access.basis_id) == (nurse.practitioner_id, grant.grant_id)


async def test_a_doctor_without_a_grant_hands_over_nothing_and_nobody_else_does(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, nurse, citizen, facility = people
    colleague = await make_doctor(store, clock, facility)
    assert steps.code_of(await delegate(store, clock, doctor, nurse, citizen)) == "no-access"
    await steps.granted(store, clock, doctor, citizen)
    assert steps.code_of(await delegate(store, clock, colleague, nurse, citizen)) == "no-access"
    assert steps.code_of(await delegate(store, clock, doctor, colleague, citizen)) == "colleague-unknown"
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    assert steps.code_of(await delegate(store, clock, doctor, elsewhere, citizen)) == "colleague-unknown"
    assert steps.code_of(await delegate(store, clock, nurse, nurse, citizen)) == "no-access"


@pytest.mark.parametrize(
    "how", ["revoked", "run-out", "left", "taken-back", "ended", "renewed", "reset", "dead"]
)
async def test_a_delegation_ends_with_its_grant_and_with_the_doctor(
    store: Store, owner: Store, clock: FrozenClock, people: People, how: str
) -> None:
    doctor, nurse, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen, duration_seconds=3600)
    made = await delegated(store, clock, people)
    assert isinstance(await steps.read(store, clock, nurse, citizen.patient_id), Access)
    clock.advance(minutes=1)
    if how == "revoked":
        await steps.revoke(store, clock, citizen, grant.grant_id)
    if how == "run-out":
        async with owner.transaction() as tx:
            sql = "UPDATE consent_grant SET starts_at = $2, ends_at = $3 WHERE patient_id = $1"
            await tx.execute(sql, citizen.patient_id, clock.now() - timedelta(minutes=2), clock.now())
    if how == "left":
        async with store.transaction() as tx:
            await end_role(tx, doctor.practitioner_role_id, clock.now())
    if how == "taken-back":
        async with store.transaction() as tx:
            ended = await delegations.end_by_doctor(
                tx,
                doctor.actor,
                citizen.patient_id,
                made.delegation_id,
                trace_id=steps.TRACE,
                now=clock.now(),
            )
        assert ended is None
    if how == "ended":
        async with store.transaction() as tx:
            access = await steps.own(tx, citizen, "manage-grants", clock.now())
            ended = await delegations.end_by_person(
                tx, access, made.delegation_id, trace_id=steps.TRACE, now=clock.now()
            )
        assert ended is None
    if how == "renewed":
        await steps.granted(store, clock, doctor, citizen)
    if how == "reset":
        async with owner.transaction() as tx:
            sql = "UPDATE account_credential SET reset_at = $2 WHERE actor_id = $1"
            await tx.execute(sql, doctor.practitioner_id, clock.now())
    if how == "dead":
        async with owner.transaction() as tx:
            await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", citizen.patient_id)
    assert await steps.read(store, clock, nurse, citizen.patient_id) == "no-access"


async def test_a_delegation_stands_in_the_list_of_who_can_see_and_is_told(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, nurse, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    made = await delegated(store, clock, people)
    async with store.transaction() as tx:
        listed = await standing_of(tx, store.keys, citizen.patient_id, clock.now())
    assert [(one.kind, one.id, one.ends_with) for one in listed] == [
        ("grant", grant.grant_id, None),
        ("delegation", made.delegation_id, "grant"),
    ]
    told = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = $2"
    assert await steps.count(owner, told, citizen.patient_id, "consent.delegated") == 1
    await steps.read(store, clock, nurse, citizen.patient_id)
    await steps.read(store, clock, nurse, citizen.patient_id)
    assert await steps.count(owner, told, citizen.patient_id, "consent.used") == 1


async def test_five_people_at_most_hold_a_part_of_one_grant(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, _, citizen, facility = people
    await steps.granted(store, clock, doctor, citizen)
    nurses = [await make_doctor(store, clock, facility, "nurse") for _ in range(6)]
    outcomes = [await delegate(store, clock, doctor, nurse, citizen) for nurse in nurses]
    assert [steps.code_of(one) for one in outcomes] == [None] * 5 + ["delegations-full"]
    assert isinstance(await delegate(store, clock, doctor, nurses[0], citizen, "Condition"), Delegation)
