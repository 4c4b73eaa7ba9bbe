"""Taken, skipped or later: what the person says of the times that came, and what the weeks come to."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.reminders import BASE, TAGS
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.reading import OWN_PROBLEMS, read_beside_record
from api.reminding import noted, reader_of
from api.request import Call, answer
from consent.decision import Job, decide_job
from ehr.reads.models import Built
from family.problems import NOT_YOUR_BOOK
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from reminders.answers import day, missed, service
from reminders.answers.day import ReminderDay
from reminders.answers.missed import MissedTimes
from reminders.answers.models import Act, Adherence, Given, NotedAll
from reminders.answers.policy import WEEKS_MAX
from store.database import Tx

Instant = Annotated[datetime, Meta(tz=True)]
Weeks = Annotated[int, QueryParameter(ge=1, le=WEEKS_MAX, description="This week and those before it.")]


class AnswerInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """due_at: the time that is answered, as the plan has it. at: when it was answered, by the phone's clock.
    minutes: until it rings again, with `later` (15 where nothing is said)."""

    reminder_id: UUID
    due_at: Instant
    act: Act
    at: Instant
    minutes: Annotated[int, Meta(ge=5, le=240)] | None = None


class AnswersInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """sent_at: the phone's clock as it sends, by which a wrong one is put right."""

    sent_at: Instant
    items: Annotated[list[AnswerInput], Meta(min_length=1, max_length=100)]


@post(
    BASE + "/answers",
    status_code=200,
    actors=("citizen",),
    operation_id="answer_reminders",
    tags=TAGS,
    problems=(INVALID_FIELD, DEVICE_ON_PROBATION, NOT_YOUR_BOOK),
)
async def answers(data: JSONBody[AnswersInput], call: NamedDependency[Call]) -> Response[NotedAll]:
    """Answer times that came, also hours later.

    Of two answers to one time the one that was given later counts; sending the same again changes nothing.
    """
    items = [
        Given(reminder_id=one.reminder_id, due_at=one.due_at, act=one.act, at=one.at, minutes=one.minutes)
        for one in data.items
    ]
    async with begin_for(call, "manage-reminders") as (tx, access):
        kept = await service.record(tx, reader_of(call, access), items, data.sent_at, call.now)
        await _log(tx, call, access)
        return answer(NotedAll(items=kept))


async def _log(tx: Tx, call: Call, access: Access) -> None:
    """What somebody else says in the person's name stands in the log; one's own, many a day, do not."""
    if access.is_own:
        return
    await noted(tx, call, access, "reminder:answer:record")


@get(
    BASE + "/adherence",
    actors=("citizen",),
    operation_id="read_adherence",
    tags=TAGS,
    problems=(INVALID_FIELD, DEVICE_ON_PROBATION, NOT_YOUR_BOOK, UNAVAILABLE),
)
async def adherence(call: NamedDependency[Call], weeks: Weeks = 4) -> Response[Adherence]:
    """How many times of each medicine came each week, and what was said of them.

    For the person, and for a child's guardian.
    """

    async def build(tx: Tx, access: Access) -> Built:
        return await service.adherence(tx, reader_of(call, access), weeks, call.now)

    return await read_beside_record(call, "manage-reminders", build, is_logged=True, part="reminders")


@get(
    BASE + "/day",
    actors=("citizen",),
    operation_id="read_reminder_day",
    tags=TAGS,
    problems=OWN_PROBLEMS,
)
async def today(call: NamedDependency[Call]) -> Response[ReminderDay]:
    """Today's times, those that came and those ahead, and what was said of each."""

    async def build(tx: Tx, access: Access) -> Built:
        return await day.read(tx, reader_of(call, access), call.now)

    return await read_beside_record(call, "read-section", build, is_logged=True, part="reminders")


@get(
    BASE + "/unanswered",
    actors=("citizen",),
    operation_id="read_unanswered_reminders",
    tags=TAGS,
    problems=(NOT_YOUR_BOOK, DEVICE_ON_PROBATION, UNAVAILABLE),
)
async def unanswered(call: NamedDependency[Call]) -> Response[MissedTimes]:
    """What notices of unanswered times were about.

    For the person, a child's guardian, and the proxy whom the person lets know of them.
    """

    async def build(tx: Tx, access: Access) -> Built:
        # As the notice was made: a relative's own view of the book is another matter.
        job: Job = "family-reminders" if access.basis == "guardian" else "proxy-reminders"
        view = access if access.is_own else await decide_job(tx, job, access.patient_id)
        return await missed.read(tx, call.keys, access, view, call.now)

    return await read_beside_record(call, "read-unanswered", build, is_logged=True, part="reminders")


handlers: list[Any] = [answers, adherence, today, unanswered]
