"""Opening the own book by an identity provider: at level 2, for the stated number, once (S1, S8)."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec
import pytest

from healthbook.wiring import opened_verifier
from identity import people, phones
from identity.births import service as births
from identity.policy import PROBATION
from store.database import Store
from tests.consent.test_s24_record import drain
from tests.support.accounts import finish_body, letters, signed_up
from tests.support.clock import FrozenClock
from tests.support.entry import delivered
from tests.support.family import midnight
from tests.support.http import bearer, client_of
from tests.support.identity_provider import PERSON, Provider, provider
from tests.support.people import Citizen, make_citizen, make_person, new_number, new_phone_number
from tests.support.phone import Phone
from tests.support.record import write
from tests.support.verifying import APP, Asking

PIN = "730518"
NAME, BORN = PERSON["name"], PERSON["birthdate"]


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


@pytest.fixture
async def client(store: Store, clock: FrozenClock, issuer: Provider) -> AsyncIterator[httpx.AsyncClient]:
    opened = client_of(
        store,
        clock,
        open_verifier=lambda: opened_verifier(issuer.configured()),
        identity_return=[APP],
    )
    async with opened as made:
        yield made


class Enrolment:
    """One device on its way through the provider."""

    def __init__(self, client: httpx.AsyncClient, issuer: Provider) -> None:
        self.client, self.issuer = client, issuer
        self.asking, self.phone = Asking(), Phone()
        self.receipt = ""

    async def through(self, number: str, acr: str | None = "loa2", **claims: Any) -> "Enrolment":
        """Start, sign in at the provider as whoever has that number, and come back."""
        begun = await self.client.post(
            "/v1/auth/enrolments/start",
            json={"secret_challenge": self.asking.challenge, "return_to": APP},
        )
        assert begun.status_code == 201, begun.text
        back = self.issuer.sign_in(begun.json()["address"], acr, **({"personal_number": number} | claims))
        landed = await self.client.get("/v1/auth/identity/callback", params=back)
        assert landed.status_code == 303, landed.text
        address = landed.headers["location"]
        assert address.startswith(APP)
        self.receipt = urlsplit(address).fragment.removeprefix("receipt=")
        return self

    async def finish(self, number: str, pin: str = PIN, **more: Any) -> httpx.Response:
        body = {
            "receipt": self.receipt,
            "secret": self.asking.kept,
            "number": number,
            "pin": pin,
            "device": msgspec.to_builtins(self.phone.new_device(self.receipt)),
        }
        return await self.client.post("/v1/auth/enrolments/finish", json=body | more)


@pytest.fixture
def enrolment(client: httpx.AsyncClient, issuer: Provider) -> Any:
    return lambda: Enrolment(client, issuer)


def said(answer: httpx.Response) -> str:
    return "" if answer.status_code < 300 else str(answer.json()["code"])


async def known(store: Store, clock: FrozenClock, **more: Any) -> Citizen:
    """Somebody with an account, whom the provider describes like the book."""
    return await make_citizen(store, clock, name=NAME, birth_date=BORN, sex="female", **more)


async def rows_of(owner: Store) -> tuple[int, ...]:
    async with owner.transaction() as tx:
        return tuple(
            [
                await tx.fetchval(f"SELECT count(*) FROM {table}")
                for table in ("citizen", "device", "session", "access_log", "phone", "citizen_pin")
            ]
        )


async def test_a_person_without_an_account_opens_the_true_book(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    patient_id, number = await make_person(store, clock, name=NAME, birth_date=BORN)
    done = await (await enrolment().through(number)).finish(number)
    assert done.status_code == 201, done.text
    assert UUID(done.json()["patient_id"]) == patient_id
    me = (await client.get("/v1/me", headers=bearer(done.json()["access_token"]))).json()
    assert (me["level"], me["on_probation"], me["login_phone"]) == (2, True, None)
    assert [one["state"] for one in me["numbers"]] == ["verified"]


async def test_a_number_that_nobody_has_makes_a_person_of_what_the_provider_says(
    client: httpx.AsyncClient, clock: FrozenClock, enrolment: Any
) -> None:
    number = new_number()
    done = await (await enrolment().through(number)).finish(number)
    assert done.status_code == 201, done.text
    me = (await client.get("/v1/me", headers=bearer(done.json()["access_token"]))).json()
    assert (me["name"], me["birth_date"], me["level"]) == (NAME, BORN, 2)
    clock.advance(seconds=1)
    again = await (await enrolment().through(number)).finish(number)
    assert again.json()["patient_id"] == done.json()["patient_id"]


async def test_s8_a_lost_phone_and_a_forgotten_pin_and_the_owner_cancels_it(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen, number = await known(store, clock), new_phone_number()
    begun = await client.post("/v1/auth/sign-up/start", json={"phone": number, "purpose": "enrolment"})
    challenge = begun.json()["challenge_id"]
    phone = {"challenge_id": challenge, "code": await letters(store, clock, challenge)}
    done = await (await enrolment().through(citizen.number)).finish(citizen.number, phone=phone)
    assert done.status_code == 201, done.text
    new = bearer(done.json()["access_token"])
    me = (await client.get("/v1/me", headers=new)).json()
    assert (me["on_probation"], me["login_phone"]) == (True, f"*** {number[-3:]}")
    async with owner.transaction() as tx:
        told = await tx.fetch("SELECT event FROM outbox WHERE patient_id = $1", citizen.patient_id)
    assert "identity.device-enrolled" in {row["event"] for row in told}
    # It ends no device but itself, and an older one takes everything back before the next request.
    path = f"/v1/me/devices/{citizen.phone.device_id}"
    assert said(await client.delete(path, headers=new)) == "device-on-probation"
    path = f"/v1/me/devices/{done.json()['device_id']}"
    assert (await client.delete(path, headers=bearer(citizen.token))).status_code == 204
    assert (await client.get("/v1/me", headers=new)).status_code == 401
    async with store.transaction() as tx:
        login = await phones.login_phone(tx, store.keys, citizen.patient_id, clock.now())
    assert login is not None
    assert login.number == citizen.phone_number
    started = await client.post("/v1/auth/sign-in/start", json={"kind": "number", "value": citizen.number})
    challenge, second = started.json()["challenge_id"], Phone()
    body = {
        "challenge_id": challenge,
        "code": await delivered(store, clock, challenge),
        "device": msgspec.to_builtins(second.new_device(challenge)),
    }
    assert said(await client.post("/v1/auth/sign-in/verify", json=body | {"pin": PIN})) == "sign-in-refused"
    right = await client.post("/v1/auth/sign-in/verify", json=body | {"pin": citizen.pin})
    assert right.status_code == 201


async def test_without_a_phone_the_login_phone_stays_and_the_pin_is_the_new_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen = await known(store, clock)
    done = await (await enrolment().through(citizen.number)).finish(citizen.number)
    assert done.status_code == 201
    async with store.transaction() as tx:
        login = await phones.login_phone(tx, store.keys, citizen.patient_id, clock.now())
    assert login is not None
    assert login.number == citizen.phone_number
    started = await client.post("/v1/auth/sign-in/start", json={"kind": "number", "value": citizen.number})
    challenge = started.json()["challenge_id"]
    body = {
        "challenge_id": challenge,
        "code": await delivered(store, clock, challenge),
        "pin": PIN,
        "device": msgspec.to_builtins(Phone().new_device(challenge)),
    }
    assert (await client.post("/v1/auth/sign-in/verify", json=body)).status_code == 201
    clock.advance(seconds=PROBATION.total_seconds())
    # Whoever was told and did nothing for three days: the device is one like the others.
    listed = await client.get("/v1/me/devices", headers=bearer(done.json()["access_token"]))
    assert listed.status_code == 401  # its ten minutes are over, and it renews with its key


@pytest.mark.parametrize("acr", ["loa1", "loa9", None])
async def test_level_1_and_no_level_get_nothing(
    store: Store, owner: Store, clock: FrozenClock, enrolment: Any, acr: str | None
) -> None:
    citizen = await known(store, clock)
    before = await rows_of(owner)
    here = await enrolment().through(citizen.number, acr)
    assert said(await here.finish(citizen.number)) == "verification-level-low"
    assert said(await here.finish(citizen.number)) == "verification-refused"
    assert await rows_of(owner) == before


async def test_s19_the_wrong_person_gets_nothing_and_learns_nothing(
    store: Store, owner: Store, clock: FrozenClock, enrolment: Any
) -> None:
    """The same answer whether the stated number is somebody's with an account, without one, or nobody's."""
    with_account = (await known(store, clock)).number
    _, without = await make_person(store, clock, name=NAME, birth_date=BORN)
    await make_person(store, clock)
    before, answers = await rows_of(owner), []
    for number in (with_account, without, new_number()):
        here = await enrolment().through(new_number(), name="NGƯỜI KHÁC", birthdate="1970-01-01")
        answer = await here.finish(number)
        answers.append((answer.status_code, answer.json()["code"], answer.content))
    assert len(set(answers)) == 1
    assert answers[0][:2] == (403, "verification-refused")
    assert await rows_of(owner) == before


async def test_s17_a_book_that_says_otherwise_is_for_the_desk(
    store: Store, owner: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen = await known(store, clock)
    before = await rows_of(owner)
    for claims in ({"name": "NGUYỄN THỊ KHÁC"}, {"birthdate": "1991-01-01"}, {"gender": "male"}):
        here = await enrolment().through(citizen.number, **claims)
        assert said(await here.finish(citizen.number)) == "identity-at-desk"
    assert await rows_of(owner) == before


async def test_a_receipt_serves_once_and_only_the_device_that_asked(
    store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen = await known(store, clock)
    victim, thief = await enrolment().through(citizen.number), enrolment()
    thief.receipt = victim.receipt
    assert said(await thief.finish(citizen.number)) == "verification-refused"
    # The way back was stolen once: it serves nobody any more.
    assert said(await victim.finish(citizen.number)) == "verification-refused"
    here = await enrolment().through(citizen.number)
    assert said(await here.finish(citizen.number)) == ""
    assert said(await here.finish(citizen.number)) == "verification-refused"
    late = await enrolment().through(citizen.number)
    clock.advance(minutes=11)
    assert said(await late.finish(citizen.number)) == "verification-refused"


async def test_what_is_wrong_in_form_costs_no_proof(store: Store, clock: FrozenClock, enrolment: Any) -> None:
    citizen = await known(store, clock)
    here = await enrolment().through(citizen.number)
    assert said(await here.finish(citizen.number, pin="111111")) == "pin-too-easy"
    other = msgspec.to_builtins(Phone().new_device("another challenge"))
    assert said(await here.finish(citizen.number, device=other)) == "device-key-refused"
    dead = {"challenge_id": "nobody", "code": "ABCDEF"}
    assert said(await here.finish(citizen.number, phone=dead)) == "sign-in-code-dead"
    assert said(await here.finish(citizen.number)) == ""


async def test_a_pin_that_is_the_birth_date_costs_neither_proof_nor_letters(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen = await known(store, clock)
    here = await enrolment().through(citizen.number)
    phone = await proven_phone(client, store, clock)
    year, month, day = BORN.split("-")
    assert said(await here.finish(citizen.number, day + month + year[2:], phone=phone)) == "pin-too-easy"
    assert said(await here.finish(citizen.number, phone=phone)) == ""


async def test_s8_who_has_no_secret_hears_nothing_of_the_birth_date(
    store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen = await known(store, clock)
    here = await enrolment().through(citizen.number)
    year, month, day = BORN.split("-")
    here.asking = Asking()
    assert said(await here.finish(citizen.number, day + month + year[2:])) == "verification-refused"


async def test_a_closed_account_opens_again_and_a_frozen_book_does_not(
    store: Store, owner: Store, clock: FrozenClock, enrolment: Any
) -> None:
    for state, code in (("closed", ""), ("frozen", "identity-at-desk"), ("merged", "identity-at-desk")):
        citizen = await known(store, clock)
        async with owner.transaction() as tx:
            await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", citizen.patient_id, state)
        here = await enrolment().through(citizen.number)
        assert said(await here.finish(citizen.number)) == code, state


async def test_s1_what_an_account_of_level_0_entered_stays_with_it_when_the_true_book_opens(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    number = new_number()
    phone = Phone()
    before = await signed_up(
        client, store, clock, phone=phone, name=NAME, birth_date=BORN, sex="female", number=number
    )
    once = {"Idempotency-Key": "k" * 20}
    said_so = {"kind": "allergy", "name": "Mủ cao su"}
    kept = await client.post("/v1/me/statements", json=said_so, headers=before.headers | once)
    assert kept.status_code == 201
    true_book, _ = await make_person(store, clock, number=number, name=NAME, birth_date=BORN)
    allergy = {"resourceType": "AllergyIntolerance", "id": "a1", "code": {"text": "Penicillin"}}
    await write(store, true_book, [allergy], clock.now())
    here = await enrolment().through(number)
    here.phone = phone  # the same phone: each person has an own device there
    done = await here.finish(number)
    assert done.status_code == 201, done.text
    assert UUID(done.json()["patient_id"]) == true_book != UUID(before.patient_id)
    new = bearer(done.json()["access_token"])
    mine = (await client.get("/v1/me/summary", headers=new)).text
    assert "Penicillin" in mine
    assert "Mủ cao su" not in mine
    old = (await client.get("/v1/me/allergies", headers=before.headers)).text
    assert "Mủ cao su" in old
    assert "Penicillin" not in old
    async with store.transaction() as tx:
        owned = await people.resolve_subject(tx, store.keys, "national-id", number, clock.now())
    assert owned == true_book


async def test_an_address_that_is_not_registered_starts_nothing_and_without_a_provider_nobody_does(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    body = {"secret_challenge": Asking().challenge, "return_to": "https://evil.example/back"}
    assert said(await client.post("/v1/auth/enrolments/start", json=body)) == "return-address-unknown"
    async with client_of(store, clock, identity_return=[APP]) as bare:
        answer = await bare.post("/v1/auth/enrolments/start", json=body | {"return_to": APP})
    assert (answer.status_code, answer.json()["code"]) == (503, "verification-unavailable")


async def test_s8_a_stolen_identity_account_throws_no_device_out(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    """Five new phones in a row would leave nobody who is told and can cancel; a desk alone makes room."""
    citizen, answers = await known(store, clock), []
    for _ in range(5):
        clock.advance(seconds=1)
        answers.append(said(await (await enrolment().through(citizen.number)).finish(citizen.number)))
    assert answers == [""] * 4 + ["too-many-devices"]
    listed = await client.get("/v1/me/devices", headers=bearer(citizen.token))
    assert str(citizen.phone.device_id) in [one["device_id"] for one in listed.json()["items"]]


async def lines(client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    """What the access log says of the ways in, newest first."""
    page = await client.get("/v1/me/access-log", headers=headers, params={"kind": "act"})
    assert page.status_code == 200, page.text
    return [str(one["line"]) for one in page.json()["items"]]


async def child_of(store: Store, clock: FrozenClock, mother: Citizen, born: str) -> tuple[UUID, str]:
    """A child whom the birth note links to the mother, with a number of its own."""
    child, number = await make_person(store, clock, name=NAME, birth_date=born)
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    return child, number


async def test_the_guardians_of_a_child_hear_of_its_first_device_and_see_it_in_its_log(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, enrolment: Any
) -> None:
    mother = await make_citizen(store, clock)
    child, number = await child_of(store, clock, mother, "2016-03-12")
    done = await (await enrolment().through(number, birthdate="2016-03-12")).finish(number)
    assert done.status_code == 201, done.text
    await drain(store, child, clock.now())
    async with owner.transaction() as tx:
        told = await tx.fetch(
            "SELECT ref FROM notification WHERE patient_id = $1 AND type = 'dependent-news'",
            mother.patient_id,
        )
    (news,) = [msgspec.json.decode(row["ref"]) for row in told]
    assert news == {"patient_id": str(child), "what": "identity.device-enrolled"}
    seen = await lines(client, bearer(mother.token) | {"X-Patient-Id": str(child)})
    assert [one for one in seen if one.startswith("Chủ sổ đã mở sổ trên một thiết bị")], seen


@pytest.mark.parametrize(("born", "code"), [("2020-12-02", "identity-at-desk"), ("2020-12-01", "")])
async def test_below_six_no_provider_opens_a_book(
    store: Store, clock: FrozenClock, enrolment: Any, born: str, code: str
) -> None:
    """Below six there is no level 2 (vietnam.md §8); the midnight is Vietnam's."""
    mother = await make_citizen(store, clock)
    clock.set(midnight(date(2026, 12, 1)))
    _, number = await child_of(store, clock, mother, born)
    done = await (await enrolment().through(number, birthdate=born)).finish(number)
    assert said(done) == code


