"""Codes, numbers, phones, names and tokens of a journey: nowhere but where they belong (S22, S34).

The service runs without its worker first, so that the outbox is still there to be read.
"""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from healthbook.demo_sheet import DemoCitizen, DemoSheet
from kernel.text import fold
from store.postgres import start_server
from tests.support.client import Api, App, Machine, Staff
from tests.support.log_fields import FIELDS
from tests.support.service import COMMAND, Service, environment, rows, start_service

# What leaves the program or waits to leave it; none of these may carry a fact about a person.
SPEAKING_TABLES = ("outbox", "due_queue", "idempotency_key", "attempt_budget", "admin_event", "ehr_receipt")
SMS_CODE = re.compile(r"SSK: (\d{6})")
SMS_LETTERS = re.compile(r"\b([A-HJ-NP-Z]{6})\b(?!.*\b[A-HJ-NP-Z]{6}\b)")
DATABASE_ERRORS = (
    # A CHECK, two casts, a unique key, a foreign key.
    "INSERT INTO phone_code_lock (phone_hash, kind, until) VALUES (convert_to($1, 'UTF8'), $1, now())",
    "SELECT $1::text::uuid",
    "SELECT $1::text::int",
    "INSERT INTO practitioner (practitioner_id, user_name, name, created_at) VALUES "
    "(gen_random_uuid(), 'bs.nam', $1, now())",
    "INSERT INTO ehr_head (patient_id, head_seq, refreshed_at)"
    " SELECT gen_random_uuid(), 1, now() WHERE $1 <> ''",
)


@pytest.fixture(scope="module")
def quiet_service(place: Path) -> Iterator[Service]:
    running = start_service(place, "--no-worker", workers=2)
    yield running
    running.stop()


def spellings(citizen: DemoCitizen) -> set[str]:
    """The person's facts in every form a program could have written them."""
    phone = citizen.phone.lstrip("0")
    texts = {citizen.number, phone, citizen.name, fold(citizen.name), citizen.pin}
    texts |= {citizen.device.hotp_secret, json.dumps(citizen.name).strip('"')}
    return texts | {text.encode().hex() for text in (citizen.number, phone, citizen.name)}


def hits(seeds: set[str], text: str) -> list[str]:
    lowered = text.lower()
    return sorted(seed for seed in seeds if seed.lower() in lowered)


async def dump(service: Service) -> str:
    found = [
        str(row) for table in SPEAKING_TABLES for row in await rows(service, f"SELECT t::text FROM {table} t")
    ]
    return "\n".join(found)


async def provoke_database_errors(service: Service, seed: str) -> int:
    """Failing statements that carry the seed, as the API's own role."""
    connection = await asyncpg.connect(start_server(service.data / "postgres").dsn("hb_api"))
    failed = 0
    for statement in DATABASE_ERRORS:
        try:
            await connection.execute(statement, seed)
        except asyncpg.PostgresError:
            failed += 1
    await connection.close()
    return failed


def provoke_refusals(api: Api, app: App, doctor: Staff, citizen: DemoCitizen) -> None:
    """The person's facts in paths, queries, headers and broken bodies."""
    for path in (f"/v1/doctor/patients/{citizen.number}/summary", f"/v1/me/summary?number={citizen.number}"):
        api.send("GET", path, token=app.access_token)
    api.send("GET", "/v1/me/search", token=app.access_token, headers={"X-Patient-Id": citizen.number})
    api.send("GET", f"/v1/me/search?q={fold(citizen.name).replace(' ', '+')}", token=app.access_token)
    for body in (f'{{"subject": {{"kind": "national-id", "value": "{citizen.number}"', citizen.name):
        api.send("POST", "/v1/doctor/access-requests", token=doctor.token, body=body.encode())
    doctor.post(
        "/v1/doctor/access-requests", {"subject": {"kind": citizen.number, "value": citizen.phone}}, 400
    )
    wrong = {"username": citizen.name, "password": citizen.pin, "totp": "000000"}
    api.ask("POST", "/v1/auth/practitioner/sign-in", 401, body=wrong)


def start_worker(service: Service) -> subprocess.Popen[bytes]:
    with open(service.log, "ab") as log:
        return subprocess.Popen([*COMMAND, "worker"], env=environment(service.data), stdout=log, stderr=log)


def wait_for_message(api: Api, shape: re.Pattern[str]) -> str:
    for _ in range(150):
        for message in api.ask("GET", "/demo/inbox.json")["items"]:
            if found := shape.search(str(message.get("text") or "")):
                return found[1]
        time.sleep(0.1)
    raise AssertionError("no message arrived")


