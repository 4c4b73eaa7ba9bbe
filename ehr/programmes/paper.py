"""What a facility said of one enrolment, act by act, and what stands of it: pure.

What stands is folded from the acts each time. So an act that is taken back, by the facility (a visit that was
a mistake) or with a stolen credential (security.md S3), leaves nothing of the stage and day that it set.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ehr.pregnancy.models import PregnancyFacts
from ehr.programmes.models import (
    Author,
    EndBody,
    Enrolment,
    EnrolmentBody,
    StageBody,
    Status,
    VisitBody,
    VisitKept,
)

ACTS_MAX: Final = 1_000


class Outlook(Struct, frozen=True, omit_defaults=True):
    """What an act says of stage and day to come; unset where it leaves them as they are."""

    stage: str | UnsetType | None = UNSET
    next_visit_on: date | UnsetType | None = UNSET
    reported_on: date | UnsetType | None = UNSET


class BodySaid(Struct, frozen=True, tag="body"):
    """on: the day that it speaks of. adds: a row of a report: what it leaves open stays as it was."""

    on: date
    body: EnrolmentBody
    outlook: Outlook
    adds: bool = False


class VisitSaid(Struct, frozen=True, tag="visit"):
    visit_id: UUID
    body: VisitBody


class VisitTakenBack(Struct, frozen=True, tag="visit-taken-back"):
    visit_id: UUID


class StageSaid(Struct, frozen=True, tag="stage"):
    on: date
    body: StageBody


class EndSaid(Struct, frozen=True, tag="end"):
    body: EndBody


class AllTakenBack(Struct, frozen=True, tag="all-taken-back"):
    pass


Said = BodySaid | VisitSaid | VisitTakenBack | StageSaid | EndSaid | AllTakenBack


class Act(Struct, frozen=True, kw_only=True):
    """credential: as rows of the record carry it. is_reverted: it was taken back with its credential."""

    at: datetime
    credential: str
    author: Author
    said: Said
    is_reverted: bool = False


class Paper(Struct, frozen=True):
    """All acts in the order in which they were made; kept sealed."""

    acts: list[Act]


def standing(paper: Paper) -> list[Act]:
    return [act for act in paper.acts if not act.is_reverted]


def bodies_of(paper: Paper) -> list[EnrolmentBody]:
    return [act.said.body for act in standing(paper) if isinstance(act.said, BodySaid)]


def without(paper: Paper, goes: Callable[[Act], bool]) -> Paper:
    """The same paper with some acts marked as reverted; they stay in it."""
    return Paper(
        [msgspec.structs.replace(act, is_reverted=act.is_reverted or goes(act)) for act in paper.acts]
    )


def status_of(paper: Paper) -> Status:
    said = [act.said for act in standing(paper)]
    if not bodies_of(paper) or any(isinstance(one, AllTakenBack) for one in said):
        return "withdrawn"
    return "ended" if any(isinstance(one, EndSaid) for one in said) else "active"


def fold(paper: Paper) -> Enrolment | None:
    """What stands; None where nobody's enrolment does."""
    acts = standing(paper)
    enrolled = [(act, act.said) for act in acts if isinstance(act.said, BodySaid)]
    if not enrolled:
        return None
    body = enrolled[0][1].body
    for _, said in enrolled[1:]:
        body = _joined(body, said.body) if said.adds else said.body
    end = next((act.said.body for act in reversed(acts) if isinstance(act.said, EndSaid)), None)
    visits = _visits(acts)
    ahead = _outlook(acts, {one.visit_id for one in visits})
    body = msgspec.structs.replace(
        body,
        stage=ahead.stage or None,
        next_visit_on=None if end else ahead.next_visit_on or None,
        reported_on=ahead.reported_on or None,
    )
    return Enrolment(body=body, recorded_by=enrolled[0][0].author, visits=visits, end=end)


def changes(body: EnrolmentBody, before: EnrolmentBody | None = None) -> Outlook:
    """What a body says of the days to come that did not stand before it."""
    old = before or msgspec.structs.replace(body, stage=None, next_visit_on=None, reported_on=None)
    return Outlook(
        stage=UNSET if body.stage == old.stage else body.stage,
        next_visit_on=UNSET if body.next_visit_on == old.next_visit_on else body.next_visit_on,
        reported_on=UNSET if body.reported_on == old.reported_on else body.reported_on,
    )


def _joined(old: EnrolmentBody, row: EnrolmentBody) -> EnrolmentBody:
    return msgspec.structs.replace(
        row, pregnancy=_pregnancy(old.pregnancy, row.pregnancy), kept_from_family=old.kept_from_family
    )


def _pregnancy(old: PregnancyFacts | None, new: PregnancyFacts | None) -> PregnancyFacts | None:
    """A row names the last period or the due date; the rest was said at the enrolment."""
    if old is None or new is None:
        return old or new
    return msgspec.structs.replace(
        old, last_period_on=new.last_period_on or old.last_period_on, due_on=new.due_on or old.due_on
    )


def _visits(acts: Sequence[Act]) -> list[VisitKept]:
    found: dict[UUID, VisitKept] = {}
    for act in acts:
        if isinstance(act.said, VisitSaid):
            kept = VisitKept(visit_id=act.said.visit_id, body=act.said.body, recorded_by=act.author)
            found[kept.visit_id] = kept
        elif isinstance(act.said, VisitTakenBack):
            found.pop(act.said.visit_id, None)
    return sorted(found.values(), key=lambda one: (one.body.visited_on, one.visit_id))


def _outlook(acts: Sequence[Act], visits: set[UUID]) -> Outlook:
    """Stage and day by the day that each act speaks of: an older visit that is told late moves neither."""
    words = [(_day_of(act.said), number, act.said) for number, act in enumerate(acts)]
    stage: str | None = None
    day: date | None = None
    for on, _, said in sorted((w for w in words if w[0] is not None), key=lambda w: (w[0], w[1])):
        if isinstance(said, VisitSaid) and said.visit_id in visits:
            stage = said.body.stage or stage
            # A visit uses up the day that it was made for; a later one still stands.
            day = said.body.next_visit_on or (day if day and on and day > on else None)
        elif isinstance(said, StageSaid):
            stage, day = said.body.stage, said.body.next_visit_on or day
        elif isinstance(said, BodySaid):
            stage = stage if said.outlook.stage is UNSET else said.outlook.stage
            day = day if said.outlook.next_visit_on is UNSET else said.outlook.next_visit_on
    return Outlook(stage, day, _reported(acts, visits))


def _day_of(said: Said) -> date | None:
    if isinstance(said, VisitSaid):
        return said.body.visited_on
    return said.on if isinstance(said, BodySaid | StageSaid) else None


def _reported(acts: Sequence[Act], visits: set[UUID]) -> date | None:
    """Until when the facility's word is complete, as it said last."""
    told: date | None = None
    for act in acts:
        said = act.said
        if isinstance(said, BodySaid) and said.outlook.reported_on is not UNSET:
            told = said.outlook.reported_on
        elif isinstance(said, VisitSaid) and said.visit_id in visits:
            told = said.body.reported_on or told
    return told
