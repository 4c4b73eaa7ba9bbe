"""The code of a counter: on its screen, drawn anew within 60 seconds, or on a poster.

Both name the facility and the counter by their public codes and hold no id of ours (consent.md §3.4). Whoever
scanned the screen was there a minute ago; whoever scanned a poster may have a picture of it (security.md S7).
"""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from kernel.problems import Refused
from qr import tokens
from qr.problems import QR_FORGED, QR_KIND
from store.keys import KeyRing

SCREEN_LIFE: Final = timedelta(seconds=60)
# How often a screen asks for the next: whoever begins to scan has at least the other half to send it.
SCREEN_TURN: Final = timedelta(seconds=30)
# As long as a poster is likely to hang; ours. A counter that closes ends its posters at once.
POSTER_LIFE: Final = timedelta(days=2 * 365)
# Public codes of facilities have 5 or 13 signs (vietnam.md §2), those of counters 1 to 20 (consent.md §3.4).
# `$` alone would let a line break pass.
FACILITY_CODE: Final = r"^[0-9A-Z]{1,20}$(?!\n)"
COUNTER_CODE: Final = r"^[0-9A-Z-]{1,20}$(?!\n)"

PointKind = Literal["counter", "poster"]


class Place(Struct, frozen=True, kw_only=True):
    """A counter by its public codes."""

    facility: Annotated[str, Meta(pattern=FACILITY_CODE)]
    counter: Annotated[str, Meta(pattern=COUNTER_CODE)]


class Point(Place, frozen=True, kw_only=True):
    """A counter whose code was scanned; only `counter` is presence."""

    kind: PointKind


class PointCode(Struct, frozen=True, kw_only=True):
    """qr: the text to draw. draw_again_at: when a screen wants the next one."""

    qr: str
    expires_at: datetime
    draw_again_at: datetime


def screen_code(keys: KeyRing, facility: str, counter: str, now: datetime) -> PointCode:
    """What the counter's screen shows from now on."""
    return _code(keys, "counter", facility, counter, SCREEN_LIFE, SCREEN_TURN, now)


def poster_code(keys: KeyRing, facility: str, counter: str, now: datetime) -> PointCode:
    """What is printed for the counter."""
    return _code(keys, "poster", facility, counter, POSTER_LIFE, POSTER_LIFE, now)


def read_point(keys: KeyRing, text: str, now: datetime) -> Point | Refused:
    """Which counter's code was scanned, and whether from its screen or from a poster.

    Refused: qr-expired, qr-signature-invalid, qr-wrong-kind for a code that is no counter's …
    """
    kind = tokens.kind_of(text)
    if isinstance(kind, Refused):
        return kind
    if kind not in ("counter", "poster"):
        return Refused(problem=QR_KIND, where="qr")
    body = tokens.read(keys, kind, text, now)
    if isinstance(body, Refused):
        return body
    try:
        place = msgspec.convert(body, Place)
    except msgspec.ValidationError:
        return Refused(problem=QR_FORGED, where="qr")
    return Point(kind=kind, facility=place.facility, counter=place.counter)


def _code(
    keys: KeyRing,
    kind: PointKind,
    facility: str,
    counter: str,
    life: timedelta,
    turn: timedelta,
    now: datetime,
) -> PointCode:
    body = msgspec.to_builtins(msgspec.convert({"facility": facility, "counter": counter}, Place))
    expires_at = (now + life).replace(microsecond=0)
    text = tokens.sign(keys, kind, body, expires_at, now)
    return PointCode(qr=text, expires_at=expires_at, draw_again_at=(now + turn).replace(microsecond=0))
