"""The OpenID Connect adapter against a real issuer over HTTP, honest and otherwise."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from identity.verification.models import Started, Verified
from identity.verification.problems import VERIFICATION_REFUSED, VERIFICATION_UNAVAILABLE
from kernel.problems import Refused
from partners.verifiers.oidc import OidcVerifier
from tests.support.clock import FrozenClock
from tests.support.identity_provider import CALLBACK, CLIENT, PERSON, Provider, provider

NO = Refused(problem=VERIFICATION_REFUSED)
AWAY = Refused(problem=VERIFICATION_UNAVAILABLE)
STATE = "state-of-a-test"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


@pytest.fixture
async def verifier(issuer: Provider) -> AsyncIterator[OidcVerifier]:
    made = OidcVerifier(issuer.configured(), seconds=2.0)
    yield made
    await made.close()


async def started(verifier: OidcVerifier, clock: FrozenClock) -> Started:
    done = await verifier.start(STATE, clock.now())
    assert isinstance(done, Started)
    return done


async def signed_in(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, acr: str | None = "loa2", **claims: Any
) -> Verified | Refused:
    begun = await started(verifier, clock)
    return await verifier.finish(issuer.sign_in(begun.address, acr, **claims), begun.kept, clock.now())


async def test_a_sign_in_at_level_2_says_who_the_person_is(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    assert await signed_in(verifier, issuer, clock) == Verified(
        level=2,
        number=PERSON["personal_number"],
        name=PERSON["name"],
        birth_date=PERSON["birthdate"],
        sex="female",
    )


async def test_the_way_there_asks_for_everything_that_binds_the_answer(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    first, second = await started(verifier, clock), await started(verifier, clock)
    assert first.address.startswith(f"{issuer.issuer}/authorize?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(first.address).query).items()}
    assert asked | {"nonce": "", "code_challenge": ""} == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": STATE,
        "nonce": "",
        "code_challenge": "",
        "code_challenge_method": "S256",
        "acr_values": "loa2 loa1",
        "prompt": "login",
        "max_age": "300",
        "ui_locales": "vi",
    }
    again = parse_qs(urlsplit(second.address).query)
    assert len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    assert asked["nonce"] != again["nonce"][0]
    assert asked["code_challenge"] != again["code_challenge"][0]
    # The verifier itself never leaves before the exchange.
    assert json.loads(first.kept)["code_verifier"] not in first.address


@pytest.mark.parametrize(
    ("acr", "level"), [("loa2", 2), ("loa1", 1), ("loa3", 0), ("2", 0), ("LOA2", 0), ("", 0), (None, 0)]
)
async def test_an_acr_that_nobody_listed_proves_nothing(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, acr: str | None, level: int
) -> None:
    done = await signed_in(verifier, issuer, clock, acr)
    assert isinstance(done, Verified)
    assert done.level == level
    assert done.number == (PERSON["personal_number"] if level else None)
    assert level or done == Verified(level=0)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES384", "EdDSA", "Ed25519"])
async def test_every_listed_algorithm_works(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, alg: str
) -> None:
    issuer.alg, issuer.key = alg, make_key(alg)
    issuer.jwks = [issuer.public()]
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)


def make_key(alg: str) -> Any:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    if alg in ("RS256", "PS256"):
        return RSAKey.generate_key(2048, private=True)
    if alg in ("EdDSA", "Ed25519"):
        return OKPKey.generate_key("Ed25519", private=True)
    return ECKey.generate_key("P-384" if alg == "ES384" else "P-256", private=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": []},
        {"aud": None},
        {"azp": "another-client"},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"exp": -61},
        {"exp": 100_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": 61},
        {"iat": -700},
        {"iat": None},
        {"nbf": 61},
        {"auth_time": None},
        {"auth_time": -361},
        {"auth_time": 61},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"personal_number": None},
        {"personal_number": "12345"},
        {"personal_number": 1190000017},
        {"personal_number": ["001190000017"]},
    ],
    ids=str,
)
async def test_a_token_that_is_not_for_us_now_is_not_believed(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, changes: dict[str, Any]
) -> None:
    at = int(clock.now().timestamp())
    issuer.token_claims = {
        name: at + value if name in ("exp", "iat", "nbf", "auth_time") and isinstance(value, int) else value
        for name, value in changes.items()
    }
    assert await signed_in(verifier, issuer, clock) == NO


async def test_s9_the_sign_in_of_whoever_used_the_phone_before_is_not_this_persons(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    """The provider still knows the browser of before: a new sign-in was asked for, and its time is told."""
    at = int(clock.now().timestamp())
    for auth_time in (at - 361, at - 86_400, None):
        issuer.token_claims = {"auth_time": auth_time}
        assert await signed_in(verifier, issuer, clock) == NO
    issuer.token_claims = {"auth_time": at - 300}
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)


@pytest.mark.parametrize("seconds", [-60, 60])
async def test_clocks_may_differ_by_a_minute(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, seconds: int
) -> None:
    at = int(clock.now().timestamp()) + seconds
    issuer.token_claims = {"iat": at, "exp": at + 1 if seconds < 0 else at + 300, "auth_time": at, "nbf": at}
    issuer.token_claims["exp"] = max(issuer.token_claims["exp"], int(clock.now().timestamp()) - 59)
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)


@pytest.mark.parametrize(
    "answer",
    [
        {"iss": "https://other.example"},
        {"iss": ""},
        {"iss": None},
        {"code": None},
        {"code": "invented"},
        {"code": None, "error": "access_denied"},
        {"error": "access_denied"},
    ],
    ids=str,
)
async def test_an_answer_of_another_issuer_or_without_a_code_is_none(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, answer: dict[str, str | None]
) -> None:
    begun = await started(verifier, clock)
    given = issuer.sign_in(begun.address) | answer
    present = {name: value for name, value in given.items() if value is not None}
    done = await verifier.finish(present, begun.kept, clock.now())
    assert done in (NO, AWAY)
    if "iss" in answer or "error" in answer or answer.get("code", "") is None:
        assert [path for path, _ in issuer.asked] == [DISCOVERY]
        assert done == NO


async def test_a_code_serves_once_and_with_its_own_verifier_only(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    begun, other = await started(verifier, clock), await started(verifier, clock)
    given = issuer.sign_in(begun.address)
    assert isinstance(await verifier.finish(given, begun.kept, clock.now()), Verified)
    assert isinstance(await verifier.finish(given, begun.kept, clock.now()), Refused)
    assert isinstance(await verifier.finish(issuer.sign_in(begun.address), other.kept, clock.now()), Refused)


async def test_a_new_key_of_the_issuer_is_fetched_once_and_the_old_one_is_gone(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)
    stolen = issuer.key
    clock.advance(minutes=1)
    issuer.rotate("k2")
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)
    assert fetches(issuer) == 2
    # The key that leaked is off the list, whatever its tokens say of it.
    issuer.key, issuer.kid = stolen, "k1"
    assert await signed_in(verifier, issuer, clock) == NO
    assert fetches(issuer) == 2
    clock.advance(minutes=1)
    for _ in range(20):
        assert await signed_in(verifier, issuer, clock) == NO
    assert fetches(issuer) == 3


async def test_a_key_taken_off_the_list_counts_for_an_hour_at_most(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)
    issuer.jwks = []
    clock.advance(minutes=59)
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)
    clock.advance(minutes=1)
    assert await signed_in(verifier, issuer, clock) == NO


def fetches(issuer: Provider) -> int:
    return [path for path, _ in issuer.asked].count("/jwks")


async def test_what_the_token_leaves_out_comes_from_userinfo_of_the_same_person(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock
) -> None:
    issuer.token_claims = dict.fromkeys(PERSON)
    issuer.userinfo = {"sub": "sub-1", **PERSON, "acr": "loa2"}
    done = await signed_in(verifier, issuer, clock, "loa1")
    assert isinstance(done, Verified)
    assert (done.level, done.number) == (1, PERSON["personal_number"])
    for wrong in ("sub-2", None, "", ["sub-1"]):
        issuer.userinfo = {"sub": wrong, **PERSON}
        assert await signed_in(verifier, issuer, clock) == NO


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks", "/token"])
@pytest.mark.parametrize(
    "answer",
    [
        (500, "", b"{}"),
        (204, "", b""),
        (302, "location: http://127.0.0.1:1/\r\n", b""),
        (200, "content-type: text/html\r\n", b"<html>"),
        (200, "content-encoding: gzip\r\n", b"\x1f\x8b"),
        (200, "", b'{"a":"' + b"x" * 300_000 + b'"}'),
        (200, "", b"not json"),
        (200, "", b"[" * 100_000),
        (200, "", b"null"),
        (200, "", b"\xff\xfe"),
    ],
    ids=lambda answer: f"{answer[0]}-{answer[1][:16]}-{len(answer[2])}",
)
async def test_an_issuer_that_answers_badly_proves_nothing(
    verifier: OidcVerifier,
    issuer: Provider,
    clock: FrozenClock,
    path: str,
    answer: tuple[int, str, bytes],
) -> None:
    if path != DISCOVERY:
        await started(verifier, clock)
    issuer.answers[path] = answer
    if path == DISCOVERY:
        assert isinstance(await verifier.start(STATE, clock.now()), Refused)
    else:
        assert isinstance(await signed_in(verifier, issuer, clock), Refused)
    assert not any(asked == "/" for asked, _ in issuer.asked)


async def test_an_issuer_that_never_answers_is_away_and_nobody_waits_for_it_twice(
    issuer: Provider, clock: FrozenClock
) -> None:
    verifier = OidcVerifier(issuer.configured(), seconds=0.2)
    issuer.held.clear()
    done = await asyncio.gather(*(verifier.start(STATE, clock.now()) for _ in range(50)))
    assert done == [AWAY] * 50
    assert len(issuer.asked) == 1
    issuer.held.set()
    assert await verifier.start(STATE, clock.now()) == AWAY
    clock.advance(seconds=5)
    assert isinstance(await verifier.start(STATE, clock.now()), Started)
    await verifier.close()


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"token_endpoint": "https://other.example/token"},
        {"token_endpoint": "http://169.254.169.254/token"},
        {"jwks_uri": "http://127.0.0.1:1/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "http://[::1]/userinfo"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user@other.example/"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=str,
)
async def test_s29_what_an_identity_issuer_says_of_itself_leads_nowhere_else(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, discovery: dict[str, Any]
) -> None:
    issuer.discovery = discovery
    assert await verifier.start(STATE, clock.now()) == NO
    assert [path for path, _ in issuer.asked] == [DISCOVERY]


@pytest.mark.parametrize("tail", ["\x7f", "\n", " ", "é", "\\@other.example", "?x=[", "x" * 70_000])
async def test_an_address_that_is_none_breaks_nothing(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, tail: str
) -> None:
    issuer.discovery = {
        "jwks_uri": f"{issuer.issuer}/keys{tail}",
        "userinfo_endpoint": f"{issuer.issuer}/{tail}",
    }
    begun = await verifier.start(STATE, clock.now())
    if isinstance(begun, Started):
        done = await verifier.finish(issuer.sign_in(begun.address), begun.kept, clock.now())
        assert isinstance(done, Refused)


@pytest.mark.parametrize("token", ["", "a\r\nX-More: 1", "é", "\x00", " "])
async def test_an_access_token_that_is_none_breaks_nothing(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, token: str
) -> None:
    issuer.token_claims = dict.fromkeys([*PERSON, "at_hash"])
    issuer.userinfo = {"sub": "sub-2", **PERSON}
    issuer.token_answer = {"access_token": token}
    assert isinstance(await signed_in(verifier, issuer, clock), Refused)


async def test_the_issuers_name_is_compared_letter_by_letter(issuer: Provider, clock: FrozenClock) -> None:
    verifier = OidcVerifier(issuer.configured(issuer=issuer.issuer + "/"))
    assert await verifier.start(STATE, clock.now()) == NO
    await verifier.close()


async def test_without_tls_nobody_is_asked_outside_a_demo(issuer: Provider, clock: FrozenClock) -> None:
    verifier = OidcVerifier(issuer.configured(insecure=False))
    assert await verifier.start(STATE, clock.now()) == NO
    assert issuer.asked == []
    await verifier.close()


async def test_a_confidential_client_shows_its_secret_in_the_header_alone(
    issuer: Provider, clock: FrozenClock
) -> None:
    verifier = OidcVerifier(issuer.configured(client_secret="g:h €"))
    assert isinstance(await signed_in(verifier, issuer, clock), Verified)
    form = next(form for path, form in issuer.asked if path == "/token")
    # RFC 6749 §2.3.1: form-encoded, then Basic.
    assert form["authorization"].startswith("basic ")
    assert not {"client_id", "client_secret"} & set(form)
    await verifier.close()


async def test_children_that_the_issuer_names_count_at_level_2_alone(
    issuer: Provider, clock: FrozenClock
) -> None:
    configured = issuer.configured()
    verifier = OidcVerifier(
        issuer.configured(claims=configured.claims | {"dependents": "children"}), seconds=2.0
    )
    children = ["001220000011", "not a number", 7, "001220000012"]
    for acr, found in (("loa2", ("001220000011", "001220000012")), ("loa1", ())):
        done = await signed_in(verifier, issuer, clock, acr, children=children)
        assert isinstance(done, Verified)
        assert done.dependents == found
    for hostile in ("001220000011", {"0": "001220000011"}, ["001220000011"] * 21, None):
        done = await signed_in(verifier, issuer, clock, children=hostile)
        assert isinstance(done, Verified)
        assert done.dependents == ()
    await verifier.close()


@pytest.mark.parametrize("birth_date", ["0000-02-28", "28/02/1990", "1990-2-8", "", "1990-02-28\n"])
async def test_a_birth_date_in_no_form_we_know_is_none(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, birth_date: str
) -> None:
    done = await signed_in(verifier, issuer, clock, birthdate=birth_date)
    assert isinstance(done, Verified)
    assert done.birth_date is None


async def test_the_log_says_why_and_nothing_of_the_person(
    verifier: OidcVerifier, issuer: Provider, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.disable(logging.NOTSET)
    assert await signed_in(verifier, issuer, clock, nonce="another") == NO
    printed = capsys.readouterr()
    assert "nonce" in printed.out + printed.err
    assert PERSON["personal_number"] not in printed.out + printed.err
