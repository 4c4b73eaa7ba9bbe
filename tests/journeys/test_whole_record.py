"""A record's way over the real server: held, given to its person by two officers, corrected, hidden, printed.

Two API processes and a worker. The officers come into the register as they do in life: one operator
proposes, another one confirms.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyotp
import pytest

from healthbook.demo_sheet import DemoOperator, DemoPractitioner
from store.blobs import FilesystemBlobs
from store.database import open_store
from store.keys import KeyRing
from store.postgres import start_server
from tests.documents.test_pictures import png
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.bundles import rewrite_package, sample_package
from tests.support.client import Api, App, Machine, Staff
from tests.support.clock import FrozenClock
from tests.support.exports import pdf_pages, step_up
from tests.support.people import Citizen, make_citizen
from tests.support.service import Service, rows, run_command

Found = TypeVar("Found")
STATION, REASON = "99D02", "Giấy tờ gốc đã xem"
WRONG, RIGHT, PRIVATE = "Lý do sai", "Lý do đúng", "Lý do riêng"
PACKAGE = "giamdinhhs_ngoaitru_3176_SYNTHETIC.xml"
LOOKS = 100


@dataclass
class Holder:
    """The person of this journey, with the phone."""

    citizen: Citizen
    app: App

    def package(self, **fields: str) -> bytes:
        """A treatment package of the station about this person."""
        own = {"MACSKCB": STATION, "MA_CSKCB": STATION} | fields
        return rewrite_package(sample_package(PACKAGE), self.citizen, **own)

    def visits(self) -> dict[str, Any]:
        """The visits in the book, by id."""
        items = self.app.get("/v1/me/encounters?limit=100")["items"]
        return {one["encounter"]["id"]: one for one in items}

    def new_visit(self, before: set[str]) -> str:
        """The visit that came since."""
        return eventually(lambda: next(iter(self.visits().keys() - before), None), "no visit came")

    def notices(self) -> list[str]:
        return [one["type"] for one in self.app.get("/v1/me/notifications?limit=100")["items"]]

    def told(self, kind: str) -> None:
        eventually(lambda: kind in self.notices(), f"no {kind} in the inbox")

    def book(self) -> str:
        """The text of the book on paper, signed for by the phone."""
        headers = step_up(self.citizen, "book", datetime.now(UTC), environment="demo")
        answer = self.app.api.send("GET", "/v1/me/exports/book.pdf", token=self.app.token(), headers=headers)
        assert answer.status_code == 200, answer.text
        return "\n".join(pdf_pages(answer.content))


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """What a look finds, once the worker got that far."""
    for _ in range(LOOKS):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(what)


@pytest.fixture
def holder(service: Service, api: Api) -> Holder:
    """Somebody of this journey alone, on a phone that is past its probation."""
    citizen = asyncio.run(_enrolled(service))
    tokens = citizen.tokens
    assert tokens.refresh_token is not None
    return Holder(citizen, App(api, citizen.phone, tokens.access_token, tokens.refresh_token))


async def _enrolled(service: Service) -> Citizen:
    keys = KeyRing.load(service.data / "keys")
    blobs = FilesystemBlobs(service.data / "blobs", keys)
    dsn = start_server(service.data / "postgres").dsn("hb_api")
    store = await open_store(dsn, role="hb_api", keys=keys, blobs=blobs)
    try:
        return await make_citizen(store, FrozenClock(datetime.now(UTC)), name="Lò Thị Cả")
    finally:
        await store.close()


@dataclass
class Operators:
    """Two operators: what the first proposes, the second confirms."""

    api: Api
    tokens: list[str]

    @classmethod
    def sign_in(cls, api: Api, cards: list[DemoOperator]) -> "Operators":
        return cls(api, [_operator_token(api, card) for card in cards[:2]])

    def enter(self, path: str, **change: Any) -> dict[str, Any]:
        """One change of the register, with the secrets that the second operator is shown."""
        body = {"reason": "Giao việc sổ đăng ký", **change}
        first, second = self.tokens
        proposed = self.api.ask("POST", f"/v1/admin/{path}", 202, token=first, body=body)
        confirm = f"/v1/admin/changes/{proposed['change_id']}/confirm"
        made: dict[str, Any] = self.api.ask("POST", confirm, 201, token=second)
        return made

    def officer(self, code: str) -> Staff:
        """A registry officer at a facility of their own."""
        short = f"Van phong {code}"
        facility = {"name": f"Văn phòng {code}", "short_name": short, "discreet_name": short, "code": code}
        office = self.enter("facilities", facility=facility)["created_id"]
        person = {"user_name": f"ho.tich.{secrets.token_hex(3)}", "name": f"Cán bộ {code}"}
        account = self.enter("practitioners", practitioner=person)
        work = {
            "practitioner_id": account["created_id"],
            "facility_id": office,
            "role": "registry-officer",
        }
        role = self.enter("practitioner-roles", practitioner_role=work)
        card = DemoPractitioner(
            practitioner_id=account["created_id"],
            practitioner_role_id=role["created_id"],
            name=person["name"],
            role="registry-officer",
            username=account["user_name"],
            password=account["initial_password"],
            totp_secret=account["totp_secret"],
            facility_code=code,
            facility=facility["name"],
        )
        return Staff.sign_in(self.api, card)


def _operator_token(api: Api, card: DemoOperator) -> str:
    totp = pyotp.TOTP(card.totp_secret).at(datetime.now(UTC))
    body = {"username": card.username, "password": card.password, "totp": totp}
    token: str = api.ask("POST", "/v1/auth/operator/sign-in", 201, body=body)["access_token"]
    return token


def place_unit(officers: list[Staff], receipt: str, patient_id: str) -> None:
    """One officer proposes whose the held unit is, the other one agrees."""
    first, second = officers
    waiting = first.get("/v1/registry/quarantine?limit=100")["items"]
    (held,) = [one for one in waiting if one["receipt_id"] == receipt]
    assert held["reason"] == "identity-conflict"
    place = f"/v1/registry/quarantine/{held['quarantine_id']}"
    choice = {"reason": REASON, "patient_id": patient_id}
    for officer, state in ((first, "proposed"), (second, "resolved")):
        compared = officer.post(f"{place}/comparison", {"reason": REASON})
        assert [one["patient_id"] for one in compared["known"]] == [patient_id]
        assert officer.post(f"{place}/resolution", choice)["state"] == state
        if officer is first:
            assert officer.post(f"{place}/resolution", choice, 409) == "second-officer-needed"


def correct(holder: Holder, doctor: Staff, system: Machine, visit: str) -> None:
    """The person asks with a photo; the facility answers and sends the visit anew, which closes the case."""
    app = holder.app
    asked = {"kind": "correction", "item_id": visit, "text": "Lý do khám sai"}
    case = app.post("/v1/me/cases", asked, 201)["case_id"]
    holder.told("case-opened")
    headers = {"Content-Type": "image/png"}
    sent = app.api.send(
        "POST", f"/v1/me/cases/{case}/evidence", token=app.token(), body=png(), headers=headers
    )
    assert sent.status_code == 201, sent.text

    answers = f"/v1/facility/cases/{case}"
    (photo,) = doctor.get(answers)["evidence"]
    shown = doctor.api.send("GET", f"{answers}/evidence/{photo['evidence_id']}", token=doctor.token)
    assert (shown.status_code, shown.headers["content-disposition"].split(";")[0]) == (200, "attachment")
    doctor.post(f"{answers}/acknowledge")
    doctor.post(f"{answers}/reply", {"text": "Chúng tôi sẽ gửi lại."})
    system.send_records(holder.package(LY_DO_VV=RIGHT), "application/xml")

    def closed() -> dict[str, Any] | None:
        detail: dict[str, Any] = app.get(f"/v1/me/cases/{case}")
        return detail if detail["case"]["state"] == "corrected" else None

    detail = eventually(closed, "the new sending did not close the case")
    assert [step["act"] for step in detail["steps"]] == ["open", "acknowledge", "reply", "supersede"]
    assert WRONG in str(detail["original"])
    assert RIGHT in str(detail["present"])


def let_in(holder: Holder, doctor: Staff) -> None:
    opened, request = present(holder.app, doctor, duration_seconds=86400)
    scanned = holder.app.post("/v1/me/access-requests/scan", {"qr": opened["display"]["qr"]})
    holder.app.approve(request, "A", scanned["nonce"])


def settled(service: Service, holder: Holder) -> list[tuple[object, ...]]:
    """Versions of the book and messages to its person, once the worker has nothing left to do for them."""
    person = holder.citizen.patient_id

    def ask(sql: str) -> list[tuple[object, ...]]:
        return asyncio.run(rows(service, sql, person))

    eventually(lambda: not ask("SELECT event FROM outbox WHERE patient_id = $1"), "the outbox is not empty")
    written = ask("SELECT rtype, id, version, seq FROM ehr_resource WHERE patient_id = $1 ORDER BY 1, 2")
    sent = ask("SELECT notification_id FROM notification WHERE patient_id = $1 ORDER BY 1")
    return [*written, *sent]


def import_again(place: Path, folder: Path, holder: Holder, package: bytes) -> None:
    """The operator's command over the same package; it finds the same person."""
    folder.mkdir()
    (folder / "package.xml").write_bytes(package)
    report = folder.with_suffix(".json")
    run_command(place, "import", str(folder), "--facility", STATION, "--report", str(report))
    (unit,) = json.loads(report.read_bytes())["files"][0]["units"]
    assert (unit["status"], unit["patient_id"]) == ("imported", holder.app.patient_id)


