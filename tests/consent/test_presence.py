"""Requests without presence (S6), limits that cannot be turned into weapons (S31), uniform answers (S19)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent.approval import CodeVerdict
from consent.blocks.service import Target, block
from consent.codes import service as codes
from consent.models import Grant
from consent.requests import service as requests
from consent.requests.asking import Asked
from consent.requests.service import AskingView
from identity.models import Facility
from kernel.access import Access, Label
from kernel.problems import ProblemError, Refused
from store.database import Store, Tx
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    new_number,
    sign_in_again,
)
from tests.support.record import hospital, write
from visits.arrivals import record_arrival
from visits.identification import draw_code
from visits.presence import check_in_by_scan

People = tuple[Doctor, Citizen, Facility]


async def by_number(store: Store, clock: FrozenClock, doctor: Doctor, number: str, **more: Any) -> Asked:
    return await steps.asked(store, clock, doctor, kind="national-id", value=number, **more)


async def warm(store: Store, clock: FrozenClock, citizen: Citizen, facility: Facility, day: str) -> None:
    """An encounter with the facility in the record."""
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": day},
    }
    source = hospital("warm", facility.facility_id)
    await write(store, citizen.patient_id, [encounter], clock.now(), source=source)


async def visible(store: Store, clock: FrozenClock, citizen: Citizen) -> list[UUID]:
    async with store.transaction() as tx:
        found = await requests.open_requests(tx, citizen.patient_id, clock.now())
    return [one.request_id for one in found]


# ---- S6


async def test_s6_a_cold_facility_without_presence_reaches_nobody(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await by_number(store, clock, doctor, citizen.number)
    assert await visible(store, clock, citizen) == []
    row = await steps.row_of(store, doctor, request.request_id)
    answer = steps.approval_for(store, citizen, row, clock.now())
    outcome = await steps.send_approval(store, clock, citizen, request.request_id, answer)
    assert steps.code_of(outcome) == "request-unknown"
    digits = steps.offline_code(store, citizen, row, clock.now())
    typed = await steps.type_code(store, clock, doctor, request.request_id, digits)
    assert steps.code_of(typed) == "otp-invalid"


@pytest.mark.parametrize(("day", "delivery"), [("2025-11-20", "ring"), ("2024-11-20", "cold")])
async def test_s6_an_encounter_in_24_months_makes_a_facility_warm(
    store: Store, clock: FrozenClock, people: People, day: str, delivery: str
) -> None:
    doctor, citizen, facility = people
    await warm(store, clock, citizen, facility, day)
    request = await by_number(store, clock, doctor, citizen.number)
    assert (await steps.row_of(store, doctor, request.request_id)).delivery == delivery


@pytest.mark.parametrize("tier", ["A", "B"])
async def test_s6_a_remote_grant_is_narrow_and_begins_after_ten_minutes(
    store: Store, clock: FrozenClock, people: People, tier: str
) -> None:
    doctor, citizen, facility = people
    await warm(store, clock, citizen, facility, "2026-01-05")
    request = await by_number(store, clock, doctor, citizen.number, duration_seconds=30 * 86400)
    grant = await steps.approve(
        store, clock, doctor, citizen, request.request_id, tier=tier, labels=Label.PSY
    )
    assert isinstance(grant, Grant)
    assert (grant.labels, grant.since) == (0, date(2025, 11, 21))
    assert grant.ends_at - grant.starts_at == timedelta(hours=24)
    clock.advance(seconds=599)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    clock.advance(seconds=1)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)


async def test_s6_a_remote_grant_cancelled_in_its_ten_minutes_never_opens(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    await warm(store, clock, citizen, facility, "2026-01-05")
    request = await by_number(store, clock, doctor, citizen.number)
    grant = await steps.approve(store, clock, doctor, citizen, request.request_id)
    assert isinstance(grant, Grant)
    clock.advance(minutes=9)
    await steps.revoke(store, clock, citizen, grant.grant_id)
    clock.advance(minutes=2)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


# ---- S7


async def test_s7_a_scan_inside_the_request_is_presence(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    assert (row.presence, row.delivery) == (True, "ring")


@pytest.mark.parametrize(("hours", "presence"), [(11.9, True), (12.1, False)])
async def test_s7_a_desk_scan_is_presence_for_twelve_hours(
    store: Store, clock: FrozenClock, people: People, hours: float, presence: bool
) -> None:
    doctor, citizen, facility = people
    kiosk = await make_machine(store, clock, facility, "kiosk")
    await check_in(store, clock, kiosk.actor, citizen)
    clock.advance(hours=hours)
    await sign_in_again(store, clock, doctor)
    request = await by_number(store, clock, doctor, citizen.number)
    assert (await steps.row_of(store, doctor, request.request_id)).presence is presence


async def test_s7_a_scan_elsewhere_is_no_presence_here(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    elsewhere = await make_machine(store, clock, await make_facility(store, clock), "kiosk")
    await check_in(store, clock, elsewhere.actor, citizen)
    request = await by_number(store, clock, doctor, citizen.number)
    row = await steps.row_of(store, doctor, request.request_id)
    assert (row.presence, row.delivery) == (False, "cold")


async def test_s7_a_code_61_seconds_old_opens_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    clock.advance(seconds=61)
    outcome = await steps.ask(store, clock, doctor, kind="citizen-qr", value=qr)
    assert steps.code_of(outcome) == "qr-expired"


async def check_in(store: Store, clock: FrozenClock, actor: Any, citizen: Citizen) -> None:
    qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    async with store.transaction() as tx:
        done = await check_in_by_scan(tx, store.keys, actor, qr, request_id=steps.TRACE, now=clock.now())
    assert not isinstance(done, Refused)


async def send_sms(store: Store, clock: FrozenClock, doctor: Doctor, request_id: UUID) -> str | None:
    """The code that would be sent, None when nothing is."""
    row = await steps.row_of(store, doctor, request_id)
    async with store.transaction() as tx:
        asked = await codes.ask_code(
            tx, store.keys, doctor.actor, request_id, trace_id=steps.TRACE, now=clock.now()
        )
        assert not isinstance(asked, Refused)
        event = await tx.fetchval(
            "SELECT event FROM outbox WHERE patient_id = $1 AND event LIKE 'consent.code-%'"
            " ORDER BY event_id DESC LIMIT 1",
            row.patient_id,
        )
        if event != "consent.code-ready":
            return None
        sent = await codes.code_for_delivery(
            tx, store.keys, row.patient_id, request_id, 3 - asked.sends_left, clock.now()
        )
    return sent.code if sent is not None else None


async def test_s7_a_number_typed_by_another_account_opens_tier_d_and_nothing_else(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    clerk = await make_doctor(store, clock, facility, role="clerk")
    await typed_at_desk(store, clock, clerk, citizen)
    request = await by_number(store, clock, doctor, citizen.number, duration_seconds=30 * 86400)
    row = await steps.row_of(store, doctor, request.request_id)
    assert (row.presence, row.delivery) == (False, "cold")
    assert await visible(store, clock, citizen) == []
    digits = steps.offline_code(store, citizen, row, clock.now())
    typed = await steps.type_code(store, clock, doctor, request.request_id, digits)
    assert steps.code_of(typed) == "otp-invalid"
    clock.advance(seconds=60)
    code = await send_sms(store, clock, doctor, request.request_id)
    assert code is not None
    verdict = await steps.type_code(store, clock, doctor, request.request_id, code)
    assert isinstance(verdict, CodeVerdict)
    assert verdict.starts_at == clock.now() + timedelta(minutes=10)
    assert verdict.ends_at - verdict.starts_at == timedelta(hours=24)


async def test_s7_a_number_typed_by_the_asking_doctor_opens_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await typed_at_desk(store, clock, doctor, citizen)
    request = await by_number(store, clock, doctor, citizen.number)
    clock.advance(seconds=60)
    assert await send_sms(store, clock, doctor, request.request_id) is None


async def typed_at_desk(store: Store, clock: FrozenClock, member: Doctor, citizen: Citizen) -> None:
    async with store.transaction() as tx:
        done = await record_arrival(
            tx, store.keys, member.actor, citizen.number, request_id=steps.TRACE, now=clock.now()
        )
    assert not isinstance(done, Refused)


# ---- S31


async def test_s31_caps_used_up_by_others_do_not_silence_who_is_present(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    await warm(store, clock, citizen, facility, "2026-01-05")
    deliveries = []
    for _ in range(3):
        hostile = await make_doctor(store, clock, facility)
        for _ in range(3):
            request = await by_number(store, clock, hostile, citizen.number)
            deliveries.append((await steps.row_of(store, hostile, request.request_id)).delivery)
        clock.advance(minutes=1)
    assert deliveries.count("ring") == 3
    assert deliveries.count("silent") == 6
    for _ in range(2):
        late = await make_doctor(store, clock, facility)
        request = await by_number(store, clock, late, citizen.number)
    assert (await steps.row_of(store, late, request.request_id)).delivery == "withheld"
    present = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, present.request_id)
    assert row.delivery == "ring"
    digits = steps.offline_code(store, citizen, row, clock.now())
    assert isinstance(await steps.type_code(store, clock, doctor, present.request_id, digits), CodeVerdict)


async def test_s19_limits_that_may_be_told_count_the_presented_identifier_and_the_doctor(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    for number in (citizen.number, new_number()):
        for _ in range(3):
            await by_number(store, clock, doctor, number)
        fourth = await steps.ask(store, clock, doctor, kind="national-id", value=number)
        assert isinstance(fourth, Refused)
        assert (fourth.problem.code, fourth.retry_after_seconds) == ("too-many", 3600)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE request_quota SET used = 199 WHERE actor_id = $1", doctor.practitioner_id)
    await by_number(store, clock, doctor, new_number())
    over = await steps.ask(store, clock, doctor, kind="national-id", value=new_number())
    assert steps.code_of(over) == "too-many"


# ---- S19


class Recorder(Store):
    """A store whose transactions write down each statement."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.keys = inner.keys
        self.blobs = inner.blobs
        self.statements: list[str] = []

    @asynccontextmanager
    async def transaction(self, *, behind: bool = False) -> AsyncIterator[Tx]:
        async with self.inner.transaction(behind=behind) as tx:
            with self._listening(tx):
                yield tx

    @contextmanager
    def _listening(self, tx: Tx) -> Iterator[None]:
        def note(record: Any) -> None:
            self.statements.append(" ".join(record.query.split()))

        tx.add_query_logger(note)
        try:
            yield
        finally:
            tx.remove_query_logger(note)


