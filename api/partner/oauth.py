"""Tokens of clients: RFC 6749 with private_key_jwt (RFC 7523) and DPoP (RFC 9449), revocation (RFC 7009), and
what this server offers (RFC 8414)."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from api.connecting import code_grant, refresh_grant
from api.oauth import FORM_TYPE, TOKEN_PATH, Caller, caller_of, charge, oauth_answer, use_up
from api.request import Answer, Call, answer
from identity.app_clients import sessions
from identity.problems import TOO_MANY
from kernel.problems import ProblemError, Refused
from partners.oauth import problems
from partners.oauth.signed import ALGORITHMS
from partners.oauth.tokens import Grant, Granted, TokenRequest, client_credentials

TAGS: Final = ["oauth"]
PROBLEMS: Final = (
    problems.OAUTH_INVALID_REQUEST,
    problems.OAUTH_INVALID_CLIENT,
    problems.OAUTH_INVALID_GRANT,
    problems.OAUTH_UNAUTHORIZED_CLIENT,
    problems.OAUTH_UNSUPPORTED_GRANT_TYPE,
    problems.OAUTH_INVALID_SCOPE,
    problems.OAUTH_INVALID_DPOP_PROOF,
    TOO_MANY,
)
# By grant_type; what partners/smart redeems stands here too.
GRANTS: Final[dict[str, Grant]] = {
    "client_credentials": client_credentials,
    "authorization_code": code_grant,
    "refresh_token": refresh_grant,
}


class TokenForm(Struct, kw_only=True):
    """Fields of the form. What is not known is passed over, as RFC 6749 section 3.2 says."""

    grant_type: str
    client_id: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None
    scope: str | None = None
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    refresh_token: str | None = None


class RevocationForm(Struct, kw_only=True):
    """Fields of the form (RFC 7009)."""

    token: str
    token_type_hint: str | None = None
    client_id: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None


class OAuthTokens(Struct, kw_only=True, omit_defaults=True):
    """RFC 6749 section 5.1. patient: SMART's launch context. consent: what a partner names in its calls. sub:
    what this client calls the person; no other client's is the same."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    patient: str | None = None
    consent: str | None = None
    sub: str | None = None


class ServerMetadata(Struct, kw_only=True):
    """RFC 8414."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    pushed_authorization_request_endpoint: str
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    code_challenge_methods_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]
    dpop_signing_alg_values_supported: list[str]
    authorization_response_iss_parameter_supported: bool


@post(
    TOKEN_PATH,
    status_code=200,
    actors=("public",),
    operation_id="oauth_token",
    tags=TAGS,
    body=TokenForm,
    body_types=(FORM_TYPE,),
    problem_type="application/json",
    problems=PROBLEMS,
)
async def token(call: NamedDependency[Call]) -> Response[OAuthTokens]:
    """A token for a client that proves who it is."""
    try:
        caller = await caller_of(call, proof_wanted=True)
        granted = await _granted(call, caller)
    except ProblemError as error:
        return oauth_answer(error.refused)
    if isinstance(granted, Refused):
        return oauth_answer(granted)
    return answer(_view(granted), headers={"Pragma": "no-cache"})


@post(
    "/oauth/revoke",
    status_code=200,
    actors=("public",),
    operation_id="oauth_revoke",
    tags=TAGS,
    body=RevocationForm,
    body_types=(FORM_TYPE,),
    problem_type="application/json",
    problems=(
        problems.OAUTH_INVALID_REQUEST,
        problems.OAUTH_INVALID_CLIENT,
        TOO_MANY,
    ),
)
async def revoke(call: NamedDependency[Call]) -> Response[None]:
    """End a token and all that came of the same sign-in. A stranger's token and none at all end alike."""
    try:
        caller = await caller_of(call, proof_wanted=False)
        if "token" not in caller.form:
            return oauth_answer(Refused(problem=problems.OAUTH_INVALID_REQUEST, where="token"))
        async with call.begin_public() as tx:
            refused = await use_up(tx, caller)
            if refused is None:
                await sessions.revoke(tx, caller.client.client_id, caller.form["token"], call.now)
    except ProblemError as error:
        return oauth_answer(error.refused)
    return Answer(b"", status_code=200) if refused is None else oauth_answer(refused)


@get(
    "/.well-known/oauth-authorization-server",
    actors=("public",),
    operation_id="oauth_metadata",
    tags=TAGS,
    problems=(),
)
async def metadata(call: NamedDependency[Call]) -> Response[ServerMetadata]:
    """What this server offers to clients."""
    return answer(_offered(call.origin), headers={"Cache-Control": "public, max-age=300"})


async def _granted(call: Call, caller: Caller) -> Granted | Refused:
    grant_type = caller.form.get("grant_type")
    if grant_type is None:
        return Refused(problem=problems.OAUTH_INVALID_REQUEST, where="grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        return Refused(problem=problems.OAUTH_UNSUPPORTED_GRANT_TYPE, where="grant_type")
    asked = TokenRequest(client=caller.client, form=caller.form, jkt=caller.jkt, now=call.now)
    async with call.begin_public() as tx:
        refused = await use_up(tx, caller) or (None if caller.is_anybody else await charge(tx, call, caller))
        granted = refused or await grant(tx, call.keys, asked)
        if caller.is_anybody and isinstance(granted, Granted):
            spent = await charge(tx, call, caller)
            if spent is not None:
                # Undone: the code or the refresh token is still good when the quota is.
                raise ProblemError(spent)
    return granted


def _offered(origin: str) -> ServerMetadata:
    algorithms, methods = list(ALGORITHMS), ["private_key_jwt", "none"]
    return ServerMetadata(
        issuer=origin,
        authorization_endpoint=f"{origin}/oauth/authorize",
        token_endpoint=origin + TOKEN_PATH,
        revocation_endpoint=f"{origin}/oauth/revoke",
        pushed_authorization_request_endpoint=f"{origin}/oauth/par",
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANTS),
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=methods,
        token_endpoint_auth_signing_alg_values_supported=algorithms,
        revocation_endpoint_auth_methods_supported=methods,
        revocation_endpoint_auth_signing_alg_values_supported=algorithms,
        dpop_signing_alg_values_supported=algorithms,
        authorization_response_iss_parameter_supported=True,
    )


def _view(granted: Granted) -> OAuthTokens:
    tokens = granted.tokens
    return OAuthTokens(
        access_token=tokens.access_token,
        token_type=tokens.token_type,
        expires_in=tokens.expires_in_seconds,
        scope=tokens.scope,
        refresh_token=tokens.refresh_token,
        patient=granted.patient,
        consent=granted.consent,
        sub=granted.sub,
    )


handlers: list[Any] = [token, revoke, metadata]
