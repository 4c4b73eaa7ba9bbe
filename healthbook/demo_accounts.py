"""Accounts of the demo, through the identity services: facilities, staff, machines, activations.

Facilities and staff were entered seven years ago, so that records of that time belong to somebody;
the citizens were activated ten days ago, so that their phones are past the 72 hours of probation.
"""

import asyncio
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from healthbook.demo_devices import DemoPhone
from healthbook.demo_facilities import FACILITIES, STAFF, DemoStaff
from healthbook.demo_people import DemoPerson, card_text
from healthbook.demo_sheet import DemoCitizen, DemoClient, DemoDevice, DemoOperator, DemoPractitioner
from identity import activation, practitioners, sessions
from identity.bootstrap import BootstrapPlan, NewAdministrator, NewOperator, bootstrap
from identity.models import Facility, PractitionerCard
from identity.practitioners import InitialSecrets, active_roles
from identity.register.facilities import NewFacility, add_client, facility_by_code
from identity.sign_in import SignedIn
from identity.units import service as units
from identity.units.models import NewUnit, RoleUnit
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from notifications.service import set_push_target
from store.database import Store
from visits.arrivals import arrived_today, record_arrival, settle_ticket, typed_today

T = TypeVar("T")
PINS = ("284193", "519372", "730518", "946127", "358204", "617935", "802461", "475936", "193847", "629518")
PLAN = BootstrapPlan(
    operators=[
        NewOperator(user_name="vh.mot", name="Vận hành Một"),
        NewOperator(user_name="vh.hai", name="Vận hành Hai"),
    ],
    facilities=[
        NewFacility(
            name=known.name,
            short_name=known.short,
            discreet_name=f"Cơ sở {known.code}",
            code=known.code,
            code_13=known.code13,
        )
        for known in FACILITIES
    ],
    administrators=[
        NewAdministrator(user_name="qt.mot", name="Tạ Quản Trị", facility_code=FACILITIES[0].code),
        NewAdministrator(user_name="qt.hai", name="Bùi Quản Trị", facility_code=FACILITIES[0].code),
    ],
)
EMERGENCY_STAFF = frozenset({"bs.thu", "dd.hoa"})
EMERGENCY_UNIT = "Khoa Cấp cứu"
LICENSED = frozenset({"doctor", "pharmacist", "vaccinator", "nurse"})


class DemoError(Exception):
    """A service refused what the demo asked for; the text is the problem's code."""


class Activated(Struct, frozen=True, kw_only=True):
    """A citizen with an account: the line of the sheet, the phone, and who acts with it."""

    card: DemoCitizen
    phone: DemoPhone
    actor: Actor


class StaffMember(Struct, frozen=True, kw_only=True):
    """Somebody who works at a facility, with what the sheet says and a signed-in actor."""

    member: DemoStaff
    card: DemoPractitioner
    actor: Actor


async def begin(
    store: Store, since: datetime
) -> tuple[dict[str, Facility], list[DemoOperator], list[DemoPractitioner]]:
    """The first accounts of an empty database: facilities by key, two operators, two administrators."""
    made = granted(await bootstrap(store, PLAN, since))
    operators = [
        DemoOperator(username=one.user_name, password=one.password, totp_secret=one.totp_secret)
        for one in made[: len(PLAN.operators)]
    ]
    async with store.transaction() as tx:
        found = [
            await facility_by_code(tx, known.code, since.date() + timedelta(days=1)) for known in FACILITIES
        ]
        facilities = {known.key: row for known, row in zip(FACILITIES, found, strict=True) if row}
        cards = [(await active_roles(tx, one.actor_id, since))[0] for one in made[len(PLAN.operators) :]]
    administrators = [_card(card, one) for card, one in zip(cards, made[len(PLAN.operators) :], strict=True)]
    return facilities, operators, administrators


async def add_staff(
    store: Store, facilities: dict[str, Facility], since: datetime, signed_in_at: datetime
) -> list[StaffMember]:
    """Everybody of STAFF, each with password, TOTP secret and one role."""
    prepared = await hashed_in_turn(store, len(STAFF), since)
    return [
        await _add_member(store, facilities[member.facility], member, credential, since, signed_in_at)
        for member, credential in zip(STAFF, prepared, strict=True)
    ]


async def hashed_in_turn(store: Store, count: int, since: datetime) -> list[practitioners.PreparedCredential]:
    """Credentials, two at a time: the hashing pool refuses a crowd (security.md S33)."""
    gate = asyncio.Semaphore(2)

    async def one() -> practitioners.PreparedCredential:
        async with gate:
            return await practitioners.prepare_credential(store.keys, since)

    return await asyncio.gather(*(one() for _ in range(count)))


