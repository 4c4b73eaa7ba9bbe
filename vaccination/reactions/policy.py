"""How bad a reaction is, how a report moves, and the clock of a severe one. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from vaccination.reactions.models import (
    Ending,
    Outcome,
    ReactionAct,
    ReactionRow,
    ReactionState,
    Severity,
    Symptom,
    Treatment,
)
from vaccination.reactions.signs import BY_CODE, SIGNS

# A severe event is told to the health department and the CDC within 24 hours (vaccination.md §1).
SEVERE_CLOCK: Final = timedelta(hours=24)
# Ours: what can be added to one report.
STEPS_MAX: Final = 50
JOB: Final = "reaction-late"

_RANK: Final[dict[Severity, int]] = {"mild": 0, "moderate": 1, "severe": 2}
RUNNING: Final[frozenset[ReactionState]] = frozenset({"reported", "acknowledged"})
_MOVES: Final[dict[tuple[ReactionState, ReactionAct], ReactionState]] = {
    ("reported", "add"): "reported",
    ("reported", "acknowledge"): "acknowledged",
    ("reported", "tell-authority"): "acknowledged",
    ("reported", "withdraw"): "withdrawn",
    ("acknowledged", "add"): "acknowledged",
    ("acknowledged", "follow-up"): "acknowledged",
    ("acknowledged", "tell-authority"): "acknowledged",
    ("acknowledged", "close"): "closed",
    ("acknowledged", "withdraw"): "withdrawn",
}

# Severe by what came of it, whatever the facility calls it.
_GRAVE: Final[frozenset[Outcome]] = frozenset({"died", "lasting-harm"})


def unknown_sign(symptoms: Iterable[Symptom]) -> str | None:
    """A code that nobody can choose; None: all are known."""
    return next((one.code for one in symptoms if one.code not in BY_CODE), None)


def judge(symptoms: Iterable[Symptom], said: Severity | None, treatment: Treatment) -> Severity:
    """The worst of what the signs, the reporter and the treatment say. A stay in hospital is severe."""
    levels = [_level(one) for one in symptoms]
    if said is not None:
        levels.append(said)
    if treatment == "hospital-stay":
        levels.append("severe")
    return max(levels, key=_RANK.__getitem__, default="mild")


def worse(one: Severity, other: Severity) -> Severity:
    """A report only ever gets worse: what was said severe stays so until the facility closes it."""
    return max(one, other, key=_RANK.__getitem__)


def due_at(severity: Severity, facility_id: UUID | None, at: datetime) -> datetime | None:
    """Until when the facility is to tell the health department; None: it is not severe, or nobody knows whose
    dose it was."""
    return at + SEVERE_CLOCK if severity == "severe" and facility_id is not None else None


def may_not_end(row: ReactionRow, ending: Ending) -> bool:
    """A report that is severe in the facility's eyes stays open until the health department was told, however
    mild it looked when it was reported."""
    is_severe = ending.assessed == "severe" or ending.outcome in _GRAVE
    return is_severe and row.authority_told_at is None


def after(state: ReactionState, act: ReactionAct) -> ReactionState | None:
    """The next state; None where the act is not to be done now."""
    return _MOVES.get((state, act))


def _level(symptom: Symptom) -> Severity:
    level = BY_CODE[symptom.code].level
    hot = symptom.celsius is not None and symptom.celsius >= SIGNS.fever_moderate_from_celsius
    return worse(level, "moderate") if hot else level
