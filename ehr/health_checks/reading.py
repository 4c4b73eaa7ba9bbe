"""Health checks as readers see them: the list with what is due, one check, and one beside an earlier one.

Everything comes from the kept forms that the Access lets out. Nothing is judged: class and conclusion are the
facility's words, and of two values only what they are and, in one unit, their difference is told.
"""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from msgspec import Struct

from ehr.health_checks import queries
from ehr.health_checks.models import (
    AnswerShown,
    CheckComparison,
    Compared,
    HealthCheck,
    HealthCheckDetail,
    HealthCheckPage,
    SectionShown,
)
from ehr.health_checks.problems import CHECK_NOT_FOUND
from ehr.health_checks.queries import CheckRow
from ehr.health_checks.rules import Due, LastCheck, due_checks, rules
from ehr.health_checks.templates import CheckKind, forms
from ehr.reads.faces import marks_of
from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.paging import cut, page_size, position
from ehr.reads.raw import encode
from ehr.reads.scope import is_id, scope_of
from ehr.views.checks import KINDS_VI, CheckAnswer, CheckRead, read_check
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import refuse
from store.database import Tx

_OTHER: Final = "Khác"


class Read(Struct, frozen=True):
    """A kept check with what it says."""

    row: CheckRow
    said: CheckRead
    shown: HealthCheck


async def page(tx: Tx, access: Access, cursor: str | None, limit: int | None, now: datetime) -> Built:
    """A page of checks, newest first. Raises `bad-cursor`."""
    size, scope = page_size(limit), scope_of(access, now)
    found = await queries.CHECKS.all(tx, *scope, *position(cursor), size + 1)
    rows, following = cut(found, size)
    newest = await _newest(tx, access, now) if cursor is None else []
    told = HealthCheckPage(
        items=[one.shown for one in _read(rows, now)],
        next=following,
        due=_due(newest),
        notice=notice_for(access),
    )
    return Built(encode(told), _named([*rows, *(one.row for one in newest)]))


async def one(tx: Tx, access: Access, check_id: str, now: datetime) -> Built:
    """One check with all its fields. Raises `health-check-not-found`."""
    read = await _check(tx, access, check_id, now)
    told = HealthCheckDetail(check=read.shown, sections=_sections(read.said), notice=notice_for(access))
    return Built(encode(told), _named([read.row]))


async def comparison(tx: Tx, access: Access, check_id: str, against: str | None, now: datetime) -> Built:
    """One check beside another, or beside the newest of its kind before it. Raises
    `health-check-not-found`."""
    read = await _check(tx, access, check_id, now)
    if against is not None:
        before: Read | None = await _check(tx, access, against, now)
    else:
        row = await queries.CHECK_BEFORE.one(
            tx, *scope_of(access, now), read.said.kind, read.row.sort_at, read.row.id
        )
        before = next(iter(_read([row] if row else [], now)), None)
    told = CheckComparison(
        check=read.shown,
        before=before.shown if before else None,
        lines=compared(read.said.answers, before.said.answers) if before else [],
        notice=notice_for(access),
    )
    return Built(encode(told), _named([read.row, *([before.row] if before else [])]))


async def last_checks(tx: Tx, access: Access, now: datetime) -> list[tuple[LastCheck, str, str]]:
    """The newest check of each kind that the reader sees, with the type and id of its row."""
    return [
        (last, one.row.rtype, one.row.id)
        for one in await _newest(tx, access, now)
        for last in _last_of([one])
    ]


async def told(tx: Tx, access: Access, check_id: str, now: datetime) -> CheckRow | None:
    """A kept check as the Access lets it out, for whoever passes it on."""
    return await queries.CHECK_BY_ID.one(tx, *scope_of(access, now), check_id)


async def _check(tx: Tx, access: Access, check_id: str, now: datetime) -> Read:
    row = await queries.CHECK_BY_ID.one(tx, *scope_of(access, now), check_id) if is_id(check_id) else None
    found = _read([row] if row else [], now)
    if not found:
        refuse(CHECK_NOT_FOUND)
    return found[0]


