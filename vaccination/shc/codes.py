"""The code by which a card names a vaccine: codes.json, data with a version."""

import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from vaccination.book.antigens import ATC, CVX
from vaccination.book.models import Dose

_FILE: Final = Path(__file__).parent / "codes.json"
_CVX_FORM: Final = re.compile(r"[0-9]{2,3}")
_ATC_FORM: Final = re.compile(r"J07[A-Z]{2}[0-9]{2}")


class VaccineCode(Struct, frozen=True, kw_only=True):
    antigens: tuple[str, ...]
    cvx: str


class VaccineCodes(Struct, frozen=True, kw_only=True):
    version: str
    source: str
    confirmed: bool
    vaccines: tuple[VaccineCode, ...]


CODES: Final = msgspec.json.decode(_FILE.read_bytes(), type=VaccineCodes)


def code_of(dose: Dose) -> tuple[str, str] | None:
    """(system, code): the sender's own where it is CVX, else CVX by antigens, else the sender's ATC code.
    None: nobody abroad could read what this dose was."""
    system, code = dose.code_system, (dose.code or "").strip()
    if system == CVX and _CVX_FORM.fullmatch(code):
        return CVX, code
    cvx = _by_antigens().get(frozenset(dose.antigens))
    if cvx is not None:
        return CVX, cvx
    return (ATC, code) if system == ATC and _ATC_FORM.fullmatch(code) else None


@cache
def _by_antigens() -> dict[frozenset[str], str]:
    return {frozenset(one.antigens): one.cvx for one in CODES.vaccines}
