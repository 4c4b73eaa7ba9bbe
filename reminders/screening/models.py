"""What is known of a person, what a rule makes of it, and what the person reads and chooses."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

# due: the day came; later: a day to come; not-found: nothing of the kind is in the book.
State = Literal["due", "later", "not-found"]
# form: the day on the last check's form; rule: months since the last one, or its age.
Basis = Literal["form", "rule"]


class Last(Struct, frozen=True, kw_only=True):
    """The newest exam of a rule. until: the day to which its form says it is good; said: by the person, and
    not in the book."""

    done_on: date
    until: date | None = None
    said: bool = False
    rtype: str | None = None
    id: str | None = None


class Choice(Struct, frozen=True):
    """What a person chose of a rule. is_on: None as the rule says."""

    rule: str
    is_on: bool | None
    done_on: date | None
    changed_at: datetime


class Facts(Struct, frozen=True, kw_only=True):
    """birth_date: FHIR partial date; icd: three-character groups of what is active; last: by rule."""

    sex: str
    birth_date: str | None
    icd: frozenset[str]
    last: dict[str, Last]
    choices: dict[str, Choice]


class Screening(Struct, frozen=True, kw_only=True):
    """An exam that a rule asks for. due_on: null where nothing of the kind is in the book. last_said: the
    last day is the person's own word. source, read_note, read_note_vi: the text, and how far it was read;
    is_confirmed: whether it was, or the last form says the day. is_on: whether it is reminded of."""

    rule: str
    title_vi: str
    why_vi: str
    state: State
    due_on: date | None
    last_on: date | None
    last_said: bool
    basis: Basis
    source_vi: str
    source_url: str | None
    read_note: str
    read_note_vi: str
    is_confirmed: bool
    is_on: bool


class Screenings(Struct, frozen=True, kw_only=True):
    """What is due comes first. is_told: whether reminders of exams are on at all."""

    items: list[Screening]
    rules_version: str
    is_told: bool
    notice_vi: str
