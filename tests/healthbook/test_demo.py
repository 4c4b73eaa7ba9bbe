"""The invented people and records: the same every time, of the promised kinds, and clearly invented."""

import base64
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from family.service import guardians_of, link_of
from healthbook.demo import build_demo
from healthbook.demo_accounts import DemoError
from healthbook.demo_facilities import FACILITIES, HOSPITAL, STAFF, STATION
from healthbook.demo_packages import treatment_package
from healthbook.demo_people import DemoPerson, card_text, make_crowd, make_people
from healthbook.demo_records import long_history, vaccination_history
from healthbook.demo_sheet import DemoSheet, load_sheet, save_sheet
from identity.devices import list_devices
from identity.people import resolve_present
from qr.card_texts import CardText
from qr.cccd import read_cccd
from store.database import Store
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.record import own
from tests.support.signing_process import running_signer
from vaccination.book.reading import doses_of
from vaccination.certificates.reading import list_certificates
from vaccination.schedule.beside import given_doses
from vaccination.schedule.policy import Person
from vaccination.schedule.service import plans
from vaccination.schedule.table import version_on
from vaccination.shc.reading import list_cards
from vaccination.signer.client import SocketSigner
from vitals.reads import latest, reports

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
PEOPLE = {person.key: person for person in make_people(TODAY)}


def resources(raw: bytes) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in json.loads(raw)["entry"]]


def of_type(raw: bytes, rtype: str) -> list[dict[str, Any]]:
    return [resource for resource in resources(raw) if resource["resourceType"] == rtype]


def test_two_runs_give_the_same_people_and_the_same_bytes() -> None:
    assert make_people(TODAY) == make_people(TODAY)
    hung = PEOPLE["hung"]
    assert long_history(hung, HOSPITAL, TODAY) == long_history(hung, HOSPITAL, TODAY)
    assert treatment_package(hung, STATION, TODAY) == treatment_package(hung, STATION, TODAY)


@pytest.mark.parametrize("person", [one for one in PEOPLE.values() if one.phone], ids=lambda one: one.key)
def test_the_card_of_whoever_signs_in_reads_as_that_person(person: DemoPerson) -> None:
    card = read_cccd(card_text(person))
    assert isinstance(card, CardText)
    assert (card.national_id, card.name, card.birth_date) == (person.number, person.name, person.birth_date)
    assert (card.sex, card.address, card.review) == (person.sex, person.address, ())


def test_ages_hold_on_any_day() -> None:
    for today in (TODAY, date(2028, 2, 29), date(2031, 1, 1)):
        ages = {person.key: person.age(today) for person in make_people(today)}
        assert ages["hung"] == 58
        assert ages["bao-anh"] == 6
        assert ages["newborn"] == 0
        assert ages["tu"] in {84, 85}


