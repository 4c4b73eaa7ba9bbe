"""The citizen's say about the own book: an entry is wrong, a visit is not mine, a visit is missing."""

from datetime import date
from typing import Annotated, Any, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.files import file_answer
from api.idempotency import PROBLEMS, create_once
from api.problems import BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from api.reading import OWN_PROBLEMS, Cursor, Limit, read_beside_record
from api.request import Call, answer
from api.uploads import kept_file
from documents.pictures import PictureType
from documents.uploads import Upload
from ehr.cases import evidence, opening, reading
from ehr.cases.models import Act, CaseRow, EvidenceRow, Kind, NewCase
from ehr.cases.moves import Hand, leave_note, move
from ehr.cases.policy import TEXT_MAX
from ehr.cases.problems import (
    CASE_ALREADY_OPEN,
    CASE_INVALID,
    CASE_NO_FACILITY,
    CASE_STATE,
    CASE_TARGET_UNKNOWN,
    CASE_UNKNOWN,
    CASES_TOO_MANY,
    EVIDENCE_BUSY,
    EVIDENCE_TOO_LARGE,
    EVIDENCE_TOO_MANY,
    EVIDENCE_UNKNOWN,
    EVIDENCE_UNREADABLE,
)
from ehr.cases.reading import CaseDetail, CaseView, EvidenceView
from ehr.reads.models import Built
from ehr.reads.raw import encode
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.paging import PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import ProblemError, Refused, refuse
from store.blobs import BlobMissingError
from store.database import Tx

TAGS = ["cases"]
PICTURES = ("image/jpeg", "image/png")
MOVES = (CASE_UNKNOWN, CASE_STATE)


class CaseRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """correction: item_id, or facility_id for the person's details as that facility reports them. not-mine:
    item_id, which takes its whole visit out of the book, or facility_id for everything that facility sent.
    missing-visit: facility_id and visit_on. text: in the person's words."""

    kind: Kind
    text: Annotated[str, Meta(max_length=TEXT_MAX)] = ""
    item_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    facility_id: UUID | None = None
    visit_on: date | None = None


class Cases(Struct, kw_only=True):
    """Cases, newest first. `next` is opaque; null on the last page."""

    items: list[CaseView]
    next: str | None