def test_s22_nothing_of_a_person_stands_in_logs_outbox_or_idempotency_rows(
    quiet_service: Service, sheet: DemoSheet
) -> None:
    service, api = quiet_service, Api(quiet_service.base_url)
    citizen = next(one for one in sheet.citizens if one.key == "pao")
    doctor_card = next(one for one in sheet.practitioners if one.username == "bs.senh")
    clerk = Staff.sign_in(api, next(one for one in sheet.desk_staff if one.username == "tn.tua"))
    doctor, app = Staff.sign_in(api, doctor_card), App.of_sheet(api, citizen)
    machine = Machine.sign_in(api, next(m for m in sheet.facility_systems if m.facility_code == "99D02"))
    clerk.check_in(app.qr())
    app.delete(f"/v1/me/devices/{app.phone.device_id}")
    headers = {"Idempotency-Key": "journey-key-0001"}
    body = {"subject": {"kind": "national-id", "value": citizen.number}}
    asked = api.send("POST", "/v1/doctor/access-requests", token=doctor.token, body=body, headers=headers)
    request_id = asked.json()["request_id"]
    doctor.post(f"/v1/doctor/access-requests/{request_id}/sms", expect=202)
    provoke_refusals(api, app, doctor, citizen)
    assert asyncio.run(provoke_database_errors(service, citizen.number)) >= 4
    assert asyncio.run(provoke_database_errors(service, citizen.name)) >= 4

    seeds = spellings(citizen) | {app.access_token, app.refresh_token, doctor.token, machine.token}
    seeds |= {doctor_card.password, doctor_card.totp_secret}
    waiting = asyncio.run(dump(service))
    assert "consent.code-ready" in waiting
    assert asyncio.run(rows(service, "SELECT 1 FROM idempotency_key"))
    assert hits(seeds, waiting) == []

    worker = start_worker(service)
    try:
        code = wait_for_message(api, SMS_CODE)
        doctor.type_code(request_id, code)
        started = api.ask(
            "POST", "/v1/auth/sign-in/start", 202, body={"kind": "number", "value": citizen.number}
        )
        letters = wait_for_message(api, SMS_LETTERS)
        App.signed_in(api, started["challenge_id"], letters, citizen.pin)
    finally:
        worker.terminate()
        worker.wait(30)

    seeds |= {code, letters}
    application_log = service.log.read_text()
    # The start prints who can sign in, once, on the terminal of whoever started the demo.
    application_log = "\n".join(line for line in application_log.splitlines() if line.startswith("{"))
    assert application_log.count('"event":"request"') > 20
    assert hits(seeds, application_log) == []
    database_log = service.database_log.read_text()
    assert hits(seeds, database_log) == []
    assert hits(seeds, asyncio.run(dump(service))) == []


def lines_of(service: Service) -> list[dict[str, object]]:
    """What the processes wrote, but for the start's own words on the terminal."""
    return [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]


def line_of(service: Service, request_id: str) -> dict[str, object]:
    """The one line of a request, which is written behind its answer."""
    for _ in range(150):
        if found := [one for one in lines_of(service) if one.get("request_id") == request_id]:
            (line,) = found
            return line
        time.sleep(0.1)
    raise AssertionError("no line came")


def test_s34_the_id_of_an_answer_leads_to_one_line_and_to_the_row_of_the_access_log(
    quiet_service: Service, sheet: DemoSheet
) -> None:
    api = Api(quiet_service.base_url)
    app = App.of_sheet(api, next(one for one in sheet.citizens if one.key == "lan"))
    chosen = "chosen-by-a-caller-079190000017"
    said = api.send("GET", "/v1/me/summary", token=app.access_token, headers={"X-Request-Id": chosen})
    refused = api.send("GET", "/v1/me/summary", token="of-nobody")
    failed = api.send("GET", "/v1/nothing/at/all")
    for answered, route in ((said, "/v1/me/summary"), (refused, "/v1/me/summary"), (failed, None)):
        request_id = answered.headers["x-request-id"]
        line = line_of(quiet_service, request_id)
        assert (line["event"], line["route"], line["status"]) == ("request", route, answered.status_code)
    assert chosen not in quiet_service.log.read_text()
    own = "SELECT count(*) FROM access_log WHERE entry LIKE '%' || $1 || '%'"
    assert asyncio.run(rows(quiet_service, own, said.headers["x-request-id"])) == [(1,)]
    assert asyncio.run(rows(quiet_service, own, refused.headers["x-request-id"])) == [(0,)]


def test_s34_a_line_of_a_log_has_no_other_field_than_those_that_name_nobody(quiet_service: Service) -> None:
    """Of everything that this file's services and worker did."""
    written = lines_of(quiet_service)
    assert len(written) > 20
    allowed = FIELDS.keys() | {"event", "level", "timestamp"}
    assert {name for line in written for name in line} - allowed == set()
    people = [str(one) for (one,) in asyncio.run(rows(quiet_service, "SELECT patient_id FROM citizen"))]
    assert len(people) > 5
    assert [person for person in people if person in quiet_service.log.read_text()] == []
