"""Written questions to a facility or a doctor of it. In an emergency: 115."""

from datetime import datetime
from typing import Annotated, Any, get_args
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.files import file_answer
from api.idempotency import PROBLEMS, create_once
from api.problems import BODY_TOO_LARGE, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from api.reading import Cursor, Limit
from api.request import Answer, Call, answer
from api.uploads import check_media_type, kept_file
from documents.pictures import PictureType
from documents.uploads import Upload
from ehr.cases.evidence import UPLOAD_BYTES_MAX, draw
from ehr.cases.problems import EVIDENCE_BUSY, EVIDENCE_TOO_LARGE, EVIDENCE_UNREADABLE
from ehr.cases.reading import LAST_ID
from ehr.cases.terms import deadlines
from ehr.intake.plain import is_stopped
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused
from store.blobs import BlobMissingError
from store.database import Tx
from visits.consultations import asking
from visits.consultations.models import (
    EMERGENCY_EN,
    EMERGENCY_VI,
    Consultation,
    ConsultationAct,
    ConsultationLine,
    ConsultationPicture,
    ConsultationRow,
    PictureRow,
)
from visits.consultations.policy import TEXT_MAX
from visits.consultations.problems import (
    CONSULTATION_STATE,
    CONSULTATION_TARGET_UNKNOWN,
    CONSULTATION_UNKNOWN,
    CONSULTATION_WITHHELD,
    CONSULTATIONS_TOO_MANY,
    PICTURE_UNKNOWN,
    PICTURES_TOO_MANY,
)

TAGS = ["consultations"]
PICTURES = ("image/jpeg", "image/png")
MOVES = (CONSULTATION_UNKNOWN, CONSULTATION_STATE)
Words = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class Question(Struct, kw_only=True, forbid_unknown_fields=True):
    """practitioner_id: a doctor of that facility; without it whoever of the facility answers. Not for
    emergencies: call 115."""

    facility_id: UUID
    practitioner_id: UUID | None = None
    text: Words


class SharedCode(Struct, kw_only=True, forbid_unknown_fields=True):
    """code: a share code as `POST /v1/me/share-codes` made it."""

    code: Annotated[str, Meta(min_length=8, max_length=20)]


class Consultations(Struct, kw_only=True):
    """Questions, newest first. `next` is opaque; null on the last page."""

    emergency_vi: str
    emergency_en: str
    items: list[ConsultationLine]
    next: str | None


async def withheld(tx: Tx, owner: UUID, text: str, now: datetime) -> Refused | None:
    """What the gate would not let into a book is not written here either (vietnam.md §5)."""
    stopped = await is_stopped(tx, owner, text, now)
    return Refused(problem=CONSULTATION_WITHHELD, where="text") if stopped else None


