"""The emergency card: off until each line is ticked; whoever opens it sees those lines and nothing else."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog

from consent import standing
from ehr.visibility import hidings, release
from healthbook.dispatch import dispatch
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.blobs import BlobStore
from store.database import Store
from store.epoch import start_epoch
from store.keys import KeyRing
from store.outbox import claim_events
from store.postgres import Server
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.emergency_card import (
    CARD,
    OPEN,
    choice,
    lines,
    renew,
    scan,
    signed,
    tick,
    token_of,
)
from tests.support.exports import pdf_pages, step_up
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.record import hospital, our_id, own, write
from tests.support.registry import make_officers, merged
from tests.support.restored import own_database

ALL = ("identity", "allergies", "blood-group", "conditions", "medicines", "implants", "contacts")
RECORD: dict[str, str] = {
    "allergies": "Penicillin",
    "blood-group": "O Rh(D) dương",
    "conditions": "Hen phế quản",
    "medicines": "Salbutamol",
    "implants": "Máy tạo nhịp",
}


def allergy(name: str, ident: str = "a1") -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": ident,
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": name},
        "criticality": "high",
    }


def condition(name: str, ident: str = "c1") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": ident,
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": name},
        "recordedDate": "2026-01-02",
    }


def medicine(name: str, ident: str = "m1") -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": ident,
        "status": "active",
        "medicationCodeableConcept": {"text": name},
        "effectivePeriod": {"start": "2026-11-01"},
    }


def implant(name: str, ident: str = "d1") -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": ident,
        "status": "active",
        "type": {"text": name},
    }


def blood_group(value: str, ident: str = "b1") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "883-9"}], "text": "Nhóm máu ABO"},
        "valueString": value,
        "effectiveDateTime": "2026-01-02T08:00:00+07:00",
    }


def whole_record() -> list[dict[str, Any]]:
    return [
        allergy(RECORD["allergies"]),
        condition(RECORD["conditions"]),
        medicine(RECORD["medicines"]),
        implant(RECORD["implants"]),
        blood_group(RECORD["blood-group"]),
    ]


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock, name="Lê Thị Thẻ", birth_date="1958-04-02")
    await write(store, made.patient_id, whole_record(), clock.now())
    return made


async def test_the_card_is_off_and_nothing_is_ticked_before_the_person_ticks_it(
    client: httpx.AsyncClient, citizen: Citizen
) -> None:
    headers = bearer(citizen.token)
    card = (await client.get(CARD, headers=headers)).json()
    assert (card["on"], card["parts"], card["link"]) == (False, [], None)
    assert (await client.get(f"{CARD}/content", headers=headers)).json()["code"] == "emergency-card-off"


@pytest.mark.parametrize("part", ALL)
async def test_each_tick_alone_shows_its_line_and_no_other(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, part: str
) -> None:
    token = token_of(await tick(client, clock, citizen, part))
    opened = await scan(client, token)
    assert set(lines(opened)) == {part}
    others = [text for name, text in RECORD.items() if name != part]
    assert not any(text in opened.text for text in others)
    assert (citizen.name in opened.text) == (part == "identity")
    if part in RECORD:
        assert any(RECORD[part] in line for line in lines(opened)[part])
    assert citizen.number not in opened.text
    assert str(citizen.patient_id) not in opened.text


async def test_s11_a_new_tick_and_a_new_code_need_the_step_up_key_and_unticking_the_session_alone(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    headers, now = bearer(citizen.token), clock.now()
    bare = await client.put(CARD, json={"parts": ["allergies"]}, headers=headers)
    assert (bare.status_code, bare.json()["code"]) == (403, "step-up-needed")
    wrong = [
        choice(citizen, now, ["allergies"], refresh_key=True),
        choice(citizen, now, ["allergies"]) | {"parts": ["allergies", "conditions"]},
        choice(citizen, now - timedelta(minutes=6), ["allergies"]),
        {"parts": ["allergies"]}
        | {"signed": signed(citizen, "consent-approve", now, {"parts": ["allergies"]})},
    ]
    for body in wrong:
        answer = await client.put(CARD, json=body, headers=headers)
        assert answer.json()["code"] == "step-up-refused"
    right = choice(citizen, now, ["allergies", "conditions"])
    assert (await client.put(CARD, json=right, headers=headers)).status_code == 200
    again = await client.put(CARD, json=right, headers=headers)
    assert again.json()["code"] == "step-up-refused"
    fewer = await client.put(CARD, json={"parts": ["allergies"]}, headers=headers)
    assert (fewer.status_code, fewer.json()["parts"]) == (200, ["allergies"])
    back = await client.put(CARD, json={"parts": ["allergies", "conditions"]}, headers=headers)
    assert back.json()["code"] == "step-up-needed"
    unsigned = {"signed": signed(citizen, "emergency-card", now, {"parts": ["allergies"], "new_code": "no"})}
    assert (await client.post(f"{CARD}/code", json=unsigned, headers=headers)).json()[
        "code"
    ] == "step-up-refused"
    assert (await client.delete(CARD, headers=headers)).status_code == 204


async def test_s8_a_device_on_probation_turns_the_card_off_and_never_on(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, probation=True)
    body = choice(citizen, clock.now(), ["allergies"])
    answer = await client.put(CARD, json=body, headers=bearer(citizen.token))
    assert answer.json()["code"] == "device-on-probation"
    assert (await client.delete(CARD, headers=bearer(citizen.token))).status_code == 204


@pytest.mark.parametrize("label", [1, 2, 4, 8, 16, 32, 64, 128])
async def test_nothing_with_a_label_stands_on_the_card_nor_leaves_a_trace(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, label: int
) -> None:
    plain, guarded = await make_citizen(store, clock), await make_citizen(store, clock)
    secret = [
        allergy("Dị ứng Abacavir", "x1"),
        condition("Bí mật ARV", "x2"),
        medicine("Dolutegravir", "x3"),
        implant("Que cấy bí mật", "x4"),
        blood_group("AB", "x5"),
    ]
    for person in (plain, guarded):
        await write(store, person.patient_id, whole_record(), clock.now())
    await write(store, guarded.patient_id, secret, clock.now(), source=hospital("b"), labels=label)
    answers = []
    for person in (plain, guarded):
        opened = await scan(client, token_of(await tick(client, clock, person, *ALL)))
        answers.append((opened.status_code, len(opened.content), sorted(opened.headers)))
        assert "etag" not in opened.headers
        assert opened.headers["cache-control"] == "no-store"
        assert "bí mật" not in opened.text.lower()
    assert answers[0] == answers[1]


async def test_what_is_hidden_from_anybody_disputed_or_not_released_is_not_on_the_card(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    citizen, now = await make_citizen(store, clock), clock.now()
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        await release.set_policy(tx, facility.facility_id, "laboratory", "after-hours", 48, None, now)
    await write(
        store,
        citizen.patient_id,
        [
            condition("Ẩn với mọi người", "h1"),
            condition("Ẩn với một bác sĩ", "h2"),
            condition("Còn lại", "h3"),
        ],
        now,
    )
    late = blood_group("Nhóm chưa trả", "late") | {
        "effectiveDateTime": now.isoformat(),
        "issued": now.isoformat(),
    }
    source = hospital("late", facility.facility_id)
    await write(store, citizen.patient_id, [late], now, source=source, unit="u1")
    async with store.transaction() as tx:
        access = own(citizen.patient_id, "manage-record")
        for ident, reader in (("h1", None), ("h2", facility.facility_id)):
            made = await hidings.hide(
                tx, access, "Condition", our_id("a", ident), reader=reader, reader_name="BS", now=now
            )
            assert not isinstance(made, Refused)
    token = token_of(await tick(client, clock, citizen, "conditions", "blood-group"))
    opened = await scan(client, token)
    assert lines(opened) == {"blood-group": [], "conditions": ["Còn lại"]}
    # The person sees the same lines as whoever scans, though the own book shows all of it.
    preview = await client.get(f"{CARD}/content", headers=bearer(citizen.token))
    assert lines(preview) == lines(opened)


async def test_an_opening_after_the_end_a_new_code_or_a_wrong_code_is_refused_in_one_shape(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    first = token_of(await tick(client, clock, citizen, "allergies"))
    second = await renew(client, clock, citizen, "allergies")
    stranger = await make_citizen(store, clock)
    off = token_of(await tick(client, clock, stranger, "allergies"))
    assert (await client.delete(CARD, headers=bearer(stranger.token))).status_code == 204
    refused = [first, off, "A" * 64, "x", second[:-2] + "AA" if second[-2:] != "AA" else second[:-2] + "BB"]
    answers = [await scan(client, token) for token in refused]
    assert {answer.status_code for answer in answers} == {404}
    bodies = {re.sub(r'"(request_id|instance|trace_id)":"[^"]*"', "", answer.text) for answer in answers}
    assert len(bodies) == 1
    assert (await scan(client, second)).status_code == 200
    # On again, it has another code: what was printed before stays dead.
    again = token_of(await tick(client, clock, stranger, "allergies"))
    assert again != off
    assert (await scan(client, off)).status_code == 404


@pytest.mark.parametrize("state", ["merged", "frozen"])
async def test_a_card_of_somebody_who_is_not_alive_here_opens_nothing(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, state: str
) -> None:
    token = token_of(await tick(client, clock, citizen, "allergies"))
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", citizen.patient_id, state)
    assert (await scan(client, token)).json()["code"] == "emergency-card-unknown"


async def test_s18_a_death_that_was_only_reported_leaves_the_card_open(
    owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    token = token_of(await tick(client, clock, citizen, "allergies"))
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE citizen SET state = 'death-reported' WHERE patient_id = $1", citizen.patient_id
        )
    assert (await scan(client, token)).status_code == 200


async def test_s10_a_merge_holds_the_card_of_both(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    other = await make_citizen(store, clock)
    tokens = [token_of(await tick(client, clock, one, "allergies")) for one in (citizen, other)]
    await merged(store, await make_officers(store, clock), citizen.patient_id, other.patient_id, clock.now())
    assert {(await scan(client, token)).status_code for token in tokens} == {404}


async def test_every_opening_is_one_row_and_one_notice_also_of_forty_at_once(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    token = token_of(await tick(client, clock, citizen, "allergies"))
    # Fewer than a process lets in at once of callers whom nobody knows (api/load.py).
    answers = await asyncio.gather(*(scan(client, token) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    person = citizen.patient_id
    opened = "entry LIKE '%record:emergency-card:read%' AND actor_kind = 'bearer'"
    rows = await steps.count(
        owner, f"SELECT count(*) FROM access_log WHERE patient_id = $1 AND {opened}", person
    )
    assert rows == 40
    for event in await events_of(store, citizen, clock):
        async with store.transaction() as tx:
            await dispatch(tx, store.keys, event, clock.now())
    kinds = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = 'emergency-card-opened'"
    assert await steps.count(owner, kinds, person) == 40
    assert await steps.count(owner, f"{kinds} AND status = 'ring'", person) == 3


async def events_of(store: Store, citizen: Citizen, clock: FrozenClock) -> list[Any]:
    async with store.transaction() as tx:
        claimed = await claim_events(tx, bucket_of(citizen.patient_id), clock.now(), 500)
    return [one for one in claimed if one.patient_id == citizen.patient_id]


async def test_s31_whoever_scrapes_from_one_network_stops_nobody_elsewhere(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock, trusted_proxies=frozenset({"127.0.0.1"})) as client:
        token = token_of(await tick(client, clock, citizen, "allergies"))
        here, elsewhere = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "198.51.100.7"}
        for wrong in range(61):
            answer = await client.post(OPEN, json={"token": "A" * 64}, headers=here)
            assert answer.status_code == (404 if wrong < 60 else 429)
        for opening in range(61):
            answer = await client.post(OPEN, json={"token": token}, headers=here)
            assert answer.status_code == (200 if opening < 60 else 429)
        assert "retry-after" in answer.headers
        assert (await client.post(OPEN, json={"token": token}, headers=elsewhere)).status_code == 200
        clock.advance(hours=1, seconds=1)
        assert (await client.post(OPEN, json={"token": token}, headers=here)).status_code == 200


async def test_s34_the_secret_is_behind_the_hash_and_in_no_log_row_or_event(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    card = await tick(client, clock, citizen, "allergies")
    token = token_of(card)
    before, _, after = card["link"].partition("#")
    assert after == token
    assert "?" not in before
    with structlog.testing.capture_logs() as logged:
        assert (await scan(client, token)).status_code == 200
        assert (await scan(client, token[:-4] + "AAAA")).status_code == 404
    assert token not in json.dumps(logged, default=str)
    assert token[22:40] not in json.dumps(logged, default=str)
    async with owner.transaction() as tx:
        for table in ("access_log", "outbox", "emergency_card", "notification"):
            dumped = await tx.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert token not in (dumped or "")
            assert token[22:] not in (dumped or "")


async def test_s12_a_restored_backup_holds_the_card_until_its_person_agrees_again(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: BlobStore,
    clock: FrozenClock,
) -> None:
    async with own_database(server, make_database, keys, blobs) as (store, owner):
        citizen = await make_citizen(store, clock)
        async with client_of(store, clock) as client:
            token = token_of(await tick(client, clock, citizen, "allergies"))
            clock.advance(seconds=1)
            async with owner.transaction() as tx:
                await start_epoch(tx, clock.now())
            assert (await scan(client, token)).status_code == 404


async def test_the_card_for_the_wallet_has_the_lines_and_the_code_and_is_signed_for(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    await tick(client, clock, citizen, "identity", "allergies", "medicines")
    path = f"{CARD}/card.pdf"
    assert (await client.get(path, headers=bearer(citizen.token))).status_code == 400
    headers = bearer(citizen.token) | step_up(citizen, "emergency-card", clock.now())
    response = await client.get(path, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf")
    front, back = (" ".join(page.split()) for page in pdf_pages(response.content))
    assert "Lê Thị Thẻ" in front
    assert "1958" in front
    assert "Penicillin" in back
    assert "Salbutamol" in back
    assert not any(text in front + back for text in ("Hen phế quản", "Máy tạo nhịp", citizen.number))


async def test_the_card_stands_among_who_can_see_me_and_ends_with_all_of_it(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    token = token_of(await tick(client, clock, citizen, "allergies"))
    async with store.transaction() as tx:
        (card,) = await standing.standing_of(tx, store.keys, citizen.patient_id, clock.now())
        assert (card.kind, card.what) == ("emergency-card", ["allergies"])
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        await standing.end_everything(tx, access, trace_id=steps.TRACE, now=clock.now())
    assert (await scan(client, token)).status_code == 404


async def test_the_person_reads_in_the_log_that_somebody_unknown_opened_the_card(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    await scan(client, token_of(await tick(client, clock, citizen, "allergies")))
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()
    (line,) = [item for item in log["items"] if item["action"] == "record:emergency-card:read"]
    assert (line["actor_kind"], line["is_own"], line["purpose"]) == ("bearer", False, "ETREAT")
    assert "mở thẻ khẩn cấp" in line["line"]
    assert line["types"] == ["AllergyIntolerance"]


@pytest.mark.parametrize("page", ["/the-khan-cap", "/lien-he"])
async def test_s34_the_pages_hold_no_code_and_run_their_own_script_alone(
    client: httpx.AsyncClient, page: str
) -> None:
    response = await client.get(page)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (source,) = re.findall(r'<script src="([^"]+)"', response.text)
    script = await client.get(source)
    assert script.headers["content-type"].startswith("text/javascript")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval", script.text)
    # A code leaves in a body; no address is made of it.
    assert re.findall(r'fetch\("([^"]+)"', script.text)[0].startswith("/v1/public/")
    assert "location.search" not in script.text
