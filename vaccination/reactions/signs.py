"""The signs that can be reported, and what is advised: data with a version that no clinician reviewed yet."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from vaccination.reactions.models import Severity

_FILE: Final = Path(__file__).with_name("data") / "symptoms.json"


class Sign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sign that can be chosen. level: how bad it is by itself."""

    code: str
    vi: str
    en: str
    level: Severity


class Advice(Struct, frozen=True, forbid_unknown_fields=True):
    vi: str
    en: str


class Signs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """fever_moderate_from_celsius: from which a fever is to be seen by a doctor; quick_days: how far back the
    quick report looks for a dose."""

    version: str
    source: str
    confirmed: bool
    reviewed: bool
    fever_moderate_from_celsius: float
    quick_days: int
    advice: dict[Severity, Advice]
    symptoms: list[Sign]


SIGNS: Final = msgspec.json.decode(_FILE.read_bytes(), type=Signs)
BY_CODE: Final = {sign.code: sign for sign in SIGNS.symptoms}
