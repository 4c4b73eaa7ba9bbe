"""The desk's scanner: what a card or a code is, to fill in a form with. It stores nothing, finds nobody."""

from typing import Annotated, Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from qr.card_texts import CardText
from qr.problems import QR_EXPIRED, QR_FORGED, SCAN_PROBLEMS
from qr.scanned import What, read_scanned
from qr.scanner import TEXT_MAX
from qr.tokens import Kind

# Whether a code of ours is forged or expired, the reader of its kind says.
_PROBLEMS = tuple(problem for problem in SCAN_PROBLEMS if problem not in (QR_EXPIRED, QR_FORGED))


class Scan(Struct, kw_only=True, forbid_unknown_fields=True):
    """text: as the scanner hands it over, with all that it puts around it."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class ScanRead(Struct, kw_only=True):
    """what: a code of ours (`kind` says for which route), an identity card (cccd), an insurance card (bhyt),
    a national prescription (erx), or a number alone. card: what the card says, which proves nothing:
    `review` names what to look at before believing it."""

    what: What
    kind: Kind | None
    card: CardText | None


@post(
    "/v1/facility/scans/read",
    actors=("clerk", "nurse", "doctor", "registry-officer"),
    operation_id="read_scan",
    tags=["desk"],
    status_code=200,
    problems=_PROBLEMS,
)
async def read_scan(data: JSONBody[Scan], call: NamedDependency[Call]) -> Response[ScanRead]:
    """What a card or a code says of its holder, to fill in a form with."""
    async with call.begin():
        scanned = read_scanned(data.text)
    if scanned.refused is not None:
        return answer(scanned.refused)
    return answer(ScanRead(what=scanned.what, kind=scanned.kind, card=scanned.card))


handlers: list[Any] = [read_scan]
