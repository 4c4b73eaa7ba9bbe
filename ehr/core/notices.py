"""What a core says through a Subscription, and whether anything of it is missing. Pure.

Subscriptions R5 Backport 1.1 for R4: a history Bundle whose first entry is a Parameters resource; servers of
R4B say the same in a SubscriptionStatus. Only numbers and ids are read; whatever else comes along is not
looked at, because the core itself is asked.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

EVENTS_MAX: Final = 1000
AHEAD_MAX: Final = 1000
# So many heartbeats may be missed.
SILENT_BEATS: Final = 3


class Subscription(Struct, frozen=True):
    """One row of ehr_core_subscription."""

    source_id: str
    secret_sha256: bytes
    subscription: str | None
    heartbeat_seconds: int
    created_at: datetime
    heard_at: datetime | None
    seen_until: int
    told: int
    ahead: list[int]
    caught_up_at: datetime | None

    @property
    def misses_events(self) -> bool:
        return self.seen_until < self.told

    def is_silent(self, now: datetime) -> bool:
        last = self.heard_at or self.created_at
        return now - last > timedelta(seconds=self.heartbeat_seconds * SILENT_BEATS)


class Event(Struct, frozen=True):
    """One change. focus: what changed; patients: whom it says it is about. Both as `Type/id`, of the core."""

    number: int | None
    focus: str | None
    patients: list[str]


class Notice(Struct, frozen=True):
    """kind: handshake, heartbeat, event-notification, query-status. told: how many events there were so far.
    is_well: the core did not say that it gave up."""

    kind: str
    told: int | None
    events: list[Event]
    is_well: bool


class _Reference(Struct):
    reference: str = ""


class _Part(Struct, rename="camel"):
    """A parameter with any of the values that are read."""

    name: str = ""
    value_code: str | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_unsigned_int: int | None = None
    value_reference: _Reference | None = None
    part: list["_Part"] = []

    @property
    def number(self) -> int | None:
        text = self.value_string or ""
        found = next((n for n in (self.value_integer, self.value_unsigned_int) if n is not None), None)
        return int(text) if found is None and text.isascii() and text.isdigit() and len(text) < 16 else found


class _StatusEvent(Struct, rename="camel"):
    event_number: str | int | None = None
    focus: _Reference | None = None
    additional_context: list[_Reference] = []


class _Status(Struct, rename="camel"):
    """Parameters or SubscriptionStatus."""

    resource_type: str = ""
    parameter: list[_Part] = []
    type: str = ""
    status: str = ""
    events_since_subscription_start: str | int | None = None
    notification_event: list[_StatusEvent] = []


class _Entry(Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(Struct, rename="camel"):
    resource_type: str = ""
    entry: list[_Entry] = []


_bundle = msgspec.json.Decoder(_Bundle)
_status = msgspec.json.Decoder(_Status)


def read_notice(body: bytes) -> Notice | None:
    """A notification; None for anything else."""
    try:
        bundle = _bundle.decode(body)
        if bundle.resource_type != "Bundle" or not bundle.entry:
            return None
        status = _status.decode(bundle.entry[0].resource)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if status.resource_type == "Parameters":
        return _of_parameters(status.parameter)
    return _of_status(status) if status.resource_type == "SubscriptionStatus" else None


def _of_parameters(parameters: list[_Part]) -> Notice | None:
    named = {_plain(one.name): one for one in parameters}
    kind, status, told = (named.get(name) for name in ("type", "status", "eventssincesubscriptionstart"))
    if kind is None or kind.value_code is None:
        return None
    events = [_event(one.part) for one in parameters if _plain(one.name) == "notificationevent"]
    return Notice(
        kind=kind.value_code,
        told=told.number if told else None,
        events=events[:EVENTS_MAX],
        is_well=status is None or status.value_code not in ("error", "off"),
    )


def _event(parts: list[_Part]) -> Event:
    number = next((one.number for one in parts if _plain(one.name) == "eventnumber"), None)
    named = [(one.name, one.value_reference.reference) for one in parts if one.value_reference]
    focus = next((reference for name, reference in named if name == "focus"), "")
    return _made(number, focus, [reference for _, reference in named])


def _of_status(status: _Status) -> Notice:
    events = [
        _made(
            _number(one.event_number),
            one.focus.reference if one.focus else "",
            [ref.reference for ref in (*([one.focus] if one.focus else []), *one.additional_context)],
        )
        for one in status.notification_event
    ]
    told = _number(status.events_since_subscription_start)
    return Notice(status.type, told, events[:EVENTS_MAX], status.status not in ("error", "off"))


def _made(number: int | None, focus: str, references: list[str]) -> Event:
    patients = [name for one in references if (name := name_in(one)) and name.startswith("Patient/")]
    return Event(number, name_in(focus), list(dict.fromkeys(patients)))


def name_in(reference: str) -> str | None:
    """`Type/id` at the end of a reference, whatever stands before it: it is asked for at our core alone."""
    parts = reference.partition("/_history")[0].split("/")[-2:]
    if len(parts) != 2 or not parts[0].isalpha() or not parts[0].isascii():
        return None
    ident = parts[1].replace("-", "").replace(".", "")
    return "/".join(parts) if ident.isalnum() and ident.isascii() and len(parts[1]) <= 64 else None


def _number(value: Any) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _plain(name: str) -> str:
    """Servers write event-number and eventNumber."""
    return name.replace("-", "").lower()


def heard(before: Subscription, notice: Notice) -> tuple[int, int, list[int]]:
    """seen_until, told and ahead after a notice. Events may arrive in any order and more than once."""
    numbers = [one.number for one in notice.events if one.number is not None]
    ahead = {*before.ahead, *numbers}
    seen = before.seen_until
    while seen + 1 in ahead:
        seen += 1
    told = max([before.told, notice.told or 0, *numbers])
    return seen, told, sorted(one for one in ahead if one > seen)[:AHEAD_MAX]
