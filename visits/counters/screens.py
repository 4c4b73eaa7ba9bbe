"""What a counter's screen shows: its rotating code, by the public codes of facility and counter alone."""

from datetime import datetime

from identity.register.facilities import code_of
from kernel.clock import local_day
from kernel.problems import Refused
from qr.points import PointCode, screen_code
from store.database import Tx
from store.keys import KeyRing
from visits.counters.models import Counter
from visits.counters.problems import FACILITY_UNCODED


async def screen_of(tx: Tx, keys: KeyRing, counter: Counter, now: datetime) -> PointCode | Refused:
    """The code of this open counter to draw now. Refused: facility-uncoded."""
    code = await code_of(tx, counter.facility_id, local_day(now))
    if code is None:
        return Refused(problem=FACILITY_UNCODED)
    return screen_code(keys, code, counter.code, now)
