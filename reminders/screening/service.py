"""Which exams are due in a book, what the person chooses of them, and the reminders that follow.

What counts is what an Access lets out; the reminders are made by the job's own view, so that a phone never
tells of what nobody may know (security.md S23).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.health_checks.reading import last_checks
from ehr.knowledge.service import active_groups
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from identity.models import Demographics
from identity.people import person_of
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from reminders.faces import Face
from reminders.looking import look_at
from reminders.models import Reminder
from reminders.screening import queries
from reminders.screening.models import Choice, Facts, Last, Screening, Screenings
from reminders.screening.policy import asked, screenings, told_on
from reminders.screening.problems import NO_SUCH_SCREENING, SCREENING_DAY_WRONG
from reminders.screening.rules import by_code, marks, rules
from reminders.screening.texts import NOTICE_VI
from reminders.shown import CameFrom
from reminders.sources import Schedule, plan_source
from reminders.switches.service import is_on
from store.database import Tx
from store.keys import KeyRing

# What a reminder came from: this and the rule.
SOURCE: Final = "screening:"
_SAID_MAX: Final = timedelta(days=30 * 366)


async def read(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """What the rules say of the person, as far as the reader sees the book."""
    facts = await _facts(tx, access, await person_of(tx, keys, access), now)
    told = Screenings(
        items=screenings(facts, rules().rules, local_day(now)),
        rules_version=rules().version,
        is_told=await is_on(tx, access.patient_id, "exam"),
        notice_vi=NOTICE_VI,
    )
    shown = [(one.rtype, one.id) for one in facts.last.values() if one.rtype and one.id]
    return Built(encode(told), list(dict.fromkeys(shown)))


async def choose(
    tx: Tx, access: Access, rule: str, wanted: bool | None, done_on: date | None, now: datetime
) -> Choice | Refused:
    """Switch a rule on or off, and say when it was done elsewhere. Refused: no-such-screening,
    screening-day-wrong."""
    today = local_day(now)
    if rule not in by_code():
        return Refused(problem=NO_SUCH_SCREENING)
    if done_on is not None and not today - _SAID_MAX <= done_on <= today:
        return Refused(problem=SCREENING_DAY_WRONG)
    await queries.keep_choice(tx, access.patient_id, rule, wanted, done_on, now)
    await look_at(tx, access.patient_id, now)
    return Choice(rule, wanted, done_on, now)


async def plan(tx: Tx, keys: KeyRing, own: Access, now: datetime) -> None:
    """Bring the reminders of exams in line with what is due. Again changes nothing."""
    told, today = rules().told, local_day(now)
    facts = await _facts(tx, own, await person_of(tx, keys, own), now)
    wanted = {one.rule: one for one in screenings(facts, rules().rules, today) if one.is_on}
    for rule in by_code():
        one = wanted.get(rule)
        days = told_on(one.due_on, told, own.patient_id, today) if one is not None else []
        timing = Schedule(times=(told.time,), on_days=tuple(days)) if days else None
        await plan_source(tx, own.patient_id, "exam", SOURCE + rule, timing, now)


async def stands(tx: Tx, view: Access, one: Reminder, now: datetime) -> bool:
    """Whether an exam is still to be told of, as far as a view goes: not one that was done since, nor of a
    person who was merged into another."""
    due = (await _asked(tx, view, [one], now)).get(one.reminder_id)
    if due is None or not due.is_on:
        return False
    return due.due_on is None or due.due_on + timedelta(days=min(rules().told.days_from_due)) <= local_day(
        now
    )


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """What each reminder of an exam is of, for whoever sees what it rests on."""
    return {
        ident: Face(
            title=one.title_vi,
            came_from=CameFrom(what="screening-rule", id=one.rule, text=[one.why_vi], source=one.source_vi),
        )
        for ident, one in (await _asked(tx, access, rows, now)).items()
    }


async def _asked(tx: Tx, view: Access, rows: list[Reminder], now: datetime) -> dict[UUID, Screening]:
    """What the rules of these reminders say, as far as a view goes. Whom a rule speaks of by age and sex was
    asked when it was planned."""
    facts, found = await _facts(tx, view, None, now), dict[UUID, Screening]()
    for one in rows:
        rule = by_code().get(one.source.removeprefix(SOURCE))
        due = asked(rule, facts, local_day(now)) if rule and one.patient_id == view.patient_id else None
        if due is not None:
            found[one.reminder_id] = due
    return found


async def _facts(tx: Tx, access: Access, person: Demographics | None, now: datetime) -> Facts:
    found: dict[str, Choice] = {}
    for one in (*sorted(access.origins), access.patient_id):
        found |= {choice.rule: choice for choice in await queries.CHOICES.all(tx, one)}
    return Facts(
        sex=(person.sex if person else None) or "unknown",
        birth_date=person.birth_date if person else None,
        icd=frozenset(await active_groups(tx, access, now)),
        last=await _last(tx, access, now),
        choices=found,
    )


async def _last(tx: Tx, access: Access, now: datetime) -> dict[str, Last]:
    """The newest exam of each rule: a health check of one of its kinds, or a result."""
    checks = await last_checks(tx, access, now)
    exams = {exam.rule: exam for exam in await queries.NEWEST_EXAMS.all(tx, *scope_of(access, now), *marks())}
    found: dict[str, Last] = {}
    for rule in rules().rules:
        known = [
            Last(done_on=one.done_on, until=one.valid_until, rtype=rtype, id=ident)
            for one, rtype, ident in checks
            if one.kind in rule.checks
        ]
        if (exam := exams.get(rule.code)) is not None:
            known.append(Last(done_on=local_day(exam.eff), rtype=exam.rtype, id=exam.id))
        if known:
            found[rule.code] = max(known, key=lambda one: one.done_on)
    return found
