"""What a message says: one health check, as JSON in the shape in which facilities send it to us.

The 17 forms of QĐ 1551 have fields that nobody here has seen, so none is made up: what travels is the check
on the form that it was filled in on (ehr/health_checks/forms), and the receiver that wants the ministry's
templates gets them from an adapter of whoever has them. Results of services are not part of it: each waits
for its own release.
"""

import json
from datetime import date, datetime
from typing import Any, Final, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import Struct

from ehr.entry.mapping import person_of
from ehr.entry.models import EntryNumber, EntryPerson
from ehr.health_checks.mapping import check_id_of, unit_of
from ehr.health_checks.models import CheckBody, Filled
from ehr.health_checks.queries import CheckRow
from ehr.health_checks.templates import CheckKind, form_of
from ehr.intake.drafts import UnitDraft
from ehr.intake.gate import judge_plain
from ehr.intake.models import BadInputError, Reason, Unit, reject
from ehr.views.checks import CheckAnswer, read_check
from identity.models import Demographics, OwnIdentifier

# In this order: the first one that a person has stands in a message.
_NUMBERS: Final = ("national-id", "insurance-card", "insurance-number", "passport")
UNIT: Final = "axis:"


class Content(Struct, frozen=True):
    """What leaves. left_out: lines that the gate stopped on their way out."""

    data: bytes
    left_out: int


def number_of(numbers: list[OwnIdentifier], today: date) -> EntryNumber | None:
    """One number of a person: in force, and not merely claimed by whoever opened an account (S1)."""
    for kind in _NUMBERS:
        for one in numbers:
            is_known = one.state != "self-declared" and one.status == "live"
            if one.kind == kind and is_known and (one.valid_until is None or one.valid_until >= today):
                return EntryNumber(kind=cast(Any, one.kind), value=one.value)
    return None


def content_of(row: CheckRow, person: Demographics, number: EntryNumber) -> Content | None:
    """A check as it may leave now; None where it is none of ours, or its person is not fully named."""
    said = read_check(row.doc)
    day = _day(said.done_on) if said else None
    if said is None or day is None or not (person.name and person.birth_date):
        return None
    answers = {_name(one): one.value for one in said.answers if _may_leave(one.title, one.value)}
    words = {"health_class": said.health_class, "conclusion": said.conclusion}
    told = {name: text for name, text in words.items() if text and _may_leave(name, text)}
    body = CheckBody(
        kind=cast(CheckKind, said.kind),
        form=said.form,
        form_version=said.form_version,
        check_number=_check_number(row.doc),
        done_on=day,
        person=EntryPerson(
            numbers=[number],
            name=person.name,
            birth_date=person.birth_date,
            sex=cast(Any, person.sex or "unknown"),
        ),
        valid_until=said.valid_until,
        values=answers,
        **told,
    )
    stopped = len(said.answers) - len(answers) + sum(map(bool, words.values())) - len(told)
    return Content(msgspec.json.encode(body), stopped)


def _may_leave(title: str, text: str) -> bool:
    """The gate of today (vietnam.md §5): what it would stop, and what a person would have to judge, stays."""
    return judge_plain(f"{title}: {text}") == "keep"


def _name(answer: CheckAnswer) -> str:
    return answer.link_id.partition(".")[2]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None and len(text) == 10 else None


def _check_number(doc: str) -> str:
    identifier = json.loads(doc).get("identifier") or {}
    return str(identifier.get("value", ""))


def check_of(body: CheckBody, facility_id: UUID | None, sender_id: str) -> UUID:
    """Which check a message is about; of a facility that is not ours, by its code."""
    of = facility_id or uuid5(NAMESPACE_URL, f"urn:vn:so-suc-khoe:axis-sender:{sender_id}")
    return check_id_of(of, body.kind, body.done_on, body.check_number)


def read_content(data: bytes) -> CheckBody:
    """The check of a message that came. Raises BadInputError."""
    try:
        return msgspec.json.decode(data, type=CheckBody)
    except (msgspec.MsgspecError, RecursionError):
        raise reject("bad-content", "data") from None


def unit_in(body: CheckBody, check_id: UUID, sender_id: str, sent_at: datetime, now: datetime) -> Unit:
    """The unit of a check that came: the newest by its sender's clock stands. Raises BadInputError."""
    form = form_of(body.form, body.form_version)
    if form is None or body.kind not in form.kinds:
        raise BadInputError([Reason("unknown-form", "form")])
    draft = UnitDraft("person")
    person = person_of(body.person, draft)
    filled = Filled(
        form=form,
        kind=body.kind,
        number=body.check_number,
        done_on=body.done_on,
        person=person,
        values=body.values,
        health_class=body.health_class,
        conclusion=body.conclusion,
        valid_until=body.valid_until,
    )
    unit = unit_of(filled, check_id, {}, now, draft.reasons)
    return msgspec.structs.replace(
        unit, key=f"{UNIT}{check_id}", facility_code=sender_id, version=int(sent_at.timestamp())
    )
