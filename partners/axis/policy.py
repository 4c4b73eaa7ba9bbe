"""What an answer of the axis means, when to try again, and whose version stands. Pure."""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from partners.axis.message import BAD_SIGNATURE, INVALID, SUCCESS, Code
from partners.axis.ports import Failure

# QĐ 1551: data of a health check are with the ministry within 24 hours.
WITHIN: Final = timedelta(hours=24)
FIRST_WAIT: Final = timedelta(seconds=30)
WAIT_MAX: Final = timedelta(hours=1)
# What an operator has to look at before anything goes on: the ministry's own words, and ours.
Stop = Literal[
    "signature-invalid",
    "invalid-request",
    "refused",
    "no-number",
    "no-code",
    "no-values",
    "person-merged",
    "withdrawn",
]


class Verdict(Struct, frozen=True):
    """stop: never tried again by itself. Neither: it is tried again."""

    accepted: bool = False
    stop: Stop | None = None


def verdict_of(answer: Code | Failure) -> Verdict:
    """What becomes of a message. Time and trouble are tried again; a word of refusal stops it."""
    if answer == SUCCESS:
        return Verdict(accepted=True)
    stops: dict[Code | Failure, Stop] = {
        BAD_SIGNATURE: "signature-invalid",
        INVALID: "invalid-request",
        "refused": "refused",
    }
    return Verdict(stop=stops.get(answer))


def next_try(attempts: int, now: datetime) -> datetime:
    """attempts: made so far. The wait doubles, up to an hour, and never ends: nothing is given up by
    itself."""
    doubled: int = 1 << min(max(attempts - 1, 0), 20)
    return now + min(FIRST_WAIT * doubled, WAIT_MAX)
