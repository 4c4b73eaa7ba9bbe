"""Facilities, staff and citizens for tests, made through the identity services."""

import itertools
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

import pyotp

from identity import devices, people, phones, practitioners, queries, sessions
from identity.devices import Enrolled
from identity.models import Facility, Sex
from identity.passwords import hash_secret
from identity.people import IdentifierClaim, PersonClaim
from identity.register.facilities import NewFacility, add_client, add_facility, facility_by_code
from identity.sessions import Tokens
from kernel.access import Actor, Role
from kernel.clock import VIETNAM
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.phone import Phone

MachineKind = Literal["facility-system", "kiosk"]
_RUNNING = itertools.count(1)


@dataclass(kw_only=True)
class Doctor:
    actor: Actor
    practitioner_id: UUID
    practitioner_role_id: UUID
    username: str
    password: str
    totp_secret: str
    token: str

    def totp(self, clock: FrozenClock) -> str:
        return pyotp.TOTP(self.totp_secret).at(clock.now())


@dataclass(kw_only=True)
class Machine:
    """A facility system or a kiosk."""

    actor: Actor
    client_id: UUID
    client_secret: str
    token: str


@dataclass(kw_only=True)
class Citizen:
    patient_id: UUID
    number: str
    phone_number: str
    name: str
    birth_date: str
    sex: Sex
    pin: str
    actor: Actor
    token: str
    tokens: Tokens
    phone: Phone = field(repr=False)


async def make_facility(
    store: Store, clock: FrozenClock, code: str | None = None, name: str | None = None
) -> Facility:
    """A facility with that code; the one that has it already when the module made it before."""
    now, running = clock.now(), next(_RUNNING)
    async with store.transaction() as tx:
        wanted = code or f"{running % 90 + 10:02d}{secrets.token_hex(2).upper()[:3]}"
        found = await facility_by_code(tx, wanted, now.astimezone(VIETNAM).date())
        if found is not None:
            return found
        new = NewFacility(
            name=name or f"Bệnh viện Thử {running}",
            short_name=f"BV Thu {running}",
            discreet_name=f"Cơ sở {running}",
            code=wanted,
        )
        return await add_facility(tx, new, now)


async def make_doctor(
    store: Store, clock: FrozenClock, facility: Facility, role: Role = "doctor", name: str | None = None
) -> Doctor:
    """A member of staff, signed in. role: clerks and administrators have no licence."""
    now, running = clock.now(), next(_RUNNING)
    prepared = await practitioners.prepare_credential(store.keys, now)
    licensed = role in {"doctor", "pharmacist", "vaccinator", "nurse"}
    # Where a licence names who gave it; drawn digits would spell a code of a disease there by chance.
    issuer = "".join(secrets.choice("GHKLMNTX") for _ in range(4))
    new = practitioners.NewPractitioner(
        user_name=f"{role}{running}.{secrets.token_hex(3)}",
        name=name or f"Nguyễn Văn Thử {running}",
        licence=f"{running:06d}/{issuer}-CCHN" if licensed else None,
    )
    async with store.transaction() as tx:
        made = await practitioners.add_practitioner(tx, store.keys, new, prepared, now)
        role_id = await practitioners.add_role(tx, made.actor_id, facility.facility_id, role, now)
        assert isinstance(role_id, UUID)
        tokens = await sessions.open_staff_session(tx, made.actor_id, "practitioner", role_id, now)
        actor = await sessions.authenticate(tx, tokens.access_token, now)
    assert actor is not None
    return Doctor(
        actor=actor,
        practitioner_id=made.actor_id,
        practitioner_role_id=role_id,
        username=made.user_name,
        password=made.password,
        totp_secret=made.totp_secret,
        token=tokens.access_token,
    )


