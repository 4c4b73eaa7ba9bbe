"""An emergency unit for tests: who works there, who arrives, and each step of breaking the glass."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consent.emergency import cosigning, opening, personal
from consent.emergency.models import CosignAct, Emergency
from consent.emergency.opening import Breaking
from consent.emergency.policy import ATTESTATION
from consent.emergency_reviews import service as reviews
from identity.models import Facility
from identity.sessions import authenticate
from identity.staff import re_authenticate
from identity.units import service as units
from identity.units.models import NewUnit, RoleUnit
from kernel.access import Actor, Label
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, own
from tests.support.people import Citizen, Doctor, make_doctor, make_facility, sign_in_again
from visits.arrivals import record_arrival

WHY = "Bất tỉnh sau tai nạn, không có người nhà đi cùng"


@dataclass
class Unit:
    """An emergency unit: two doctors, a nurse and a clerk of it; a reviewer outside it."""

    store: Store
    clock: FrozenClock
    facility: Facility
    unit_id: UUID
    doctor: Doctor
    colleague: Doctor
    nurse: Doctor
    clerk: Doctor
    reviewer: Doctor

    async def arrive(self, citizen: Citizen, by: Doctor | None = None) -> UUID:
        """The clerk notes the arrival, unless somebody else does."""
        async with self.store.transaction() as tx:
            done = await record_arrival(
                tx,
                self.store.keys,
                (by or self.clerk).actor,
                citizen.number,
                unit_id=self.unit_id,
                request_id=TRACE,
                now=self.clock.now(),
            )
        assert isinstance(done, UUID), done
        return done

    async def fresh(self, doctor: Doctor) -> Actor:
        """The doctor in a session that is as old as this instant."""
        await sign_in_again(self.store, self.clock, doctor)
        return await self.actor(doctor)

    async def actor(self, doctor: Doctor) -> Actor:
        async with self.store.transaction() as tx:
            actor = await authenticate(tx, doctor.token, self.clock.now())
        assert actor is not None
        return actor

    async def break_glass(
        self, citizen: Citizen | None, doctor: Doctor | None = None, *, fresh: bool = True, **changes: Any
    ) -> Emergency | Refused:
        who = doctor or self.doctor
        actor = await (self.fresh(who) if fresh else self.actor(who))
        fields: dict[str, Any] = {
            "kind": "national-id",
            "value": citizen.number if citizen else "",
            "reason": "unconscious",
            "text": WHY,
            "attestation": ATTESTATION,
        }
        async with self.store.transaction() as tx:
            return await opening.break_glass(
                tx,
                self.store.keys,
                actor,
                Breaking(**fields | changes),
                trace_id=TRACE,
                now=self.clock.now(),
            )

    async def opened(self, citizen: Citizen, doctor: Doctor | None = None, **changes: Any) -> Emergency:
        """After an arrival."""
        await self.arrive(citizen)
        made = await self.break_glass(citizen, doctor, **changes)
        assert isinstance(made, Emergency), made
        return made

    async def sign(
        self,
        emergency_id: UUID,
        act: CosignAct,
        by: Doctor | None = None,
        *,
        labels: Label = Label.NONE,
        totp: str | None = None,
    ) -> Emergency | Refused:
        """The nurse signs with the one-time password of now, unless told otherwise."""
        signer = by or self.nurse
        actor = await self.fresh(signer)
        async with self.store.transaction() as tx:
            return await cosigning.co_sign(
                tx,
                self.store.keys,
                actor,
                emergency_id,
                act,
                labels,
                totp or signer.totp(self.clock),
                trace_id=TRACE,
                now=self.clock.now(),
            )

    async def prove(self, doctor: Doctor) -> Refused | None:
        actor = await self.actor(doctor)
        async with self.store.transaction() as tx:
            return await re_authenticate(
                tx, self.store.keys, actor, doctor.totp(self.clock), self.clock.now()
            )

    async def dispute(
        self, citizen: Citizen, emergency_id: UUID, text: str | None = None
    ) -> Emergency | Refused:
        async with self.store.transaction() as tx:
            access = await own(tx, citizen, "manage-grants", self.clock.now())
            return await personal.dispute(
                tx,
                self.store.keys,
                access,
                emergency_id,
                "not-there",
                text,
                trace_id=TRACE,
                now=self.clock.now(),
            )

    async def end(self, citizen: Citizen, emergency_id: UUID) -> Refused | None:
        async with self.store.transaction() as tx:
            access = await own(tx, citizen, "manage-grants", self.clock.now())
            return await personal.end(tx, access, emergency_id, trace_id=TRACE, now=self.clock.now())

    async def verdict(self, emergency_id: UUID, verdict: Any, by: Doctor | None = None) -> Any:
        actor = await self.fresh(by or self.reviewer)
        async with self.store.transaction() as tx:
            return await reviews.give_verdict(
                tx,
                self.store.keys,
                actor,
                emergency_id,
                verdict,
                "Đã xem nhật ký và hỏi kíp trực",
                trace_id=TRACE,
                now=self.clock.now(),
            )

    async def case(self, emergency_id: UUID, by: Doctor | None = None) -> Any:
        actor = await self.fresh(by or self.reviewer)
        async with self.store.transaction() as tx:
            return await reviews.open_case(
                tx, self.store.keys, actor, emergency_id, trace_id=TRACE, now=self.clock.now()
            )


async def place_in(store: Store, doctor: Doctor, facility: Facility, unit_id: UUID | None) -> None:
    async with store.transaction() as tx:
        refused = await units.set_unit(
            tx,
            RoleUnit(
                practitioner_role_id=doctor.practitioner_role_id,
                facility_id=facility.facility_id,
                unit_id=unit_id,
            ),
        )
    assert refused is None


async def make_unit(store: Store, clock: FrozenClock, *, alone: bool = False) -> Unit:
    """alone: the register knows the doctor as the only account of the unit."""
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        new = NewUnit(facility_id=facility.facility_id, kind="emergency", name="Khoa Cấp cứu")
        unit_id = await units.add_unit(tx, new, clock.now())
    doctor, colleague = [await make_doctor(store, clock, facility) for _ in range(2)]
    nurse = await make_doctor(store, clock, facility, role="nurse")
    clerk = await make_doctor(store, clock, facility, role="clerk")
    reviewer = await make_doctor(store, clock, facility, role="privacy-officer")
    for one in [doctor] if alone else [doctor, colleague, nurse, clerk]:
        await place_in(store, one, facility, unit_id)
    return Unit(store, clock, facility, unit_id, doctor, colleague, nurse, clerk, reviewer)
