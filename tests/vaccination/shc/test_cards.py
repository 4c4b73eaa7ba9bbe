"""Cards over HTTP: made through the signer, read by `jose` with the keys that we publish, revoked when a dose
on them is corrected."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from jsonschema import Draft7Validator

from ehr.store import mark_rows
from kernel.access import Label
from qr import cards as codes
from store.database import Store
from tests.qr.test_draw import decoded, pixels_of_png, pixels_of_svg
from tests.support.clock import START, FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import hospital, write
from tests.support.shared import shared
from tests.support.signing_process import RunningSigner
from tests.support.viewer import read_cards
from tests.vaccination.shc.books import CHILDHOOD, doses
from tests.vaccination.shc.places import Place, dose, work
from vaccination.book.antigens import CVX

CARDS = "/v1/me/health-cards"
KEYS = "/shc/.well-known/jwks.json"
CONFIRMATIONS = "/v1/facility/vaccination-confirmations"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, app_origin="https://so.example.vn", signer=signer) as opened:
        yield opened


def recent(count: int) -> list[dict[str, Any]]:
    """So many doses of the last month, all of different vaccines or days."""
    cvx = CHILDHOOD.split()
    days = [(START - timedelta(days=count - number)).date().isoformat() for number in range(count)]
    lots = [one.lot for one in doses(count)]
    return [dose(f"d{n}", cvx[n], day, lotNumber=lots[n]) for n, day in enumerate(days)]


async def made(
    client: httpx.AsyncClient, who: Citizen, book: str = "adult", **headers: str
) -> dict[str, Any]:
    found = await client.post(CARDS, json={"book": book}, headers=bearer(who.token) | headers)
    assert found.status_code == 201, found.text
    card: dict[str, Any] = found.json()
    return card


async def fetched(
    client: httpx.AsyncClient, path: str, who: Citizen | Doctor | None = None, **headers: str
) -> Any:
    found = await client.get(path, headers=(bearer(who.token) if who else {}) | headers)
    assert found.status_code == 200, found.text
    return found.json()


async def refused(client: httpx.AsyncClient, who: Citizen, path: str) -> str:
    found = await client.get(path, headers=bearer(who.token))
    code: str = found.json()["code"]
    return code


def entries(read: dict[str, Any]) -> list[dict[str, Any]]:
    bundle = read["payload"]["vc"]["credentialSubject"]["fhirBundle"]
    return [entry["resource"] for entry in bundle["entry"]]


async def test_a_card_is_accepted_by_jose_with_our_published_keys(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, dose("covid", "208", "2026-11-02"), dose("cúm", "88", "2026-11-10"))
    card = await made(client, who)
    told = (card["book"], card["codes"], card["state"], len(card["doses"]))
    assert told == ("adult", 1, "valid", 2)
    texts = await fetched(client, f"{CARDS}/{card['card_id']}", who)
    (one,) = texts["codes"]
    jwks = await fetched(client, KEYS)
    by_code, by_jws = read_cards([one["qr"], one["jws"]], jwks)
    assert by_code == by_jws
    assert by_code["header"]["zip"] == "DEF"
    assert by_code["header"]["alg"] == "ES256"
    assert by_code["header"]["kid"] in [key["kid"] for key in jwks["keys"]]
    assert by_code["payload"]["iss"] == "https://so.example.vn/shc"
    patient, first, second = entries(by_code)
    assert patient["birthDate"] == who.birth_date
    assert " ".join([patient["name"][0]["family"], *patient["name"][0]["given"]]) == who.name
    assert [one["occurrenceDateTime"] for one in (first, second)] == ["2026-11-02", "2026-11-10"]
    assert first["vaccineCode"]["coding"] == [{"system": CVX, "code": "208"}]
    assert (first["lotNumber"], first["performer"][0]["actor"]["display"]) == ("L-covid", place.facility.name)


async def test_jose_refuses_a_card_that_was_changed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, dose("covid", "208", "2026-11-02"))
    card = await made(client, who)
    (one,) = (await fetched(client, f"{CARDS}/{card['card_id']}", who))["codes"]
    header, payload, signature = one["jws"].split(".")
    changed = f"{header}.{payload[:-1]}{'A' if payload[-1] != 'A' else 'Q'}.{signature}"
    (read,) = read_cards([changed], await fetched(client, KEYS))
    assert read == {"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}


async def test_20_doses_are_one_code_and_30_are_two_that_each_verify(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who, jwks = await make_citizen(store, clock), await fetched(client, KEYS)
    await place.send(who.patient_id, *recent(20))
    card = await made(client, who)
    assert (card["codes"], len(card["doses"])) == (1, 20)
    await place.send(who.patient_id, *recent(30))
    card = await made(client, who)
    assert (card["codes"], len(card["doses"])) == (2, 30)
    texts = (await fetched(client, f"{CARDS}/{card['card_id']}", who))["codes"]
    assert all(len(one["jws"]) <= codes.JWS_MAX for one in texts)
    first, second = read_cards([one["qr"] for one in texts], jwks)
    assert len(entries(first)) + len(entries(second)) == 30 + 2
    assert first["payload"]["vc"]["rid"] == second["payload"]["vc"]["rid"]


async def test_the_file_fits_its_schema_and_holds_what_the_codes_hold(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, *recent(30))
    path = f"{CARDS}/{(await made(client, who))['card_id']}"
    found = await client.get(f"{path}/card.smart-health-card", headers=bearer(who.token))
    assert found.headers["content-type"] == "application/smart-health-card"
    assert found.headers["content-disposition"].endswith('.smart-health-card"')
    schema = json.loads(shared("data/shc/schema/smart-health-card-schema.json").read_text())
    assert list(Draft7Validator(schema).iter_errors(found.json())) == []
    texts = (await fetched(client, path, who))["codes"]
    assert found.json()["verifiableCredential"] == [one["jws"] for one in texts]


async def test_each_picture_decodes_to_its_text(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, *recent(30))
    path = f"{CARDS}/{(await made(client, who))['card_id']}"
    texts = (await fetched(client, path, who))["codes"]
    for number, one in enumerate(texts, start=1):
        svg = await client.get(f"{path}/code.svg?number={number}", headers=bearer(who.token))
        png = await client.get(f"{path}/code.png?number={number}", headers=bearer(who.token))
        assert decoded(pixels_of_svg(svg.text)) == (one["qr"], "L")
        assert decoded(pixels_of_png(png.content)) == (one["qr"], "L")
    assert await refused(client, who, f"{path}/code.svg?number=3") == "health-card-not-found"
    assert await refused(client, who, f"{path}/code.png?number=0") == "invalid-field"


async def test_the_same_book_gives_the_same_card_and_a_new_dose_another(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, dose("a", "208", "2026-11-02"))
    key = {"Idempotency-Key": "0123456789abcdef"}
    first = await made(client, who, **key)
    assert await made(client, who, **key) == await made(client, who) == first
    await place.send(who.patient_id, dose("a", "208", "2026-11-02"), dose("b", "88", "2026-11-10"))
    await work(store, clock, who.patient_id)
    second = await made(client, who)
    listed = await fetched(client, CARDS, who)
    adult = next(one for one in listed["books"] if one["book"] == "adult")
    assert (adult["card"], adult["doses"], adult["is_current"]) == (second, 2, True)
    (ended,) = listed["ended"]
    assert (ended["card_id"], ended["state"], ended["end_reason"]) == (first["card_id"], "replaced", None)


async def test_the_books_of_childhood_and_of_grown_years_are_two_cards(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock, birth_date="2008-11-10")
    await place.send(who.patient_id, dose("child", "137", "2026-11-09"), dose("adult", "88", "2026-11-10"))
    for book, name in (("childhood", "child"), ("adult", "adult")):
        assert (await made(client, who, book))["doses"] == [place.id_of(name)]


Change = Callable[[Place, UUID], Awaitable[None]]


async def other_day(place: Place, patient_id: UUID) -> None:
    await place.send(patient_id, dose("a", "208", "2026-11-03"), dose("b", "88", "2026-11-10"))


async def other_lot(place: Place, patient_id: UUID) -> None:
    await place.send(patient_id, dose("a", "208", "2026-11-02", lotNumber="X"), dose("b", "88", "2026-11-10"))


async def taken_back(place: Place, patient_id: UUID) -> None:
    await place.send(patient_id, dose("b", "88", "2026-11-10"))


async def not_mine(place: Place, patient_id: UUID) -> None:
    async with place.store.transaction() as tx:
        rows = [("Immunization", place.id_of("a"))]
        await mark_rows(tx, patient_id, rows, place.clock.now(), state="disputed")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_day, "dose-changed"),
        (other_lot, "dose-changed"),
        (taken_back, "dose-gone"),
        (not_mine, "dose-gone"),
    ],
)
async def test_a_card_is_revoked_when_a_dose_on_it_is_corrected(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place, change: Change, reason: str
) -> None:
    who, other = await make_citizen(store, clock), await make_citizen(store, clock)
    for one in (who, other):
        await place.send(one.patient_id, dose("a", "208", "2026-11-02"), dose("b", "88", "2026-11-10"))
    card, others = await made(client, who), await made(client, other)
    path = f"{CARDS}/{card['card_id']}"
    (text,) = (await fetched(client, path, who))["codes"]
    (read,) = read_cards([text["qr"]], await fetched(client, KEYS))
    kid, rid = read["header"]["kid"], read["payload"]["vc"]["rid"]
    before = await fetched(client, f"/shc/.well-known/crl/{kid}.json")
    await change(place, who.patient_id)
    await work(store, clock, who.patient_id)
    listed = await fetched(client, CARDS, who)
    (ended,) = listed["ended"]
    assert (ended["card_id"], ended["state"], ended["end_reason"]) == (card["card_id"], "revoked", reason)
    assert await refused(client, who, path) == "health-card-not-found"
    revoked = await fetched(client, f"/shc/.well-known/crl/{kid}.json")
    assert (revoked["kid"], revoked["method"]) == (kid, "rid")
    assert set(revoked["rids"]) - set(before["rids"]) == {rid}
    assert revoked["ctr"] == before["ctr"] + 1
    versions = {key["kid"]: key["crlVersion"] for key in (await fetched(client, KEYS))["keys"]}
    assert versions[kid] == revoked["ctr"]
    # Somebody else's card with the same doses stands.
    assert (await fetched(client, f"{CARDS}/{others['card_id']}", other))["codes"]
    told = [one["type"] for one in (await fetched(client, "/v1/me/notifications", who))["items"]]
    assert told.count("certificate-changed") == 1


async def test_what_only_says_more_of_a_dose_leaves_the_card(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, dose("a", "208", "2026-11-02"))
    card = await made(client, who)
    await place.send(who.patient_id, dose("a", "208", "2026-11-02", site={"text": "tay trái"}))
    await work(store, clock, who.patient_id)
    assert (await made(client, who)) == card


async def test_no_card_speaks_of_a_dose_that_is_no_ground_and_the_person_is_told_why(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who, stranger = await make_citizen(store, clock), await make_facility(store, clock)
    other = hospital(str(stranger.facility_id), stranger.facility_id)
    unauthorised = dose("no-authority", "88", "2026-11-01")
    await write(store, who.patient_id, [unauthorised], clock.now(), source=other, unit="doses")
    await place.send(
        who.patient_id,
        dose("back-dated", "85", "2024-01-02"),
        dose("date-unclear", "90", "2026-10"),
        dose("no-code", "", "2026-11-05", vaccineCode={"text": "Vắc xin lạ"}),
    )
    found = await client.post(CARDS, json={"book": "adult"}, headers=bearer(who.token))
    assert (found.status_code, found.json()["code"]) == (409, "health-card-empty")
    listed = await fetched(client, CARDS, who)
    reasons = {one["title"]: [why["code"] for why in one["reasons"]] for one in listed["left_out"]}
    assert reasons == {
        "no-authority": ["no-authority"],
        "back-dated": ["back-dated"],
        "date-unclear": ["date-unclear"],
        "Vắc xin lạ": ["no-code"],
    }
    assert all(why["text_vi"] and why["next_en"] for one in listed["left_out"] for why in one["reasons"])
    assert [one["doses"] for one in listed["books"]] == [0, 0]


async def test_s28_who_asks_for_a_card_has_its_late_doses_put_before_their_facility(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    """No certificate exists for them: the card is the only way to a second account."""
    who, second = (
        await make_citizen(store, clock),
        await make_doctor(store, clock, place.facility, role="nurse"),
    )
    await place.send(who.patient_id, dose("late", "85", "2024-01-02"), dose("in-time", "88", "2026-11-01"))
    for _ in range(2):
        assert len((await made(client, who))["doses"]) == 1
    asked = await fetched(client, CONFIRMATIONS, second)
    (item,) = asked["items"]
    assert (item["vaccine"], item["given"]) == ("late", "2024-01-02")
    path = f"{CONFIRMATIONS}/{item['confirmation_id']}/confirm"
    assert (await client.post(path, headers=bearer(second.token))).status_code == 204
    assert len((await made(client, who))["doses"]) == 2


async def test_a_guardian_has_a_childs_card_without_what_is_kept_from_the_family(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    withheld = Place(store, clock, place.facility)
    await place.send(child, dose("mr", "04", "2026-11-02"))
    source = hospital("withheld", place.facility.facility_id)
    hidden = dose("kept", "45", "2026-11-03")
    await write(store, child, [hidden], clock.now(), source=source, unit="kept", labels=int(Label.SDV))
    acting = {"X-Patient-Id": str(child)}
    card = await made(client, mother, "childhood", **acting)
    assert card["doses"] == [withheld.id_of("mr")]
    listed = await fetched(client, CARDS, mother, **acting)
    assert "kept" not in json.dumps(listed)
    found = await client.get(f"{CARDS}/{card['card_id']}", headers=bearer(mother.token))
    assert found.json()["code"] == "health-card-not-found"


async def test_without_a_signer_there_is_no_card_and_the_next_one_is_made(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, dose("a", "208", "2026-11-02"))
    async with client_of(store, clock, app_origin="https://so.example.vn") as away:
        found = await away.post(CARDS, json={"book": "adult"}, headers=bearer(who.token))
    assert (found.status_code, found.json()["code"]) == (503, "signer-away")
    assert (await made(client, who))["state"] == "valid"


async def test_keys_and_revocations_answer_to_pages_of_everybody(client: httpx.AsyncClient) -> None:
    found = await client.get(KEYS)
    assert found.headers["access-control-allow-origin"] == "*"
    schema = json.loads(shared("data/shc/schema/keyset-schema.json").read_text())
    assert list(Draft7Validator(schema).iter_errors(found.json())) == []
    kid = found.json()["keys"][-1]["kid"]
    listed = await client.get(f"/shc/.well-known/crl/{kid}.json")
    assert listed.headers["access-control-allow-origin"] == "*"
    for name in (kid, "unknown.json", f"{kid}.json.json"):
        assert (await client.get(f"/shc/.well-known/crl/{name}")).status_code == 404


async def test_s28_no_other_key_of_ours_is_published_for_cards(client: httpx.AsyncClient) -> None:
    cards = {key["kid"] for key in (await fetched(client, KEYS))["keys"]}
    assert cards
    for path in ("/.well-known/consent-keys.json", "/.well-known/qr-keys.json"):
        others = (await fetched(client, path))["keys"]
        assert cards & {key["kid"] for key in others} == set()
        published = json.dumps(await fetched(client, KEYS))
        assert not [key["x"] for key in others if key["x"] in published]
