"""Texts that clients sign: what is taken, and every way in which a token tries to choose its own key."""

import base64
import hashlib
import hmac
import json
import random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey

from identity.app_clients.models import jwks_text
from identity.app_clients.policy import is_redirect, public_key, wrong_field
from partners.oauth.assertions import check_assertion, read_assertion
from partners.oauth.dpop import check_proof, thumbprint
from partners.oauth.keys import keys_in
from partners.oauth.signed import holds, read
from tests.support.clock import FrozenClock
from tests.support.oauth import ORIGIN, TOKEN_URL, Partner, entry, key_of, public, sign

OURS = (ORIGIN, TOKEN_URL)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value: Any) -> str:
    return b64(json.dumps(value).encode())


def loaded(key: Any) -> Any:
    found = public_key(dict(key.as_dict(private=False)))
    assert found is not None
    return found


@pytest.fixture
def partner(clock: FrozenClock) -> Partner:
    return Partner(clock, uuid4(), key_of())


def is_taken(partner: Partner, text: str, *keys: Any) -> bool:
    assertion = read_assertion(text)
    if assertion is None:
        return False
    return check_assertion(assertion, [loaded(one) for one in keys], OURS, partner.clock.now()) is not None


def test_the_registered_key_alone_is_asked(partner: Partner) -> None:
    other = key_of(kid="k2")
    assert is_taken(partner, partner.assertion(), partner.key)
    assert is_taken(partner, partner.assertion(), other, partner.key)
    assert not is_taken(partner, partner.assertion(), other)
    assert not is_taken(partner, partner.assertion())
    # A kid names one key; another key of that name does not hold, and an unknown name leads nowhere.
    assert not is_taken(partner, partner.assertion(), key_of(kid="k1"))
    text = sign({"alg": "ES256", "kid": "k9"}, partner.claims(), partner.key)
    assert not is_taken(partner, text, partner.key)
    assert is_taken(partner, sign({"alg": "ES256"}, partner.claims(), partner.key), other, partner.key)


def test_s28_no_header_chooses_how_it_is_checked(partner: Partner) -> None:
    """alg none, HS* with the public key as the secret, keys and addresses inside, crit."""
    attacker = key_of(kid="k1")
    claims, own = partner.claims(), dict(attacker.as_dict(private=False))
    headers: list[dict[str, Any]] = [
        {"alg": "ES256", "jwk": own},
        {"alg": "ES256", "jku": "https://attacker.example.org/keys"},
        {"alg": "ES256", "x5u": "https://attacker.example.org/cert"},
        {"alg": "ES256", "x5c": ["MIIB"]},
        {"alg": "ES256", "crit": ["exp"], "exp": 1},
        {"alg": "ES256", "b64": False, "crit": ["b64"]},
        {"alg": "ES256", "zip": "DEF"},
    ]
    for header in headers:
        signing = part(header) + "." + part(claims)
        assert read_assertion(signing + "." + b64(b"s" * 64)) is None, header
    for alg in ("none", "None", "NONE", "HS256", "HS512", "", None, 5, ["ES256"]):
        for signature in ("", b64(b"x" * 32)):
            assert read_assertion(f"{part({'alg': alg})}.{part(claims)}.{signature}") is None
    for key in (partner.key, key_of("RS256")):
        raw = key.public_key
        for secret in (
            raw.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            raw.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        ):
            signing = part({"alg": "HS256", "kid": "k1"}) + "." + part(claims)
            mac = hmac.digest(secret, signing.encode(), hashlib.sha256)
            assert not is_taken(partner, f"{signing}.{b64(mac)}", key)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "PS256", "EdDSA"])
def test_an_algorithm_goes_with_its_own_kind_of_key(partner: Partner, alg: str) -> None:
    key = key_of(alg)
    text = sign({"alg": alg}, partner.claims(), key)
    assert is_taken(partner, text, key)
    for other in {"ES256", "ES384", "RS256", "PS256", "EdDSA"} - {alg}:
        _, body, signature = text.split(".")
        assert not is_taken(partner, f"{part({'alg': other})}.{body}.{signature}", key), other
    # A key that says what it is for is used for that alone.
    named = dict(key.as_dict(private=False)) | {"alg": "ES512"}
    assertion = read_assertion(text)
    assert assertion is not None
    assert not [one for one in [public_key(named)] if one is not None and holds(assertion.unchecked, one)]


