"""Counters and what phones and desks do at them, for tests."""

from datetime import datetime
from uuid import UUID, uuid4

from consent.decision import decide
from identity.models import Facility
from identity.register.facilities import code_of
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from qr.points import poster_code, screen_code
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen
from visits.check_ins.models import Noted, PhoneScan
from visits.check_ins.phone import check_in_by_phone
from visits.counters.models import Counter, NewCounter
from visits.counters.service import open_counter

TRACE = "018f0000-0000-7000-8000-000000000000"


async def make_counter(
    store: Store, clock: FrozenClock, facility: Facility, code: str = "A-1", unit_id: UUID | None = None
) -> Counter:
    new = NewCounter(code=code, name=f"Quầy {code}", unit_id=unit_id)
    async with store.transaction() as tx:
        made = await open_counter(tx, facility.facility_id, new, clock.now())
    assert isinstance(made, Counter), made
    return made


async def drawn(
    store: Store, facility: Facility, counter: Counter, now: datetime, *, poster: bool = False
) -> str:
    """The text of the counter's code as it is drawn at that instant."""
    async with store.transaction() as tx:
        code = await code_of(tx, facility.facility_id, local_day(now))
    assert code is not None
    return (poster_code if poster else screen_code)(store.keys, code, counter.code, now).qr


async def access_for(store: Store, clock: FrozenClock, who: Citizen, patient_id: UUID) -> Access | Refused:
    async with store.transaction() as tx:
        return await decide(tx, who.actor, patient_id, "check-in", "PATRQT", clock.now(), keys=store.keys)


async def scan_counter(
    store: Store,
    clock: FrozenClock,
    who: Citizen,
    qr: str,
    *,
    patient_id: UUID | None = None,
    client_id: UUID | None = None,
    is_late: bool = False,
) -> Noted | Refused:
    """`who`'s phone scans a counter's code, for oneself or for another."""
    access = await access_for(store, clock, who, patient_id or who.patient_id)
    if isinstance(access, Refused):
        return access
    scan = PhoneScan(qr=qr, client_id=client_id or uuid4(), is_late=is_late)
    async with store.transaction() as tx:
        return await check_in_by_phone(tx, store.keys, access, scan, request_id=TRACE, now=clock.now())


def number_of(answer: Noted | Refused) -> int:
    assert isinstance(answer, Noted), answer
    assert answer.ticket is not None
    return answer.ticket.number
