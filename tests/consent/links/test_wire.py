"""The wire of SMART Health Links: payload, manifest, files, the answers of one shape."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from healthbook.housekeeping import do_chore
from store.database import Store
from tests.support import sharing
from tests.support.clock import FrozenClock
from tests.support.consent import count
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import our_id, write
from tests.support.sharing import Link, link_of

FHIR = "application/fhir+json"


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock)
    await write(store, made.patient_id, [problem("dai-thao-duong")], clock.now())
    return made


def problem(name: str) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": name, "code": {"text": name}, "onsetDateTime": "2026-11-02"}


def letter(name: str, data: str = "JVBERi0xLjQK") -> dict[str, Any]:
    attachment = {"contentType": "application/pdf", "data": data, "title": "Giấy ra viện"}
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "description": "Giấy ra viện",
        "date": "2026-11-01T00:00:00Z",
        "content": [{"attachment": attachment}],
    }


async def test_the_payload_is_what_the_specification_asks_for(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    made = await sharing.make_link(client, citizen, clock.now(), duration_seconds=3600)
    assert made.status_code == 201, made.text
    link = Link(made.json())
    assert link.text.startswith("shlink:/")
    payload = link.payload
    assert set(payload) == {"url", "key", "exp", "flag", "label", "v"}
    assert (payload["v"], payload["flag"], payload["label"]) == (1, "P", "Cho bác sĩ ở Berlin")
    assert payload["exp"] == int(clock.now().timestamp()) + 3600
    assert len(payload["key"]) == 43
    assert len(link.key) == 32
    assert len(payload["url"]) <= 128
    assert len(sharing.unpadded(link.path.rpartition("/")[2])) == 32
    assert len(link.passcode) == 8
    assert link.passcode.isdigit()
    assert made.json()["svg"].startswith("<svg")
    assert "shlink" not in made.json()["svg"]


async def test_a_viewers_address_stands_before_the_link_behind_a_hash(
    store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    viewer = "https://viewer.example/xem#"
    async with client_of(
        store, clock, link_viewer=viewer, app_origin="https://so.example.vn", allowed_hosts=["localhost"]
    ) as client:
        link = await link_of(client, citizen, clock.now())
    assert link.text.startswith(f"{viewer}shlink:/")
    assert link.payload["url"].startswith("https://so.example.vn/v1/shl/")


async def test_a_manifest_leads_to_the_summary_and_the_chosen_papers(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    await write(store, citizen.patient_id, [letter("ra-vien")], clock.now(), unit="letter")
    document = {"id": our_id("a", "ra-vien"), "attachment": 0}
    link = await link_of(client, citizen, clock.now(), papers=["book", "sheet"], documents=[document])
    answer = await link.open(client)
    assert answer.status_code == 200, answer.text
    manifest = answer.json()
    assert manifest["status"] == "finalized"
    assert len(manifest["files"]) == 4
    for file in manifest["files"]:
        assert file["contentType"] == FHIR
        assert file["fhirVersion"] == "4.0.1"
        assert file["lastUpdated"]
        assert "embedded" not in file
    files = await link.files(client)
    assert [one["resourceType"] for one in files] == ["Bundle"] + ["DocumentReference"] * 3
    assert files[0]["type"] == "document"
    assert "dai-thao-duong" in json.dumps(files[0])
    kinds = [one["content"][0]["attachment"] for one in files[1:]]
    assert all(sharing.base64.b64decode(one["data"]).startswith(b"%PDF") for one in kinds)


async def test_files_that_fit_are_embedded_and_every_encryption_has_an_iv_of_its_own(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now(), papers=["sheet"])
    answer = await link.open(client, embeddedLengthMax=10_000_000)
    texts = [file["embedded"] for file in answer.json()["files"]]
    assert len(texts) == 2
    assert len({text.split(".")[2] for text in texts}) == 2
    assert all(json.loads(link.decrypt(text)) for text in texts)
    small = await link.open(client, embeddedLengthMax=10)
    assert all("location" in file for file in small.json()["files"])


async def test_an_address_of_a_file_works_once_and_for_a_minute(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    first, second, third = [
        httpx.URL((await link.open(client)).json()["files"][0]["location"]).path for _ in range(3)
    ]
    got = await client.get(first)
    assert (got.status_code, got.headers["content-type"]) == (200, "application/jose")
    assert got.headers["cache-control"] == "no-store"
    assert (await client.get(first)).status_code == 404
    clock.advance(seconds=59)
    assert (await client.get(second)).status_code == 200
    clock.advance(seconds=1)
    assert (await client.get(third)).status_code == 404


async def test_a_wrong_and_a_missing_passcode_say_how_many_tries_remain(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    for _ in range(2):
        missing = await link.open(client, passcode=None)
        assert (missing.status_code, missing.json()["remainingAttempts"]) == (401, 5)
    for remaining in (4, 3):
        wrong = await link.open(client, passcode="00000000")
        assert (wrong.status_code, wrong.json()["remainingAttempts"]) == (401, remaining)
    assert (await link.open(client)).status_code == 200
    # A right one gives no try back: the count is of the link's life.
    wrong = await link.open(client, passcode="00000000")
    assert wrong.json()["remainingAttempts"] == 2


async def test_every_link_that_is_not_in_force_is_one_404(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    gone, over = [await link_of(client, citizen, clock.now(), duration_seconds=300) for _ in range(2)]
    assert (await sharing.revoke(client, citizen, gone)).status_code == 204
    answers = [await gone.open(client)]
    tokens = ("A" * 43, "x", "A" * 500, "..", "%00")
    body = {"recipient": "x", "passcode": "12345678"}
    answers += [await client.post(f"/v1/shl/{token}", json=body) for token in tokens]
    clock.advance(seconds=300)
    answers.append(await over.open(client))
    own = [one for one in answers if one.json()["code"] == "link-not-found"]
    assert {one.status_code for one in answers} <= {404, 400}
    assert len(own) >= 5
    assert len({one.content for one in own}) == 1
    headers = [{name for name in one.headers if name != "x-request-id"} for one in own]
    assert all(one == headers[0] for one in headers)


async def test_a_link_ends_at_its_second(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now(), duration_seconds=300)
    opened = await link.open(client)
    assert opened.status_code == 200
    clock.advance(seconds=299)
    fresh = await link.open(client)
    assert fresh.status_code == 200
    clock.advance(seconds=1)
    assert (await link.open(client)).status_code == 404
    way = httpx.URL(fresh.json()["files"][0]["location"]).path
    assert (await client.get(way)).status_code == 404


async def test_polling_is_told_when_to_come_back(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    for _ in range(30):
        assert (await link.open(client)).status_code == 200
    busy = await link.open(client)
    assert (busy.status_code, busy.json()["code"]) == (429, "link-busy")
    assert 0 < int(busy.headers["retry-after"]) <= 600
    clock.advance(minutes=10, seconds=1)
    assert (await link.open(client)).status_code == 200


async def test_a_browser_of_any_origin_may_open_a_link_and_nothing_else(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    origin = {"Origin": "https://viewer.example", "Access-Control-Request-Method": "POST"}
    asked = await client.options(link.path, headers=origin)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "content-type" in asked.headers["access-control-allow-headers"]
    wrong = await link.open(client, passcode="00000000")
    assert wrong.headers["access-control-allow-origin"] == "*"
    for path in ("/v1/me", "/v1/me/share-links", "/health/live", "/.well-known/qr-keys.json"):
        answer = await client.get(path, headers=origin | bearer(citizen.token))
        assert "access-control-allow-origin" not in answer.headers, path


async def test_a_long_term_link_shows_what_the_book_says_now(
    client: httpx.AsyncClient, store: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    still = await link_of(client, citizen, clock.now())
    moving = await link_of(client, citizen, clock.now(), long_term=True, duration_seconds=30 * 86400)
    assert (still.payload["flag"], moving.payload["flag"]) == ("P", "LP")
    before = (await moving.open(client)).json()
    clock.advance(hours=1)
    await write(store, citizen.patient_id, [problem("suy-than")], clock.now(), unit="later")
    after = (await moving.open(client)).json()
    assert before["status"] == after["status"] == "can-change"
    assert before["files"][0]["lastUpdated"] < after["files"][0]["lastUpdated"]
    assert "suy-than" in json.dumps((await moving.files(client))[0])
    assert "suy-than" not in json.dumps((await still.files(client))[0])
    assert (await still.open(client)).json()["files"][0]["lastUpdated"] == before["files"][0]["lastUpdated"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"passcode": "123456"}, "passcode-too-easy"),
        ({"passcode": "12031985"}, "passcode-too-easy"),
        ({"passcode": "1234"}, "invalid-field"),
        ({"label": "x" * 81}, "invalid-field"),
        ({"duration_seconds": 30 * 86400 + 1}, "invalid-field"),
        ({"papers": ["certificate"]}, "invalid-field"),
        ({"documents": [{"id": "nobody", "attachment": 0}]}, "content-not-found"),
    ],
)
async def test_what_a_link_cannot_be(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock, change: dict[str, Any], code: str
) -> None:
    answer = await sharing.make_link(client, citizen, clock.now(), **change)
    assert answer.json()["code"] == code


async def test_an_own_passcode_opens_the_link(
    client: httpx.AsyncClient, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now(), passcode="hoa-sen-93")
    assert link.passcode == "hoa-sen-93"
    assert (await link.open(client)).status_code == 200


async def test_a_person_has_ten_live_links_at_most(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    links = [await link_of(client, person, clock.now()) for _ in range(10)]
    over = await sharing.make_link(client, person, clock.now())
    assert (over.status_code, over.json()["code"]) == (409, "too-many-links")
    await sharing.revoke(client, person, links[0])
    assert (await sharing.make_link(client, person, clock.now())).status_code == 201


async def test_a_child_makes_no_link_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await make_citizen(store, clock, birth_date=f"{clock.now().year - 12}-01-01")
    answer = await sharing.make_link(client, child, clock.now())
    assert (answer.status_code, answer.json()["code"]) == (403, "guardian-needed")


async def test_an_hour_after_its_minute_a_way_to_a_file_is_gone(
    client: httpx.AsyncClient, store: Store, owner: Store, citizen: Citizen, clock: FrozenClock
) -> None:
    link = await link_of(client, citizen, clock.now())
    await link.open(client)
    for late, left in ((3660, 1), (3661, 0)):
        async with store.transaction() as tx:
            await do_chore(tx, "share-link-tickets", clock.now() + timedelta(seconds=late))
        mine = "SELECT count(*) FROM share_link_ticket WHERE patient_id = $1"
        assert await count(owner, mine, citizen.patient_id) == left