def test_private_shared_weak_and_unknown_keys_are_none() -> None:
    keys: list[Any] = [
        ECKey.generate_key("P-256").as_dict(private=True),
        RSAKey.generate_key(2048).as_dict(private=True),
        OctKey.generate_key(256).as_dict(),
        RSAKey.generate_key(1024).as_dict(private=False),
        ECKey.generate_key("P-521").as_dict(private=False),
        ECKey.generate_key("secp256k1").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        ECKey.generate_key("P-256", {"use": "enc"}).as_dict(private=False),
        {"kty": "EC", "crv": "P-256", "x": b64(b"\1" * 32), "y": b64(b"\1" * 32)},
        {"kty": "RSA", "n": "AQAB", "e": "AQ"},
        {"kty": ["EC"], "crv": ["P-256"]},
        {},
        None,
        "text",
    ]
    for key in keys:
        assert public_key(key) is None, key
        assert keys_in(json.dumps({"keys": [key]})) == ()
    for text in ("", "[]", "{}", '{"keys": 5}', "x", '{"keys": {}}'):
        assert keys_in(text) == ()


def test_ten_thousand_mutations_of_a_good_assertion_open_nothing(partner: Partner) -> None:
    """Bits flipped, parts swapped, cut and doubled: none of them is taken, none raises."""
    chance, good = random.Random(20260123), partner.assertion()
    keys = [loaded(partner.key)]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= \n\0é"
    for _ in range(10_000):
        text = list(good)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            act = chance.randrange(4)
            if act == 0:
                text[at] = chance.choice(alphabet)
            elif act == 1:
                del text[at]
            elif act == 2:
                text.insert(at, chance.choice(alphabet))
            else:
                text[at:at] = text[: chance.randrange(20)]
        mutated = "".join(text)
        assertion = read_assertion(mutated)
        if assertion is None:
            continue
        taken = check_assertion(assertion, keys, OURS, partner.clock.now())
        # base64url has spare bits in its last character: the same octets, the same words.
        assert taken is None or _octets(mutated) == _octets(good)


def _octets(text: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(one + "=" * (-len(one) % 4)) for one in text.split(".")]


def test_a_proof_is_of_its_own_type_with_a_public_key_inside(partner: Partner, clock: FrozenClock) -> None:
    own = dict(partner.dpop_key.as_dict(private=False))

    def taken(header: dict[str, Any], key: Any = partner.dpop_key, **claims: Any) -> bool:
        said = {"jti": "a", "htm": "POST", "htu": TOKEN_URL, "iat": int(clock.now().timestamp())} | claims
        text = sign({"alg": "ES256"} | header, said, key)
        return check_proof(text, method="POST", url=TOKEN_URL, token=None, now=clock.now()) is not None

    assert taken({"typ": "dpop+jwt", "jwk": own})
    assert not taken({"typ": "JWT", "jwk": own})
    assert not taken({"jwk": own})
    assert not taken({"typ": "dpop+jwt"})
    assert not taken({"typ": "dpop+jwt", "jwk": dict(key_of().as_dict(private=False))})
    assert not taken({"typ": "dpop+jwt", "jwk": own, "jku": "https://a.example.org"})
    private = dict(partner.dpop_key.as_dict(private=True))
    signing = part({"alg": "ES256", "typ": "dpop+jwt", "jwk": private}) + "." + part({})
    assert (
        check_proof(f"{signing}.{b64(b's' * 64)}", method="POST", url=TOKEN_URL, token=None, now=clock.now())
        is None
    )
    secret = {"kty": "oct", "k": b64(b"k" * 32)}
    signing = part({"alg": "HS256", "typ": "dpop+jwt", "jwk": secret}) + "." + part({})
    assert read(f"{signing}.{b64(b's' * 32)}") is None
    for claims in (
        {"jti": 5},
        {"jti": "x" * 257},
        {"iat": "now"},
        {"iat": True},
        {"htm": "post"},
        {"htu": None},
    ):
        assert not taken({"typ": "dpop+jwt", "jwk": own}, **claims), claims
    for same in ("HTTP://LOCALHOST:80/oauth/token", TOKEN_URL + "#x"):
        assert taken({"typ": "dpop+jwt", "jwk": own}, htu=same), same
    for other in ("http://localhost:81/oauth/token", "https://localhost/oauth/token", TOKEN_URL + "/", "x"):
        assert not taken({"typ": "dpop+jwt", "jwk": own}, htu=other), other


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The example of section 3.1; its key is RSA."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnY"
        "b9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0"
        "Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = JWKRegistry.import_key({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_an_entry_names_what_is_wrong_with_it() -> None:
    key = public(key_of())
    wrong: dict[str, dict[str, Any]] = {
        "auth": {"auth": "none", "jwks": None},
        "groups_max": {"jwks": key, "groups_max": []},
        "scopes_max": {"jwks": key, "scopes_max": ["patient/*.rs"]},
        "jwks": {"jwks": None},
        "jwks_uri": {"jwks": None, "jwks_uri": "https://10.0.0.1/keys"},
        "webhook_uri": {"jwks": key, "webhook_uri": "http://partner.example.org/hook"},
        "redirect_uris": {"jwks": key, "redirect_uris": ["http://partner.example.org/back"]},
    }
    for field, other in wrong.items():
        assert wrong_field(entry(**other)) == field
    assert wrong_field(entry(jwks=key, jwks_uri="https://partner.example.org/keys")) == "jwks"
    assert wrong_field(entry(jwks={"keys": []})) == "jwks"
    assert wrong_field(entry(jwks={"keys": [RSAKey.generate_key(1024).as_dict(private=False)]})) == "jwks"
    private = {"keys": [dict(key_of().as_dict(private=True))]}
    assert wrong_field(entry(jwks=private)) == "jwks"
    assert wrong_field(entry(jwks=key)) is None
    assert wrong_field(entry(jwks=None, jwks_uri="https://partner.example.org/keys")) is None


