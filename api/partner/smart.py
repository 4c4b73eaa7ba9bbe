"""Where apps learn what is offered (SMART App Launch 2.2), and where clients send what they will ask for
(RFC 9126)."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from api.connecting import FHIR_PATH
from api.oauth import FORM_TYPE, TOKEN_PATH, Caller, caller_of, charge, oauth_answer, use_up
from api.request import Call, answer
from identity import budgets
from identity.problems import TOO_MANY
from kernel.problems import ProblemError, ProblemType, Refused
from partners.oauth import problems
from partners.oauth.signed import ALGORITHMS
from partners.smart.authorizing import push
from partners.smart.policy import PUSHED_LIFE
from partners.smart.problems import OAUTH_UNSUPPORTED_RESPONSE_TYPE
from partners.smart.requests import AuthorizationRequest, Fault, Refusal, read_request
from partners.smart.scopes import BY_RESOURCE, COMPANIONS, LAUNCH, OFFLINE
from store.database import Tx

TAGS: Final = ["oauth"]
CONFIGURATION_PATH: Final = f"{FHIR_PATH}/.well-known/smart-configuration"
# openid, fhirUser and launch-ehr are not among them (partners/smart/scopes.py says why).
CAPABILITIES: Final = (
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-v1",
    "permission-v2",
)
_FAULTS: Final[dict[Fault, ProblemType]] = {
    "invalid_request": problems.OAUTH_INVALID_REQUEST,
    "invalid_scope": problems.OAUTH_INVALID_SCOPE,
    "unsupported_response_type": OAUTH_UNSUPPORTED_RESPONSE_TYPE,
}


class PushedForm(Struct, kw_only=True):
    """Fields of the form. login_hint: the personal number of whom a partner asks; nobody is looked up by it.
    aud: of an app, the address of our FHIR endpoint."""

    response_type: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    client_id: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None
    state: str | None = None
    aud: str | None = None
    login_hint: str | None = None
    dpop_jkt: str | None = None


class PushedRequest(Struct, kw_only=True):
    """RFC 9126 section 2.2. request_uri: for one browser, once."""

    request_uri: str
    expires_in: int


class SmartConfiguration(Struct, kw_only=True):
    """SMART App Launch 2.2, `.well-known/smart-configuration`."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    pushed_authorization_request_endpoint: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    code_challenge_methods_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    scopes_supported: list[str]
    capabilities: list[str]


@post(
    "/oauth/par",
    status_code=201,
    actors=("public",),
    operation_id="oauth_par",
    tags=TAGS,
    body=PushedForm,
    body_types=(FORM_TYPE,),
    problem_type="application/json",
    problems=(
        problems.OAUTH_INVALID_REQUEST,
        problems.OAUTH_INVALID_CLIENT,
        problems.OAUTH_INVALID_SCOPE,
        problems.OAUTH_INVALID_DPOP_PROOF,
        OAUTH_UNSUPPORTED_RESPONSE_TYPE,
        TOO_MANY,
    ),
)
async def par(call: NamedDependency[Call]) -> Response[PushedRequest]:
    """Say before the browser comes what will be asked for."""
    try:
        pushed = await _push(call, await caller_of(call, proof_wanted=True))
    except ProblemError as error:
        return oauth_answer(error.refused)
    if isinstance(pushed, Refused):
        return oauth_answer(pushed)
    return answer(PushedRequest(request_uri=pushed, expires_in=int(PUSHED_LIFE.total_seconds())))


@get(
    CONFIGURATION_PATH,
    actors=("public",),
    operation_id="smart_configuration",
    tags=TAGS,
    problems=(),
)
async def configuration(call: NamedDependency[Call]) -> Response[SmartConfiguration]:
    """What apps that people choose need to know."""
    return answer(_configuration(call.origin), headers={"Cache-Control": "public, max-age=300"})


def _configuration(origin: str) -> SmartConfiguration:
    return SmartConfiguration(
        issuer=origin,
        authorization_endpoint=f"{origin}/oauth/authorize",
        token_endpoint=origin + TOKEN_PATH,
        revocation_endpoint=f"{origin}/oauth/revoke",
        pushed_authorization_request_endpoint=f"{origin}/oauth/par",
        grant_types_supported=["authorization_code", "refresh_token"],
        response_types_supported=["code"],
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=["private_key_jwt", "none"],
        token_endpoint_auth_signing_alg_values_supported=list(ALGORITHMS),
        scopes_supported=_scopes(),
        capabilities=list(CAPABILITIES),
    )


async def _push(call: Call, caller: Caller) -> str | Refused:
    client, form = caller.client, dict(caller.form)
    if caller.jkt is not None and form.setdefault("dpop_jkt", caller.jkt) != caller.jkt:
        return Refused(problem=problems.OAUTH_INVALID_DPOP_PROOF, where="dpop_jkt")
    async with call.begin_public() as tx:
        refused = await use_up(tx, caller) or await _charge(tx, call, caller)
        if refused is not None:
            return refused
        asked = read_request(client, form, audience=call.origin + FHIR_PATH, pushed=True)
        if isinstance(asked, AuthorizationRequest):
            return await push(tx, call.keys, client, asked, call.now)
    return _refused(asked)


async def _charge(tx: Tx, call: Call, caller: Caller) -> Refused | None:
    """Whoever only says the name of a public client is charged as a browser that brings its wish along."""
    if not caller.is_anybody:
        return await charge(tx, call, caller)
    network = budgets.subject(call.network_prefix())
    return await budgets.charge_or_refuse(tx, budgets.CONNECT_PAGES_NETWORK, network, call.now)


def _refused(refusal: Refusal) -> Refused:
    return Refused(problem=_FAULTS[refusal.error], where=refusal.where)


def _scopes() -> list[str]:
    kinds = sorted({"*", *BY_RESOURCE, *COMPANIONS})
    return [LAUNCH, OFFLINE, *(f"patient/{kind}.rs" for kind in kinds)]


handlers: list[Any] = [par, configuration]