def test_a_held_record_reaches_its_person_is_corrected_hidden_printed_and_written_once(
    people: People, service: Service, holder: Holder, tmp_path: Path
) -> None:
    system, doctor = people.machine(STATION), people.staff("bs.senh")
    operators = Operators.sign_in(people.api, people.sheet.operators)
    officers = [operators.officer(code) for code in ("99D91", "99D92")]

    wrong = holder.package(NGAY_SINH="193001010000", LY_DO_VV=WRONG)
    receipt = system.send_records(wrong, "application/xml")
    assert holder.visits() == {}, "held, in nobody's book"
    place_unit(officers, receipt, holder.app.patient_id)
    visit = holder.new_visit(set())
    assert WRONG in str(holder.visits()[visit])
    seen_by = {row["action"] for row in holder.app.get("/v1/me/access-log?limit=100")["items"]}
    assert {"quarantine:person:read", "quarantine:unit:resolve"} <= seen_by
    correct(holder, doctor, system, visit)
    assert RIGHT in str(holder.visits()[visit])

    days = {"NGAY_VAO": "202603010815", "NGAY_RA": "202603010945"}
    other = holder.package(MA_LK="LK.2", LY_DO_VV=PRIVATE, **days)
    system.send_records(other, "application/xml")
    hidden = holder.new_visit({visit})
    assert PRIVATE in str(holder.visits()[hidden])
    holder.app.post("/v1/me/hidings", {"kind": "Encounter", "id": hidden}, 201)
    let_in(holder, doctor)
    read = doctor.read(holder.app.patient_id, "encounters?limit=100")
    assert [one["encounter"]["id"] for one in read["items"]] == [visit]
    seen = str(read) + str(doctor.read(holder.app.patient_id))
    assert RIGHT in seen
    for gone in (WRONG, PRIVATE, hidden):
        assert gone not in seen

    book = holder.book()
    assert holder.citizen.name in book
    assert RIGHT in book
    assert "02/03/2026" in book
    assert WRONG not in book

    before = settled(service, holder)
    import_again(service.data, tmp_path / "again", holder, holder.package(LY_DO_VV=RIGHT))
    assert settled(service, holder) == before
