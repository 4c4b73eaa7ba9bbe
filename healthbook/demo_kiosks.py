"""A kiosk at the first counter of each of the demo's facilities, set up with a code as everywhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from healthbook.demo_accounts import granted
from healthbook.demo_facilities import FACILITIES
from healthbook.demo_sheet import DemoClient, DemoPractitioner
from identity.models import Facility
from kernel.access import Actor
from store.database import Store
from visits.counters.models import Counter
from visits.kiosk import enrolment
from visits.kiosk.models import NewKiosk

REASON: Final = "Ki-ốt của bản dùng thử"
# Nobody's: the demo is made before anybody is connected.
NETWORK: Final = "demo"


async def set_up_kiosks(
    store: Store,
    facilities: Mapping[str, Facility],
    counters: Mapping[str, Sequence[Counter]],
    administrators: Sequence[DemoPractitioner],
    now: datetime,
) -> list[DemoClient]:
    """Client credentials of one kiosk per facility."""
    made = []
    for known in FACILITIES:
        facility, counter = facilities[known.key], counters[known.key][0]
        administrator = Actor(
            kind="practitioner",
            actor_id=UUID(administrators[0].practitioner_id),
            role="facility-admin",
            facility_id=facility.facility_id,
        )
        new = NewKiosk(counter_id=counter.counter_id, name=f"{known.short} kiosk")
        async with store.transaction() as tx:
            code = granted(await enrolment.make(tx, administrator, new, REASON, now))
            secret = granted(await enrolment.enrol(tx, code.code, NETWORK, now))
        made.append(
            DemoClient(
                client_id=str(secret.client_id),
                client_secret=secret.client_secret,
                kind="kiosk",
                facility_code=known.code,
                facility=facility.name,
            )
        )
    return made
