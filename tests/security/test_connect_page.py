"""The page where partners and apps are let in: relayed pages, devices on trial, restores, logs."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from consent.apps.service import list_of
from partners.smart import authorizing
from partners.smart.requests import AuthorizationRequest
from store.blobs import BlobStore
from store.database import Store
from store.keys import KeyRing
from store.postgres import Server
from tests.support import oauth
from tests.support.clock import FrozenClock
from tests.support.connecting import (
    Browser,
    Wanting,
    answer_in,
    approval,
    approved,
    claims_of,
    code_for,
    looked_at,
    opened,
    opened_by_partner,
    pushed,
    service_with,
)
from tests.support.family import make_child
from tests.support.http import bearer
from tests.support.identity_provider import Provider, provider
from tests.support.people import make_citizen, make_person, new_number
from tests.support.registry import make_officers, merged
from tests.support.restored import new_epoch, own_database


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


@pytest.fixture
async def http(store: Store, clock: FrozenClock, issuer: Provider) -> AsyncIterator[httpx.AsyncClient]:
    async with service_with(store, clock, issuer) as client:
        yield client


async def test_s6_a_page_sent_to_somebody_else_is_worth_nothing_without_that_person_s_digits(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    """The thief sends the picture of a page; the victim approves; the thief's browser gets nothing."""
    wanting, victim = Wanting(await oauth.make_app(store, clock)), await make_citizen(store, clock)
    thief = await opened(http, wanting)
    await thief.post("/connect/app")
    await thief.get("/connect/app")
    shown = await looked_at(http, victim, f"SSK-KET-NOI:{thief.code().replace('-', '')}")
    approved = await http.post(
        f"/v1/me/app-requests/{shown['request_id']}/approve",
        json=approval(victim, clock, shown, "Condition"),
        headers=bearer(victim.token),
    )
    digits = approved.json()["digits"]
    page = await thief.get("/connect/app")
    assert digits not in page.text
    for guess in range(6):
        typed = f"{(int(digits) + 1 + guess) % 10**6:06d}"
        answer = await thief.post("/connect/finish", digits=typed)
        assert "code=" not in answer.headers.get("location", "")
    assert "code=" not in (await thief.post("/connect/finish", digits=digits)).headers.get("location", "")
    apps = await http.get("/v1/me/connected-apps", headers=bearer(victim.token))
    assert apps.json()["items"] == []


