"""A grant's states, what makes it narrower, and whether it can be renewed: pure functions."""

from datetime import date, datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from consent.models import Grant, GrantState, Scope
from kernel.access import Label, RecordType

RevokeBy = Literal["all", "doctor", "facility"]

# Renewal is for consents of weeks and months; the person is asked three days before the end.
RENEWABLE_FROM: Final = timedelta(days=7)
PROMPT_BEFORE: Final = timedelta(hours=72)


class Narrower(Struct, frozen=True, kw_only=True):
    """What a grant shall be cut down to. None: that part stays as it is."""

    types: frozenset[RecordType] | None = None
    since: date | None = None
    until: date | None = None
    labels: Label | None = None
    ends_at: datetime | None = None


def state_of(grant: Grant, *, held: bool, now: datetime) -> GrantState:
    """Run out and taken back are never the same: what was ended after it had run out stays expired."""
    if grant.ended_at is not None and grant.ended_at < grant.ends_at:
        assert grant.end_reason is not None
        return grant.end_reason
    if now >= grant.ends_at:
        return "expired"
    if held:
        return "held"
    return "live" if grant.starts_at <= now else "not-yet"


def exceeds_grant(less: Narrower, grant: Grant) -> str | None:
    """The first part that would be wider than the grant, or None."""
    if less.types is not None and not less.types <= frozenset(grant.types):
        return "types"
    if less.since is not None and grant.since is not None and less.since < grant.since:
        return "since"
    if less.until is not None and grant.until is not None and less.until > grant.until:
        return "until"
    if less.labels is not None and less.labels & ~Label(grant.labels):
        return "labels"
    if less.ends_at is not None and less.ends_at > grant.ends_at:
        return "ends_at"
    return None


def is_left(less: Narrower, grant: Grant, now: datetime) -> bool:
    """Whether anything is left to read for any time at all."""
    since, until = less.since or grant.since, less.until or grant.until
    crossed = since is not None and until is not None and since > until
    ends_at = less.ends_at or grant.ends_at
    return less.types != frozenset() and not crossed and ends_at > max(now, grant.starts_at)


def is_renewable(grant: Grant, *, held: bool, now: datetime) -> bool:
    """In force, made in presence, and long enough. A renewed one was not made in presence: one per visit."""
    long_enough = grant.ends_at - grant.starts_at >= RENEWABLE_FROM
    return state_of(grant, held=held, now=now) == "live" and grant.presence and long_enough


def why_not_renewable(grant: Grant) -> str | None:
    """The member that stands in the way: an older version, or too short a grant. None: another reason."""
    if grant.end_reason in ("narrowed", "superseded"):
        return "version"
    return "duration_seconds" if grant.ends_at - grant.starts_at < RENEWABLE_FROM else None


def scope_of(grant: Grant) -> Scope:
    """What a renewal may ask for at most: the grant as it is, and no label."""
    return Scope(
        types=frozenset(grant.types),
        since=grant.since,
        until=grant.until,
        duration_seconds=int((grant.ends_at - grant.starts_at).total_seconds()),
        labels=Label.NONE,
    )


def is_alike(grant: Grant, other: Grant, by: RevokeBy) -> bool:
    """Whether two grants were given to the same practitioner, or at the same facility."""
    if by == "facility":
        return grant.facility_id == other.facility_id
    return by == "all" or grant.practitioner_id == other.practitioner_id
