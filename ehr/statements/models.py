"""The plain fields of a statement, and how a statement is shown. Dates are FHIR dates."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from ehr.entry.models import Line
from ehr.models import Item
from ehr.reads.models import Notice
from ehr.statements.choices import Kind

FACTS_MAX: Final = 20

# vaccination: a dose with its picture (vaccination/book), which has routes of its own.
DeclaredKind = Literal[Kind, "paper", "vaccination"]
Day = Annotated[
    str,
    Meta(
        pattern=r"^[12][0-9]{3}(-[01][0-9](-[0-3][0-9])?)?$(?!\n)",
        description="A FHIR date at the precision that is known: year, month or day.",
    ),
]
Note = Annotated[str, Meta(min_length=1, max_length=1000)]
Code = Annotated[str, Meta(pattern=r"^[0-9]{1,2}$(?!\n)")]
# Who speaks for somebody else, as seen from that person.
Relative = Literal["spouse", "parent", "child", "sibling", "relative", "guardian", "carer"]
BloodGroup = Literal["A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-", "A", "B", "AB", "O"]


class StatementFact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """code: an element of the form, as /v1/me/statements/choices lists them; value: as its pattern says."""

    code: Annotated[str, Meta(pattern=r"^[A-Z_]{2,40}$(?!\n)")]
    value: Annotated[str, Meta(min_length=1, max_length=300)]


class StatementBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that a person says. Which fields a kind has is in /v1/me/statements/choices.

    name: the substance, disease, operation or medicine. code: of the list of its kind. state: of a risk
    factor. origin: where a medicine comes from. relative: which relative has the disease, by kinship.
    said_by: when acting for somebody else, what the speaker is to that person.
    """

    kind: Kind
    name: Line | None = None
    code: Code | None = None
    since: Day | None = None
    until: Day | None = None
    reaction: Line | None = None
    severity: Literal["mild", "moderate", "severe"] | None = None
    relative: Line | None = None
    state: Literal["no", "yes", "often", "stopped"] | None = None
    amount: Line | None = None
    dosage: Note | None = None
    origin: Literal["own", "herbal", "over-the-counter"] | None = None
    value: BloodGroup | None = None
    facts: Annotated[list[StatementFact], Meta(max_length=FACTS_MAX)] = []
    note: Note | None = None
    said_by: Relative | None = None


class StatementReceipt(Struct, frozen=True, kw_only=True):
    """What was taken in; never what it says. statement_id is the id of the entry in its section of the book.
    version: 1, and one more per change of what it says."""

    statement_id: UUID
    kind: DeclaredKind
    version: int
    status: Literal["standing", "withdrawn"]
    changed_at: datetime


class StatementShown(Struct, kw_only=True):
    """A statement or an own paper that stands. may_change: whether the asking person may amend or take it
    back, a paper at /v1/me/documents. item: as its section shows it, with who said it and what a doctor made
    of it."""

    statement_id: str
    kind: DeclaredKind
    version: int
    changed_at: datetime
    may_change: bool
    item: Item


class Statements(Struct, kw_only=True):
    """All statements and own papers that stand and that the reader may see, newest first."""

    items: list[StatementShown]
    notice: Notice | None = None


class VerdictBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """version: of the statement, as the doctor read it."""

    outcome: Literal["confirmed", "refuted"]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    note: Note | None = None


class VerdictReceipt(Struct, frozen=True, kw_only=True):
    statement_id: str
    outcome: Literal["confirmed", "refuted"]
    version: int
    said_at: datetime


class CodeChoice(Struct, frozen=True, kw_only=True):
    code: str
    title_vi: str


class FactChoice(Struct, frozen=True, kw_only=True):
    """One element of the form. choices: what its value may be; none: text, or a number by the pattern."""

    code: str
    title_vi: str
    pattern: str
    unit: str
    choices: list[CodeChoice]


class KindChoice(Struct, frozen=True, kw_only=True):
    """single: a person has one of it, which is amended. codes: the list of QĐ 831, from which none need be
    taken."""

    kind: Kind
    title_vi: str
    single: bool
    required: list[str]
    optional: list[str]
    codes: list[CodeChoice]
    facts: list[FactChoice]


class StatementChoices(Struct, frozen=True, kw_only=True):
    items: list[KindChoice]
