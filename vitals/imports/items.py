"""What a file holds, one after the other: items of a batch, and what is none with its reason."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from vitals.imports.found import Found
from vitals.wire import Code, Deletion, Sample, Series, Source

Form: TypeAlias = Literal["apple-health", "open-mhealth", "fhir", "nightscout", "csv"]
# Why a file as a whole is not read, or not to its end. Words: vitals/files/texts.py.
Fault: TypeAlias = Literal[
    "form-unknown",
    "file-broken",
    "file-too-large",
    "archive-unreadable",
    "archive-without-export",
    "archive-too-large",
    "columns-missing",
]
WHAT_MAX: Final = 80


class Item(NamedTuple):
    """place: counts the items of the file from 1; source: what measured it (`s` of the item says nothing)."""

    place: int
    source: Source
    item: Sample | Series | Deletion


class Refusal(NamedTuple):
    """what: how the file calls it."""

    place: int
    code: Code
    what: str


Read: TypeAlias = Item | Refusal
NO_SOURCE: Final = Source(app="file", kind="other")


class FileFaultError(Exception):
    """The file ends here. where: a place in it, in words of no language."""

    def __init__(self, fault: Fault, where: str = "") -> None:
        super().__init__(f"{fault} {where}")
        self.fault: Fault = fault
        self.where = where


class Reader(Protocol):
    """Bytes in, in parts of any size; items out, as soon as they are whole. Both raise FileFaultError.

    form: what kind of file it is, None while that is not known. left_out: parts that stand in the file twice.
    """

    @property
    def form(self) -> Form | None: ...

    @property
    def left_out(self) -> int: ...

    def feed(self, part: bytes) -> Iterator[Read]: ...

    def close(self) -> Iterator[Read]: ...


def items_of(found: Found, place: int) -> Iterator[Read]:
    """What an adapter made of one document. place: of its first item."""
    items: list[Sample | Series] = [*found.samples, *found.series]
    for one in items:
        yield _checked(place, found.sources[one.s], one)
        place += 1
    for deletion in found.deleted:
        yield Item(place, NO_SOURCE, deletion)
        place += 1
    for refused in found.rejected:
        yield Refusal(place, refused.code, "")
        place += 1


def _checked(place: int, source: Source, item: Sample | Series) -> Read:
    """As strict as what a phone sends: the adapters take a document's words as they are."""
    try:
        named: Source = msgspec.convert(msgspec.to_builtins(source), Source)
        checked: Sample | Series = msgspec.convert(msgspec.to_builtins(item), type(item))
    except (msgspec.ValidationError, OverflowError):
        return Refusal(place, "malformed", item.k[:WHAT_MAX])
    return Item(place, named, checked)
