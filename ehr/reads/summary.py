"""The patient summary after IPS 2.0.0, built from rows that the filter let through and nothing else."""

from datetime import date, datetime

import msgspec
from msgspec import Struct

from ehr.models import Item
from ehr.reads import elsewhere, queries
from ehr.reads.currency import OWN_TABLES_ALONE, Currency
from ehr.reads.elsewhere import ELSEWHERE_DAYS, Found
from ehr.reads.faces import NO_COPIES, Copies, copies_of, faced, merged
from ehr.reads.models import Built, Person, SectionState, SourceShown, Summary, SummarySection
from ehr.reads.notices import notice_for
from ehr.reads.queries import SHOWN, SummaryRow
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from identity.models import Demographics
from identity.people import person_of, precision_of
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
_STATE_VI: dict[SectionState, str] = {
    "not-asked": NO_INFORMATION_VI,
    "unavailable": "Không thể nói là không có: một nguồn dữ liệu chưa trả lời.",
}


async def read(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    now: datetime,
    elsewhere_days: int = ELSEWHERE_DAYS,
    currency: Currency = OWN_TABLES_ALONE,
) -> Built:
    """The summary as JSON bytes. One statement: the rows of all sections; one more for the person where the
    decision did not read it along, one for staff, what other facilities did in the last days, and one where
    items have copies.

    currency: how far other cores stand behind it; a "none" that one of them could contradict is not said.
    """
    known = await person_of(tx, keys, access)
    rows = await queries.SUMMARY.all(tx, *scope_of(access, now))
    parts: dict[str, list[SummaryRow]] = {key: [] for key in SHOWN}
    for row in rows:
        parts[row.part].append(row)
    more = {key for key, found in parts.items() if len(found) > SHOWN[key]}
    for key in more:
        # The row behind the limit says only that there is more.
        del parts[key][SHOWN[key] :]
    for key in currency.doubtful:
        if all(row.negative for row in parts[key]):
            parts[key] = []
    shown = [row for found in parts.values() for row in found]
    sources = _sources(shown)
    copies = await copies_of(tx, access, shown, now)
    found = await elsewhere.find(tx, access, parts["results"], elsewhere_days, now)
    blood_groups = [faced(row, NO_COPIES) for row in _distinct(parts["blood-group"])]
    summary = Summary(
        person=_person(known, blood_groups, now),
        as_of=max([row.updated for row in shown], default=None),
        sources=sources,
        notice=notice_for(access),
        sections=[
            _section(key, parts[key], key in more, copies, found, key in currency.doubtful)
            for key in (_OWN_ORDER if access.is_own else _DOCTOR_ORDER)
            if parts[key] or key in _REQUIRED
        ],
        cores=currency.shown,
    )
    names = [(row.rtype, row.id) for row in shown]
    names = list(dict.fromkeys([*names, *found.shown])) if found.shown else names
    return Built(encode(summary), merged(names, copies))


class _Said(Struct, frozen=True):
    facility_name: str | None = None
    code: str | None = None
    value: str | None = None


def _distinct(rows: list[SummaryRow]) -> list[SummaryRow]:
    """What one facility says of a blood group once, its newest; what two say stands twice (S17)."""
    said: dict[_Said, SummaryRow] = {}
    for row in rows:
        said.setdefault(msgspec.json.decode(row.item, type=_Said), row)
    return list(said.values())


def _section(
    key: str, rows: list[SummaryRow], more: bool, copies: Copies, found: Found, is_doubtful: bool
) -> SummarySection:
    kind, state = _KINDS[key], _state(key, rows, is_doubtful)
    items = [
        faced(row, copies, main_diagnosis=row.main_title, done_elsewhere=found.by_row.get(row.id))
        for row in rows
    ]
    return SummarySection(
        key=key,
        loinc=kind.loinc,
        title_vi=kind.title_vi,
        state=state,
        state_vi=kind.none_vi if state == "none-known" else _STATE_VI.get(state),
        items=items,
        more=more,
    )


def _state(key: str, rows: list[SummaryRow], is_doubtful: bool) -> SectionState:
    if not rows:
        return "unavailable" if is_doubtful else "not-asked"
    return "none-known" if key in _REQUIRED and all(row.negative for row in rows) else "listed"


def _sources(rows: list[SummaryRow]) -> list[SourceShown]:
    latest: dict[str, datetime] = {}
    for row in rows:
        name = row.facility_name
        if name is not None and (name not in latest or row.updated > latest[name]):
            latest[name] = row.updated
    return [SourceShown(name=name, as_of=at) for name, at in sorted(latest.items())]


def _person(known: Demographics | None, blood_groups: list[Item], now: datetime) -> Person:
    if known is None:
        return Person(
            name=None,
            birth_date=None,
            birth_precision=None,
            sex="unknown",
            age_years=None,
            blood_groups=blood_groups,
        )
    return Person(
        name=known.name,
        birth_date=known.birth_date,
        birth_precision=precision_of(known.birth_date),
        sex=known.sex or "unknown",
        age_years=age_years(known.birth_date, now),
        blood_groups=blood_groups,
    )


def age_years(birth_date: str | None, now: datetime) -> int | None:
    """Whole years in Vietnam today; None where the day of birth is not known to the day."""
    if birth_date is None or len(birth_date) != 10:
        return None
    born, today = date.fromisoformat(birth_date), local_day(now)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
