"""The gate over a whole unit: what it stops goes, and nothing that stays points at it or tells of it."""

import json
from typing import Any

import msgspec
from msgspec import Raw, Struct

from ehr.intake.gate import Gate, judge_plain
from ehr.intake.ids import canonical
from ehr.intake.models import Item, PersonFacts, Unit
from ehr.intake.survey import Survey, survey
from ehr.views.checks import FORM_URN
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
    """A unit after the gate. withheld counts every resource or part that was stopped.

    review: ambiguous items, each with what would have nothing left to say without it.
    """

    passed: list[Passed]
    withheld: int
    review: list[list[Passed]]


def apply_gate(unit: Unit, surveys: list[Survey], released: frozenset[str] = frozenset()) -> Gated:
    """Judge each item, then remove every reference to what was stopped until nothing points there.

    released: keys of items that a reviewer let in; what is ambiguous of them is no more.
    """
    gate = Gate()
    gate.read({item.hints for item in unit.items if item.hints}.union(*(found.strings for found in surveys)))
    passed: list[Passed] = []
    stopped = _Stopped(set(), {}, [])
    withheld = unit.withheld
    for item, found in zip(unit.items, surveys, strict=True):
        finding = gate.judge(found, item.hints)
        if finding.verdict == "keep" or (finding.verdict == "review" and item.key in released):
            passed.append(Passed(item, finding.labels, found.opaque))
            continue
        withheld += 1
        pruned = _prune(item, gate) if _is_carrier(item) else None
        if pruned is not None:
            passed.append(pruned)
        elif finding.verdict == "review":
            stopped.wait(Passed(_bare(item), finding.labels, found.opaque))
        else:
            stopped.gone.update(item.aliases)
    if stopped.names:
        passed, more = _cut_references(passed, stopped)
        withheld += more
    return Gated(passed, withheld, stopped.review())


def _is_carrier(item: Item) -> bool:
    """A health check's form is a list of lines, of which one may tell; no other form is cut."""
    return item.rtype in _CARRIERS or (item.rtype == "QuestionnaireResponse" and f'"{FORM_URN}' in item.raw)


def person_after_gate(person: PersonFacts) -> PersonFacts:
    """What a unit says of its person, without a field that tells: an address can name a clinic."""
    free = {"name": person.name, "phone": person.phone, "address": person.address}
    told = [text for text in (*free.values(), *(value for _, value in person.identifiers)) if text]
    if judge_plain("\n".join(told)) == "keep":
        return person
    return msgspec.structs.replace(
        person,
        identifiers=tuple(one for one in person.identifiers if judge_plain(one[1]) == "keep"),
        **{key: None for key, text in free.items() if text and judge_plain(text) != "keep"},
    )


class _Stopped(Struct):
    """Names of what goes for good, and of what waits for a reviewer with the group it waits in."""

    gone: set[str]
    waiting: dict[str, list[Passed]]
    groups: list[list[Passed]]

    @property
    def names(self) -> set[str]:
        return self.gone | self.waiting.keys()

    def wait(self, one: Passed, group: list[Passed] | None = None) -> None:
        if group is None:
            self.groups.append(group := [])
        group.append(one)
        self.waiting.update(dict.fromkeys(one.item.aliases, group))

    def review(self) -> list[list[Passed]]:
        """Each group once, its items without references to what is gone."""
        return [[_without(one, self.gone) for one in group] for group in self.groups]


def _without(one: Passed, gone: set[str]) -> Passed:
    if _names_in(one.item).isdisjoint(gone):
        return one
    cut = _cut(_reload(one.item.raw), gone, in_list=False)
    return one if cut is _GONE else msgspec.structs.replace(one, item=_rewritten(one.item, cut))


def _bare(item: Item) -> Item:
    """Without the text of its row beside it: that was read, and is kept nowhere."""
    return msgspec.structs.replace(item, hints="") if item.hints else item


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


def _cut_references(passed: list[Passed], stopped: _Stopped) -> tuple[list[Passed], int]:
    """Repeat until stable: an item that loses its essence goes as well, or waits with what it lost."""
    withheld = 0
    names = {one.item.key: _names_in(one.item) for one in passed}
    changing = True
    while changing:
        changing = False
        kept: list[Passed] = []
        for one in passed:
            if names[one.item.key].isdisjoint(stopped.names):
                kept.append(one)
                continue
            changing = True
            cut = _hollowed(one.item, stopped.names)
            if cut is None:
                withheld += 1
                _stop(one, names[one.item.key], stopped)
            else:
                names[one.item.key] -= stopped.names
                kept.append(msgspec.structs.replace(one, item=_rewritten(one.item, cut)))
        passed = kept
    return passed, withheld


def _stop(one: Passed, named: set[str], stopped: _Stopped) -> None:
    """It waits where what it lost may come back, and goes where not."""
    waited_for = sorted(named & stopped.waiting.keys())
    if waited_for and _hollowed(one.item, stopped.gone) is not None:
        item = _bare(one.item)
        stopped.wait(msgspec.structs.replace(one, item=item), stopped.waiting[waited_for[0]])
    else:
        stopped.gone.update(one.item.aliases)


def _hollowed(item: Item, stopped: set[str]) -> dict[str, Any] | None:
    """The document without references to what was stopped; None when nothing is left to say."""
    cut = _cut(_reload(item.raw), stopped, in_list=False)
    return None if cut is _GONE or _is_hollow(item.rtype, item.doc, cut) else cut


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
    return msgspec.structs.replace(item, raw=raw, hints="")
