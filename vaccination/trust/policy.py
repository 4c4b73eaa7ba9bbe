"""Whether a list replaces the last good one (security.md S29)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Literal

from vaccination.hc1.claims import COUNTRY
from vaccination.trust.models import Change, ListedKeys, TrustedKey, TrustList
from vaccination.trust.seal import Voucher

# security.md S29: what changes more than this waits for a second operator.
SHARE_MAX: Final = 0.1
# Clocks of publishers may be ahead by so much.
AHEAD_MAX: Final = timedelta(minutes=5)

Refusal = Literal["other-form", "not-signed", "not-newer", "from-the-future", "stale", "no-country"]


def change_by(
    pinned: TrustList,
    current: Collection[TrustedKey],
    listed: ListedKeys,
    vouched: Voucher | None,
    now: datetime,
) -> Change | Refusal:
    """What the list would change, or why it is refused. current: the keys of the last good one that count."""
    if listed.form != pinned.form:
        return "other-form"
    if vouched is None:
        return "not-signed"
    untimely = _untimely(pinned, vouched, now)
    if untimely is not None:
        return untimely
    if any(key.purpose == "hc1" and key.country is None for key in listed.keys):
        return "no-country"
    return _change(current, listed, vouched)


def _untimely(pinned: TrustList, vouched: Voucher, now: datetime) -> Refusal | None:
    before = pinned.issued_at
    if vouched.version <= pinned.version or (before is not None and vouched.issued_at < before):
        return "not-newer"
    if vouched.issued_at > now + AHEAD_MAX:
        return "from-the-future"
    return "stale" if fresh_until(pinned, vouched.issued_at) < now else None


def fresh_until(pinned: TrustList, issued_at: datetime) -> datetime:
    return issued_at + timedelta(days=pinned.max_age_days)


def _change(current: Collection[TrustedKey], listed: ListedKeys, vouched: Voucher) -> Change:
    held = {(key.kid, key.spki): key for key in current}
    offered = {(key.kid, key.spki): key for key in listed.keys}
    # A key whose country, use or validity changed is another one.
    added = [key for name, key in offered.items() if name not in held or not _says_the_same(held[name], key)]
    removed = [key for name, key in held.items() if name not in offered]
    changed = len(added) + len(removed)
    return Change(
        version=vouched.version,
        issued_at=vouched.issued_at,
        added=tuple(added),
        removed=tuple(removed),
        needs_second=(bool(held) and changed > SHARE_MAX * len(held))
        or any(key.country == COUNTRY for key in (*added, *removed)),
    )


def _says_the_same(one: TrustedKey, other: TrustedKey) -> bool:
    return (one.country, one.issuer, one.uses, one.not_after) == (
        other.country,
        other.issuer,
        other.uses,
        other.not_after,
    )
