"""What an operator says of an OpenID Connect issuer, and what the issuer says of itself."""

from typing import Final, Literal

from msgspec import Struct, field

from identity.verification.models import Level

# Which of an issuer's claims says what. Only `name`, `birthdate` and `gender` are of the standard (OpenID
# Connect Core §5.1); what a Vietnamese issuer calls the personal number, and whether any names children, is
# unconfirmed, so both are settings.
CLAIMS: Final = {
    "number": "personal_number",
    "name": "name",
    "birth_date": "birthdate",
    "sex": "gender",
    "dependents": "",
}


class Issuer(Struct, frozen=True, kw_only=True):
    """One issuer, as configured.

    issuer: compared letter by letter. client_secret: empty for a public client. redirect_uri: our callback.
    levels: acr → level; an acr that is not here proves nothing. origins: further scheme-and-host pairs that
    this issuer's endpoints may lie on. insecure: plain http on this machine will do, in a demo and in tests.
    """

    issuer: str
    client_id: str
    client_secret: str = ""
    redirect_uri: str
    scopes: str = "openid profile"
    levels: dict[str, Level]
    claims: dict[str, str] = field(default_factory=CLAIMS.copy)
    origins: frozenset[str] = frozenset()
    insecure: bool = False


class Discovery(Struct, frozen=True):
    """OpenID Connect Discovery §3, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    code_challenge_methods_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(Struct, frozen=True):
    """RFC 6749 §5.1 with OpenID Connect Core §3.1.3.3."""

    id_token: str
    access_token: str
    token_type: str


class Kept(Struct, frozen=True):
    """What one transaction needs again when the browser is back."""

    nonce: str
    code_verifier: str


# Why an answer is not believed: for the operator's log, never with a value of it.
Reason = Literal[
    "denied",
    "issuer",
    "endpoint",
    "token-answer",
    "token-form",
    "algorithm",
    "critical-header",
    "key",
    "signature",
    "claims",
    "audience",
    "time",
    "nonce",
    "access-token-hash",
    "subject",
    "number",
    "not-fresh",
    "unreachable",
    "timeout",
    "status",
    "too-large",
    "busy",
]


class ProviderError(Exception):
    """The provider did not answer, or its answer is not believed. The text is the reason alone."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
