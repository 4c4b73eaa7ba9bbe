"""ID tokens that somebody made or changed: no algorithm, other keys, tricks of the header (RFC 8725)."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from identity.tokens import to_base64url
from identity.verification.models import Started, Verified
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.problems import Refused
from partners.verifiers.id_tokens import header_of, read_id_token
from partners.verifiers.keys import choose
from partners.verifiers.models import Issuer, ProviderError
from partners.verifiers.oidc import OidcVerifier
from tests.support.clock import FrozenClock
from tests.support.identity_provider import CALLBACK, CLIENT, LEVELS, Provider, provider

NO = Refused(problem=VERIFICATION_REFUSED)
ISSUER = Issuer(issuer="https://id.example", client_id=CLIENT, redirect_uri=CALLBACK, levels=LEVELS)
SIGNED_BY = ECKey.generate_key("P-256", private=True)
STRANGER = ECKey.generate_key("P-256", private=True)


@pytest.fixture
async def issuer(clock: FrozenClock) -> AsyncIterator[Provider]:
    async with provider(clock) as made:
        yield made


async def believed(issuer: Provider, clock: FrozenClock) -> bool:
    """Whether the adapter takes what the issuer's token endpoint hands out."""
    verifier = OidcVerifier(issuer.configured(), seconds=2.0)
    begun = await verifier.start("state", clock.now())
    assert isinstance(begun, Started)
    done = await verifier.finish(issuer.sign_in(begun.address), begun.kept, clock.now())
    await verifier.close()
    assert done == NO or isinstance(done, Verified)
    return done != NO


def segment(value: Any) -> str:
    return to_base64url(json.dumps(value).encode())


def hs256(claims: dict[str, Any], secret: bytes, **header: Any) -> str:
    """By hand: libraries refuse to make these."""
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT', **header})}.{segment(claims)}"
    return f"{signed}.{to_base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS1", "ES256K"])
async def test_no_algorithm_off_the_list(issuer: Provider, clock: FrozenClock, alg: str) -> None:
    issuer.raw_token = lambda claims: f"{segment({'alg': alg, 'kid': 'k1'})}.{segment(claims)}."
    assert not await believed(issuer, clock)
    issuer.raw_token = lambda claims: f"{segment({'alg': alg, 'kid': 'k1'})}.{segment(claims)}.AAAA"
    assert not await believed(issuer, clock)


async def test_a_public_key_is_no_shared_secret(issuer: Provider, clock: FrozenClock) -> None:
    issuer.alg, issuer.key = "RS256", RSAKey.generate_key(2048, private=True)
    issuer.jwks = [issuer.public()]
    assert await believed(issuer, clock)
    public = issuer.key.as_pem(private=False)
    modulus = base64.urlsafe_b64decode(issuer.public()["n"] + "==")
    for secret in (public, public.strip(), json.dumps(issuer.public()).encode(), modulus, b""):
        issuer.raw_token = lambda claims, secret=secret: hs256(claims, secret, kid="k1")  # type: ignore[misc]
        assert not await believed(issuer, clock)


async def test_a_shared_secret_on_the_list_of_keys_is_none(issuer: Provider, clock: FrozenClock) -> None:
    secret = OctKey.generate_key(256)
    issuer.jwks = [{**secret.as_dict(private=True), "kid": "k1"}]
    issuer.raw_token = lambda claims: hs256(claims, secret.raw_value, kid="k1")
    assert not await believed(issuer, clock)


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "k2"},
        {"kid": ""},
        {"kid": "../../../../dev/null"},
        {"kid": "k1' OR '1'='1"},
        {"kid": 1},
        {"kid": ["k1"]},
        {"kid": {"k1": 1}},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"typ": "at+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 1},
        {"alg": "ES384"},
        {"alg": "RS256"},
    ],
    ids=str,
)
async def test_no_trick_of_the_header_passes(
    issuer: Provider, clock: FrozenClock, header: dict[str, Any]
) -> None:
    def made(claims: dict[str, Any]) -> str:
        protected = {"alg": "ES256", "typ": "JWT", "kid": "k1", **header}
        text = f"{segment(protected)}.{segment(claims)}"
        # Signed by the right key all the same.
        honest = jws.serialize_compact({"alg": "ES256"}, b"x", issuer.key)
        assert honest
        signature = issuer.key.private_key.sign(text.encode(), es256())  # type: ignore[union-attr, call-arg, arg-type]
        return f"{text}.{to_base64url(raw_signature(signature))}"

    issuer.raw_token = made
    assert not await believed(issuer, clock)


def es256() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    return ec.ECDSA(SHA256())


