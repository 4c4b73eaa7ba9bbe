"""Revisit and referral letters: shown with how long they count, printed with a code, and used once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.letters import read_for
from ehr.letters.models import Validity
from ehr.models import Source
from ehr.paper_proofs.codes import read_code
from ehr.store import retract_rows
from identity.births import service as births
from identity.models import Facility
from kernel.access import Label
from qr import tokens
from store.database import Store
from tests.consent.test_presence import Recorder
from tests.ehr.intake.records import send
from tests.ehr.intake.test_packages import person_fields
from tests.ehr.paper_proofs.test_papers import SECRETS, code_on
from tests.support import packages
from tests.support.booking import Clinic, make_clinic, make_schedule
from tests.support.clock import FrozenClock
from tests.support.exports import pdf_pages
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.record import write
from tests.support.registry import make_officers, merged, separated

LETTERS = "/v1/me/letters"
VERIFY = "/v1/public/papers/verify"
SENDER = "79001"
DAYS = Validity(referral_days=10, revisit_days=5)
ISSUED, DUE = "2026-11-20", "2026-11-30"
HEAD = {"NGAY_VAO": "202611190800", "NGAY_VAO_NOI_TRU": "", "NGAY_RA": "202611201000", "NGAY_TAI_KHAM": ""}


@dataclass
class Desk:
    """A person with letters of one facility, and the place that a referral goes to."""

    store: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    person: Citizen
    sender: Facility
    clinic: Clinic
    receiver: str

    async def visit(
        self,
        facility: Facility,
        code: str,
        *names: str,
        version: str = "4750",
        number: str = "1",
        to: str | None = None,
        **head: str,
    ) -> None:
        whose = {"MA_LK": f"SYN.{self.person.number}.{number}"}
        more = whose | HEAD | {"NGAY_HEN_KL": f"{DUE.replace('-', '')}0800"} | head
        goes = {"MA_NOI_DEN" if version == "4750" else "MA_CSKCB_DEN": to or self.receiver}
        every = {name: more | (goes if name == "XML13" else {}) for name in names}
        every["XML1"] |= person_fields(self.person, code)
        data = packages.package(packages.tables_of(version, names, every), facility=code)
        (report,) = await send(self.store, self.clock, facility, data)
        assert (report.status, report.reasons) == ("imported", []), report

    async def issue(self, *names: str, **head: str) -> None:
        await self.visit(self.sender, SENDER, "XML1", *names, **head)

    async def come(self, facility: Facility, code: str, day: str) -> None:
        """Another visit, some day."""
        at = day.replace("-", "")
        when = {"NGAY_VAO": f"{at}0900", "NGAY_RA": f"{at}1000"}
        await self.visit(facility, code, "XML1", number=f"late.{at}", **when)

    async def letters(self, headers: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
        found = await self.client.get(LETTERS, headers=headers or bearer(self.person.token))
        assert found.status_code == 200, found.text
        return {one["kind"]: one for one in found.json()["items"]}

    async def print(self, letter: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[str, str]:
        made = await self.client.get(f"/v1/me/{letter['pdf']}", headers=headers or bearer(self.person.token))
        assert made.status_code == 200, made.text
        return "\n".join(pdf_pages(made.content)), code_on(made.content)

    async def check(self, code: str) -> dict[str, Any]:
        said = await self.client.post(VERIFY, json={"code": code})
        assert said.status_code == 200, said.text
        assert not any(word.casefold() in said.text.casefold() for word in SECRETS)
        assert self.person.name not in said.text
        answer: dict[str, Any] = said.json()
        return answer

    async def book(
        self, letter: dict[str, Any], plan: dict[str, Any], number: int = 0, **more: Any
    ) -> httpx.Response:
        headers = more.pop("headers", None) or bearer(self.person.token)
        body = {"schedule_id": plan["schedule_id"], "slot_id": plan["slots"][number]["slot_id"]} | more
        return await self.client.post(f"{LETTERS}/{letter['id']}/appointment", json=body, headers=headers)

    async def mark(self, what: str, since: str) -> None:
        """Write a column of the visits since that day."""
        sql = f"UPDATE ehr_resource SET {what} WHERE patient_id = $1 AND rtype = 'Encounter' AND eff >= $2"
        async with self.store.transaction() as tx:
            await tx.execute(sql.replace("$2", f"'{since}'"), self.person.patient_id)


async def set_up(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> Desk:
    sender = await make_facility(store, clock, code=SENDER, name="Trung tâm y tế Gửi")
    clinic = await make_clinic(store, clock)
    person = await make_citizen(store, clock, name="Nguyễn Thị Hường")
    async with store.transaction() as tx:
        sql = "SELECT code FROM facility_code WHERE facility_id = $1"
        code = await tx.fetchval(sql, clinic.facility.facility_id)
    return Desk(store, clock, client, person, sender, clinic, code)


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> AsyncIterator[Desk]:
    async with client_of(store, clock, letter_validity=DAYS) as client:
        yield await set_up(store, clock, client)


async def guarded(desk: Desk, birth_date: str = "2018-01-01") -> dict[str, str]:
    """The person is a child from here on; the headers of its mother in its book."""
    mother = await make_citizen(desk.store, desk.clock)
    desk.person = await make_citizen(desk.store, desk.clock, birth_date=birth_date)
    async with desk.store.transaction() as tx:
        await births.link(tx, desk.person.patient_id, mother.patient_id, None, desk.clock.now())
    return bearer(mother.token) | {"X-Patient-Id": str(desk.person.patient_id)}


@pytest.mark.parametrize("version", ["4750", "3176"])
async def test_both_letters_are_shown_printed_and_prove_themselves(desk: Desk, version: str) -> None:
    await desk.issue("XML13", "XML14", version=version)
    found = await desk.letters()
    assert set(found) == {"referral", "revisit"}
    referral, revisit = found["referral"], found["revisit"]
    assert (referral["state"], referral["step"], referral["may_book"]) == ("valid", "sent", True)
    assert (referral["receiver"], referral["receiver_code"]) == (desk.clinic.facility.name, desk.receiver)
    assert (referral["valid_until"], referral["valid_by"]) == ("2026-11-30", "setting")
    assert (revisit["due_at"][:16], revisit["valid_until"]) == (f"{DUE}T08:00", "2026-12-05")
    assert (revisit["may_book"], revisit["step"], revisit["referral_id"]) == (False, None, None)
    for letter in found.values():
        one = await desk.client.get(f"{LETTERS}/{letter['id']}", headers=bearer(desk.person.token))
        assert one.json() == letter
        words, code = await desk.print(letter)
        assert "Nguyễn Thị Hường" in words
        assert "Trung tâm y tế Gửi" in words
        assert tokens.kind_of(tokens.from_fragment(code)) == "letter"
        said = await desk.check(code)
        assert (said["outcome"], said["letter_state"], said["number"]) == (
            "unchanged",
            "valid",
            letter["number"],
        )
        assert (said["valid_until"], said["expired"]) == (letter["valid_until"], False)
        desk.clock.advance(minutes=1)
    assert "08:00 30/11/2026" in "\n".join((await desk.print(revisit))[0].splitlines())


async def test_letters_are_no_papers_of_the_other_list(desk: Desk) -> None:
    await desk.issue("XML7", "XML13", "XML14")
    papers = await desk.client.get("/v1/me/papers", headers=bearer(desk.person.token))
    assert [one["kind"] for one in papers.json()["items"]] == ["discharge"]
    letter = (await desk.letters())["referral"]
    assert (
        await desk.client.get(f"/v1/me/papers/{letter['id']}", headers=bearer(desk.person.token))
    ).status_code == 404


async def test_without_a_setting_no_last_day_is_made_up(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock) as client:
        desk = await set_up(store, clock, client)
        await desk.issue("XML13", "XML14")
        codes = [(await desk.print(letter))[1] for letter in (await desk.letters()).values()]
        clock.advance(days=700)
        # The session ended meanwhile; what a code says needs none.
        for code in codes:
            said = await desk.check(code)
            assert (said["letter_state"], said["valid_until"], said["expired"]) == ("valid", None, False)


async def test_a_last_day_that_the_facility_sent_goes_before_the_setting(desk: Desk) -> None:
    where = desk.sender.facility_id
    source = Source(source_id=str(where), facility_id=where, credential="his")
    visit = {"reference": "Encounter/v"}
    bodies: list[dict[str, Any]] = [
        {"resourceType": "Encounter", "id": "v", "status": "finished", "class": {"code": "AMB"}}
        | {"period": {"start": ISSUED}},
        {"resourceType": "ServiceRequest", "id": "r", "status": "active", "intent": "order"}
        | {"encounter": visit, "occurrencePeriod": {"start": ISSUED, "end": "2027-01-15"}},
        {"resourceType": "DocumentReference", "id": "d", "status": "current", "date": ISSUED}
        | {"type": {"coding": [{"system": "urn:vn:so-suc-khoe:document-kind", "code": "referral"}]}}
        | {"content": [{"attachment": {"contentType": "text/plain", "data": "QQ=="}}]}
        | {"context": {"encounter": [visit], "related": [{"reference": "ServiceRequest/r"}]}},
    ]
    await write(desk.store, desk.person.patient_id, bodies, desk.clock.now(), source=source)
    letter = (await desk.letters())["referral"]
    assert (letter["valid_until"], letter["valid_by"]) == ("2027-01-15", "letter")
    assert letter["may_book"] is False, "it names no facility here"


async def test_a_revisit_is_used_by_a_visit_in_time_and_by_no_later_one(desk: Desk) -> None:
    await desk.issue("XML14")
    letter = (await desk.letters())["revisit"]
    _, code = await desk.print(letter)
    desk.clock.advance(days=20)
    assert (await desk.check(code))["letter_state"] == "expired"
    await desk.come(desk.sender, SENDER, "2026-12-08")
    assert (await desk.check(code))["letter_state"] == "expired"
    await desk.come(desk.sender, SENDER, "2026-12-01")
    said = await desk.check(code)
    assert (said["letter_state"], said["outcome"]) == ("used", "unchanged")
    assert "2026-12-01" not in str(said)


async def test_a_referral_is_used_when_its_person_was_seen(desk: Desk) -> None:
    await desk.issue("XML13")
    _, code = await desk.print((await desk.letters())["referral"])
    await desk.come(desk.clinic.facility, desk.receiver, "2026-11-20")
    letter = (await desk.letters())["referral"]
    assert (letter["state"], letter["used_by"], letter["used_on"]) == ("used", "visited", "2026-11-20")
    assert (letter["step"], letter["may_book"]) == ("seen", False)
    said = await desk.check(code)
    assert (said["letter_state"], said["text_vi"].endswith("Phiếu này đã được dùng.")) == ("used", True)


async def test_a_print_tells_an_amended_letter_from_a_withdrawn_and_a_forged_one(desk: Desk) -> None:
    await desk.issue("XML13", "XML14")
    found = await desk.letters()
    _, revisit = await desk.print(found["revisit"])
    desk.clock.advance(minutes=1)
    _, referral = await desk.print(found["referral"])
    await desk.issue("XML13", "XML14", NGAY_HEN_KL="202612020800")
    amended = await desk.check(revisit)
    assert (amended["outcome"], amended["letter_state"]) == ("replaced", "amended")
    assert (await desk.check(referral))["letter_state"] == "valid"
    row = ("DocumentReference", found["referral"]["id"])
    async with desk.store.transaction() as tx:
        await retract_rows(tx, desk.person.patient_id, [row], "operator", "revert", desk.clock.now())
    withdrawn = await desk.check(referral)
    assert (withdrawn["outcome"], withdrawn["letter_state"]) == ("withdrawn", "withdrawn")
    forged = await desk.check(referral[:-8] + "AAAAAAAA")
    assert (forged["outcome"], forged["letter_state"]) == ("not-ours", None)
    assert set(forged) == set(withdrawn)
    assert "referral" not in await desk.letters()


async def test_s28_the_code_of_a_letter_stands_for_no_paper(desk: Desk) -> None:
    await desk.issue("XML7", "XML13")
    _, code = await desk.print((await desk.letters())["referral"])
    text, now = tokens.from_fragment(code), desk.clock.now()
    body = tokens.read(desk.store.keys, "letter", text, now)
    assert isinstance(body, dict)
    turned = tokens.sign(desk.store.keys, "paper", body, now + timedelta(days=1), now)
    assert read_code(desk.store.keys, tokens.to_fragment(turned), now) is None


async def test_a_referral_books_its_visit_once(desk: Desk) -> None:
    await desk.issue("XML13")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2, 2)
    letter = (await desk.letters())["referral"]
    _, code = await desk.print(letter)
    made = await desk.book(letter, plan)
    assert (made.status_code, made.json()["state"]) == (201, "booked"), made.text
    assert made.json()["referral_id"] == letter["referral_id"]
    again = await desk.book(letter, plan)
    assert again.json()["appointment_id"] == made.json()["appointment_id"]
    other = await desk.book(letter, plan, 1)
    assert (other.status_code, other.json()["code"]) == (409, "referral-booked")
    used = (await desk.letters())["referral"]
    assert (used["state"], used["used_by"], used["used_on"]) == ("used", "booked", None)
    assert used["booked_for"] == plan["slots"][0]["starts_at"][:10]
    assert (used["appointment_id"], used["may_book"]) == (made.json()["appointment_id"], False)
    assert (await desk.check(code))["letter_state"] == "used"
    path = f"/v1/me/appointments/{made.json()['appointment_id']}/cancel"
    assert (await desk.client.post(path, headers=bearer(desk.person.token))).status_code == 200
    assert (await desk.letters())["referral"]["state"] == "valid"
    assert (await desk.check(code))["letter_state"] == "valid"
    assert (await desk.book(letter, plan, 1)).json()["state"] == "booked"


async def test_ten_phones_with_one_letter_book_one_visit(desk: Desk) -> None:
    await desk.issue("XML13")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 9, 9)
    letter = (await desk.letters())["referral"]
    answers = await asyncio.gather(*(desk.book(letter, plan, number % 2) for number in range(10)))
    made = {one.json()["appointment_id"] for one in answers if one.status_code == 201}
    assert len(made) == 1
    refused = {one.json()["code"] for one in answers if one.status_code != 201}
    assert refused == {"referral-booked"}
    async with desk.store.transaction() as tx:
        sql = "SELECT count(*) FROM appointment WHERE patient_id = $1"
        assert await tx.fetchval(sql, desk.person.patient_id) == 1


async def test_a_letter_books_nothing_that_it_is_not_for(desk: Desk) -> None:
    await desk.issue("XML13", "XML14")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    found = await desk.letters()

    async def code(letter: dict[str, Any], place: dict[str, Any], **more: Any) -> str:
        refused = await desk.book(letter, place, **more)
        assert refused.status_code in (404, 409), refused.text
        return str(refused.json()["code"])

    assert await code(found["revisit"], plan) == "letter-books-nothing"
    elsewhere = await make_schedule(desk.client, desk.clock, await make_clinic(desk.store, desk.clock), 2)
    assert await code(found["referral"], elsewhere) == "schedule-unknown"
    stranger = await make_citizen(desk.store, desk.clock)
    assert await code(found["referral"], plan, headers=bearer(stranger.token)) == "letter-not-found"
    assert await code({"id": "no_such"}, plan) == "letter-not-found"
    await desk.visit(desk.sender, SENDER, "XML1", "XML13", to="99999", number="2")
    away = [one for one in await all_of(desk) if one["receiver_code"] == "99999"]
    assert await code(away[0], plan) == "letter-books-nothing"
    async with desk.store.transaction() as tx:
        assert await tx.fetch("SELECT 1 FROM appointment WHERE patient_id = $1", desk.person.patient_id) == []


async def all_of(desk: Desk) -> list[dict[str, Any]]:
    """Every letter, by pages of one."""
    items, query = [], {"limit": "1"}
    while True:
        page = await desk.client.get(LETTERS, params=query, headers=bearer(desk.person.token))
        items += page.json()["items"]
        if page.json()["next"] is None:
            return items
        query |= {"cursor": page.json()["next"]}


async def test_pages_hold_every_letter_once(desk: Desk) -> None:
    for number in "123":
        await desk.visit(desk.sender, SENDER, "XML1", "XML13", "XML14", number=number)
    found = await all_of(desk)
    assert len(found) == len({one["id"] for one in found}) == 6


async def test_an_expired_letter_and_a_slot_behind_its_last_day_are_refused(desk: Desk) -> None:
    await desk.issue("XML13", NGAY_VAO="202611110800", NGAY_RA="202611121000")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    letter = (await desk.letters())["referral"]
    assert (letter["state"], letter["valid_until"]) == ("valid", "2026-11-22")
    late = await desk.book(letter, plan)
    assert (late.status_code, late.json()["code"]) == (409, "letter-expired")
    await desk.issue("XML13", NGAY_VAO="202611090800", NGAY_RA="202611101000")
    assert (await desk.letters())["referral"]["state"] == "expired"
    over = await desk.book(letter, plan)
    assert (over.status_code, over.json()["code"]) == (409, "letter-expired")


async def test_a_used_letter_books_nothing(desk: Desk) -> None:
    await desk.issue("XML13")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    await desk.come(desk.clinic.facility, desk.receiver, "2026-11-20")
    refused = await desk.book((await desk.letters())["referral"], plan)
    assert (refused.status_code, refused.json()["code"]) == (409, "letter-used")


async def test_a_slot_that_has_begun_is_refused(desk: Desk) -> None:
    await desk.issue("XML13")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    letter = (await desk.letters())["referral"]
    async with desk.store.transaction() as tx:
        sql = "UPDATE slot SET starts_at = $1 WHERE slot_id = $2"
        await tx.execute(sql, desk.clock.now(), plan["slots"][0]["slot_id"])
    refused = await desk.book(letter, plan)
    assert (refused.status_code, refused.json()["code"]) == (409, "slot-over")


async def test_s23_letters_of_a_sensitive_visit_do_not_exist_for_the_family(desk: Desk) -> None:
    mother = await guarded(desk)
    await desk.issue("XML13", "XML14")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    found = await desk.letters(mother)
    assert set(found) == {"referral", "revisit"}
    await desk.mark(f"labels = labels | {int(Label.SDV)}", "2026-11-01")
    assert await desk.letters(mother) == {}
    assert set(await desk.letters()) == {"referral", "revisit"}
    for letter in found.values():
        for path in (f"{LETTERS}/{letter['id']}", f"/v1/me/{letter['pdf']}"):
            refused = await desk.client.get(path, headers=mother)
            assert (refused.status_code, refused.json()["code"]) == (404, "letter-not-found")
        refused = await desk.book(letter, plan, headers=mother)
        assert (refused.status_code, refused.json()["code"]) == (404, "letter-not-found")


async def test_s23_neither_the_guardian_nor_a_code_tells_of_a_visit_that_is_kept(desk: Desk) -> None:
    mother = await guarded(desk)
    await desk.issue("XML13", "XML14", NGAY_HEN_KL="202611210800")
    await desk.come(desk.clinic.facility, desk.receiver, "2026-11-21")
    await desk.come(desk.sender, SENDER, "2026-11-21")
    codes = [(await desk.print(letter))[1] for letter in (await desk.letters()).values()]
    assert {one["state"] for one in (await desk.letters(mother)).values()} == {"used"}
    assert [(await desk.check(code))["letter_state"] for code in codes] == ["used", "used"]
    await desk.mark(f"labels = labels | {int(Label.SDV)}", "2026-11-21")
    assert {one["state"] for one in (await desk.letters(mother)).values()} == {"valid"}
    assert {one["used_on"] for one in (await desk.letters(mother)).values()} == {None}
    assert [(await desk.check(code))["letter_state"] for code in codes] == ["valid", "valid"]
    assert {one["state"] for one in (await desk.letters()).values()} == {"used"}


@pytest.mark.parametrize("kept", ["own-wish", "sensitive-department"])
async def test_s23_a_place_that_is_kept_neither_shows_nor_stands_in_the_way(desk: Desk, kept: str) -> None:
    mother = await guarded(desk)
    await desk.issue("XML13")
    open_to_all = await make_schedule(desk.client, desk.clock, desk.clinic, 2, 2)
    quiet = await make_schedule(
        desk.client, desk.clock, desk.clinic, 2, unit_id=str(desk.clinic.sensitive_id), name="Khám số 4"
    )
    letter = (await desk.letters())["referral"]
    _, code = await desk.print(letter)
    before = await desk.letters(mother)
    is_own = kept == "own-wish"
    made = await desk.book(letter, open_to_all if is_own else quiet, is_private=is_own)
    assert made.status_code == 201, made.text
    assert (await desk.letters())["referral"]["used_by"] == "booked"
    assert await desk.letters(mother) == before
    assert (await desk.check(code))["letter_state"] == "valid"
    by_her = await desk.book(letter, open_to_all, 1, headers=mother)
    assert (by_her.status_code, by_her.json()["state"]) == (201, "booked"), by_her.text
    assert (await desk.letters(mother))["referral"]["used_by"] == "booked"
    assert (await desk.check(code))["letter_state"] == "used"


async def test_a_guardian_books_by_a_childs_letter_and_a_proxy_learns_not_how_far_it_is(desk: Desk) -> None:
    mother = await guarded(desk)
    await desk.issue("XML13")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    letter = (await desk.letters(mother))["referral"]
    assert (await desk.print(letter, mother))[0]
    made = await desk.book(letter, plan, headers=mother)
    assert (made.status_code, made.json()["by_relative"]) == (201, True), made.text
    assert (await desk.letters())["referral"]["used_by"] == "booked"


async def test_an_adults_proxy_reads_the_letter_and_neither_its_step_nor_its_use(desk: Desk) -> None:
    daughter = await make_citizen(desk.store, desk.clock)
    await make_proxy(desk.store, desk.clock, desk.person, daughter, "read-record", "appointments")
    await desk.issue("XML13")
    await desk.come(desk.clinic.facility, desk.receiver, "2026-11-21")
    proxy = bearer(daughter.token) | {"X-Patient-Id": str(desk.person.patient_id)}
    letter = (await desk.letters(proxy))["referral"]
    untold = ("step", "referral_id", "used_by", "receiver_code", "receiver", "appointment_id")
    assert {letter[name] for name in untold} == {None}
    assert (letter["state"], letter["may_book"]) == ("valid", False)
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    refused = await desk.book(letter, plan, headers=proxy)
    assert refused.json()["code"] == "letter-books-nothing"


async def test_s10_a_merge_leaves_a_printed_letter_and_its_place_what_they_were(desk: Desk) -> None:
    await desk.issue("XML13")
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    letter = (await desk.letters())["referral"]
    _, code = await desk.print(letter)
    assert (await desk.book(letter, plan)).status_code == 201
    survivor = await make_citizen(
        desk.store, desk.clock, name=desk.person.name, birth_date=desk.person.birth_date
    )
    officers = await make_officers(desk.store, desk.clock)
    now = desk.clock.now()
    merge_id = await merged(desk.store, officers, desk.person.patient_id, survivor.patient_id, now)
    said = await desk.check(code)
    assert (said["outcome"], said["letter_state"]) == ("unchanged", "used")
    await separated(desk.store, officers, merge_id, now)
    said = await desk.check(code)
    assert (said["outcome"], said["letter_state"]) == ("unchanged", "used")


async def test_reading_and_printing_letters_stand_in_the_log(desk: Desk) -> None:
    mother = await guarded(desk)
    await desk.issue("XML13")
    await desk.print((await desk.letters(mother))["referral"], mother)
    log = await desk.client.get("/v1/me/access-log", headers=bearer(desk.person.token))
    assert "record:letters:read" in log.text
    assert "record:letter:read" in log.text


async def test_hiding_a_letter_with_its_referral_says_nothing_to_whoever_holds_its_print(desk: Desk) -> None:
    await desk.issue("XML13")
    _, code = await desk.print((await desk.letters())["referral"])
    before = await desk.check(code)
    async with desk.store.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET hidden_from = ARRAY['00000000-0000-0000-0000-000000000000'::uuid]"
            " WHERE patient_id = $1 AND rtype IN ('DocumentReference', 'ServiceRequest')",
            desk.person.patient_id,
        )
    assert await desk.check(code) == before


async def read_at(desk: Desk, headers: dict[str, str], code: str) -> dict[str, Any]:
    said = await desk.client.post("/v1/facility/letters/read", json={"code": code}, headers=headers)
    assert said.status_code == 200, said.text
    found: dict[str, Any] = said.json()
    return found


async def test_the_desk_that_a_referral_goes_to_reads_which_it_is_and_moves_it(desk: Desk) -> None:
    await desk.issue("XML13", "XML14")
    found = await desk.letters()
    _, code = await desk.print(found["referral"])
    desk.clock.advance(minutes=1)
    _, revisit = await desk.print(found["revisit"])
    plan = await make_schedule(desk.client, desk.clock, desk.clinic, 2)
    here = await read_at(desk, desk.clinic.looks, code)
    assert (here["check"]["letter_state"], here["step"]) == ("valid", "sent")
    assert here["referral_id"] == found["referral"]["referral_id"]
    made = (await desk.book(found["referral"], plan, is_private=True)).json()
    here = await read_at(desk, desk.clinic.looks, code)
    assert (here["appointment_id"], here["appointment_at"]) == (made["appointment_id"], made["starts_at"])
    assert here["check"]["text_vi"].endswith("Người bệnh đã đặt lịch khám ở đây bằng phiếu này.")
    assert here["check"]["text_en"].endswith("A visit here was booked by this letter.")
    assert "đã được dùng" not in here["check"]["text_vi"]
    path = f"/v1/facility/referrals/{here['referral_id']}/state"
    moved = await desk.client.put(path, json={"state": "received"}, headers=desk.clinic.looks)
    assert moved.status_code == 204, moved.text
    elsewhere = await make_clinic(desk.store, desk.clock)
    for headers, other in ((elsewhere.looks, code), (desk.clinic.looks, revisit)):
        told = await read_at(desk, headers, other)
        assert {told[name] for name in ("referral_id", "step", "appointment_id", "appointment_at")} == {None}
        assert told["check"] == await desk.check(other)
    log = await desk.client.get("/v1/me/access-log", headers=bearer(desk.person.token))
    assert "record:paper-check:read" in log.text
    assert elsewhere.facility.name in log.text


async def test_a_desk_hands_over_what_its_scanner_read(desk: Desk) -> None:
    await desk.issue("XML13")
    _, code = await desk.print((await desk.letters())["referral"])
    known, here = await desk.check(code), await read_at(desk, desk.clinic.looks, code)
    assert known["outcome"] == "unchanged"
    for text in (
        f"http://so.example/kiem-tra-giay-to#{code}",
        f"]Q3https://so.example/kiem-tra-giay-to#{code}\r\n",
    ):
        assert await desk.check(text) == known
        assert await read_at(desk, desk.clinic.looks, text) == here
    for text in (
        f"{code}#",
        f"http://so.example/kiem-tra-giay-to#{code[:-8]}AAAAAAAA",
        f"{code}#{code[:-8]}",
    ):
        assert (await desk.check(text))["outcome"] == "not-ours"


async def test_the_days_of_the_visit_are_not_printed_as_how_long_a_letter_counts(desk: Desk) -> None:
    await desk.issue("XML13", "XML14")
    for letter in (await desk.letters()).values():
        words = " ".join((await desk.print(letter))[0].split())
        assert "Đợt khám" in words
        assert "19/11/2026 – 20/11/2026" in words
        assert "Từ ngày" not in words
        assert "Đến ngày" not in words
        desk.clock.advance(minutes=1)


async def test_s19_a_code_costs_the_same_statements_whatever_it_says(desk: Desk) -> None:
    await desk.issue("XML7", "XML13", "XML14")
    found = await desk.letters()
    codes = {kind: (await desk.print(letter))[1] for kind, letter in found.items()}
    papers = (await desk.client.get("/v1/me/papers", headers=bearer(desk.person.token))).json()["items"]
    codes["paper"] = (await desk.print(papers[0]))[1]
    codes["forged"] = codes["referral"][:-8] + "AAAAAAAA"
    costs = {kind: await cost_of(desk, code) for kind, code in codes.items()}
    row = ("DocumentReference", found["revisit"]["id"])
    async with desk.store.transaction() as tx:
        await retract_rows(tx, desk.person.patient_id, [row], "operator", "revert", desk.clock.now())
    costs["withdrawn"] = await cost_of(desk, codes["revisit"])
    await desk.come(desk.clinic.facility, desk.receiver, "2026-11-20")
    costs["used"] = await cost_of(desk, codes["referral"])
    assert {kind: cost == costs["forged"] for kind, cost in costs.items()} == dict.fromkeys(costs, True)
    assert len(costs["forged"]) > 4


async def cost_of(desk: Desk, code: str) -> list[str]:
    recorder = Recorder(desk.store)
    async with recorder.transaction() as tx:
        await read_for(tx, desk.store.keys, DAYS, code, desk.clock.now())
    return recorder.statements


@pytest.mark.parametrize("version", ["4750", "3176"])
async def test_codes_of_facilities_on_a_letter_stand_with_their_names(desk: Desk, version: str) -> None:
    name = "MA_NOI_DI" if version == "4750" else "MA_CSKCB_DI"
    await desk.issue("XML13", version=version, **{name: SENDER})
    letter = (await desk.letters())["referral"]
    here = f"Nơi đến: {desk.receiver} ({desk.clinic.facility.name})"
    assert {f"Nơi đi: {SENDER} ({desk.sender.name})", here} <= set(letter["lines"])
    words, code = await desk.print(letter)
    assert f"{SENDER} ({desk.sender.name})" in " ".join(words.split())
    assert (await desk.check(code))["outcome"] == "unchanged", "the code is over what was sent"
    await desk.visit(desk.sender, SENDER, "XML1", "XML13", version=version, to="99999", number="2")
    assert any("Nơi đến: 99999" in one["lines"] for one in await all_of(desk))
