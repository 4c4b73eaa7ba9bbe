"""A facility at work, over HTTP: somebody waits at a counter, has an appointment, asks for a correction, is
registered for a vaccine; and one record whose person is not certain."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from kernel.clock import VIETNAM
from tests.journeys.conftest import People
from tests.support.bundles import rewrite_package, sample_package
from tests.support.client import Staff
from vaccination.registration.screening.forms import form_of

HOSPITAL = "99D01"
REASON = "một ngày ở cơ sở"


@dataclass
class Somebody:
    """Whom a sender got wrong: the number of one person, the birth date of another."""

    number: str
    name: str
    birth_date: str = "1931-02-03"
    sex: str = "male"


@dataclass
class House:
    """Addresses of pages of what there is now."""

    counter: str
    schedule: str
    appointments: str
    case: str
    vaccination: str
    registration: str


def at_work(people: People) -> House:
    """All of that, in tomorrow's lists."""
    admin, clerk = people.staff("qt.mot"), people.staff("tn.an")
    day = (datetime.now(VIETNAM) + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    department = {"reason": REASON, "department": {"name": "Khoa Nội tổng hợp"}}
    unit = admin.post("/v1/facility/departments", department, expect=201)["unit_id"]
    return House(
        counter=_counter(admin, clerk),
        schedule=_schedule(people, day, unit),
        appointments=f"/facility/appointments/{day.date().isoformat()}",
        case=_case(people),
        vaccination=f"/facility/vaccination/{day.date().isoformat()}",
        registration=_registration(people, day),
    )


def _counter(admin: Staff, clerk: Staff) -> str:
    new = {"reason": REASON, "counter": {"code": "KHAM-2", "name": "Khám bệnh, bàn 2"}}
    ident = admin.post("/v1/facility/counters", new, expect=201)["counter_id"]
    for _ in range(3):
        clerk.post(f"/v1/facility/counters/{ident}/numbers", {"client_id": str(uuid4())}, expect=201)
    kiosk = {"counter_id": ident, "name": "Ki-ốt sảnh"}
    admin.post("/v1/facility/kiosks", {"reason": REASON, "kiosk": kiosk}, expect=201)
    return f"/facility/counters/{ident}"


def _schedule(people: People, day: datetime, unit: str) -> str:
    clerk, app = people.staff("tn.an"), people.app("lan")
    new = {"reason": REASON, "name": "Khám nội buổi sáng", "unit_id": unit}
    made = clerk.post("/v1/facility/schedules", new, expect=201)
    path = f"/v1/facility/schedules/{made['schedule_id']}"
    plan = clerk.post(f"{path}/slots", {"slots": _slots(day)}, expect=201)
    asked = {name: plan[name] for name in ("facility_id", "schedule_id")}
    asked["slot_id"] = plan["slots"][0]["slot_id"]
    held = app.post("/v1/me/appointments", asked, 201)
    app.post(f"/v1/me/appointments/{held['appointment_id']}/confirm")
    return f"/facility/schedules/{made['schedule_id']}"


def _case(people: People) -> str:
    facility = people.staff("bs.nam").get("/v1/doctor/me")["roles"][0]["facility_id"]
    asked = {
        "kind": "missing-visit",
        "text": "Tôi đã khám ở đây tuần trước mà chưa thấy trong sổ.",
        "facility_id": facility,
        "visit_on": (datetime.now(VIETNAM) - timedelta(days=7)).date().isoformat(),
    }
    return f"/facility/cases/{people.app('lan').post('/v1/me/cases', asked, 201)['case_id']}"


def _registration(people: People, day: datetime) -> str:
    admin, app = people.staff("qt.mot"), people.app("lan")
    now = datetime.now(VIETNAM)
    campaign = {
        "title": "Tiêm vắc xin cúm",
        "place": "Phòng tiêm, tầng 1",
        "antigens": ["influenza"],
        "opens_at": (now - timedelta(hours=1)).isoformat(),
        "closes_at": (now + timedelta(days=20)).isoformat(),
    }
    made = admin.post("/v1/facility/vaccination-campaigns", campaign, expect=201)
    path = f"/v1/facility/vaccination-campaigns/{made['campaign_id']}/slots"
    plan = admin.post(path, {"slots": _slots(day)}, expect=201)
    questions = form_of("general", 1).questions
    body = {
        "campaign_id": made["campaign_id"],
        "slot_id": plan["slots"][0]["slot_id"],
        "answers": [
            {"key": one.key, "answer": "yes" if one.key == "severe-allergy" else "no"} for one in questions
        ],
    }
    done = app.post("/v1/me/vaccination-registrations", body, 201)
    return f"/facility/vaccination/registrations/{done['registration_id']}"


def hold_back(people: People) -> None:
    """A record of somebody uncertain waits for an officer."""
    known = next(one for one in people.sheet.citizens if one.key == "hung")
    wrong = Somebody(number=known.number, name="Nguyễn Văn Nhầm")
    package = sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml")
    sent = rewrite_package(package, wrong, MACSKCB=HOSPITAL, MA_CSKCB=HOSPITAL)
    people.machine(HOSPITAL).send_records(sent, "application/xml")
    officer = people.staff("hs.dao")
    for _ in range(200):
        if officer.get("/v1/registry/quarantine")["items"]:
            return
        time.sleep(0.1)
    raise AssertionError("nothing waits for an officer")


def _slots(day: datetime) -> list[dict[str, Any]]:
    starts = [day + timedelta(minutes=30 * number) for number in range(4)]
    return [
        {
            "starts_at": at.isoformat(),
            "ends_at": (at + timedelta(minutes=30)).isoformat(),
            "capacity": 3,
        }
        for at in starts
    ]
