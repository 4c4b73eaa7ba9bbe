"""Check-ins of every way: repeats, two devices at once, one number however somebody came, leaving."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from healthbook.dispatch import tick
from healthbook.housekeeping import do_chore
from identity.births import service as births
from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.access import Access
from kernel.clock import local_day, start_of_day
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Store
from store.models import Due
from tests.support.clock import FrozenClock
from tests.support.counters import TRACE, access_for, drawn, make_counter, number_of, scan_counter
from tests.support.family import make_child
from tests.support.halls import Hall, count, make_hall, noted
from tests.support.people import (
    make_citizen,
    make_facility,
    make_machine,
    make_person,
    new_number,
)
from visits.arrivals import arrive, withdraw_arrival
from visits.check_ins import leaving, reading
from visits.check_ins.models import VisitRow
from visits.check_ins.recording import CLOSE_JOB, OPEN_FOR
from visits.counters.service import close_counter
from visits.identification import draw_code
from visits.models import CheckIn, Typed
from visits.presence import check_in_by_scan, presence_of
from visits.safety.service import flag


@pytest.fixture
async def hall(store: Store, clock: FrozenClock) -> Hall:
    return await make_hall(store, clock)


async def test_the_phone_the_desk_and_the_clerk_give_one_person_one_number(hall: Hall) -> None:
    by_phone = number_of(await scan_counter(hall.store, hall.clock, hall.citizen, await hall.screen()))
    by_desk = await hall.desk(hall.citizen.patient_id)
    by_clerk = await hall.typed(hall.citizen.number)
    assert isinstance(by_desk, CheckIn)
    assert by_desk.ticket is not None
    assert isinstance(by_clerk, Typed)
    assert by_clerk.ticket is not None
    assert by_phone == by_desk.ticket.number == by_clerk.ticket.number == 1
    assert await hall.waiting() == [1]


async def test_a_guardian_s_scan_and_the_clerk_s_typing_are_the_child_s_one_number(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child, number = await make_person(store, clock, name="Trần Bé Thử", birth_date="2020-03-12")
    async with store.transaction() as tx:
        await births.link(tx, child, hall.citizen.patient_id, None, clock.now())
    companion = noted(await scan_counter(store, clock, hall.citizen, await hall.screen(), patient_id=child))
    assert companion.row.means == "companion"
    assert companion.row.visit_id is None
    by_clerk = await hall.typed(number)
    assert isinstance(by_clerk, Typed)
    assert by_clerk.ticket == companion.ticket is not None
    own = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    assert number_of(own) == number_of(companion) + 1, "the guardian's own number is another"


async def test_a_number_typed_before_anybody_had_it_is_the_person_s_number_afterwards(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    number = new_number()
    before = await hall.typed(number)
    citizen = await make_citizen(store, clock, number=number)
    after = await hall.typed(number)
    assert isinstance(before, Typed)
    assert isinstance(after, Typed)
    assert before.ticket == after.ticket is not None
    assert citizen.number == number


async def test_a_repeat_is_the_same_check_in_and_a_rescan_at_the_counter_too(
    hall: Hall, owner: Store
) -> None:
    store, clock, client_id = hall.store, hall.clock, uuid4()
    qr = await hall.screen()
    first = noted(await scan_counter(store, clock, hall.citizen, qr, client_id=client_id))
    again = noted(await scan_counter(store, clock, hall.citizen, qr, client_id=client_id))
    clock.advance(minutes=29)
    rescan = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    for other in (again, rescan):
        assert (other.row.check_in_id, other.ticket) == (first.row.check_in_id, first.ticket)
        assert not other.is_new
    told = "outbox WHERE patient_id = $1 AND event = 'visit.checked-in'"
    assert await count(owner, told, hall.citizen.patient_id) == 1
    clock.advance(minutes=2)
    later = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    assert (number_of(later), later.is_new) == (2, True)
    assert later.row.visit_id == first.row.visit_id, "one visit"


async def test_ten_devices_at_once_are_one_check_in_one_visit_and_one_number(
    hall: Hall, owner: Store
) -> None:
    qr = await hall.screen()
    answers = await asyncio.gather(
        *(scan_counter(hall.store, hall.clock, hall.citizen, qr) for _ in range(10))
    )
    assert {number_of(one) for one in answers} == {1}
    assert {noted(one).row.check_in_id for one in answers} == {noted(answers[0]).row.check_in_id}
    assert await count(owner, "check_in WHERE patient_id = $1", hall.citizen.patient_id) == 1
    assert await count(owner, "visit WHERE patient_id = $1", hall.citizen.patient_id) == 1


async def test_desk_and_phone_at_once_are_one_visit_and_one_number(hall: Hall, owner: Store) -> None:
    qr = await hall.screen()
    desks = [hall.desk(hall.citizen.patient_id) for _ in range(5)]
    phones = [scan_counter(hall.store, hall.clock, hall.citizen, qr) for _ in range(5)]
    answers: list[Any] = await asyncio.gather(*desks, *phones)
    assert {one.ticket.number for one in answers} == {1}
    assert await count(owner, "visit WHERE patient_id = $1", hall.citizen.patient_id) == 1


async def test_s7_one_code_is_no_check_in_at_a_second_facility(
    hall: Hall, store: Store, clock: FrozenClock, owner: Store
) -> None:
    elsewhere = await make_machine(store, clock, await make_facility(store, clock), "kiosk")
    qr = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr

    async def scan(actor: Any) -> CheckIn | Refused:
        async with store.transaction() as tx:
            return await check_in_by_scan(tx, store.keys, actor, qr, request_id=TRACE, now=clock.now())

    answers = await asyncio.gather(scan(hall.clerk.actor), scan(elsewhere.actor))
    assert [isinstance(one, CheckIn) for one in answers].count(True) == 1
    (refused,) = [one for one in answers if isinstance(one, Refused)]
    assert refused.problem.code == "code-spent"
    assert refused.problem.next_vi
    assert await count(owner, "visit WHERE patient_id = $1", hall.citizen.patient_id) == 1


async def test_a_closed_counter_s_codes_open_nothing(hall: Hall, store: Store, clock: FrozenClock) -> None:
    qr, poster = await hall.screen(), await hall.poster()
    async with store.transaction() as tx:
        await close_counter(tx, hall.facility.facility_id, hall.counter.counter_id, clock.now())
    for text in (qr, poster):
        answer = await scan_counter(store, clock, hall.citizen, text)
        assert isinstance(answer, Refused)
        assert answer.problem.code == "counter-unknown"


async def test_a_late_upload_counts_from_the_server_s_time_and_once(hall: Hall, owner: Store) -> None:
    qr, client_id = await hall.screen(), uuid4()
    hall.clock.advance(hours=5)
    for _ in range(3):
        answer = noted(
            await scan_counter(hall.store, hall.clock, hall.citizen, qr, client_id=client_id, is_late=True)
        )
        assert (answer.row.means, answer.row.recorded_at) == ("late", hall.clock.now())
    assert await count(owner, "check_in WHERE patient_id = $1", hall.citizen.patient_id) == 1
    hall.clock.advance(hours=8)
    too_late = await scan_counter(hall.store, hall.clock, hall.citizen, qr, is_late=True)
    assert isinstance(too_late, Refused)
    assert too_late.problem.code == "qr-expired"


@pytest.mark.parametrize("how", ["phone", "desk", "leave"])
async def test_who_leaves_is_not_present_out_of_the_line_and_the_visit_has_a_length(
    hall: Hall, how: str
) -> None:
    came = noted(await scan_counter(hall.store, hall.clock, hall.citizen, await hall.screen()))
    hall.clock.advance(minutes=95)
    assert await hall.is_present()
    left = await hall.leaves(how, came.row.check_in_id)
    assert isinstance(left, VisitRow) or left is None
    assert not await hall.is_present()
    assert await hall.waiting() == []
    (row,) = await hall.listed(hall.citizen)
    async with hall.store.transaction() as tx:
        shown = await reading.shown(tx, hall.store.keys, row, hall.clock.now())
    assert shown.visit is not None
    assert shown.visit.minutes == 95
    assert shown.ticket is not None
    assert shown.ticket.state == "over"
    if how != "leave":
        again = await hall.leaves(how)
        assert isinstance(again, Refused)
        assert again.problem.code == "not-checked-in"


async def test_a_check_out_at_another_facility_ends_nothing(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    await scan_counter(store, clock, hall.citizen, await hall.screen())
    other = await make_facility(store, clock)
    counter = await make_counter(store, clock, other)
    access = await access_for(store, clock, hall.citizen, hall.citizen.patient_id)
    assert isinstance(access, Access)
    qr = await drawn(store, other, counter, clock.now())
    async with store.transaction() as tx:
        done = await leaving.check_out_by_phone(tx, store.keys, access, qr, request_id=TRACE, now=clock.now())
    assert isinstance(done, Refused)
    assert done.problem.code == "not-checked-in"
    assert await hall.is_present()


async def test_a_visit_ends_by_itself_twelve_hours_after_the_last_check_in(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    first = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    clock.advance(hours=6)
    await hall.desk(hall.citizen.patient_id)
    patient_id = hall.citizen.patient_id
    ref = f"{patient_id}:{first.row.visit_id}"
    due = Due(bucket_of(patient_id), clock.now(), CLOSE_JOB, ref)
    clock.advance(hours=6)
    async with store.transaction() as tx:
        assert await tick(tx, store.keys, due, clock.now()) == clock.now() + timedelta(hours=6)
    clock.advance(hours=6)
    async with store.transaction() as tx:
        assert await tick(tx, store.keys, due, clock.now()) is None
    rows = await hall.listed(hall.citizen)
    assert {(row.ended_at, row.ended_by) for row in rows} == {(clock.now(), "automatic")}
    async with store.transaction() as tx:
        shown = await reading.shown(tx, store.keys, rows[0], clock.now())
    assert shown.visit is not None
    assert shown.visit.minutes is None, "nobody knows how long it was"
    assert timedelta(hours=12) == OPEN_FOR
    again = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    assert again.row.visit_id != first.row.visit_id


async def test_s7_a_companion_neither_ends_the_person_s_visit_nor_is_the_person(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child = await make_child(store, clock, hall.citizen, "2020-03-12")
    came = await hall.desk(child)
    assert isinstance(came, CheckIn)
    access = await access_for(store, clock, hall.citizen, child)
    assert isinstance(access, Access)
    async with store.transaction() as tx:
        out = await leaving.check_out_by_phone(
            tx, store.keys, access, await hall.screen(), request_id=TRACE, now=clock.now()
        )
        left = await leaving.leave(tx, access, came.check_in_id, request_id=TRACE, now=clock.now())
    assert isinstance(out, Refused)
    assert out.problem.code == "own-presence"
    assert isinstance(left, Refused)
    assert left.problem.code == "check-in-unknown"
    async with store.transaction() as tx:
        assert await presence_of(tx, child, hall.facility.facility_id, clock.now()) is not None


async def test_a_companion_gives_back_the_number_they_took(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child = await make_child(store, clock, hall.citizen, "2020-03-12")
    taken = noted(await scan_counter(store, clock, hall.citizen, await hall.screen(), patient_id=child))
    assert await hall.waiting() == [1]
    access = await access_for(store, clock, hall.citizen, child)
    assert isinstance(access, Access)
    async with store.transaction() as tx:
        assert (
            await leaving.leave(tx, access, taken.row.check_in_id, request_id=TRACE, now=clock.now()) is None
        )
    assert await hall.waiting() == []


async def test_a_withdrawn_arrival_leaves_the_line_and_ends_an_empty_visit(
    hall: Hall, store: Store, clock: FrozenClock, owner: Store
) -> None:
    for number in (hall.citizen.number, new_number()):
        typed = await hall.typed(number)
        assert isinstance(typed, Typed)
        assert typed.ticket is not None
        assert typed.ticket.number in await hall.waiting()
        async with store.transaction() as tx:
            await withdraw_arrival(
                tx,
                store.keys,
                hall.clerk.actor,
                typed.arrival_id,
                number,
                request_id=TRACE,
                now=clock.now(),
            )
        assert await hall.waiting() == []
    ended = "visit WHERE patient_id = $1 AND ended_by = 'withdrawn'"
    assert await count(owner, ended, hall.citizen.patient_id) == 1


# ---- S19


async def test_s19_known_and_unknown_numbers_cost_the_same_statements(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    seen: dict[str, list[list[str]]] = {"known": [], "unknown": []}
    numbers = {"known": hall.citizen.number, "unknown": new_number()}

    async def run(kind: str, act: str, arrival_id: UUID | None = None) -> Any:
        found: list[str] = []
        async with store.transaction() as tx:

            def note(record: Any) -> None:
                found.append(" ".join(record.query.split()))

            tx.add_query_logger(note)
            try:
                who: dict[str, Any] = {"request_id": TRACE, "now": clock.now()}
                if act == "type":
                    answer: Any = await arrive(
                        tx,
                        store.keys,
                        hall.clerk.actor,
                        numbers[kind],
                        counter_id=hall.counter.counter_id,
                        **who,
                    )
                else:
                    assert arrival_id is not None
                    answer = await withdraw_arrival(
                        tx, store.keys, hall.clerk.actor, arrival_id, numbers[kind], **who
                    )
            finally:
                tx.remove_query_logger(note)
        seen[kind].append(found)
        return answer

    # A first arrival charges the account's budget for the day: both meet it after that.
    await hall.typed(new_number())
    for kind in ("known", "unknown"):
        first = await run(kind, "type")
        assert isinstance(first, Typed)
        again = await run(kind, "type")
        assert again == first
        await run(kind, "withdraw", first.arrival_id)
        await run(kind, "withdraw", first.arrival_id)
    assert [len(one) for one in seen["known"]] == [len(one) for one in seen["unknown"]]
    assert seen["known"] == seen["unknown"]


# ---- S23


async def test_s23_what_is_kept_from_the_family_is_nowhere_for_a_guardian(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child = await make_child(store, clock, hall.citizen, "2020-03-12")
    new = NewUnit(
        facility_id=hall.facility.facility_id, kind="department", name="Khoa Tâm thần", is_sensitive=True
    )
    async with store.transaction() as tx:
        unit_id = await add_unit(tx, new, clock.now())
        await add_unit(tx, replace(new, name="Khoa Nội", is_sensitive=False), clock.now())
    quiet = await make_counter(store, clock, hall.facility, "K-9", unit_id)
    seen = await hall.desk(child)
    await hall.checks_out(child)
    clock.advance(minutes=10)
    kept = await hall.desk(child, quiet)
    await hall.checks_out(child)
    clock.advance(minutes=10)
    flagged = await hall.desk(child)
    assert isinstance(seen, CheckIn)
    assert isinstance(kept, CheckIn)
    assert isinstance(flagged, CheckIn)
    async with store.transaction() as tx:
        await flag(tx, child, "check-in", flagged.check_in_id, "suspected-abuse", clock.now())
    assert [row.check_in_id for row in await hall.listed(hall.citizen, child)] == [seen.check_in_id]


async def test_s23_a_companion_s_number_does_not_tell_of_a_hidden_check_in(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child = await make_child(store, clock, hall.citizen, "2020-03-12")
    hidden = await hall.desk(child)
    assert isinstance(hidden, CheckIn)
    async with store.transaction() as tx:
        await flag(tx, child, "check-in", hidden.check_in_id, "suspected-abuse", clock.now())
    taken = noted(await scan_counter(store, clock, hall.citizen, await hall.screen(), patient_id=child))
    assert number_of(taken) == 2, "as if nobody had come for the child"


# ---- S30


async def test_s30_visits_and_check_ins_go_after_thirty_days_with_their_flags(
    hall: Hall, store: Store, clock: FrozenClock, owner: Store
) -> None:
    came = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    patient_id = hall.citizen.patient_id
    async with store.transaction() as tx:
        await flag(tx, patient_id, "check-in", came.row.check_in_id, "own-wish", clock.now())
    for seconds, left in ((0, 1), (1, 0)):
        async with store.transaction() as tx:
            await do_chore(tx, "visits", clock.now() + timedelta(days=30, seconds=seconds))
        for table in ("check_in", "visit", "visit_safety"):
            assert await count(owner, f"{table} WHERE patient_id = $1", patient_id) == left, table


async def test_the_day_of_a_number_is_the_day_in_vietnam(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    midnight = start_of_day(local_day(clock.now()) + timedelta(days=1))
    clock.advance(seconds=int((midnight - clock.now()).total_seconds()) - 600)
    evening = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    clock.advance(minutes=11)
    night = noted(await scan_counter(store, clock, hall.citizen, await hall.screen()))
    assert evening.ticket is not None
    assert night.ticket is not None
    assert (evening.ticket.number, night.ticket.number) == (1, 1)
    assert night.ticket.day == evening.ticket.day + timedelta(days=1)
