"""Which doses are one dose, which count, and why one stands no longer. Pure."""

from datetime import date, datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from ehr.dates import moment
from ehr.models import EffPrecision, State, Verdict
from kernel.clock import local_day
from kernel.text import fold
from vaccination.book.models import Dose, DoseSender, DoseState, GoneReason

_RANK: Final[dict[DoseState, int]] = {"verified": 0, "being-corrected": 1, "self-declared": 2}
# By the act that took a row away: ehr/cases, ehr/revert.
_METHODS: Final[dict[str, GoneReason]] = {"detached": "not-mine", "revert": "reverted"}


def state_of(state: State, *, contested: bool) -> DoseState:
    """A declared dose stays declared while somebody objects to it: it never was verified."""
    if state == "self-declared":
        return "self-declared"
    return "being-corrected" if contested else "verified"


def day_of(first: datetime | None, precision: EffPrecision | None) -> date | None:
    """The day in Vietnam; None where no day is known."""
    return local_day(first) if first is not None and precision in ("day", "instant") else None


def days_of(given: str | None) -> tuple[date, date] | None:
    """The first and the last day in Vietnam that a FHIR date may mean; None without one that can be read."""
    try:
        found = moment(given or "")
    except msgspec.ValidationError:
        return None
    return local_day(found.first), local_day(found.last)


def fold_doses(doses: list[Dose], days: dict[str, date | None]) -> list[Dose]:
    """Each dose once, in the order given; of those that say the same, the best stands for all with the others
    as its copies, and the others follow as not counted.

    Two say the same under one number of one system unless they are against other diseases, or on one day
    against the same. One that says more than those of better standing stands beside them and counts for the
    rest alone: no later sender takes a dose's place by naming more diseases. days: by immunization_id.
    """
    kept: list[Dose] = []
    copies: dict[str, list[Dose]] = {}
    rest: dict[str, tuple[str, ...]] = {}
    for dose in sorted(doses, key=_merit):
        beside = _same_day(dose, kept, days)
        left = tuple(key for key in dose.antigens if not any(key in one.antigens for one in beside))
        same = next((one for one in kept if _has_its_number(dose, one)), None)
        if same is None and not left:
            same = next((one for one in beside if _says_the_same(dose, one)), None)
        if same is None:
            kept.append(dose)
            rest[dose.immunization_id] = left
        else:
            copies.setdefault(same.immunization_id, []).append(dose)
    owner = {copy.immunization_id: ident for ident, found in copies.items() for copy in found}
    return [_with_copies(dose, copies, owner.get(dose.immunization_id), rest) for dose in doses]


def _merit(dose: Dose) -> tuple[bool, int, bool, datetime, int, str]:
    """Who gave it stands before who passes it on, then the one that came first; of those that came at once
    the one that is against more."""
    worth = not counts(dose.verdict), _RANK[dose.state], dose.is_passed_on
    return *worth, dose.received_at, -len(dose.antigens), dose.immunization_id


def _same_day(dose: Dose, kept: list[Dose], days: dict[str, date | None]) -> list[Dose]:
    day = days[dose.immunization_id]
    return [one for one in kept if day is not None and days[one.immunization_id] == day]


def _has_its_number(dose: Dose, other: Dose) -> bool:
    shared = not (dose.antigens and other.antigens) or set(dose.antigens) & set(other.antigens)
    return dose.identifier is not None and dose.identifier == other.identifier and bool(shared)


def _says_the_same(dose: Dose, other: Dose) -> bool:
    if dose.antigens:
        return bool(set(dose.antigens) & set(other.antigens))
    return not other.antigens and _name(dose) == _name(other)


def _name(dose: Dose) -> tuple[str, str]:
    return (dose.code_system or "", dose.code) if dose.code else ("", fold(dose.title))


def _with_copies(
    dose: Dose, copies: dict[str, list[Dose]], copy_of: str | None, rest: dict[str, tuple[str, ...]]
) -> Dose:
    is_counted = copy_of is None and counts(dose.verdict)
    return replace(
        dose,
        is_counted=is_counted,
        counts_for=rest[dose.immunization_id] if is_counted else (),
        copy_of=copy_of,
        copies=tuple(map(_sender, copies.get(dose.immunization_id, ()))),
    )


def counts(verdict: Verdict | None) -> bool:
    """What a doctor refuted stays in the book and counts for nothing."""
    return verdict is None or verdict.outcome != "refuted"


def _sender(dose: Dose) -> DoseSender:
    return DoseSender(
        immunization_id=dose.immunization_id,
        facility_name=dose.facility_name,
        given=dose.given,
        lot=dose.lot,
        received_at=dose.received_at,
        state=dose.state,
    )


def why_gone(*, state: State, status: str, method: str, deleted: bool, replaced: bool) -> GoneReason:
    """What became of a dose. replaced: its sender has another one of the same day against the same."""
    if state == "disputed" or method == "detached":
        return "not-mine"
    if not deleted:
        return "entered-in-error"
    if replaced:
        return "replaced"
    return _METHODS.get(method, "retracted" if status == "completed" else "entered-in-error")
