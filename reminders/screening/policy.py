"""What is due of a person by the rules, and on which days it is told. Pure."""

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from family.policy import is_of_age
from kernel.clock import add_months
from reminders.screening.models import Facts, Last, Screening, State
from reminders.screening.rules import Rule, Told


def screenings(facts: Facts, table: Iterable[Rule], today: date) -> list[Screening]:
    """What the rules say of a person: what is due first, by its day; what concerns others is not named."""
    found = [made for rule in table if (made := _of_rule(rule, facts, today)) is not None]
    order = {"due": 0, "not-found": 1, "later": 2}
    return sorted(found, key=lambda one: (order[one.state], one.due_on or today, one.rule))


def _of_rule(rule: Rule, facts: Facts, today: date) -> Screening | None:
    return asked(rule, facts, today) if is_for(rule, facts, today) else None


def is_for(rule: Rule, facts: Facts, today: date) -> bool:
    """Whether a rule speaks of somebody of this age and sex: what is not known for certain counts as none."""
    if rule.sex is not None and facts.sex != rule.sex:
        return False
    if rule.age_from is not None and not is_of_age(facts.birth_date, rule.age_from, today):
        return False
    return rule.age_until is None or not is_of_age(facts.birth_date, rule.age_until, today)


def asked(rule: Rule, facts: Facts, today: date) -> Screening | None:
    """What a rule says of a person of whom it speaks; None where the book answers otherwise."""
    last = _last(rule, facts)
    due_on, by_form = _due_on(rule, last)
    if due_on is None and last is not None:
        # Neither the rule nor the form says when the next one is.
        return None
    if rule.group == "checked-before" and (last is None or last.said):
        return None
    if facts.icd.intersection(rule.excluded_icd):
        return None
    choice = facts.choices.get(rule.code)
    chosen = choice.is_on if choice is not None else None
    is_confirmed = rule.is_confirmed or by_form
    return Screening(
        rule=rule.code,
        title_vi=rule.title_vi,
        why_vi=rule.why_vi,
        state=_state(due_on, today),
        due_on=due_on,
        last_on=last.done_on if last else None,
        last_said=last.said if last else False,
        basis="form" if by_form else "rule",
        source_vi=rule.source,
        source_url=rule.url,
        read_note=rule.read,
        read_note_vi=rule.read_vi,
        is_confirmed=is_confirmed,
        is_on=is_confirmed if chosen is None else chosen,
    )


def _last(rule: Rule, facts: Facts) -> Last | None:
    """The newest of what the book and the person say."""
    found, choice = facts.last.get(rule.code), facts.choices.get(rule.code)
    said = choice.done_on if choice is not None else None
    if said is None or (found is not None and found.done_on >= said):
        return found
    return Last(done_on=said, said=True)


def _due_on(rule: Rule, last: Last | None) -> tuple[date | None, bool]:
    """The next day, and whether the last form gives it."""
    if last is None:
        return None, False
    if last.until is not None:
        return last.until, True
    return (add_months(last.done_on, rule.months) if rule.months is not None else None), False


def _state(due_on: date | None, today: date) -> State:
    if due_on is None:
        return "not-found"
    return "due" if due_on <= today else "later"


def told_on(due_on: date | None, told: Told, patient_id: UUID, today: date) -> list[date]:
    """On which days an exam is told of: about its day, then again and again on days of the person's own.
    None moves with the day of looking; those about its day stay on the list when they are over."""
    near = [due_on + timedelta(days=days) for days in told.days_from_due] if due_on is not None else []
    begin = max([today, *near])
    slot = int.from_bytes(patient_id.bytes[-4:]) % told.again_every_days
    wait = (slot - begin.toordinal()) % told.again_every_days or told.again_every_days
    step = timedelta(days=told.again_every_days)
    first = begin + timedelta(days=wait)
    return [*sorted(near), first, first + step]
