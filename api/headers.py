"""What the headers of a request say: a header's value, the token that it shows, and where it comes from."""

from typing import Final

from litestar.types import Scope

TOKEN_MAX: Final = 200


def read_header(scope: Scope, name: bytes) -> str | None:
    """The first header of that lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


def joined_header(scope: Scope, name: bytes) -> str | None:
    """All headers of that lower-case name as one value (RFC 9110 §5.3), so that none hides behind another."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ", ".join(values) if values else None


def only_header(scope: Scope, name: bytes) -> str | None:
    """A header that stands there once; None where it is absent or doubled."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


def presented_token(scope: Scope) -> tuple[str, str] | None:
    """Scheme (`bearer` or `dpop`) and token of `Authorization`; cookies are never looked at (S34)."""
    value = read_header(scope, b"authorization")
    if value is None or len(value) > TOKEN_MAX:
        return None
    scheme, _, rest = value.partition(" ")
    token = rest.strip()
    return (scheme.lower(), token) if token and scheme.lower() in ("bearer", "dpop") else None


def client_address(scope: Scope, trusted_proxies: frozenset[str]) -> str:
    """The peer, or what the nearest configured proxy saw; forwarded headers of others do not count (S20)."""
    client = scope.get("client")
    address = client[0] if client else ""
    hops = (read_header(scope, b"x-forwarded-for") or "").split(",") if address in trusted_proxies else []
    for hop in reversed(hops):
        if address not in trusted_proxies:
            break
        address = hop.strip() or address
    return address
