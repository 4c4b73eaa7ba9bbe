"""The one writer of iCalendar files (RFC 5545; methods of RFC 5546)."""

from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct

from documents.plain import plain
from kernel.clock import VIETNAM

Method = Literal["PUBLISH", "CANCEL"]

MEDIA_TYPE: Final = "text/calendar"
# A line is at most 75 octets, the break not counted (RFC 5545 §3.1); the next begins with a space.
LINE_OCTETS: Final = 75
TEXT_MAX: Final = 500
# No summer time, and one offset since 1975-06-13 (tz database): the program's days are all later.
_ZONE: Final = (
    "BEGIN:VTIMEZONE",
    f"TZID:{VIETNAM.key}",
    "BEGIN:STANDARD",
    "DTSTART:19750613T000000",
    "TZOFFSETFROM:+0800",
    "TZOFFSETTO:+0700",
    "TZNAME:+07",
    "END:STANDARD",
    "END:VTIMEZONE",
)


class CalendarEvent(Struct, frozen=True, kw_only=True):
    """One event. uid: the same for all its versions; sequence: rises with each. changed_at: of this version.
    organizer: a URI of whoever keeps the event."""

    uid: str
    sequence: int
    is_cancelled: bool
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    summary: str
    location: str
    organizer: str
    organizer_name: str

    @property
    def method(self) -> Method:
        return "CANCEL" if self.is_cancelled else "PUBLISH"


def write(event: CalendarEvent) -> bytes:
    """A file with this event: to be put into a calendar, or to be taken out of it. No text of a record begins
    a line or a property (security.md S35)."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//healthbook//appointments//VI",
        "CALSCALE:GREGORIAN",
        f"METHOD:{event.method}",
        *_ZONE,
        "BEGIN:VEVENT",
        f"UID:{_text(event.uid)}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTAMP:{_utc(event.changed_at)}",
        f"LAST-MODIFIED:{_utc(event.changed_at)}",
        f"DTSTART;TZID={VIETNAM.key}:{_local(event.starts_at)}",
        f"DTEND;TZID={VIETNAM.key}:{_local(event.ends_at)}",
        f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}",
        f"SUMMARY:{_text(event.summary)}",
        f"LOCATION:{_text(event.location)}",
        f"ORGANIZER;CN={_parameter(event.organizer_name)}:{plain(event.organizer)}",
        # Nobody who shares the calendar reads more than that the time is taken.
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(_folded(line) for line in lines)


def _text(text: str) -> str:
    """A value of type TEXT (§3.3.11), on one line."""
    shown = plain(text, TEXT_MAX)
    return shown.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _parameter(text: str) -> str:
    """A quoted parameter value; what may not stand in one is written as RFC 6868 says."""
    return '"' + plain(text, TEXT_MAX).replace("^", "^^").replace('"', "^'") + '"'


def _folded(line: str) -> bytes:
    """Cut between signs, never within the octets of one."""
    out, room = bytearray(), LINE_OCTETS
    for sign in line:
        octets = sign.encode()
        if len(octets) > room:
            out += b"\r\n "
            room = LINE_OCTETS - 1
        out += octets
        room -= len(octets)
    return bytes(out + b"\r\n")


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _local(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%Y%m%dT%H%M%S}"
