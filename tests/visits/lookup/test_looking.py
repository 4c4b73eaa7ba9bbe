"""A desk looks people up: masked until one more fact agrees, logged, limited, alike for nobody (S19)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from healthbook.housekeeping import do_chore
from identity import budgets, people, phones
from identity.activation import facility_of
from identity.people import IdentifierClaim, PersonClaim
from store.database import Store
from tests.consent.test_presence import Recorder
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import (
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    make_person,
    new_number,
    new_phone_number,
    sign_in_again,
)
from tests.support.registry import make_officers, merged, separated
from visits.lookup import service
from visits.lookup.models import LookUp
from visits.lookup.policy import initials
from visits.lookup.rate import rate_of

LOOK_UPS = "/v1/facility/look-ups"
MATCH = f"{LOOK_UPS}/match"
ARRIVAL = f"{LOOK_UPS}/arrival"
DEPARTMENT = "/v1/department/look-ups/success"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def clerk(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), "clerk")


async def look(
    client: httpx.AsyncClient,
    by: Doctor,
    value: str,
    kind: str = "national-id",
    purpose: str = "check-in",
) -> dict[str, Any]:
    body = {"kind": kind, "value": value, "purpose": purpose}
    answer = await client.post(LOOK_UPS, json=body, headers=bearer(by.token))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def match(client: httpx.AsyncClient, by: Doctor, candidate: str, **fact: str) -> httpx.Response:
    return await client.post(MATCH, json={"candidate": candidate, **fact}, headers=bearer(by.token))


async def entries(owner: Store, person: UUID, action: str) -> list[dict[str, Any]]:
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", person)
    found = [json.loads(row["entry"]) for row in rows]
    return [one for one in found if one["action"] == action]


async def with_card(store: Store, clock: FrozenClock, card: str, number: str) -> UUID:
    """Somebody whom a facility reported with a personal number and an insurance card."""
    kinds = [IdentifierClaim("national-id", number), IdentifierClaim("insurance-card", card)]
    kinds.append(IdentifierClaim("insurance-number", card[-10:]))
    claim = PersonClaim(identifiers=kinds, name="Lê Văn Thẻ", birth_date="1970-05-06", sex="male")
    async with store.transaction() as tx:
        return await people.create_person(tx, store.keys, claim, "import", None, clock.now())


async def test_s19_a_number_shows_initials_and_a_year_until_one_more_fact_agrees(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock, name="Đỗ Thị Ánh", birth_date="1985-03-12")
    spelled = f"{person.number[:3]} {person.number[3:6]}.{person.number[6:]}"
    found = await look(client, clerk, spelled)
    assert found["outcome"] == "found"
    assert "họ và tên" in found["next_vi"]
    (shown,) = found["candidates"]
    assert (shown["initials"], shown["birth_year"]) == ("Đ.T.Á.", "1985")
    told = json.dumps(found, ensure_ascii=False)
    for kept in ("Ánh", "03-12", person.number, str(person.patient_id), person.phone_number):
        assert kept not in told, kept
    named = (await match(client, clerk, shown["candidate"], name="do thi  anh")).json()
    assert (named["name"], named["birth_date"], named["sex"]) == ("Đỗ Thị Ánh", "1985-03-12", "female")
    assert named["numbers"] == [{"kind": "national-id", "end": f"*** {person.number[-3:]}"}]
    assert str(person.patient_id) not in json.dumps(named)


@pytest.mark.parametrize(
    "fact", [{"birth_date": "1985-03-13"}, {"name": "Đỗ Thị Ánh Hai"}, {"name": "Ánh"}, {"name": "1985"}]
)
async def test_a_fact_that_differs_names_nobody(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor, fact: dict[str, str]
) -> None:
    person = await make_citizen(store, clock, name="Đỗ Thị Ánh")
    (shown,) = (await look(client, clerk, person.number))["candidates"]
    refused = await match(client, clerk, shown["candidate"], **fact)
    assert (refused.status_code, refused.json()["code"]) == (409, "look-up-fact-differs")
    assert "Ánh" not in refused.text


async def test_a_year_that_is_all_the_book_knows_is_no_fact(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    _, number = await make_person(store, clock, name="Bà Già", birth_date="1940")
    (shown,) = (await look(client, clerk, number))["candidates"]
    for day in ("1940-01-01", "1940-12-31"):
        refused = await match(client, clerk, shown["candidate"], birth_date=day)
        assert refused.json()["code"] == "look-up-fact-differs"
    assert (await match(client, clerk, shown["candidate"], name="Bà Già")).status_code == 200


@pytest.mark.parametrize("fact", [{}, {"name": "Trần Thị Thử", "birth_date": "1985-03-12"}])
async def test_exactly_one_fact_and_no_try_is_spent_on_another_shape(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor, fact: dict[str, str]
) -> None:
    person = await make_citizen(store, clock)
    (shown,) = (await look(client, clerk, person.number))["candidates"]
    for _ in range(4):
        refused = await match(client, clerk, shown["candidate"], **fact)
        assert refused.json()["code"] == "look-up-fact-invalid"
    assert (await match(client, clerk, shown["candidate"], birth_date="1985-03-12")).status_code == 200


async def test_s19_a_phone_shows_everybody_who_signs_in_with_it_and_names_nobody_it_was_not_told(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    phone = new_phone_number()
    family = [
        await make_citizen(store, clock, name=name, phone_number=phone)
        for name in ("Cha Văn Một", "Mẹ Thị Hai", "Con Văn Ba")
    ]
    found = await look(client, clerk, phone, "phone")
    assert sorted(one["initials"] for one in found["candidates"]) == ["C.V.B.", "C.V.M.", "M.T.H."]
    mother = next(one for one in found["candidates"] if one["initials"] == "M.T.H.")
    by_date = (await match(client, clerk, mother["candidate"], birth_date=family[1].birth_date)).json()
    assert (by_date["name"], by_date["birth_date"]) == (None, family[1].birth_date)
    assert (by_date["sex"], by_date["numbers"]) == (None, [])
    by_name = (await match(client, clerk, mother["candidate"], name="Mẹ Thị Hai")).json()
    assert (by_name["name"], by_name["birth_date"]) == ("Mẹ Thị Hai", None)


async def test_five_at_most_and_more_are_nobody(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    phone = new_phone_number()
    for number in range(1, 7):
        await make_citizen(store, clock, phone_number=phone)
        found = await look(client, clerk, phone, "phone")
        if number <= 5:
            assert len(found["candidates"]) == number
    assert (found["outcome"], found["candidates"]) == ("too-many", [])
    assert found["next_vi"]
    assert found["next_en"]


async def test_a_contact_phone_leads_to_nobody(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    """Whoever imports a file can write any phone into it (security.md S1)."""
    person, phone = await make_citizen(store, clock), new_phone_number()
    async with store.transaction() as tx:
        await phones.add_contact(tx, store.keys, person.patient_id, phone, clock.now())
    assert (await look(client, clerk, phone, "phone"))["outcome"] == "unknown"


async def test_an_insurance_card_and_its_number_lead_to_one_person(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    digits = new_number()[-10:]
    await with_card(store, clock, f"DN479{digits}", new_number())
    for kind, value in (
        ("insurance-card", f"DN479{digits}"),
        ("insurance-card", f"dn 4 79 {digits}"),
        # Other letters stand for other benefits of the same person.
        ("insurance-card", f"HT279{digits}"),
        ("insurance-number", digits),
    ):
        found = await look(client, clerk, value, kind)
        assert [one["initials"] for one in found["candidates"]] == ["L.V.T."], value


async def test_who_is_shown_finds_the_look_up_its_purpose_and_each_try_in_the_log(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    phone = new_phone_number()
    shown = [await make_citizen(store, clock, phone_number=phone) for _ in range(3)]
    other = await make_citizen(store, clock)
    found = await look(client, clerk, phone, "phone", "results")
    for one in shown:
        (entry,) = await entries(owner, one.patient_id, "visit:look-up:results")
        assert (entry["purpose"], entry["outcome"]) == ("results", "ok")
        assert entry["facility_id"] == str(facility_of(clerk.actor))
    assert await entries(owner, other.patient_id, "visit:look-up:results") == []
    for candidate in found["candidates"]:
        await match(client, clerk, candidate["candidate"], name="Sai Hết Cả")
    for one in shown:
        (tried,) = await entries(owner, one.patient_id, "visit:look-up:match")
        assert (tried["outcome"], tried["reason"]) == ("refused", "look-up-fact-differs")


async def test_a_purpose_outside_the_list_is_refused(client: httpx.AsyncClient, clerk: Doctor) -> None:
    body = {"kind": "national-id", "value": new_number(), "purpose": "curiosity"}
    assert (await client.post(LOOK_UPS, json=body, headers=bearer(clerk.token))).status_code == 400


async def test_s19_three_wrong_facts_a_day_whatever_number_spelling_or_account_led_there(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    clerk = await make_doctor(store, clock, facility, "clerk")
    digits, number = new_number()[-10:], new_number()
    await with_card(store, clock, f"DN479{digits}", number)
    ways = [
        ("national-id", number),
        ("insurance-card", f"DN479{digits}"),
        ("insurance-card", f"HT2 79 {digits}"),
        ("insurance-number", digits),
    ]
    codes = []
    for at, (kind, value) in enumerate(ways):
        (shown,) = (await look(client, clerk, value, kind))["candidates"]
        refused = await match(client, clerk, shown["candidate"], birth_date=f"1970-05-{at + 10}")
        codes.append(refused.json()["code"])
    assert codes == ["look-up-fact-differs"] * 3 + ["look-up-tries-used"]
    right = await match(client, clerk, shown["candidate"], birth_date="1970-05-06")
    assert right.json()["code"] == "look-up-tries-used", "the right one neither"
    clock.advance(hours=24)
    fresh = await make_doctor(store, clock, facility, "clerk")
    (shown,) = (await look(client, fresh, number))["candidates"]
    assert (await match(client, fresh, shown["candidate"], birth_date="1970-05-06")).status_code == 200


async def test_a_colleague_of_the_same_desk_has_no_tries_of_their_own(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    staff = [
        await make_doctor(store, clock, facility, role) for role in ("clerk", "nurse", "doctor", "clerk")
    ]
    person = await make_citizen(store, clock)
    codes = []
    for at, one in enumerate(staff):
        (shown,) = (await look(client, one, person.number))["candidates"]
        refused = await match(client, one, shown["candidate"], birth_date=f"1985-03-{at + 13}")
        codes.append(refused.json()["code"])
    assert codes == ["look-up-fact-differs"] * 3 + ["look-up-tries-used"]


async def test_all_facilities_together_have_twelve(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    codes = []
    for _ in range(5):
        clerk = await make_doctor(store, clock, await make_facility(store, clock), "clerk")
        (shown,) = (await look(client, clerk, person.number))["candidates"]
        for _ in range(3):
            refused = await match(client, clerk, shown["candidate"], birth_date="1985-12-31")
            codes.append(refused.json()["code"])
    assert codes == ["look-up-fact-differs"] * 12 + ["look-up-tries-used"] * 3


async def test_parallel_tries_are_three(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    (shown,) = (await look(client, clerk, person.number))["candidates"]
    answers = await asyncio.gather(
        *(match(client, clerk, shown["candidate"], birth_date=f"1985-01-{day:02}") for day in range(1, 13))
    )
    assert sorted(one.json()["code"] for one in answers).count("look-up-fact-differs") == 3


async def test_right_facts_spend_no_try(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    (shown,) = (await look(client, clerk, person.number))["candidates"]
    for _ in range(5):
        assert (
            await match(client, clerk, shown["candidate"], birth_date=person.birth_date)
        ).status_code == 200


async def test_a_candidate_serves_its_account_for_a_quarter_of_an_hour(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    clerk, colleague = [await make_doctor(store, clock, facility, "clerk") for _ in range(2)]
    stranger = await make_doctor(store, clock, await make_facility(store, clock), "clerk")
    person = await make_citizen(store, clock)
    (shown,) = (await look(client, clerk, person.number))["candidates"]
    text = shown["candidate"]
    for by, candidate in (
        (colleague, text),
        (stranger, text),
        (clerk, text[:-2] + ("AA" if text[-2:] != "AA" else "BB")),
        (clerk, "x"),
        (clerk, "không phải"),
    ):
        refused = await match(client, by, candidate, birth_date=person.birth_date)
        assert (refused.status_code, refused.json()["code"]) == (404, "look-up-over"), candidate
    clock.advance(minutes=15)
    clerk.token = await sign_in_again(store, clock, clerk)
    assert (await match(client, clerk, text, birth_date=person.birth_date)).json()["code"] == "look-up-over"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("national-id", "12345678"),
        ("national-id", "12"),
        ("insurance-card", "x" * 100),
        ("phone", "0000000"),
        ("phone", "0900"),
    ],
)
async def test_a_wrong_form_says_so_and_is_charged(
    client: httpx.AsyncClient, owner: Store, clock: FrozenClock, clerk: Doctor, kind: str, value: str
) -> None:
    found = await look(client, clerk, value, kind)
    assert (found["outcome"], found["candidates"]) == ("bad-form", [])
    assert ("điện thoại" in found["next_vi"]) == (kind == "phone")
    month = f"{LOOK_UPS}/success/{clock.now():%Y-%m}"
    rate = (await client.get(month, headers=bearer(clerk.token))).json()
    assert rate["all"]["failed"] == {"bad-form": 1}
    who = budgets.subject(clerk.practitioner_id.bytes)
    async with owner.transaction() as tx:
        used = await tx.fetchval("SELECT used FROM attempt_budget WHERE id_hash = $1", who)
    assert used == 1


async def test_account_and_facility_have_a_limit_before_anything_is_looked_at(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    first, second = [await make_doctor(store, clock, facility, "clerk") for _ in range(2)]
    person = await make_citizen(store, clock)
    for budget, who in (
        (budgets.LOOK_UPS_DAY, first.practitioner_id),
        (budgets.LOOK_UPS_DAY_FACILITY, facility.facility_id),
    ):
        async with store.transaction() as tx:
            while await budgets.charge(tx, budget, budgets.subject(who.bytes), clock.now()):
                pass
        for value in (person.number, new_number(), "12345678"):
            body = {"kind": "national-id", "value": value, "purpose": "check-in"}
            for by in (first, second) if who == facility.facility_id else (first,):
                answer = await client.post(LOOK_UPS, json=body, headers=bearer(by.token))
                assert (answer.status_code, answer.json()["code"]) == (429, "too-many")
    assert await entries(owner, person.patient_id, "visit:look-up:check-in") == []


@pytest.mark.parametrize("kind", ["national-id", "insurance-card", "insurance-number", "phone"])
async def test_s19_nobody_costs_the_statements_of_somebody(
    store: Store, clock: FrozenClock, clerk: Doctor, kind: Any
) -> None:
    digits, number = new_number()[-10:], new_number()
    await with_card(store, clock, f"DN479{digits}", number)
    citizen = await make_citizen(store, clock)
    known = {
        "national-id": number,
        "insurance-card": f"DN479{digits}",
        "insurance-number": digits,
        "phone": citizen.phone_number,
    }
    unknown = {
        "national-id": new_number(),
        "insurance-card": f"DN479{new_number()[-10:]}",
        "insurance-number": new_number()[-10:],
        "phone": new_phone_number(),
    }
    seen = []
    for value in (known[kind], unknown[kind]):
        recorder = Recorder(store)
        async with recorder.transaction() as tx:
            desk = service.desk_of(clerk.actor, "r", clock.now())
            assert isinstance(desk, service.Desk)
            asked = LookUp(kind=kind, value=value, purpose="check-in")
            done = await service.look_up(tx, store.keys, desk, asked)
        assert not isinstance(done, Exception)
        seen.append(recorder.statements)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 4


async def test_a_closed_or_ended_number_is_told_like_one_that_nobody_has(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    frozen, ended = await make_citizen(store, clock), await make_citizen(store, clock)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", frozen.patient_id)
        await tx.execute(
            "UPDATE patient_identifier SET valid_until = $2 WHERE patient_id = $1",
            ended.patient_id,
            date(2026, 1, 1),
        )
    nobody = await look(client, clerk, new_number())
    assert nobody["outcome"] == "unknown"
    assert await look(client, clerk, frozen.number) == nobody
    assert await look(client, clerk, ended.number) == nobody
    month = f"{LOOK_UPS}/success/{clock.now():%Y-%m}"
    rate = (await client.get(month, headers=bearer(clerk.token))).json()
    assert rate["all"]["failed"] == {"unknown": 3}, "the rate counts what was told and nothing else"


async def test_who_is_named_is_shown_the_ends_of_numbers_on_cards_each_once(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    digits, number = new_number()[-10:], new_number()
    kinds = [
        IdentifierClaim("facility-patient-id", "BN-0101"),
        IdentifierClaim("facility-patient-id", "BN-0202"),
        IdentifierClaim("national-id", number),
        IdentifierClaim("insurance-card", f"DN479{digits}"),
        IdentifierClaim("insurance-number", digits),
    ]
    claim = PersonClaim(identifiers=kinds, name="Lê Văn Thẻ", birth_date="1970-05-06", sex="male")
    async with store.transaction() as tx:
        await people.create_person(tx, store.keys, claim, "import", facility_of(clerk.actor), clock.now())
    (shown,) = (await look(client, clerk, number))["candidates"]
    named = (await match(client, clerk, shown["candidate"], name="Lê Văn Thẻ")).json()
    assert named["numbers"] == [
        {"kind": "national-id", "end": f"*** {number[-3:]}"},
        {"kind": "insurance-card", "end": f"*** {digits[-3:]}"},
        {"kind": "insurance-number", "end": f"*** {digits[-3:]}"},
    ]


async def test_a_phone_that_nobody_signs_in_with_leads_to_the_card(
    client: httpx.AsyncClient, clerk: Doctor
) -> None:
    found = await look(client, clerk, new_phone_number(), "phone")
    assert found["outcome"] == "unknown"
    assert "số định danh cá nhân" in found["next_vi"]
    assert "hồ sơ được lập" not in found["next_vi"]


async def test_s10_a_merged_person_s_number_shows_the_survivor_only_when_that_one_sees_the_rows(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    gone, number = await make_person(store, clock, name="Trùng Hồ Sơ", birth_date="1985-03-12")
    stays = await make_citizen(store, clock, name="Còn Lại Một", birth_date="1985-03-12")
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, gone, stays.patient_id, clock.now())
    (shown,) = (await look(client, clerk, number))["candidates"]
    assert shown["initials"] == "T.H.S."
    clock.advance(hours=73)
    clerk.token = await sign_in_again(store, clock, clerk)
    (shown,) = (await look(client, clerk, number))["candidates"]
    assert shown["initials"] == "C.L.M."
    await separated(store, officers, merge_id, clock.now())
    (shown,) = (await look(client, clerk, number))["candidates"]
    assert shown["initials"] == "T.H.S."


async def test_whoever_is_matched_can_be_noted_as_arrived_without_the_number_leaving(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    (shown,) = (await look(client, clerk, person.phone_number, "phone"))["candidates"]
    body = {"candidate": shown["candidate"]}
    early = await client.post(ARRIVAL, json=body, headers=bearer(clerk.token))
    assert early.json()["code"] == "look-up-not-matched"
    named = (await match(client, clerk, shown["candidate"], birth_date=person.birth_date)).json()
    body = {"candidate": named["candidate"]}
    first = await client.post(ARRIVAL, json=body, headers=bearer(clerk.token))
    again = await client.post(ARRIVAL, json=body, headers=bearer(clerk.token))
    assert first.status_code == 201, first.text
    assert first.json() == again.json()
    typed = await client.post(
        "/v1/facility/arrivals",
        json={"number": person.number, "name": "x", "birth_date": "1985-03-12", "sex": "female"},
        headers=bearer(clerk.token),
    )
    assert typed.json()["arrival_id"] == first.json()["arrival_id"], "as if it had been typed"
    assert person.number not in first.text
    async with owner.transaction() as tx:
        means = await tx.fetchval("SELECT means FROM check_in WHERE patient_id = $1", person.patient_id)
    assert means == "staff-typed"


async def test_who_has_no_personal_number_is_told_the_next_step(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    digits = new_number()[-10:]
    kinds = [IdentifierClaim("insurance-number", digits)]
    claim = PersonClaim(identifiers=kinds, name="Bé Chưa Thẻ", birth_date="2020-05-06", sex="male")
    async with store.transaction() as tx:
        await people.create_person(tx, store.keys, claim, "import", None, clock.now())
    (shown,) = (await look(client, clerk, digits, "insurance-number"))["candidates"]
    named = (await match(client, clerk, shown["candidate"], name="Bé Chưa Thẻ")).json()
    refused = await client.post(ARRIVAL, json={"candidate": named["candidate"]}, headers=bearer(clerk.token))
    assert (refused.status_code, refused.json()["code"]) == (409, "look-up-no-number")


async def test_the_facility_s_success_is_counted_by_reason(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    for value, kind in (
        (person.number, "national-id"),
        (person.phone_number, "phone"),
        (new_number(), "national-id"),
        ("12345678", "national-id"),
    ):
        found = await look(client, clerk, value, kind)
        if kind == "phone":
            (shown,) = found["candidates"]
    await match(client, clerk, shown["candidate"], name="Sai Tên")
    await match(client, clerk, shown["candidate"], birth_date=person.birth_date)
    told = (await client.get(f"{LOOK_UPS}/success/2026-11", headers=bearer(clerk.token))).json()
    assert told["month"] == "2026-11"
    assert told["all"] == {
        "asked": 4,
        "found": 2,
        "per_mille": 500,
        "failed": {"bad-form": 1, "unknown": 1},
        "matched": 1,
        "differs": 1,
        "used_up": 0,
    }
    assert told["by_kind"]["phone"]["asked"] == 1
    assert told["by_kind"]["national-id"]["per_mille"] == 333
    empty = (await client.get(f"{LOOK_UPS}/success/2026-10", headers=bearer(clerk.token))).json()
    assert (empty["all"]["asked"], empty["all"]["per_mille"]) == (0, None)
    for wrong in ("2026-13", "0001-01", "9999-12"):
        refused = await client.get(f"{LOOK_UPS}/success/{wrong}", headers=bearer(clerk.token))
        assert refused.status_code == 400, wrong


async def test_s30_the_department_gets_rounded_months_that_are_over(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    facilities = [await make_facility(store, clock) for _ in range(3)]
    async with owner.transaction() as tx:
        await tx.execute("DELETE FROM look_up_count WHERE day < '2026-11-01'")
        for at, facility in enumerate(facilities):
            for outcome, times in (("found", 11 + at), ("unknown", 2), ("bad-form", 3), ("matched", 7)):
                await tx.execute(
                    "INSERT INTO look_up_count VALUES ($1, '2026-10-15', 'phone', $2, $3)",
                    facility.facility_id,
                    outcome,
                    times,
                )
    analyst = await make_doctor(store, clock, facilities[0], "department-analyst")
    running = await client.get(f"{DEPARTMENT}/2026-11", headers=bearer(analyst.token))
    assert (running.status_code, running.json()["code"]) == (404, "month-not-counted")
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (
            await client.get(f"{DEPARTMENT}/2026-10", params=params, headers=bearer(analyst.token))
        ).json()
        assert len(page["items"]) <= 2
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [one["facility_id"] for one in seen] == sorted(str(f.facility_id) for f in facilities)
    for one in seen:
        cells = [one["rate"][name] for name in ("asked", "found", "matched", "differs", "used_up")]
        assert all(cell % 5 == 0 for cell in cells), one
        assert one["rate"]["asked"] == one["rate"]["found"] + sum(one["rate"]["failed"].values())
        assert one["rate"]["failed"] == {"bad-form": 5}, "fewer than three are none"


async def test_counts_go_after_two_years(store: Store, owner: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    async with owner.transaction() as tx:
        for day in (date(2024, 1, 1), date(2026, 11, 1)):
            await tx.execute(
                "INSERT INTO look_up_count VALUES ($1, $2, 'phone', 'found', 1)", facility.facility_id, day
            )
    async with store.transaction() as tx:
        await do_chore(tx, "look-up-counts", datetime(2026, 11, 22, tzinfo=UTC) + timedelta(0))
    async with owner.transaction() as tx:
        left = await tx.fetch("SELECT day FROM look_up_count WHERE facility_id = $1", facility.facility_id)
    assert [row["day"] for row in left] == [date(2026, 11, 1)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("Nguyễn Văn An", "N.V.A."),
        ("đỗ", "Đ."),
        ("A B C D E F G H", "A.B.C.D.E.F."),
    ],
)
def test_initials(name: str | None, shown: str | None) -> None:
    assert initials(name) == shown


def test_a_rate_of_nothing_is_none() -> None:
    assert rate_of([]).per_mille is None
