"""S24 over the real server, two API processes and a worker: arrival, broken glass, push, dispute, review."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp

from consent.emergency.policy import ATTESTATION
from tests.journeys.conftest import People
from tests.journeys.test_not_mine import wait_for_notice
from tests.support.client import Staff

KEY = "bler"
STEP_SECONDS = 30


def with_totp(staff: Staff, path: str, body: dict[str, Any]) -> Any:
    """Send with the one-time password of now, or the next one where the sign-in used that up: a phone's clock
    may be so far ahead. Where the next one is used up too, the one after it comes within half a minute."""
    for ahead in (0, STEP_SECONDS, STEP_SECONDS):
        shown_at = datetime.now(UTC) + timedelta(seconds=ahead)
        totp = pyotp.TOTP(staff.card.totp_secret).at(shown_at)
        answer = staff.api.send("POST", path, token=staff.token, body=body | {"totp": totp})
        if answer.status_code == 200:
            return answer.json()
        assert answer.json()["code"] == "one-time-password-refused", answer.text
        if ahead:
            time.sleep(STEP_SECONDS + 1)
    raise AssertionError("no one-time password was accepted")


def test_s24_from_the_arrival_to_the_outcome_of_the_review(people: People) -> None:
    citizen = next(one for one in people.sheet.citizens if one.key == KEY)
    app, doctor, nurse = people.app(KEY), people.staff("bs.thu"), people.staff("dd.hoa")
    clerk, reviewer, outsider = people.staff("tn.quy"), people.staff("dl.lien"), people.staff("dl.son")
    asked = {
        "subject": {"kind": "national-id", "value": citizen.number},
        "reason": "unconscious",
        "text": "Bất tỉnh sau tai nạn giao thông, không có người nhà",
        "attestation": ATTESTATION,
    }
    with_totp(doctor, "/v1/doctor/re-authenticate", {})
    assert doctor.post("/v1/doctor/emergency-access", asked, 403) == "no-emergency-arrival"
    doctor.read(citizen.patient_id, expect=403)

    (unit,) = (one for one in clerk.get("/v1/facility/units")["items"] if one["kind"] == "emergency")
    card = {
        "number": citizen.number,
        "name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": citizen.sex,
        "unit_id": unit["unit_id"],
    }
    clerk.post("/v1/facility/arrivals", card, 201)
    started = time.monotonic()
    opened = doctor.post("/v1/doctor/emergency-access", asked, 201)
    emergency = opened["emergency_id"]
    assert (opened["waiting"], opened["patient_id"]) == (False, citizen.patient_id)
    summary = doctor.read(citizen.patient_id)
    assert {section["key"] for section in summary["sections"]} >= {"allergies", "problems", "medications"}
    assert wait_for_notice(app, "emergency-access")["ref"]["emergency_id"] == emergency
    assert time.monotonic() - started < 60
    wait_for_notice(app, "emergency-read")
    assert emergency in {one["id"] for one in app.get("/v1/me/who-can-see-me")["items"]}

    signed = with_totp(nurse, f"/v1/doctor/emergency-access/{emergency}/co-sign", {"act": "extend"})
    assert signed["ends_at"] > opened["ends_at"]
    wait_for_notice(app, "emergency-signed")
    with_body = {"reason": "not-there", "text": "Tôi không ở bệnh viện"}
    disputed = app.post(f"/v1/me/emergency-access/{emergency}/dispute", with_body)
    assert (disputed["live"], disputed["outcome"]) == (False, None)
    doctor.read(citizen.patient_id, expect=403)

    waiting = reviewer.get("/v1/facility/emergency-reviews")["items"]
    assert emergency in {one["emergency_id"] for one in waiting}
    case = reviewer.get(f"/v1/facility/emergency-reviews/{emergency}")
    assert case["reads"] >= 1
    assert case["dispute_text"] == "Tôi không ở bệnh viện"
    assert citizen.name not in str(case)
    path = f"/v1/facility/emergency-reviews/{emergency}/verdict"
    verdict = {"verdict": "not-justified", "note": "Không có hồ sơ cấp cứu nào của người này"}
    outsider.post(path, verdict, 404)
    reviewer.post(path, verdict)
    wait_for_notice(app, "emergency-reviewed")
    shown = app.get("/v1/me/emergency-access")["items"]
    assert shown[0]["outcome"] == "not-justified"
    assert doctor.post("/v1/doctor/emergency-access", asked, 403) == "emergency-access-suspended"
    log = str(app.get("/v1/me/access-log"))
    assert "mở sổ khẩn cấp" in log
