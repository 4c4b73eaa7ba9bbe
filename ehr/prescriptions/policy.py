"""What a prescription is by its rules: its code, until when it is collected, how far it is dispensed.

The code has 14 characters, `xxxxxyyyyyyy-z`: the facility's 5, 7 of [0-9a-z], and the kind; letters of either
case are the same (vietnam.md §6). Pure.
"""

import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from ehr.intake.ids import name_uuid
from kernel.clock import local_day

RULES: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("rules.json").read_text("utf-8"))
Kind = Literal["N", "H", "C", "T"]
State = Literal["standing", "replaced", "withdrawn"]
# What a reader is told: how far it was dispensed, or why nothing more is.
Standing = Literal["open", "partly", "wholly", "lapsed", "replaced", "withdrawn"]
Dispensed = Literal["none", "partly", "wholly"]

_CODE: Final = re.compile(r"[0-9]{2}[0-9a-z]{3}[0-9a-z]{7}-[nhcty]")
_KINDS: Final[dict[str, Kind]] = RULES["kinds"]
TYPED_MAX: Final = 32
_UNIT: Final = "prescription:"


def typed(text: str) -> str | None:
    """A code as it is compared: lower case, without blanks around; None for what cannot be one."""
    code = text.strip().lower()
    return code if len(text) <= TYPED_MAX and text.isascii() and _CODE.fullmatch(code) else None


def kind_of(code: str) -> Kind:
    """By the code's last letter: N addictive, H psychotropic, T traditional (`y` in the API), C any other."""
    return _KINDS[code[-1]]


def facility_code_of(code: str) -> str:
    return code[:5].upper()


def prescription_id_of(code: str) -> UUID:
    """The same for each sending of a code."""
    return UUID(name_uuid(f"prescription\n{code}"))


def unit_key(prescription_id: UUID) -> str:
    """What the rows of one prescription are found by; not the code, whose letters can spell a name."""
    return f"{_UNIT}{prescription_id}"


def prescription_of(unit: str | None) -> UUID | None:
    """Whose unit this is; None where it is no prescription's."""
    return UUID(unit.removeprefix(_UNIT)) if unit and unit.startswith(_UNIT) else None


def collect_by(issued_at: datetime) -> date:
    """The last day to collect it. The day of issue is not counted (Civil Code 2015 art. 147)."""
    return local_day(issued_at) + timedelta(days=int(RULES["collect_days"]))


def dispensed_state(ordered: Decimal, dispensed: Decimal) -> Dispensed:
    if dispensed <= 0:
        return "none"
    return "wholly" if dispensed >= ordered else "partly"


def standing(state: State, last_day: date, lines: list[Dispensed], today: date) -> Standing:
    """Of the lines that the reader sees. What was handed out whole stays so after the last day."""
    if state != "standing":
        return state
    if lines and all(line == "wholly" for line in lines):
        return "wholly"
    if today > last_day:
        return "lapsed"
    return "open" if all(line == "none" for line in lines) else "partly"


def mark_of(state: Dispensed, last: date | None) -> str | None:
    """What a row of the record keeps of it."""
    return None if state == "none" or last is None else f"{state}:{last.isoformat()}"
