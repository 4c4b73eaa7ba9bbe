"""Looking through somebody's active medicines as far as an access shows them, and dismissing what was found.

Whatever an access withholds is not there for any comparison, so no finding tells of it.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from ehr.extract import READERS
from ehr.fhir import Concept
from ehr.medicine_safety import queries
from ehr.medicine_safety.models import (
    Dismissal,
    DismissalReason,
    DismissalShown,
    Found,
    Line,
    LineShown,
    LoadedTable,
    MedicineSafety,
    Name,
    OwnFinding,
    OwnMedicineSafety,
    SafetyFinding,
    Side,
    TableShown,
)
from ehr.medicine_safety.policy import NO_TABLES, Tables, candidates, find, meaning_of
from ehr.medicine_safety.problems import NO_SUCH_FINDING
from ehr.medicine_safety.queries import ActiveRow
from ehr.models import Item
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import local_day, start_of_day
from kernel.problems import Refused
from store.database import Tx

# More active lines than anybody takes.
LINES_MAX: Final = 500
ASK_VI: Final = "Hỏi bác sĩ hoặc dược sĩ trước khi dùng cùng lúc."
ASK_ALLERGY_VI: Final = "Sổ có ghi dị ứng liên quan. Hỏi bác sĩ hoặc dược sĩ trước khi dùng."
NOTICE_VI: Final = (
    "Đây là gợi ý để hỏi, không phải kết luận, và không thay bác sĩ hoặc dược sĩ. "
    "Thuốc chưa kiểm tra được không có nghĩa là an toàn."
)


_item = msgspec.json.Decoder(Item).decode


class _Identified(Struct):
    """What of a medicine's document the reading view leaves out."""

    group_identifier: dict[str, Any] | None = msgspec.field(name="groupIdentifier", default=None)
    authored_on: str | None = msgspec.field(name="authoredOn", default=None)


class Looked(Struct, frozen=True, kw_only=True):
    """Everything that one look gave."""

    found: list[Found]
    unchecked: list[Line]
    tables: list[LoadedTable]
    dismissals: dict[str, list[Dismissal]]
    shown: list[tuple[str, str]]


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """The findings in full, for whom the person lets in."""
    looked = await look(tx, access, now)
    items = [_in_full(one, looked.dismissals.get(one.key, [])) for one in looked.found]
    tables = [
        TableShown(kind=one.kind, version=one.version, loaded_at=one.loaded_at) for one in looked.tables
    ]
    body = MedicineSafety(
        items=sorted(items, key=lambda item: not item.open),
        unchecked=[_shown(line) for line in looked.unchecked],
        tables=tables,
        notice_vi=NOTICE_VI,
    )
    return Built(encode(body), looked.shown)


async def read_own(tx: Tx, access: Access, now: datetime) -> Built:
    """The findings for the person: which entries, and to ask."""
    looked = await look(tx, access, now)
    said = _said if access.is_own else _said_to_family
    items = [_for_person(one, said(looked.dismissals.get(one.key, []))) for one in looked.found]
    body = OwnMedicineSafety(
        items=sorted(items, key=lambda item: not item.open),
        unchecked=[_shown(line) for line in looked.unchecked],
        pairs_checked=any(one.kind == "pairs" for one in looked.tables),
        notice_vi=NOTICE_VI,
    )
    return Built(encode(body), looked.shown)


async def dismiss(
    tx: Tx, access: Access, finding: str, side: Side, reason: DismissalReason, now: datetime
) -> Found | Refused:
    """Say that a finding needs no more attention. It is shown on, marked; other facts make another finding.

    A second word of the same side changes nothing. Refuses a finding that this access does not see.
    """
    looked = await look(tx, access, now)
    found = next((one for one in looked.found if one.key == finding), None)
    if found is None:
        return Refused(problem=NO_SUCH_FINDING)
    actor = access.actor
    await queries.INSERT_DISMISSAL.one(
        tx, access.patient_id, finding, side, reason, actor.actor_id, actor.facility_id, now
    )
    return found


async def look(tx: Tx, access: Access, now: datetime) -> Looked:
    """Compare what the access shows, by the tables in force."""
    rows = await queries.ACTIVE.all(tx, *scope_of(access, now), LINES_MAX)
    medicines = [_line(row) for row in rows if row.is_medicine]
    allergies = [_line(row) for row in rows if not row.is_medicine]
    lines = [*medicines, *allergies]
    in_force = await queries.IN_FORCE.all(tx)
    tables = await _tables(tx, lines, in_force)
    found = find(medicines, allergies, tables)
    said: dict[str, list[Dismissal]] = {}
    for person in (access.patient_id, *sorted(access.origins)):
        for one in await queries.DISMISSALS.all(tx, person, [one.key for one in found]):
            said.setdefault(one.finding, []).append(one)
    return Looked(
        found=found,
        unchecked=[line for line in lines if not meaning_of(line, tables).recognised],
        tables=in_force,
        dismissals=said,
        shown=[(line.rtype, line.id) for line in lines],
    )