async def sign_in_again(store: Store, clock: FrozenClock, doctor: Doctor) -> str:
    """A fresh session of the same role, after idle time ended the last one."""
    async with store.transaction() as tx:
        tokens = await sessions.open_staff_session(
            tx, doctor.practitioner_id, "practitioner", doctor.practitioner_role_id, clock.now()
        )
    doctor.token = tokens.access_token
    return doctor.token


async def make_machine(
    store: Store, clock: FrozenClock, facility: Facility, kind: MachineKind = "facility-system"
) -> Machine:
    """A facility system or kiosk with a session."""
    async with store.transaction() as tx:
        made = await add_client(tx, facility.facility_id, kind, f"Máy {kind}", clock.now())
        tokens = await sessions.open_client_session(tx, made.client_id, kind, clock.now())
        actor = await sessions.authenticate(tx, tokens.access_token, clock.now())
    assert actor is not None
    return Machine(
        actor=actor, client_id=made.client_id, client_secret=made.client_secret, token=tokens.access_token
    )


def new_number() -> str:
    """A made-up 12-digit number; the middle says female, born 19xx."""
    return f"0791{secrets.randbelow(10**8):08d}"


def new_phone_number() -> str:
    return f"+849{secrets.randbelow(10**8):08d}"


async def make_person(
    store: Store,
    clock: FrozenClock,
    *,
    number: str | None = None,
    name: str = "Trần Thị Thử",
    birth_date: str = "1985-03-12",
    sex: Sex = "female",
    facility_id: UUID | None = None,
) -> tuple[UUID, str]:
    """A person that a facility reported, without any account: (patient_id, number)."""
    number = number or new_number()
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", number)], name=name, birth_date=birth_date, sex=sex
    )
    async with store.transaction() as tx:
        made = await people.create_person(tx, store.keys, claim, "import", facility_id, clock.now())
    return made, number


async def make_citizen(
    store: Store,
    clock: FrozenClock,
    *,
    number: str | None = None,
    name: str = "Trần Thị Thử",
    birth_date: str = "1985-03-12",
    sex: Sex = "female",
    phone_number: str | None = None,
    pin: str = "284193",
    probation: bool = False,
) -> Citizen:
    """A person with verified number, login phone, PIN, an enrolled device and a session.

    The device was enrolled four days ago and is trusted, unless `probation`.
    """
    now = clock.now()
    since = now if probation else now - timedelta(days=4)
    number, phone_number = number or new_number(), phone_number or new_phone_number()
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", number)], name=name, birth_date=birth_date, sex=sex
    )
    phone = Phone()
    async with store.transaction() as tx:
        patient_id = await people.create_person(tx, store.keys, claim, "verified", None, since)
        await queries.RAISE_LEVEL.run(tx, patient_id, 2)
        await phones.make_login(tx, store.keys, patient_id, phone_number, since)
        pin_hash = await hash_secret(store.keys, patient_id, pin)
        await queries.UPSERT_PIN.run(tx, patient_id, pin_hash, since)
        answer = await devices.enrol(tx, store.keys, patient_id, phone.new_device("test"), "test", since)
        assert isinstance(answer, Enrolled)
        phone.enrolled(patient_id, answer)
        tokens = await sessions.open_citizen_session(tx, patient_id, answer.device_id, now)
        actor = await sessions.authenticate(tx, tokens.access_token, now)
    assert actor is not None
    return Citizen(
        patient_id=patient_id,
        number=number,
        phone_number=phone_number,
        name=name,
        birth_date=birth_date,
        sex=sex,
        pin=pin,
        actor=actor,
        token=tokens.access_token,
        tokens=tokens,
        phone=phone,
    )


async def renew_session(store: Store, clock: FrozenClock, citizen: Citizen) -> str:
    """Rotate the citizen's session as the app does; returns the new access token."""
    async with store.transaction() as tx:
        token, issued_at, signature = citizen.phone.sign_refresh(citizen.tokens, clock.now())
        answer = await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())
    assert isinstance(answer, Tokens)
    citizen.tokens, citizen.token = answer, answer.access_token
    return citizen.token
