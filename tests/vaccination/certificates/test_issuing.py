"""Issuing over HTTP: once per dose, through the signer, and as an independent reader opens it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import cbor2
import httpx
import pytest

from store.database import Store
from tests.support.certifying import (
    CERTIFICATES,
    covid,
    days_ago,
    issued,
    listed,
    make_station,
    reasons,
    send,
    text_of,
)
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import our_id
from tests.support.signing_process import RunningSigner, load_certificate
from vaccination.hc1.cose import to_be_signed, unpack
from vaccination.hc1.uvci import is_checked


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


def opened(text: str) -> tuple[dict[int, Any], dict[str, Any]]:
    """Claims and content, by a CBOR reader of others."""
    claims = cbor2.loads(unpack(text).payload)
    return claims, claims[-260][1]


async def test_a_certificate_says_what_the_book_says_and_verifies_with_the_signers_key(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who = await make_citizen(store, clock, name="Đỗ Thị Ánh Đào", birth_date="1985-03-12")
    station = await make_station(store, clock)
    day = days_ago(clock, 3)
    await send(store, clock, who.patient_id, station, covid("d1", day, number=2))
    (dose,) = (await listed(client, who.token))["doses"]
    assert dose["eligible"] is True
    assert dose["certificate"] is None
    made = await issued(client, who.token, dose["immunization_id"])
    claims, dcc = opened(await text_of(client, who.token, made["certificate_id"]))
    key = signer.of("hc1")
    assert claims[1] == "VN"
    assert claims[6] == int(clock.now().timestamp())
    assert claims[6] < claims[4] <= key.not_after.timestamp()
    assert claims[4] - claims[6] <= 366 * 86_400
    number = dcc["v"][0].pop("ci")
    assert is_checked(number)
    assert dcc == {
        "ver": "1.3.0",
        "dob": "1985-03-12",
        "nam": {"fn": "Đỗ", "fnt": "DO", "gn": "Thị Ánh Đào", "gnt": "THI<ANH<DAO"},
        "v": [
            {
                "tg": "840539006",
                "vp": "1119349007",
                "mp": "EU/1/20/1528",
                "ma": "ORG-100030215",
                "dn": 2,
                "sd": 2,
                "dt": day,
                "co": "VN",
                "is": "Ministry of Health of Viet Nam",
            }
        ],
    }
    parsed = unpack(await text_of(client, who.token, made["certificate_id"]))
    assert (parsed.alg, parsed.kid) == (-7, key.kid)
    _verify(signer, parsed)


def _verify(signer: RunningSigner, parsed: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    public = load_certificate(signer.of("hc1")).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(parsed.signature[:32], "big"), int.from_bytes(parsed.signature[32:], "big")
    data = to_be_signed(parsed.protected, parsed.payload)
    public.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))


async def test_a_dose_has_one_certificate_however_often_it_is_asked_for(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d1", days_ago(clock, 3)))
    dose = our_id(station.name, "d1")
    first = await issued(client, who.token, dose)
    clock.advance(minutes=3)
    again = await issued(client, who.token, dose)
    assert again == first
    keyed = bearer(who.token) | {"Idempotency-Key": "k" * 22}
    body = {"immunization_id": dose}
    answers = [await client.post(CERTIFICATES, headers=keyed, json=body) for _ in range(2)]
    assert [one.json() for one in answers] == [first, first]


async def test_of_many_who_ask_at_once_all_hold_one_certificate(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d1", days_ago(clock, 3)))
    body = {"immunization_id": our_id(station.name, "d1")}

    async def ask() -> httpx.Response:
        return await client.post(CERTIFICATES, headers=bearer(who.token), json=body)

    answers = await asyncio.gather(*(ask() for _ in range(12)))
    made = {one.json()["certificate_id"] for one in answers if one.status_code == 201}
    assert len(made) == 1
    waiting = [one for one in answers if one.status_code != 201]
    assert {one.json()["code"] for one in waiting} <= {"certificate-being-made"}
    assert all("retry-after" in one.headers for one in waiting)
    async with owner.transaction() as tx:
        signed = await tx.fetchval(
            "SELECT count(*) FROM certificate_issuance WHERE patient_id = $1", who.patient_id
        )
    assert signed == 1


async def test_s28_without_the_signer_there_is_no_certificate_and_later_there_is_one(
    store: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d1", days_ago(clock, 3)))
    body = {"immunization_id": our_id(station.name, "d1")}
    async with client_of(store, clock) as client:
        refused = await client.post(CERTIFICATES, headers=bearer(who.token), json=body)
        assert (refused.status_code, refused.json()["code"]) == (503, "signer-away")
        assert (await listed(client, who.token))["doses"][0]["certificate"] is None
    async with client_of(store, clock, signer=signer) as client:
        await issued(client, who.token, body["immunization_id"])


async def test_a_signature_that_was_lost_on_its_way_is_given_up_and_another_row_is_made(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    """The process died between the signature and its keeping: its row would never be signed again."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d1", days_ago(clock, 3)))
    dose = our_id(station.name, "d1")
    first = await issued(client, who.token, dose)
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE vaccination_certificate SET state = 'signing', issued_at = NULL WHERE patient_id = $1",
            who.patient_id,
        )
    refused = await client.post(CERTIFICATES, headers=bearer(who.token), json={"immunization_id": dose})
    assert refused.json()["code"] == "certificate-being-made"
    clock.advance(seconds=31)
    second = await issued(client, who.token, dose)
    assert second["certificate_id"] != first["certificate_id"]


async def test_the_dose_is_the_persons_own(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, other = await make_citizen(store, clock), await make_citizen(store, clock)
    station = await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d1", days_ago(clock, 3)))
    body = {"immunization_id": our_id(station.name, "d1")}
    strange = await client.post(CERTIFICATES, headers=bearer(other.token), json=body)
    assert (strange.status_code, strange.json()["code"]) == (404, "dose-not-found")
    made = await issued(client, who.token, body["immunization_id"])
    for form in ("text", "code.svg", "code.png", "certificate.pdf"):
        path = f"{CERTIFICATES}/{made['certificate_id']}/{form}"
        refused = await client.get(path, headers=bearer(other.token))
        assert (refused.status_code, refused.json()["code"]) == (404, "certificate-not-found"), form


async def test_the_dose_number_of_a_booster_is_written_as_verifiers_read_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """1/2, 2/2, 3/3 after two; 2/1 after one; never 3/2 (vaccination.md §4)."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    rows = {
        "a1": covid("a1", days_ago(clock, 20), number=1),
        "a2": covid("a2", days_ago(clock, 10), number=2),
        "a3": covid("a3", days_ago(clock, 3), number=3),
        "j1": covid("j1", days_ago(clock, 19), number=1, code="212"),
        "j2": covid("j2", days_ago(clock, 2), number=2, code="212"),
    }
    await send(store, clock, who.patient_id, station, *rows.values())
    found = {}
    for name in rows:
        made = await issued(client, who.token, our_id(station.name, name))
        dose = opened(await text_of(client, who.token, made["certificate_id"]))[1]["v"][0]
        found[name] = (dose["dn"], dose["sd"])
    assert found == {"a1": (1, 2), "a2": (2, 2), "a3": (3, 3), "j1": (1, 1), "j2": (2, 1)}
    assert not any(reasons(one) for one in (await listed(client, who.token))["doses"])
