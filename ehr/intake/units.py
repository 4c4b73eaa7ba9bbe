"""From a read unit to the rows of the record: gate, labels, ids and reading views. No database."""

from collections import Counter
from collections.abc import Callable
from functools import cache

import msgspec
from msgspec import Raw, Struct

from ehr.extract import extract, medication_title
from ehr.intake.envelopes import tell_nothing
from ehr.intake.fhir_bundle import resolver
from ehr.intake.ids import resource_id
from ehr.intake.labels import department_label, labels_of_security
from ehr.intake.models import BadInputError, Item, Reason, Unit
from ehr.intake.nameless import Own, nameless, own_of
from ehr.intake.survey import Survey, survey
from ehr.intake.withhold import Gated, Passed, apply_gate
from ehr.models import NewResource, Referred
from kernel.access import Label


class Prepared(Struct):
    """A unit ready to be written for one source. kept: what passed the gate, or msgpack of it."""

    resources: list[NewResource]
    counts: dict[str, int]
    withheld: int
    review: list[list[NewResource]]
    kept: list[Item] | Raw

    @property
    def items(self) -> list[Item]:
        """What passed the gate, as it is set aside."""
        return msgspec.msgpack.decode(self.kept, type=list[Item]) if isinstance(self.kept, Raw) else self.kept


def prepare(
    unit: Unit,
    surveys: list[Survey] | None,
    source_id: str,
    facility_name: str | None,
    declared_by: str | None = None,
) -> Prepared:
    """Gate and extract a unit. Raises BadInputError `bad-resource` with the element's place.

    declared_by: who says it, where that is no facility.
    """
    gated = apply_gate(
        unit, surveys or [survey(msgspec.json.decode(item.raw), item.where) for item in unit.items]
    )
    return extract_unit(gated, own_of(unit.person, unit.items), source_id, facility_name, declared_by)


def extract_unit(
    gated: Gated, own: Own, source_id: str, facility_name: str | None, declared_by: str | None = None
) -> Prepared:
    """The rows of what passed the gate, and of each ambiguous line that waits."""
    items = [one.item for one in gated.passed]
    every = items + [one.item for group in gated.review for one in group]
    make = _RowMaker(
        own,
        source_id,
        facility_name,
        declared_by,
        _referrer(every, source_id),
        _departments(gated.passed, source_id),
    )
    resources = make.rows(gated.passed)
    review = [make.rows(group) for group in gated.review]
    if make.reasons:
        raise BadInputError(make.reasons)
    return Prepared(resources, dict(Counter(item.rtype for item in items)), gated.withheld, review, items)


class _RowMaker(Struct):
    """Rows of one unit for one source; what cannot be made is collected as reasons."""

    own: Own
    source_id: str
    facility_name: str | None
    declared_by: str | None
    refer: Callable[[str], Referred | None]
    departments: dict[str, Label]
    reasons: list[Reason] = []

    def rows(self, passed: list[Passed]) -> list[NewResource]:
        return [row for one in passed if (row := self._row(one))]

    def _row(self, one: Passed) -> NewResource | None:
        try:
            row = extract(
                one.item.rtype,
                nameless(one.item, self.own),
                id=resource_id(self.source_id, one.item.key),
                refer=self.refer,
                facility_name=self.facility_name,
                declared_by=self.declared_by,
                is_compact=True,
            )
        except msgspec.ValidationError as error:
            self.reasons.append(Reason("bad-resource", one.item.where + _path(str(error))))
            return None
        row.labels = int(_labels(one, row, self.departments))
        row.costs, letter = one.item.costs, one.item.letter
        row.letter = None if letter is None else tell_nothing(letter, row.doc, self.own)
        return row


def _referrer(items: list[Item], source_id: str) -> Callable[[str], Referred | None]:
    """What a reference inside the unit points at. Across units only the id can be told."""
    find = resolver(items)
    titles = {item.key: _medication_title(item) for item in items if item.rtype == "Medication"}

    @cache
    def refer(reference: str) -> Referred | None:
        item = find(reference)
        if item is None:
            return (
                None if "?" in reference or "#" in reference else Referred(resource_id(source_id, reference))
            )
        return Referred(resource_id(source_id, item.key), titles.get(item.key, ""))

    return refer


def _medication_title(item: Item) -> str:
    try:
        return medication_title(item.raw.encode())
    except msgspec.ValidationError as error:
        raise BadInputError([Reason("bad-resource", item.where + _path(str(error)))]) from None


def _departments(passed: list[Passed], source_id: str) -> dict[str, Label]:
    """Our ids of encounters of sensitive departments."""
    encounters = [one.item for one in passed if one.item.rtype == "Encounter"]
    found = {resource_id(source_id, item.key): department_label(item.doc) for item in encounters}
    return {ident: label for ident, label in found.items() if label}


def _labels(one: Passed, row: NewResource, departments: dict[str, Label]) -> Label:
    """Own labels; unlabelled content of a sensitive department, or a file nobody can scan, is restricted."""
    labels = one.labels
    if '"security"' in one.item.raw or "\\u" in one.item.raw:
        labels |= labels_of_security(one.item.doc)
    if row.id in departments:
        labels |= departments[row.id]
    if one.opaque or (not labels and row.encounter_id in departments):
        labels |= Label.RESTRICTED
    return labels


def _path(message: str) -> str:
    """The place in a msgspec message (`… - at `$.status``); the rest may hold values."""
    _, found, path = message.rpartition("`$")
    return path.rstrip("`") if found else ""
