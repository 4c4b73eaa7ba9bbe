"""Pure decisions about identity: does this claim describe that person, is this role in force."""

from datetime import date, datetime, timedelta
from itertools import pairwise

from identity.models import Demographics, IdentifierRow, Practitioner, RoleRow
from kernel.clock import local_day
from kernel.text import fold

PROBATION = timedelta(hours=72)
DEVICES_MAX = 5
PIN_LENGTH = 6


def births_agree(one: str | None, other: str | None) -> bool:
    """Equal as far as the coarser of two partial dates goes ('1950' agrees with '1950-02-03')."""
    if not one or not other:
        return False
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def is_below(birth_date: str, years: int, today: date) -> bool:
    """Whether somebody may not have this age yet: what a partial date leaves open counts as late as it
    can be. Who was born on 29 February reaches it on 1 March."""
    latest = birth_date + "-12-31"[len(birth_date) - len("YYYY") :]
    return f"{today.year - years:04d}-{today:%m-%d}" < latest


def describes(claim: Demographics, person: Demographics, *, newborn: bool = False) -> bool:
    """Security.md S17: birth date at its precision, sex and folded name agree.

    A newborn has no lasting name yet: there the mother's number stands in its place.
    """
    if not births_agree(claim.birth_date, person.birth_date) or (claim.sex or "unknown") != (
        person.sex or "unknown"
    ):
        return False
    if newborn:
        return claim.mother_number is not None and claim.mother_number == person.mother_number
    return bool(claim.name and person.name) and fold(claim.name or "") == fold(person.name or "")


def identifier_in_force(row: IdentifierRow, now: datetime) -> bool:
    """An identifier counts between its dates, both inclusive, Vietnamese calendar."""
    today = local_day(now)
    return (row.valid_from is None or row.valid_from <= today) and (
        row.valid_until is None or today <= row.valid_until
    )


def role_in_force(role: RoleRow, now: datetime) -> bool:
    """Person, licence, role and facility must all stand. A doctor without a licence never does."""
    if role.ended_at is not None or role.suspended_at is not None or role.facility_closed_at is not None:
        return False
    if role.active_from > now or (role.active_until is not None and role.active_until <= now):
        return False
    if role.role in LICENSED_ROLES and role.licence is None:
        return False
    return _licence_in_force(role, local_day(now))


LICENSED_ROLES = frozenset({"doctor", "pharmacist", "vaccinator"})


def can_hold_licensed_role(person: Practitioner, now: datetime) -> bool:
    """A licence of the register that counts today, of somebody who is neither suspended nor gone."""
    stands = person.licence is not None and person.ended_at is None and person.suspended_at is None
    return stands and _licence_in_force(person, local_day(now))


def _licence_in_force(role: RoleRow | Practitioner, today: date) -> bool:
    return (role.licence_from is None or role.licence_from <= today) and (
        role.licence_until is None or today <= role.licence_until
    )


def pin_is_easy(pin: str, birth_date: str | None) -> bool:
    """Not six digits, one digit repeated, a run up or down, or the birth date in a usual order."""
    if len(pin) != PIN_LENGTH or not (pin.isascii() and pin.isdigit()):
        return True
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, -1}:
        return True
    if pin[:3] == pin[3:] or pin[:2] * 3 == pin:
        return True
    return pin in _birth_pins(birth_date or "")


def _birth_pins(birth_date: str) -> set[str]:
    if len(birth_date) != len("YYYY-MM-DD"):
        return set()
    year, month, day = birth_date.split("-")
    return {day + month + year[2:], year[2:] + month + day, month + day + year[2:], day + month + year[:2]}
