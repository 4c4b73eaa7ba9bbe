"""What keeps a link in its owner's hand: passcode, lock, revocation, holds, and what stands in the log."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidTag

from consent.standing import end_everything, standing_of
from healthbook.dispatch import dispatch
from healthbook.link_jobs import SWEEP, arm_link_sweep, link_jobs
from identity import sessions
from identity.tokens import to_base64url
from store.blobs import BlobMissingError, BlobStore
from store.database import Store
from store.keys import KeyRing
from store.models import Due
from store.outbox import claim_events
from store.postgres import Server
from tests.support import sharing
from tests.support.clock import FrozenClock
from tests.support.consent import own
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import our_id, write
from tests.support.registry import make_officers, merged
from tests.support.restored import Own, new_epoch, own_database
from tests.support.sharing import Link, link_of

WRONG = "00000000"


async def listed(client: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, Any]]:
    answer = await client.get("/v1/me/share-links", headers=bearer(citizen.token))
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def log_of(owner: Store, citizen: Citizen) -> list[dict[str, Any]]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry, actor_name FROM access_log WHERE patient_id = $1 ORDER BY seq", citizen.patient_id
        )
    return [json.loads(row["entry"]) | {"name": row["actor_name"]} for row in rows]


async def events_of(owner: Store, citizen: Citizen) -> list[str]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT event FROM outbox WHERE patient_id = $1 ORDER BY event_id", citizen.patient_id
        )
    return [row["event"] for row in rows]


async def lock(client: httpx.AsyncClient, link: Link) -> list[int]:
    return [(await link.open(client, passcode=WRONG)).json()["remainingAttempts"] for _ in range(5)]


async def test_a_link_killed_by_a_stranger_is_told_and_armed_anew_with_another_passcode(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    assert await lock(client, link) == [4, 3, 2, 1, 0]
    assert (await link.open(client)).status_code == 404
    assert (await link.open(client, passcode=WRONG)).status_code == 404
    assert (await events_of(owner, citizen)).count("consent.link-locked") == 1
    assert [one["state"] for one in await listed(client, citizen)] == ["locked"]
    armed = await sharing.arm(client, citizen, link, clock.now())
    assert armed.status_code == 200, armed.text
    assert armed.json()["passcode"] != link.passcode
    old = await link.open(client)
    assert (old.status_code, old.json()["remainingAttempts"]) == (401, 4)
    link.passcode = armed.json()["passcode"]
    assert (await link.open(client)).status_code == 200
    assert [one["state"] for one in await listed(client, citizen)] == ["live"]


async def test_the_address_of_a_file_dies_with_the_passcode_that_opened_it(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    way = (await link.open(client)).json()["files"][0]["location"]
    await lock(client, link)
    armed = await sharing.arm(client, citizen, link, clock.now())
    assert (await client.get(way)).status_code == 404
    link.passcode = armed.json()["passcode"]
    way = (await link.open(client)).json()["files"][0]["location"]
    assert (await client.get(way)).status_code == 200


async def test_a_locked_link_can_be_killed_and_a_dead_one_is_not_armed(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    await lock(client, link)
    assert (await sharing.revoke(client, citizen, link)).status_code == 204
    assert (await sharing.revoke(client, citizen, link)).status_code == 204
    assert (await sharing.arm(client, citizen, link, clock.now())).status_code == 404
    assert [one["state"] for one in await listed(client, citizen)] == ["revoked"]


async def test_every_opening_is_told_logged_and_shown_with_the_openers_own_words(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    await link.files(client)
    clock.advance(seconds=1)
    await link.files(client, recipient="Phòng khám Y", embeddedLengthMax=10**7)
    await link.open(client, passcode=WRONG)
    assert (await events_of(owner, citizen)).count("consent.link-opened") == 2
    path = f"/v1/me/share-links/{link.link_id}/openings"
    openings = (await client.get(path, headers=bearer(citizen.token))).json()["items"]
    assert [one["recipient"] for one in openings] == ["Phòng khám Y", sharing.RECIPIENT]
    rows = [row for row in await log_of(owner, citizen) if row["actor"]["kind"] == "bearer"]
    tags = ["consent:link:open", "record:link:read"] * 2 + ["consent:link:wrong"]
    assert [row["action"] for row in rows] == tags
    assert {row["grant"]["id"] for row in rows} == {link.link_id}
    assert rows[1]["basis"] == "share-link"
    assert rows[1]["body_sha256"]
    # The opener's words stand beside the hashed row, never in it.
    assert rows[0]["name"] == f"{sharing.RECIPIENT} (tự khai)"
    assert all("Weber" not in json.dumps(row | {"name": None}) for row in rows)
    lines = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()["items"]
    assert any("Weber, Berlin (tự khai)" in item["line"] for item in lines)


async def test_events_of_links_become_notices_that_say_nothing_of_anybody(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock
) -> None:
    async with client_of(fresh_store, clock) as http:
        citizen = await make_citizen(fresh_store, clock)
        link = await link_of(http, citizen, clock.now())
        await link.open(http)
        await lock(http, link)
        async with fresh_store.transaction() as tx:
            for bucket in range(256):
                for event in await claim_events(tx, bucket, clock.now()):
                    await dispatch(tx, fresh_store.keys, event, clock.now())
        notices = (await http.get("/v1/me/notifications", headers=bearer(citizen.token))).json()["items"]
    kinds = {one["type"] for one in notices}
    assert {"link-made", "link-opened", "link-locked"} <= kinds
    assert all("Weber" not in json.dumps(one) and "Berlin" not in json.dumps(one) for one in notices)


async def test_s13_after_a_revoke_neither_the_link_nor_an_address_given_before_opens_anything(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    way = httpx.URL((await link.open(client)).json()["files"][0]["location"]).path
    assert (await sharing.revoke(client, citizen, link)).status_code == 204
    assert (await client.get(way)).status_code == 404
    assert (await link.open(client)).status_code == 404


async def test_s13_the_files_of_a_dead_link_leave_the_store(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    over, kept = [
        await link_of(client, citizen, clock.now(), duration_seconds=seconds) for seconds in (300, 3600)
    ]
    async with owner.transaction() as tx:
        blobs = {
            str(row["link_id"]): row["blob_id"]
            for row in await tx.fetch(
                "SELECT link_id, blob_id FROM share_link_file WHERE patient_id = $1", citizen.patient_id
            )
        }
    clock.advance(seconds=301)
    await arm_link_sweep(store, clock)
    due = Due(bucket=0, kind=SWEEP, ref="all", due_at=clock.now())
    again = await link_jobs(store, clock)[SWEEP](due)
    assert again is not None
    with pytest.raises(BlobMissingError):
        await store.blobs.get(citizen.patient_id, blobs[over.link_id])
    assert await store.blobs.get(citizen.patient_id, blobs[kept.link_id])
    assert (await kept.open(client)).status_code == 200


async def test_s13_a_file_in_the_store_is_opened_by_the_links_key_alone(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    """And no address of it ever leads past the service: the store is never asked by a viewer."""
    await write(store, citizen.patient_id, [condition("benh-kin-dao")], clock.now())
    link = await link_of(client, citizen, clock.now())
    location = (await link.open(client)).json()["files"][0]["location"]
    assert location.startswith("http://localhost/v1/shl/files/")
    async with owner.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT l.key_sealed, f.blob_id FROM share_link l"
            " JOIN share_link_file f USING (patient_id, link_id) WHERE l.patient_id = $1",
            citizen.patient_id,
        )
    assert row["key_sealed"] is None
    kept = await store.blobs.get(citizen.patient_id, row["blob_id"])
    assert b"benh-kin-dao" not in kept
    assert b"benh-kin-dao" in link.decrypt(kept.decode())
    link.payload["key"] = to_base64url(secrets.token_bytes(32))
    with pytest.raises(InvalidTag):
        link.decrypt(kept.decode())


def condition(name: str) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": name, "code": {"text": name}, "onsetDateTime": "2026-11-02"}


def result(name: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"text": name},
        "effectiveDateTime": "2026-11-02T03:00:00Z",
        "valueQuantity": {"value": 5.1, "unit": "mmol/L"},
    }


async def test_what_is_sensitive_or_hidden_is_in_no_link(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    person, now = citizen.patient_id, clock.now()
    attachment = {"contentType": "application/pdf", "data": "JVBERi0xLjQK"}
    paper = {
        "resourceType": "DocumentReference",
        "id": "giay-kin",
        "status": "current",
        "content": [{"attachment": attachment}],
    }
    await write(store, person, [condition("thuong-thay")], now, unit="a")
    await write(store, person, [condition("nhay-cam"), paper], now, unit="b", labels=1)
    await write(store, person, [result("giau-di"), result("hien-ra")], now, unit="c")
    body = {"kind": "Observation", "id": our_id("a", "giau-di")}
    hidden = await client.post("/v1/me/hidings", json=body, headers=bearer(citizen.token))
    assert hidden.status_code == 201, hidden.text
    for long_term in (False, True):
        link = await link_of(client, citizen, now, papers=["book", "sheet"], long_term=long_term)
        texts = [json.dumps(one) for one in await link.files(client)]
        assert "thuong-thay" in texts[0]
        assert "hien-ra" in texts[0]
        assert not any("giau-di" in text for text in texts)
        assert not any("nhay-cam" in text for text in texts)
        assert citizen.number not in texts[0]
        await sharing.revoke(client, citizen, link)
    document = {"id": our_id("a", "giay-kin"), "attachment": 0}
    refused = await sharing.make_link(client, citizen, now, documents=[document])
    assert refused.json()["code"] == "content-not-found"


async def test_s14_a_repeat_of_making_a_link_shows_no_key(
    client: httpx.AsyncClient, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    key, body = secrets.token_urlsafe(24), sharing.link_body(citizen, clock.now())
    headers = bearer(citizen.token) | {"Idempotency-Key": key}
    made = await client.post("/v1/me/share-links", json=body, headers=headers)
    again = await client.post("/v1/me/share-links", json=body, headers=headers)
    assert made.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "already-created")
    link = Link(made.json())
    assert link.payload["key"] not in again.text
    assert link.passcode not in again.text
    assert len(await listed(client, citizen)) == 1
    other = await client.post(
        "/v1/me/share-links", json=sharing.link_body(citizen, clock.now()), headers=headers
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_s14_no_table_holds_a_links_key_its_passcode_or_its_address(
    client: httpx.AsyncClient, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    links = [await link_of(client, citizen, clock.now(), long_term=flag) for flag in (False, True)]
    for link in links:
        await link.files(client)
        await link.open(client, passcode="hoa-sen-88")
    async with owner.transaction() as tx:
        tables = await tx.fetch(
            "SELECT c.oid::regclass::text AS name FROM pg_class c"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        dumps = [
            row[0] for table in tables for row in await tx.fetch(f"SELECT t::text FROM {table['name']} t")
        ]
    everything = "\n".join(dumps)
    assert links[0].link_id in everything
    for link in links:
        token = link.path.rpartition("/")[2]
        secrets_of_it = [link.passcode, link.payload["key"], token, "hoa-sen-88", sharing.RECIPIENT]
        raw = [link.key.hex(), sharing.unpadded(token).hex()]
        found = [one for one in [*secrets_of_it[:4], *raw] if one in everything]
        assert found == []


async def test_s11_making_arming_and_confirming_need_the_device_key(
    client: httpx.AsyncClient, citizen: Citizen, store: Store, clock: FrozenClock
) -> None:
    now, headers = clock.now(), bearer(citizen.token)
    link = await link_of(client, citizen, now)
    other = await make_citizen(store, clock)
    good = sharing.link_body(citizen, now)
    bad = [
        good | {"signed": good["signed"] | {"signature": "A" * 86}},
        good | {"label": "Cho người khác"},
        good | {"passcode": "hoa-sen-93"},
        good | {"duration_seconds": 2592000},
        good | {"papers": ["book"]},
        sharing.link_body(other, now),
        good | {"signed": sharing.signed(citizen, "share-link-arm", {}, now)},
        good | {"signed": sharing.signed(citizen, "share-link", {}, now, environment="demo")},
    ]
    for body in bad:
        answer = await client.post("/v1/me/share-links", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "step-up-refused"), body
    assert (await client.post("/v1/me/share-links", json=good, headers=headers)).status_code == 201
    replay = await client.post("/v1/me/share-links", json=good, headers=headers)
    assert replay.json()["code"] == "step-up-refused"
    for act in ("arm", "confirm"):
        body = {"signed": good["signed"]}
        answer = await client.post(f"/v1/me/share-links/{link.link_id}/{act}", json=body, headers=headers)
        assert answer.json()["code"] == "step-up-refused"
    # Taking back needs the session alone.
    assert (await sharing.revoke(client, citizen, link)).status_code == 204


async def test_s8_a_device_on_probation_makes_no_link(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    fresh = await make_citizen(store, clock, probation=True)
    answer = await sharing.make_link(client, fresh, clock.now())
    assert (answer.status_code, answer.json()["code"]) == (403, "device-on-probation")
    assert await listed(client, fresh) == []


async def test_another_persons_link_is_unknown(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    link, stranger = await link_of(client, citizen, clock.now()), await make_citizen(store, clock)
    assert (await sharing.revoke(client, stranger, link)).json()["code"] == "link-unknown"
    assert (await sharing.arm(client, stranger, link, clock.now())).json()["code"] == "link-unknown"
    path = f"/v1/me/share-links/{link.link_id}/openings"
    assert (await client.get(path, headers=bearer(stranger.token))).json()["code"] == "link-unknown"
    assert (await link.open(client)).status_code == 200


async def test_s10_a_merge_holds_the_links_of_both_until_they_are_confirmed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    links = [await link_of(client, person, clock.now()) for person in (one, other)]
    clock.advance(minutes=1)
    await merged(store, await make_officers(store, clock), one.patient_id, other.patient_id, clock.now())
    for link in links:
        assert (await link.open(client)).status_code == 404


async def test_s12_a_restored_backup_holds_links_until_their_person_confirms_them(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: BlobStore,
    clock: FrozenClock,
) -> None:
    async with own_database(server, make_database, keys, blobs) as place:
        await _across_an_epoch(place, clock)


async def _across_an_epoch(place: Own, clock: FrozenClock) -> None:
    citizen = await make_citizen(place.store, clock)
    async with client_of(place.store, clock) as client:
        link, armed = [await link_of(client, citizen, clock.now()) for _ in range(2)]
        way = httpx.URL((await link.open(client)).json()["files"][0]["location"]).path
        clock.advance(seconds=5)
        await new_epoch(place.owner, clock)
        assert (await link.open(client)).status_code == 404
        assert (await client.get(way)).status_code == 404
        clock.advance(seconds=5)
        await _sign_in_again(place.store, clock, citizen)
        assert {one["state"] for one in await listed(client, citizen)} == {"held"}
        async with place.store.transaction() as tx:
            seen = await standing_of(tx, place.store.keys, citizen.patient_id, clock.now())
        assert {(one.name, one.held) for one in seen} == {("Cho bác sĩ ở Berlin", True)}
        confirmed = await sharing.confirm(client, citizen, link, clock.now())
        assert (confirmed.status_code, confirmed.json()["state"]) == (200, "live"), confirmed.text
        assert (await link.open(client)).status_code == 200
        assert (await armed.open(client)).status_code == 404


async def _sign_in_again(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    assert citizen.actor.device_id is not None
    async with store.transaction() as tx:
        tokens = await sessions.open_citizen_session(
            tx, citizen.patient_id, citizen.actor.device_id, clock.now()
        )
    citizen.token = tokens.access_token


async def test_the_link_of_somebody_frozen_opens_nothing(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", citizen.patient_id)
    assert (await link.open(client)).status_code == 404


async def test_links_stand_among_who_can_see_me_and_end_with_everything(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    links = [await link_of(client, citizen, clock.now()) for _ in range(2)]
    await lock(client, links[0])
    async with store.transaction() as tx:
        kinds = [one.kind for one in await standing_of(tx, store.keys, citizen.patient_id, clock.now())]
        assert kinds == ["link", "link"]
        access = await own(tx, citizen, "manage-grants", clock.now())
        await end_everything(tx, access, trace_id="018f0000-0000-7000-8000-000000000000", now=clock.now())
        assert await standing_of(tx, store.keys, citizen.patient_id, clock.now()) == []
    assert {(await link.open(client)).status_code for link in links} == {404}


async def test_s35_whatever_an_opener_says_stays_a_text_on_one_line(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    answers = [await link.open(client, recipient=text[:200]) for text in HOSTILE_TEXTS]
    assert {one.status_code for one in answers} == {200, 400}
    path = f"/v1/me/share-links/{link.link_id}/openings"
    said = [
        one["recipient"] for one in (await client.get(path, headers=bearer(citizen.token))).json()["items"]
    ]
    assert len(said) == sum(one.status_code == 200 for one in answers)
    assert all(text.isprintable() and text.strip() for text in said)
    log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
    assert log.status_code == 200
    assert (await link.open(client, recipient="x" * 201)).status_code == 400


async def test_s33_a_person_has_one_link_made_at_a_time(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    answers = await asyncio.gather(*[sharing.make_link(client, citizen, clock.now()) for _ in range(4)])
    made = [one for one in answers if one.status_code == 201]
    busy = [one for one in answers if one.status_code == 429]
    assert made
    assert len(made) + len(busy) == 4
    assert all(one.json()["code"] == "export-busy" and one.headers["retry-after"] for one in busy)
