"""Findings over HTTP: something to ask for the person, in full for a doctor, nothing of what is withheld."""

from collections.abc import AsyncIterator
from datetime import datetime, time
from typing import Any

import httpx
import pytest

from ehr.medicine_safety.service import ASK_ALLERGY_VI, ASK_VI
from ehr.medicine_safety.tables import load_table, read_table
from ehr.models import Source
from kernel.access import Label
from kernel.clock import VIETNAM, local_day
from store.database import Store
from tests.ehr.statements.test_statements import PENICILLIN, say
from tests.ehr.statements.test_verdicts import judge
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.medicines import NAMES, PAIRS, allergy, medicine, statement
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import hospital, our_id, write

OWN = "/v1/me/medicine-safety"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def load(store: Store, clock: FrozenClock, text: str) -> None:
    async with store.transaction() as tx:
        await load_table(tx, read_table(text.encode()), clock.now())


async def own(client: httpx.AsyncClient, citizen: Citizen, **headers: str) -> dict[str, Any]:
    answer = await client.get(OWN, headers=bearer(citizen.token) | headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def let_in(store: Store, clock: FrozenClock, citizen: Citizen, **changes: Any) -> Doctor:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, citizen, **changes)
    return doctor


async def seen(client: httpx.AsyncClient, doctor: Doctor, citizen: Citizen) -> dict[str, Any]:
    path = f"/v1/doctor/patients/{citizen.patient_id}/medicine-safety"
    answer = await client.get(path, headers=bearer(doctor.token))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids_of(finding: dict[str, Any]) -> set[str]:
    return {line["id"] for line in (*finding["medicines"], *finding["allergies"])}


