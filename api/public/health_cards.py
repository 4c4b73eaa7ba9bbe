"""What verifiers of our SMART Health Cards fetch: the issuer's keys and the cards it revoked.

At a path of the issuer's own: no other key of this service may verify as a health card's (security.md S28).
"""

from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter

from api.request import Call, answer
from vaccination.shc import service
from vaccination.shc.keys import ISSUER_PATH, CardKeys, RevokedCards
from vaccination.shc.problems import CARD_KEY_UNKNOWN

TAGS: Final = ["health-cards"]
# Verifiers ask for both with each card they see.
KEPT: Final = {"Cache-Control": "public, max-age=300"}
Kid = FromPath[Annotated[str, PathParameter(min_length=1, max_length=64)]]


@get(
    f"{ISSUER_PATH}/.well-known/jwks.json",
    actors=("public",),
    operation_id="health_card_keys",
    tags=TAGS,
    problems=(),
)
async def keys(call: NamedDependency[Call]) -> Response[CardKeys]:
    """The keys of the issuer of cards; `iss` of a card ends where `/.well-known` begins."""
    async with call.begin_public() as tx:
        found = await service.keys_of_cards(tx)
    return answer(found, headers=KEPT)


@get(
    ISSUER_PATH + "/.well-known/crl/{name:str}",
    actors=("public",),
    operation_id="revoked_health_cards",
    tags=TAGS,
    problems=(CARD_KEY_UNKNOWN,),
)
async def revoked(name: Kid, call: NamedDependency[Call]) -> Response[RevokedCards]:
    """The cards under one key that hold no longer, by their `rid`. name: `<kid>.json`."""
    async with call.begin_public() as tx:
        found = await service.revoked_under(tx, name)
    return answer(found, headers=KEPT)


handlers: list[Any] = [keys, revoked]
