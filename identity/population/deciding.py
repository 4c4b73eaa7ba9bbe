"""What becomes of a step of lines: looked up in the register in a few statements, and decided for each line.

The rule is that of every other sender (security.md S17): a number in force, and birth date, sex and folded
name agree. What disagrees is told and writes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypeAlias, get_args
from uuid import UUID

import msgspec

from identity.models import Demographics, IdentifierKind, IdentifierRow
from identity.people import one_person, open_demographics
from identity.policy import births_agree, describes, identifier_in_force
from identity.population import queries
from identity.population.models import (
    KnownRow,
    Line,
    LineStatus,
    Listing,
    ListingRow,
    ListKind,
    OwnerRow,
    Reason,
    Unread,
)
from kernel.text import fold
from store.database import Tx
from store.fields import Hasher, unseal
from store.keys import KeyRing

# Who is alive in the register, or was merged: what is said of a merged person finds its way there (S10).
_OPEN = frozenset({"active", "death-reported", "closed", "merged"})

# One number of a line: kind, value, [(key version, hash)].
Number: TypeAlias = tuple[IdentifierKind, str, list[tuple[str, bytes]]]


class Ready(NamedTuple):
    """A line with the keyed hashes of its numbers."""

    line: Line
    numbers: list[Number]


class New(NamedTuple):
    """Nobody has one of the numbers."""

    ready: Ready


class Known(NamedTuple):
    """The person whom the line describes. attach: numbers that nobody has; is_new: whether the list says
    something new."""

    ready: Ready
    patient_id: UUID
    attach: list[Number]
    is_new: bool


class Turned(NamedTuple):
    """Nothing is written."""

    number: int
    status: LineStatus
    reasons: tuple[Reason, ...]


Decided: TypeAlias = New | Known | Turned


class Found(NamedTuple):
    """What the register holds of a step."""

    owners: dict[tuple[bytes, str], OwnerRow]
    people: dict[UUID, KnownRow]
    listings: dict[tuple[UUID, str], ListingRow]


class Hashers:
    """Keyed hashes of numbers of every kind."""

    def __init__(self, keys: KeyRing) -> None:
        self._of = {kind: Hasher(keys, kind) for kind in get_args(IdentifierKind)}

    def ready(self, lines: Iterable[Line | Unread]) -> list[Ready | Unread]:
        """The lines with the hashes of their numbers."""
        of = self._of
        return [
            Ready(one, [(kind, value, of[kind].hashes(value)) for kind, value in one.numbers])
            if isinstance(one, Line)
            else one
            for one in lines
        ]


async def look_up(tx: Tx, step: list[Ready | Unread], of: ListKind) -> Found:
    """Owners of the numbers, who they are, and what this list said of them before."""
    hashes = [
        id_hash
        for one in step
        if isinstance(one, Ready)
        for _, _, versions in one.numbers
        for _, id_hash in versions
    ]
    owners = {(row.id_hash, row.kind): row for row in await queries.OWNERS.all(tx, hashes)}
    ids = sorted({row.patient_id for row in owners.values()})
    if not ids:
        return Found(owners, {}, {})
    people = {row.patient_id: row for row in await queries.KNOWN.all(tx, ids)}
    listings = {(row.patient_id, row.item): row for row in await queries.LISTINGS.all(tx, ids, of)}
    return Found(owners, people, listings)


class Judge:
    """Decides the lines of one step."""

    def __init__(self, keys: KeyRing, of: ListKind, load_id: UUID, found: Found, now: datetime) -> None:
        self.keys, self.of, self.load_id, self.found, self.now = keys, of, load_id, found, now
        self._said: dict[tuple[UUID, str], None] = {}
        self._taken: dict[tuple[str, str], Line] = {}

    async def decide(self, tx: Tx, one: Ready | Unread) -> Decided:
        if isinstance(one, Unread):
            return Turned(one.number, one.status, one.reasons)
        owners, free, is_ended = self._owners(one)
        if not owners and not is_ended:
            return self._new(one)
        patient_id = await one_person(tx, owners) if owners else None
        if patient_id is None:
            return _disagreeing(one, "numbers-of-two-people" if owners else "number-ended", "line")
        return await self._of_person(tx, one, patient_id, free)

    async def _of_person(self, tx: Tx, one: Ready, patient_id: UUID, free: list[Number]) -> Decided:
        row = self.found.people.get(patient_id)
        if row is None or row.state not in _OPEN:
            return _disagreeing(one, "book-closed", "line")
        known = open_demographics(self.keys, patient_id, row.demographics)
        if not describes(_claim(one.line), known):
            return Turned(one.line.number, "disagreeing", _differing(one.line, known))
        if any(kind == "national-id" for kind, _, _ in free) and (
            row.level > 0 or await queries.HAS_NATIONAL_ID.one(tx, patient_id)
        ):
            return _disagreeing(one, "second-number", "national_id")
        return self._known(one, patient_id, free)

    def _owners(self, one: Ready) -> tuple[set[UUID], list[Number], bool]:
        """Whose the numbers are, those that nobody has, and whether one is of the past."""
        owners: set[UUID] = set()
        free, is_ended = [], False
        for number in one.numbers:
            rows = (self.found.owners.get((id_hash, number[0])) for _, id_hash in number[2])
            row = next((row for row in rows if row is not None), None)
            if row is None:
                free.append(number)
            elif row.status == "live" and identifier_in_force(_in_force(row), self.now):
                owners.add(row.patient_id)
            else:
                is_ended = True
        return owners, free, is_ended

    def _new(self, one: Ready) -> Decided:
        if self.of != "residents":
            return Turned(one.line.number, "refused", (Reason("unknown-person", "line"),))
        before = [self._taken[number] for number in one.line.numbers if number in self._taken]
        if before:
            return again(one.line, same=all(_is_same(one.line, other) for other in before))
        self._taken.update(dict.fromkeys(one.line.numbers, one.line))
        return New(one)

    def _known(self, one: Ready, patient_id: UUID, free: list[Number]) -> Decided:
        place = patient_id, one.line.item
        listed = self.found.listings.get(place)
        is_of_this_load = listed is not None and listed.load_id == self.load_id
        if place in self._said or (listed and is_of_this_load and listed.line < one.line.number):
            return again(one.line, same=True)
        self._said[place] = None
        is_new = listed is None or (
            unseal(self.keys, patient_id, "person_listing", "facts", listed.facts) != one.line.facts
        )
        return Known(one, patient_id, free, is_new)


def again(line: Line, *, same: bool) -> Turned:
    """A line of whom the file said something before."""
    if same:
        return Turned(line.number, "refused", (Reason("duplicate-line", "line"),))
    return Turned(line.number, "disagreeing", (Reason("number-twice", "line"),))


def listing_of(line: Line) -> Listing:
    return msgspec.json.decode(line.facts, type=Listing)


def _claim(line: Line) -> Demographics:
    return Demographics(name=line.name, birth_date=line.birth_date, sex=line.sex)


def _in_force(row: OwnerRow) -> IdentifierRow:
    return IdentifierRow(row.patient_id, row.state, row.valid_from, row.valid_until, row.status)


def _disagreeing(one: Ready, code: str, field: str) -> Turned:
    return Turned(one.line.number, "disagreeing", (Reason(code, field),))


def _differing(line: Line, known: Demographics) -> tuple[Reason, ...]:
    """In what the line and the person with its number differ."""
    found = []
    if not births_agree(line.birth_date, known.birth_date):
        found.append(Reason("person-differs", "birth_date"))
    if line.sex != (known.sex or "unknown"):
        found.append(Reason("person-differs", "sex"))
    if not known.name or fold(line.name) != fold(known.name):
        found.append(Reason("person-differs", "full_name"))
    return tuple(found)


def _is_same(one: Line, other: Line) -> bool:
    return (one.birth_date, one.sex, fold(one.name)) == (other.birth_date, other.sex, fold(other.name))
