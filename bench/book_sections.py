"""Filling a book beyond its visits, by the services that people, doctors, nurses and pharmacists use."""

import base64
import re
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from PIL import Image

from bench.world import Patient, World
from consent.decision import decide, decide_prescription
from ehr.entry.models import EntryNumber, EntryPerson, EntryVitalSigns
from ehr.entry.service import Desk
from ehr.health_checks.models import CheckBody
from ehr.health_checks.service import record
from ehr.intake.files import Importer
from ehr.intake.service import Sender
from ehr.own_documents import service as papers
from ehr.own_documents.models import DocumentWords
from ehr.prescriptions import dispensing
from ehr.prescriptions.service import send
from ehr.programmes.models import EnrolmentBody, Programme, VisitBody
from ehr.programmes.service import enrol, visit
from ehr.statements.models import StatementBody, VerdictBody
from ehr.statements.service import say
from ehr.statements.verdicts import judge
from healthbook.demo_accounts import granted
from healthbook.demo_facilities import CLINIC, HOSPITAL
from healthbook.demo_packages import treatment_package
from healthbook.demo_prescription import HANDED, prescription_of
from identity import practitioners, sessions
from identity.models import Facility
from identity.register.facilities import NewFacility, add_facility
from kernel.access import Access, Actor
from kernel.clock import VIETNAM, SystemClock
from kernel.ids import uuid7
from store.database import Store, Tx

# Of each section: what a well-kept book has.
STATEMENTS = 20
PAPERS = 10
PRESCRIPTIONS = 10
CHECKS = 5
VISITS = 4
FOLLOWED: tuple[Programme, ...] = ("hypertension", "diabetes")
DAY = timedelta(days=1)
# Whom the demo's packages send on to another facility.
SENT_ON = "hung"
MONEY = re.compile(r"<(T_\w+|MA_THE_BHYT|MA_DKBD|GT_THE_\w+|NAM_NAM_LIEN_TUC)>[^<]*<")
LETTER = re.compile(r"<FILEHOSO><LOAIHOSO>XML13</LOAIHOSO>.*?</FILEHOSO>")
CONTENT = re.compile(r"(?<=<NOIDUNGFILE>)[^<]*")


class Place(Struct, frozen=True, kw_only=True):
    """Where the book is filled: a clinic that sends people on to the hospital, and its pharmacist."""

    clinic: Facility
    pharmacist: Actor


async def open_place(world: World) -> Place:
    now = SystemClock().now()
    new = NewFacility(
        name=CLINIC.name, short_name=CLINIC.short, discreet_name="Phòng khám Đo", code=CLINIC.code
    )
    prepared = await practitioners.prepare_credential(world.store.keys, now)
    who = practitioners.NewPractitioner(user_name="ds.do", name="Dược sĩ Đo Lường", licence="8/DEMO-CCHN")
    async with world.store.transaction() as tx:
        clinic = await add_facility(tx, new, now - 2000 * DAY)
        made = await practitioners.add_practitioner(tx, world.store.keys, who, prepared, now)
        role_id = await practitioners.add_role(
            tx, made.actor_id, world.facility.facility_id, "pharmacist", now
        )
        assert isinstance(role_id, UUID)
        tokens = await sessions.open_staff_session(tx, made.actor_id, "practitioner", role_id, now)
        pharmacist = await sessions.authenticate(tx, tokens.access_token, now)
    assert pharmacist is not None
    return Place(clinic=clinic, pharmacist=pharmacist)


async def import_visits(store: Store, place: Place, patient: Patient, *, with_money: bool) -> None:
    """The same visits for everybody; with_money: with sums, card and letter as well."""
    now = SystemClock().now()
    person = replace(patient.person, key=SENT_ON)
    package = treatment_package(person, CLINIC, now.astimezone(VIETNAM).date(), years=1).decode()
    if not with_money:
        package = LETTER.sub("", package)

    def rewrite(found: re.Match[str]) -> str:
        text = re.sub(rf"(?<=[.-]){SENT_ON}\b", patient.person.key, base64.b64decode(found[0]).decode())
        text = text if with_money else MONEY.sub(r"<\1><", text)
        return base64.b64encode(text.encode()).decode()

    data = CONTENT.sub(rewrite, package).encode()
    reports = await Importer(store, SystemClock(), place.clinic, "bench").stream(BytesIO(data), "bench")
    if {report.status for report in reports} != {"imported"}:
        raise RuntimeError(f"the visits were not taken in: {reports}")


async def fill(world: World, place: Place, patient: Patient) -> None:
    """Everything beside the visits."""
    now = SystemClock().now()
    await _say(world, patient, now)
    await _add_papers(world.store, patient, now)
    for number in range(PRESCRIPTIONS):
        await _prescribe(world, place, patient, number, now)
    await _check(world, patient, now)
    await _follow(world, patient, now)


