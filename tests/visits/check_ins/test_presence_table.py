"""The presence table of security.md S7: what each way of arriving opens, and what it does not."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from consent.codes import service as codes
from consent.models import Grant
from identity.models import Facility
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.counters import TRACE, drawn, make_counter, scan_counter
from tests.support.family import make_proxy
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, make_machine
from tests.support.record import hospital, write
from visits.arrivals import record_arrival
from visits.check_ins.models import Noted
from visits.identification import draw_code
from visits.models import CheckIn
from visits.presence import check_in_by_scan, presence_of

# How the person came → whether it is presence, whether a ticket opens tier D, what the scan itself answers.
# presence False is the red banner, caps of 24 hours, and no rest of the record (consent/terms.py).
TABLE: list[tuple[str, bool, bool, str | None]] = [
    ("desk scans the person's code", True, False, None),
    ("kiosk scans the person's code", True, False, None),
    ("person scans the screen", True, False, None),
    ("screen's code relayed live within 60 s", True, False, None),
    ("screen's code 61 s old", False, False, "qr-expired"),
    ("person's code 61 s old", False, False, "qr-expired"),
    ("person's code, scanned at another facility before", False, False, "code-spent"),
    ("poster", False, False, None),
    ("screen, uploaded late", False, False, None),
    ("poster, uploaded late", False, False, None),
    ("companion scans the screen", False, False, None),
    ("typed by another account", False, True, None),
    ("typed by the requester", False, False, None),
    ("screen of another facility", False, False, None),
    ("nothing", False, False, None),
]


class Scene:
    """One doctor who will ask, one person who comes."""

    def __init__(
        self, store: Store, clock: FrozenClock, facility: Facility, doctor: Doctor, citizen: Citizen
    ) -> None:
        self.store, self.clock, self.facility = store, clock, facility
        self.doctor, self.citizen = doctor, citizen

    async def come(self, how: str) -> Any:
        if "screen" in how or "poster" in how:
            return await self._phone(how)
        if how.startswith("typed"):
            return await self._typed(how)
        if "code" in how:
            return await self._desk(how)
        return None

    async def _phone(self, how: str) -> Noted | Refused:
        store, clock = self.store, self.clock
        at = await make_facility(store, clock) if "another facility" in how else self.facility
        counter = await make_counter(store, clock, at)
        qr = await drawn(store, at, counter, clock.now(), poster=how.startswith("poster"))
        who = self.citizen
        if how.startswith("companion"):
            who = await make_citizen(store, clock)
            await make_proxy(store, clock, self.citizen, who, "appointments")
        late = "late" in how
        clock.advance(seconds=61 if "61 s" in how else 3600 if late else 59)
        return await scan_counter(store, clock, who, qr, patient_id=self.citizen.patient_id, is_late=late)

    async def _desk(self, how: str) -> CheckIn | Refused:
        store, clock = self.store, self.clock
        qr = draw_code(store.keys, self.citizen.patient_id, clock.now()).qr
        if "another facility" in how:
            elsewhere = await make_machine(store, clock, await make_facility(store, clock), "kiosk")
            assert isinstance(await self._scan(elsewhere.actor, qr), CheckIn)
        if "61 s" in how:
            clock.advance(seconds=61)
        kind: Any = await make_machine(store, clock, self.facility, "kiosk")
        if how.startswith("desk"):
            kind = await make_doctor(store, clock, self.facility, "clerk")
        return await self._scan(kind.actor, qr)

    async def _scan(self, actor: Any, qr: str) -> CheckIn | Refused:
        async with self.store.transaction() as tx:
            return await check_in_by_scan(
                tx, self.store.keys, actor, qr, request_id=TRACE, now=self.clock.now()
            )

    async def _typed(self, how: str) -> UUID | Refused:
        by = self.doctor
        if "another" in how:
            by = await make_doctor(self.store, self.clock, self.facility, "clerk")
        async with self.store.transaction() as tx:
            return await record_arrival(
                tx,
                self.store.keys,
                by.actor,
                self.citizen.number,
                request_id=TRACE,
                now=self.clock.now(),
            )

    async def is_present(self) -> bool:
        async with self.store.transaction() as tx:
            found = await presence_of(
                tx, self.citizen.patient_id, self.facility.facility_id, self.clock.now()
            )
        return found is not None

    async def sms_goes_out(self, request_id: UUID) -> bool:
        """Tier D: the code for an SMS is made, or the asking side alone believes so."""
        async with self.store.transaction() as tx:
            asked = await codes.ask_code(
                tx,
                self.store.keys,
                self.doctor.actor,
                request_id,
                trace_id=steps.TRACE,
                now=self.clock.now(),
            )
            assert not isinstance(asked, Refused)
            event = await tx.fetchval(
                "SELECT event FROM outbox WHERE patient_id = $1 AND event LIKE 'consent.code-%'"
                " ORDER BY event_id DESC LIMIT 1",
                self.citizen.patient_id,
            )
        return bool(event == "consent.code-ready")


@pytest.fixture
async def scene(store: Store, clock: FrozenClock) -> Scene:
    facility = await make_facility(store, clock)
    doctor, citizen = await make_doctor(store, clock, facility), await make_citizen(store, clock)
    return Scene(store, clock, facility, doctor, citizen)


@pytest.mark.parametrize(("how", "is_present", "opens_sms", "refused"), TABLE, ids=[row[0] for row in TABLE])
async def test_s7_what_each_way_of_arriving_opens(
    scene: Scene, how: str, is_present: bool, opens_sms: bool, refused: str | None
) -> None:
    store, clock, citizen = scene.store, scene.clock, scene.citizen
    # The facility is warm: a request without presence reaches the person, with the red banner and the cap.
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": "2026-01-05"},
    }
    source = hospital("warm", scene.facility.facility_id)
    await write(store, citizen.patient_id, [encounter], clock.now(), source=source)
    came = await scene.come(how)
    code = came.problem.code if isinstance(came, Refused) else None
    assert code == refused
    assert await scene.is_present() == is_present
    request = await steps.asked(
        store, clock, scene.doctor, kind="national-id", value=citizen.number, duration_seconds=30 * 86400
    )
    row = await steps.row_of(store, scene.doctor, request.request_id)
    assert row.presence == is_present, "without it the app shows the red banner"
    clock.advance(seconds=61)
    assert await scene.sms_goes_out(request.request_id) == (is_present or opens_sms)
    grant = await steps.approve(store, clock, scene.doctor, citizen, request.request_id)
    assert isinstance(grant, Grant)
    longest = timedelta(days=30) if is_present else timedelta(hours=24)
    assert grant.ends_at - grant.starts_at == longest, "the cap"
    assert (grant.since is None) == is_present


async def test_s7_presence_lasts_twelve_hours_and_ends_with_the_check_out(scene: Scene) -> None:
    await scene.come("person scans the screen")
    scene.clock.advance(hours=11, minutes=59)
    assert await scene.is_present()
    scene.clock.advance(minutes=1)
    assert not await scene.is_present()