KINDS = ["unknown", "cold", "minor", "refused", "reported", "blocked", "capped", "dead", "warm"]


async def subject(store: Store, owner: Store, clock: FrozenClock, people: People, kind: str) -> str:
    """A number to present, whose owner is of that kind."""
    doctor, _, facility = people
    if kind == "unknown":
        return new_number()
    citizen = await make_citizen(store, clock, birth_date="2016-02-03" if kind == "minor" else "1980-02-03")
    if kind != "cold":
        await warm(store, clock, citizen, facility, "2026-01-05")
    if kind == "dead":
        async with owner.transaction() as tx:
            await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", citizen.patient_id)
    if kind == "capped":
        for _ in range(4):
            hostile = await make_doctor(store, clock, facility)
            for _ in range(3):
                await by_number(store, clock, hostile, citizen.number)
    if kind == "reported":
        request = await steps.asked(store, clock, doctor, citizen)
        await end(store, clock, citizen, request.request_id, "reported")
    if kind == "blocked":
        grant = await steps.granted(store, clock, doctor, citizen)
        async with store.transaction() as tx:
            access = await steps.own(tx, citizen, "manage-grants", clock.now())
            target = Target(kind="facility", id=facility.facility_id, name=grant.facility_name)
            await block(tx, access, target, trace_id=steps.TRACE, now=clock.now())
    return citizen.number