@get(
    "/v1/me/consultations",
    actors=("citizen",),
    operation_id="me_consultations",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_questions(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Consultations]:
    """The questions that the signed-in person put."""
    before, size = decode_cursor(cursor, tuple[UUID])[0] if cursor else LAST_ID, limit or PAGE_DEFAULT
    async with begin_for(call, "consult") as (tx, access):
        rows = await asking.own_list(tx, access, before, size + 1)
        items = [await asking.line_of(tx, row) for row in rows[:size]]
    following = encode_cursor(str(rows[size - 1].consultation_id)) if len(rows) > size else None
    return answer(
        Consultations(emergency_vi=EMERGENCY_VI, emergency_en=EMERGENCY_EN, items=items, next=following)
    )


@post(
    "/v1/me/consultations",
    actors=("citizen",),
    operation_id="me_ask",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        CONSULTATION_TARGET_UNKNOWN,
        CONSULTATIONS_TOO_MANY,
        CONSULTATION_WITHHELD,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def ask(data: JSONBody[Question], call: NamedDependency[Call]) -> Response[Consultation]:
    """Put a question. The answer starts with what to do in an emergency; show that first."""
    async with begin_for(call, "consult") as (tx, access):
        refused = await withheld(tx, access.patient_id, data.text, call.now)
        row = refused or await _asked(tx, call, access, data)
        return answer(row if isinstance(row, Refused) else await asking.view_of(tx, call.keys, row), 201)


async def _asked(tx: Tx, call: Call, access: Access, data: Question) -> ConsultationRow | Refused:
    async def make() -> ConsultationRow | Refused:
        _, answer_by = await deadlines(tx, "consultation", call.now)
        hand = asking.hand_of(access, call.request_id, call.now)
        whom = data.facility_id, data.practitioner_id
        return await asking.ask(tx, call.keys, access, *whom, data.text, answer_by, hand)

    async def again(consultation_id: UUID) -> ConsultationRow | Refused:
        return await asking.own(tx, access, consultation_id)

    return await create_once(tx, call, access.actor, 201, make, again, lambda row: row.consultation_id)


@get(
    "/v1/me/consultations/{consultation_id:uuid}",
    actors=("citizen",),
    operation_id="me_consultation",
    tags=TAGS,
    problems=(CONSULTATION_UNKNOWN,),
)
async def one_question(
    consultation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[Consultation]:
    """A question with its pictures and its answer."""
    async with begin_for(call, "consult") as (tx, access):
        row = await asking.own(tx, access, consultation_id)
        return answer(row if isinstance(row, Refused) else await asking.view_of(tx, call.keys, row))


@post(
    "/v1/me/consultations/{consultation_id:uuid}/withdraw",
    actors=("citizen",),
    operation_id="me_withdraw_question",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def withdraw(consultation_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Consultation]:
    """Take back a question that nobody answered yet."""
    async with begin_for(call, "consult") as (tx, access):
        return await _moved(tx, call, access, consultation_id, "withdraw")


@post(
    "/v1/me/consultations/{consultation_id:uuid}/close",
    actors=("citizen",),
    operation_id="me_close_question",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def close(consultation_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Consultation]:
    """Say that the answer was read: the facility sees the question no more."""
    async with begin_for(call, "consult") as (tx, access):
        return await _moved(tx, call, access, consultation_id, "close")


async def _moved(tx: Tx, call: Call, access: Access, consultation_id: UUID, act: ConsultationAct) -> Answer:
    hand = asking.hand_of(access, call.request_id, call.now)
    row = await asking.own_move(tx, call.keys, access, consultation_id, act, hand)
    return answer(row if isinstance(row, Refused) else await asking.view_of(tx, call.keys, row))


@post(
    "/v1/me/consultations/{consultation_id:uuid}/share-code",
    actors=("citizen",),
    operation_id="me_share_with_answerer",
    tags=TAGS,
    status_code=200,
    problems=MOVES,
)
async def share(
    consultation_id: FromPath[UUID], data: JSONBody[SharedCode], call: NamedDependency[Call]
) -> Response[Consultation]:
    """Hand a share code to whoever accepted the question; making it was the signed act."""
    async with begin_for(call, "consult") as (tx, access):
        hand = asking.hand_of(access, call.request_id, call.now)
        row = await asking.hand_over(tx, call.keys, access, consultation_id, data.code, hand)
        return answer(row if isinstance(row, Refused) else await asking.view_of(tx, call.keys, row))


@post(
    "/v1/me/consultations/{consultation_id:uuid}/pictures",
    actors=("citizen",),
    operation_id="me_add_consultation_picture",
    tags=TAGS,
    status_code=201,
    request_max_body_size=UPLOAD_BYTES_MAX,
    media_types=PICTURES,
    problems=(
        *MOVES,
        PICTURES_TOO_MANY,
        EVIDENCE_TOO_LARGE,
        EVIDENCE_UNREADABLE,
        EVIDENCE_BUSY,
        TOO_MANY,
        UNAVAILABLE,
        BODY_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
    ),
)
async def add_picture(
    consultation_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[ConsultationPicture]:
    """Add a picture to a question, JPEG or PNG. It is drawn anew, without place and time of the camera."""
    async with begin_for(call, "consult") as (tx, access):
        check_media_type(call, PICTURES)
        blob_id = await asking.may_add(tx, access, consultation_id, call.now)
    if isinstance(blob_id, Refused):
        return answer(blob_id)
    slots = call.picture_slots
    async with slots.of(call.store, call.clock, access.actor.actor_id), slots.turn():
        upload = await draw(await call.body())
    if isinstance(upload, Refused):
        return answer(upload)
    return await _keep(call, access.patient_id, consultation_id, upload, blob_id)


async def _keep(call: Call, patient_id: UUID, consultation_id: UUID, upload: Upload, blob_id: UUID) -> Answer:
    async with kept_file(call, patient_id, blob_id, upload.data) as file:
        async with begin_for(call, "consult") as (tx, access):
            hand = asking.hand_of(access, call.request_id, call.now)
            kept = await asking.add_picture(tx, access, consultation_id, upload, file.blob, hand)
        file.is_named = not isinstance(kept, Refused) and kept.blob_id == blob_id
    if isinstance(kept, Refused):
        return answer(kept)
    return answer(
        ConsultationPicture(
            picture_id=kept.picture_id, media_type=kept.media_type, length_bytes=kept.length_bytes
        ),
        status=201,
    )


@get(
    "/v1/me/consultations/{consultation_id:uuid}/pictures/{picture_id:uuid}",
    actors=("citizen",),
    operation_id="me_consultation_picture",
    tags=TAGS,
    produces=get_args(PictureType),
    problems=(CONSULTATION_UNKNOWN, PICTURE_UNKNOWN),
)
async def picture(
    consultation_id: FromPath[UUID], picture_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[bytes]:
    """A picture of the question, as a file."""
    async with begin_for(call, "consult") as (tx, access):
        row = await asking.own(tx, access, consultation_id)
        found = row if isinstance(row, Refused) else await asking.picture_of(tx, row, picture_id)
    return answer(found) if isinstance(found, Refused) else await as_file(call, found)


async def as_file(call: Call, found: PictureRow) -> Answer:
    """The bytes as an attachment (S35)."""
    try:
        data = await call.store.blobs.get(found.blob_of, found.blob_id)
    except BlobMissingError:
        return answer(Refused(problem=PICTURE_UNKNOWN))
    return file_answer(f"picture-{found.picture_id}", found.media_type, data)


handlers: list[Any] = [
    list_questions,
    ask,
    one_question,
    withdraw,
    close,
    share,
    add_picture,
    picture,
]
