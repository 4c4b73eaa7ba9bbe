"""What stands on a counter's poster."""

from datetime import datetime

from documents.posters import Poster
from identity.register.facilities import code_of, facility_by_id
from kernel.clock import VIETNAM, local_day
from kernel.problems import Refused
from qr.points import poster_code
from qr.screens import poster_svg
from store.database import Tx
from store.keys import KeyRing
from visits.counters.models import Counter
from visits.counters.problems import FACILITY_UNCODED
from visits.counters.texts import TEXTS


async def poster_of(tx: Tx, keys: KeyRing, counter: Counter, now: datetime) -> Poster | Refused:
    """The poster of this open counter. Refused: facility-uncoded."""
    code = await code_of(tx, counter.facility_id, local_day(now))
    facility = await facility_by_id(tx, counter.facility_id)
    if code is None or facility is None:
        return Refused(problem=FACILITY_UNCODED)
    drawn = poster_code(keys, code, counter.code, now)
    printed, until = (f"{at.astimezone(VIETNAM):%d/%m/%Y}" for at in (now, drawn.expires_at))
    return Poster(
        title=TEXTS.title,
        facility=facility.name,
        counter=counter.name,
        code=counter.code,
        code_svg=poster_svg(drawn.qr),
        steps=TEXTS.steps,
        notes=TEXTS.notes,
        printed=TEXTS.printed.format(printed=printed, until=until),
    )
