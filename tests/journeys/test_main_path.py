"""The main path over the real HTTP server.

A record comes in, the citizen reads it, a doctor is let in on each tier, and the citizen sees who looked.
"""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.journeys.conftest import People
from tests.support.bundles import rewrite_bundle, rewrite_package, sample_package
from tests.support.client import Api, App, Staff
from tests.support.phone import Phone
from tests.support.service import run_command
from tests.support.shared import shared

HOSPITAL = "99D01"
LETTERS = r"\b([A-HJ-NP-Z]{6})\b(?!.*\b[A-HJ-NP-Z]{6}\b)"
SECTIONS = (
    "allergies",
    "conditions",
    "medications",
    "immunizations",
    "results",
    "procedures",
    "encounters",
    "imaging-reports",
    "documents",
)


@dataclass
class NewPerson:
    """Somebody the service has never heard of."""

    number: str = "001190000901"
    name: str = "Đinh Thị Mới"
    birth_date: str = "1990-04-12"
    sex: str = "female"
    phone: str = "0900000901"


def present(app: App, doctor: Staff, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The doctor scans the person's code and asks; the request on both screens."""
    opened = doctor.ask("citizen-qr", app.qr(), **more)
    return opened, app.get(f"/v1/me/access-requests/{opened['request_id']}")


def other_reads(app: App) -> list[dict[str, Any]]:
    """Every row of somebody else's reading, newest first."""
    rows = app.get("/v1/me/access-log?proofs=true&limit=100&actor=practitioner")["items"]
    return [row for row in rows if row["action"].endswith(":read")]


def wait_for_sms(api: Api, phone: str, shape: str) -> str:
    """The code of the newest message to a phone, as the demo's inbox shows it."""
    tail = phone[-9:]
    for _ in range(100):
        messages = api.ask("GET", "/demo/inbox.json")["items"]
        for message in messages:
            found = re.search(shape, str(message.get("text") or ""))
            if tail in re.sub(r"\D", "", str(message)) and found:
                return found[1]
        time.sleep(0.1)
    raise AssertionError("no message arrived")


def wait_for_push(api: Api, patient_id: str) -> None:
    """Until a push for that person left; it says nothing but that there is something."""
    for _ in range(100):
        messages = api.ask("GET", "/demo/inbox.json")["items"]
        if any(
            one["patient_id"] == patient_id and one["channel"] == "push" and "consent" in one["type"]
            for one in messages
        ):
            return
        time.sleep(0.1)
    raise AssertionError("no push arrived")


def test_two_accounts_activate_a_person_who_then_reads_an_empty_book(people: People, api: Api) -> None:
    person = NewPerson()
    card = {name: getattr(person, name) for name in ("number", "name", "birth_date", "sex")}
    first, second = people.staff("tn.quy"), people.staff("tn.an")
    seen = {**card, "phone": person.phone, "card_seen": True}
    assert first.post("/v1/facility/activations", seen, 403) == "no-arrival-today"
    first.post("/v1/facility/arrivals", card, 201)
    proposed = first.post("/v1/facility/activations", seen, 201)
    confirm = f"/v1/facility/activations/{proposed['activation_id']}/confirm"
    first.post(confirm, {"card_seen": True}, 403)
    issued = second.post(confirm, {"card_seen": True}, 201)
    assert (issued["name"], issued["phone"]) == (person.name, f"*** {person.phone[-3:]}")
    code = issued["code"]

    another = _activation(code, "0909 000 999")
    assert api.ask("POST", "/v1/auth/activations", 401, body=another) == "activation-refused"
    app = App.activated(api, code, person.phone, "284193")
    again = _activation(code, person.phone)
    assert api.ask("POST", "/v1/auth/activations", 401, body=again) == "activation-refused"
    summary = app.get("/v1/me/summary")
    assert summary["person"]["name"] == person.name
    states = {section["key"]: section["state"] for section in summary["sections"]}
    assert states["allergies"] == "not-asked"

    app.refresh()
    assert app.get("/v1/me")["patient_id"] == app.patient_id
    app.post("/v1/auth/sign-out", expect=204)
    app.get("/v1/me/summary", 401)


def _activation(code: str, number: str) -> dict[str, Any]:
    """The same code from another phone."""
    device = msgspec.to_builtins(Phone().new_device(code))
    return {"code": code, "phone": number, "pin": "284193", "device": device}


def test_a_person_signs_in_on_a_new_phone_with_letters_and_pin(people: People, api: Api) -> None:
    citizen = next(one for one in people.sheet.citizens if one.key == "sa-ray")
    started = api.ask("POST", "/v1/auth/sign-in/start", 202, body={"kind": "number", "value": citizen.number})
    letters = wait_for_sms(api, citizen.phone, LETTERS)
    app = App.signed_in(api, started["challenge_id"], letters, citizen.pin)
    assert app.patient_id == citizen.patient_id
    assert app.get("/v1/me/summary")["person"]["name"] == citizen.name


def test_records_of_three_formats_come_in_and_are_read(people: People, place: Path, tmp_path: Path) -> None:
    citizen = next(one for one in people.sheet.citizens if one.key == "bler")
    app, system = people.app("bler"), people.machine(HOSPITAL)
    before = app.get("/v1/me/timeline")["items"]
    sample = shared("data/fhir/bundles/clinosim-us-pt-32b8c2988e1c.json.gz")
    receipt = system.send_records(rewrite_bundle(sample, citizen), "application/fhir+json")
    package = rewrite_package(
        sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml"), citizen, MACSKCB=HOSPITAL, MA_CSKCB=HOSPITAL
    )
    system.send_records(package, "application/xml")
    assert citizen.patient_id not in str(system.receipt(receipt))

    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("ips-bundle-ips-all-sections", "synthea-gdp-lanell756-b051fe0380ee"):
        (folder / f"{name}.json").write_bytes(
            rewrite_bundle(shared(f"data/fhir/bundles/{name}.json.gz"), citizen)
        )
    report = tmp_path / "report.json"
    run_command(place, "import", str(folder), "--facility", HOSPITAL, "--report", str(report))
    units = [unit for file in json.loads(report.read_bytes())["files"] for unit in file["units"]]
    assert {unit["status"] for unit in units} == {"imported"}
    assert {unit["patient_id"] for unit in units} == {citizen.patient_id}
    assert sum(unit.get("withheld", 0) for unit in units) > 0

    for section in SECTIONS:
        assert app.get(f"/v1/me/{section}")["items"], section
    assert len(app.get("/v1/me/timeline?limit=100")["items"]) > len(before)
    assert app.get("/v1/me/search?q=tang+huyet+ap")["items"]
    result = next(item for item in app.get("/v1/me/results?limit=100")["items"] if item.get("code"))
    assert app.get(f"/v1/me/results/trend?code={result['code']}")


def test_an_unchanged_summary_costs_nothing_twice(people: People, api: Api) -> None:
    app = people.app("hung")
    first = api.send("GET", "/v1/me/summary", token=app.access_token)
    held = {"If-None-Match": first.headers["etag"]}
    again = api.send("GET", "/v1/me/summary", token=app.access_token, headers=held)
    assert (again.status_code, again.content) == (304, b"")


def test_tier_a_scan_narrow_read_revoke_and_see(people: People) -> None:
    app, doctor = people.app("lan"), people.staff("bs.nam")
    opened, request = present(app, doctor, duration_seconds=30 * 86400)
    assert request["presence"] is True
    scanned = app.post("/v1/me/access-requests/scan", {"qr": opened["display"]["qr"]})
    wider = request["types"] + ["DocumentReference"]
    assert app.approve(request, "A", scanned["nonce"], 422, types=wider) == "scope-exceeds-request"
    narrow = ["Condition", "MedicationRequest", "Encounter"]
    grant = app.approve(request, "A", scanned["nonce"], types=narrow, duration_seconds=3600)
    assert sorted(grant["types"]) == sorted(narrow)

    assert doctor.state(opened["request_id"])["state"] == "granted"
    summary = doctor.read(app.patient_id)
    listed = {section["key"] for section in summary["sections"] if section["items"]}
    assert listed
    assert "results" not in listed
    assert summary["notice"]
    assert doctor.read(app.patient_id, "conditions")["items"]
    assert doctor.read(app.patient_id, "results")["items"] == []
    people.staff("bs.thu").read(app.patient_id, expect=403)

    app.delete(f"/v1/me/grants/{grant['grant_id']}")
    assert doctor.read(app.patient_id, expect=403) == "no-access"
    reads = other_reads(app)
    assert [(row["action"], row["outcome"]) for row in reversed(reads)] == [
        ("record:summary:read", "ok"),
        ("record:problems:read", "ok"),
        ("record:results:read", "ok"),
        ("record:summary:read", "refused"),
        ("record:summary:read", "refused"),
    ]
    assert {row["grant_id"] for row in reads if row["outcome"] == "ok"} == {grant["grant_id"]}
    assert {row["facility_name"] for row in reads} == {doctor.card.facility}


def test_tier_b_digits_typed_in_the_app(people: People, api: Api) -> None:
    app, doctor = people.app("minh"), people.staff("bs.yen")
    opened, request = present(app, doctor)
    wait_for_push(api, app.patient_id)
    assert app.approve(request, "B", _other(opened["display"]["digits"]), 403) == "otp-invalid"
    digits = doctor.get(f"/v1/doctor/access-requests/{opened['request_id']}/display")["digits"]
    grant = app.approve(request, "B", digits)
    assert grant["tier"] == "B"
    assert doctor.read(app.patient_id, "medications")["items"]
    app.delete(f"/v1/me/grants/{grant['grant_id']}")
    doctor.read(app.patient_id, "medications", 403)
    assert [row["outcome"] for row in reversed(other_reads(app))] == ["ok", "refused"]


def test_tier_c_eight_digits_read_back_without_a_network(people: People) -> None:
    app, doctor = people.app("huong"), people.staff("bs.thu")
    opened, _ = present(app, doctor, duration_seconds=30 * 86400)
    code = app.offline_code(opened["display"]["qr"])
    assert doctor.type_code(opened["request_id"], _other(code), 403) == "otp-invalid"
    verdict = doctor.type_code(opened["request_id"], code)
    assert verdict["patient_id"] == app.patient_id
    assert doctor.type_code(opened["request_id"], code, 403) == "challenge-dead"
    assert doctor.read(app.patient_id)["sections"]
    grant = next(one for one in app.get("/v1/me/grants")["items"] if one["grant_id"] == verdict["grant_id"])
    assert grant["tier"] == "C"
    app.delete(f"/v1/me/grants/{verdict['grant_id']}")
    doctor.read(app.patient_id, expect=403)
    assert [row["outcome"] for row in reversed(other_reads(app))] == ["ok", "refused"]


def test_tier_d_a_code_by_sms_after_the_phone_was_lost(people: People, api: Api) -> None:
    citizen = next(one for one in people.sheet.citizens if one.key == "pao")
    app, doctor, desk = people.app("pao"), people.staff("bs.senh"), people.staff("tn.tua")
    desk.check_in(app.qr())
    app.delete(f"/v1/me/devices/{app.phone.device_id}")
    app.get("/v1/me/summary", 401)

    opened = doctor.ask("national-id", citizen.number)
    doctor.post(f"/v1/doctor/access-requests/{opened['request_id']}/sms", expect=202)
    code = wait_for_sms(api, citizen.phone, r"SSK: (\d{6})")
    verdict = doctor.type_code(opened["request_id"], code)
    assert doctor.read(verdict["patient_id"])["sections"]

    started = api.ask("POST", "/v1/auth/sign-in/start", 202, body={"kind": "number", "value": citizen.number})
    letters = wait_for_sms(api, citizen.phone, LETTERS)
    new_phone = App.signed_in(api, started["challenge_id"], letters, citizen.pin)
    new_phone.delete(f"/v1/me/grants/{verdict['grant_id']}")
    doctor.read(verdict["patient_id"], expect=403)
    # In its first 72 hours the new phone does not see the log.
    assert new_phone.get("/v1/me/access-log", 403) == "device-on-probation"


def test_unknown_and_known_numbers_get_one_answer(people: People) -> None:
    doctor = people.staff("bs.yen")
    citizen = next(one for one in people.sheet.citizens if one.key == "dong")
    known, unknown = (doctor.ask("national-id", number) for number in (citizen.number, "001190009999"))
    assert known.keys() == unknown.keys()
    states = [doctor.state(one["request_id"])["state"] for one in (known, unknown)]
    assert states == ["waiting", "waiting"]
    for one in (known, unknown):
        assert doctor.type_code(one["request_id"], "12345678", 403) == "otp-invalid"


def _other(digits: str) -> str:
    """Other digits of the same length."""
    return digits[:-1] + str((int(digits[-1]) + 1) % 10)
