"""Share codes: typed as people type, once, ten minutes, for a registered practitioner; guessing dies."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from consent.share_codes.policy import LENGTH, LIFE, draw, typed
from consent.standing import end_everything, standing_of
from healthbook.housekeeping import do_chore
from kernel.access import ALL_LABELS
from kernel.spoken_codes import ALPHABET
from store.blobs import BlobStore
from store.database import Store
from store.keys import KeyRing
from store.postgres import Server
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.registry import make_officers, merged
from tests.support.restored import new_epoch, own_database
from tests.support.sharing import signed

TYPES = ["AllergyIntolerance", "Condition", "MedicationRequest"]


def body_of(citizen: Citizen, now: datetime, **choice: Any) -> dict[str, Any]:
    facts = {
        "unlock": "biometric",
        "types": sorted(TYPES),
        "since": None,
        "until": None,
        "duration_seconds": 7 * 86400,
        "labels": [],
    } | choice
    act = signed(citizen, "share-code", facts, now)
    labels = [
        {
            "label": name,
            "signed": signed(citizen, "share-code-label", {"label": name, "act": act["nonce"]}, now),
        }
        for name in facts["labels"]
    ]
    return facts | {"signed": act, "label_signatures": labels}


async def make(client: httpx.AsyncClient, citizen: Citizen, now: datetime, **choice: Any) -> httpx.Response:
    body = body_of(citizen, now, **choice)
    return await client.post("/v1/me/share-codes", json=body, headers=bearer(citizen.token))


async def code_of(client: httpx.AsyncClient, citizen: Citizen, now: datetime, **choice: Any) -> str:
    made = await make(client, citizen, now, **choice)
    assert made.status_code == 201, made.text
    code: str = made.json()["code"]
    return code


async def redeem(client: httpx.AsyncClient, doctor: Doctor, code: str) -> httpx.Response:
    return await client.post(
        "/v1/doctor/share-codes/redeem", json={"code": code}, headers=bearer(doctor.token)
    )


async def events(owner: Store, citizen: Citizen) -> list[str]:
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT event FROM outbox WHERE patient_id = $1", citizen.patient_id)
    return [row["event"] for row in rows]


def test_a_code_has_forty_bits_and_is_read_as_people_write_it() -> None:
    assert len(ALPHABET) == 32
    assert 32**LENGTH == 2**40
    code = "7Z0K1ABC"
    for text in ("7z0k1abc", "7Z0K-1ABC", "7zOk-lABC", "7Z0K 1ABC", "SSK-CODE:7Z0K1ABC", " 7zoKiabc "):
        assert typed(text) == code
    for text in ("", "7Z0K1AB", "7Z0K1ABCD", "7Z0K1ABU", "!!!!!!!!", "SSK-CODE:"):
        assert typed(text) is None
    drawn = draw()
    assert typed(drawn.lower()) == drawn


async def test_the_code_opens_what_was_chosen_to_whoever_redeems_it(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, doctor: Doctor, clock: FrozenClock
) -> None:
    made = await make(client, citizen, clock.now())
    assert made.json()["qr"] == "SSK-CODE:" + made.json()["code"].replace("-", "")
    given = await redeem(client, doctor, made.json()["code"].lower())
    assert given.status_code == 200, given.text
    assert given.json()["patient_id"] == str(citizen.patient_id)
    grants = (await client.get("/v1/me/grants", headers=bearer(citizen.token))).json()["items"]
    assert [(one["tier"], sorted(one["types"]), one["labels"]) for one in grants] == [
        ("A", sorted(TYPES), [])
    ]
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert not isinstance(access, str)
    assert access.withheld_labels == ALL_LABELS
    lines = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()["items"]
    assert any("dùng mã chia sẻ" in item["line"] for item in lines)


@pytest.mark.parametrize(("unlock", "tier", "days"), [("biometric", "A", 90), ("pin", "B", 30)])
async def test_the_tier_comes_from_how_the_phone_was_unlocked(
    client: httpx.AsyncClient,
    citizen: Citizen,
    doctor: Doctor,
    clock: FrozenClock,
    unlock: str,
    tier: str,
    days: int,
) -> None:
    code = await code_of(client, citizen, clock.now(), unlock=unlock, duration_seconds=90 * 86400)
    await redeem(client, doctor, code)
    (grant,) = (await client.get("/v1/me/grants", headers=bearer(citizen.token))).json()["items"]
    ends = datetime.fromisoformat(grant["ends_at"]) - datetime.fromisoformat(grant["starts_at"])
    assert (grant["tier"], ends.days) == (tier, days)


async def test_a_role_gets_no_more_than_its_own_part(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    vaccinator = await make_doctor(store, clock, facility, role="vaccinator")
    code = await code_of(client, citizen, clock.now())
    assert (await redeem(client, vaccinator, code)).status_code == 200
    (grant,) = (await client.get("/v1/me/grants", headers=bearer(citizen.token))).json()["items"]
    assert grant["types"] == ["AllergyIntolerance"]
    other = await make_citizen(store, clock)
    code = await code_of(client, other, clock.now(), types=["MedicationRequest"])
    nothing = await redeem(client, vaccinator, code)
    assert nothing.json()["code"] == "nothing-to-grant"
    clerk = await make_doctor(store, clock, facility, role="clerk")
    assert (await redeem(client, clerk, code)).json()["code"] == "role-not-allowed"


async def test_each_label_of_tier_a_has_a_signature_of_its_own(
    client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor, clock: FrozenClock
) -> None:
    body = body_of(citizen, clock.now(), labels=["HIV", "PSY"])
    short = body | {"label_signatures": body["label_signatures"][:1]}
    refused = await client.post("/v1/me/share-codes", json=short, headers=bearer(citizen.token))
    assert (refused.status_code, refused.json()["code"]) == (401, "step-up-refused")
    code = await code_of(client, citizen, clock.now(), labels=["HIV", "PSY"])
    assert (await redeem(client, doctor, code)).status_code == 200
    (grant,) = (await client.get("/v1/me/grants", headers=bearer(citizen.token))).json()["items"]
    assert grant["labels"] == ["HIV", "PSY"]


async def test_a_second_redemption_is_refused_and_told_to_the_owner(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    citizen: Citizen,
    doctor: Doctor,
    clock: FrozenClock,
) -> None:
    other = await make_doctor(store, clock, await make_facility(store, clock))
    code = await code_of(client, citizen, clock.now())
    assert (await redeem(client, doctor, code)).status_code == 200
    assert "consent.share-code-tried" not in await events(owner, citizen)
    again = await redeem(client, other, code)
    assert (again.status_code, again.json()["code"]) == (403, "share-code-invalid")
    assert (await events(owner, citizen)).count("consent.share-code-tried") == 1
    assert await steps.read(store, clock, other, citizen.patient_id) == "no-access"


async def test_s19_unknown_used_expired_and_ended_codes_are_one_answer(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, doctor: Doctor, clock: FrozenClock
) -> None:
    used, ended, expired = [await code_of(client, citizen, clock.now()) for _ in range(3)]
    assert (await redeem(client, doctor, used)).status_code == 200
    made = await make(client, citizen, clock.now())
    path = f"/v1/me/share-codes/{made.json()['code_id']}"
    assert (await client.delete(path, headers=bearer(citizen.token))).status_code == 204
    answers = [await redeem(client, doctor, one) for one in (used, made.json()["code"], "ZZZZ-ZZZZ")]
    clock.advance(minutes=9, seconds=59)
    assert (await redeem(client, doctor, ended)).status_code == 200
    clock.advance(seconds=1)
    answers.append(await redeem(client, doctor, expired))
    assert {one.status_code for one in answers} == {403}
    assert len({one.content for one in answers}) == 1


async def test_a_code_of_somebody_frozen_is_dead(
    client: httpx.AsyncClient, owner: Store, citizen: Citizen, doctor: Doctor, clock: FrozenClock
) -> None:
    code = await code_of(client, citizen, clock.now())
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", citizen.patient_id)
    assert (await redeem(client, doctor, code)).json()["code"] == "share-code-invalid"


async def test_guessing_dies_after_ten_wrong_codes_an_hour(
    client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor, clock: FrozenClock
) -> None:
    right = await code_of(client, citizen, clock.now())
    wrong = {draw() for _ in range(12)} - {right.replace("-", "")}
    answers = [(await redeem(client, doctor, one)).status_code for one in wrong]
    assert answers.count(403) == 10
    assert set(answers[10:]) <= {429}
    shut = await redeem(client, doctor, right)
    assert (shut.status_code, shut.json()["code"]) == (429, "too-many")


async def test_s14_a_repeat_shows_no_code(
    client: httpx.AsyncClient, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    headers = bearer(citizen.token) | {"Idempotency-Key": secrets.token_urlsafe(24)}
    body = body_of(citizen, clock.now())
    first = await client.post("/v1/me/share-codes", json=body, headers=headers)
    again = await client.post("/v1/me/share-codes", json=body, headers=headers)
    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "already-created")
    code = first.json()["code"].replace("-", "")
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT s::text AS row FROM share_code s UNION ALL SELECT h::text FROM share_code_by_hash h"
        )
    assert rows
    assert all(code not in row["row"] for row in rows)


async def test_s11_a_code_needs_the_device_key_and_every_word_of_the_choice(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    good = body_of(citizen, clock.now(), unlock="pin")
    other = await make_citizen(store, clock)
    bad = [
        good | {"unlock": "biometric"},
        good | {"types": [*good["types"], "Procedure"]},
        good | {"duration_seconds": 86400 * 8},
        good | {"labels": ["HIV"]},
        good | {"since": "2020-01-01"},
        body_of(other, clock.now()),
    ]
    for body in bad:
        answer = await client.post("/v1/me/share-codes", json=body, headers=bearer(citizen.token))
        assert (answer.status_code, answer.json()["code"]) == (401, "step-up-refused"), body
    fresh = await make_citizen(store, clock, probation=True)
    assert (await make(client, fresh, clock.now())).json()["code"] == "device-on-probation"


async def test_s10_a_code_of_before_a_merge_is_dead(
    client: httpx.AsyncClient, store: Store, doctor: Doctor, clock: FrozenClock
) -> None:
    people = [await make_citizen(store, clock) for _ in range(2)]
    codes = [await code_of(client, one, clock.now()) for one in people]
    clock.advance(seconds=30)
    officers = await make_officers(store, clock)
    await merged(store, officers, people[0].patient_id, people[1].patient_id, clock.now())
    for code in codes:
        assert (await redeem(client, doctor, code)).json()["code"] == "share-code-invalid"


async def test_s12_a_code_of_an_older_epoch_is_dead(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: BlobStore,
    clock: FrozenClock,
) -> None:
    async with own_database(server, make_database, keys, blobs) as place:
        person = await make_citizen(place.store, clock)
        facility = await make_facility(place.store, clock)
        async with client_of(place.store, clock) as client:
            code = await code_of(client, person, clock.now())
            clock.advance(seconds=1)
            await new_epoch(place.owner, clock)
            clock.advance(seconds=1)
            doctor = await make_doctor(place.store, clock, facility)
            assert (await redeem(client, doctor, code)).json()["code"] == "share-code-invalid"


async def test_codes_stand_among_who_can_see_me_and_end_with_everything(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, doctor: Doctor, clock: FrozenClock
) -> None:
    code = await code_of(client, citizen, clock.now())
    async with store.transaction() as tx:
        assert [one.kind for one in await standing_of(tx, store.keys, citizen.patient_id, clock.now())] == [
            "share-code"
        ]
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        await end_everything(tx, access, trace_id=steps.TRACE, now=clock.now())
    assert (await redeem(client, doctor, code)).json()["code"] == "share-code-invalid"


async def test_of_fifty_doctors_at_once_one_gets_the_grant(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    doctors = [await make_doctor(store, clock, facility) for _ in range(10)]
    for one in doctors:  # at work already: so many new sessions at once would be asked to come again
        assert (await client.get("/v1/doctor/grants", headers=bearer(one.token))).status_code == 200
    code = await code_of(client, citizen, clock.now())
    answers = await asyncio.gather(*[redeem(client, one, code) for one in doctors * 5])
    statuses = [one.status_code for one in answers]
    assert statuses.count(200) == 1
    assert set(statuses) == {200, 403}
    made = await steps.count(
        owner, "SELECT count(*) FROM consent_grant WHERE patient_id = $1", citizen.patient_id
    )
    assert made == 1


async def test_a_day_after_its_end_nothing_of_a_code_is_left(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    await code_of(client, citizen, clock.now())
    ends = clock.now() + LIFE
    for table, chore in (("share_code", "share-codes"), ("share_code_by_hash", "share-code-hashes")):
        mine = f"SELECT count(*) FROM {table} WHERE patient_id = $1"
        for late, left in ((timedelta(days=1), 1), (timedelta(days=1, seconds=1), 0)):
            async with store.transaction() as tx:
                await do_chore(tx, chore, ends + late)
            assert await steps.count(owner, mine, citizen.patient_id) == left
