"""A child of the demo with its guardian: two clerks saw the papers, both people were there (S8)."""

from datetime import datetime

from family import attesting
from family.attesting import Pair
from healthbook.demo_accounts import DemoError, granted
from healthbook.demo_people import DemoPerson
from healthbook.demo_sheet import DemoChild
from identity.people import resolve_subject
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Store
from visits.arrivals import arrived_today, record_arrival


async def attest(
    store: Store, child: DemoPerson, guardian: DemoPerson, desk: tuple[Actor, Actor], now: datetime
) -> DemoChild:
    """Make `guardian` the guardian of `child`, whose book is there already."""
    first, second = desk
    trace = str(uuid7(now))
    pair = Pair(child_number=child.number or "", guardian_number=guardian.number or "", papers_seen=True)
    async with store.transaction() as tx:
        for number in (pair.child_number, pair.guardian_number):
            granted(await record_arrival(tx, store.keys, first, number, request_id=trace, now=now))
        asked = await attesting.propose(tx, store.keys, first, pair, arrived_today, request_id=trace, now=now)
        proposal_id = granted(asked).proposal_id
    async with store.transaction() as tx:
        granted(
            await attesting.confirm(
                tx, store.keys, second, proposal_id, True, arrived_today, request_id=trace, now=now
            )
        )
        patient_id = await resolve_subject(tx, store.keys, "national-id", pair.child_number, now)
    if patient_id is None:
        raise DemoError("no-such-child")
    return DemoChild(
        patient_id=str(patient_id),
        key=child.key,
        name=child.name,
        birth_date=child.birth_date,
        number=pair.child_number,
        guardian=guardian.key,
    )
