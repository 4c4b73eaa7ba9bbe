"""What may happen to a case, and when it is late. Pure.

                    resolve, supersede (correction) ──────────────► corrected ─ reopen ─► acknowledged
    open ─ acknowledge ─► acknowledged ─ refuse ─► refused          (for 30 days)
                    resolve, supersede (not-mine) ────────────────► detached ─ resend ─► open
                    arrive (missing-visit) ───────────────────────► arrived
                    withdraw; accept after a refusal ─────────────► withdrawn, accepted; restored (not-mine)

Refusing stops no clock: only the person, a correction, a detachment or the data themselves close a case.
"""

from datetime import datetime, timedelta
from typing import Final

from ehr.cases.models import Act, CaseRow, CaseState, Kind

OPEN_CASES_MAX: Final = 20
PHOTOS_MAX: Final = 5
TEXT_MAX: Final = 2000
# Long enough for a quarrel about the answer; a picture can show an identity card.
EVIDENCE_KEPT: Final = timedelta(days=180)
# Kind of the timer; its ref is person and case.
EVIDENCE_JOB: Final = "case-evidence"
REOPEN_DAYS: Final = timedelta(days=30)
# How long ago a visit may be missed; older papers go to the facility itself.
VISIT_AGE_MAX: Final = timedelta(days=5 * 366)

RUNNING: Final[frozenset[CaseState]] = frozenset({"open", "acknowledged", "refused"})
_SETTLED: Final[dict[Kind, CaseState]] = {"correction": "corrected", "not-mine": "detached"}


def after(kind: Kind, state: CaseState, act: Act) -> CaseState | None:
    """The state that follows; None where the act is not possible."""
    if state in RUNNING:
        return _running(kind, state, act)
    if (kind, state, act) == ("correction", "corrected", "reopen"):
        return "acknowledged"
    if (kind, state, act) == ("not-mine", "detached", "resend"):
        return "open"
    return None


def _running(kind: Kind, state: CaseState, act: Act) -> CaseState | None:
    if act in ("resolve", "supersede"):
        return _SETTLED.get(kind)
    if act == "arrive":
        return "arrived" if kind == "missing-visit" else None
    if act == "withdraw" or (act == "accept" and state == "refused"):
        given_up: CaseState = "withdrawn" if act == "withdraw" else "accepted"
        return "restored" if kind == "not-mine" else given_up
    if act == "acknowledge":
        return "acknowledged" if state == "open" else None
    if act == "refuse":
        return "refused" if state != "refused" else None
    return state if act == "reply" else None


def late_from(state: CaseState, acknowledge_by: datetime, answer_by: datetime) -> datetime | None:
    """From when on the case stands on the department's list; None once it is closed."""
    if state not in RUNNING:
        return None
    return min(acknowledge_by, answer_by) if state == "open" else answer_by


def may_reopen(case: CaseRow, now: datetime) -> bool:
    return case.closed_at is not None and now - case.closed_at <= REOPEN_DAYS
