"""Who signs in how: the security schemes, and which of them an operation asks for."""

from typing import Any, Final

_OPAQUE: Final = "The token is base64url of random bytes and says nothing to an app."
_ENDED: Final = "it is not refreshed: after 401 not-signed-in"

# After the kind of account. An operation names the kinds that may call it.
_BEARERS: Final = {
    "citizen": "A citizen's session. POST /v1/auth/sign-in/verify gives the token, good for 10 minutes, and"
    " a refresh token; POST /v1/auth/refresh gives the next two, signed by the device's refresh key"
    " (mobile-contract/auth.md). Signed acts need the device's step-up key besides: in the body, or in the"
    " header X-Step-Up where there is none.",
    "practitioner": "A session of facility staff in one role. POST /v1/auth/practitioner/sign-in gives the"
    " token. It ends after 15 minutes without a call and after 12 hours at the latest;"
    f" {_ENDED} the person signs in again.",
    "facility-system": "An access token of a facility's system. POST /v1/auth/token gives one for an hour;"
    f" {_ENDED} the system asks for another.",
    "kiosk": "An access token of a kiosk or desk device. POST /v1/auth/token gives one for an hour;"
    f" {_ENDED} the device asks for another.",
    "app": "A token, bound to no key, of an app that a person chose. POST /oauth/token gives it for an"
    " authorization code, and the next one for the refresh token (RFC 6749 section 6).",
    "operator": "A session of an operator. POST /v1/auth/operator/sign-in gives the token. It ends after 15"
    f" minutes without a call and after 12 hours at the latest; {_ENDED} the person signs in again.",
}
# Tokens that are good only with a proof of the client's key (RFC 9449 section 7.1).
_BOUND: Final = {
    "partner": "A token of a partner's system, bound to its key, sent as `Authorization: DPoP <token>` with a"
    " proof in the header DPoP. POST /oauth/token gives it; it is not refreshed.",
    "app-bound": "A token of an app that a person chose, bound to the app's key, sent as `Authorization: DPoP"
    " <token>` with a proof in the header DPoP. POST /oauth/token gives it, and the next one for the refresh"
    " token and a proof of the same key.",
}
_PROOF: Final = (
    "A JWT of type dpop+jwt signed by the client's key for this very request: htm, htu, iat, jti and ath, the"
    " SHA-256 of the token (RFC 9449 section 4.2, RFC 8725). It lives a minute and counts once; one that does"
    " not hold is answered with 401 and what is wrong in WWW-Authenticate."
)

SCHEMES: Final[dict[str, dict[str, Any]]] = {
    **{
        name: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "opaque",
            "description": f"{text} {_OPAQUE}",
        }
        for name, text in _BEARERS.items()
    },
    **{name: {"type": "http", "scheme": "DPoP", "description": text} for name, text in _BOUND.items()},
    "proof": {"type": "apiKey", "in": "header", "name": "DPoP", "description": _PROOF},
}


def ways_in(actors: tuple[str, ...]) -> list[dict[str, list[str]]]:
    """What an operation of these actors asks for: one of the list, and everything that it names."""
    if "public" in actors:
        return []
    kinds = sorted({actor if actor in SCHEMES else "practitioner" for actor in actors})
    ways: list[dict[str, list[str]]] = [_with_proof(kind) if kind in _BOUND else {kind: []} for kind in kinds]
    return [*ways, _with_proof("app-bound")] if "app" in kinds else ways


def _with_proof(kind: str) -> dict[str, list[str]]:
    return {kind: [], "proof": []}
