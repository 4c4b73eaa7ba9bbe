"""The person's vaccination book, and doses that stand on paper alone."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.acting import begin_for
from api.exporting import PDF, Export, print_own
from api.idempotency import PROBLEMS as REPEATS
from api.idempotency import create_once
from api.reading import OWN_PROBLEMS
from api.request import Call, answer
from api.vaccination import read_vaccination
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from ehr.statements.models import StatementReceipt
from ehr.statements.problems import STATEMENT_NOT_TAKEN, TOO_MANY_STATEMENTS
from ehr.statements.service import written_before
from family.problems import NOT_IN_YOUR_CARE, NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION, TOO_MANY
from vaccination.book import declaring, service
from vaccination.book.models import DoseChoices, NewDose, VaccinationBook
from vaccination.book.problems import DOSE_INVALID, DOSE_PAPER_UNKNOWN

TAGS: Final = ["vaccination"]
READ: Final = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")
_ACTING: Final = (NOT_YOUR_BOOK, NOT_IN_YOUR_CARE, DEVICE_ON_PROBATION)
BOOK: Final = Export[service.ToPrint](
    part="vaccination-book",
    name="so-tiem-chung",
    media_type=PDF,
    gather=lambda tx, call, access: service.gather(tx, call.keys, access, call.now),
    build=lambda gathered, call: service.build(gathered, call.now),
)


@get(
    "/v1/me/vaccination",
    actors=("citizen",),
    operation_id="read_own_vaccination",
    tags=TAGS,
    problems=READ,
    conditional=True,
)
async def book(call: NamedDependency[Call]) -> Response[VaccinationBook]:
    """Every dose with its source, lot and state, by antigen; and what stood here and stands no longer."""
    return await read_vaccination(call, None)


@get(
    "/v1/me/vaccination.pdf",
    actors=("citizen",),
    operation_id="print_own_vaccination",
    tags=TAGS,
    problems=(*READ, EXPORT_BUSY, EXPORT_OVERTAKEN),
    produces=PDF,
)
async def print_book(call: NamedDependency[Call]) -> Response[bytes]:
    """The vaccination book on A4, without what the person hides."""
    return await print_own(call, BOOK)


@get(
    "/v1/me/vaccination/choices",
    actors=("citizen",),
    operation_id="vaccination_choices",
    tags=TAGS,
    problems=_ACTING,
)
async def choices(call: NamedDependency[Call]) -> Response[DoseChoices]:
    """Diseases and brands that a form can offer."""
    async with begin_for(call, "add-to-record"):
        return answer(service.CHOICES)


@post(
    "/v1/me/vaccination/doses",
    status_code=201,
    actors=("citizen",),
    operation_id="declare_dose",
    tags=TAGS,
    idempotent=True,
    problems=(
        *(DOSE_INVALID, DOSE_PAPER_UNKNOWN, STATEMENT_NOT_TAKEN, TOO_MANY_STATEMENTS, TOO_MANY),
        *(*_ACTING, *REPEATS),
    ),
)
async def declare(data: JSONBody[NewDose], call: NamedDependency[Call]) -> Response[StatementReceipt]:
    """Declare a dose that no facility sent, with its picture; it is taken back like every statement."""
    async with begin_for(call, "add-to-record") as (tx, access):
        made = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: declaring.declare_dose(
                tx, call.keys, access, data, request_id=call.request_id, now=call.now
            ),
            again=lambda made_id: written_before(tx, access, made_id),
            id_of=lambda receipt: receipt.statement_id,
        )
    return answer(made, status=201)


handlers: list[Any] = [book, print_book, choices, declare]
