"""A file of rows while it is read and taken in, and the receipt that its sender gets."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from ehr.intake.models import Reason, Unit
from store.database import Tx

FILE_BYTES_MAX: Final = 2 * 1024 * 1024
ROWS_MAX: Final = 2000
COLUMNS_MAX: Final = 250
FIELD_MAX: Final = 300


class Column(Struct, frozen=True):
    """One column. name: what faults name and JSON rows use; title: what a heading may say instead, compared
    without case, tones and signs. length_max: characters."""

    name: str
    title: str = ""
    is_required: bool = False
    length_max: int = FIELD_MAX


class Row(Struct, frozen=True):
    """One row. number: its line in a table, where the headings are line 1; its place in JSON, from 1.
    fields: trimmed texts by column name; what is empty is absent."""

    number: int
    fields: dict[str, str]

    def text(self, name: str) -> str:
        return self.fields.get(name, "")


Beside = Callable[[Tx, Unit, datetime], Awaitable[Reason | None]]


async def nothing_beside(_tx: Tx, _unit: Unit, _now: datetime) -> Reason | None:
    return None


class RowKind(Struct, frozen=True, kw_only=True):
    """What rows of a file are taken as.

    name: the same file sent as two kinds is two files. unit_of: the unit of a row, without a database; raises
    BadInputError with column names as places. beside: what is kept beside the unit, first in the row's
    transaction; a Reason refuses the row and undoes it. action: the act in the person's log. id_of: by what
    the sender finds the row's record again.
    """

    name: str
    columns: tuple[Column, ...]
    unit_of: Callable[[Row], Unit]
    action: str
    id_of: Callable[[Unit], UUID | None] = lambda _: None
    beside: Beside = nothing_beside


class StandingKind(Struct, frozen=True, kw_only=True):
    """Rows that go on what their sender said before: each reads that in its own transaction.

    take: writes one row and returns its id; reasons, with column names as places, where it wrote nothing.
    Raises BadInputError in the same way, which undoes what was written.
    """

    name: str
    columns: tuple[Column, ...]
    take: Callable[[Tx, Row, datetime], Awaitable[UUID | list[Reason]]]


AnyKind = RowKind | StandingKind

RowStatus = Literal["accepted", "refused"]


class RowTold(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a row: the same for known, unknown and conflicting persons (S19). reasons: codes and
    names of columns, never a value. id: by what the facility amends or withdraws it."""

    row: int
    status: RowStatus
    reasons: list[Reason] = []
    id: UUID | None = None


class RowsSeen(Struct, frozen=True, kw_only=True):
    """A file and how far it is: `working` until each of its rows has an answer."""

    file_id: UUID
    kind: str
    status: Literal["working", "done"]
    received_at: datetime
    rows_total: int
    rows_accepted: int
    rows_refused: int


class RowsReceipt(Struct, frozen=True, kw_only=True):
    """A file with what became of each row, in the file's order."""

    file: RowsSeen
    rows: list[RowTold]


class RowsFiles(Struct, frozen=True, kw_only=True):
    """The files that a facility sent last, newest first."""

    files: list[RowsSeen]
