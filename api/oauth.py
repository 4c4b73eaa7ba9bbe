"""Which client asks at an OAuth endpoint, and answers in the words of RFC 6749.

First everything that costs no transaction (the form, the client's keys, both signatures), then one in which
the proofs are used up. Errors are `application/json` with `error`, and our own members beside it.
"""

from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from api.headers import only_header
from api.problems import UNSUPPORTED_MEDIA_TYPE, problem_body
from api.request import Answer, Call, problem_answer
from identity import budgets
from identity.app_clients.models import AppClient
from identity.app_clients.service import live_client
from kernel.problems import ProblemError, ProblemType, Refused, refuse
from partners.oauth import problems
from partners.oauth.assertions import ASSERTION_TYPE, Assertion, Held, check_assertion, read_assertion
from partners.oauth.dpop import Proof, check_proof
from partners.oauth.forms import read_form
from partners.oauth.service import use_once
from store.database import Tx

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105
FORM_TYPE: Final = "application/x-www-form-urlencoded"
_PREFIX: Final = "oauth-"


class Caller(Struct, frozen=True, kw_only=True):
    """A client whose signatures hold. What is used up of them: `use_up`, in the transaction of the answer."""

    client: AppClient
    form: dict[str, str]
    assertion: Held | None
    proof: Proof | None

    @property
    def jkt(self) -> str | None:
        return None if self.proof is None else self.proof.jkt

    @property
    def is_anybody(self) -> bool:
        """A public client's name is no secret: nothing of the client's may be used up by it alone (S31)."""
        return self.assertion is None


async def caller_of(call: Call, *, proof_wanted: bool) -> Caller:
    """Who asks. Raises oauth-invalid-request, oauth-invalid-client, oauth-invalid-dpop-proof, too-many.

    proof_wanted: a DPoP proof that comes along is checked; an endpoint that hands out nothing passes it over.
    """
    form = await _form_of(call)
    assertion = _assertion_in(form)
    client_id = assertion.client_id if assertion is not None else _client_id_in(form)
    async with call.begin_public() as tx:
        who = budgets.subject(call.network_prefix())
        spent = await budgets.charge_or_refuse(tx, budgets.OAUTH_NETWORK, who, call.now)
        client = None if spent is not None else await live_client(tx, client_id)
    if spent is not None:
        raise ProblemError(spent)
    if client is None or (client.auth == "none") != (assertion is None):
        refuse(problems.OAUTH_INVALID_CLIENT)
    held = None
    if assertion is not None:
        # Keys may be fetched from the client's own address: nothing is open meanwhile.
        keys = await call.client_keys.of(client, assertion.kid, call.now)
        ours = (call.origin, call.origin + TOKEN_PATH, call.address)
        held = check_assertion(assertion, keys, ours, call.now)
        if held is None:
            refuse(problems.OAUTH_INVALID_CLIENT)
    proof = _proof_of(call) if proof_wanted else None
    return Caller(client=client, form=form, assertion=held, proof=proof)


async def use_up(tx: Tx, caller: Caller) -> Refused | None:
    """Use the proofs of a request up. Refused where one was used before: a returned refusal commits."""
    held, proof = caller.assertion, caller.proof
    if held is not None and not await use_once(tx, held.use_hash, held.expires_at):
        return Refused(problem=problems.OAUTH_INVALID_CLIENT)
    if proof is not None and not await use_once(tx, proof.use_hash, proof.expires_at):
        return Refused(problem=problems.OAUTH_INVALID_DPOP_PROOF)
    return None


async def charge(tx: Tx, call: Call, caller: Caller) -> Refused | None:
    """One call of the client, by its quotas in the register."""
    client = caller.client
    return await budgets.charge_app(
        tx, client.client_id, client.quota_per_minute, client.quota_per_day, call.now
    )


def oauth_answer(refused: Refused) -> Answer:
    """A refusal as RFC 6749 section 5.2 has it, with our own members beside `error`."""
    answer = problem_answer(refused)
    if not refused.problem.code.startswith(_PREFIX):
        return answer
    body: dict[str, Any] = msgspec.json.decode(problem_body(refused))
    said = {"error": error_of(refused.problem), "error_description": refused.problem.en} | body
    return Answer(msgspec.json.encode(said), status_code=refused.problem.status, headers=answer.headers)


def error_of(problem: ProblemType) -> str:
    """`oauth-invalid-client` is `invalid_client` there."""
    return problem.code.removeprefix(_PREFIX).replace("-", "_")


async def _form_of(call: Call) -> dict[str, str]:
    media_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        refuse(UNSUPPORTED_MEDIA_TYPE)
    form = read_form(await call.body())
    if form is None:
        refuse(problems.OAUTH_INVALID_REQUEST)
    # A secret would be a shared one: none is ever given out.
    if call.header("authorization") is not None or "client_secret" in form:
        refuse(problems.OAUTH_INVALID_CLIENT)
    return form


def _assertion_in(form: dict[str, str]) -> Assertion | None:
    text = form.get("client_assertion")
    if text is None and "client_assertion_type" not in form:
        return None
    assertion = read_assertion(text or "") if form.get("client_assertion_type") == ASSERTION_TYPE else None
    if assertion is None or form.get("client_id", str(assertion.client_id)) != str(assertion.client_id):
        refuse(problems.OAUTH_INVALID_CLIENT)
    return assertion


def _client_id_in(form: dict[str, str]) -> UUID:
    try:
        return UUID(form.get("client_id", ""))
    except ValueError:
        refuse(problems.OAUTH_INVALID_CLIENT)


def _proof_of(call: Call) -> Proof | None:
    if call.header("dpop") is None:
        return None
    text, method = only_header(call.request.scope, b"dpop") or "", call.request.method
    proof = check_proof(text, method=method, url=call.address, token=None, now=call.now)
    if proof is None:
        refuse(problems.OAUTH_INVALID_DPOP_PROOF)
    return proof
