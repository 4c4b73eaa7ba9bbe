"""Which steps of the tour are done, by what the service knows of the person that it is about."""

from datetime import datetime
from typing import Any, Final

from api.pages.demo_people import DemoDesk, DemoOwner
from kernel.clock import local_day
from notifications.recorded import RecordedMessage

# Whose book the tour opens, and who asks to see it.
OWNER: Final = "hung"
DOCTOR: Final = "bs.nam"
# What leaves no trace has no mark: reading one's own book, and checking a certificate.
STEPS: Final = ("sign-in", "trust", "ask", "allow", "look", "end")
_LISTS: Final = {
    "devices": "/v1/me/devices",
    "requests": "/v1/me/access-requests",
    "grants": "/v1/me/grants",
}


async def what_is_known(desk: DemoDesk, owner: DemoOwner) -> dict[str, list[dict[str, Any]]]:
    """The lists that the marks rest on, as the person's phone sees them; empty where it does not answer."""
    said = {name: await desk.ask(owner.key, path) for name, path in _LISTS.items()}
    return {name: (found or {}).get("items", []) for name, found in said.items()}


def newest_browser(known: dict[str, list[dict[str, Any]]], owner: DemoOwner) -> dict[str, Any] | None:
    """The device that was added last, beside the phone of the sheet."""
    added = [one for one in known["devices"] if one["device_id"] != owner.device_id]
    return max(added, key=lambda one: str(one["enrolled_at"]), default=None)


def is_new(device: dict[str, Any], now: datetime) -> bool:
    """Whether nobody has answered for it yet and its 72 hours run (security.md S8)."""
    until = device["probation_until"]
    return until is not None and now < datetime.fromisoformat(until)


def has_key(device: dict[str, Any]) -> bool:
    """A browser that was let in without one reads the summary alone, and nobody can answer for it."""
    return device["credential_id"] is not None


def was_told_today(messages: list[RecordedMessage], owner: DemoOwner, now: datetime) -> bool:
    """Whether this day's one message about a look has come: a second round on the same day brings none."""
    looks = (one for one in messages if str(one.patient_id) == owner.patient_id and one.type == "record-read")
    return any(local_day(one.created_at) == local_day(now) for one in looks)


def steps_done(
    known: dict[str, list[dict[str, Any]]],
    messages: list[RecordedMessage],
    owner: DemoOwner,
    now: datetime,
) -> dict[str, bool]:
    """Each step by its name. What happened before the newest browser came is another round. That a doctor
    looked is known by the message about it: asking the log would leave a line in it."""
    browser = newest_browser(known, owner)
    if browser is None:
        return dict.fromkeys(STEPS, False)
    since = datetime.fromisoformat(browser["enrolled_at"])
    later = [one for one in known["grants"] if datetime.fromisoformat(one["created_at"]) >= since]
    told = [one for one in messages if str(one.patient_id) == owner.patient_id and one.created_at >= since]
    return {
        "sign-in": True,
        "trust": has_key(browser) and not is_new(browser, now),
        "ask": bool(later) or bool(known["requests"]),
        "allow": bool(later),
        "look": any(one.type == "record-read" for one in told),
        "end": any(one["ended_at"] is not None for one in later),
    }
