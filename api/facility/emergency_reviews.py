"""Reviews of emergency access by privacy officers; what is late, for the health department."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.reading import Cursor, Limit
from api.request import Call, answer
from consent.artefact import label_names
from consent.emergency.models import (
    DisputeReason,
    Overdue,
    Reason,
    Review,
    ReviewKind,
    SafetyFlag,
    Verdict,
)
from consent.emergency.problems import REVIEW_REFUSED, UNKNOWN_EMERGENCY
from consent.emergency_reviews import service as reviews
from consent.emergency_reviews.service import Case
from kernel.access import Label
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, decode_cursor, encode_cursor
from kernel.problems import Refused

TAGS = ["emergency-access"]
_FIRST = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


class EmergencyReview(Struct, kw_only=True):
    """One that waits. second: another facility has reviewed it and this one reads it again."""

    emergency_id: UUID
    kind: ReviewKind
    practitioner: str
    unit: str
    opened_at: datetime
    due_at: datetime
    disputed: bool


class EmergencyReviews(Struct, kw_only=True):
    """A page, due first; next opens the one after."""

    items: list[EmergencyReview]
    next: str | None


class Shown(Struct, kw_only=True):
    """So many resources of a type left."""

    type: str
    count: int


class EmergencyCase(Struct, kw_only=True):
    """The grounds, who signed, and how much was read: counts and types, nothing of what it said.

    whole: false where more was read than is counted here.
    """

    review: EmergencyReview
    facility: str
    reason: Reason
    text: str
    safety_flag: SafetyFlag | None
    ends_at: datetime
    ended_at: datetime | None
    co_signed_at: datetime | None
    extended_at: datetime | None
    labels: list[str]
    dispute: DisputeReason | None
    dispute_text: str | None
    reads: int
    first_read_at: datetime | None
    last_read_at: datetime | None
    shown: list[Shown]
    acts: list[Shown]
    whole: bool


class NewVerdict(Struct, kw_only=True, forbid_unknown_fields=True):
    """note: why, for whoever reads it again."""

    verdict: Verdict
    note: Annotated[str, Meta(min_length=10, max_length=2000)]


class GivenVerdict(Struct, kw_only=True):
    emergency_id: UUID
    verdict: Verdict


class OverdueReviews(Struct, kw_only=True):
    """Late reviews, the latest first; next opens the page after."""

    items: list[Overdue]
    next: str | None


@get(
    "/v1/facility/emergency-reviews",
    actors=("privacy-officer",),
    operation_id="emergency_reviews",
    tags=TAGS,
    problems=(BAD_CURSOR,),
)
async def list_reviews(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[EmergencyReviews]:
    """Emergency accesses that this reviewer can close: none of the own unit, none signed by the reviewer."""
    after = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else _FIRST
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, actor):
        found, last = await reviews.waiting(tx, actor, after, size)
    following = encode_cursor(last.due_at.isoformat(), str(last.emergency_id)) if last else None
    return answer(EmergencyReviews(items=[_line(one) for one in found], next=following))


@get(
    "/v1/facility/emergency-reviews/{emergency_id:uuid}",
    actors=("privacy-officer",),
    operation_id="emergency_review",
    tags=TAGS,
    problems=(UNKNOWN_EMERGENCY, REVIEW_REFUSED),
)
async def open_review(emergency_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[EmergencyCase]:
    """Look into one emergency access; the person reads in the log who did."""
    async with call.begin() as (tx, actor):
        case = await reviews.open_case(
            tx, call.keys, actor, emergency_id, trace_id=call.request_id, now=call.now
        )
    return answer(case if isinstance(case, Refused) else _case(case))


@post(
    "/v1/facility/emergency-reviews/{emergency_id:uuid}/verdict",
    actors=("privacy-officer",),
    operation_id="give_emergency_verdict",
    tags=TAGS,
    status_code=200,
    problems=(UNKNOWN_EMERGENCY, REVIEW_REFUSED),
)
async def give_verdict(
    emergency_id: FromPath[UUID], data: JSONBody[NewVerdict], call: NamedDependency[Call]
) -> Response[GivenVerdict]:
    """Close a review; the person is told. Misuse or an upheld dispute suspends the right to open so."""
    async with call.begin() as (tx, actor):
        done = await reviews.give_verdict(
            tx,
            call.keys,
            actor,
            emergency_id,
            data.verdict,
            data.note,
            trace_id=call.request_id,
            now=call.now,
        )
    given = GivenVerdict(emergency_id=emergency_id, verdict=data.verdict)
    return answer(done if isinstance(done, Refused) else given)


@get(
    "/v1/department/emergency-reviews",
    actors=("department-analyst",),
    operation_id="overdue_emergency_reviews",
    tags=["oversight"],
    problems=(BAD_CURSOR,),
)
async def list_overdue(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[OverdueReviews]:
    """Reviews that nobody closed in time: which facility, since when; nobody's name."""
    after = decode_cursor(cursor, tuple[datetime, UUID]) if cursor else _FIRST
    size = limit or PAGE_DEFAULT
    async with call.begin() as (tx, _):
        found = await reviews.overdue(tx, after, size + 1, call.now)
    last = found[size - 1] if len(found) > size else None
    following = encode_cursor(last.due_at.isoformat(), str(last.emergency_id)) if last else None
    return answer(OverdueReviews(items=found[:size], next=following))


def _line(review: Review) -> EmergencyReview:
    return EmergencyReview(
        emergency_id=review.emergency_id,
        kind=review.kind,
        practitioner=review.practitioner_name,
        unit=review.unit_name,
        opened_at=review.opened_at,
        due_at=review.due_at,
        disputed=review.disputed_at is not None,
    )


def _case(case: Case) -> EmergencyCase:
    one, uses = case.emergency, case.uses
    return EmergencyCase(
        review=_line(case.review),
        facility=one.facility_name,
        reason=one.reason,
        text=case.reason_text,
        safety_flag=one.safety_flag,
        ends_at=one.ends_at,
        ended_at=one.ended_at,
        co_signed_at=one.cosigned_at,
        extended_at=one.extended_at,
        labels=label_names(Label(one.labels)),
        dispute=one.dispute,
        dispute_text=case.dispute_text,
        reads=uses.reads,
        first_read_at=uses.first_at,
        last_read_at=uses.last_at,
        shown=[Shown(type=name, count=count) for name, count in sorted(uses.shown.items())],
        acts=[Shown(type=name, count=count) for name, count in sorted(uses.acts.items())],
        whole=uses.whole,
    )


handlers: list[Any] = [list_reviews, open_review, give_verdict, list_overdue]