async def end(store: Store, clock: FrozenClock, citizen: Citizen, request_id: UUID, how: str) -> None:
    act = requests.refuse_request if how == "refused" else requests.report_request
    async with store.transaction() as tx:
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        await act(tx, access, request_id, trace_id=steps.TRACE, now=clock.now())


async def test_s19_every_kind_of_person_costs_the_same_statements_and_ends_at_the_same_instant(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    _, citizen, facility = people
    seen: dict[str, Any] = {}
    for kind in KINDS:
        # One name for all: its length shows in the drawn code.
        asker = await make_doctor(store, clock, facility, name="Nguyễn Văn An")
        number = await subject(store, owner, clock, (asker, citizen, facility), kind)
        recorder = Recorder(store)
        seen[kind] = await walk(recorder, clock, asker, number, refuse=kind == "refused")
    expected = seen["unknown"]
    assert len(expected["statements"]) > 40
    for kind in KINDS:
        assert seen[kind]["outcomes"] == expected["outcomes"], kind
        assert seen[kind]["statements"] == expected["statements"], kind


async def walk(
    recorder: Recorder, clock: FrozenClock, doctor: Doctor, number: str, *, refuse: bool
) -> dict[str, Any]:
    """The asking side's whole way with one number: outcomes and statements."""
    started = clock.now()
    request = await by_number(recorder, clock, doctor, number)
    outcomes: list[Any] = [request.expires_at - started, len(request.display.qr), len(request.display.digits)]
    statements = list(recorder.statements)
    if refuse:
        async with recorder.inner.transaction() as tx:
            mirror = await requests.own_mirror(tx, doctor.actor, request.request_id)
            assert not isinstance(mirror, Refused)
            await tx.execute(
                "UPDATE access_request SET status = 'refused' WHERE patient_id = $1 AND request_id = $2",
                mirror.patient_id,
                request.request_id,
            )
    clock.advance(seconds=61)
    recorder.statements.clear()
    async with recorder.transaction() as tx:
        outcomes.append(
            await codes.ask_code(
                tx, recorder.keys, doctor.actor, request.request_id, trace_id=steps.TRACE, now=clock.now()
            )
        )
    for code in ("123456", "12345678", "ABCDEF"):
        outcome = await steps.type_code(recorder, clock, doctor, request.request_id, code)
        outcomes.append(outcome)
    for seconds in (0, 14 * 60 - 62, 61):
        clock.advance(seconds=seconds)
        async with recorder.transaction() as tx:
            view = await requests.asking_view(tx, doctor.actor, request.request_id, clock.now())
        assert isinstance(view, AskingView)
        outcomes.append((view.state, view.patient_id, view.grant_id))
    late = await steps.type_code(recorder, clock, doctor, request.request_id, "123456")
    outcomes.append(late)
    return {"outcomes": outcomes, "statements": statements + recorder.statements}


async def test_s19_a_malformed_number_is_refused_for_its_form_alone(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, _, _ = people
    with pytest.raises(ProblemError) as caught:
        await steps.ask(store, clock, doctor, kind="national-id", value="12345")
    assert caught.value.refused.problem.code == "access-request-invalid"


@pytest.mark.parametrize("birth_date", ["2016-02-03", "2011-11-22", "2011"])
async def test_a_child_is_asked_through_nobody_yet(
    store: Store, clock: FrozenClock, people: People, birth_date: str
) -> None:
    doctor, _, _ = people
    child = await make_citizen(store, clock, birth_date=birth_date)
    request = await steps.asked(store, clock, doctor, child)
    assert (await steps.row_of(store, doctor, request.request_id)).delivery == "withheld"