@pytest.mark.parametrize("with_phone", [False, True])
async def test_the_own_log_says_what_came_with_the_provider(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any, with_phone: bool
) -> None:
    citizen = await known(store, clock)
    phone = await proven_phone(client, store, clock) if with_phone else None
    here = await enrolment().through(citizen.number)
    done = await here.finish(citizen.number, **({"phone": phone} if phone else {}))
    assert done.status_code == 201, done.text
    newest = (await lines(client, bearer(citizen.token)))[0]
    assert "nhà cung cấp danh tính" in newest
    assert "mã PIN mới" in newest
    assert ("số điện thoại đăng nhập mới" in newest) is with_phone


async def proven_phone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, purpose: str = "enrolment"
) -> dict[str, str]:
    """A new phone and the letters that came to it."""
    body = {"phone": new_phone_number(), "purpose": purpose}
    begun = await client.post("/v1/auth/sign-up/start", json=body)
    assert begun.status_code == 202, begun.text
    challenge = begun.json()["challenge_id"]
    return {"challenge_id": challenge, "code": await letters(store, clock, challenge) or ""}


async def test_s2_letters_for_a_new_account_bind_no_phone_to_a_book_and_the_reverse(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, enrolment: Any
) -> None:
    citizen = await known(store, clock)
    phone = await proven_phone(client, store, clock, "sign-up")
    here = await enrolment().through(citizen.number)
    assert said(await here.finish(citizen.number, phone=phone)) == "sign-in-code-dead"
    phone = await proven_phone(client, store, clock)
    body = finish_body(phone["challenge_id"], phone["code"], Phone())
    assert said(await client.post("/v1/auth/sign-up/finish", json=body)) == "sign-in-code-dead"
