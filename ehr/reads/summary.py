"""The patient summary after IPS 2.0.0, built from rows that the filter let through and nothing else."""

from datetime import date, datetime

from msgspec import Struct

from ehr.models import Item
from ehr.reads import queries
from ehr.reads.models import Built, Person, SectionState, SourceShown, Summary, SummarySection
from ehr.reads.notices import notice_for
from ehr.reads.queries import SHOWN, SummaryRow
from ehr.reads.raw import as_items, encode, with_main_diagnosis
from ehr.reads.scope import scope_of
from identity.models import PersonCard
from identity.people import person_card
from kernel.access import Access
from kernel.clock import local_day
from store.database import Tx
from store.keys import KeyRing


class Kind(Struct, frozen=True):
    """A section: its IPS code, its name, and what to say when it is required and empty."""

    loinc: str | None
    title_vi: str
    none_vi: str | None = None


_KINDS = {
    "allergies": Kind("48765-2", "Dị ứng", "Đã hỏi: không ghi nhận dị ứng nào."),
    "alerts": Kind("104605-1", "Cảnh báo"),
    "problems": Kind("11450-4", "Bệnh đang có", "Đã hỏi: không ghi nhận bệnh nào."),
    "medications": Kind("10160-0", "Thuốc đang dùng", "Đã hỏi: không dùng thuốc nào."),
    "results": Kind("30954-2", "Kết quả mới nhất"),
    "encounters": Kind(None, "Lượt khám gần đây"),
    "immunizations": Kind("11369-6", "Tiêm chủng"),
    "pregnancy": Kind("10162-6", "Thai kỳ"),
    "devices": Kind("46264-8", "Thiết bị y tế"),
    "procedures": Kind("47519-4", "Thủ thuật, phẫu thuật"),
    "vital-signs": Kind("8716-3", "Dấu hiệu sinh tồn"),
    "care-plans": Kind("18776-5", "Kế hoạch chăm sóc"),
    "past-problems": Kind("11348-0", "Bệnh đã qua"),
    "social": Kind("29762-2", "Lối sống"),
}
# What a doctor needs first; what a person looks for first (ehr-core.md §5.1).
_DOCTOR_ORDER = tuple(_KINDS)
_OWN_FIRST = ("medications", "allergies", "problems", "results", "immunizations")
_OWN_ORDER = (*_OWN_FIRST, *(key for key in _KINDS if key not in _OWN_FIRST))
# Required by IPS: shown even when empty, and then they say which kind of empty.
_REQUIRED = frozenset({"allergies", "problems", "medications"})
NO_INFORMATION_VI = "Chưa có thông tin."


async def read(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """The summary as JSON bytes. Two statements: the person, and the rows of all sections."""
    card = await person_card(tx, keys, access.patient_id)
    rows = await queries.SUMMARY.all(tx, *scope_of(access, now))
    parts: dict[str, list[SummaryRow]] = {key: [] for key in SHOWN}
    for row in rows:
        parts[row.part].append(row)
    more = {key for key, found in parts.items() if len(found) > SHOWN[key]}
    for key in more:
        # The row behind the limit says only that there is more.
        del parts[key][SHOWN[key] :]
    shown = [row for found in parts.values() for row in found]
    sources = _sources(shown)
    summary = Summary(
        person=_person(card, as_items(parts["blood-group"]), now),
        as_of=max([row.updated for row in shown], default=None),
        sources=sources,
        notice=notice_for(access),
        sections=_sections(parts, more, _OWN_ORDER if access.is_own else _DOCTOR_ORDER),
    )
    return Built(encode(summary), [(row.rtype, row.id) for row in shown])


def _sections(
    parts: dict[str, list[SummaryRow]], more: set[str], order: tuple[str, ...]
) -> list[SummarySection]:
    return [_section(key, parts[key], key in more) for key in order if parts[key] or key in _REQUIRED]


def _section(key: str, rows: list[SummaryRow], more: bool) -> SummarySection:
    kind, state = _KINDS[key], _state(key, rows)
    items = [with_main_diagnosis(row) for row in rows] if key == "encounters" else as_items(rows)
    return SummarySection(
        key=key,
        loinc=kind.loinc,
        title_vi=kind.title_vi,
        state=state,
        state_vi=None if state == "listed" else kind.none_vi if state == "none-known" else NO_INFORMATION_VI,
        items=items,
        more=more,
    )


def _state(key: str, rows: list[SummaryRow]) -> SectionState:
    if not rows:
        return "not-asked"
    return "none-known" if key in _REQUIRED and all(row.negative for row in rows) else "listed"


def _sources(rows: list[SummaryRow]) -> list[SourceShown]:
    latest: dict[str, datetime] = {}
    for name, updated in {(row.facility_name, row.updated) for row in rows}:
        if name is not None:
            latest[name] = max(latest.get(name, updated), updated)
    return [SourceShown(name=name, as_of=at) for name, at in sorted(latest.items())]


def _person(card: PersonCard | None, blood_groups: list[Item], now: datetime) -> Person:
    if card is None:
        return Person(
            name=None,
            birth_date=None,
            birth_precision=None,
            sex="unknown",
            age_years=None,
            blood_groups=blood_groups,
        )
    return Person(
        name=card.name,
        birth_date=card.birth_date,
        birth_precision=card.birth_precision,
        sex=card.sex,
        age_years=age_years(card.birth_date, now),
        blood_groups=blood_groups,
    )


def age_years(birth_date: str | None, now: datetime) -> int | None:
    """Whole years in Vietnam today; None where the day of birth is not known to the day."""
    if birth_date is None or len(birth_date) != 10:
        return None
    born, today = date.fromisoformat(birth_date), local_day(now)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
