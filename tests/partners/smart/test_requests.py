"""What a client's request must say, and where its answer may go (RFC 6749, RFC 8252 §7.3, RFC 9207)."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from identity.app_clients.models import AppClient
from partners.oauth.forms import read_form
from partners.smart.pkce import answers, is_challenge
from partners.smart.policy import days_offered
from partners.smart.requests import (
    AuthorizationRequest,
    Refusal,
    answer_address,
    origin_of,
    read_request,
    redirect_of,
    wish_of,
)

BASE = "https://so.example.vn/fhir"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def client(**other: Any) -> AppClient:
    said: dict[str, Any] = {
        "client_id": UUID(int=1),
        "kind": "app",
        "name": "Ứng dụng",
        "holder": "Công ty",
        "auth": "none",
        "jwks": None,
        "jwks_uri": None,
        "redirect_uris": ["https://app.example.org/back"],
        "scopes_max": ["launch/patient", "offline_access", "patient/Condition.rs", "patient/Patient.rs"],
        "groups_max": [],
        "quota_per_day": 10,
        "quota_per_minute": 10,
        "webhook_uri": None,
        "created_at": NOW,
        "changed_at": NOW,
        "ended_at": None,
    }
    return AppClient(**(said | other))


def asked(**other: str | None) -> dict[str, str]:
    said: dict[str, str | None] = {
        "response_type": "code",
        "redirect_uri": "https://app.example.org/back",
        "scope": "launch/patient patient/Condition.rs",
        "state": "s",
        "aud": BASE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (said | other).items() if value is not None}


def fault(who: AppClient, *, pushed: bool = False, **other: str | None) -> Refusal | None:
    found = read_request(who, asked(**other), audience=BASE, pushed=pushed)
    return None if isinstance(found, AuthorizationRequest) else found


def test_a_whole_request_is_taken() -> None:
    found = read_request(client(), asked(), audience=BASE, pushed=False)
    assert isinstance(found, AuthorizationRequest)
    assert found.code_challenge == CHALLENGE
    assert fault(client(), aud=f"{BASE}/") is None


@pytest.mark.parametrize(
    ("other", "error", "where"),
    [
        ({"response_type": None}, "unsupported_response_type", "response_type"),
        ({"response_type": "code token"}, "unsupported_response_type", "response_type"),
        ({"state": None}, "invalid_request", "state"),
        ({"state": "x" * 1001}, "invalid_request", "state"),
        ({"aud": None}, "invalid_request", "aud"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request", "aud"),
        ({"launch": "abc"}, "invalid_request", "launch"),
        ({"login_hint": "001190000017"}, "invalid_request", "login_hint"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request", "code_challenge"),
        ({"code_challenge": f"{CHALLENGE}\n"}, "invalid_request", "code_challenge"),
        ({"code_challenge_method": "plain"}, "invalid_request", "code_challenge_method"),
        ({"dpop_jkt": "short"}, "invalid_request", "dpop_jkt"),
        ({"scope": "openid"}, "invalid_scope", "scope"),
        ({"scope": "patient/Procedure.rs"}, "invalid_scope", "scope"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_what_is_wrong_is_told_at_the_client_s_own_address(
    other: dict[str, str | None], error: str, where: str
) -> None:
    found = fault(client(), **other)
    assert found is not None
    assert (found.error, found.where, found.home) == (error, where, True)


@pytest.mark.parametrize(
    "redirect",
    [
        None,
        "https://app.example.org/back/",
        "https://app.example.org/Back",
        "https://app.example.org:443/back",
        "https://app.example.org/back?x=1",
        "https://app.example.org/back#x",
        "https://app.example.org@evil.example/back",
        "https://evil.example/back",
        "http://app.example.org/back",
        "https://app.example.org/back\n",
        "https://app.example.org/back%2f..",
        "javascript:alert(1)",
    ],
)
def test_nothing_goes_to_an_address_that_was_not_registered(redirect: str | None) -> None:
    found = fault(client(), redirect_uri=redirect)
    assert found is not None
    assert not found.home


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("http://127.0.0.1/back", True),
        ("http://127.0.0.1:1/back", True),
        ("http://127.0.0.1:65535/back", True),
        ("http://127.0.0.1:65536/back", False),
        ("http://127.0.0.1:0/back", False),
        ("http://127.0.0.1:/back", False),
        ("http://127.0.0.1:80x/back", False),
        ("http://127.0.0.1:80@evil.example/back", False),
        ("http://127.0.0.1:8000/other/back", False),
        ("http://127.0.0.1:8000/back?x", False),
        ("https://127.0.0.1:8000/back", False),
        ("http://localhost:8000/back", False),
        ("http://[::1]:8000/back", True),
        ("http://[::1]:8000/else", False),
        ("vn.example.app:/back", True),
        ("vn.example.app:/back2", False),
    ],
)
def test_an_own_machine_s_port_is_free_and_nothing_else(given: str, right: bool) -> None:
    who = client(redirect_uris=["http://127.0.0.1/back", "http://[::1]:9/back", "vn.example.app:/back"])
    assert (redirect_of(who, given) == given) is right


def test_an_app_asks_for_no_more_than_it_is_registered_for() -> None:
    wish = wish_of(client(), "launch/patient offline_access patient/*.read patient/Patient.rs")
    assert wish is not None
    assert wish.boxes == ["Condition", "Patient"]
    assert wish.offline
    stays = wish_of(client(scopes_max=["patient/Condition.rs"]), "offline_access patient/*.rs")
    assert stays is not None
    assert not stays.offline
    assert days_offered(stays) == (1,)


def test_a_partner_asks_by_groups_all_of_which_are_its_own() -> None:
    who = client(kind="partner", scopes_max=[], groups_max=["history", "summary"])
    wish = wish_of(who, "summary history")
    assert wish is not None
    assert wish.boxes == ["history", "summary"]
    for scope in ("summary encounters", "", " ", "summary  history", "patient/*.rs", "summary\n"):
        assert wish_of(who, scope) is None, scope


def test_a_form_says_a_thing_once() -> None:
    assert read_form(b"a=1&b=%C3%A2&c=") == {"a": "1", "b": "â"}
    for bad in (b"a=1&a=2", b"a=%00", b"a=%ff", "a=â".encode(), b"a=1" + b"&b=1" * 70, b"x" * 20_000):
        assert read_form(bad) is None


def test_an_answer_names_its_server_and_keeps_what_was_there() -> None:
    address = answer_address(
        "https://app.example.org/back?x=1", "https://so.example.vn", "a b&c", {"code": "k"}
    )
    assert address.startswith("https://app.example.org/back?x=1&")
    assert parse_qs(urlsplit(address).query) == {
        "x": ["1"],
        "code": ["k"],
        "state": ["a b&c"],
        "iss": ["https://so.example.vn"],
    }


@pytest.mark.parametrize(
    ("redirect", "origin"),
    [
        ("https://app.example.org/back", "https://app.example.org"),
        ("http://127.0.0.1:8000/back", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/back", "http:"),
        ("vn.example.app:/back", "vn.example.app:"),
    ],
)
def test_a_page_s_forms_lead_to_that_origin_alone(redirect: str, origin: str) -> None:
    assert origin_of(redirect) == origin


def test_the_rfc_s_own_verifier_answers_its_challenge() -> None:
    assert is_challenge(CHALLENGE)
    assert answers(CHALLENGE, VERIFIER)
    for wrong in (VERIFIER[:-1], VERIFIER + "\n", CHALLENGE, "", "é" * 43, "A" * 129):
        assert not answers(CHALLENGE, wrong)
