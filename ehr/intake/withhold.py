"""The gate over a whole unit: what it stops goes, and nothing that stays points at it or tells of it."""

import json
from typing import Any

import msgspec
from msgspec import Raw, Struct

from ehr.intake.gate import Gate
from ehr.intake.ids import canonical
from ehr.intake.models import Item, Unit
from ehr.intake.survey import Survey, survey
from kernel.access import Label

# These carry other facts than the one that was stopped: they lose the telling parts and stay.
_CARRIERS = frozenset(
    {
        "Appointment",
        "CareTeam",
        "Composition",
        "Coverage",
        "Encounter",
        "Location",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "ServiceRequest",
    }
)
# A resource that had these and lost them all has nothing left to say.
_ESSENTIAL: dict[str, tuple[str, ...]] = {
    "DiagnosticReport": ("result",),
    "List": ("entry",),
    "MedicationAdministration": ("medicationReference",),
    "MedicationDispense": ("medicationReference",),
    "MedicationRequest": ("medicationReference",),
    "MedicationStatement": ("medicationReference",),
    "Observation": ("hasMember",),
    "Provenance": ("target",),
}
_STILL_SPEAKS = ("conclusion", "presentedForm", "component", "valueQuantity", "valueString")
_NEEDED = frozenset({"resourceType", "id", "status", "class", "subject", "patient"})
_GONE = object()


class Passed(Struct):
    """An item that stays, and the labels the gate's reading of it found."""

    item: Item
    labels: Label
    opaque: bool


class Gated(Struct):
    """A unit after the gate. withheld counts every resource or part that was stopped."""

    passed: list[Passed]
    withheld: int
    review: list[Item]


def apply_gate(unit: Unit, surveys: list[Survey]) -> Gated:
    """Judge each item, then remove every reference to what was stopped until nothing points there."""
    gate = Gate()
    gate.read(set().union(*(found.strings for found in surveys)))
    passed: list[Passed] = []
    review: list[Item] = []
    stopped: set[str] = set()
    withheld = unit.withheld
    for item, found in zip(unit.items, surveys, strict=True):
        finding = gate.judge(found, item.hints)
        if finding.verdict == "keep":
            passed.append(Passed(item, finding.labels, found.opaque))
            continue
        withheld += 1
        pruned = _prune(item, gate) if item.rtype in _CARRIERS else None
        if pruned is not None:
            passed.append(pruned)
            continue
        stopped.update(item.aliases)
        if finding.verdict == "review":
            review.append(item)
    if stopped:
        passed, more = _cut_references(passed, stopped)
        withheld += more
    return Gated(passed, withheld, review)


def _prune(item: Item, gate: Gate) -> Passed | None:
    """The item without its telling elements; None when it cannot stand without them."""
    kept: dict[str, Any] = {}
    for key, value in _reload(item.raw).items():
        if isinstance(value, list):
            elements = [element for element in value if _is_clean({key: element}, gate)]
            if elements:
                kept[key] = elements
        elif _is_clean({key: value}, gate):
            kept[key] = value
        elif key in _NEEDED:
            return None
    changed = _rewritten(item, kept)
    found = survey(changed.doc, item.where)
    finding = gate.judge(found)
    passed = Passed(changed, finding.labels, found.opaque)
    return passed if finding.verdict == "keep" else None


def _is_clean(part: dict[str, Any], gate: Gate) -> bool:
    return gate.judge(survey(part, "")).verdict == "keep"


def _cut_references(passed: list[Passed], stopped: set[str]) -> tuple[list[Passed], int]:
    """Repeat until stable: an item that loses its essence goes as well."""
    withheld = 0
    names = {one.item.key: _names_in(one.item) for one in passed}
    changing = True
    while changing:
        changing = False
        kept: list[Passed] = []
        for one in passed:
            if names[one.item.key].isdisjoint(stopped):
                kept.append(one)
                continue
            cut = _cut(_reload(one.item.raw), stopped, in_list=False)
            changing = True
            if cut is _GONE or _is_hollow(one.item.rtype, one.item.doc, cut):
                withheld += 1
                stopped |= set(one.item.aliases)
            else:
                names[one.item.key] -= stopped
                kept.append(msgspec.structs.replace(one, item=_rewritten(one.item, cut)))
        passed = kept
    return passed, withheld


def _names_in(item: Item) -> set[str]:
    return {canonical(reference) for reference in survey(item.doc, item.where).references}


def _cut(node: Any, stopped: set[str], *, in_list: bool) -> Any:
    """`node` without references to what was stopped; _GONE when it was one, or an entry about one."""
    if isinstance(node, list):
        return [kept for child in node if (kept := _cut(child, stopped, in_list=True)) is not _GONE]
    if not isinstance(node, dict):
        return node
    reference = node.get("reference")
    if isinstance(reference, str) and canonical(reference) in stopped:
        return _GONE
    made: dict[str, Any] = {}
    for key, child in node.items():
        kept = _cut(child, stopped, in_list=False)
        if kept is _GONE:
            if in_list:
                return _GONE
        elif kept != [] or child == []:
            made[key] = kept
    return made


def _is_hollow(rtype: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    lost = [key for key in _ESSENTIAL.get(rtype, ()) if before.get(key) and not after.get(key)]
    return bool(lost) and not any(after.get(key) for key in _STILL_SPEAKS)


def _reload(raw: str) -> dict[str, Any]:
    """The document with its decimals as written, so that a rewrite keeps their zeros."""
    made: dict[str, Any] = json.loads(raw, parse_float=lambda text: Raw(text.encode()))
    return made


def _rewritten(item: Item, doc: dict[str, Any]) -> Item:
    raw = msgspec.json.encode(doc).decode()
    return msgspec.structs.replace(item, raw=raw)
