"""What is measured on: an embedded database with a crowd of people with long records, and a doctor let in.

Everything is made by the services; only passwords and PINs, which no measurement uses, are left out.
"""

from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from ehr.intake.files import Importer
from healthbook.demo_accounts import Activated
from healthbook.demo_consent import let_in_once
from healthbook.demo_devices import DemoPhone
from healthbook.demo_facilities import HOSPITAL
from healthbook.demo_people import DemoPerson, make_crowd
from healthbook.demo_records import long_history
from healthbook.demo_sheet import DemoCitizen, DemoDevice
from identity import devices, people, practitioners, queries, sessions
from identity.devices import Enrolled
from identity.models import Facility
from identity.people import IdentifierClaim, PersonClaim
from identity.register.facilities import NewFacility, add_facility
from kernel.access import Actor
from kernel.clock import VIETNAM, SystemClock
from store.database import Store

PEOPLE = 64
YEARS = 3
DAY = timedelta(days=1)


class Patient(Struct, frozen=True, kw_only=True):
    """One of the crowd: the record's Bundle, and a session of the person."""

    patient_id: UUID
    person: DemoPerson
    bundle: bytes
    citizen: Activated
    token: str


class World(Struct, frozen=True, kw_only=True):
    data: Path
    store: Store
    owner_dsn: str
    facility: Facility
    doctor: Actor
    doctor_token: str
    patients: list[Patient]


async def build(data: Path, store: Store, owner_dsn: str) -> World:
    """64 people with at least 400 resources each, and one doctor with a live grant for all of them."""
    now = SystemClock().now()
    facility = await _facility(store, now)
    doctor, doctor_token = await _doctor(store, facility, now)
    today = now.astimezone(VIETNAM).date()
    patients = []
    for person in make_crowd(PEOPLE, today):
        patient = await _patient(store, facility, person, today, now)
        await let_in_once(store, patient.citizen, doctor, now)
        patients.append(patient)
    return World(
        data=data,
        store=store,
        owner_dsn=owner_dsn,
        facility=facility,
        doctor=doctor,
        doctor_token=doctor_token,
        patients=patients,
    )


async def import_bundle(store: Store, facility: Facility, bundle: bytes) -> UUID:
    """One Bundle through the whole intake; whose book it went into."""
    importer = Importer(store, SystemClock(), facility, "bench")
    (report,) = await importer.stream(BytesIO(bundle), "bench")
    if report.status != "imported":
        raise RuntimeError(f"the intake answered {report.status}: {report.reasons}")
    return UUID(str(report.patient_id))


async def fresh_token(store: Store, patient: Patient) -> str:
    """A new session of ten minutes."""
    device_id = patient.citizen.actor.device_id
    assert device_id is not None
    async with store.transaction() as tx:
        tokens = await sessions.open_citizen_session(tx, patient.patient_id, device_id, SystemClock().now())
    return tokens.access_token


async def _facility(store: Store, now: datetime) -> Facility:
    new = NewFacility(
        name="Bệnh viện Đo Lường", short_name="BV Do Luong", discreet_name="Cơ sở Đo", code=HOSPITAL.code
    )
    async with store.transaction() as tx:
        return await add_facility(tx, new, now - 2000 * DAY)


async def _doctor(store: Store, facility: Facility, now: datetime) -> tuple[Actor, str]:
    prepared = await practitioners.prepare_credential(store.keys, now)
    new = practitioners.NewPractitioner(user_name="do.luong", name="Bác sĩ Đo Lường", licence="9/DEMO-CCHN")
    async with store.transaction() as tx:
        made = await practitioners.add_practitioner(tx, store.keys, new, prepared, now)
        role_id = await practitioners.add_role(tx, made.actor_id, facility.facility_id, "doctor", now)
        assert isinstance(role_id, UUID)
        tokens = await sessions.open_staff_session(tx, made.actor_id, "practitioner", role_id, now)
        actor = await sessions.authenticate(tx, tokens.access_token, now)
    assert actor is not None
    return actor, tokens.access_token


async def _patient(
    store: Store, facility: Facility, person: DemoPerson, today: date, now: datetime
) -> Patient:
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", person.number or "")],
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
    )
    phone = DemoPhone()
    async with store.transaction() as tx:
        patient_id = await people.create_person(tx, store.keys, claim, "verified", None, now - 10 * DAY)
        await queries.RAISE_LEVEL.run(tx, patient_id, 2)
        enrolled = await devices.enrol(
            tx, store.keys, patient_id, phone.enrolment("bench"), "bench", now - 10 * DAY
        )
        assert isinstance(enrolled, Enrolled)
        tokens = await sessions.open_citizen_session(tx, patient_id, enrolled.device_id, now)
        actor = await sessions.authenticate(tx, tokens.access_token, now)
    assert actor is not None
    bundle = long_history(person, HOSPITAL, today, years=YEARS)
    if await import_bundle(store, facility, bundle) != patient_id:
        raise RuntimeError("the record went into another book")
    citizen = Activated(card=_card(person, patient_id), phone=phone, actor=actor)
    return Patient(
        patient_id=patient_id, person=person, bundle=bundle, citizen=citizen, token=tokens.access_token
    )


def _card(person: DemoPerson, patient_id: UUID) -> DemoCitizen:
    nothing = DemoDevice(device_id="", refresh_token="", refresh_key="", step_up_key="", hotp_secret="")
    return DemoCitizen(
        patient_id=str(patient_id),
        key=person.key,
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        number=person.number or "",
        phone=person.phone or "",
        pin="",
        device=nothing,
    )
