"""How a written question moves, and for how long. Pure."""

from datetime import timedelta
from typing import Final

from visits.consultations.models import ConsultationAct, ConsultationState

TEXT_MAX: Final = 4000
PICTURES_MAX: Final = 5
# Ours: questions of one person that wait at once.
WAITING_MAX: Final = 5
# Ours: a question that nobody answered so long after its term has ended.
GIVEN_UP_AFTER: Final = timedelta(days=7)
# As long as a share code lives; the code's own clock decides.
SHARE_CODE_LIFE: Final = timedelta(minutes=10)
JOB: Final = "consultation-late"

WAITING: Final[frozenset[ConsultationState]] = frozenset({"asked", "accepted"})
_MOVES: Final[dict[tuple[ConsultationState, ConsultationAct], ConsultationState]] = {
    ("asked", "accept"): "accepted",
    ("asked", "decline"): "declined",
    ("asked", "withdraw"): "withdrawn",
    ("asked", "expire"): "expired",
    ("accepted", "answer"): "answered",
    ("accepted", "decline"): "declined",
    ("accepted", "withdraw"): "withdrawn",
    ("accepted", "expire"): "expired",
    ("answered", "close"): "closed",
}


def after(state: ConsultationState, act: ConsultationAct) -> ConsultationState | None:
    """The next state; None where the act is not to be done now."""
    return _MOVES.get((state, act))
