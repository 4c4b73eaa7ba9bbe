"""Assertions, proofs, tokens and codes that are nearly right, at the real server: none opens anything, none
is a fault of ours, and the right one still works afterwards. 40 of each, 600 with HEALTHBOOK_COUNTS=full."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given

from healthbook.demo_sheet import DemoSheet
from kernel.access import PARTNER_GROUPS
from tests.support.connecting import Wanting
from tests.support.fuzz import FULL, quiet
from tests.support.letting_in import DISCLOSURES, arrived, as_registered, http_at, partner_of
from tests.support.mutating import CHANGES, Change
from tests.support.oauth import Partner
from tests.support.service import Service

EXAMPLES = 600 if FULL else 40
# A code lives for a minute.
CODES = min(EXAMPLES, 200)
TOKEN = "/oauth/token"
# Nobody's: after the token and the proof the consent is asked about.
BODY = {"msg_id": "fuzz-0001", "consent": "00000000-0000-4000-8000-000000000000", "groups": ["history"]}

Ask = Callable[[str], httpx.Response]


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.base_url, timeout=30) as opened:
        yield opened


@pytest.fixture
def partner(sheet: DemoSheet, service: Service) -> Partner:
    found = next(one for one in sheet.app_clients if one.kind == "partner")
    return partner_of(found, service)


def sent(http: httpx.Client, path: str, headers: dict[str, str], **body: Any) -> httpx.Response:
    """Blanks around a header's value are none of it (RFC 9110 section 5.5), and httpx sends none."""
    raw = [(name.encode(), value.strip().encode()) for name, value in headers.items()]
    return http.post(path, headers=raw, **body)


def nearly_right(make: Callable[[], str], ask: Ask, examples: int = EXAMPLES) -> set[int]:
    """Ask with changed texts; which answers came. make: a right one that nobody used."""
    came: set[int] = set()

    @quiet(examples)
    @given(CHANGES)
    def hold(change: Change) -> None:
        right = make()
        changed = change(right)
        if changed.strip() == right:
            return
        answer = ask(changed)
        assert 400 <= answer.status_code < 500, (changed, answer.text)
        assert "access_token" not in answer.text
        came.add(answer.status_code)

    hold()
    return came


def form_with(partner: Partner, assertion: str) -> dict[str, str]:
    return partner.form() | {"client_assertion": assertion}


def test_an_assertion_that_is_nearly_right_is_no_sign_in(http: httpx.Client, partner: Partner) -> None:
    def ask(assertion: str) -> httpx.Response:
        headers = {"DPoP": partner.proof("POST", partner.token_url)}
        return sent(http, TOKEN, headers, data=form_with(partner, assertion))

    assert nearly_right(partner.assertion, ask) <= {400, 401, 413}
    assert ask(partner.assertion()).status_code == 200


def test_a_proof_that_is_nearly_right_gets_no_token(http: httpx.Client, partner: Partner) -> None:
    def ask(proof: str) -> httpx.Response:
        return sent(http, TOKEN, {"DPoP": proof}, data=partner.form())

    def make() -> str:
        return partner.proof("POST", partner.token_url)

    assert nearly_right(make, ask) <= {400, 401, 431}
    assert ask(make()).status_code == 200


def signed_in(http: httpx.Client, partner: Partner) -> None:
    headers = {"DPoP": partner.proof("POST", partner.token_url)}
    partner.token = sent(http, TOKEN, headers, data=partner.form()).json()["access_token"]


def test_a_token_that_is_nearly_right_opens_nothing(http: httpx.Client, partner: Partner) -> None:
    signed_in(http, partner)

    def ask(token: str) -> httpx.Response:
        proof = partner.proof("POST", partner.origin + DISCLOSURES, token)
        return sent(http, DISCLOSURES, {"Authorization": f"DPoP {token}", "DPoP": proof}, json=BODY)

    assert nearly_right(lambda: partner.token, ask) <= {400, 401, 431}
    right = ask(partner.token)
    assert (right.status_code, right.json()["code"]) == (403, "no-access")


def test_a_call_whose_proof_is_nearly_right_is_none(http: httpx.Client, partner: Partner) -> None:
    signed_in(http, partner)

    def ask(proof: str) -> httpx.Response:
        headers = {"Authorization": f"DPoP {partner.token}", "DPoP": proof}
        return sent(http, DISCLOSURES, headers, json=BODY)

    def make() -> str:
        return partner.proof("POST", partner.origin + DISCLOSURES, partner.token)

    assert nearly_right(make, ask) <= {400, 401, 431}
    assert ask(make()).status_code == 403


async def code_of(sheet: DemoSheet, service: Service, partner: Partner, wanting: Wanting) -> str:
    citizen = sheet.citizens[0]
    async with http_at(service) as http:
        visitor = await arrived(http, partner, wanting, citizen)
        await visitor.prove(citizen)
        came = dict(parse_qsl(urlsplit(await visitor.agree("history")).query))
    return came["code"]


async def test_a_code_that_is_nearly_right_is_none_and_spoils_none(
    http: httpx.Client, partner: Partner, sheet: DemoSheet, service: Service
) -> None:
    found = next(one for one in sheet.app_clients if one.kind == "partner")
    wanting = Wanting(as_registered(found), scope=" ".join(PARTNER_GROUPS))
    code = await code_of(sheet, service, partner, wanting)

    def ask(text: str) -> httpx.Response:
        form = partner.form(**wanting.exchange(text))
        return sent(http, TOKEN, {"DPoP": partner.proof("POST", partner.token_url)}, data=form)

    assert nearly_right(lambda: code, ask, CODES) <= {400}
    right = ask(code)
    assert (right.status_code, ask(code).status_code) == (200, 400), right.text
