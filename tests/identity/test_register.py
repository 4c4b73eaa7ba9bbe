"""Changes of the registers take two people (security.md S16, S26)."""

import asyncio
from uuid import UUID

import msgspec

from identity import practitioners, sessions
from identity.practitioners import NewPractitioner
from identity.register import changes, facilities
from identity.register.changes import (
    Applied,
    Change,
    ChangeKind,
    CredentialReset,
    EndedRole,
    NewClient,
    NewRole,
)
from identity.register.facilities import NewFacility
from identity.staff import StaffSignedIn
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import ProblemError, Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.entry import code_of, staff_sign_in
from tests.support.people import make_doctor, make_facility


def operator(clock: FrozenClock) -> Actor:
    return Actor(kind="operator", actor_id=uuid7(clock.now()), name="Người vận hành")


async def _propose(
    store: Store, clock: FrozenClock, actor: Actor, kind: ChangeKind, change: Change
) -> UUID | Refused:
    async with store.transaction() as tx:
        return await changes.propose(tx, actor, kind, change, "lý do thử", clock.now())


async def _confirm(store: Store, clock: FrozenClock, actor: Actor, change_id: UUID) -> Applied | Refused:
    async with store.transaction() as tx:
        account = await changes.account_to_reset(tx, change_id, clock.now())
    prepared = await practitioners.prepare_credential(store.keys, clock.now(), account)
    async with store.transaction() as tx:
        return await changes.confirm(tx, store.keys, actor, change_id, prepared, clock.now())


async def _both(store: Store, clock: FrozenClock, kind: ChangeKind, change: Change) -> Applied:
    change_id = await _propose(store, clock, operator(clock), kind, change)
    assert isinstance(change_id, UUID)
    applied = await _confirm(store, clock, operator(clock), change_id)
    assert isinstance(applied, Applied)
    return applied


async def test_two_operators_make_facility_practitioner_role_and_machine(
    store: Store, clock: FrozenClock
) -> None:
    new = NewFacility(
        name="Bệnh viện Mới",
        short_name="BV Moi",
        discreet_name="Cơ sở M",
        code="8300X",
        code_13="8300000000001",
    )
    facility_id = (await _both(store, clock, "facility", new)).created_id
    person = await _both(
        store, clock, "practitioner", NewPractitioner(user_name="bs.moi", name="Bác Sĩ Mới", licence="L-1")
    )
    role = NewRole(practitioner_id=person.created_id, facility_id=facility_id, role="doctor")
    role_id = (await _both(store, clock, "practitioner-role", role)).created_id
    machine = await _both(
        store,
        clock,
        "facility-client",
        NewClient(facility_id=facility_id, kind="facility-system", name="HIS"),
    )
    assert machine.client_secret is not None
    today = clock.now().date()
    async with store.transaction() as tx:
        card = await practitioners.practitioner_card(tx, role_id, clock.now())
        by_code = await facilities.facility_by_code(tx, "8300X", today)
        by_13 = await facilities.facility_by_code(tx, "8300000000001", today)
        assert await facilities.has_code(tx, facility_id, "8300X", today)
        assert not await facilities.has_code(tx, facility_id, "79001", today)
    assert card is not None
    assert (card.name, card.licence, card.active) == ("Bác Sĩ Mới", "L-1", True)
    assert by_code == by_13
    import pyotp

    assert person.totp_secret is not None
    totp = pyotp.TOTP(person.totp_secret).at(clock.now())
    done = await staff_sign_in(store, clock, "bs.moi", person.initial_password or "", totp)
    assert isinstance(done, StaffSignedIn)


async def test_s26_one_operator_alone_changes_nothing(store: Store, clock: FrozenClock) -> None:
    alone = operator(clock)
    new = NewPractitioner(user_name="mot.minh", name="Một Mình")
    change_id = await _propose(store, clock, alone, "practitioner", new)
    assert isinstance(change_id, UUID)
    assert code_of(await _confirm(store, clock, alone, change_id)) == "second-account-needed"


