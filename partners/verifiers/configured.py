"""The issuer as an operator writes it down; pure. A mistake is a ValueError that says what is expected."""

import re
from collections.abc import Iterable
from typing import Final

from identity.verification.models import Level
from partners.verifiers.http import origin_of
from partners.verifiers.models import CLAIMS

_LEVELS: Final[dict[str, Level]] = {"1": 1, "2": 2}
_APP_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


def read_levels(words: Iterable[str]) -> dict[str, Level]:
    """`acr=level`; an acr can be an address and hold `=` itself."""
    levels: dict[str, Level] = {}
    for word in words:
        acr, _, level = word.rpartition("=")
        if not acr or level not in _LEVELS or acr in levels or " " in acr:
            raise ValueError("expected `acr=1` or `acr=2`, each acr once, with commas between")
        levels[acr] = _LEVELS[level]
    return levels


def read_claims(words: Iterable[str]) -> dict[str, str]:
    """`ours=theirs`; what is not named keeps its standard name."""
    claims = dict(CLAIMS)
    for word in words:
        ours, _, theirs = word.partition("=")
        if ours not in CLAIMS or not theirs:
            raise ValueError(f"expected `ours=theirs` for {', '.join(CLAIMS)}, with commas between")
        claims[ours] = theirs
    return claims


def is_issuer(address: str, *, insecure: bool) -> bool:
    """https, without user, query or fragment (OIDC Discovery §3); in clear on this machine in a demo."""
    return origin_of(address, insecure=insecure) is not None and not {"?", "#"} & set(address)


def is_origin(address: str) -> bool:
    """Scheme, host and port alone, as they are compared."""
    return origin_of(address, insecure=True) == address


def is_app_address(address: str) -> bool:
    """A claimed https link, or a scheme of an app's own with a dot in it, as RFC 8252 §7.1 wants it."""
    if {"?", "#", "\\"} & set(address) or not address.isascii():
        return False
    scheme = address.partition(":")[0]
    return origin_of(address, insecure=False) is not None or _APP_SCHEME.fullmatch(scheme) is not None
