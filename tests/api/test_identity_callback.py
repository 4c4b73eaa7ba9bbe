"""The browser's way back from an identity provider, and the card that fills in a form."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from identity import budgets
from identity.verification.models import Proven
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.problems import Refused
from partners.verifiers.oidc import OidcVerifier
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.identity_provider import PERSON, Provider, provider
from tests.support.verifying import APP, Asking, begin_at, claim

CALLBACK = "/v1/auth/identity/callback"


class Way:
    """A client of the application whose identity provider is `issuer`."""

    def __init__(
        self, client: httpx.AsyncClient, issuer: Provider, verifier: OidcVerifier, store: Store
    ) -> None:
        self.client, self.issuer, self.verifier, self.store = client, issuer, verifier, store
        self.clock = issuer.clock

    async def begin(self, asking: Asking) -> str:
        return (await begin_at(self.store, self.clock, self.verifier, asking)).address

    async def back(self, brought: dict[str, str]) -> httpx.Response:
        return await self.client.get(CALLBACK, params=brought)


@pytest.fixture
async def way(store: Store, clock: FrozenClock) -> AsyncIterator[Way]:
    async with provider(clock) as issuer:
        verifier = OidcVerifier(issuer.configured(), seconds=2.0)

        @asynccontextmanager
        async def opened() -> AsyncIterator[OidcVerifier]:
            yield verifier

        async with client_of(store, clock, open_verifier=opened) as client:
            yield Way(client, issuer, verifier, store)
        await verifier.close()


def receipt_in(response: httpx.Response) -> str:
    assert response.status_code == 303
    assert response.content == b""
    found = re.fullmatch(re.escape(APP) + r"#receipt=([A-Za-z0-9_-]{64})", response.headers["location"])
    assert found is not None
    return found[1]


async def test_the_browser_goes_on_with_a_receipt_that_its_device_claims(way: Way) -> None:
    asking = Asking()
    brought = way.issuer.sign_in(await way.begin(asking))
    # What the protocol's extensions add is left alone (RFC 6749 §4.1.2).
    receipt = receipt_in(await way.back(brought | {"session_state": "x", "scope": "openid"}))
    done = await claim(way.store, way.clock, receipt, asking.kept)
    assert isinstance(done, Proven)
    assert done.person.number == PERSON["personal_number"]
    assert (done.row.method, done.row.provider, done.row.level) == ("oidc", way.issuer.issuer, 2)
    again = await way.back(brought)
    assert (again.status_code, again.json()["code"]) == (403, "verification-refused")


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "invented"},
        {"code": ""},
        {"error": "access_denied"},
        {"iss": "https://other.example"},
        {"iss": ""},
    ],
    ids=str,
)
async def test_a_no_brings_a_receipt_for_nothing(way: Way, changes: dict[str, str]) -> None:
    asking = Asking()
    brought = way.issuer.sign_in(await way.begin(asking))
    receipt = receipt_in(await way.back(brought | changes))
    no = Refused(problem=VERIFICATION_REFUSED)
    assert await claim(way.store, way.clock, receipt, asking.kept, level_min=0) == no


async def test_a_person_whose_transaction_is_over_sees_a_page_and_nothing_of_what_came(way: Way) -> None:
    brought = way.issuer.sign_in(await way.begin(Asking()))
    await way.back(brought)
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = await way.client.get(CALLBACK, params=brought | {"error": "<b>x</b>"}, headers=browser)
    assert page.status_code == 403
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert VERIFICATION_REFUSED.vi in page.text
    assert VERIFICATION_REFUSED.next_vi in page.text
    assert "<form" not in page.text
    for given in (*brought.values(), "<b>x</b>"):
        assert given not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("state", ["", "x", "A" * 64, "%00", "A" * 4000, "A" * 5000])
async def test_a_state_of_nobody_leads_nowhere_and_asks_nobody(way: Way, state: str) -> None:
    response = await way.back({"state": state, "code": "x", "iss": way.issuer.issuer})
    assert response.status_code in (400, 403)
    assert "location" not in response.headers
    assert way.issuer.asked == []


async def test_the_answer_of_one_persons_sign_in_proves_nothing_in_anothers(way: Way) -> None:
    """Mix-up: an attacker's code on the victim's state, and the other way round."""
    victim, attacker = Asking(), Asking()
    his, hers = (
        way.issuer.sign_in(await way.begin(attacker), personal_number="001190000018"),
        way.issuer.sign_in(await way.begin(victim)),
    )
    no = Refused(problem=VERIFICATION_REFUSED)
    for asking, state, code in ((victim, hers, his), (attacker, his, hers)):
        receipt = receipt_in(await way.back(state | {"code": code["code"]}))
        assert await claim(way.store, way.clock, receipt, asking.kept, level_min=0) == no


async def test_a_transaction_of_another_provider_is_not_asked_of_this_one(way: Way) -> None:
    asking = Asking()
    async with provider(way.clock) as former:
        verifier = OidcVerifier(former.configured(), seconds=2.0)
        address = (await begin_at(way.store, way.clock, verifier, asking)).address
        brought = former.sign_in(address)
        receipt = receipt_in(await way.back(brought))
        await verifier.close()
    assert way.issuer.asked == []
    no = Refused(problem=VERIFICATION_REFUSED)
    assert await claim(way.store, way.clock, receipt, asking.kept, level_min=0) == no


async def test_s34_the_log_keeps_no_code_no_state_and_no_receipt(
    way: Way, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = Asking()
    brought = way.issuer.sign_in(await way.begin(asking), nonce="another")
    response = await way.back(brought)
    receipt, printed = receipt_in(response), capsys.readouterr()
    logged = printed.out + printed.err
    assert CALLBACK in logged
    assert "nonce" in logged
    for secret in (brought["code"], brought["state"], receipt, PERSON["personal_number"], asking.kept):
        assert secret not in logged
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"


async def test_without_a_provider_nobody_comes_back(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock) as client:
        response = await client.get(CALLBACK, params={"state": "A" * 64, "code": "x"})
    assert (response.status_code, response.json()["code"]) == (403, "verification-refused")


CARD = "001190000017||Nguyễn Thị Thử|28021990|Nữ|Hà Nội|01012021"


async def test_a_card_fills_in_a_form_and_leaves_no_row(store: Store, clock: FrozenClock) -> None:
    before = await results(store)
    async with client_of(store, clock) as client:
        response = await client.post("/v1/auth/sign-up/card", json={"text": CARD})
        assert response.status_code == 200
        assert response.json() == {
            "number": "001190000017",
            "name": "Nguyễn Thị Thử",
            "birth_date": "1990-02-28",
            "sex": "female",
        }
        for text, code in (("x|y", "card-incomplete"), (CARD.replace("28021990", "31021990"), "card-date")):
            wrong = await client.post("/v1/auth/sign-up/card", json={"text": text})
            assert wrong.status_code in (400, 422)
            assert wrong.json()["code"].startswith(code)
    assert await results(store) == before


async def results(store: Store) -> int:
    async with store.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM identity_verification"))


async def test_one_network_reads_sixty_cards_an_hour(fresh_store: Store, clock: FrozenClock) -> None:
    async with fresh_store.transaction() as tx:
        for _ in range(59):
            assert await budgets.charge(
                tx, budgets.CARD_TEXTS_NETWORK, budgets.subject("127.0.0.0/24"), clock.now()
            )
    async with client_of(fresh_store, clock) as client:
        statuses = [
            (await client.post("/v1/auth/sign-up/card", json={"text": CARD})).status_code for _ in range(2)
        ]
    assert statuses == [200, 429]
