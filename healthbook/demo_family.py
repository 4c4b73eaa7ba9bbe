"""A child of the demo with its guardian, and an elder without a phone with a relative: two clerks saw the
papers (S8)."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from consent.decision import decide
from family import attesting, desk, proxies
from family.attesting import Pair
from family.desk import Wish
from family.models import Scope
from healthbook.demo_accounts import Activated, DemoError, granted
from healthbook.demo_people import DemoPerson
from healthbook.demo_sheet import DemoChild, DemoElder, DemoUnlinkedChild
from identity import people
from kernel.access import Actor
from kernel.clock import local_day
from kernel.ids import uuid7
from store.database import Store
from visits.arrivals import arrived_today, record_arrival

# What the elder ticked at the desk: all but adding to the book.
TICKED: Final[list[Scope]] = ["appointments", "reminders", "vitals", "read-record", "consent"]
ACTS_FOR: Final = timedelta(days=300)


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
        patient_id = await people.resolve_subject(tx, store.keys, "national-id", pair.child_number, now)
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


async def verify_number(
    store: Store, child: DemoPerson, parent: DemoPerson, now: datetime
) -> DemoUnlinkedChild:
    """Verify the child's number, as registry officers do from the child's papers; nobody acts for it yet."""
    number = child.number or ""
    async with store.transaction() as tx:
        patient_id = await people.resolve_subject(tx, store.keys, "national-id", number, now)
        if patient_id is None:
            raise DemoError("no-such-child")
        await people.verify_identifier(tx, store.keys, patient_id, "national-id", number, None, now)
    return DemoUnlinkedChild(
        patient_id=str(patient_id),
        key=child.key,
        name=child.name,
        birth_date=child.birth_date,
        number=number,
        guardian=parent.key,
    )


async def name_proxy(
    store: Store, person: DemoPerson, relative: Activated, clerks: tuple[Actor, Actor], now: datetime
) -> DemoElder:
    """Make `relative` the proxy of `person`, who has no phone, by the code on the paper of a desk."""
    first, second = clerks
    trace, number = str(uuid7(now)), person.number or ""
    wish = Wish(
        person_number=number,
        proxy_number=relative.card.number,
        scopes=TICKED,
        until=local_day(now) + ACTS_FOR,
        card_seen=True,
    )
    async with store.transaction() as tx:
        granted(await record_arrival(tx, store.keys, first, number, request_id=trace, now=now))
        asked = await desk.propose(tx, store.keys, first, wish, arrived_today, request_id=trace, now=now)
        proposal_id = granted(asked).proposal_id
    async with store.transaction() as tx:
        paper = granted(
            await desk.confirm(
                tx, store.keys, second, proposal_id, True, arrived_today, request_id=trace, now=now
            )
        )
    actor = replace(relative.actor, probation=False)
    async with store.transaction() as tx:
        access = granted(
            await decide(tx, actor, actor.actor_id, "make-proxy", "PATRQT", now, keys=store.keys)
        )
        accepted = granted(await proxies.accept(tx, store.keys, access, paper.code, trace_id=trace, now=now))
    return DemoElder(
        patient_id=str(accepted.patient_id),
        key=person.key,
        name=person.name,
        birth_date=person.birth_date,
        number=number,
        proxy=relative.card.key,
    )
