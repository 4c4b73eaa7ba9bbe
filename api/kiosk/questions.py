"""Questions at a kiosk, answered from the reviewed articles, word for word."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.kiosk.device import KIOSK, TAGS
from api.request import Call, answer
from ehr.knowledge.models import Answers, Titles
from ehr.knowledge.questions import ask, titles
from identity import budgets
from identity.problems import TOO_MANY
from kernel.problems import Refused
from visits.kiosk.enrolment import station_of
from visits.kiosk.problems import KIOSK_NOT_PLACED


class KioskQuestion(Struct, kw_only=True, forbid_unknown_fields=True):
    """In the person's own words. It is compared and forgotten: no row and no log holds it."""

    question: Annotated[str, Meta(min_length=1, max_length=300)]


@get(
    "/v1/kiosk/articles",
    actors=KIOSK,
    operation_id="kiosk_articles",
    tags=TAGS,
    problems=(KIOSK_NOT_PLACED,),
)
async def list_articles(call: NamedDependency[Call]) -> Response[Titles]:
    """What may be asked about; /v1/articles/{slug} shows one whole."""
    async with call.begin() as (tx, actor):
        station = await station_of(tx, actor)
        return answer(station if isinstance(station, Refused) else await titles(tx))


@post(
    "/v1/kiosk/questions",
    actors=KIOSK,
    operation_id="kiosk_question",
    tags=TAGS,
    status_code=200,
    problems=(KIOSK_NOT_PLACED, TOO_MANY),
)
async def put_question(data: JSONBody[KioskQuestion], call: NamedDependency[Call]) -> Response[Answers]:
    """What published articles say to a question; where nothing is written yet, what to say instead."""
    async with call.begin() as (tx, actor):
        station = await station_of(tx, actor)
        if isinstance(station, Refused):
            return answer(station)
        counted = budgets.subject(station.kiosk_id.bytes)
        refused = await budgets.charge_or_refuse(tx, budgets.KIOSK_QUESTIONS_HOUR, counted, call.now)
        return answer(refused or await ask(tx, data.question))


handlers: list[Any] = [list_articles, put_question]