@pytest.mark.parametrize(
    "member",
    [
        {"d": "AAAA"},
        {"p": "AAAA"},
        {"q": "AAAA"},
        {"dp": "AAAA"},
        {"dq": "AAAA"},
        {"qi": "AAAA"},
        {"oth": [{"r": "AAAA", "d": "AAAA", "t": "AAAA"}]},
        {"k": "AAAA"},
        {"kty": "oct"},
    ],
    ids=lambda member: next(iter(member)),
)
def test_a_private_or_shared_key_is_seen_and_refused(member: dict[str, Any]) -> None:
    (key,) = public(key_of())["keys"]
    assert wrong_field(entry(jwks={"keys": [key | member]})) == "jwks"


def test_members_of_a_public_key_that_mean_nothing_here_are_left_alone() -> None:
    """RFC 7517 sections 4 and 5: what is not understood is ignored, and never kept or fetched."""
    (key,) = public(key_of())["keys"]
    more = {
        "x5c": ["MIIB"],
        "x5t": "c3Vt",
        "x5t#S256": "c3Vt",
        "x5u": "https://partner.example.org/chain.pem",
        "key_ops": ["verify"],
        "ext": True,
        "exp": 1_800_000_000,
        "vendor": {"any": "thing"},
    }
    new = entry(jwks={"keys": [key | more], "issued": 1})
    assert wrong_field(new) is None
    kept = msgspec.json.decode(jwks_text(new) or "")
    assert kept == {"keys": [key | {"key_ops": ["verify"]}]}


@pytest.mark.parametrize(
    ("uri", "web", "native"),
    [
        ("https://app.example.org/back", True, True),
        ("https://app.example.org/back?x=1", True, True),
        ("http://127.0.0.1/back", False, True),
        ("http://[::1]:8000/back", False, True),
        ("vn.example.app:/back", False, True),
        ("http://localhost/back", False, False),
        ("http://app.example.org/back", False, False),
        ("https://app.example.org/back#part", False, False),
        ("https://user@app.example.org/back", False, False),
        ("https:///back", False, False),
        ("app:/back", False, False),
        ("javascript:alert(1)", False, False),
        ("data:text/html,x", False, False),
        ("https://app.example.org/\n", False, False),
        ("https://app.example.org\\@evil.example.org/", False, False),
        ("https://[::1", False, False),
    ],
)
def test_answers_go_only_where_nobody_else_listens(uri: str, web: bool, native: bool) -> None:
    assert is_redirect(uri, native=False) is web
    assert is_redirect(uri, native=True) is native
