"""A dose on paper alone: with a picture, marked for good, and never in the place of a facility's."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import hospital, write

BOOK = "/v1/me/vaccination"
DOSES = f"{BOOK}/doses"
Headers = dict[str, str]


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, birth_date="2000-05-10")


async def photo(client: httpx.AsyncClient, who: Headers) -> str:
    """A picture of a booklet among the person's papers; its id."""
    sink = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 30)).save(sink, "JPEG")
    body = {"kind": "vaccination-paper", "content": base64.b64encode(sink.getvalue()).decode()}
    made = await client.post("/v1/me/documents", json=body, headers=who)
    assert made.status_code == 201, made.text
    ident: str = made.json()["item_id"]
    return ident


async def declare(client: httpx.AsyncClient, who: Headers, **more: Any) -> httpx.Response:
    if "paper_id" not in more:
        more["paper_id"] = await photo(client, who)
    told = {"given": "2005-03-01", "vaccine": "Sởi đơn", "dose_number": 1, "lot": "A12"} | more
    return await client.post(DOSES, json={k: v for k, v in told.items() if v is not None}, headers=who)


async def doses(client: httpx.AsyncClient, who: Headers, path: str = BOOK) -> list[dict[str, Any]]:
    found = await client.get(path, headers=who)
    assert found.status_code == 200, found.text
    listed: list[dict[str, Any]] = found.json()["doses"]
    return listed


def sent(day: str) -> dict[str, Any]:
    code = {"system": "http://hl7.org/fhir/sid/cvx", "code": "05"}
    return {
        "resourceType": "Immunization",
        "id": "sent",
        "status": "completed",
        "vaccineCode": {"coding": [code], "text": "MVVAC"},
        "occurrenceDateTime": day,
    }