@get("/v1/me/cases", actors=("citizen",), operation_id="me_cases", tags=TAGS, problems=OWN_PROBLEMS)
async def list_cases(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Cases]:
    """The person's cases."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else None
    size = limit or PAGE_DEFAULT

    async def build(tx: Tx, access: Access) -> Built:
        found = await reading.own_cases(tx, call.keys, access, before, size + 1, call.now)
        following = encode_cursor(str(found[size - 1].case_id)) if len(found) > size else None
        return Built(encode(Cases(items=found[:size], next=following)), [])

    return await read_beside_record(call, "open-case", build, is_logged=True)


@post(
    "/v1/me/cases",
    actors=("citizen",),
    operation_id="me_open_case",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        CASE_INVALID,
        CASE_TARGET_UNKNOWN,
        CASE_NO_FACILITY,
        CASE_ALREADY_OPEN,
        CASES_TOO_MANY,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def open_case(data: JSONBody[CaseRequest], call: NamedDependency[Call]) -> Response[CaseView]:
    """Open a case. "Not mine" takes the whole visit out of every view at once."""
    async with begin_for(call, "open-case") as (tx, access):
        return answer(await _created(tx, call, access, data), status=201)


async def _created(tx: Tx, call: Call, access: Access, data: CaseRequest) -> CaseView | Refused:
    async def make() -> CaseRow | Refused:
        new = NewCase(
            kind=data.kind,
            text=data.text,
            item_id=data.item_id,
            facility_id=data.facility_id,
            visit_on=data.visit_on,
        )
        return await opening.open_case(tx, call.keys, access, new, request_id=call.request_id, now=call.now)

    async def again(case_id: UUID) -> CaseRow | Refused:
        return await reading.own_case(tx, access, case_id)

    case = await create_once(tx, call, access.actor, 201, make, again, lambda made: made.case_id)
    return case if isinstance(case, Refused) else await reading.view_of(tx, call.keys, case, call.now)


@get(
    "/v1/me/cases/{case_id:uuid}",
    actors=("citizen",),
    operation_id="me_case",
    tags=TAGS,
    problems=(CASE_UNKNOWN, *OWN_PROBLEMS),
)
async def one_case(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CaseDetail]:
    """A case with its trail, its pictures and the entry as it was."""

    async def build(tx: Tx, access: Access) -> Built:
        found = await reading.own_detail(tx, call.keys, access, case_id, call.now)
        if isinstance(found, Refused):
            raise ProblemError(found)
        return Built(encode(found.detail), found.shown)

    return await read_beside_record(call, "open-case", build, is_logged=True)


@post(
    "/v1/me/cases/{case_id:uuid}/evidence",
    actors=("citizen",),
    operation_id="me_add_evidence",
    tags=TAGS,
    status_code=201,
    request_max_body_size=evidence.UPLOAD_BYTES_MAX,
    media_types=PICTURES,
    problems=(
        *MOVES,
        EVIDENCE_TOO_LARGE,
        EVIDENCE_TOO_MANY,
        EVIDENCE_UNREADABLE,
        EVIDENCE_BUSY,
        TOO_MANY,
        BODY_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
    ),
)
async def add_evidence(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[EvidenceView]:
    """Add a picture to a case, JPEG or PNG. It is drawn anew, without place and time of the camera."""
    async with begin_for(call, "open-case") as (tx, access):
        if (call.header("content-type") or "").partition(";")[0].strip().lower() not in PICTURES:
            refuse(UNSUPPORTED_MEDIA_TYPE)
        blob_id = await evidence.may_add(tx, access.patient_id, case_id, call.now)
    if isinstance(blob_id, Refused):
        return answer(blob_id)
    actor_id = access.actor.actor_id
    async with call.picture_slots.of(call.store, call.clock, actor_id), call.picture_slots.turn():
        upload = await evidence.draw(await call.body())
    if isinstance(upload, Refused):
        return answer(upload)
    kept = await _keep(call, access.patient_id, case_id, upload, blob_id)
    return answer(kept if isinstance(kept, Refused) else reading.evidence_view(kept), status=201)


async def _keep(
    call: Call, patient_id: UUID, case_id: UUID, upload: Upload, blob_id: UUID
) -> EvidenceRow | Refused:
    """The file first, then its row in a transaction that decides again."""
    async with kept_file(call, patient_id, blob_id, upload.data) as file:
        async with begin_for(call, "open-case") as (tx, access):
            hand = _hand(call, access)
            kept = await evidence.add(tx, access.patient_id, case_id, upload, file.blob, hand)
        file.is_named = not isinstance(kept, Refused) and kept.is_new
    return kept if isinstance(kept, Refused) else kept.evidence


@get(
    "/v1/me/cases/{case_id:uuid}/evidence/{evidence_id:uuid}",
    actors=("citizen",),
    operation_id="me_evidence",
    tags=TAGS,
    produces=get_args(PictureType),
    problems=(CASE_UNKNOWN, EVIDENCE_UNKNOWN),
)
async def own_evidence(
    case_id: FromPath[UUID], evidence_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """A picture of the case, as a file."""
    async with begin_for(call, "open-case") as (tx, access):
        case = await reading.own_case(tx, access, case_id)
        if isinstance(case, Refused):
            return answer(case)
        found = await evidence.find(tx, case, evidence_id)
        if isinstance(found, Refused):
            return answer(found)
        await leave_note(tx, case.patient_id, "case:evidence:read", _hand(call, access))
    return await as_file(call, found)


async def as_file(call: Call, found: EvidenceRow) -> Response[bytes]:
    """The bytes as an attachment: nothing of it is shown by a browser under our address (S35)."""
    try:
        data = await call.store.blobs.get(found.blob_of, found.blob_id)
    except BlobMissingError:
        return answer(Refused(problem=EVIDENCE_UNKNOWN))
    return file_answer(f"evidence-{found.evidence_id}", found.media_type, data)


@post(
    "/v1/me/cases/{case_id:uuid}/withdraw",
    actors=("citizen",),
    operation_id="me_withdraw_case",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def withdraw(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CaseView]:
    """Take a case back. After "not mine" the visit returns to the book."""
    async with begin_for(call, "open-case") as (tx, access):
        return await _move(tx, call, access, case_id, "withdraw")


@post(
    "/v1/me/cases/{case_id:uuid}/accept",
    actors=("citizen",),
    operation_id="me_accept_answer",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def accept(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CaseView]:
    """Accept the facility's refusal. After "not mine" the visit returns to the book."""
    async with begin_for(call, "open-case") as (tx, access):
        return await _move(tx, call, access, case_id, "accept")


@post(
    "/v1/me/cases/{case_id:uuid}/reopen",
    actors=("citizen",),
    operation_id="me_reopen_case",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def reopen(case_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CaseView]:
    """Say within 30 days that a correction did not help; the first deadline stands."""
    async with begin_for(call, "open-case") as (tx, access):
        return await _move(tx, call, access, case_id, "reopen")


async def _move(tx: Tx, call: Call, access: Access, case_id: UUID, act: Act) -> Response[CaseView]:
    case = await reading.own_case(tx, access, case_id)
    if not isinstance(case, Refused):
        case = await move(tx, call.keys, case.patient_id, case_id, act, _hand(call, access))
    if isinstance(case, Refused):
        return answer(case)
    return answer(await reading.view_of(tx, call.keys, case, call.now))


def _hand(call: Call, access: Access) -> Hand:
    return Hand(actor=access.actor, side="person", request_id=call.request_id, now=call.now)


handlers: list[Any] = [
    list_cases,
    open_case,
    one_case,
    add_evidence,
    own_evidence,
    withdraw,
    accept,
    reopen,
]
