"""What a reader takes out of a text before anybody's trust comes in."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from vaccination.revocation.models import Hashes
from vaccination.trust.models import Use
from vaccination.verify.models import Format, Holder, Statement, Status, Step, StepName

# Seconds, to the year 9999; milliseconds are the usual mistake.
_SECONDS_MAX: Final = 253_402_300_799
MILLISECONDS_MIN: Final = 100_000_000_000
_TEXT_MAX: Final = 200


class Reading(Struct, frozen=True, kw_only=True):
    """An opened text, nothing of it believed. is_whole: claims and all; else the last of `steps` failed.

    country, issuer: whose key it has to be. starts_at, expires_at: seconds since 1970. uses: the parts that
    the key must be good for. hashes: of every entry. schema_faults and schema_notes: what strict verifiers
    refuse, what all take.
    """

    format: Format | None
    steps: tuple[Step, ...]
    is_whole: bool = False
    algorithm: int | None = None
    kid: str | None = None
    signed: bytes = b""
    signature: bytes = b""
    issuer: str | None = None
    country: str | None = None
    issued_at: float | None = None
    starts_at: float | None = None
    expires_at: float | None = None
    uses: frozenset[Use] = frozenset()
    hashes: tuple[Hashes, ...] = ()
    rid: str | None = None
    holder: Holder | None = None
    statements: tuple[Statement, ...] = ()
    schema_faults: tuple[str, ...] = ()
    schema_notes: tuple[str, ...] = ()


def passed(name: StepName, notes: Iterable[str] = ()) -> Step:
    """With notes it passed with a warning."""
    told = tuple(notes)
    return Step(name=name, outcome="warned" if told else "passed", notes=told)


def failed(name: StepName, status: Status, *notes: str) -> Step:
    return Step(name=name, outcome="failed", status=status, notes=notes)


def text_of(value: object) -> str | None:
    """A text as an answer may hold it; None for anything else."""
    return value[:_TEXT_MAX] if isinstance(value, str) else None


def number_of(value: object) -> float | None:
    """A time in seconds, whole or not, as the field writes both; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # An integer of any length compares with a float; to turn one into a float may not succeed.
    if not -_SECONDS_MAX <= value <= _SECONDS_MAX * 1000 or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value)


def instant(seconds: float | None) -> datetime | None:
    """As an instant, where the calendar has it."""
    if seconds is None or not 0 <= seconds <= _SECONDS_MAX:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def count_of(value: object) -> int | None:
    """A count of doses; None for what cannot be one. 3.0 is 3."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1000:
        return None
    return int(value) if value == value // 1 else None


def mapping(value: object) -> dict[Any, Any]:
    """The map, or an empty one."""
    return value if isinstance(value, dict) else {}
