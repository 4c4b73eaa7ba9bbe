"""Second clinicians: the third of a day, extension and sensitive labels (security.md S24, consent.md §5)."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from consent.emergency import queries
from consent.emergency.models import Emergency
from kernel.access import ALL_LABELS, Access, Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import code_of, count, read
from tests.support.emergency import Unit, make_unit
from tests.support.people import Citizen, make_citizen, make_doctor, sign_in_again

SECOND = timedelta(seconds=1)


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


async def reads(unit: Unit, citizen: Citizen) -> bool:
    await sign_in_again(unit.store, unit.clock, unit.doctor)
    return isinstance(await read(unit.store, unit.clock, unit.doctor, citizen.patient_id), Access)


async def test_s24_twelve_in_one_night_with_co_signs_all_open(store: Store, owner: Store, unit: Unit) -> None:
    """The first two at once, each further one with a second clinician; the count suspends nobody."""
    waited = []
    for _ in range(12):
        citizen = await make_citizen(store, unit.clock)
        made = await unit.opened(citizen)
        waited.append(made.needs_cosign)
        if made.needs_cosign:
            assert not await reads(unit, citizen)
            assert isinstance(await unit.sign(made.emergency_id, "open"), Emergency)
        assert await reads(unit, citizen)
        unit.clock.advance(minutes=30)
    assert waited == [False, False] + [True] * 10
    sql = "SELECT count(*) FROM practitioner WHERE practitioner_id = $1 AND emergency_suspended_at IS NULL"
    assert await count(owner, sql, unit.doctor.practitioner_id) == 1


@pytest.mark.parametrize(("later", "waits"), [(-SECOND, True), (timedelta(0), False)])
async def test_s24_the_third_within_24_hours_waits(
    store: Store, unit: Unit, later: timedelta, waits: bool
) -> None:
    first = await unit.opened(await make_citizen(store, unit.clock))
    await unit.opened(await make_citizen(store, unit.clock))
    unit.clock.set(first.opened_at + timedelta(hours=24) + later)
    third = await unit.opened(await make_citizen(store, unit.clock))
    assert third.needs_cosign is waits


async def test_s24_who_opened_it_signs_nothing_in_any_session(unit: Unit, citizen: Citizen) -> None:
    """Same session, another session of the same person: the co-signer is somebody else."""
    made = await unit.opened(citizen)
    unit.clock.advance(minutes=1)
    for act in ("open", "extend", "labels"):
        assert code_of(await unit.sign(made.emergency_id, act, unit.doctor)) == "co-sign-refused"  # type: ignore[arg-type]


async def test_s24_a_co_signer_is_a_clinician_of_the_facility_with_an_own_password(
    store: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    other = await make_unit(store, unit.clock)
    assert code_of(await unit.sign(made.emergency_id, "extend", unit.clerk)) == "co-sign-refused"
    assert code_of(await unit.sign(made.emergency_id, "extend", other.nurse)) == "emergency-access-unknown"
    wrong = await unit.sign(made.emergency_id, "extend", totp="000000")
    assert code_of(wrong) == "one-time-password-refused"
    borrowed = await unit.sign(made.emergency_id, "extend", totp=unit.doctor.totp(unit.clock))
    assert code_of(borrowed) == "one-time-password-refused"


async def test_s24_one_password_signs_once(store: Store, unit: Unit) -> None:
    """S16: of two acts within one step the second needs the next password."""
    made = [await unit.opened(await make_citizen(store, unit.clock)) for _ in range(2)]
    assert isinstance(await unit.sign(made[0].emergency_id, "extend"), Emergency)
    assert code_of(await unit.sign(made[1].emergency_id, "extend")) == "one-time-password-refused"


@pytest.mark.parametrize(
    ("at", "opens"), [(timedelta(hours=24) - SECOND, True), (timedelta(hours=24), False)]
)
async def test_s24_extended_once_it_lasts_24_hours_from_the_opening(
    unit: Unit, citizen: Citizen, at: timedelta, opens: bool
) -> None:
    made = await unit.opened(citizen)
    unit.clock.advance(hours=3)
    assert isinstance(await unit.sign(made.emergency_id, "extend"), Emergency)
    unit.clock.advance(minutes=1)
    assert code_of(await unit.sign(made.emergency_id, "extend")) == "nothing-to-co-sign"
    unit.clock.set(made.opened_at + at)
    assert await reads(unit, citizen) is opens


async def test_s24_what_is_over_is_not_extended(unit: Unit, citizen: Citizen) -> None:
    made = await unit.opened(citizen)
    unit.clock.set(made.ends_at)
    assert code_of(await unit.sign(made.emergency_id, "extend")) == "nothing-to-co-sign"


async def test_s24_labels_open_with_a_second_clinician_and_are_logged_apart(
    owner: Store, unit: Unit, citizen: Citizen
) -> None:
    made = await unit.opened(citizen)
    access = await read(unit.store, unit.clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.withheld_labels == ALL_LABELS
    assert isinstance(await unit.sign(made.emergency_id, "labels", labels=Label.HIV), Emergency)
    access = await read(unit.store, unit.clock, unit.doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.withheld_labels == ALL_LABELS & ~Label.HIV
    assert access.basis_version == 2
    sql = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry::json->>'action' = $2"
    assert await count(owner, sql, citizen.patient_id, "consent:emergency:co-sign-labels") == 1


async def test_s24_two_who_extend_at_once_extend_once(store: Store, unit: Unit, citizen: Citizen) -> None:
    made = await unit.opened(citizen)
    done = await asyncio.gather(
        unit.sign(made.emergency_id, "extend"), unit.sign(made.emergency_id, "extend", unit.colleague)
    )
    assert Counter(code_of(one) for one in done) == {None: 1, "nothing-to-co-sign": 1}


async def test_s24_two_co_signatures_at_once_are_one(store: Store, unit: Unit) -> None:
    for _ in range(2):
        await unit.opened(await make_citizen(store, unit.clock))
    third = await unit.opened(await make_citizen(store, unit.clock))
    done = await asyncio.gather(
        unit.sign(third.emergency_id, "open"), unit.sign(third.emergency_id, "open", unit.colleague)
    )
    assert Counter(code_of(one) for one in done) == {None: 1, "nothing-to-co-sign": 1}
    async with store.transaction() as tx:
        row = await queries.by_id(tx, third.patient_id, third.emergency_id)
    assert row is not None
    assert row.version == 2


async def test_s24_openings_at_once_count_each_other(store: Store, unit: Unit) -> None:
    """Four at once: two open alone, whatever the order."""
    people = [await make_citizen(store, unit.clock) for _ in range(4)]
    for one in people:
        await unit.arrive(one)
    await unit.fresh(unit.doctor)
    made = await asyncio.gather(*(unit.break_glass(one, fresh=False) for one in people))
    assert Counter(one.needs_cosign for one in made if isinstance(one, Emergency)) == {False: 2, True: 2}


async def test_s24_a_suspended_clinician_signs_for_nobody(store: Store, unit: Unit, citizen: Citizen) -> None:
    from identity.units import service as units

    made = await unit.opened(citizen)
    async with store.transaction() as tx:
        await units.suspend(tx, unit.colleague.practitioner_id, unit.clock.now())
    assert code_of(await unit.sign(made.emergency_id, "extend", unit.colleague)) == "co-sign-refused"


async def test_insider_the_third_of_a_day_reads_nothing_alone(store: Store, unit: Unit) -> None:
    """The row of the threat table: the 3rd break-glass per 24 h needs a co-signer."""
    for _ in range(2):
        await unit.opened(await make_citizen(store, unit.clock))
    victim = await make_citizen(store, unit.clock)
    third = await unit.opened(victim)
    assert third.needs_cosign
    assert not await reads(unit, victim)
    stranger = await make_doctor(store, unit.clock, unit.facility)
    assert isinstance(await unit.sign(third.emergency_id, "open", stranger), Emergency)
    assert await reads(unit, victim)
