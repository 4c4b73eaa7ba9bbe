"""What goes with a hidden thing: a visit with all that happened in it, a report with its results, and every
report, provenance or other sender's copy that would tell of it."""

import re
from collections import defaultdict
from uuid import UUID

from ehr.intake.ids import resource_id
from ehr.visibility import queries
from ehr.visibility.models import EVERYBODY, Hiding
from ehr.visibility.queries import Linked, NoneKnown
from store.database import Tx

Key = tuple[str, str]

_REFERENCE = re.compile(r'"reference":"([^"\\]+)"')
_OWN_ID = re.compile(r'"id":"([^"\\]+)"')
# What a report, a panel or a study is made of.
_MEMBERS = frozenset(
    {"Observation", "ImagingStudy", "Media", "DocumentReference", "DiagnosticReport", "Binary"}
)
# What tells of the things that it names.
_CONTAINERS = frozenset(
    {
        *(
            "DiagnosticReport",
            "Composition",
            "Provenance",
            "DocumentReference",
            "Observation",
            "ImagingStudy",
        ),
        *("Media", "List", "Communication", "ClinicalImpression"),
    }
)


async def wanted_readers(tx: Tx, patient_id: UUID) -> dict[Key, set[UUID]]:
    """Every row that a live hiding covers, with whom it is hidden from."""
    hidings = await queries.LIVE_HIDINGS.all(tx, patient_id)
    if not hidings:
        return {}
    keys = sorted({(hiding.rtype, hiding.id) for hiding in hidings})
    rows = await queries.LINKED_ROWS.all(tx, patient_id, [k[0] for k in keys], [k[1] for k in keys])
    none_known = await queries.NONE_KNOWN.all(tx, patient_id)
    links = links_of(rows)
    found: dict[Key, set[UUID]] = defaultdict(set)
    for hiding in hidings:
        for key in covered(hiding, rows, links, none_known):
            found[key].add(hiding.reader or EVERYBODY)
    return found


def links_of(rows: list[Linked]) -> dict[Key, set[Key]]:
    """What each row refers to among the others, whatever spelling its sender used."""
    by_name: dict[tuple[str, str], Key] = {}
    for row in rows:
        by_name[row.source_id, row.id] = (row.rtype, row.id)
        own = _OWN_ID.search(row.doc)
        if own:
            for name in (f"{row.rtype}/{own[1]}", f"urn:uuid:{own[1]}"):
                by_name[row.source_id, name] = (row.rtype, row.id)
    return {(row.rtype, row.id): _targets(row, by_name) for row in rows}


def _targets(row: Linked, by_name: dict[tuple[str, str], Key]) -> set[Key]:
    found: set[Key] = set()
    for reference in set(_REFERENCE.findall(row.doc)):
        named = "/".join(reference.split("/_history/", 1)[0].split("/")[-2:])
        key = by_name.get((row.source_id, named)) or by_name.get(
            (row.source_id, resource_id(row.source_id, reference))
        )
        if key:
            found.add(key)
    return found


def covered(
    hiding: Hiding, rows: list[Linked], links: dict[Key, set[Key]], none_known: list[NoneKnown]
) -> set[Key]:
    """The rows that one hiding covers. Where something active goes, 'none known' of its section goes with
    it: a section that was emptied never claims that there is nothing (ehr-core.md §3)."""
    by_key = {(row.rtype, row.id): row for row in rows}
    target = by_key.get((hiding.rtype, hiding.id))
    if target is None:
        return {(hiding.rtype, hiding.id)}
    hidden = _visit(target, rows, links) if target.rtype == "Encounter" else _thing(target, rows, links)
    _add_containers(hidden, links)
    sections = {by_key[key].section for key in hidden if by_key[key].active}
    return hidden | {(row.rtype, row.id) for row in none_known if row.section in sections}


def _visit(target: Linked, rows: list[Linked], links: dict[Key, set[Key]]) -> set[Key]:
    key = (target.rtype, target.id)
    named = {k for k in links[key] if k[0] == "Condition"} | {("Condition", target.main_id or "")}
    inside = {(row.rtype, row.id) for row in rows if row.encounter_id == target.id}
    return {key} | inside | (named & links.keys())


def _thing(target: Linked, rows: list[Linked], links: dict[Key, set[Key]]) -> set[Key]:
    """The thing with its copies by other senders and, of a report or panel, its members."""
    copies = [row for row in rows if target.fold_key is not None and row.fold_key == target.fold_key]
    waiting = [(row.rtype, row.id) for row in (target, *copies)]
    hidden: set[Key] = set()
    while waiting:
        key = waiting.pop()
        if key not in hidden:
            hidden.add(key)
            waiting += [member for member in links[key] if member[0] in _MEMBERS]
    return hidden


def _add_containers(hidden: set[Key], links: dict[Key, set[Key]]) -> None:
    while True:
        more = {
            key
            for key, named in links.items()
            if key not in hidden and key[0] in _CONTAINERS and named & hidden
        }
        if not more:
            return
        hidden |= more