async def _newest(tx: Tx, access: Access, now: datetime) -> list[Read]:
    rows = await queries.NEWEST_OF_KINDS.all(tx, *scope_of(access, now), sorted(KINDS_VI))
    return _read(rows, now)


def _due(newest: list[Read]) -> list[Due]:
    return due_checks(_last_of(newest), rules())


def _last_of(newest: list[Read]) -> list[LastCheck]:
    return [
        LastCheck(cast(CheckKind, one.said.kind), day, one.said.valid_until)
        for one in newest
        if (day := _day(one.said.done_on)) is not None
    ]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None and len(text) == 10 else None


def _read(rows: list[CheckRow], now: datetime) -> list[Read]:
    return [Read(row, said, _shown(row, said, now)) for row in rows if (said := read_check(row.doc))]


def _shown(row: CheckRow, said: CheckRead, now: datetime) -> HealthCheck:
    marks, until = marks_of(row.mark), said.valid_until
    return HealthCheck(
        id=row.id,
        kind=cast(CheckKind, said.kind),
        kind_vi=KINDS_VI[said.kind],
        form=said.form,
        form_version=said.form_version,
        date=said.done_on,
        facility_name=row.facility_name,
        health_class=said.health_class,
        conclusion=said.conclusion,
        valid_until=until,
        validity="not-stated" if until is None else "valid" if local_day(now) <= until else "ended",
        visit_id=row.visit_id,
        hidden="hidden" in marks,
        disputed="disputed" in marks,
    )


def _sections(said: CheckRead) -> list[SectionShown]:
    """The answers under their sections' titles, in the form's order."""
    form = forms().get((said.form, said.form_version))
    titles = {section.code: section.title for section in form.sections} if form else {}
    by_section: dict[str, list[CheckAnswer]] = {}
    for answer in said.answers:
        by_section.setdefault(answer.link_id.partition(".")[0], []).append(answer)
    return [
        SectionShown(
            code=code,
            title=titles.get(code, _OTHER),
            answers=[
                AnswerShown(name=_name(one), title=one.title, value=one.value, unit=one.unit)
                for one in answers
            ],
        )
        for code, answers in by_section.items()
    ]


def _name(answer: CheckAnswer) -> str:
    return answer.link_id.partition(".")[2]


def compared(now: list[CheckAnswer], before: list[CheckAnswer]) -> list[Compared]:
    """Each field of either, in the order of the newer one. Fields are the same by name, whatever the form."""
    newer, older = {_name(one): one for one in now}, {_name(one): one for one in before}
    return [_line(name, newer.get(name), older.get(name)) for name in dict.fromkeys([*newer, *older])]


def _line(name: str, now: CheckAnswer | None, before: CheckAnswer | None) -> Compared:
    told = now or before
    assert told is not None
    change, state = None, "only-now" if before is None else "only-before"
    if now is not None and before is not None:
        numbers = _decimal(now), _decimal(before)
        if now.unit != before.unit:
            state = "units-differ"
        elif numbers[0] is not None and numbers[1] is not None:
            difference = numbers[0] - numbers[1]
            state, change = ("changed" if difference else "same"), f"{difference:+f}"
        else:
            state = "same" if now.value == before.value else "changed"
    return Compared(
        name=name,
        title=told.title,
        value=now.value if now else None,
        unit=now.unit if now else None,
        value_before=before.value if before else None,
        unit_before=before.unit if before else None,
        state=state,  # type: ignore[arg-type]
        change=change,
    )


def _decimal(answer: CheckAnswer) -> Decimal | None:
    """A number of a unit; what has none is compared as text."""
    if answer.unit is None:
        return None
    try:
        return Decimal(answer.value)
    except InvalidOperation:
        return None


def _named(rows: list[CheckRow]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row.rtype, row.id) for row in rows))
