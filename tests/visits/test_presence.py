"""Check-ins: who may record one, what it says, and what stands in the person's log."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from identity.models import Facility
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from qr import tokens
from store.database import Store
from store.keys import KeyRing, add_key
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility, make_machine
from visits.identification import draw_code, read_code
from visits.models import CheckIn
from visits.presence import check_in_by_scan, presence_of

TRACE = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def facility(store: Store, clock: FrozenClock) -> Facility:
    return await make_facility(store, clock)


async def scan(store: Store, clock: FrozenClock, actor: Actor, qr: str) -> CheckIn | Refused:
    async with store.transaction() as tx:
        return await check_in_by_scan(tx, store.keys, actor, qr, request_id=TRACE, now=clock.now())


async def test_s7_a_scan_by_a_device_of_the_facility_is_presence(
    store: Store, clock: FrozenClock, citizen: Citizen, facility: Facility
) -> None:
    kiosk = await make_machine(store, clock, facility, "kiosk")
    done = await scan(store, clock, kiosk.actor, draw_code(store.keys, citizen.patient_id, clock.now()).qr)
    assert isinstance(done, CheckIn)
    async with store.transaction() as tx:
        found = await presence_of(tx, citizen.patient_id, facility.facility_id, clock.now())
        later = await presence_of(
            tx, citizen.patient_id, facility.facility_id, clock.now() + timedelta(hours=12)
        )
    assert found is not None
    assert found.check_in_id == done.check_in_id
    assert later is None


async def test_s7_a_device_without_a_facility_records_nothing(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    outcome = await scan(
        store, clock, citizen.actor, draw_code(store.keys, citizen.patient_id, clock.now()).qr
    )
    assert isinstance(outcome, Refused)
    assert outcome.problem.code == "not-at-a-facility"


async def test_s7_staff_typed_check_ins_are_a_ticket_and_no_presence(
    store: Store, owner: Store, clock: FrozenClock, citizen: Citizen, facility: Facility
) -> None:
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO check_in (patient_id, check_in_id, facility_id, means, code_id, recorded_by,"
            " recorded_at) VALUES ($1, $2, $3, 'staff-typed', $2, $2, $4)",
            citizen.patient_id,
            facility.facility_id,
            facility.facility_id,
            clock.now(),
        )
    async with store.transaction() as tx:
        assert await presence_of(tx, citizen.patient_id, facility.facility_id, clock.now()) is None


async def test_every_check_in_is_told_and_logged_once(
    store: Store, owner: Store, clock: FrozenClock, citizen: Citizen, facility: Facility
) -> None:
    kiosk = await make_machine(store, clock, facility, "kiosk")
    qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    first = await scan(store, clock, kiosk.actor, qr)
    clock.advance(seconds=5)
    assert await scan(store, clock, kiosk.actor, qr) == first
    async with owner.transaction() as tx:
        told = await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'visit.checked-in'",
            citizen.patient_id,
        )
        logged = await tx.fetchval(
            "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%visit:check-in:create%'",
            citizen.patient_id,
        )
    assert (told, logged) == (1, 1)


async def test_a_code_is_opaque_fresh_and_short_lived(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    first = draw_code(store.keys, citizen.patient_id, clock.now())
    second = draw_code(store.keys, citizen.patient_id, clock.now())
    body = tokens.read(store.keys, "citizen", first.qr, clock.now())
    assert not isinstance(body, Refused)
    assert citizen.patient_id.bytes not in base64.urlsafe_b64decode(body["s"])
    assert first.qr != second.qr
    clock.advance(seconds=60)
    late = read_code(store.keys, first.qr, clock.now())
    assert isinstance(late, Refused)
    assert late.problem.code == "qr-expired"


def test_s28_the_code_has_a_key_of_its_own_and_a_new_one_ends_no_code(
    clock: FrozenClock, tmp_path: Path
) -> None:
    patient_id = uuid7(clock.now())
    before = KeyRing.create(tmp_path, demo=True)
    drawn = draw_code(before, patient_id, clock.now())
    add_key(tmp_path, "identification")
    after = KeyRing.load(tmp_path)
    body = tokens.read(after, "citizen", draw_code(after, patient_id, clock.now()).qr, clock.now())
    assert not isinstance(body, Refused)
    assert body["k"] == "0002"
    read = read_code(after, drawn.qr, clock.now())
    assert not isinstance(read, Refused)
    assert read.patient_id == patient_id


async def test_a_code_of_another_kind_or_with_a_foreign_body_is_refused(
    store: Store, clock: FrozenClock
) -> None:
    until = clock.now() + timedelta(seconds=60)
    for kind, body, expected in (
        ("doctor-request", {"k": "0001", "s": "AAAA"}, "qr-wrong-kind"),
        ("citizen", {"k": "0001", "s": "AAAA"}, "qr-signature-invalid"),
        ("citizen", {"k": "0009", "s": "AAAA"}, "qr-signature-invalid"),
        ("citizen", {}, "qr-signature-invalid"),
    ):
        text = tokens.sign(store.keys, kind, body, until, clock.now())  # type: ignore[arg-type]
        outcome = read_code(store.keys, text, clock.now())
        assert isinstance(outcome, Refused)
        assert outcome.problem.code == expected