async def test_a_declared_dose_stands_with_its_picture_and_is_marked(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    own = bearer(person.token)
    paper = await photo(client, own)
    made = await declare(client, own, paper_id=paper, facility_name="Trạm y tế xã Tân Phú")
    assert made.status_code == 201, made.text
    assert "Sởi" not in made.text
    second = await declare(
        client, own, paper_id=paper, given="2006", vaccine=None, antigens=["rubella", "je"]
    )
    assert second.status_code == 201, second.text
    newer, older = await doses(client, own)
    assert (older["state"], older["antigens"], older["lot"]) == ("self-declared", ["measles"], "A12")
    assert (older["facility_id"], older["facility_name"], older["recorded_by"]) == (None, None, "người bệnh")
    assert older["note"] == "Cơ sở ghi trên sổ: Trạm y tế xã Tân Phú"
    assert {older["paper_id"], newer["paper_id"]} == {paper}
    assert (newer["antigens"], newer["given"], newer["given_precision"]) == (
        ["rubella", "je"],
        "2006",
        "year",
    )
    assert older["immunization_id"] == made.json()["statement_id"]
    statements = (await client.get("/v1/me/statements", headers=own)).json()["items"]
    assert sorted(one["kind"] for one in statements) == ["paper", "vaccination", "vaccination"]
    await client.delete(f"/v1/me/documents/{paper}", headers=own)
    assert [one["paper_id"] for one in await doses(client, own)] == [None, None], "the picture is gone"


async def test_what_a_facility_sent_of_the_same_day_stands_and_the_declared_one_is_its_copy(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own = bearer(person.token)
    await declare(client, own)
    await write(store, person.patient_id, [sent("2005-03-01")], clock.now(), source=hospital())
    (one,) = await doses(client, own)
    assert (one["title"], one["state"], one["copies"][0]["state"]) == ("MVVAC", "verified", "self-declared")


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"given": "2005-02-30"}, "given"),
        ({"given": "2031"}, "given"),
        ({"given": "2000-05-09"}, "given"),
        ({"given": "1999"}, "given"),
        ({"antigens": ["hepb", "plague"]}, "antigens[1]"),
        ({"antigens": ["plague"]}, "antigens[0]"),
        ({"vaccine": None}, "vaccine"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(
    client: httpx.AsyncClient, person: Citizen, wrong: dict[str, Any], where: str
) -> None:
    own = bearer(person.token)
    refused = await declare(client, own, paper_id="x", **wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "vaccination-dose-invalid"), refused.text
    assert where in refused.text
    assert await doses(client, own) == []


async def test_a_dose_rests_on_a_picture_of_the_same_book(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own, stranger = bearer(person.token), bearer((await make_citizen(store, clock)).token)
    others = await photo(client, stranger)
    for paper in ("unknown", others):
        refused = await declare(client, own, paper_id=paper)
        assert (refused.status_code, refused.json()["code"]) == (422, "vaccination-paper-unknown")
    assert (await declare(client, own, given="2000")).status_code == 201, "the year of the birth may be right"


async def test_the_gate_reads_a_declared_dose(client: httpx.AsyncClient, person: Citizen) -> None:
    own = bearer(person.token)
    refused = await declare(client, own, vaccine="Thử nghiệm vắc xin cho người nhiễm HIV")
    assert (refused.status_code, refused.json()["code"]) == (422, "statement-not-taken"), refused.text
    assert await doses(client, own) == []


async def test_it_is_taken_back_like_every_statement_and_leaves_no_stone(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    own = bearer(person.token)
    ident = (await declare(client, own)).json()["statement_id"]
    gone = await client.post(f"/v1/me/statements/{ident}/withdraw", headers=own)
    assert (gone.status_code, gone.json()["kind"]) == (200, "vaccination")
    found = (await client.get(BOOK, headers=own)).json()
    assert (found["doses"], found["tombstones"]) == ([], [])


async def test_a_declared_dose_sent_twice_is_one(client: httpx.AsyncClient, person: Citizen) -> None:
    own = bearer(person.token) | {"Idempotency-Key": "0f8e2c1a-7d3b-4c5a-9e6f-1a2b3c4d5e6f"}
    paper = await photo(client, bearer(person.token))
    first = await declare(client, own, paper_id=paper)
    again = await declare(client, own, paper_id=paper)
    assert first.json()["statement_id"] == again.json()["statement_id"]
    assert len(await doses(client, bearer(person.token))) == 1


async def test_a_doctors_word_stands_beside_it_and_a_refuted_dose_does_not_count(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own, doctor = bearer(person.token), await make_doctor(store, clock, await make_facility(store, clock))
    ident = (await declare(client, own)).json()["statement_id"]
    await granted(store, clock, doctor, person)
    body = {"outcome": "refuted", "version": 1}
    path = f"/v1/doctor/patients/{person.patient_id}"
    said = await client.put(f"{path}/statements/{ident}/verdict", json=body, headers=bearer(doctor.token))
    assert said.status_code == 200, said.text
    found = (await client.get(BOOK, headers=own)).json()
    (one,) = found["doses"]
    assert (one["state"], one["is_counted"], one["verdict"]["outcome"]) == ("self-declared", False, "refuted")
    assert found["antigens"] == []


async def test_who_speaks_for_a_child_or_a_parent_declares_and_is_named(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    child = await make_child(store, clock, person, birth_date="2024-01-01")
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "add-to-record")
    for_child = bearer(person.token) | {"X-Patient-Id": str(child)}
    made = await declare(client, for_child, given="2024-06-01", said_by="parent")
    assert made.status_code == 201, made.text
    for_person = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
    assert (await declare(client, for_person, said_by="carer")).status_code == 201
    (one,) = await doses(client, for_child)
    assert one["recorded_by"] in ("bố hoặc mẹ", "bố", "mẹ")
    (other,) = await doses(client, bearer(person.token))
    assert other["recorded_by"] == "người chăm sóc"


async def test_the_choices_name_diseases_and_brands_and_that_nobody_confirmed_them(
    client: httpx.AsyncClient, person: Citizen
) -> None:
    found = (await client.get(f"{BOOK}/choices", headers=bearer(person.token))).json()
    assert {"hepb", "bcg", "covid-19", "hpv"} <= {one["antigen"] for one in found["antigens"]}
    assert "Hexaxim" in {one["name"] for one in found["products"]}
    assert found["confirmed"] is False
