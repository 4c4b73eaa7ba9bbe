"""What the columns of a dose file may be called, and what of them a row needs: data, since the decision's own
names were not found (QĐ 3891/2025/QĐ-BYT)."""

from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ehr.intake.models import BadInputError, Reason, reject
from ehr.rows.models import FIELD_MAX, Column
from ehr.rows.reading import plain_heading

_SHIPPED: Final = Path(__file__).parent / "fields.json"
FIELDS_BYTES_MAX: Final = 1024 * 1024
# person: one of these numbers; row: no row without it; told: a row is taken without it and its sender told.
Need = Literal["person", "row", "told", "kept"]


class Field(Struct, frozen=True, kw_only=True):
    """One column. official: one of the 20 that the decision requires. spellings: further headings."""

    name: str
    title: str
    spellings: tuple[str, ...] = ()
    need: Need = "kept"
    official: bool = False
    length_max: int = FIELD_MAX
    note: str | None = None


class Fields(Struct, frozen=True, kw_only=True, dict=True):
    """All columns with their version and source."""

    version: str
    source: str
    confirmed: bool
    note: str
    fields_official: int
    fields: tuple[Field, ...]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """As files of rows are checked."""
        return tuple(
            Column(one.name, one.title, is_required=one.need == "row", length_max=one.length_max)
            for one in self.fields
        )

    @cached_property
    def titles(self) -> dict[str, str]:
        return {one.name: one.title for one in self.fields}

    @cached_property
    def told(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.fields if one.need == "told")

    @cached_property
    def official(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.fields if one.official)

    @cached_property
    def _by_spelling(self) -> dict[str, str]:
        return {
            plain_heading(spelt): one.name
            for one in self.fields
            for spelt in (one.name, one.title, *one.spellings)
        }

    def name_of(self, heading: str) -> str | None:
        """The field of a heading, compared without case, tones and signs."""
        return self._by_spelling.get(plain_heading(heading))

    def names_of(self, headings: list[str]) -> list[str | None]:
        """The field of each heading of a table; None for what is not kept. Raises BadInputError with
        missing-column and duplicate-column, by names of ours."""
        names = [self.name_of(one) for one in headings]
        faults = [
            Reason("duplicate-column", one.name) for one in self.fields if names.count(one.name) > 1
        ] + [
            Reason("missing-column", one.name)
            for one in self.fields
            if one.need == "row" and one.name not in names
        ]
        if not any(one.need == "person" and one.name in names for one in self.fields):
            faults.append(Reason("missing-column", "national_id"))
        if faults:
            raise BadInputError(faults)
        return names


def read_fields(path: Path | None = None) -> Fields:
    """The shipped fields, or an operator's own file of the same shape. Raises BadInputError `bad-fields`:
    names that the import does not know, or headings that two fields share."""
    shipped = _decode(_SHIPPED)
    if path is None:
        return shipped
    own = _decode(path)
    known = {one.name for one in shipped.fields}
    spelt = [
        plain
        for one in own.fields
        for plain in {plain_heading(s) for s in (one.name, one.title, *one.spellings)}
    ]
    if {one.name for one in own.fields} - known or len(spelt) != len(set(spelt)) or "" in spelt:
        raise reject("bad-fields", "fields")
    return own


def _decode(path: Path) -> Fields:
    with path.open("rb") as stream:
        text = stream.read(FIELDS_BYTES_MAX + 1)
    try:
        return msgspec.json.decode(text, type=Fields)
    except msgspec.MsgspecError:
        raise reject("bad-fields", "fields") from None