async def _add_member(
    store: Store,
    facility: Facility,
    member: DemoStaff,
    credential: practitioners.PreparedCredential,
    since: datetime,
    signed_in_at: datetime,
) -> StaffMember:
    licence = member.licence if member.role in LICENSED else None
    new = practitioners.NewPractitioner(user_name=member.username, name=member.name, licence=licence)
    async with store.transaction() as tx:
        made = await practitioners.add_practitioner(tx, store.keys, new, credential, since)
        role_id = granted(
            await practitioners.add_role(tx, made.actor_id, facility.facility_id, member.role, since)
        )
        tokens = await sessions.open_staff_session(tx, made.actor_id, "practitioner", role_id, signed_in_at)
        actor = await sessions.authenticate(tx, tokens.access_token, signed_in_at)
        role = await practitioners.practitioner_card(tx, role_id, since)
    assert actor is not None
    assert role is not None
    unit = EMERGENCY_UNIT if member.username in EMERGENCY_STAFF else None
    return StaffMember(member=member, card=_card(role, made, unit), actor=actor)


def _card(role: PractitionerCard, made: InitialSecrets, unit: str | None = None) -> DemoPractitioner:
    code = next(known.code for known in FACILITIES if known.short == role.facility_short)
    return DemoPractitioner(
        practitioner_id=str(role.practitioner_id),
        practitioner_role_id=str(role.practitioner_role_id),
        name=role.name,
        role=role.role,
        username=made.user_name,
        password=made.password,
        totp_secret=made.totp_secret,
        facility_code=code,
        facility=role.facility_name,
        unit=unit,
    )


async def add_emergency_unit(
    store: Store, facility: Facility, staff: list[StaffMember], since: datetime
) -> None:
    """The hospital's emergency unit with a doctor and a nurse; reviewers are outside it."""
    async with store.transaction() as tx:
        new = NewUnit(facility_id=facility.facility_id, kind="emergency", name=EMERGENCY_UNIT)
        unit_id = await units.add_unit(tx, new, since)
        for one in staff:
            if one.member.username in EMERGENCY_STAFF:
                placed = RoleUnit(
                    practitioner_role_id=UUID(one.card.practitioner_role_id),
                    facility_id=facility.facility_id,
                    unit_id=unit_id,
                )
                granted(await units.set_unit(tx, placed))


async def add_systems(store: Store, facilities: dict[str, Facility], since: datetime) -> list[DemoClient]:
    """One system per facility."""
    made = []
    for known in FACILITIES:
        facility = facilities[known.key]
        async with store.transaction() as tx:
            secret = await add_client(
                tx, facility.facility_id, "facility-system", f"{known.short} system", since
            )
        made.append(
            DemoClient(
                client_id=str(secret.client_id),
                client_secret=secret.client_secret,
                kind="facility-system",
                facility_code=known.code,
                facility=facility.name,
            )
        )
    return made


async def activate(
    store: Store, person: DemoPerson, pin: str, desk: tuple[Actor, Actor], now: datetime
) -> Activated:
    """Activation in presence by two staff accounts, then the person's phone redeems the code (S8)."""
    assert person.number is not None
    assert person.phone is not None
    card = activation.CardSeen(
        number=person.number,
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        phone=person.phone,
        card_seen=True,
    )
    trace = str(uuid7(now))
    async with store.transaction() as tx:
        granted(await record_arrival(tx, store.keys, desk[0], card.number, request_id=trace, now=now))
        asked = await activation.propose(
            tx, store.keys, desk[0], card, arrived_today, typed_today, request_id=trace, now=now
        )
        proposed = granted(asked)
        await settle_ticket(tx, store.keys, desk[0], card.number, request_id=trace, now=now)
    async with store.transaction() as tx:
        done = await activation.confirm(
            tx, store.keys, desk[1], proposed.activation_id, True, arrived_today, request_id=trace, now=now
        )
        code = granted(done).code
    return await _redeem(store, person, code, pin, now)


async def _redeem(store: Store, person: DemoPerson, code: str, pin: str, now: datetime) -> Activated:
    phone = DemoPhone()
    device = phone.enrolment(code)
    network = f"demo {person.key}"  # each phone calls from its own network
    typed = person.phone or ""
    async with store.transaction() as tx:
        pending = granted(await activation.use_code(tx, store.keys, code, typed, pin, device, network, now))
    pin_hash = await activation.hash_pin(store.keys, pending, pin)
    async with store.transaction() as tx:
        signed: SignedIn = granted(
            await activation.finish(
                tx, store.keys, pending, pin_hash, device, request_id=str(uuid7(now)), now=now
            )
        )
        actor = await sessions.authenticate(tx, signed.tokens.access_token, now)
        assert actor is not None
        granted(await set_push_target(tx, store.keys, actor, "fid", f"demo-{person.key}", now))
    refresh_key, step_up_key = phone.private_keys()
    card = DemoCitizen(
        patient_id=str(signed.patient_id),
        key=person.key,
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        number=person.number or "",
        phone=person.phone or "",
        pin=pin,
        device=DemoDevice(
            device_id=str(signed.enrolled.device_id),
            refresh_token=signed.tokens.refresh_token or "",
            refresh_key=refresh_key,
            step_up_key=step_up_key,
            hotp_secret=signed.enrolled.hotp_secret,
        ),
        card_text=card_text(person),
    )
    return Activated(card=card, phone=phone, actor=actor)


def granted(answer: T | Refused) -> T:
    """What a service answered; the demo asks for nothing that is refused."""
    if isinstance(answer, Refused):
        raise DemoError(answer.problem.code)
    return answer