async def test_same_ingredient_allergy_and_pair_are_told_to_both_sides(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    await load(store, clock, PAIRS)
    await load(store, clock, NAMES)
    citizen = await make_citizen(store, clock)
    await write(store, citizen.patient_id, [medicine("1", "Alphadol 10mg")], clock.now())
    await write(store, citizen.patient_id, [medicine("2", "Alphazin")], clock.now(), source=hospital("b"))
    own_words = [statement("3", "Betazin"), statement("4", "Cao lá gia truyền"), allergy("5", "betazin")]
    me = Source(source_id="me", facility_id=None, credential="me", state="self-declared")
    await write(store, citizen.patient_id, own_words, clock.now(), source=me)

    told = await own(client, citizen)
    assert {item["kind"]: item["text_vi"] for item in told["items"]} == {
        "allergy": ASK_ALLERGY_VI,
        "pair": ASK_VI,
        "same-ingredient": ASK_VI,
    }
    assert [line["title"] for line in told["unchecked"]] == ["Cao lá gia truyền"]
    assert told["pairs_checked"] is True
    assert "severity" not in str(told)

    full = await seen(client, await let_in(store, clock, citizen), citizen)
    assert [item["kind"] for item in full["items"]] == ["allergy", "pair", "same-ingredient"]
    pair = full["items"][1]
    assert (pair["severity"], pair["version"], pair["licence"]) == ("major", "stand-in 1", "none")
    assert pair["ingredients"] == ["Alphazin", "Betazin"]
    assert all(item["open"] for item in full["items"])


async def test_nothing_is_called_safe_where_no_table_was_loaded(
    fresh_store: Store, clock: FrozenClock
) -> None:
    async with client_of(fresh_store, clock) as client:
        citizen = await make_citizen(fresh_store, clock)
        await write(fresh_store, citizen.patient_id, [medicine("1", "Alphazin")], clock.now())
        told = await own(client, citizen)
        assert (told["items"], told["pairs_checked"]) == ([], False)
        assert [line["title"] for line in told["unchecked"]] == ["Alphazin"]
        assert "không có nghĩa là an toàn" in told["notice_vi"]


async def test_what_ended_and_what_is_disputed_is_not_compared(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    ended = medicine("2", "Zinzol") | {"status": "completed"}
    wrong = allergy("3", "Zinzol", verificationStatus={"coding": [{"code": "refuted"}]})
    await write(store, citizen.patient_id, [medicine("1", "Zinzol"), ended, wrong], clock.now())
    assert (await own(client, citizen))["items"] == []


async def test_rows_that_are_withheld_tell_nothing(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    """Labels, types and hidings: the doctor's answer is that of a book without those rows."""
    citizen, plain = await make_citizen(store, clock), await make_citizen(store, clock)
    for person in (citizen, plain):
        await write(store, person.patient_id, [medicine("1", "Zinzol")], clock.now())
    hidden = [medicine("2", "Zinzol"), allergy("3", "Zinzol")]
    await write(store, citizen.patient_id, hidden, clock.now(), source=hospital("b"), labels=int(Label.PSY))
    assert {item["kind"] for item in (await own(client, citizen))["items"]} == {"allergy", "same-ingredient"}
    with_hidden = await seen(client, await let_in(store, clock, citizen), citizen)
    without = await seen(client, await let_in(store, clock, plain), plain)
    assert with_hidden == without
    finding = (await own(client, citizen))["items"][0]["finding_id"]
    doctor = await let_in(store, clock, citizen)
    path = f"/v1/doctor/patients/{citizen.patient_id}/medicine-safety/{finding}/dismissal"
    answer = await client.put(path, json={"reason": "weighed"}, headers=bearer(doctor.token))
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-finding")


async def test_a_grant_without_allergies_finds_none(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    await write(store, citizen.patient_id, [medicine("1", "Zinzol"), allergy("2", "Zinzol")], clock.now())
    doctor = await let_in(store, clock, citizen, types=frozenset({"MedicationRequest"}))
    assert (await seen(client, doctor, citizen))["items"] == []
    whole = await let_in(store, clock, citizen)
    assert len((await seen(client, whole, citizen))["items"]) == 1


async def test_a_dismissal_stays_with_its_reason_and_ends_with_the_facts(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    both = [medicine("1", "Zinzol"), medicine("2", "Zinzol")]
    await write(store, citizen.patient_id, both, clock.now())
    doctor = await let_in(store, clock, citizen)
    (item,) = (await seen(client, doctor, citizen))["items"]
    path = f"/v1/doctor/patients/{citizen.patient_id}/medicine-safety/{item['finding_id']}/dismissal"
    for _ in range(2):
        answer = await client.put(path, json={"reason": "weighed"}, headers=bearer(doctor.token))
        assert answer.status_code == 204
    (item,) = (await seen(client, doctor, citizen))["items"]
    assert (item["open"], [one["reason"] for one in item["dismissals"]]) == (False, ["weighed"])
    (mine,) = (await own(client, citizen))["items"]
    assert (mine["open"], mine["dismissals"][0]["by"]) == (False, "doctor")
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()
    assert any("lưu ý về thuốc" in entry["line"] for entry in log["items"] if not entry["is_own"])

    clock.advance(minutes=1)
    changed = medicine("2", "Zinzol", note=[{"text": "liều mới"}])
    await write(store, citizen.patient_id, [changed], clock.now())
    (again,) = (await seen(client, doctor, citizen))["items"]
    assert (again["open"], again["dismissals"]) == (True, [])
    assert ids_of(again) == ids_of(item)


async def test_the_persons_word_leaves_it_open_for_the_doctor(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    citizen = await make_citizen(store, clock)
    both = [medicine("1", "Zinzol"), medicine("2", "Zinzol")]
    await write(store, citizen.patient_id, both, clock.now())
    (item,) = (await own(client, citizen))["items"]
    path = f"{OWN}/{item['finding_id']}/dismissal"
    headers = bearer(citizen.token)
    assert (await client.put(path, json={"reason": "not-taken"}, headers=headers)).status_code == 204
    assert (await own(client, citizen))["items"][0]["open"] is False
    (full,) = (await seen(client, await let_in(store, clock, citizen), citizen))["items"]
    assert (full["open"], full["dismissals"][0]["by"]) == (True, "person")
    unknown = await client.put(f"{OWN}/{'0' * 32}/dismissal", json={"reason": "other"}, headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-finding")
    worded = await client.put(path, json={"reason": "vì tôi muốn"}, headers=headers)
    assert worded.status_code == 400


async def test_a_guardian_asks_for_a_child_and_sees_nothing_under_a_safety_flag(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    await write(store, child, [medicine("1", "Zinzol"), medicine("2", "Zinzol")], clock.now())
    await write(
        store, child, [allergy("3", "Zinzol")], clock.now(), source=hospital("b"), labels=int(Label.SDV)
    )
    (item,) = (await own(client, mother, **{"X-Patient-Id": str(child)}))["items"]
    assert ids_of(item) == {our_id("a", "1"), our_id("a", "2")}
    stranger = await make_citizen(store, clock)
    answer = await client.get(OWN, headers=bearer(stranger.token) | {"X-Patient-Id": str(child)})
    assert answer.status_code == 403


async def test_s23_a_relative_reads_that_a_doctor_dismissed_and_the_day_alone(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    person, proxy = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "read-record", "add-to-record")
    await write(store, person.patient_id, [medicine("1", "Zinzol"), medicine("2", "Zinzol")], clock.now())
    facility = await make_facility(store, clock, name="Bệnh viện Tâm thần X")
    doctor = await make_doctor(store, clock, facility)
    await granted(store, clock, doctor, person)
    (item,) = (await own(client, person))["items"]
    path = f"/v1/doctor/patients/{person.patient_id}/medicine-safety/{item['finding_id']}/dismissal"
    answer = await client.put(path, json={"reason": "not-taken"}, headers=bearer(doctor.token))
    assert answer.status_code == 204
    seen_by = await own(client, proxy, **{"X-Patient-Id": str(person.patient_id)})
    (told,) = seen_by["items"][0]["dismissals"]
    (whole,) = (await own(client, person))["items"][0]["dismissals"]
    assert (whole["facility_name"], whole["reason"]) == ("Bệnh viện Tâm thần X", "not-taken")
    assert (told["by"], told["facility_name"], told["reason"]) == ("doctor", None, None)
    at = datetime.fromisoformat(told["dismissed_at"]).astimezone(VIETNAM)
    assert at == datetime.combine(local_day(clock.now()), time(), VIETNAM)


async def test_what_a_doctor_refuted_alarms_no_doctor(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    """The summary, the sheet and this list are of one mind; the own book keeps it, marked."""
    citizen = await make_citizen(store, clock)
    doctor = await let_in(store, clock, citizen)
    said = await say(client, citizen, PENICILLIN)
    own_medicine = {"kind": "medicine", "name": PENICILLIN["name"], "origin": "own"}
    assert (await say(client, citizen, own_medicine)).status_code == 201
    assert [item["kind"] for item in (await seen(client, doctor, citizen))["items"]] == ["allergy"]
    ident = said.json()["statement_id"]
    assert (await judge(client, doctor, citizen, ident, "refuted")).status_code == 200
    assert (await seen(client, doctor, citizen))["items"] == []
