"""Active medicines and allergies as they are compared, what was found, and what is shown of it."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

FindingKind = Literal["same-ingredient", "allergy", "pair"]
Severity = Literal["contraindicated", "major", "moderate", "minor"]
Side = Literal["doctor", "person"]
DismissalReason = Literal["weighed", "not-taken", "not-the-same", "tolerated", "other"]
TableKind = Literal["pairs", "names"]

SEVERITIES: Final[tuple[Severity, ...]] = ("contraindicated", "major", "moderate", "minor")


class Line(Struct, frozen=True, kw_only=True):
    """One active medicine, or one allergy. codes: (system, code); prescription: its group identifier;
    fold: equal where two senders say the same of one day; open_end: nothing says when it ends."""

    rtype: str
    id: str
    version: int
    title: str
    words: tuple[str, ...]
    codes: tuple[tuple[str, str], ...] = ()
    prescription: str | None = None
    encounter_id: str | None = None
    facility_id: UUID | None = None
    facility_name: str | None = None
    day: str | None = None
    self_declared: bool = False
    fold: bytes | None = None
    open_end: bool = False


class Name(Struct, frozen=True):
    """What a name of the loaded table stands for; both folded, with the ingredient as the file writes it."""

    name: str
    ingredient: str
    ingredient_name: str


class Pair(Struct, frozen=True):
    """Two ingredients of the loaded table."""

    a: str
    b: str
    a_name: str
    b_name: str
    severity: Severity
    words_vi: str
    words_en: str
    source: str
    licence: str
    version: str


class Found(Struct, frozen=True, kw_only=True):
    """A finding before it is shown. key: made of the facts alone, 32 hex digits."""

    key: str
    kind: FindingKind
    ingredients: tuple[str, ...]
    medicines: tuple[Line, ...]
    allergies: tuple[Line, ...] = ()
    pair: Pair | None = None


class Dismissal(Struct, frozen=True):
    finding: str
    side: Side
    reason: DismissalReason
    dismissed_at: datetime
    facility_name: str | None


class LoadedTable(Struct, frozen=True):
    kind: TableKind
    version: str
    lines: int
    content_sha256: bytes
    loaded_at: datetime


class LineShown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the book: kind and id as elsewhere."""

    kind: str
    id: str
    title: str
    date: str | None = None
    facility_name: str | None = None
    self_declared: bool = False


class DismissalShown(Struct, frozen=True, kw_only=True):
    """Whose word it was, and why. The access log says who. Of a doctor's word the family reads the day
    alone."""

    by: Side
    reason: DismissalReason | None
    dismissed_at: datetime
    facility_name: str | None


class OwnFinding(Struct, frozen=True, kw_only=True):
    """What a person is told: which entries, and to ask. open: nobody of the person's side dismissed it."""

    finding_id: str
    kind: FindingKind
    medicines: list[LineShown]
    allergies: list[LineShown]
    text_vi: str
    open: bool
    dismissals: list[DismissalShown]


class SafetyFinding(Struct, frozen=True, kw_only=True):
    """A finding in full. ingredients: as the loaded table writes them, else as the lines do. severity, words,
    source, licence and version are the pair's of the loaded table. open: no clinician dismissed it."""

    finding_id: str
    kind: FindingKind
    ingredients: list[str]
    medicines: list[LineShown]
    allergies: list[LineShown]
    severity: Severity | None
    words_vi: str | None
    words_en: str | None
    source: str | None
    licence: str | None
    version: str | None
    open: bool
    dismissals: list[DismissalShown]


class TableShown(Struct, frozen=True, kw_only=True):
    """A loaded table that was looked in."""

    kind: TableKind
    version: str
    loaded_at: datetime


class OwnMedicineSafety(Struct, frozen=True, kw_only=True):
    """Open findings first. unchecked: what no loaded table knows, so that nothing is said of it.
    pairs_checked: whether a table of pairs is in force."""

    items: list[OwnFinding]
    unchecked: list[LineShown]
    pairs_checked: bool
    notice_vi: str


class MedicineSafety(Struct, frozen=True, kw_only=True):
    """Findings among the entries that this access shows: open first, then by severity. unchecked: what no
    loaded table knows. tables: those in force; without a table of pairs, none is looked for."""

    items: list[SafetyFinding]
    unchecked: list[LineShown]
    tables: list[TableShown]
    notice_vi: str