async def test_s26_a_change_is_confirmed_once(store: Store, clock: FrozenClock) -> None:
    change_id = await _propose(
        store, clock, operator(clock), "practitioner", NewPractitioner(user_name="hai.nguoi", name="Hai")
    )
    assert isinstance(change_id, UUID)

    async def confirm() -> bool:
        try:
            return isinstance(await _confirm(store, clock, operator(clock), change_id), Applied)
        except ProblemError:
            return False

    assert sum(await asyncio.gather(*(confirm() for _ in range(4)))) == 1


async def test_s26_every_change_leaves_an_operators_row(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    one = operator(clock)
    await _propose(store, clock, one, "practitioner", NewPractitioner(user_name="co.dau", name="Có"))
    async with owner.transaction() as tx:
        entries = str(await tx.fetch("SELECT entry FROM admin_event"))
    assert str(one.actor_id) in entries
    assert "register:practitioner:propose" in entries


async def test_s16_an_administrator_gives_and_ends_roles_of_known_people_at_home_only(
    store: Store, clock: FrozenClock
) -> None:
    home, away = await make_facility(store, clock), await make_facility(store, clock)
    one, two = [await make_doctor(store, clock, home, "facility-admin") for _ in range(2)]
    doctor = await make_doctor(store, clock, away)
    here = NewRole(practitioner_id=doctor.practitioner_id, facility_id=home.facility_id, role="doctor")
    there = NewRole(practitioner_id=doctor.practitioner_id, facility_id=away.facility_id, role="nurse")
    refused: list[tuple[ChangeKind, Change]] = [
        ("practitioner-role", there),
        ("practitioner", NewPractitioner(user_name="gia.mao", name="Giả Mạo", licence="X")),
        ("credential-reset", CredentialReset(practitioner_id=doctor.practitioner_id)),
        ("facility-client", NewClient(facility_id=home.facility_id, kind="kiosk", name="K")),
        *(
            ("practitioner-role", msgspec.structs.replace(here, role=role))
            for role in ("registry-officer", "privacy-officer", "department-analyst", "hotline-agent")
        ),
    ]
    for kind, change in refused:
        assert code_of(await _propose(store, clock, one.actor, kind, change)) == "not-yours-to-change"
    change_id = await _propose(store, clock, one.actor, "practitioner-role", here)
    assert isinstance(change_id, UUID)
    assert code_of(await _confirm(store, clock, one.actor, change_id)) == "second-account-needed"
    stranger = await make_doctor(store, clock, away, "facility-admin")
    assert code_of(await _confirm(store, clock, stranger.actor, change_id)) == "not-yours-to-change"
    assert isinstance(await _confirm(store, clock, two.actor, change_id), Applied)
    lie = EndedRole(practitioner_role_id=doctor.practitioner_role_id, facility_id=home.facility_id)
    lied = await _propose(store, clock, one.actor, "practitioner-role-end", lie)
    assert isinstance(lied, UUID)
    assert code_of(await _confirm(store, clock, two.actor, lied)) == "not-in-register"


async def test_s16_a_reset_ends_all_sessions_and_works_after_a_day(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    reset = CredentialReset(practitioner_id=doctor.practitioner_id)
    made = await _both(store, clock, "credential-reset", reset)
    async with store.transaction() as tx:
        assert await sessions.authenticate(tx, doctor.token, clock.now()) is None
    import pyotp

    assert made.totp_secret is not None
    for hours, expected in ((0, "sign-in-refused"), (24, None)):
        clock.advance(hours=hours)
        totp = pyotp.TOTP(made.totp_secret).at(clock.now())
        done = await staff_sign_in(store, clock, doctor.username, made.initial_password or "", totp)
        assert code_of(done) == expected
    old = await staff_sign_in(store, clock, doctor.username, doctor.password, doctor.totp(clock))
    assert code_of(old) == "sign-in-refused"


async def test_a_doctor_without_a_licence_is_never_active(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    made = await _both(store, clock, "practitioner", NewPractitioner(user_name="khong.bang", name="Không"))
    role = NewRole(practitioner_id=made.created_id, facility_id=facility.facility_id, role="doctor")
    role_id = (await _both(store, clock, "practitioner-role", role)).created_id
    async with store.transaction() as tx:
        card = await practitioners.practitioner_card(tx, role_id, clock.now())
    assert card is not None
    assert not card.active
