"""Verifying certificates and health cards, and what verifiers without a network keep: no account, and no
person in an address (security.md S34). A text arrives in a body, is judged and forgotten."""

import re
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.problems import INVALID_FIELD
from api.reading import kept_by_anybody
from api.request import Call, answer
from identity import budgets
from identity.problems import TOO_MANY
from kernel.problems import refuse
from vaccination.revocation import service as revocation
from vaccination.revocation.models import ListHead, RevocationList
from vaccination.revocation.problems import REVOCATION_LIST_NOT_FOUND
from vaccination.shc.keys import issuer_of
from vaccination.trust.publishing import OwnKeys, own_keys
from vaccination.verify import service
from vaccination.verify.models import Verdict

TAGS: Final = ["certificates"]
# As much as a code holds; the text of a card is shorter.
TEXT_MAX: Final = 10_000
# A verifier asks again after this at the earliest; a revocation is known everywhere by then.
MAX_AGE_SECONDS: Final = 300
_KID_BYTES_TEXT: Final = 11
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class CertificateText(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: of the code as it is, untrimmed: `HC1:…`, `shc:/…`, or a card as JWS."""

    text: Annotated[str, Meta(max_length=TEXT_MAX)]


class RevocationHeads(Struct, kw_only=True):
    """Every key that something was revoked under."""

    lists: list[ListHead]


After = Annotated[
    str | None, QueryParameter(max_length=80, description="`after` of the page before; none for the first.")
]


@post(
    "/v1/public/certificates/verify",
    actors=("public",),
    operation_id="verify_certificate",
    tags=TAGS,
    status_code=200,
    problems=(TOO_MANY,),
)
async def verify(data: JSONBody[CertificateText], call: NamedDependency[Call]) -> Response[Verdict]:
    """Verify a certificate: a verdict for every step and one status, whatever the text holds.

    A person still compares the holder with an identity document.
    """
    async with call.begin_public() as tx:
        subject = budgets.subject("certificate" + call.network_prefix())
        spent = await budgets.charge_or_refuse(tx, budgets.CERTIFICATE_CHECKS, subject, call.now)
        return answer(spent or await service.verify(tx, data.text, issuer_of(call.origin), call.now))


@get(
    "/v1/public/certificates/keys",
    actors=("public",),
    operation_id="certificate_keys",
    tags=TAGS,
    problems=(),
    conditional=True,
)
async def keys(call: NamedDependency[Call]) -> Response[OwnKeys]:
    """Our document signers, in the form of the European gateway: what a verifier without a network trusts."""
    async with call.begin_public() as tx:
        return kept_by_anybody(call, await own_keys(tx, call.now), MAX_AGE_SECONDS)


@get(
    "/v1/public/certificates/revocations",
    actors=("public",),
    operation_id="certificate_revocations",
    tags=TAGS,
    problems=(),
    conditional=True,
)
async def revocations(call: NamedDependency[Call]) -> Response[RevocationHeads]:
    """Which keys have a list, and how often each has changed."""
    async with call.begin_public() as tx:
        return kept_by_anybody(call, RevocationHeads(lists=await revocation.list_heads(tx)), MAX_AGE_SECONDS)


@get(
    "/v1/public/certificates/revocations/{kid:str}",
    actors=("public",),
    operation_id="certificate_revocation_list",
    tags=TAGS,
    problems=(REVOCATION_LIST_NOT_FOUND, INVALID_FIELD),
    conditional=True,
)
async def revocation_list(
    kid: FromPath[str], call: NamedDependency[Call], after: After = None
) -> Response[RevocationList]:
    """The hashes of what was revoked under a key, a page of 1,000. kid: base64url without padding."""
    if not _KID.match(kid):
        refuse(REVOCATION_LIST_NOT_FOUND)
    async with call.begin_public() as tx:
        try:
            page = await revocation.page_of(tx, _kid_of(kid), after, call.now)
        except ValueError:
            refuse(INVALID_FIELD, "after")
    return kept_by_anybody(call, page or refuse(REVOCATION_LIST_NOT_FOUND), MAX_AGE_SECONDS)


def _kid_of(text: str) -> str:
    """As lists have it: 8 bytes in base64 with padding; a health card key's thumbprint as it is."""
    if len(text) != _KID_BYTES_TEXT:
        return text
    return text.replace("-", "+").replace("_", "/") + "="


handlers: list[Any] = [verify, keys, revocations, revocation_list]
