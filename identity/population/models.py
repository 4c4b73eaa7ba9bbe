"""A list, its lines, what became of them, and what a list says of a person."""

from datetime import date, datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

from identity.models import IdentifierKind, NumberStatus, PersonState, Sex

LINES_MAX: Final = 20_000_000
# A dry run remembers every number, for nothing is written that would: so many lines at once, and no more.
DRY_LINES_MAX: Final = 1_000_000
ListKind = Literal["residents", "cards", "households"]
# taken: into the register or beside a person, and something is to be looked at all the same.
LineStatus = Literal["taken", "refused", "disagreeing"]


class Reason(Struct, frozen=True, order=True):
    """Why a line is not taken, or what is to be looked at. field: the name of a column of ours, or `line`."""

    code: str
    field: str


class Listing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a list says of a person beyond who it is. household: its code, as the list writes it; role: of the
    person in it; groups: keys of groups.json. Days are ISO texts."""

    household: str | None = None
    role: str | None = None
    relation: str | None = None
    address: str | None = None
    commune: str | None = None
    phone: str | None = None
    groups: tuple[str, ...] = ()
    valid_from: str | None = None
    valid_until: str | None = None
    benefit: str | None = None
    facility_code: str | None = None
    area: str | None = None
    five_years: str | None = None


class Line(NamedTuple):
    """A line that can be read. numbers: valid ones, in a fixed order; facts: the Listing as JSON; item: which
    of several things of a list it is; notes: what its sender should look at."""

    number: int
    numbers: tuple[tuple[IdentifierKind, str], ...]
    name: str
    birth_date: str
    sex: Sex
    address: str | None
    commune: str | None
    phone: str | None
    facts: str
    item: str
    notes: tuple[Reason, ...]


class Unread(NamedTuple):
    """A line that cannot be taken as it stands."""

    number: int
    status: LineStatus
    reasons: tuple[Reason, ...]


class OwnerRow(Struct, frozen=True):
    """Whose number it is. Fields behind the kind as in IdentifierRow."""

    id_hash: bytes
    kind: str
    patient_id: UUID
    state: Literal["facility-reported", "verified"]
    valid_from: date | None
    valid_until: date | None
    status: NumberStatus


class KnownRow(Struct, frozen=True):
    """A person whose number a line names."""

    patient_id: UUID
    level: int
    state: PersonState
    demographics: bytes


class ListingRow(Struct, frozen=True):
    patient_id: UUID
    item: str
    load_id: UUID
    line: int
    facts: bytes


class ListedRow(Struct, frozen=True):
    """What a list says of a person, sealed."""

    list: ListKind
    facts: bytes
    listed_at: datetime


class Listed(NamedTuple):
    """What a list says of a person, and since when."""

    kind: ListKind
    says: Listing
    listed_at: datetime


class Standing(Struct, frozen=True):
    """How far a load is."""

    run: int = 1
    lines_done: int = 0
    made: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    disagreeing: int = 0
    finished_at: datetime | None = None


class Told(Struct, frozen=True):
    """A reason and how many lines have it."""

    code: str
    field: str
    lines: int


class Summary(Struct, frozen=True, kw_only=True):
    """The report of a load. lines = made + changed + unchanged + refused + disagreeing.

    made: people who are new in the register; changed: people who were there, and the list says something new
    of them; disagreeing: number and person, or two numbers, do not go together, nothing was written.
    """

    load_id: UUID
    kind: ListKind
    dry_run: bool
    lines: int
    lines_now: int
    made: int
    changed: int
    unchanged: int
    refused: int
    disagreeing: int
    told: list[Told]
    columns_not_read: list[str]


class LineRow(Struct, frozen=True):
    """A line of which something is to be said; reasons: JSON."""

    line: int
    status: LineStatus
    reasons: str


class ToldRow(Struct, frozen=True):
    """How many lines have the same reasons."""

    status: LineStatus
    reasons: str
    lines: int