def raw_signature(der: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize("where", ["jwk", "jku", "x5u", "x5c"])
async def test_a_token_does_not_bring_its_own_key(issuer: Provider, clock: FrozenClock, where: str) -> None:
    brought: dict[str, Any] = {
        "jwk": {**STRANGER.as_dict(private=False), "kid": "k1"},
        "jku": f"{issuer.issuer}/strange-keys",
        "x5u": f"{issuer.issuer}/strange-keys",
        "x5c": [base64.b64encode(b"certificate").decode()],
    }
    header = {"alg": "ES256", "kid": "k1", "typ": "JWT", where: brought[where]}
    issuer.raw_token = lambda claims: jws.serialize_compact(header, json.dumps(claims), STRANGER)
    assert not await believed(issuer, clock)
    assert not any("strange" in path for path, _ in issuer.asked)


async def test_an_encrypted_token_or_one_in_pieces_is_none(issuer: Provider, clock: FrozenClock) -> None:
    def encrypted(claims: dict[str, Any]) -> str:
        header = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": "k1"}
        return jwe.encrypt_compact(header, json.dumps(claims), issuer.key)

    for make in (encrypted, lambda _: "", lambda _: "a.b", lambda _: "..", lambda _: "é.é.é"):
        issuer.raw_token = make
        assert not await believed(issuer, clock)
    issuer.raw_token = lambda claims: issuer.sign({**claims, "filler": "x" * 20_000})
    assert not await believed(issuer, clock)


async def test_the_token_of_another_sign_in_is_none(issuer: Provider, clock: FrozenClock) -> None:
    taken: list[str] = []

    def keep(claims: dict[str, Any]) -> str:
        taken.append(issuer.sign(claims))
        return taken[0]

    issuer.raw_token = keep
    assert await believed(issuer, clock)
    assert not await believed(issuer, clock)


@pytest.mark.parametrize(
    ("keys", "kid", "found"),
    [
        ([{"kid": "k1"}], "k1", True),
        ([{"kid": "k1"}], None, True),
        ([{}], None, True),
        ([{}], "k1", False),
        ([{"kid": "k1"}, {"kid": "k2"}], None, False),
        ([{"kid": "k1"}, {"kid": "k1"}], "k1", False),
        ([{"kid": "k1", "use": "enc"}], "k1", False),
        ([{"kid": "k1", "alg": "ES384"}], "k1", False),
        ([{"kid": "k1", "crv": "P-384"}], "k1", False),
        ([{"kid": "k1", "x": "AAAA"}], "k1", False),
        ([{"kid": "k1", "kty": "oct", "k": "AAAA"}], "k1", False),
        ([{"kid": "k1", "kty": None}], "k1", False),
        ([], "k1", False),
    ],
    ids=str,
)
def test_one_key_and_no_other_can_have_signed(keys: list[dict[str, Any]], kid: str, found: bool) -> None:
    listed = [{**SIGNED_BY.as_dict(private=False), **key} for key in keys]
    assert (choose(listed, kid, "ES256") is not None) is found


@pytest.mark.parametrize(("bits", "found"), [(1024, False), (2048, True)])
def test_short_rsa_keys_are_none(bits: int, found: bool) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = RSAKey.import_key(rsa.generate_private_key(65537, bits))  # type: ignore[arg-type]
    listed = [{**key.as_dict(private=False), "kid": "k1"}]
    for alg in ("RS256", "PS256"):
        assert (choose(listed, "k1", alg) is not None) is found


def honest(clock: FrozenClock) -> str:
    at = int(clock.now().timestamp())
    claims = {"iss": ISSUER.issuer, "sub": "sub-1", "aud": CLIENT, "nonce": "n", "acr": "loa2"}
    claims |= {"iat": at, "exp": at + 300, "auth_time": at}
    return jws.serialize_compact({"alg": "ES256", "kid": "k1"}, json.dumps(claims), SIGNED_BY)


def read(token: str, clock: FrozenClock) -> Any:
    header = header_of(token)
    return read_id_token(token, header, SIGNED_BY, ISSUER, nonce="n", access_token="a", now=clock.now())


TOKEN = honest(FrozenClock())


def test_the_token_that_is_changed_below_holds() -> None:
    assert read(TOKEN, FrozenClock())[0].sub == "sub-1"


@settings(max_examples=600)
@given(st.integers(0, len(TOKEN) - 1), st.characters(max_codepoint=0x2FF))
def test_one_changed_character_is_one_too_many(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    if to_bytes(changed) == to_bytes(TOKEN):
        return
    with pytest.raises(ProviderError):
        read(changed, FrozenClock())


@settings(max_examples=400)
@given(st.text(max_size=300))
def test_no_text_is_a_token_and_none_breaks_the_reader(text: str) -> None:
    for token in (text, f"{TOKEN.split('.')[0]}.{text}", f"{TOKEN}.{text}", TOKEN + text):
        if token == TOKEN:
            continue
        with pytest.raises(ProviderError):
            read(token, FrozenClock())


def to_bytes(token: str) -> list[bytes] | None:
    """What the segments say: the last character of one can have bits that say nothing."""
    try:
        return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    except ValueError:
        return None
