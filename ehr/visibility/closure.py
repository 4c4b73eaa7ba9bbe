"""What goes with a hidden thing: a visit with all that happened in it, a report with its results, and every
report, provenance or other sender's copy that would tell of it, whenever and in what order it was sent.

`hidden` are the rows that a hiding covers already. They stay covered until the person ends it, so what is
sent is compared with them, under other ids and with another value too; and what is found goes on to what
names it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from ehr.models import PROGRAMME_UNIT
from ehr.references import TELLING, names_of
from ehr.visibility import queries
from ehr.visibility.models import Hiding
from ehr.visibility.queries import Linked
from kernel.clock import local_day
from store.database import Tx

Key = tuple[str, str]
# Row → the hidings that cover it.
Cover: TypeAlias = dict[Key, set[UUID]]

# What a report, a panel or a study is made of.
_MEMBERS = frozenset(
    {"Observation", "ImagingStudy", "Media", "DocumentReference", "DiagnosticReport", "Binary"}
)


async def spread(tx: Tx, patient_id: UUID, seeds: Mapping[Key, set[UUID]], things: Collection[Key]) -> Cover:
    """Everything that goes with these rows, themselves among it.

    things: those that are hidden for themselves, not because they tell of another: with copies and members.
    """
    found: Cover = defaultdict(set)
    fresh: dict[Key, set[UUID]] = {key: set(by) for key, by in seeds.items()}
    down = set(things)
    while fresh:
        rows = [(row, fresh[key_of(row)]) for row in await _rows(tx, patient_id, fresh)]
        for row, by in rows:
            found[key_of(row)] |= by
        reached: Cover = defaultdict(set)
        await _inside(tx, patient_id, rows, reached)
        await _of_programme(tx, patient_id, rows, reached)
        below: Cover = defaultdict(set)
        await _below(
            tx,
            patient_id,
            [one for one in rows if key_of(one[0]) in down and one[0].rtype != "Encounter"],
            below,
        )
        down |= below.keys()
        await _above(tx, patient_id, rows, reached)
        await _none_known(tx, patient_id, rows, reached)
        for key, by in below.items():
            reached[key] |= by
        fresh = {key: by - found[key] for key, by in reached.items() if by - found[key]}
    return dict(found)


async def _rows(tx: Tx, patient_id: UUID, keys: Iterable[Key]) -> list[Linked]:
    ordered = sorted(keys)
    return await queries.LINKED_ROWS.all(tx, patient_id, [k[0] for k in ordered], [k[1] for k in ordered])


async def _inside(tx: Tx, patient_id: UUID, rows: list[tuple[Linked, set[UUID]]], reached: Cover) -> None:
    """All of a visit, and its diagnoses."""
    visits = {row.id: by for row, by in rows if row.rtype == "Encounter"}
    if not visits:
        return
    for row in await queries.ROWS_OF_VISITS.all(tx, patient_id, sorted(visits)):
        reached[key_of(row)] |= visits[row.encounter_id or ""]
    named = _named_by((row, by) for row, by in rows if row.rtype == "Encounter")
    for row in await queries.ROWS_OF_TYPES.all(tx, patient_id, ["Condition"], sorted(named)):
        reached[key_of(row)] |= named[row.id]


async def _of_programme(
    tx: Tx, patient_id: UUID, rows: list[tuple[Linked, set[UUID]]], reached: Cover
) -> None:
    """The plan of a programme names its visits and doses, and each of them tells of the plan: they go
    together (security.md S23)."""
    units = {(row.source_id, row.unit): by for row, by in rows if row.unit and tells_programme(row)}
    if not units:
        return
    names = sorted({unit for _, unit in units if unit})
    for row in await queries.ROWS_OF_UNITS.all(tx, patient_id, names):
        if row.unit and (by := units.get((row.source_id, row.unit))):
            reached[key_of(row)] |= by


def tells_programme(row: Linked) -> bool:
    """Every row of such a unit but a measure taken at a visit, which tells of nothing else."""
    of_one = row.unit is not None and row.unit.startswith(PROGRAMME_UNIT)
    return of_one and (row.rtype != "Observation" or row.section != "vital-signs")


async def _below(tx: Tx, patient_id: UUID, rows: list[tuple[Linked, set[UUID]]], below: Cover) -> None:
    """Copies by other senders and, of a report or panel, its members."""
    if not rows:
        return
    folds = sorted({row.fold_key for row, _ in rows if row.fold_key is not None})
    times = sorted({row.eff for row, _ in rows if row.rtype == "Observation" and row.eff is not None})
    for copy in await queries.COPIES.all(tx, patient_id, folds, times):
        for row, by in rows:
            if is_copy(copy, row):
                below[key_of(copy)] |= by
    named = _named_by(rows)
    for member in await queries.ROWS_OF_TYPES.all(tx, patient_id, sorted(_MEMBERS), sorted(named)):
        below[key_of(member)] |= named[member.id]


async def _above(tx: Tx, patient_id: UUID, rows: list[tuple[Linked, set[UUID]]], reached: Cover) -> None:
    """What tells of them."""
    names: dict[str, set[UUID]] = defaultdict(set)
    for row, by in rows:
        for name in names_of(row.rtype, row.id, row.source_id, row.head):
            names[name] |= by
    for telling in await queries.TELLING_ROWS.all(tx, patient_id, sorted(TELLING), sorted(names)):
        for name in _refs(telling) & names.keys():
            reached[key_of(telling)] |= names[name]


async def _none_known(tx: Tx, patient_id: UUID, rows: list[tuple[Linked, set[UUID]]], reached: Cover) -> None:
    """Where something active goes, 'none known' of its section goes with it: a section that was emptied
    never claims that there is nothing (ehr-core.md §3)."""
    active = [(row.section, by) for row, by in rows if row.active]
    for none in await queries.NONE_KNOWN.all(tx, patient_id) if active else ():
        for section, by in active:
            if section == none.section:
                reached[none.rtype, none.id] |= by


def seeds_of(
    changed: list[Linked], created: Collection[Key], hidden: list[Linked], things: set[Key]
) -> tuple[Cover, set[Key]]:
    """What was just written and goes with what is hidden already, and what of it is hidden for itself."""
    selves: set[Key] = set()
    found: Cover = defaultdict(set)
    by_id = {row.id: row for row in hidden}
    named = {
        name: row for row in hidden for name in names_of(row.rtype, row.id, row.source_id, row.head)
    } | by_id
    telling = [row for row in hidden if row.rtype == "Encounter" or (row.refs and key_of(row) in things)]
    for row in changed:
        found[key_of(row)].update(row.hidden_by or ())
        for other in _beside(row, hidden, named):
            found[key_of(row)].update(other.hidden_by or ())
        for other in _naming(row, telling):
            found[key_of(row)].update(other.hidden_by or ())
            if other.rtype != "Encounter":
                selves.add(key_of(row))
        for other in hidden:
            if _is_same(row, other, key_of(row) in created, things):
                found[key_of(row)].update(other.hidden_by or ())
                selves.add(key_of(row))
    return {key: by for key, by in found.items() if by}, selves


def _beside(row: Linked, hidden: list[Linked], named: dict[str, Linked]) -> Iterable[Linked]:
    """The hidden rows that this one tells of, or whose visit or section it belongs to."""
    visit = named.get(row.encounter_id or "")
    if visit is not None and visit.rtype == "Encounter":
        yield visit
    if row.rtype in TELLING:
        yield from (named[name] for name in _refs(row) & named.keys())
    if row.unit and row.unit.startswith(PROGRAMME_UNIT):
        yield from (one for one in hidden if _same_programme(row, one))
    for other in hidden if row.negative else ():
        if other.active and other.section == row.section:
            yield other


def _same_programme(row: Linked, other: Linked) -> bool:
    return (row.source_id, row.unit) == (other.source_id, other.unit) and tells_programme(other)


def _naming(row: Linked, telling: list[Linked]) -> Iterable[Linked]:
    """The hidden visits that this is a diagnosis of, and the hidden reports that it is part of."""
    names = names_of(row.rtype, row.id, row.source_id, row.head)
    for other in telling:
        fits = row.rtype == "Condition" if other.rtype == "Encounter" else row.rtype in _MEMBERS
        if fits and (other.main_id == row.id or not names.isdisjoint(_refs(other))):
            yield other


def _is_same(row: Linked, other: Linked, is_new: bool, things: Collection[Key]) -> bool:
    if row.rtype != other.rtype or key_of(row) == key_of(other):
        return False
    if row.rtype == "Encounter":
        return is_new and _is_same_visit(row, other)
    return key_of(other) in things and (is_copy(row, other) or (is_new and _is_resent(row, other)))


def things_among(hidden: list[Linked], hidings: Iterable[Hiding]) -> set[Key]:
    """Which of the hidden rows are hidden for themselves: the targets, their copies and their members."""
    targets = {(hiding.rtype, hiding.id) for hiding in hidings}
    waiting = [row for row in hidden if key_of(row) in targets and row.rtype != "Encounter"]
    names = {name: row for row in hidden for name in names_of(row.rtype, row.id, row.source_id, row.head)}
    things: set[Key] = set()
    while waiting:
        row = waiting.pop()
        if key_of(row) in things:
            continue
        things.add(key_of(row))
        waiting += [names[name] for name in _refs(row) & names.keys() if names[name].rtype in _MEMBERS]
        waiting += [other for other in hidden if _same_test(row, other)]
    return things


def is_copy(row: Linked, other: Linked) -> bool:
    """Another sender's word on the same test of the same time, whatever value it says; of one sender, and of
    what is no test, only what says the very same."""
    if row.fold_key is not None and row.fold_key == other.fold_key:
        return True
    return row.rtype == "Observation" and row.source_id != other.source_id and _same_test(row, other)


def _same_test(row: Linked, other: Linked) -> bool:
    what = row.rtype == other.rtype and (row.code_system, row.code) == (other.code_system, other.code)
    when = row.eff is not None and (row.eff, row.eff_precision) == (other.eff, other.eff_precision)
    return what and when and (row.code is not None or row.title == other.title)


def _is_resent(row: Linked, other: Linked) -> bool:
    """The same of the same sender under another id: it stands for what is gone, or for the same instant."""
    is_instead = other.deleted or row.eff_precision == "instant"
    return (
        is_instead
        and row.source_id == other.source_id
        and row.title == other.title
        and _same_test(row, other)
    )


def _is_same_visit(row: Linked, other: Linked) -> bool:
    """A visit that its sender sends again under another id: of the same unit on the same day in place of the
    one before, or of the same instant in whatever unit."""
    if row.eff is None or other.eff is None:
        return row.unit is not None and row.unit == other.unit and other.deleted and _same_sender(row, other)
    in_place = row.unit is not None and row.unit == other.unit and other.deleted
    same_day = local_day(row.eff) == local_day(other.eff)
    same_start = row.eff == other.eff and row.eff_precision == "instant"
    return _same_sender(row, other) and ((in_place and same_day) or same_start)


def _same_sender(row: Linked, other: Linked) -> bool:
    told = row.source_id, row.facility_id, row.category
    return told == (other.source_id, other.facility_id, other.category)


def _named_by(rows: Iterable[tuple[Linked, set[UUID]]]) -> dict[str, set[UUID]]:
    named: dict[str, set[UUID]] = defaultdict(set)
    for row, by in rows:
        for name in _refs(row) | ({row.main_id} if row.main_id else set()):
            named[name] |= by
    return named


def _refs(row: Linked) -> set[str]:
    return set(row.refs.split()) if row.refs else set()


def key_of(row: Linked) -> Key:
    return row.rtype, row.id
