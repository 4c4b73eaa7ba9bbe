"""S17 over the real server: a package that went to the wrong person leaves the book at once, for all."""

import time
from typing import Any

from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.bundles import rewrite_package, sample_package
from tests.support.client import App

KEY, STATION = "huong", "99D02"
PATHS = (
    *("summary", "timeline?limit=100", "conditions?limit=100", "medications?limit=100"),
    *("results?limit=100", "encounters?limit=100"),
)


def everything(app: App) -> str:
    return "".join(str(app.get(f"/v1/me/{path}")) for path in PATHS)


def wait_for_notice(app: App, kind: str) -> dict[str, Any]:
    for _ in range(100):
        for item in app.get("/v1/me/notifications")["items"]:
            if item["type"] == kind:
                found: dict[str, Any] = item
                return found
        time.sleep(0.1)
    raise AssertionError(f"no {kind} in the inbox")


def test_s17_a_visit_that_is_not_mine_is_gone_for_the_person_and_the_doctor(people: People) -> None:
    citizen = next(one for one in people.sheet.citizens if one.key == KEY)
    app, system, doctor = people.app(KEY), people.machine(STATION), people.staff("bs.senh")
    before = everything(app)
    package = rewrite_package(
        sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml"), citizen, MACSKCB=STATION, MA_CSKCB=STATION
    )
    system.send_records(package, "application/xml")
    after = everything(app)
    assert after != before
    opened, request = present(app, doctor, duration_seconds=86400)
    scanned = app.post("/v1/me/access-requests/scan", {"qr": opened["display"]["qr"]})
    app.approve(request, "A", scanned["nonce"])
    seen = doctor.read(app.patient_id, "encounters?limit=100")["items"]

    new = [e for e in app.get("/v1/me/encounters?limit=100")["items"] if e["encounter"]["id"] not in before]
    visit = new[0]["encounter"]["id"]
    case = app.post("/v1/me/cases", {"kind": "not-mine", "item_id": visit, "text": "Không phải tôi"}, 201)
    assert visit not in everything(app)
    read = doctor.read(app.patient_id, "encounters?limit=100")["items"]
    assert len(read) == len(seen) - 1
    assert visit not in str(doctor.read(app.patient_id)) + str(read)

    system.send_records(package, "application/xml")
    assert visit not in everything(app), "sent again, it stays out"
    wait_for_notice(app, "case-opened")
    mine = doctor.get("/v1/facility/cases")["items"]
    assert case["case_id"] in {one["case_id"] for one in mine}
    told = doctor.get(f"/v1/facility/cases/{case['case_id']}")
    assert citizen.name not in str(told)
    doctor.post(f"/v1/facility/cases/{case['case_id']}/acknowledge")
    doctor.post(f"/v1/facility/cases/{case['case_id']}/resolve", {"text": "Nhầm số, xin lỗi."})
    wait_for_notice(app, "case-update")
    trail = app.get(f"/v1/me/cases/{case['case_id']}")
    assert [step["act"] for step in trail["steps"]] == ["open", "acknowledge", "resolve"]
    assert trail["case"]["state"] == "detached"
    acts = app.get("/v1/me/access-log?limit=100&actor=practitioner")["items"]
    assert "case:not-mine:resolve" in {row["action"] for row in acts}