async def test_s8_a_device_on_trial_and_whoever_acts_for_another_let_nobody_in(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    wanting = Wanting(await oauth.make_app(store, clock))
    on_trial = await make_citizen(store, clock, probation=True)
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    youth = await make_citizen(store, clock, birth_date=f"{clock.now().year - 14}-12-31")
    browser = await opened(http, wanting)
    await browser.post("/connect/app")
    await browser.get("/connect/app")
    for who, book, code in (
        (on_trial, None, "device-on-probation"),
        (mother, child, "not-in-your-care"),
        (youth, None, "guardian-needed"),
    ):
        headers = bearer(who.token) | ({} if book is None else {"X-Patient-Id": str(book)})
        refused = await http.post("/v1/me/app-requests/look", json={"code": browser.code()}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    await looked_at(http, mother, browser.code())


@pytest.mark.parametrize("how", ["end-device", "end-apps", "end-everything", "held"])
async def test_s8_an_approval_ends_with_the_device_that_made_it_and_with_an_end_of_everything(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient, how: str
) -> None:
    """The thief has the unlocked phone and approves on his own page; the owner is quicker than his typing."""
    wanting, person = Wanting(await oauth.make_app(store, clock)), await make_citizen(store, clock)
    browser, digits = await approved(http, clock, person, wanting)
    clock.advance(seconds=5)
    owner = bearer(person.token)
    if how == "end-device":
        taken = await http.delete(f"/v1/me/devices/{person.phone.device_id}", headers=owner)
    elif how == "end-apps":
        taken = await http.delete("/v1/me/connected-apps", headers=owner)
    elif how == "end-everything":
        taken = await http.post("/v1/me/who-can-see-me/end-all", headers=owner)
    else:
        officers, other = await make_officers(store, clock), await make_citizen(store, clock)
        await merged(store, officers, other.patient_id, person.patient_id, clock.now())
    assert how == "held" or taken.status_code == 204, taken.text
    done = await browser.post("/connect/finish", digits=digits)
    assert "code=" not in done.headers.get("location", "")
    async with store.transaction() as tx:
        assert await list_of(tx, person.patient_id, ended=True) == []


async def test_s8_the_provider_alone_lets_nobody_in_for_longer_than_a_day_beside_a_device(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient, issuer: Provider
) -> None:
    """A stolen sign-in, typed into any browser, reads no longer than tier D; without a device it is the only
    way there is."""
    client = await oauth.make_app(store, clock)
    owner, new = await make_citizen(store, clock), await make_citizen(store, clock, probation=True)
    for person in (owner, new):
        browser = await opened(http, Wanting(client))
        await browser.sign_in(issuer, **claims_of(person))
        page = await browser.get("/connect")
        assert browser.days() == ["1"]
        assert "hiệu lực 1 ngày" in page.text
        assert (await browser.tick("Condition", days="365")).status_code == 422
        assert "code=" in (await browser.tick("Condition", days="1")).headers["location"]
        async with store.transaction() as tx:
            (one,) = await list_of(tx, person.patient_id)
        assert one.consent.ends_at == clock.now() + timedelta(days=1)
    _, number = await make_person(store, clock, name="Bà Không Máy", birth_date="1950-01-01", sex="female")
    browser = await opened(http, Wanting(client))
    await browser.sign_in(
        issuer, personal_number=number, name="Bà Không Máy", birthdate="1950-01-01", gender="female"
    )
    await browser.get("/connect")
    assert browser.days() == ["7", "30", "90", "365"]
    assert "code=" in (await browser.tick("Condition", days="365")).headers["location"]


@pytest.mark.parametrize("hours", [0, 80])
async def test_s10_whoever_was_merged_into_somebody_lets_nobody_into_that_book(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient, issuer: Provider, hours: int
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    wanting = Wanting(await oauth.make_app(store, clock))
    await merged(store, await make_officers(store, clock), one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=hours, minutes=1)
    browser = await opened(http, wanting)
    came = await browser.sign_in(issuer, **claims_of(one))
    assert came.status_code == 403
    unknown = await opened(http, wanting)
    nobody = await unknown.sign_in(issuer, **(claims_of(one) | {"personal_number": new_number()}))
    assert (nobody.status_code, _visible(nobody.text)) == (403, _visible(came.text))
    async with store.transaction() as tx:
        assert await list_of(tx, other.patient_id, ended=True) == []


def _visible(page: str) -> str:
    """A page without the one link that holds the state of its wish."""
    return re.sub(r'href="[^"]+"', "", page)


async def test_s11_what_waits_on_a_page_ends_with_an_end_of_everything(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient, issuer: Provider
) -> None:
    """Signed in at the provider, not ticked yet; a wish that is begun afterwards is another one."""
    wanting, person = Wanting(await oauth.make_app(store, clock)), await make_citizen(store, clock)
    browser = await opened(http, wanting)
    await browser.sign_in(issuer, **claims_of(person))
    await browser.get("/connect")
    assert (await http.delete("/v1/me/connected-apps", headers=bearer(person.token))).status_code == 204
    assert "code=" not in (await browser.tick("Condition")).headers.get("location", "")
    clock.advance(seconds=1)
    assert await code_for(http, issuer, person, wanting, "Condition")


async def test_s8_the_consent_names_the_device_that_agreed_to_it(
    store: Store, clock: FrozenClock, http: httpx.AsyncClient
) -> None:
    wanting, person = Wanting(await oauth.make_app(store, clock)), await make_citizen(store, clock)
    browser, digits = await approved(http, clock, person, wanting)
    assert "code=" in (await browser.post("/connect/finish", digits=digits)).headers["location"]
    async with store.transaction() as tx:
        (one,) = await list_of(tx, person.patient_id)
    assert (one.consent.device_id, one.consent.verification_id) == (person.phone.device_id, None)


async def test_s12_no_wish_no_code_and_no_token_outlives_a_restore(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: BlobStore,
    clock: FrozenClock,
    issuer: Provider,
) -> None:
    async with own_database(server, make_database, keys, blobs) as own:
        store = own.store
        citizen, client = await make_citizen(store, clock), await oauth.make_app(store, clock)
        partner = await oauth.make_partner(store, clock)
        meant = Wanting(await oauth.client_by_id(store, partner.client_id), scope="history")
        async with service_with(store, clock, issuer) as http:
            on_the_way, code_out, done = Wanting(client), Wanting(client), Wanting(client)
            browser = await opened(http, on_the_way)
            uri = await pushed(http, partner, meant)
            tokens = await http.post(
                "/oauth/token",
                data=done.exchange(await code_for(http, issuer, citizen, done, "Condition")),
            )
            code = await code_for(http, issuer, citizen, code_out, "Condition")
            clock.advance(seconds=1)
            await new_epoch(own.owner, clock)
            assert (await browser.get("/connect")).status_code == 404
            came = await Browser(http).get(
                "/oauth/authorize", client_id=str(partner.client_id), request_uri=uri
            )
            assert came.status_code == 404
            refused = await http.post("/oauth/token", data=code_out.exchange(code))
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
            again = {
                "grant_type": "refresh_token",
                "client_id": str(client.client_id),
                "refresh_token": tokens.json()["refresh_token"],
            }
            refused = await http.post("/oauth/token", data=again)
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_s19_a_hint_looks_nobody_up(store: Store, clock: FrozenClock) -> None:
    """Whoever pushes a known number learns nothing of it: not by the answer and not by what it costs."""
    citizen, partner = await make_citizen(store, clock), await oauth.make_partner(store, clock)
    client = await oauth.client_by_id(store, partner.client_id)
    seen: dict[str, list[str]] = {}
    for kind, number in (("known", citizen.number), ("unknown", new_number())):
        asked = AuthorizationRequest(
            redirect_uri=client.redirect_uris[0],
            scope="history",
            state=None,
            code_challenge="A" * 43,
            jkt=None,
            login_hint=number,
        )
        statements = seen.setdefault(kind, [])
        async with store.transaction() as tx:

            def note(record: Any, into: list[str] = statements) -> None:
                into.append(record.query)

            tx.add_query_logger(note)
            try:
                uri = await authorizing.push(tx, store.keys, client, asked, clock.now())
            finally:
                tx.remove_query_logger(note)
        assert isinstance(uri, str)
        statements.append(str(len(uri)))
    assert seen["known"] == seen["unknown"]


async def test_s34_no_log_keeps_what_the_protocol_puts_into_addresses(
    store: Store,
    clock: FrozenClock,
    http: httpx.AsyncClient,
    issuer: Provider,
    capsys: pytest.CaptureFixture[str],
) -> None:
    citizen, partner = await make_citizen(store, clock), await oauth.make_partner(store, clock)
    wanting = Wanting(await oauth.client_by_id(store, partner.client_id), scope="history")
    uri = await pushed(http, partner, wanting, login_hint=citizen.number)
    browser = await opened_by_partner(http, wanting, uri)
    assert citizen.number not in browser.page
    await browser.sign_in(issuer, **claims_of(citizen))
    assert citizen.number not in (await browser.get("/connect")).text
    cookie = dict(browser.cookies)["connect"]
    done = await browser.tick("history")
    code = answer_in(done.headers["location"])["code"]
    written = "".join(capsys.readouterr())
    assert "/connect/decide" in written
    for secret in (uri.rpartition(":")[2], cookie, code, wanting.state, citizen.number, citizen.name):
        assert secret not in written
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT row_to_json(a)::text AS said FROM app_authorization a")
    kept = "".join(row["said"] for row in rows)
    for secret in (uri.rpartition(":")[2], cookie, code, citizen.number, citizen.name):
        assert secret not in kept
