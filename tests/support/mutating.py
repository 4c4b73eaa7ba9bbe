"""Texts that are nearly right: what a client sends, changed by somebody who has no key."""

import base64
import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEADERS: Final[tuple[dict[str, Any], ...]] = (
    {"alg": "none"},
    {"alg": "HS256"},
    {"alg": "RS256"},
    {"alg": "ES384"},
    {"kid": "other"},
    {"kid": ["k1"]},
    {"crit": ["exp"]},
    {"b64": False, "crit": ["b64"]},
    {"jku": "https://127.0.0.1/keys"},
    {"typ": 7},
    {"jwk": {"kty": "oct", "k": "AAAA"}},
)
CLAIMS: Final[tuple[dict[str, Any], ...]] = (
    {"exp": 9_999_999_999},
    {"exp": "soon"},
    {"exp": 1e308},
    {"iat": -1},
    {"jti": ""},
    {"jti": {}},
    {"aud": []},
    {"iss": None},
    {"sub": "00000000-0000-0000-0000-000000000000"},
    {"htm": "get"},
    {"htu": "http://localhost/"},
    {"ath": None},
)

Change = Callable[[str], str]


def _replaced(place: float, sign: str) -> Change:
    def change(text: str) -> str:
        at = int(place * (len(text) - 1))
        return text[:at] + sign + text[at + 1 :]

    return change


def _cut(place: float, length: int) -> Change:
    def change(text: str) -> str:
        at = int(place * len(text))
        return text[:at] + text[at + length :]

    return change


def _put_in(place: float, more: str) -> Change:
    def change(text: str) -> str:
        at = int(place * len(text))
        return text[:at] + more + text[at:]

    return change


def _member(part: int, other: dict[str, Any]) -> Change:
    """A JWS whose header or claims say something else, under the signature that it had. Other texts: cut."""

    def change(text: str) -> str:
        parts = text.split(".")
        if len(parts) != 3:
            return text[:-1]
        said = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
        parts[part] = base64.urlsafe_b64encode(json.dumps(said | other).encode()).rstrip(b"=").decode()
        return ".".join(parts)

    return change


_PLACE: Final = st.floats(0, 1)
# No sign of a control: a client library refuses to send one in a header.
_TEXT: Final = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
CHANGES: Final[st.SearchStrategy[Change]] = st.one_of(
    st.builds(_replaced, _PLACE, st.sampled_from(ALPHABET + ".=+/ \t")),
    st.builds(_cut, _PLACE, st.integers(1, 40)),
    st.builds(_put_in, _PLACE, _TEXT),
    st.builds(_member, st.just(0), st.sampled_from(HEADERS)),
    st.builds(_member, st.just(1), st.sampled_from(CLAIMS)),
    st.builds(lambda other: lambda _text: other, _TEXT),
    st.just(lambda text: text + "."),
    st.just(lambda text: text.rpartition(".")[0] + "."),
    st.just(lambda text: text * 40),
)
