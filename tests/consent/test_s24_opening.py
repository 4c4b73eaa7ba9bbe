"""Breaking the glass (security.md S24, consent.md §5): who may, on what grounds, for how long."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent.emergency.models import Emergency
from consent.emergency.policy import ATTESTATION, opened_types
from identity.register import changes
from identity.units import service as units
from identity.units.models import ClosedUnit
from kernel.access import ALL_LABELS, RECORD_TYPES, Access
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, code_of, count, granted, read
from tests.support.emergency import WHY, Unit, make_unit, place_in
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, new_number, sign_in_again
from visits.arrivals import withdraw_arrival

SECOND = timedelta(seconds=1)


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


async def test_s24_without_an_arrival_nothing_opens(unit: Unit, citizen: Citizen) -> None:
    assert code_of(await unit.break_glass(citizen)) == "no-emergency-arrival"
    assert await read(unit.store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"


async def test_s24_an_arrival_elsewhere_or_by_the_doctor_is_none(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    """At another facility's unit, at this facility's general desk, and noted by whoever opens."""
    other = await make_unit(store, unit.clock)
    await other.arrive(citizen)
    unit_id, unit.unit_id = unit.unit_id, None  # type: ignore[assignment]
    await unit.arrive(citizen)
    unit.unit_id = unit_id
    await unit.arrive(citizen, by=unit.doctor)
    assert code_of(await unit.break_glass(citizen)) == "no-emergency-arrival"
    await unit.arrive(citizen, by=unit.colleague)
    assert isinstance(await unit.break_glass(citizen), Emergency)


@pytest.mark.parametrize(("later", "opens"), [(timedelta(0), True), (SECOND, False)])
async def test_s24_an_arrival_counts_for_twelve_hours(
    unit: Unit, citizen: Citizen, later: timedelta, opens: bool
) -> None:
    await unit.arrive(citizen)
    unit.clock.set(unit.clock.now() + timedelta(hours=12) + later)
    assert isinstance(await unit.break_glass(citizen), Emergency) is opens


async def test_s24_a_withdrawn_arrival_ends_what_was_opened(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    arrival_id = await unit.arrive(citizen)
    assert isinstance(await unit.break_glass(citizen), Emergency)
    assert isinstance(await read(store, unit.clock, unit.doctor, citizen.patient_id), Access)
    async with store.transaction() as tx:
        done = await withdraw_arrival(
            tx,
            store.keys,
            unit.clerk.actor,
            arrival_id,
            citizen.number,
            request_id=TRACE,
            now=unit.clock.now(),
        )
    assert done is None
    assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"


async def test_s24_only_a_doctor_of_an_open_emergency_unit(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    await unit.arrive(citizen)
    elsewhere = await make_doctor(store, unit.clock, unit.facility)
    for stranger in (elsewhere, unit.nurse, unit.clerk):
        assert code_of(await unit.break_glass(citizen, stranger)) == "emergency-unit-required"
    async with store.transaction() as tx:
        closed = ClosedUnit(unit_id=unit.unit_id, facility_id=unit.facility.facility_id)
        assert await units.close_unit(tx, closed, unit.clock.now()) is None
    assert code_of(await unit.break_glass(citizen)) == "emergency-unit-required"


@pytest.mark.parametrize(("later", "opens"), [(timedelta(0), True), (SECOND, False)])
async def test_s24_the_doctor_proved_who_it_is_within_five_minutes(
    unit: Unit, citizen: Citizen, later: timedelta, opens: bool
) -> None:
    await unit.arrive(citizen)
    await unit.fresh(unit.doctor)
    unit.clock.set(unit.clock.now() + timedelta(minutes=5) + later)
    made = await unit.break_glass(citizen, fresh=False)
    assert code_of(made) == (None if opens else "re-authentication-required")


async def test_s24_a_one_time_password_proves_it_again_and_counts_once(unit: Unit, citizen: Citizen) -> None:
    await unit.arrive(citizen)
    await unit.fresh(unit.doctor)
    unit.clock.advance(minutes=6)
    assert code_of(await unit.break_glass(citizen, fresh=False)) == "re-authentication-required"
    assert await unit.prove(unit.doctor) is None
    assert code_of(await unit.prove(unit.doctor)) == "one-time-password-refused"
    assert isinstance(await unit.break_glass(citizen, fresh=False), Emergency)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "cấp cứu"},
        {"text": "a" * 40},
        {"text": " " * 30 + "cấp cứu"},
        {"attestation": "tôi xác nhận"},
        {"attestation": ""},
    ],
)
async def test_s24_a_reason_of_twenty_characters_and_the_typed_sentence(
    unit: Unit, citizen: Citizen, changes: dict[str, str]
) -> None:
    await unit.arrive(citizen)
    assert code_of(await unit.break_glass(citizen, **changes)) == "emergency-reason-invalid"
    sloppy = "  " + ATTESTATION.upper().replace(" ", "  ")
    assert isinstance(await unit.break_glass(citizen, attestation=sloppy), Emergency)


async def test_s24_what_opens_is_the_safety_set_of_twelve_months(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    access = await read(store, unit.clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert (access.basis, access.basis_id, access.purpose) == ("break-glass", made.emergency_id, "BTG")
    assert access.types == opened_types([])
    assert not access.types & {"DocumentReference", "Encounter", "Immunization", "Observation.vital-signs"}  # type: ignore[operator]
    assert access.since is not None
    assert access.since.isoformat() == "2025-11-21"
    assert access.withheld_labels == ALL_LABELS


@pytest.mark.parametrize(("at", "opens"), [(timedelta(hours=4) - SECOND, True), (timedelta(hours=4), False)])
async def test_s24_it_lasts_four_hours(
    store: Store, unit: Unit, citizen: Citizen, at: timedelta, opens: bool
) -> None:
    made = await unit.opened(citizen)
    unit.clock.set(made.opened_at + at)
    await sign_in_again(store, unit.clock, unit.doctor)
    assert isinstance(await read(store, unit.clock, unit.doctor, citizen.patient_id), Access) is opens


async def test_s24_a_colleague_a_nurse_and_the_same_doctor_elsewhere_read_nothing(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    await unit.opened(citizen)
    for stranger in (unit.colleague, unit.nurse):
        assert await read(store, unit.clock, stranger, citizen.patient_id) == "no-access"


async def test_s24_each_ground_is_read_anew_with_the_sweeper_stopped(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    """Unit closed, role out of it, right suspended, licence suspended, person frozen: the next request."""

    async def run(sql: str, *args: object) -> None:
        async with owner.transaction() as tx:
            await tx.execute(sql, *args)

    for number in range(5):
        unit, citizen = await make_unit(store, clock), await make_citizen(store, clock)
        await unit.opened(citizen)
        assert isinstance(await read(store, clock, unit.doctor, citizen.patient_id), Access)
        if number == 0:
            await run("UPDATE facility_unit SET closed_at = now() WHERE unit_id = $1", unit.unit_id)
        elif number == 1:
            await place_in(store, unit.doctor, unit.facility, None)
        elif number == 2:
            async with store.transaction() as tx:
                await units.suspend(tx, unit.doctor.practitioner_id, clock.now())
        elif number == 3:
            sql = "UPDATE practitioner SET suspended_at = $2 WHERE practitioner_id = $1"
            await run(sql, unit.doctor.practitioner_id, clock.now())
        else:
            await run("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", citizen.patient_id)
        assert await read(store, clock, unit.doctor, citizen.patient_id) in ("no-access", "signed-out"), (
            number
        )


async def test_s24_a_suspension_leaves_grants_alone(store: Store, unit: Unit, citizen: Citizen) -> None:
    await granted(store, unit.clock, unit.doctor, citizen)
    async with store.transaction() as tx:
        await units.suspend(tx, unit.doctor.practitioner_id, unit.clock.now())
    access = await read(store, unit.clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.basis == "grant"
    await unit.arrive(citizen)
    assert code_of(await unit.break_glass(citizen)) == "emergency-access-suspended"


@pytest.mark.parametrize(
    ("choice", "basis"),
    [
        ({}, "grant"),
        ({"types": frozenset({"Immunization"})}, "break-glass"),
        ({"types": RECORD_TYPES - {"Device"}}, "break-glass"),
        ({"since": date(2026, 1, 1)}, "break-glass"),
        ({"until": date(2026, 11, 1)}, "break-glass"),
    ],
)
async def test_s24_a_grant_is_used_where_it_shows_the_safety_set_and_else_the_opening(
    store: Store, unit: Unit, citizen: Citizen, choice: dict[str, Any], basis: str
) -> None:
    """Who broke the glass, was told on and is reviewed must not see less than a stranger who did. A grant
    that shows all of it goes first: what the person allowed needs no broken glass."""
    clock = unit.clock
    await granted(store, clock, unit.doctor, citizen, **({"types": RECORD_TYPES} | choice))
    made = await unit.opened(citizen)
    access = await read(store, clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.basis == basis
    if basis == "break-glass":
        assert (access.basis_id, access.purpose) == (made.emergency_id, "BTG")
        assert access.types == opened_types([])
    # With the opening's end the grant is there again, as narrow as it is.
    assert await unit.end(citizen, made.emergency_id) is None
    await sign_in_again(store, clock, unit.doctor)
    access = await read(store, clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.basis == "grant"


async def test_s24_again_within_a_day_only_with_a_second_clinician_and_to_24_hours_from_the_first(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    first = await unit.opened(citizen)
    unit.clock.set(first.ends_at)
    again = await unit.opened(citizen)
    assert again.needs_cosign
    await sign_in_again(store, unit.clock, unit.doctor)
    assert await read(store, unit.clock, unit.doctor, citizen.patient_id) == "no-access"
    assert isinstance(await unit.sign(again.emergency_id, "open"), Emergency)
    assert isinstance(await read(store, unit.clock, unit.doctor, citizen.patient_id), Access)
    unit.clock.advance(minutes=1)
    extended = await unit.sign(again.emergency_id, "extend")
    assert isinstance(extended, Emergency)
    assert extended.ends_at == first.opened_at + timedelta(hours=24)


async def test_s24_the_third_time_ends_24_hours_from_the_first_and_the_next_day_is_a_new_one(
    unit: Unit, citizen: Citizen
) -> None:
    first = await unit.opened(citizen)
    unit.clock.set(first.opened_at + timedelta(hours=22))
    again = await unit.opened(citizen)
    assert again.ends_at == first.opened_at + timedelta(hours=24)
    unit.clock.set(first.opened_at + timedelta(hours=46))
    other_day = await unit.opened(citizen)
    assert not other_day.needs_cosign
    assert other_day.ends_at == other_day.opened_at + timedelta(hours=4)


async def test_s24_once_at_a_time_for_one_person(unit: Unit, citizen: Citizen) -> None:
    await unit.opened(citizen)
    assert code_of(await unit.break_glass(citizen)) == "emergency-access-running"


async def test_s18_a_reported_death_is_no_bar_and_a_frozen_book_answers_like_nobody(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE citizen SET state = 'death-reported' WHERE patient_id = $1", citizen.patient_id
        )
    await unit.opened(citizen)
    told = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'consent.glass-broken'"
    assert await count(owner, told, citizen.patient_id) == 1
    other = await make_citizen(store, unit.clock)
    await unit.arrive(other)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", other.patient_id)
    assert code_of(await unit.break_glass(other)) == "no-emergency-arrival"


async def test_s19_who_did_not_arrive_and_who_does_not_exist_are_one_answer(
    owner: Store, unit: Unit, citizen: Citizen
) -> None:
    """The same refusal, and a row in a chain for each."""
    before = await count(owner, "SELECT count(*) FROM access_log")
    known = await unit.break_glass(citizen)
    unknown = await unit.break_glass(None, value=new_number())
    assert isinstance(known, Refused)
    assert known == unknown
    assert await count(owner, "SELECT count(*) FROM access_log") == before + 2


async def test_s24_tried_numbers_end_after_twenty_a_day(unit: Unit) -> None:
    answers = [code_of(await unit.break_glass(None, value=new_number())) for _ in range(21)]
    assert answers == ["no-emergency-arrival"] * 20 + ["too-many"]


async def test_s24_the_words_rest_sealed(owner: Store, unit: Unit, citizen: Citizen) -> None:
    made = await unit.opened(citizen)
    sql = (
        "SELECT count(*) FROM emergency_access"
        " WHERE emergency_id = $1 AND position($2::bytea IN reason_text) > 0"
    )
    assert await count(owner, sql, made.emergency_id, WHY.encode()) == 0


async def test_s24_a_unit_is_made_and_filled_by_two_people_of_its_facility(
    store: Store, clock: FrozenClock
) -> None:
    facility, other = await make_facility(store, clock), await make_facility(store, clock)
    admins = [(await make_doctor(store, clock, facility, role="facility-admin")).actor for _ in range(2)]
    stranger = (await make_doctor(store, clock, other, role="facility-admin")).actor
    doctor = await make_doctor(store, clock, facility)
    prepared = await _credential(store, clock)

    async def change(kind: str, body: object, proposer: object, confirmer: object) -> object:
        async with store.transaction() as tx:
            made = await changes.propose(tx, proposer, kind, body, "Lập khoa cấp cứu", clock.now())  # type: ignore[arg-type]
        if isinstance(made, Refused):
            return made.problem.code
        async with store.transaction() as tx:
            done = await changes.confirm(tx, store.keys, confirmer, made, prepared, clock.now())  # type: ignore[arg-type]
        return code_of(done) or done.created_id  # type: ignore[union-attr]

    from identity.units.models import NewUnit, RoleUnit

    new = NewUnit(facility_id=facility.facility_id, kind="emergency", name="Cấp cứu")
    assert await change("facility-unit", new, admins[0], admins[0]) == "second-account-needed"
    assert await change("facility-unit", new, stranger, admins[0]) == "not-yours-to-change"
    unit_id = await change("facility-unit", new, admins[0], admins[1])
    assert isinstance(unit_id, UUID)
    placed = RoleUnit(
        practitioner_role_id=doctor.practitioner_role_id, facility_id=facility.facility_id, unit_id=unit_id
    )
    assert await change("practitioner-role-unit", placed, admins[0], admins[1]) == doctor.practitioner_role_id
    async with store.transaction() as tx:
        duty = await units.duty_of(tx, doctor.actor)
    assert duty is not None
    assert duty.unit_id == unit_id


async def _credential(store: Store, clock: FrozenClock) -> object:
    from identity.practitioners import prepare_credential

    return await prepare_credential(store.keys, clock.now())