def test_a_number_follows_the_published_structure() -> None:
    for person in [*PEOPLE.values(), *make_crowd(50, TODAY)]:
        if person.number is None:
            continue
        born = person.born
        assert re.fullmatch(r"0\d\d[0-3]\d{2}00\d{4}", person.number)
        assert person.number[4:6] == f"{born.year % 100:02d}"
        assert int(person.number[3]) == 2 * (born.year // 100 - 19) + (person.sex == "female")


def test_numbers_and_phones_are_unique_and_phones_are_ten_digits() -> None:
    everybody = [*PEOPLE.values(), *make_crowd(200, TODAY)]
    numbers = [person.number for person in everybody if person.number]
    phones = [person.phone for person in everybody if person.phone]
    assert len(set(numbers)) == len(numbers)
    assert len(set(phones)) == len(phones)
    assert all(re.fullmatch(r"0900\d{6}", phone) for phone in phones)


def test_the_cast_has_a_newborn_without_number_and_an_elder_known_by_year() -> None:
    newborn, elder = PEOPLE["newborn"], PEOPLE["tu"]
    assert newborn.number is None
    assert newborn.mother == "huong"
    assert newborn.name == PEOPLE["huong"].name
    assert re.fullmatch(r"\d{4}", elder.birth_date)
    assert len({person.ethnic_group for person in PEOPLE.values()}) >= 5


@pytest.mark.parametrize("key", ["hung", "dong"])
def test_a_long_history_has_at_least_four_hundred_resources(key: str) -> None:
    history = resources(long_history(PEOPLE[key], HOSPITAL, TODAY))
    counts = Counter(resource["resourceType"] for resource in history)
    assert len(history) >= 400
    assert counts["Encounter"] > 50
    assert counts["AllergyIntolerance"] == 1
    assert counts["Immunization"] >= 3


def test_a_history_for_measurements_still_has_four_hundred_resources() -> None:
    for person in make_crowd(8, TODAY):
        assert len(resources(long_history(person, HOSPITAL, TODAY, years=3))) >= 400


def test_each_visit_names_its_main_disease_in_the_cc_slice() -> None:
    raw = long_history(PEOPLE["hung"], HOSPITAL, TODAY)
    entries = {entry["fullUrl"]: entry["resource"] for entry in json.loads(raw)["entry"]}
    for encounter in of_type(raw, "Encounter"):
        main = [d for d in encounter["diagnosis"] if d["use"]["coding"][0]["code"] == "CC"]
        assert len(main) == 1
        assert entries[main[0]["condition"]["reference"]]["code"]["coding"][0]["code"] == "E11.9"


def test_a_result_carries_the_range_of_its_day() -> None:
    glucose = [
        observation
        for observation in of_type(long_history(PEOPLE["hung"], HOSPITAL, TODAY), "Observation")
        if observation["code"]["coding"][0]["code"] == "14771-0"
    ]
    highs = {
        observation["effectiveDateTime"] >= "2024-03-01": observation["referenceRange"][0]["high"]["value"]
        for observation in glucose
    }
    assert highs == {False: 6.4, True: 5.6}


def test_a_dose_text_adds_up_to_its_bracket() -> None:
    official = re.compile(r"(\d+) \S+/lần \* (\d+) lần/ngày \* \d+ ngày \[(\d+) \S+/ngày\]")
    slots = re.compile(r".*\[(\d+) \S+/ngày\]")
    texts = {
        order["dosageInstruction"][0]["text"]
        for person in PEOPLE.values()
        for order in of_type(long_history(person, HOSPITAL, TODAY), "MedicationRequest")
    }
    assert len(texts) > 5
    for text in texts:
        if found := official.fullmatch(text):
            assert int(found[1]) * int(found[2]) == int(found[3])
        else:
            found = slots.fullmatch(text)
            assert found is not None
            assert sum(int(n) for n in re.findall(r": (\d+)", text)) == int(found[1])


def test_everything_is_labelled_as_test_data_and_lies_in_the_past() -> None:
    raw = long_history(PEOPLE["lan"], HOSPITAL, TODAY)
    for resource in resources(raw):
        assert resource["meta"]["tag"][0]["code"] == "HTEST"
    assert max(e["period"]["end"] for e in of_type(raw, "Encounter")) < TODAY.isoformat()
    assert all(facility.code.startswith("99") for facility in FACILITIES)
    assert all("DEMO" in person.licence for person in STAFF)


def test_a_child_has_the_doses_due_by_its_age() -> None:
    doses = of_type(vaccination_history(PEOPLE["bao-anh"], STATION, TODAY), "Immunization")
    assert len(doses) == 16
    newborn = of_type(vaccination_history(PEOPLE["newborn"], STATION, TODAY), "Immunization")
    assert {dose["vaccineCode"]["text"] for dose in newborn} == {"BCG (lao)", "Viêm gan B sơ sinh"}


def tables(raw: bytes) -> list[etree._Element]:
    contents = etree.fromstring(raw).findall(".//NOIDUNGFILE")
    return [etree.fromstring(base64.b64decode(content.text or "")) for content in contents]


@pytest.mark.parametrize("key", ["pao", "tu", "newborn", "hung"])
def test_a_package_is_well_formed_and_joined_by_its_episode(key: str) -> None:
    person: DemoPerson = PEOPLE[key]
    raw = treatment_package(person, STATION, TODAY)
    envelope = etree.fromstring(raw)
    assert envelope.findtext("THONGTINDONVI/MACSKCB") == STATION.code
    episodes = envelope.findall(".//HOSO")
    assert envelope.findtext(".//SOLUONGHOSO") == str(len(episodes))
    for episode in episodes:
        contents = [base64.b64decode(node.text or "") for node in episode.iter("NOIDUNGFILE")]
        links = {link.text for content in contents for link in etree.fromstring(content).iter("MA_LK")}
        assert len(links) == 1


def test_birth_dates_in_a_package_keep_their_precision() -> None:
    births = {
        key: tables(treatment_package(PEOPLE[key], STATION, TODAY))[0].findtext("NGAY_SINH") for key in PEOPLE
    }
    assert births["tu"] == f"{TODAY.year - 85}00000000"
    assert (births["newborn"] or "").endswith("1432")
    assert (births["hung"] or "").endswith("0000")


def test_a_revisit_letter_lies_after_the_visit() -> None:
    letters = [
        t
        for t in tables(treatment_package(PEOPLE["tu"], STATION, TODAY))
        if t.tag == "CHI_TIEU_GIAYHEN_KHAMLAI"
    ]
    assert letters
    assert all(
        (letter.findtext("NGAY_HEN_KL") or "") > (letter.findtext("NGAY_RA") or "") for letter in letters
    )


def test_a_newborn_has_one_visit_after_birth() -> None:
    newborn = PEOPLE["newborn"]
    (summary,) = [t for t in tables(treatment_package(newborn, HOSPITAL, TODAY)) if t.tag == "TONG_HOP"]
    assert summary.findtext("SO_CCCD") == ""
    assert (summary.findtext("NGAY_VAO") or "")[:8] == f"{newborn.born + timedelta(days=1):%Y%m%d}"


@pytest.fixture(scope="module")
async def demo(server: Server, database: str, store: Store, owner: Store) -> DemoSheet:
    async with running_signer(server, database, owner, FrozenClock(NOW)) as signer:
        return await build_demo(store, signer, NOW, "http://localhost:8000", lambda _: None)


async def rows(store: Store, sql: str, *args: object) -> list[Any]:
    async with store.transaction() as tx:
        return [tuple(row) for row in await tx.fetch(sql, *args)]


async def test_each_person_has_one_book_however_many_files_came(store: Store, demo: DemoSheet) -> None:
    assert await rows(store, "SELECT count(*) FROM citizen") == [(len(PEOPLE),)]
    assert await rows(store, "SELECT count(DISTINCT patient_id) FROM ehr_resource") == [(len(PEOPLE),)]
    assert await rows(store, "SELECT kind, reason FROM ehr_quarantine") == []


async def test_the_sheet_names_everybody_who_can_sign_in(demo: DemoSheet) -> None:
    assert [citizen.key for citizen in demo.citizens] == [p.key for p in PEOPLE.values() if p.signs_in]
    assert {system.facility_code for system in demo.facility_systems} == {f.code for f in FACILITIES}
    assert len({person.username for person in demo.desk_staff if person.facility_code == HOSPITAL.code}) == 2
    assert len(demo.operators) == 2
    assert len(demo.administrators) == 2
    secrets = [c.device.hotp_secret for c in demo.citizens] + [c.device.refresh_token for c in demo.citizens]
    assert all(secrets)
    assert len(set(secrets)) == len(secrets)


async def test_the_phones_of_the_demo_are_past_their_probation(store: Store, demo: DemoSheet) -> None:
    assert await rows(store, "SELECT count(*) FROM device WHERE probation_until > $1", NOW) == [(0,)]


async def test_a_long_history_is_in_the_book(store: Store, demo: DemoSheet) -> None:
    sql = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND NOT deleted"
    ((count,),) = await rows(store, sql, UUID(demo.citizens[0].patient_id))
    assert count >= 400


async def test_the_past_look_stands_in_the_log_and_its_grant_is_over(store: Store, demo: DemoSheet) -> None:
    patient_id = UUID(demo.citizens[0].patient_id)
    sql = "SELECT entry::json->>'action' FROM access_log WHERE patient_id = $1 ORDER BY seq"
    actions = [action for (action,) in await rows(store, sql, patient_id)]
    assert "record:summary:read" in actions
    assert "consent:request:create" in actions
    assert await rows(store, "SELECT ends_at < $1 FROM consent_grant", NOW) == [(True,)]


async def test_a_demo_is_never_made_over_something_else(
    store: Store, demo: DemoSheet, tmp_path: Path
) -> None:
    signer = SocketSigner(tmp_path / "none.sock")
    with pytest.raises(DemoError, match="database-not-empty"):
        await build_demo(store, signer, NOW, "http://localhost:8000", lambda _: None)


def test_the_sheet_is_kept_for_its_owner_alone(demo: DemoSheet, tmp_path: Path) -> None:
    save_sheet(demo, tmp_path / "demo.json")
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0
    assert load_sheet(tmp_path / "demo.json") == demo
    assert demo.at("http://localhost:9").inbox_url == "http://localhost:9/demo/inbox"


async def test_money_card_referral_question_and_ticket_have_something_to_show(
    store: Store, demo: DemoSheet
) -> None:
    hung = UUID(demo.citizens[0].patient_id)
    checks = await rows(store, "SELECT DISTINCT sum_check FROM ehr_cost WHERE patient_id = $1", hung)
    assert checks == [("agree",)]
    card = "SELECT count(*) > 0 FROM ehr_resource WHERE patient_id = $1 AND rtype = 'Coverage'"
    assert await rows(store, card + " AND doc::text LIKE '%-12-31%'", hung) == [(True,)]
    assert await rows(store, "SELECT state FROM referral WHERE patient_id = $1", hung) == [("sent",)]
    letters = "SELECT DISTINCT code FROM ehr_resource WHERE patient_id = $1 AND refs IS NOT NULL"
    letters += " AND code IN ('referral', 'revisit') ORDER BY code"
    assert await rows(store, letters, hung) == [("referral",), ("revisit",)]
    sides = await rows(store, "SELECT side FROM facility_referral WHERE patient_id = $1 ORDER BY 1", hung)
    assert sides == [("in",), ("out",)]
    assert await rows(store, "SELECT state FROM consultation WHERE patient_id = $1", hung) == [("asked",)]
    assert await rows(store, "SELECT state FROM hotline_ticket") == [("open",)]
    assert "hotline-agent" in {one.role for one in demo.practitioners}


async def test_a_station_of_the_demo_expects_somebody_and_they_read_it(store: Store, demo: DemoSheet) -> None:
    due = await rows(
        store,
        "SELECT programme, next_visit_on < $1 FROM programme_enrolment"
        " WHERE next_visit_on < $2 AND patient_id IS NOT NULL ORDER BY programme",
        NOW.date(),
        NOW.date() + timedelta(days=14),
    )
    assert due == [("elderly", True), ("hypertension", False), ("pregnancy", False)]
    plans = "SELECT code FROM ehr_resource WHERE patient_id = $1 AND section = 'programmes'"
    for key in ("huong", "tu", "lan"):
        (who,) = (one for one in demo.citizens if one.key == key)
        assert await rows(store, f"{plans} AND rtype = 'CarePlan'", UUID(who.patient_id))


async def test_the_childs_doses_all_count_in_its_schedule_and_are_coded_as_what_they_are(
    store: Store, demo: DemoSheet
) -> None:
    """The first schedule that a newcomer reads is that of a child with every dose."""
    sent_twice = "SELECT DISTINCT patient_id FROM ehr_resource WHERE title = 'ComBE Five'"
    ((patient_id,),) = await rows(store, sent_twice)
    async with store.transaction() as tx:
        doses = await doses_of(tx, own(patient_id), NOW)
    person = Person(born=PEOPLE["bao-anh"].born, today=TODAY, version=version_on(TODAY))
    found = plans(person, given_doses(doses, TODAY), [], [])
    assert [left for one in found for left in one.not_counted] == []
    assert {row.state for one in found for row in one.rows} <= {"given", "not_yet", "aged_out"}
    codes = {dose.title: dose.code for dose in doses}
    assert (codes["Bại liệt uống (bOPV)"], codes["Viêm não Nhật Bản"]) == ("178", "39")


async def test_a_campaign_of_next_week_has_somebody_who_waits_and_a_child(
    store: Store, demo: DemoSheet
) -> None:
    sql = (
        "SELECT state, registered_by <> patient_id AS by_relative FROM vaccination_registration ORDER BY 1, 2"
    )
    assert await rows(store, sql) == [("booked", False), ("booked", True), ("waiting", False)]


async def test_a_form_is_out_and_somebody_answered_it_before_an_appointment(
    store: Store, demo: DemoSheet
) -> None:
    sql = (
        "SELECT f.code, f.version, f.state, d.visit_kind, d.declared_by = d.patient_id AS own"
        " FROM declaration d JOIN declaration_form f USING (form_id)"
    )
    assert await rows(store, sql) == [("truoc-kham", 1, "published", "booking", True)]


async def test_appointments_of_next_week_have_somebody_who_waits_and_a_child(
    store: Store, demo: DemoSheet
) -> None:
    sql = "SELECT state, booked_by <> patient_id AS by_relative FROM appointment ORDER BY 1, 2"
    assert await rows(store, sql) == [("booked", False), ("booked", True), ("waiting", False)]


async def test_two_children_and_an_adult_have_doses_one_sent_twice_and_one_on_paper_alone(
    store: Store, demo: DemoSheet
) -> None:
    sql = "SELECT DISTINCT patient_id FROM ehr_resource WHERE rtype = 'Immunization' AND NOT deleted"
    books = []
    for (patient_id,) in await rows(store, sql):
        async with store.transaction() as tx:
            books.append(await doses_of(tx, own(patient_id), NOW))
    copied = [doses for doses in books if any(not dose.is_counted for dose in doses)]
    assert [(len(doses), sum(dose.is_counted for dose in doses)) for doses in copied] == [(17, 16)]
    assert sum(len(doses) >= 13 for doses in books) == 2, "two children"
    assert all(dose.antigens for doses in books for dose in doses)
    (adult,) = (doses for doses in books if any(dose.state == "self-declared" for dose in doses))
    declared = [dose for dose in adult if dose.state == "self-declared"]
    assert [(dose.title, bool(dose.paper_id)) for dose in declared] == [("Uốn ván (VAT)", True)]
    assert sum(dose.state == "verified" for dose in adult) >= 3


async def test_one_adult_has_a_certificate_and_a_card_another_reads_why_not(
    store: Store, demo: DemoSheet
) -> None:
    seen = {}
    async with store.transaction() as tx:
        for who in ("hung", "dong", "lan"):
            person = UUID(next(one.patient_id for one in demo.citizens if one.key == who))
            seen[who] = json.loads((await list_certificates(tx, store.keys, own(person), NOW)).body)["doses"]
        hung = own(UUID(demo.citizens[0].patient_id))
        cards = json.loads((await list_cards(tx, store.keys, hung, NOW)).body)["books"]
    assert [(one["eligible"], bool(one.get("certificate"))) for one in seen["hung"]] == [
        (True, True),
        (True, False),
        (True, False),
    ]
    assert all(one["eligible"] and not one.get("certificate") for one in seen["dong"])
    assert {why["code"] for one in seen["lan"] for why in one["reasons"]} == {"no-authority", "back-dated"}
    assert [(one["book"], one["is_current"]) for one in cards if one.get("card")] == [("adult", True)]


async def test_an_elder_without_a_phone_has_a_relative_by_the_paper_of_a_desk(
    store: Store, demo: DemoSheet
) -> None:
    (elder,) = demo.elders
    people = {one.key: UUID(one.patient_id) for one in demo.citizens}
    assert elder.key not in people
    async with store.transaction() as tx:
        link = await link_of(tx, store.keys, people[elder.proxy], UUID(elder.patient_id), NOW)
        assert await list_devices(tx, store.keys, UUID(elder.patient_id)) == []
    assert link is not None
    assert (link.relation, "read-record" in link.scopes, link.disputed) == ("proxy", True, False)


async def test_a_child_whom_the_provider_may_name_has_a_verified_number_and_no_guardian_yet(
    store: Store, demo: DemoSheet
) -> None:
    (child,) = demo.unlinked_children
    father = next(one for one in demo.citizens if one.key == child.guardian)
    async with store.transaction() as tx:
        found = await resolve_present(tx, store.keys, "national-id", child.number, NOW, verified=True)
        assert str(found) == child.patient_id
        assert await guardians_of(tx, UUID(child.patient_id), NOW) == []
        assert await link_of(tx, store.keys, UUID(father.patient_id), UUID(child.patient_id), NOW) is None


async def test_books_of_the_demo_have_reminders_of_several_kinds(store: Store, demo: DemoSheet) -> None:
    """The date of each lies ahead; a medicine's follows when a worker handles what was handed out."""
    people = {one.key: UUID(one.patient_id) for one in demo.citizens}
    (child,) = demo.children
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT patient_id, kind, source, state, next_at FROM reminder")
    assert all(row["next_at"] > NOW for row in rows if row["state"] == "active")
    of_hung = {row["kind"] for row in rows if row["patient_id"] == people["hung"]}
    assert {"revisit", "card", "measurement", "custom"} <= of_hung
    of_child = {row["kind"] for row in rows if row["patient_id"] == UUID(child.patient_id)}
    assert {"revisit", "vaccination", "custom"} <= of_child
    exams = {(row["patient_id"], row["source"]) for row in rows if row["kind"] == "exam"}
    for who, rule in (("dong", "elderly-check"), ("minh", "driving-check"), ("lan", "blood-glucose")):
        assert (people[who], f"screening:{rule}") in exams


async def test_three_people_of_the_demo_have_measured_themselves_and_nothing_rings(
    store: Store, demo: DemoSheet
) -> None:
    """A watch and a cuff, a sensor long enough for its profile, and a child's thermometer."""
    people = {one.key: own(UUID(one.patient_id)) for one in demo.citizens}
    (child,) = demo.children
    async with store.transaction() as tx:
        shown = json.loads((await latest.read(tx, people["minh"])).body)["items"]
        profile = await reports.profile(tx, people["hung"], 14, "standard", NOW)
        home = json.loads((await reports.read_home_average(tx, people["minh"], 7, NOW)).body)["average"]
        (fever,) = json.loads((await latest.read(tx, own(UUID(child.patient_id)))).body)["items"]
        assert await tx.fetchval("SELECT count(*) FROM alert WHERE status = 'active'") == 0
    assert {"heart-rate", "steps", "blood-pressure", "spo2", "sleep-deep"} <= {one["kind"] for one in shown}
    assert profile.profile.sufficient
    assert home["sufficient"]
    assert (fever["kind"], fever["source"]["kind"]) == ("temperature", "thermometer")


async def test_a_partner_and_an_app_stand_in_the_register_with_keys_of_their_own(
    store: Store, demo: DemoSheet
) -> None:
    partner, app = demo.app_clients
    assert (partner.kind, app.kind, app.private_key) == ("partner", "app", "")
    entered = dict(await rows(store, "SELECT client_id::text, jwks FROM app_client"))
    assert entered.keys() == {partner.client_id, app.client_id}
    assert entered[app.client_id] is None
    (public,), private = json.loads(entered[partner.client_id])["keys"], json.loads(partner.private_key)
    assert "d" not in public
    assert public == {name: value for name, value in private.items() if name != "d"}
