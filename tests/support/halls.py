"""A hall for tests: a facility with a counter, a clerk, a person with a phone, and how they come and go."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from identity.models import Facility
from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.access import Access
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.counters import TRACE, access_for, drawn, make_counter
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from visits.arrivals import arrive, withdraw_arrival
from visits.check_ins import leaving, reading
from visits.check_ins.models import CheckInShown, ListedCheckIn, Noted
from visits.counters.models import Counter
from visits.identification import draw_code
from visits.models import CheckIn, Typed
from visits.presence import check_in_by_scan, presence_of
from visits.tickets import service as tickets

NEWEST = UUID(int=2**128 - 1)


class Hall:
    """A facility with a counter, a clerk, and a person with a phone."""

    def __init__(
        self,
        store: Store,
        clock: FrozenClock,
        facility: Facility,
        counter: Counter,
        clerk: Doctor,
        who: Citizen,
    ) -> None:
        self.store, self.clock, self.facility, self.counter = store, clock, facility, counter
        self.clerk, self.citizen = clerk, who

    async def screen(self, counter: Counter | None = None) -> str:
        return await drawn(self.store, self.facility, counter or self.counter, self.clock.now())

    async def poster(self) -> str:
        return await drawn(self.store, self.facility, self.counter, self.clock.now(), poster=True)

    async def typed(
        self, number: str, by: Doctor | None = None, counter: Counter | None = None
    ) -> Typed | Refused:
        async with self.store.transaction() as tx:
            return await arrive(
                tx,
                self.store.keys,
                (by or self.clerk).actor,
                number,
                counter_id=(counter or self.counter).counter_id,
                request_id=TRACE,
                now=self.clock.now(),
            )

    async def withdraws(self, arrival_id: UUID, number: str) -> Refused | None:
        async with self.store.transaction() as tx:
            who, now = self.clerk.actor, self.clock.now()
            return await withdraw_arrival(
                tx, self.store.keys, who, arrival_id, number, request_id=TRACE, now=now
            )

    async def desk(
        self, patient_id: UUID, counter: Counter | None = None, qr: str | None = None
    ) -> CheckIn | Refused:
        """qr: a code that was drawn before; else a fresh one."""
        qr = qr or draw_code(self.store.keys, patient_id, self.clock.now()).qr
        async with self.store.transaction() as tx:
            return await check_in_by_scan(
                tx,
                self.store.keys,
                self.clerk.actor,
                qr,
                counter_id=(counter or self.counter).counter_id,
                request_id=TRACE,
                now=self.clock.now(),
            )

    async def listed(self, who: Citizen, patient_id: UUID | None = None) -> list[ListedCheckIn]:
        access = await access_for(self.store, self.clock, who, patient_id or who.patient_id)
        assert isinstance(access, Access), access
        now = self.clock.now() + timedelta(seconds=1)
        async with self.store.transaction() as tx:
            return await reading.check_ins_of(tx, access, (now, NEWEST), 50, now)

    async def leaves(self, how: str, check_in_id: UUID | None = None) -> Any:
        now, keys = self.clock.now(), self.store.keys
        access = await access_for(self.store, self.clock, self.citizen, self.citizen.patient_id)
        assert isinstance(access, Access)
        qr = await self.screen()
        code = draw_code(keys, self.citizen.patient_id, now).qr
        async with self.store.transaction() as tx:
            if how == "phone":
                return await leaving.check_out_by_phone(tx, keys, access, qr, request_id=TRACE, now=now)
            if how == "desk":
                return await leaving.check_out_by_scan(
                    tx, keys, self.clerk.actor, code, request_id=TRACE, now=now
                )
            assert check_in_id is not None
            return await leaving.leave(tx, access, check_in_id, request_id=TRACE, now=now)

    async def is_present(self) -> bool:
        patient_id, facility_id = self.citizen.patient_id, self.facility.facility_id
        async with self.store.transaction() as tx:
            return await presence_of(tx, patient_id, facility_id, self.clock.now()) is not None

    async def waiting(self, counter: Counter | None = None) -> list[int]:
        async with self.store.transaction() as tx:
            rows = await tickets.waiting(tx, counter or self.counter, 0, 100, self.clock.now())
        return [one.number for one in rows]

    async def shown(self, who: Citizen, patient_id: UUID | None = None) -> list[CheckInShown]:
        """The list as `who` reads it of that person, newest first."""
        rows = await self.listed(who, patient_id)
        async with self.store.transaction() as tx:
            return [await reading.shown(tx, self.store.keys, row, self.clock.now()) for row in rows]

    async def gives_back(self, who: Citizen, patient_id: UUID, check_in_id: UUID) -> Refused | None:
        """`who` leaves a check-in of that person."""
        access = await access_for(self.store, self.clock, who, patient_id)
        assert isinstance(access, Access), access
        async with self.store.transaction() as tx:
            return await leaving.leave(tx, access, check_in_id, request_id=TRACE, now=self.clock.now())

    async def checks_out(self, patient_id: UUID) -> None:
        """The desk scans the person's code on the way out."""
        now, keys = self.clock.now(), self.store.keys
        code = draw_code(keys, patient_id, now).qr
        async with self.store.transaction() as tx:
            done = await leaving.check_out_by_scan(
                tx, keys, self.clerk.actor, code, request_id=TRACE, now=now
            )
        assert not isinstance(done, Refused), done

    async def calls(self) -> int | None:
        async with self.store.transaction() as tx:
            return await tickets.call_next(tx, self.counter, self.clock.now())

    async def psychiatry(self) -> UUID:
        """A sensitive department of the facility, which has another one that is none."""
        new = NewUnit(
            facility_id=self.facility.facility_id, kind="department", name="Khoa Tâm thần", is_sensitive=True
        )
        async with self.store.transaction() as tx:
            await add_unit(tx, replace(new, name="Khoa Nội", is_sensitive=False), self.clock.now())
            return await add_unit(tx, new, self.clock.now())


async def make_hall(store: Store, clock: FrozenClock) -> Hall:
    facility = await make_facility(store, clock)
    counter = await make_counter(store, clock, facility)
    clerk = await make_doctor(store, clock, facility, "clerk")
    return Hall(store, clock, facility, counter, clerk, await make_citizen(store, clock))


async def count(owner: Store, sql: str, *args: object) -> int:
    async with owner.transaction() as tx:
        found: int = await tx.fetchval(f"SELECT count(*) FROM {sql}", *args)
    return found


def noted(answer: Noted | Refused) -> Noted:
    assert isinstance(answer, Noted), answer
    return answer
