"""FHIR R4, read only: what a person let an app read (International Patient Access 1.1).

One decision, one filter and one row of the log for each answer, as everywhere (api/reading.py). What is asked
for is first held against the token's scope. Errors are OperationOutcomes (api/errors.py). The Patient's id is
what this app calls the person, and so are all ids (partners/fhir/aliases.py): S34's rule has its second
exception here, for FHIR names what is read in the address; the log of the program keeps the route alone.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.connecting import FHIR_PATH
from api.fhir.errors import fhir_problem
from api.oauth import FORM_TYPE
from api.problems import INVALID_FIELD, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from api.reading import log_read
from api.request import Answer, Call, answer
from consent.apps.policy import pairwise_subject
from consent.decision import decide_app
from consent.problems import NO_ACCESS
from ehr.core.service import ask_core, wants_core
from ehr.reads.models import Built
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.paging import BAD_CURSOR
from kernel.problems import ProblemError, Refused, refuse
from partners.fhir import service
from partners.fhir.capability import capability_statement
from partners.fhir.kinds import KINDS, PATIENT, Interaction
from partners.fhir.outcomes import FHIR_JSON
from partners.fhir.problems import (
    FHIR_FORMAT,
    FHIR_PARAMETER,
    FHIR_SCOPE,
    FHIR_TOO_COSTLY,
    FHIR_UNKNOWN,
)
from partners.fhir.scopes import covers_person, kinds_in, readable_kinds
from partners.fhir.searching import Search, read_search
from partners.fhir.service import Reader
from store.database import Tx

TAGS: Final = ["fhir"]
FORM_MAX: Final = 8_000
_ACCEPTED: Final = frozenset(
    ["*/*", "application/*", "application/json", FHIR_JSON, "json", "text/json", "application/json+fhir"]
)
_PROBLEMS: Final = (NO_ACCESS, TOO_MANY, UNAVAILABLE, FHIR_SCOPE, FHIR_UNKNOWN, FHIR_FORMAT)
_SEARCH: Final = (*_PROBLEMS, FHIR_PARAMETER, FHIR_TOO_COSTLY, BAD_CURSOR, INVALID_FIELD)
_ROUTE: Final[dict[str, Any]] = {
    "tags": TAGS,
    "produces": FHIR_JSON,
    "problem_type": FHIR_JSON,
    "any_query": True,
    "status_code": 200,
}

Build: TypeAlias = Callable[[Tx, Reader], Awaitable[Built]]


@get(
    f"{FHIR_PATH}/metadata",
    actors=("public",),
    operation_id="fhir_metadata",
    problems=(FHIR_FORMAT,),
    **_ROUTE,
)
async def metadata(call: NamedDependency[Call]) -> Response[bytes]:
    """What the FHIR endpoint serves: its CapabilityStatement."""
    _check_format(call, call.request.query_params.get("_format"))
    body = msgspec.json.encode(capability_statement(call.origin, call.origin + FHIR_PATH))
    return answer(body, headers={"Cache-Control": "public, max-age=300"}, media_type=FHIR_JSON)


@get(
    f"{FHIR_PATH}/{{resource_type:str}}/{{resource_id:str}}",
    actors=("app",),
    operation_id="fhir_read",
    problems=_PROBLEMS,
    **_ROUTE,
)
async def read(
    resource_type: FromPath[str], resource_id: FromPath[str], call: NamedDependency[Call]
) -> Response[bytes]:
    """One resource of the person who let the app in."""
    _check_format(call, call.request.query_params.get("_format"))

    async def build(tx: Tx, reader: Reader) -> Built:
        if resource_type == PATIENT:
            return await service.read_person(tx, call.keys, reader, resource_id)
        kinds = kinds_in(reader.access.actor.scope, resource_type, "r")
        return await service.read(tx, call.keys, reader, resource_type, kinds, resource_id)

    return await _answered(call, resource_type, "r", build)


@get(
    f"{FHIR_PATH}/{{resource_type:str}}",
    actors=("app",),
    operation_id="fhir_search",
    problems=_SEARCH,
    **_ROUTE,
)
async def search(resource_type: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """Resources of one type, newest first, with their number after the filter.

    The parameters of each type stand in /fhir/metadata; one that does not stand there is refused.
    """
    return await _searched(call, resource_type, list(call.request.query_params.multi_items()))


@post(
    f"{FHIR_PATH}/{{resource_type:str}}/_search",
    actors=("app",),
    operation_id="fhir_search_form",
    problems=(*_SEARCH, UNSUPPORTED_MEDIA_TYPE),
    media_types=(FORM_TYPE,),
    **_ROUTE,
)
async def search_form(resource_type: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """Resources of one type, found by parameters that come in a form."""
    pairs = list(call.request.query_params.multi_items())
    media_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
    body = await call.body()

    def form() -> list[tuple[str, str]]:
        if media_type != FORM_TYPE:
            refuse(UNSUPPORTED_MEDIA_TYPE)
        try:
            return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
        except ValueError:
            refuse(FHIR_PARAMETER)

    if len(body) > FORM_MAX:
        return await _searched(call, resource_type, None)
    return await _searched(call, resource_type, pairs, form)


async def _searched(
    call: Call,
    resource_type: str,
    pairs: list[tuple[str, str]] | None,
    form: Callable[[], list[tuple[str, str]]] | None = None,
) -> Answer:
    _check_format(call, None if pairs is None else dict(pairs).get("_format"))

    asked = _asked(resource_type, pairs, form)

    async def build(tx: Tx, reader: Reader) -> Built:
        if isinstance(asked, Refused):
            raise ProblemError(asked)
        if resource_type == PATIENT:
            return await service.search_person(tx, call.keys, reader, asked)
        kinds = kinds_in(reader.access.actor.scope, resource_type, "s")
        return await service.search(tx, call.keys, reader, resource_type, kinds, asked)

    if isinstance(asked, Refused) or not asked.is_dear:
        return await _answered(call, resource_type, "s", build)
    async with call.begin() as (_, actor):
        reference = actor.reference
    if reference is None:
        refuse(FHIR_SCOPE)
    async with call.search_turns.of(reference):
        call.time_went_by()
        return await _answered(call, resource_type, "s", build)


def _asked(
    resource_type: str,
    pairs: list[tuple[str, str]] | None,
    form: Callable[[], list[tuple[str, str]]] | None,
) -> Search | Refused:
    """What is wrong with a search is told once the caller may search at all."""
    try:
        if pairs is None:
            refuse(FHIR_PARAMETER)
        return read_search(resource_type, [*pairs, *(form() if form else ())])
    except ProblemError as error:
        return error.refused


async def _answered(call: Call, resource_type: str, interaction: Interaction, build: Build) -> Answer:
    """Scope → decide → build → log → commit → bytes; another core is asked between two transactions."""
    may_wait = True
    while True:
        async with call.begin() as (tx, actor):
            if resource_type != PATIENT and resource_type not in KINDS:
                refuse(FHIR_UNKNOWN)
            covered = (
                covers_person(actor.scope, interaction)
                if resource_type == PATIENT
                else bool(kinds_in(actor.scope, resource_type, interaction))
            )
            if not covered or actor.reference is None:
                refuse(FHIR_SCOPE)
            access = await decide_app(tx, actor, actor.reference, "read-by-app", call.now)
            if isinstance(access, Refused):
                return fhir_problem(access)
            if not (
                may_wait and await wants_core(tx, call.core, access.patient_id, call.now, access.origins)
            ):
                return await _built(tx, call, access, build)
            subject = access.patient_id
        await ask_core(call.store, call.clock, call.core, subject)
        call.time_went_by()
        may_wait = False


async def _built(tx: Tx, call: Call, access: Access, build: Build) -> Answer:
    reader = Reader(
        access=access,
        subject=pairwise_subject(call.keys, access.actor.actor_id, access.patient_id),
        base=call.origin + FHIR_PATH,
        readable=readable_kinds(access.actor.scope),
        now=call.now,
    )
    try:
        built = await build(tx, reader)
    except ProblemError as error:
        # The request was counted and used; that stays.
        return fhir_problem(error.refused)
    await log_read(tx, call, access, built, changed=True)
    return answer(built.body, media_type=FHIR_JSON)


def _check_format(call: Call, wanted: str | None) -> None:
    """`_format` before Accept (FHIR R4 §3.1.0.1.11)."""
    asked = [wanted] if wanted is not None else (call.header("accept") or "*/*").split(",")
    names = {one.partition(";")[0].strip().lower().replace(" ", "+") for one in asked}
    if not names & _ACCEPTED:
        refuse(FHIR_FORMAT)


handlers: list[Any] = [metadata, read, search, search_form]
