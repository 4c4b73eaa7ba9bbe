"""How long a code of enrolment lives, how a payment moves, and what is no reference. Pure."""

import re
from datetime import timedelta
from typing import Final

from visits.kiosk.models import PaymentState

# Ours: an administrator walks from the desk to the device.
CODE_TTL: Final = timedelta(hours=1)
# Ours: devices of one facility that are not ended.
KIOSKS_MAX: Final = 500

_MOVES: Final[dict[PaymentState, frozenset[PaymentState]]] = {
    "started": frozenset({"started", "paid", "failed", "cancelled"}),
    "paid": frozenset({"paid"}),
    "failed": frozenset({"failed"}),
    "cancelled": frozenset({"cancelled"}),
}
_SEPARATORS: Final = re.compile(r"[ ._:/-]")
_DIGITS: Final = re.compile(r"[0-9]+")
# How numbers of payment cards begin (ISO/IEC 7812; 9704 is the Vietnamese scheme's). Ours, and generous: a
# terminal's reference that looks like one is sent with a letter in the middle, as the refusal says. Before or
# behind the digits none helps: "CARD4111…" is a card's number all the same.
_CARD: Final = re.compile(r"4|5[1-5]|2[2-7]|3[47]|35|6[0245]|9704")
_CARD_LENGTHS: Final = range(13, 20)


def may_move(before: PaymentState, after: PaymentState) -> bool:
    """Whether a payment may be said to be so now: what ended stays as it ended, a repeat changes nothing."""
    return after in _MOVES[before]


def is_card_number(reference: str) -> bool:
    """Whether a reference holds what may be the number of a payment card: 13 to 19 digits in a row,
    separators aside, that begin like one and whose last digit fits (Luhn, ISO/IEC 7812-1 annex B)."""
    runs = _DIGITS.findall(_SEPARATORS.sub("", reference))
    return any(len(run) in _CARD_LENGTHS and _CARD.match(run) and _fits(run) for run in runs)


def _fits(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
