"""A file of doses while it is taken in, and what is told of it."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from ehr.intake.models import Reason
from ehr.rows.models import Row

# Whose files are taken: how each is called in what people read.
SYSTEMS: Final = {
    "national-immunisation": "Hệ thống thông tin tiêm chủng quốc gia",
    "national-covid": "Nền tảng quản lý tiêm chủng Covid-19",
}
ROWS_MAX: Final = 1_000_000
RowStatus = Literal["imported", "quarantined", "refused"]


class Given(Struct, frozen=True, kw_only=True):
    """A row as it came. number: its line in a table, where the headings are line 1; its place in JSON.

    cells: what stands in it by field, also where it cannot be read. row: its texts; None with the reasons
    why it is none.
    """

    number: int
    cells: dict[str, str]
    row: Row | None
    reasons: list[Reason] = []


class Line(Struct, frozen=True):
    """What became of a row of which anything is to be said."""

    row_number: int
    status: RowStatus
    reasons: list[Reason]


class Standing(Struct, frozen=True):
    """How far a file is. rows_done: the number of the last row that has its answer."""

    rows_done: int = 0
    imported: int = 0
    quarantined: int = 0
    refused: int = 0
    finished_at: datetime | None = None


class Told(Struct, frozen=True):
    """How many rows have one reason. where: a field of fields.json, or what it is about."""

    code: str
    where: str
    rows: int


class Summary(Struct, frozen=True, kw_only=True):
    """A file for the operator: counts and names of fields, nothing of a person.

    rows_now: rows that this run took in; the rest stood already. columns_not_kept: headings that fields.json
    does not know; columns_missing: of the fields that the decision requires, those that no row fills.
    """

    file_id: UUID
    system: str
    dry_run: bool
    imported: int
    quarantined: int
    refused: int
    rows_now: int
    told: list[Told]
    columns_not_kept: list[str]
    columns_missing: list[str]
    fields_version: str
    fields_confirmed: bool