async def _say(world: World, patient: Patient, now: datetime) -> None:
    """Statements; a doctor confirms the first."""
    store, said = world.store, []
    async with store.transaction() as tx:
        access = await _own(store, tx, patient, now)
        for number in range(STATEMENTS):
            body = StatementBody(kind="allergy", name=f"Phấn hoa loại {number}", code="4", reaction="Hắt hơi")
            said.append(granted(await say(tx, store.keys, access, body, request_id=_request(now), now=now)))
    verdict = VerdictBody(outcome="confirmed", version=said[0].version)
    async with store.transaction() as tx:
        reach = await decide(tx, world.doctor, patient.patient_id, "verify-statement", "TREAT", now)
        statement_id, request_id = str(said[0].statement_id), _request(now)
        granted(await judge(tx, granted(reach), statement_id, verdict, request_id=request_id, now=now))


async def _add_papers(store: Store, patient: Patient, now: datetime) -> None:
    upload = granted(await papers.draw(_page()))
    words = DocumentWords(kind="discharge-paper", title="Giấy ra viện cũ")
    for _ in range(PAPERS):
        async with store.transaction() as tx:
            blob_id = granted(await papers.may_add(tx, await _own(store, tx, patient, now), now))
        blob = await store.blobs.put(patient.patient_id, upload.data, blob_id)
        async with store.transaction() as tx:
            access = await _own(store, tx, patient, now)
            added = await papers.add(
                tx, store.keys, access, words, upload, blob, request_id=_request(now), now=now
            )
            granted(added)


def _page() -> bytes:
    """An empty page."""
    out = BytesIO()
    Image.new("RGB", (300, 400), "white").save(out, "PNG")
    return out.getvalue()


async def _prescribe(world: World, place: Place, patient: Patient, number: int, now: datetime) -> None:
    """Sent, and dispensed in part."""
    store, issued = world.store, now - timedelta(hours=1)
    code = f"{HOSPITAL.code}dolu{number:03}-c".lower()
    async with store.transaction() as tx:
        sender = Sender(world.facility, "bench", uuid7(issued))
        await send(tx, store.keys, sender, prescription_of(patient.citizen, code, issued), issued)
    async with store.transaction() as tx:
        found = granted(await dispensing.find(tx, store.keys, place.pharmacist, code, now))
        assert found.patient_id == patient.patient_id
        access = await decide_prescription(tx, place.pharmacist, found.patient_id, found.prescription_id)
        granted(await dispensing.dispense(tx, granted(access), found.prescription_id, HANDED, now))


async def _check(world: World, patient: Patient, now: datetime) -> None:
    today = now.astimezone(VIETNAM).date()
    for number in range(CHECKS):
        body = CheckBody(
            kind="yearly",
            form="831-d",
            check_number=f"DO-{number}",
            done_on=today - (1 + 365 * number) * DAY,
            person=_entry_person(patient),
            health_class="Loại II",
            conclusion="Theo dõi huyết áp hằng tháng",
            values={"MACH": "80", "HUYETAPTT": "142", "HUYETAPTD": "88", "CANNANG": "58.5"},
        )
        async with world.store.transaction() as tx:
            granted(await record(tx, world.store.keys, _desk(world, now), body))


async def _follow(world: World, patient: Patient, now: datetime) -> None:
    today = now.astimezone(VIETNAM).date()
    for programme in FOLLOWED:
        body = EnrolmentBody(
            person=_entry_person(patient), programme=programme, enrolled_on=today - 300 * DAY
        )
        async with world.store.transaction() as tx:
            desk = _desk(world, now)
            made = granted(await enrol(tx, world.store.keys, desk, body))
            for number in range(VISITS):
                seen = VisitBody(
                    visited_on=today - (200 - 40 * number) * DAY,
                    next_visit_on=today + 12 * DAY,
                    advice="Đo huyết áp tại nhà mỗi sáng.",
                    vital_signs=EntryVitalSigns(systolic="132", diastolic="82", weight="57.0"),
                )
                granted(await visit(tx, world.store.keys, desk, made.enrolment_id, seen))


async def _own(store: Store, tx: Tx, patient: Patient, now: datetime) -> Access:
    """The person adding to the own book, with a phone that is off its probation."""
    actor = replace(patient.citizen.actor, probation=False)
    asked = await decide(tx, actor, actor.actor_id, "add-to-record", "PATRQT", now, keys=store.keys)
    return granted(asked)


def _desk(world: World, now: datetime) -> Desk:
    return Desk(world.doctor, world.facility, _request(now), now)


def _entry_person(patient: Patient) -> EntryPerson:
    person = patient.person
    return EntryPerson(
        numbers=[EntryNumber(kind="national-id", value=person.number or "")],
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
    )


def _request(now: datetime) -> str:
    return str(uuid7(now))
