"""The columns that say whose row it is, the same in every file of rows."""

import re
from datetime import date
from typing import Final

from ehr.intake.bundle_person import is_identifier
from ehr.intake.models import IdentifierKind, PersonFacts, Reason, Sex
from ehr.intake.survey import is_fhir_date
from ehr.rows.models import Column, Row
from kernel.text import fold

PERSON_COLUMNS: Final = (
    Column("national_id", "Số định danh cá nhân", length_max=12),
    Column("insurance_card", "Mã thẻ BHYT", length_max=15),
    Column("full_name", "Họ và tên", is_required=True, length_max=100),
    Column("birth_date", "Ngày sinh", is_required=True, length_max=10),
    Column("sex", "Giới tính", is_required=True, length_max=10),
)
# As forms write them: QĐ 831 and XML1 code 1 and 2, XML1 codes 3.
SEXES: Final[dict[str, Sex]] = {
    "nam": "male",
    "male": "male",
    "1": "male",
    "nu": "female",
    "female": "female",
    "2": "female",
    "khong ro": "unknown",
    "unknown": "unknown",
    "3": "unknown",
}
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def person_of(row: Row, faults: list[Reason]) -> PersonFacts:
    """Whom a row names; what is wrong with it is added to `faults`."""
    identifiers = [
        *_number(row, "national_id", "national-id", faults),
        *_number(row, "insurance_card", "insurance-card", faults),
    ]
    if not identifiers and not (row.text("national_id") or row.text("insurance_card")):
        faults.append(Reason("missing-field", "national_id"))
    birth_date = fhir_day(row.text("birth_date"))
    if birth_date is None:
        faults.append(Reason("bad-date", "birth_date"))
    sex = SEXES.get(fold(row.text("sex")))
    if sex is None:
        faults.append(Reason("bad-code", "sex"))
    return PersonFacts(
        identifiers=tuple(identifiers), name=row.text("full_name"), birth_date=birth_date, sex=sex
    )


def _number(
    row: Row, column: str, kind: IdentifierKind, faults: list[Reason]
) -> list[tuple[IdentifierKind, str]]:
    value = row.text(column)
    if not value:
        return []
    if not is_identifier(kind, value):
        faults.append(Reason("bad-identifier", column))
        return []
    # The new printed card carries the ten digits of BHXH (vietnam.md §2).
    return [("insurance-number" if kind == "insurance-card" and value.isdigit() else kind, value)]


def fhir_day(text: str) -> str | None:
    """`dd/MM/yyyy`, `yyyy-MM-dd`, `yyyy-MM` or `yyyy` as a FHIR date; None for what is none."""
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            return None
    return text if len(text) <= 10 and is_fhir_date(text) else None
