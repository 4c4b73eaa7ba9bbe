"""Revisit and referral letters on the phone: shown, printed with a code; and a referral books its visit."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.acting import begin_for, reading_of
from api.exporting import PDF, letter_of, print_own
from api.idempotency import PROBLEMS, create_once
from api.letters import may_use, places_of
from api.reading import OWN_PROBLEMS, Cursor, Limit, read_beside_record
from api.request import Call, answer
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from ehr.letters import service
from ehr.letters.models import Kept, Letters, LetterShown
from ehr.letters.problems import LETTER_BOOKS_NOTHING, LETTER_EXPIRED, LETTER_NOT_FOUND, LETTER_USED
from ehr.reads.models import Built
from ehr.reads.raw import encode
from family.problems import NOT_IN_YOUR_CARE
from identity.problems import TOO_MANY
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.database import Tx
from visits.booking import service as booking
from visits.booking.models import Appointment, AppointmentRow, Ask
from visits.booking.problems import (
    APPOINTMENT_EXISTS,
    APPOINTMENT_LIMIT,
    APPOINTMENT_PRIVATE_OWN_ONLY,
    APPOINTMENT_UNKNOWN,
    REFERRAL_BOOKED,
    SCHEDULE_CLOSED,
    SCHEDULE_UNKNOWN,
)
from visits.booking.shown import line_of
from visits.slots.problems import SLOT_FULL, SLOT_OVER, SLOT_UNKNOWN

TAGS: Final = ["letters"]
ONE: Final = "/v1/me/letters/{letter_id:str}"
ONE_PROBLEMS: Final = tuple(one for one in OWN_PROBLEMS if one.code != "bad-cursor")
PART: Final = "letters"


class LetterBooking(Struct, kw_only=True, forbid_unknown_fields=True):
    """A slot at the place that the letter goes to. may_wait: where none is left, stand in the waiting list;
    is_private: relatives who act for the person never see it, only in the own book."""

    schedule_id: UUID
    slot_id: UUID
    may_wait: bool = True
    is_private: bool = False


@get(
    "/v1/me/letters",
    actors=("citizen",),
    operation_id="read_own_letters",
    tags=TAGS,
    problems=(*OWN_PROBLEMS, NOT_IN_YOUR_CARE),
)
async def letters(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[Letters]:
    """Appointments to come back and referrals that facilities issued, newest first.

    Each says whether it counts, was used or has expired."""

    async def build(tx: Tx, access: Access) -> Built:
        kept, following = await service.list_letters(
            tx, access, cursor, limit, call.letter_validity, call.now
        )
        items = await _shown(tx, call, access, kept)
        return Built(encode(Letters(items=items, next=following)), [_row(one) for one in kept])

    return await read_beside_record(call, "read-document", build, is_logged=True, part=PART)


@get(
    ONE,
    actors=("citizen",),
    operation_id="read_own_letter",
    tags=TAGS,
    problems=(*ONE_PROBLEMS, LETTER_NOT_FOUND, NOT_IN_YOUR_CARE),
)
async def letter(letter_id: FromPath[str], call: NamedDependency[Call]) -> Response[LetterShown]:
    """One letter, line by line as its facility sent it."""

    async def build(tx: Tx, access: Access) -> Built:
        kept = await service.letter_of(tx, access, letter_id, call.letter_validity, call.now)
        if isinstance(kept, Refused):
            raise ProblemError(kept)
        return Built(encode((await _shown(tx, call, access, [kept]))[0]), [_row(kept)])

    return await read_beside_record(call, "read-document", build, is_logged=True, part=PART)


@get(
    ONE + "/letter.pdf",
    actors=("citizen",),
    operation_id="print_own_letter",
    tags=TAGS,
    problems=(*ONE_PROBLEMS, LETTER_NOT_FOUND, EXPORT_BUSY, EXPORT_OVERTAKEN),
    produces=PDF,
)
async def print_letter(letter_id: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """The letter with its code.

    Whoever scans it learns whether it counts, was used, has expired, was changed or withdrawn."""
    return await print_own(call, letter_of(letter_id))


@post(
    ONE + "/appointment",
    actors=("citizen",),
    operation_id="book_by_letter",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        LETTER_NOT_FOUND,
        LETTER_BOOKS_NOTHING,
        LETTER_USED,
        LETTER_EXPIRED,
        REFERRAL_BOOKED,
        SCHEDULE_UNKNOWN,
        SCHEDULE_CLOSED,
        SLOT_UNKNOWN,
        SLOT_OVER,
        SLOT_FULL,
        APPOINTMENT_EXISTS,
        APPOINTMENT_LIMIT,
        APPOINTMENT_PRIVATE_OWN_ONLY,
        APPOINTMENT_UNKNOWN,
        TOO_MANY,
        *PROBLEMS,
    ),
)
async def book(
    letter_id: FromPath[str], data: JSONBody[LetterBooking], call: NamedDependency[Call]
) -> Response[Appointment]:
    """Book the visit that a referral asks for, at once and once; the same slot again is the same one."""
    async with begin_for(call, "manage-appointments") as (tx, access):
        row = await create_once(
            tx,
            call,
            access.actor,
            201,
            make=lambda: _book(tx, call, access, letter_id, data),
            again=lambda appointment_id: booking.own(tx, access, appointment_id),
            id_of=lambda made: made.appointment_id,
        )
        shown = row if isinstance(row, Refused) else await line_of(tx, row, call.now)
        return answer(shown, status=201)


async def _book(
    tx: Tx, call: Call, access: Access, letter_id: str, data: LetterBooking
) -> AppointmentRow | Refused:
    kept = await _to_use(tx, call, access, letter_id)
    if isinstance(kept, Refused):
        return kept
    referral = await may_use(tx, kept, data.slot_id, call.now)
    if isinstance(referral, Refused):
        return referral
    ask = Ask(
        facility_id=referral.receiver_id,
        schedule_id=data.schedule_id,
        slot_id=data.slot_id,
        may_wait=data.may_wait,
        is_private=data.is_private,
    )
    return await booking.book_by_referral(tx, access, ask, referral.referral_id, call.request_id, call.now)


async def _to_use(tx: Tx, call: Call, access: Access, letter_id: str) -> Kept | Refused:
    """The letter as far as whoever acts may read it."""
    reading = await reading_of(tx, call, access, "read-document")
    if reading is None:
        return Refused(problem=LETTER_NOT_FOUND)
    return await service.letter_of(tx, reading, letter_id, call.letter_validity, call.now)


async def _shown(tx: Tx, call: Call, access: Access, kept: list[Kept]) -> list[LetterShown]:
    places = await places_of(tx, access, kept)
    return [service.shown(one, places.get(one.id), call.now) for one in kept]


def _row(kept: Kept) -> tuple[str, str]:
    return "DocumentReference", kept.id


handlers: list[Any] = [letters, letter, print_letter, book]
