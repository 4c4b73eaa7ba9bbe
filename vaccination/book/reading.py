"""Reading the doses of a book, as far as an Access reaches: through the one filter of ehr.reads."""

from collections import Counter
from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ehr.intake.service import SYSTEM_CREDENTIAL
from ehr.models import Item
from ehr.reads.faces import marks_of, verdict_of
from ehr.reads.scope import is_id, scope_of
from kernel.access import Access
from store.database import Tx
from vaccination.book import queries
from vaccination.book.antigens import antigens_of, product_of
from vaccination.book.document import Given, given_of
from vaccination.book.models import Dose, Tombstone
from vaccination.book.policy import day_of, days_of, fold_doses, state_of, why_gone
from vaccination.book.queries import DOSES_MAX, OF_ONE_SENDER, DoseRow, GoneRow
from vaccination.book.texts import GONE

_item = msgspec.json.Decoder(Item).decode


async def doses_of(tx: Tx, access: Access, now: datetime) -> list[Dose]:
    """Every dose that the reader may see, newest first, undated last, copies too (`is_counted` false): the
    newest 100 of each sender, 500 of all."""
    return (await doses_and_more(tx, access, now))[0]


async def doses_and_more(tx: Tx, access: Access, now: datetime) -> tuple[list[Dose], bool]:
    """As `doses_of`, and whether there are older ones."""
    rows = await queries.DOSES.all(tx, *scope_of(access, now))
    of_sender: Counter[str] = Counter()
    kept = []
    for row in rows:
        of_sender[row.source_id] += 1
        if of_sender[row.source_id] <= OF_ONE_SENDER:
            kept.append(row)
    return folded(kept[:DOSES_MAX]), len(kept) < len(rows) or len(kept) > DOSES_MAX


async def dose_of(tx: Tx, access: Access, immunization_id: str, now: datetime) -> Dose | None:
    """One dose as it stands among the others; None where the reader may see none of this id."""
    if not is_id(immunization_id):
        return None
    doses = await doses_of(tx, access, now)
    return next((dose for dose in doses if dose.immunization_id == immunization_id), None)


async def tombstones_of(tx: Tx, access: Access, doses: list[Dose], now: datetime) -> list[Tombstone]:
    """What facilities sent and stands no longer, newest first: for the person, and without what the person
    said is somebody else's for who acts for the person. Nobody else reads of it."""
    if access.basis not in ("self", "guardian", "proxy"):
        return []
    rows = await queries.GONE.all(tx, *scope_of(access, now))
    found = [_tombstone(row, doses) for row in rows]
    return [one for one in found if access.is_own or one.reason != "not-mine"]


async def shown_papers(tx: Tx, access: Access, doses: list[Dose], now: datetime) -> list[Dose]:
    """The doses with the pictures that the reader can open; a picture may have been taken back since."""
    named = sorted({dose.paper_id for dose in doses if dose.paper_id and is_id(dose.paper_id)})
    standing = set(await queries.PAPERS.all(tx, *scope_of(access, now), named)) if named else set()
    return [dose if dose.paper_id in standing else replace(dose, paper_id=None) for dose in doses]


def folded(rows: list[DoseRow]) -> list[Dose]:
    """Rows as doses, with what says the same put together."""
    days = {row.id: day_of(row.eff, row.eff_precision) for row in rows}
    return fold_doses([_dose(row) for row in rows], days)


def _dose(row: DoseRow) -> Dose:
    item, given, marks = _item(row.item), given_of(row.doc), marks_of(row.mark)
    product, sent = product_of(row.title), _sent(row, item, given)
    return Dose(
        immunization_id=row.id,
        version=row.version,
        given=item.date,
        given_precision=row.eff_precision,
        antigens=_antigens(given, row.title),
        code_system=row.code_system,
        code=row.code,
        title=row.title,
        product=product.name if product else None,
        manufacturer=_maker(given) or (product.manufacturer if product else None),
        lot=given.lot_number,
        dose_number=given.dose_number,
        series_doses=given.series_doses,
        facility_id=sent.facility_id,
        facility_name=sent.facility_name,
        source=row.source_id,
        source_name=sent.source_name,
        is_passed_on=sent.is_passed_on,
        received_at=row.updated,
        state=state_of(row.state, contested="disputed" in marks),
        identifier=given.number,
        recorded_by=item.recorded_by,
        note=item.text,
        paper_id=given.paper_id,
        hidden="hidden" in marks,
        verdict=verdict_of(row.mark),
    )


class _Sent(Struct, frozen=True):
    is_passed_on: bool
    facility_id: UUID | None
    facility_name: str | None
    source_name: str | None


def _sent(row: DoseRow, item: Item, given: Given) -> _Sent:
    """Who gave a dose and who sent it. The facility of a row is whoever sent it; a system of the nation gives
    nothing, and the facility of its row is the one that it named by its code."""
    origin = given.report_origin.text if given.report_origin else None
    name = row.facility_name or item.facility_name
    if row.source_id.startswith(SYSTEM_CREDENTIAL):
        return _Sent(True, row.facility_id, given.place or name, origin)
    if given.is_passed_on:
        return _Sent(True, None, given.place, name or origin)
    return _Sent(False, row.facility_id, name or given.place, name or origin)


def _antigens(given: Given, title: str) -> tuple[str, ...]:
    named = [coding for disease in given.protocol.target_disease for coding in disease.coding]
    return antigens_of(given.vaccine_code, named, title)


def _maker(given: Given) -> str | None:
    return given.manufacturer.display if given.manufacturer else None


def _tombstone(row: GoneRow, doses: list[Dose]) -> Tombstone:
    successor = _successor(row, doses)
    reason = why_gone(
        state=row.state,
        status=row.status,
        method=row.method,
        deleted=row.deleted,
        replaced=successor is not None,
    )
    told = reason != "not-mine"
    return Tombstone(
        immunization_id=row.id,
        reason=reason,
        reason_vi=GONE[reason].vi,
        reason_en=GONE[reason].en,
        gone_at=row.updated,
        title=row.title if told else None,
        given=_item(row.item).date if told else None,
        facility_name=row.facility_name if told else None,
        replaced_by=successor.immunization_id if successor and reason == "replaced" else None,
    )


def _successor(row: GoneRow, doses: list[Dose]) -> Dose | None:
    """The same sender's dose of the same day against the same: the record was sent anew under other ids."""
    day, antigens = day_of(row.eff, row.eff_precision), set(_antigens(given_of(row.doc), row.title))
    return next((one for one in doses if one.source == row.source_id and _is_same(one, day, antigens)), None)


def _is_same(dose: Dose, day: date | None, antigens: set[str]) -> bool:
    return day is not None and days_of(dose.given) == (day, day) and bool(antigens & set(dose.antigens))
