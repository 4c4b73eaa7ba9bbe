"""Reports that a doctor knows: the glucose profile and the average of blood pressure at home."""

from datetime import datetime, timedelta
from typing import Final

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from kernel.clock import end_of_day, local_day, start_of_day
from store.database import Tx
from vitals.figures import agp, home_bp
from vitals.figures.agp import LIMITS, Group, Limits, Profile
from vitals.kinds import KINDS
from vitals.reads.models import Agp, Goal, HomeBloodPressure
from vitals.reads.points import pressures_of, sensor_of
from vitals.reads.shown import beside
from vitals.reads.texts import AGP_TOO_LITTLE_VI, BP_HIGH_VI, BP_TOO_LITTLE_VI, BP_WITHIN_VI
from vitals.sight import sight_of

AGP_DAYS: Final = 14
AGP_DAYS_MAX: Final = 90
BP_DAYS: Final = 7
BP_DAYS_MAX: Final = 30
GLUCOSE: Final = KINDS["glucose"]
BLOOD_PRESSURE: Final = KINDS["blood-pressure"]
_DAY: Final = timedelta(days=1)


async def profile(tx: Tx, access: Access, days: int, group: Group, now: datetime) -> Agp:
    """The glucose profile of so many whole days and what there is of today."""
    since = start_of_day(local_day(now) - days * _DAY)
    sight = sight_of(access)
    readings = await sensor_of(tx, sight.within(since, now)) if sight else []
    limits = LIMITS[group]
    made = agp.profile(readings, (now - since) // timedelta(milliseconds=1), limits)
    return Agp(
        group=group,
        since=since,
        until=now,
        low=limits.low,
        high=limits.high,
        profile=made,
        goals=goals(made, limits) if made.sufficient else [],
        sufficient_vi=None if made.sufficient else AGP_TOO_LITTLE_VI,
        beside=beside(access),
    )


async def read_profile(tx: Tx, access: Access, days: int, group: Group, now: datetime) -> Built:
    made = await profile(tx, access, days, group, now)
    return Built(encode(made), [("Observation", GLUCOSE.name)] if made.profile.readings else [])


def goals(made: Profile, limits: Limits) -> list[Goal]:
    """The goals that are set for the group, and whether the profile meets them."""
    shares, found = made.shares, []
    if shares and limits.in_range_min is not None:
        met = shares.in_range >= limits.in_range_min
        found.append(Goal(what="in_range", at_least=limits.in_range_min, met=met))
    if shares and limits.below_max is not None:
        found.append(Goal(what="below", at_most=limits.below_max, met=shares.below < limits.below_max))
    if made.cv is not None and limits.cv_max is not None:
        found.append(Goal(what="cv", at_most=limits.cv_max, met=made.cv <= limits.cv_max))
    return found


async def read_home_average(tx: Tx, access: Access, days: int, now: datetime) -> Built:
    """The average of the last days, today included, without the first that has readings."""
    until = local_day(now)
    since = until - (days - 1) * _DAY
    sight = sight_of(access)
    # A zone is at most a day off Vietnam's.
    seen = sight and sight.within(start_of_day(since - _DAY), end_of_day(until + _DAY))
    readings = await pressures_of(tx, seen) if seen else []
    average = home_bp.home_average([one for one in readings if since <= one.day <= until])
    within = BP_HIGH_VI if average.hypertensive_range else BP_WITHIN_VI
    body = HomeBloodPressure(
        since=since,
        until=until,
        average=average,
        text_vi=within if average.sufficient else BP_TOO_LITTLE_VI,
        beside=beside(access),
    )
    return Built(encode(body), [("Observation", BLOOD_PRESSURE.name)] if average.days else [])
