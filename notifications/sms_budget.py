"""How many SMS leave a day: per number, and per prefix of numbers (notifications.md §9).

Codes have tighter limits where they are made; this is the last fence, which a stranger who makes us send to
numbers of his own meets. The counts are ours: no rule names them.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Final

import structlog
from msgspec import Struct

from kernel.clock import local_day, start_of_day
from notifications import queries
from notifications.models import SmsDeath, SmsMessage, SmsPhoneChanged, SmsSecurity
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing

NUMBER_A_DAY: Final = 20
PREFIX_A_DAY: Final = 200_000
# Of these, so many are kept for warnings: who floods a number with codes silences none.
NUMBER_KEPT: Final = 5
PREFIX_KEPT: Final = 20_000
WARNINGS: Final = (SmsSecurity, SmsDeath, SmsPhoneChanged)
# +84 and the two figures by which the country's mobile numbers are handed out.
PREFIX_LENGTH: Final = 5

log = structlog.get_logger("notifications")


class Charge(Struct, frozen=True):
    """What an SMS was charged to: its number and its prefix. is_over: one had nothing left."""

    keys: tuple[bytes, ...]
    day: date
    is_over: bool


async def charge(tx: Tx, keys: KeyRing, messages: Sequence[SmsMessage], now: datetime) -> list[Charge]:
    """Charge those that are within their limits, in order; one that is over costs nothing. What does not
    leave after all is given back (`give_back`)."""
    charged: list[tuple[bytes, ...]] = [()] * len(messages)
    kept_back = set[int]()
    for limit, kept, kind, parts in (
        (NUMBER_A_DAY, NUMBER_KEPT, "number", [one.phone for one in messages]),
        (PREFIX_A_DAY, PREFIX_KEPT, "prefix", [one.phone[:PREFIX_LENGTH] for one in messages]),
    ):
        hashed = {part: lookup_hashes(keys, f"sms-{kind}", part)[0][1] for part in parts}
        left = await _left(tx, hashed, Counter(parts), limit, local_day(now))
        for place, part in enumerate(parts):
            charged[place] += (hashed[part],)
            if left[part] > (0 if isinstance(messages[place].sms, WARNINGS) else kept):
                # What is kept back takes no room from what follows it.
                left[part] -= 1
            else:
                kept_back.add(place)
                log.error("sms_budget_used_up", of=kind, alert=True)
    charges = [Charge(one, local_day(now), place in kept_back) for place, one in enumerate(charged)]
    # At once, lest a warning of the same moment meets what a flood never used.
    await give_back(tx, [one for one in charges if one.is_over])
    return charges


async def _left(tx: Tx, hashed: dict[str, bytes], asked: Counter[str], limit: int, day: date) -> Counter[str]:
    """What was left before these, by number or prefix. Rows are locked in one order."""
    left = Counter[str]()
    for part, key in sorted(hashed.items(), key=itemgetter(1)):
        used = await queries.CHARGE_SMS.one(tx, key[0], key, day, asked[part])
        left[part] = limit - (used or 0) + asked[part]
    return left


async def give_back(tx: Tx, charges: Sequence[Charge]) -> None:
    """Of SMS that did not leave: a budget is for what a provider is asked. Locks as `charge` does."""
    for kind in range(2):
        back = Counter((one.keys[kind], one.day) for one in charges)
        for (key, day), count in sorted(back.items()):
            await queries.CHARGE_SMS.one(tx, key[0], key, day, -count)


def until_tomorrow(now: datetime) -> timedelta:
    """Until the next day's budget."""
    return start_of_day(local_day(now) + timedelta(days=1)) - now


async def forget_budgets(tx: Tx, before: datetime, limit: int) -> int:
    return await queries.DELETE_SMS_BUDGETS.one(tx, local_day(before), limit) or 0