async def _tables(tx: Tx, lines: list[Line], in_force: list[LoadedTable]) -> Tables:
    """What the tables in force know of these lines; three statements, whatever their number."""
    version = {one.kind: one.version for one in in_force}
    if not lines or not version:
        return NO_TABLES
    words = sorted(set[str]().union(*map(candidates, lines)))
    names: dict[str, tuple[Name, ...]] = {}
    for one in await queries.NAMES.all(tx, words, version.get("names")):
        names[one.name] = (*names.get(one.name, ()), one)
    meant = {*words, *(one.ingredient for several in names.values() for one in several)}
    known = await queries.KNOWN.all(tx, sorted(meant), version.get("pairs"))
    pairs = await queries.PAIRS.all(tx, [one.ingredient for one in known], version.get("pairs"))
    return Tables(
        names=names, known={one.ingredient: one.ingredient_name for one in known}, pairs=tuple(pairs)
    )


def _line(row: ActiveRow) -> Line:
    """A stored row as it is compared. The document was read when it was stored, so it can be read now."""
    resource = READERS[row.rtype].decoder.decode(row.doc)
    concept: Concept | None = getattr(resource, "medication_codeable_concept", None) or getattr(
        resource, "code", None
    )
    codings = concept.coding if concept else []
    words = [row.title, *(one.display for one in codings if one.display)]
    words += [concept.text] if concept and concept.text else []
    outside = msgspec.json.decode(row.doc, type=_Identified)
    return Line(
        rtype=row.rtype,
        id=row.id,
        version=row.version,
        title=row.title,
        words=tuple(dict.fromkeys(words)),
        codes=tuple((one.system or "", one.code) for one in codings if one.code),
        prescription=_identifier(outside.group_identifier),
        encounter_id=row.encounter_id,
        facility_id=row.facility_id,
        facility_name=row.facility_name,
        day=outside.authored_on[:10] if outside.authored_on else None,
        self_declared=row.state == "self-declared",
        fold=row.fold,
        open_end=_item(row.item).course_end is None,
    )


def _identifier(found: dict[str, Any] | None) -> str | None:
    value = found.get("value") if found else None
    return value.casefold() if isinstance(value, str) else None


def _shown(line: Line) -> LineShown:
    return LineShown(
        kind=line.rtype,
        id=line.id,
        title=line.title,
        date=line.day,
        facility_name=line.facility_name,
        self_declared=line.self_declared,
    )


def _said(dismissals: list[Dismissal]) -> list[DismissalShown]:
    return [
        DismissalShown(
            by=one.side, reason=one.reason, dismissed_at=one.dismissed_at, facility_name=one.facility_name
        )
        for one in dismissals
    ]


def _said_to_family(dismissals: list[Dismissal]) -> list[DismissalShown]:
    """Of a doctor's word the day alone: who treats somebody, and why, is not theirs (security.md S23)."""
    return [
        DismissalShown(
            by=one.by, reason=None, dismissed_at=start_of_day(local_day(one.dismissed_at)), facility_name=None
        )
        if one.by == "doctor"
        else one
        for one in _said(dismissals)
    ]


def _for_person(found: Found, dismissals: list[DismissalShown]) -> OwnFinding:
    return OwnFinding(
        finding_id=found.key,
        kind=found.kind,
        medicines=[_shown(line) for line in found.medicines],
        allergies=[_shown(line) for line in found.allergies],
        text_vi=ASK_ALLERGY_VI if found.kind == "allergy" else ASK_VI,
        open=not dismissals,
        dismissals=dismissals,
    )


def _in_full(found: Found, dismissals: list[Dismissal]) -> SafetyFinding:
    pair = found.pair
    return SafetyFinding(
        finding_id=found.key,
        kind=found.kind,
        ingredients=list(found.ingredients),
        medicines=[_shown(line) for line in found.medicines],
        allergies=[_shown(line) for line in found.allergies],
        severity=pair.severity if pair else None,
        words_vi=pair.words_vi if pair else None,
        words_en=pair.words_en if pair else None,
        source=pair.source if pair else None,
        licence=pair.licence if pair else None,
        version=pair.version if pair else None,
        open=not any(one.side == "doctor" for one in dismissals),
        dismissals=_said(dismissals),
    )


def shown_of(found: Found) -> list[tuple[str, str]]:
    """What a word on this finding is about, for the log."""
    return [(line.rtype, line.id) for line in (*found.medicines, *found.allergies)]
