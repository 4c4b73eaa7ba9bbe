"""The person's vaccination book as SMART Health Cards: made on demand, shown as codes, taken as a file."""

from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from api.acting import begin_for
from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import claim, settle
from api.reading import OWN_PROBLEMS, Build, log_read, read_beside_record
from api.request import Answer, Call, answer
from documents.charts import MEDIA_TYPE as SVG
from ehr.reads.models import Built
from family.problems import NOT_IN_YOUR_CARE
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from vaccination.shc import issuing, reading
from vaccination.shc.keys import issuer_of
from vaccination.shc.models import Book, CardFile, CardRow, CardShown, CardTexts, HealthCards
from vaccination.shc.problems import CARD_BEING_MADE, CARD_EMPTY, CARD_NOT_FOUND, CARD_PERSON_UNCLEAR
from vaccination.shc.reading import Picture
from vaccination.signer.problems import SIGNER_AWAY

TAGS: Final = ["health-cards"]
READ: Final = (*(one for one in OWN_PROBLEMS if one.code != "bad-cursor"), NOT_IN_YOUR_CARE)
ONE: Final = (*READ, CARD_NOT_FOUND)
PNG: Final = "image/png"
# Of the longest book that is read (vaccination/book/queries.py), every code full.
CODES_MAX: Final = 100
CARD_FILE: Final = "application/smart-health-card"
# Their words in the access log.
LIST_PART: Final = "health-cards"
CARD_PART: Final = "health-card"


Number: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=CODES_MAX, description="Which code, the first is 1.")
]


class NewCard(Struct, kw_only=True, forbid_unknown_fields=True):
    """childhood: doses given before the eighteenth birthday; adult: from then on."""

    book: Book


@get("/v1/me/health-cards", actors=("citizen",), operation_id="list_health_cards", tags=TAGS, problems=READ)
async def cards(call: NamedDependency[Call]) -> Response[HealthCards]:
    """Cards of both books, and each dose that stands on none, with the reason."""

    async def build(tx: Tx, access: Access) -> Built:
        return await reading.list_cards(tx, call.keys, access, call.now)

    return await read_beside_record(call, "issue-certificate", build, is_logged=True, part=LIST_PART)


@post(
    "/v1/me/health-cards",
    actors=("citizen",),
    operation_id="make_health_card",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(*READ, CARD_PERSON_UNCLEAR, CARD_EMPTY, CARD_BEING_MADE, SIGNER_AWAY, *REPEATS),
)
async def make(data: JSONBody[NewCard], call: NamedDependency[Call]) -> Response[CardShown]:
    """Make a card of one book, or get the one that says all there is."""
    begun = await _begin(call, data.book)
    if not isinstance(begun, issuing.ToSign):
        return begun
    signatures = await issuing.sign(call.signer, begun)
    call.time_went_by()
    async with begin_for(call, "issue-certificate") as (tx, access):
        made = await issuing.complete(tx, call.keys, access, begun, signatures, call.now)
        return await _made(tx, call, access, made)


@get(
    "/v1/me/health-cards/{card_id:uuid}",
    actors=("citizen",),
    operation_id="read_health_card",
    tags=TAGS,
    problems=ONE,
)
async def card(card_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CardTexts]:
    """What the codes of a card hold, each to be shown by itself."""

    async def build(tx: Tx, access: Access) -> Built:
        return await reading.read_card(tx, call.keys, access, card_id, call.now)

    return await read_beside_record(call, "issue-certificate", build, is_logged=True, part=CARD_PART)


@get(
    "/v1/me/health-cards/{card_id:uuid}/code.svg",
    actors=("citizen",),
    operation_id="draw_health_card",
    tags=TAGS,
    problems=ONE,
    produces=SVG,
)
async def picture_svg(
    card_id: FromPath[UUID], call: NamedDependency[Call], number: Number = 1
) -> Response[bytes]:
    """One code of a card, drawn as SVG."""
    build = _drawing(call, card_id, number, "svg")
    return await read_beside_record(
        call, "issue-certificate", build, is_logged=True, part=CARD_PART, media_type=SVG
    )


@get(
    "/v1/me/health-cards/{card_id:uuid}/code.png",
    actors=("citizen",),
    operation_id="draw_health_card_png",
    tags=TAGS,
    problems=ONE,
    produces=PNG,
)
async def picture_png(
    card_id: FromPath[UUID], call: NamedDependency[Call], number: Number = 1
) -> Response[bytes]:
    """One code of a card, drawn as PNG."""
    build = _drawing(call, card_id, number, "png")
    return await read_beside_record(
        call, "issue-certificate", build, is_logged=True, part=CARD_PART, media_type=PNG
    )


@get(
    "/v1/me/health-cards/{card_id:uuid}/card.smart-health-card",
    actors=("citizen",),
    operation_id="download_health_card",
    tags=TAGS,
    problems=ONE,
    produces=CARD_FILE,
)
async def file(card_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CardFile]:
    """The card as a file that phones put into their wallet."""

    async def build(tx: Tx, access: Access) -> Built:
        return await reading.file_of(tx, call.keys, access, card_id, call.now)

    found = await read_beside_record(
        call, "issue-certificate", build, is_logged=True, part=CARD_PART, media_type=CARD_FILE
    )
    found.headers["Content-Disposition"] = 'attachment; filename="so-tiem-chung.smart-health-card"'
    return found


async def _begin(call: Call, book: Book) -> issuing.ToSign | Answer:
    """What is to be signed; the answer where nothing is."""
    async with begin_for(call, "issue-certificate") as (tx, access):
        # A repeat is decided anew: it finds the card that it made, or what changed since.
        repeated = await claim(tx, call, access.actor)
        if isinstance(repeated, Refused):
            return answer(repeated)
        issuer = issuer_of(call.origin)
        begun = await issuing.begin(tx, call.keys, access, book, issuer, call.now)
        return begun if isinstance(begun, issuing.ToSign) else await _made(tx, call, access, begun)


async def _made(tx: Tx, call: Call, access: Access, made: CardRow | Refused) -> Answer:
    if isinstance(made, Refused):
        return answer(made)
    await settle(tx, call, access.actor, 201, made.card_id)
    built = reading.shown_card(call.keys, made)
    await log_read(tx, call, access, built, changed=True, part=CARD_PART)
    return answer(built.body)


def _drawing(call: Call, card_id: UUID, number: int, picture: Picture) -> Build:
    async def build(tx: Tx, access: Access) -> Built:
        return await reading.draw_code(tx, call.keys, access, card_id, number, picture, call.now)

    return build


handlers: list[Any] = [cards, make, card, picture_svg, picture_png, file]
