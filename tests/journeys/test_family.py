"""A family over the real server, two API processes and a worker: from a birth note to the certificate, by the
mother, by the father, and by a daughter for a father who has no phone."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from kernel.clock import local_day
from tests.journeys.conftest import People
from tests.journeys.test_family_decision import Book, beside, log_of, person_of
from tests.journeys.test_prescription import ring_now, wait_for
from tests.journeys.test_reminders import let_pass, plans_of, prescribed, pushes, told
from tests.support import packages
from tests.support.client import Api, App
from tests.support.service import Service, rows

HOSPITAL, STATION = "99D01", "99D02"
MOTHER, FATHER, DAUGHTER = "huong", "minh", "bler"
ELDER = "thoan"
CARD, NAME = "TE1010000000909", "Nguyễn Bé Vừa Sinh"
SID = "http://fhir.ehealth.gov.vn/core/sid/"
# BCG and the birth dose of hepatitis B.
AT_BIRTH = (("19", "Vắc xin BCG"), ("08", "Vắc xin viêm gan B sơ sinh"))
COVID = (("208", "Vắc xin COVID-19"),)
DONE_FOR_A_CHILD = {
    *("record:summary:read", "record:vaccination-schedule:read", "record:vaccination:read"),
    *("visit:appointment:hold", "visit:appointment:confirm", "visit:ticket:create", "consent:grant:create"),
    *("record:health-card:read", "record:vaccination-book:read"),
}
DONE_FOR_HIM = {
    *("record:summary:read", "record:vaccination-schedule:read", "consent:grant:create"),
    *("visit:appointment:hold", "visit:appointment:confirm", "visit:ticket:create"),
    *("record:certificate:read", "vaccination:certificate:issue"),
}


@dataclass
class Child:
    """A newborn with the temporary card of the birth note and no number yet."""

    book: Book
    born: str


def birth_note(mother: Any, born: datetime) -> bytes:
    """XML1 of the mother's stay and XML9 of the child, as the hospital's system sends them."""
    here = {"MA_CSKCB": HOSPITAL, "MA_BENH_CHINH": "O80"}
    day = mother.birth_date.replace("-", "")
    stay = {"SO_CCCD": mother.number, "HO_TEN": mother.name, "NGAY_SINH": day + "0000"}
    whole = {"MA_THE_BHYT": "", "DIEN_THOAI": "", "MA_LK": "SINH.909", "MA_BN": "BN909"}
    note = {"SO_CCCD_NND": mother.number, "HO_TEN_NND": mother.name, "NGAYSINH_NND": day}
    child = {"HO_TEN_CON": NAME, "MA_THE_TAM": CARD, "NGAY_SINH_CON": f"{born:%Y%m%d}0130", "SO": "GCS-909"}
    change = {"XML1": here | stay | whole, "XML9": here | note | child | {"MA_LK": "SINH.909"}}
    return packages.package(packages.tables_of("4750", ["XML1", "XML9"], change), facility=HOSPITAL)


def doses(kind: str, number: str, name: str, birth_date: str, sex: str, *given: tuple[str, str]) -> bytes:
    """Doses of today as a station's system sends them. kind: the system of the number."""
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": SID + kind, "value": number}],
        "name": [{"text": name}],
        "birthDate": birth_date,
        "gender": sex,
    }
    made: list[dict[str, Any]] = [
        {
            "resourceType": "Immunization",
            "id": f"dose-{code}-{number}",
            "status": "completed",
            "vaccineCode": {
                "coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}],
                "text": text,
            },
            "patient": {"reference": "Patient/p1"},
            "occurrenceDateTime": local_day(datetime.now(UTC)).isoformat(),
            "lotNumber": f"LO-{code}",
            "protocolApplied": [{"doseNumberPositiveInt": 1}],
        }
        for code, text in given
    ]
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in (patient, *made)
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def fetched(book: Book, path: str, start: bytes) -> bytes:
    """A file of somebody's book."""
    headers = {"X-Patient-Id": book.person_id}
    answer = book.app.api.send("GET", f"/v1/me/{path}", token=book.app.token(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(start)
    return answer.content


def booked(people: People, book: Book) -> dict[str, Any]:
    """A place at the hospital, from its list of free hours."""
    first = datetime.now(UTC) + timedelta(days=3)
    nurse = people.staff("dd.hoa")
    reason = {"reason": "lịch khám của khoa"}
    body = reason | {"name": f"Khám {uuid4().hex[:6]}"}
    plan = nurse.post("/v1/facility/schedules", body, 201)
    slot = {
        "starts_at": first.isoformat(),
        "ends_at": (first + timedelta(hours=1)).isoformat(),
        "capacity": 2,
    }
    path = f"/v1/facility/schedules/{plan['schedule_id']}/slots"
    where = nurse.post(path, {"slots": [slot]}, 201)["facility_id"]
    offered = book.ask("GET", f"facilities/{where}/schedules/{plan['schedule_id']}")
    (free,) = offered["slots"]
    ask = {"facility_id": where, "schedule_id": plan["schedule_id"], "slot_id": free["slot_id"]}
    held = book.ask("POST", "appointments", 201, ask)
    done: dict[str, Any] = book.ask("POST", f"appointments/{held['appointment_id']}/confirm", 200)
    assert done["state"] == "booked"
    return done


def number_at_counter(people: People, book: Book) -> dict[str, Any]:
    """Scan what a counter's screen shows: a number in its line, for whom one acts."""
    nurse = people.staff("dd.hoa")
    counter = nurse.get("/v1/facility/counters")["items"][0]
    screen = nurse.get(f"/v1/facility/counters/{counter['counter_id']}/screen")
    scan = {"qr": screen["qr"], "client_id": str(uuid4())}
    made: dict[str, Any] = book.ask("POST", "check-ins", 201, scan)
    return made


def let_in(book: Book, opened: dict[str, Any]) -> str:
    """Who acts scans the doctor's code and signs for whose book it is; the grant's id."""
    path = f"access-requests/{opened['request_id']}"
    scanned = book.ask("POST", "access-requests/scan", 200, {"qr": opened["display"]["qr"]})
    signed = book.app.approval(book.ask("GET", path), "A", scanned["nonce"], book=book.person_id)
    grant = book.ask("POST", f"{path}/approve", 201, signed | {"assent": False})
    grant_id: str = grant["grant_id"]
    return grant_id


def newborn(api: Api, people: People, app: App) -> Child:
    """The hospital sends the birth note; the child stands in the mother's family as soon as that is in."""
    born = datetime.now(UTC) - timedelta(days=1)
    known = {one["person_id"] for one in app.get("/v1/me/family")["items"]}
    people.machine(HOSPITAL).send_records(birth_note(person_of(MOTHER), born), "application/xml")
    (line,) = wait_for(
        lambda: [
            one
            for one in app.get("/v1/me/family")["items"]
            if one["person_id"] not in known and one["acts"] == "for-them"
        ]
    )
    book = Book(app, line["person_id"])
    assert book.ask("GET", "summary")["person"]["name"] == NAME
    assert book.ask("GET", "vaccination/schedule")["birth_date"] == f"{born:%Y-%m-%d}"
    wait_for(lambda: [one for one in told(app, "family-linked") if book.person_id in str(one["ref"])])
    return Child(book, f"{born:%Y-%m-%d}")


async def test_from_the_birth_note_to_the_certificate_by_the_mother_and_the_father(
    api: Api, people: People, service: Service
) -> None:
    mother, father = people.app(MOTHER), people.app(FATHER)
    child = newborn(api, people, mother)
    hers = child.book
    visit = booked(people, hers)
    assert number_at_counter(people, hers)["ticket"]
    clerk, doctor = people.staff("tn.quy"), people.staff("bs.nam")
    clerk.check_in(hers.ask("GET", "identification-qr")["qr"])
    opened = doctor.ask("citizen-qr", hers.ask("GET", "identification-qr")["qr"], duration_seconds=86400)
    let_in(hers, opened)
    assert doctor.read(hers.person_id)["person"]["name"] == NAME
    given = doses("insurance_number", CARD, NAME, child.born, "male", *AT_BIRTH)
    people.machine(STATION).send_records(given, "application/fhir+json")
    assert len(wait_for(lambda: hers.ask("GET", "vaccination")["doses"])) == len(AT_BIRTH)
    await reminded(service, api, hers, visit)
    card = hers.ask("POST", "health-cards", 201, {"book": "childhood"})
    fetched(hers, f"health-cards/{card['card_id']}/card.smart-health-card", b"{")
    fetched(hers, "vaccination.pdf", b"%PDF")
    assert await acts_of(service, hers, MOTHER) >= DONE_FOR_A_CHILD

    his = await second_guardian(people, service, hers, father)
    for path in ("summary", "vaccination", "vaccination/schedule", "appointments", "reminders", "grants"):
        assert his.ask("GET", path) == hers.ask("GET", path), path
    assert visit["appointment_id"] in str(his.ask("GET", "appointments"))
    neither_removes_the_other(hers, his)
    his.ask("POST", f"appointments/{visit['appointment_id']}/cancel", 200)
    assert await acts_of(service, his, FATHER) >= {"record:summary:read", "visit:appointment:cancel"}
    assert person_of(FATHER).name in str(log_of(hers))


async def plan_of(book: Book, visit: dict[str, Any]) -> dict[str, Any]:
    """The reminder that follows a visit that was booked."""
    whose = {"X-Patient-Id": book.person_id}
    made: dict[str, Any] = wait_for(lambda: plans_of(book.app, whose, kind="revisit", state="active"))[0]
    assert visit["state"] == "booked"
    return made


async def reminded(service: Service, api: Api, book: Book, visit: dict[str, Any]) -> None:
    """The visit rings with whoever acts, without a name."""
    plan = await plan_of(book, visit)
    await ring_now(service, plan["reminder_id"])
    (notice,) = wait_for(lambda: told(book.app, "dependent-reminder"))
    assert notice["ref"]["patient_id"] == book.person_id
    (push,) = wait_for(lambda: pushes(api, book.app.patient_id, "dependent-reminder"))
    assert NAME not in str([notice, push])


async def acts_of(service: Service, book: Book, who: str) -> set[str]:
    """What stands in the log of whose book it is, under the name of who did it: the family's own list of it
    leaves places and visits out (security.md S23)."""
    found = await rows(
        service,
        "SELECT DISTINCT entry::json->>'action' FROM access_log WHERE patient_id = $1::uuid"
        " AND actor_name = $2 AND actor_kind = 'citizen'",
        book.person_id,
        person_of(who).name,
    )
    return {str(action) for (action,) in found}


async def second_guardian(people: People, service: Service, hers: Book, father: App) -> Book:
    """A desk attests the father, the child by the birth note's card; the mother has 72 hours for a no."""
    first, second = people.staff("tn.quy"), people.staff("tn.an")
    parent = person_of(FATHER)
    card = {"number": parent.number, "name": parent.name, "birth_date": parent.birth_date, "sex": parent.sex}
    first.post("/v1/facility/arrivals", card, 201)
    pair = {"child_number": CARD, "guardian_number": parent.number, "papers_seen": True}
    made = first.post("/v1/facility/guardianships", pair, 201)
    path = f"/v1/facility/guardianships/{made['proposal_id']}/confirm"
    second.post(path, {"papers_seen": True}, 204)
    his = Book(father, hers.person_id)
    assert his.ask("GET", "summary", 403) == "not-your-book"
    (waiting,) = beside(hers.app, hers.person_id)
    assert waiting["person_id"] == father.patient_id
    # A test cannot wait for three days.
    sql = "UPDATE guardianship SET starts_at = now() WHERE patient_id = $1::uuid AND guardian_id = $2::uuid"
    await rows(service, sql, hers.person_id, father.patient_id)
    return his


def neither_removes_the_other(hers: Book, his: Book) -> None:
    mother, father = hers.app, his.app
    for book, other in ((hers, father), (his, mother)):
        assert book.ask("DELETE", f"guardians/{other.patient_id}", 404) == "family-link-unknown"
        assert book.app.delete(f"/v1/me/family/{other.patient_id}", 404) == "family-link-unknown"
        book.ask("DELETE", f"family/{other.patient_id}", 403)
    for book in (hers, his):
        assert book.ask("GET", "summary")["person"]["name"] == NAME


async def test_a_daughter_does_it_for_a_father_without_a_phone(
    api: Api, people: People, service: Service
) -> None:
    daughter, elder = people.app(DAUGHTER), person_of(ELDER)
    first, second = people.staff("tn.quy"), people.staff("tn.an")
    card = {"number": elder.number, "name": elder.name, "birth_date": elder.birth_date, "sex": elder.sex}
    first.post("/v1/facility/arrivals", card, 201)
    until = (local_day(datetime.now(UTC)) + timedelta(days=300)).isoformat()
    scopes = ["add-to-record", "appointments", "consent", "read-record", "reminders"]
    wish = {"person_number": elder.number, "proxy_number": person_of(DAUGHTER).number, "scopes": scopes}
    made = first.post("/v1/facility/proxies", wish | {"until": until, "card_seen": True}, 201)
    confirmed = second.post(f"/v1/facility/proxies/{made['proposal_id']}/confirm", {"card_seen": True}, 201)
    stranger = people.app("dong")
    body = {"code": confirmed["code"]}
    assert stranger.post("/v1/me/proxies/accept", body, 403) == "proxy-code-refused"
    accepted = daughter.post("/v1/me/proxies/accept", body, 201)
    book = Book(daughter, accepted["patient_id"])

    assert book.ask("GET", "summary")["person"]["name"] == elder.name
    assert book.ask("GET", "vaccination/schedule")["birth_date"]
    visit = booked(people, book)
    assert number_at_counter(people, book)["ticket"]
    doctor = people.staff("bs.nam")
    opened = doctor.ask("national-id", elder.number or "", duration_seconds=86400)
    let_in(book, opened)
    # A number that a clerk typed proves no presence: what is granted by it begins ten minutes later (S7).
    assert doctor.read(book.person_id, expect=403) == "no-access"
    await rows(
        service,
        "UPDATE consent_grant SET starts_at = now() - interval '1 second' WHERE patient_id = $1::uuid",
        book.person_id,
    )
    assert doctor.read(book.person_id)["person"]["name"] == elder.name
    given = doses("national_id", elder.number or "", elder.name, elder.birth_date, elder.sex, *COVID)
    people.machine(STATION).send_records(given, "application/fhir+json")
    dose = wait_for(lambda: [one for one in book.ask("GET", "certificates")["doses"] if one["eligible"]])[0]
    issued = book.ask("POST", "certificates", 201, {"immunization_id": dose["immunization_id"]})
    fetched(book, f"certificates/{issued['certificate_id']}/certificate.pdf", b"%PDF")
    book.ask("POST", f"appointments/{visit['appointment_id']}/cancel", 200)
    await unanswered(service, api, people, book, elder)
    assert await acts_of(service, book, DAUGHTER) >= DONE_FOR_HIM
    ended_at_the_desk(people, book, elder)


async def unanswered(service: Service, api: Api, people: People, book: Book, elder: Any) -> None:
    """He has no phone that rings, so nobody answers, and the daughter hears of it."""
    await prescribed(api, people, elder)
    whose = {"X-Patient-Id": book.person_id}
    [plan] = wait_for(lambda: plans_of(book.app, whose, kind="medication", doses_left=10))
    await ring_now(service, plan["reminder_id"])
    await let_pass(service, "reminder-unanswered", lambda: told(book.app, "dependent-unanswered"))
    # Which medicine it was is listed for times of three quarters of an hour ago and older.
    book.ask("GET", "reminders/unanswered")


def ended_at_the_desk(people: People, book: Book, elder: Any) -> None:
    """He comes again without a phone, and nobody acts for him any more."""
    people.staff("tn.quy").post(
        "/v1/facility/proxies/end", {"person_number": elder.number, "card_seen": True}, 204
    )
    for method, path in (("GET", "summary"), ("GET", "appointments"), ("GET", "certificates")):
        assert book.ask(method, path, 403) == "not-your-book"
