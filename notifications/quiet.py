"""When a push leaves: at its time, or at the end of the person's quiet hours (notifications.md §7). Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from notifications.groups import is_digested, is_muted, waits
from notifications.models import NotificationType
from notifications.policy import SMS_ONLY
from notifications.preferences import Preferences, zone_of

# Ours: pushes that waited for the morning leave over so long, not all in one second.
MORNING_SPREAD_SECONDS: Final = 600


class Leaving(Struct, frozen=True):
    """What becomes of a push. at: when it leaves; None: it lies in the inbox alone. digest_at: then it is one
    of those for which a single push leaves at that time."""

    at: datetime | None
    digest_at: datetime | None = None


def leaving(
    type_: NotificationType,
    preferences: Preferences,
    patient_id: UUID,
    due_at: datetime,
    until: datetime,
    now: datetime,
    about: NotificationType | None = None,
) -> Leaving:
    """due_at: when it would leave were nobody asleep; until: when it expires. What is late would leave now.
    about: what a notice about another says of that person."""
    if type_ in SMS_ONLY or is_muted(type_, preferences.muted):
        return Leaving(None)
    quiet = quiet_until(preferences, max(due_at, now)) if waits(about or type_) else None
    if quiet is None:
        return Leaving(due_at)
    if preferences.digest and is_digested(type_):
        return Leaving(None, quiet)
    at = quiet + spread_of(patient_id)
    return Leaving(at if at < until else None)


def quiet_until(preferences: Preferences, at: datetime) -> datetime | None:
    """When the quiet hours end in which this instant lies; None where it lies in none."""
    begins, ends = preferences.quiet_from, preferences.quiet_until
    if begins is None or ends is None or begins == ends:
        return None
    here = at.astimezone(zone_of(preferences.zone))
    wall = here.time().replace(fold=0)
    is_evening = begins > ends and wall >= begins
    if not is_evening and not (wall < ends and (begins > ends or wall >= begins)):
        return None
    day = here.date() + timedelta(days=is_evening)
    end = datetime.combine(day, ends, here.tzinfo)
    if end.astimezone(UTC) <= at:
        # The hour that a change of clocks repeats: it ends when that wall time comes again.
        end = end.replace(fold=1)
    return end.astimezone(UTC)


def spread_of(patient_id: UUID) -> timedelta:
    """The same for a person every morning; ids end in random bits."""
    return timedelta(seconds=patient_id.int % MORNING_SPREAD_SECONDS)
