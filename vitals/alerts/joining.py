"""Events that follow each other within five minutes are one event. Pure.

Readings that swing about a limit many times a minute would otherwise be an alert each time: thousands of one
batch, each told by itself. What is critical in any of them is critical in the whole. It depends on the
readings alone, so that order and split change nothing; a rule begins twelve events an hour at most.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from vitals.alerts.models import Rule
from vitals.alerts.policy import SECOND, Episode, Machine, limits_of

# Ours: as long as whoever is told of what is critical has, before the next one hears of it.
APART_US: Final = 300 * SECOND


def joined(rule: Rule, episodes: Iterable[Episode]) -> list[Episode]:
    """The same, with those as one of which the next begins less than five minutes after the last reading
    outside of the one before. episodes: in order of time."""
    found = list[Episode]()
    for one in episodes:
        if found and one.first_t - found[-1].last_t < APART_US:
            found[-1] = _both(limits_of(rule).sign, found[-1], one)
        else:
            found.append(one)
    return found


def join_open(rule: Rule, ended: list[Episode], machine: Machine) -> list[Episode]:
    """`ended` in the same way, and the last of them in what goes on in the machine, where it belongs to
    that."""
    if machine.episode is None:
        return joined(rule, ended)
    *before, machine.episode = joined(rule, [*ended, machine.episode])
    return before


def _both(sign: int, one: Episode, other: Episode) -> Episode:
    worse = other if other.severity > one.severity else one
    criticals = [it.critical_until for it in (one, other) if it.critical_until is not None]
    seconds = [it.peak_v2 for it in (one, other) if it.peak_v2 is not None]
    return replace(
        one,
        last_t=other.last_t,
        severity=worse.severity,
        peak_v=max(one.peak_v, other.peak_v, key=lambda v: sign * v),
        peak_v2=max(seconds, key=lambda v: sign * v, default=None),
        fresh_until=max(one.fresh_until, other.fresh_until),
        critical_until=max(criticals, default=None),
        marks=worse.marks,
        closed_t=other.closed_t,
    )
