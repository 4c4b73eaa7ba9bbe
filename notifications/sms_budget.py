"""How many SMS leave a day: per number, and per prefix of numbers (notifications.md §9).

Codes have tighter limits where they are made; this is the last fence, which a stranger who makes us send to
numbers of his own meets. The counts are ours: no rule names them.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from kernel.clock import local_day
from notifications import queries
from notifications.models import SmsMessage
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing

NUMBER_A_DAY: Final = 20
PREFIX_A_DAY: Final = 200_000
# +84 and the two figures by which the country's mobile numbers are handed out.
PREFIX_LENGTH: Final = 5

log = structlog.get_logger("notifications")


async def over_budget(tx: Tx, keys: KeyRing, messages: Sequence[SmsMessage], now: datetime) -> set[int]:
    """Charge them all; the places of those for which nothing is left today."""
    kept_back = set[int]()
    for limit, kind, parts in (
        (NUMBER_A_DAY, "number", [one.phone for one in messages]),
        (PREFIX_A_DAY, "prefix", [one.phone[:PREFIX_LENGTH] for one in messages]),
    ):
        left = await _charge(tx, keys, kind, parts, limit, now)
        for place, part in enumerate(parts):
            left[part] -= 1
            if left[part] < 0:
                kept_back.add(place)
                log.error("sms_budget_used_up", of=kind, alert=True)
    return kept_back


async def _charge(
    tx: Tx, keys: KeyRing, kind: str, parts: list[str], limit: int, now: datetime
) -> Counter[str]:
    """What was left before these, by number or prefix. Rows are locked in one order."""
    asked, left = Counter(parts), Counter[str]()
    hashed = {lookup_hashes(keys, f"sms-{kind}", part)[0][1]: part for part in asked}
    for key in sorted(hashed):
        part = hashed[key]
        used = await queries.CHARGE_SMS.one(tx, key[0], key, local_day(now), asked[part])
        left[part] = limit - (used or 0) + asked[part]
    return left


async def forget_budgets(tx: Tx, before: datetime, limit: int) -> int:
    return await queries.DELETE_SMS_BUDGETS.one(tx, local_day(before), limit) or 0
