"""Several check-ins of one visit: what one keeps from the family, and whose number leaves the line."""

from uuid import uuid4

import pytest

from kernel.problems import Refused
from store.database import Store
from tests.ehr.cases.test_after_a_merge import with_origin
from tests.support.clock import FrozenClock
from tests.support.counters import TRACE, make_counter, number_of, scan_counter
from tests.support.family import make_child, make_proxy
from tests.support.halls import NEWEST, Hall, count, make_hall, noted
from tests.support.people import make_citizen, make_person, new_number
from tests.support.registry import make_officers, merged, separated
from visits.check_ins import leaving, reading
from visits.check_ins.recording import OPEN_FOR
from visits.identification import draw_code
from visits.models import CheckIn, Typed
from visits.presence import presence_of
from visits.safety.service import flag
from visits.tickets.service import TICKET_TTL


@pytest.fixture
async def hall(store: Store, clock: FrozenClock) -> Hall:
    return await make_hall(store, clock)


def came(answer: object) -> CheckIn:
    assert isinstance(answer, CheckIn), answer
    return answer


def typed(answer: object) -> Typed:
    assert isinstance(answer, Typed), answer
    assert answer.ticket is not None
    return answer


# ---- S23


@pytest.mark.parametrize("how", ["unit", "flag"])
@pytest.mark.parametrize("kept_first", [True, False])
async def test_s23_one_check_in_that_is_kept_keeps_its_whole_visit(
    hall: Hall, store: Store, clock: FrozenClock, how: str, kept_first: bool
) -> None:
    child = await make_child(store, clock, hall.citizen, "2016-03-12")
    quiet = await make_counter(
        store, clock, hall.facility, "K-9", await hall.psychiatry() if how == "unit" else None
    )
    order = (quiet, hall.counter) if kept_first else (hall.counter, quiet)
    kept = None
    for counter in order:
        done = came(await hall.desk(child, counter))
        kept = done.check_in_id if counter is quiet else kept
        clock.advance(minutes=2)
    if how == "flag":
        assert kept is not None
        async with store.transaction() as tx:
            await flag(tx, child, "check-in", kept, "suspected-abuse", clock.now())
    assert await hall.listed(hall.citizen, child) == []
    await hall.checks_out(child)
    clock.advance(minutes=10)
    later = came(await hall.desk(child))
    (seen,) = await hall.shown(hall.citizen, child)
    assert seen.visit is not None
    assert (seen.check_in_id, seen.visit.visit_id) == (later.check_in_id, later.check_in_id)
    assert seen.visit.began_at == later.recorded_at


async def test_s23_a_companion_s_number_tells_nothing_of_a_check_in_that_comes_after_it_and_is_kept(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child = await make_child(store, clock, hall.citizen, "2016-03-12")
    mine = noted(await scan_counter(store, clock, hall.citizen, await hall.screen(), patient_id=child))
    (before,) = await hall.shown(hall.citizen, child)
    hidden = came(await hall.desk(child))
    async with store.transaction() as tx:
        await flag(tx, child, "check-in", hidden.check_in_id, "suspected-abuse", clock.now())
    again = noted(await scan_counter(store, clock, hall.citizen, await hall.screen(), patient_id=child))
    assert number_of(again) == number_of(mine), "a rescan as if nobody had come"
    await hall.checks_out(child)
    (after,) = await hall.shown(hall.citizen, child)
    assert after.ticket is not None
    assert before.ticket is not None
    assert (after.ticket.state, after.ticket.number) == ("waiting", before.ticket.number)
    assert await hall.waiting() == [number_of(mine)]


async def test_who_is_not_kept_from_the_family_takes_a_companion_s_number_along(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    child = await make_child(store, clock, hall.citizen, "2016-03-12")
    await scan_counter(store, clock, hall.citizen, await hall.screen(), patient_id=child)
    await hall.desk(child)
    await hall.checks_out(child)
    assert await hall.waiting() == []


# ---- whose number leaves the line


async def test_a_companion_who_gives_back_does_not_throw_the_person_out_of_the_line(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    parent = hall.citizen
    child = await make_child(store, clock, parent, "2016-03-12")
    own = came(await hall.desk(child))
    taken = noted(await scan_counter(store, clock, parent, await hall.poster(), patient_id=child))
    assert own.ticket is not None
    assert number_of(taken) == own.ticket.number
    for _ in range(2):
        assert await hall.gives_back(parent, child, taken.row.check_in_id) is None
    assert await hall.waiting() == [own.ticket.number]
    states = {one.how: one.ticket.state for one in await hall.shown(parent, child) if one.ticket}
    assert states == {"companion": "over", "presence": "waiting"}


async def test_s23_a_proxy_s_number_is_another_so_that_it_tells_nothing_of_the_person(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    person, proxy = hall.citizen, await make_citizen(store, clock)
    await make_proxy(store, clock, person, proxy, "appointments")
    own = noted(await scan_counter(store, clock, person, await hall.screen()))
    clock.advance(minutes=3)
    taken = noted(await scan_counter(store, clock, proxy, await hall.poster(), patient_id=person.patient_id))
    assert taken.ticket is not None
    assert taken.ticket.number == number_of(own) + 1
    assert taken.ticket.valid_until - clock.now() == TICKET_TTL, "as of whoever took none before"
    assert await hall.gives_back(proxy, person.patient_id, taken.row.check_in_id) is None
    assert await hall.waiting() == [number_of(own)]


async def test_a_withdrawn_arrival_leaves_the_person_s_own_number_in_the_line(hall: Hall) -> None:
    arrival = typed(await hall.typed(hall.citizen.number))
    own = came(await hall.desk(hall.citizen.patient_id))
    assert own.ticket is not None
    assert await hall.withdraws(arrival.arrival_id, hall.citizen.number) is None
    assert await hall.waiting() == [own.ticket.number]
    assert await hall.is_present()


# ---- one code or scan at two counters


async def test_one_client_id_at_two_counters_is_two_check_ins_and_nobody_s_number_but_the_own(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    first = await make_citizen(store, clock)
    stranger = noted(await scan_counter(store, clock, first, await hall.screen()))
    other = await make_counter(store, clock, hall.facility, "B-1")
    client_id = uuid4()
    here = noted(await scan_counter(store, clock, hall.citizen, await hall.screen(), client_id=client_id))
    there = noted(
        await scan_counter(store, clock, hall.citizen, await hall.screen(other), client_id=client_id)
    )
    assert here.row.check_in_id != there.row.check_in_id
    assert here.row.visit_id == there.row.visit_id
    shown = {
        one.ticket.counter_code: one.ticket.number for one in await hall.shown(hall.citizen) if one.ticket
    }
    assert shown == {"A-1": 2, "B-1": 1}
    await hall.leaves("leave", here.row.check_in_id)
    assert await hall.waiting() == [number_of(stranger)]
    assert await hall.waiting(other) == []


async def test_one_drawn_code_at_two_counters_of_the_facility_is_a_check_in_at_each(
    hall: Hall, store: Store, clock: FrozenClock, owner: Store
) -> None:
    other = await make_counter(store, clock, hall.facility, "B-1")
    qr = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    done = [
        came(await hall.desk(hall.citizen.patient_id, counter, qr))
        for counter in (hall.counter, other, other, hall.counter)
    ]
    assert done[0].check_in_id == done[3].check_in_id
    assert done[1].check_in_id == done[2].check_in_id
    assert await count(owner, "check_in WHERE patient_id = $1", hall.citizen.patient_id) == 2
    codes = {one.ticket.counter_code for one in await hall.shown(hall.citizen) if one.ticket}
    assert codes == {"A-1", "B-1"}
    await hall.leaves("phone")
    assert await hall.waiting() == await hall.waiting(other) == []


async def test_a_number_typed_at_two_counters_is_an_arrival_at_each(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    other = await make_counter(store, clock, hall.facility, "B-1")
    for number in (hall.citizen.number, new_number()):
        here, there = typed(await hall.typed(number)), typed(await hall.typed(number, counter=other))
        assert here.arrival_id != there.arrival_id
        for arrival, rest in ((here, [[], [1]]), (there, [[], []])):
            assert await hall.withdraws(arrival.arrival_id, number) is None
            assert [len(await hall.waiting(one)) for one in (hall.counter, other)] == [len(r) for r in rest]


async def test_a_number_typed_again_after_its_arrival_was_taken_back_is_another_arrival(
    hall: Hall, owner: Store
) -> None:
    for number in (hall.citizen.number, new_number()):
        first = typed(await hall.typed(number))
        assert await hall.withdraws(first.arrival_id, number) is None
        second = typed(await hall.typed(number))
        assert second.arrival_id != first.arrival_id
        assert typed(await hall.typed(number)).arrival_id == second.arrival_id, "a repeat"
        assert len(await hall.waiting()) == 1
        assert await hall.withdraws(second.arrival_id, number) is None
        assert await hall.waiting() == []
    stood = "check_in WHERE patient_id = $1 AND withdrawn_at IS NOT NULL"
    assert await count(owner, stood, hall.citizen.patient_id) == 2


async def test_a_code_shown_again_after_leaving_is_another_check_in(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    qr = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    first = came(await hall.desk(hall.citizen.patient_id, qr=qr))
    await hall.checks_out(hall.citizen.patient_id)
    second = came(await hall.desk(hall.citizen.patient_id, qr=qr))
    assert second.check_in_id != first.check_in_id
    assert came(await hall.desk(hall.citizen.patient_id, qr=qr)).check_in_id == second.check_in_id
    assert await hall.is_present()
    await hall.checks_out(hall.citizen.patient_id)
    assert await hall.waiting() == []


async def test_a_scan_sent_again_after_leaving_is_what_it_was_and_takes_no_number(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    poster, client_id = await hall.poster(), uuid4()
    first = noted(await scan_counter(store, clock, hall.citizen, poster, client_id=client_id))
    await hall.leaves("leave", first.row.check_in_id)
    again = noted(await scan_counter(store, clock, hall.citizen, poster, client_id=client_id))
    assert (again.row.check_in_id, again.is_new) == (first.row.check_in_id, False)
    assert await hall.waiting() == []


# ---- merges


async def test_check_ins_follow_a_merge_and_go_back_with_it(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    gone, _ = await make_person(store, clock)
    before = came(await hall.desk(gone))
    await hall.checks_out(gone)
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, gone, hall.citizen.patient_id, clock.now())
    clock.advance(hours=73)
    access = with_origin(hall.citizen.patient_id, gone)
    async with store.transaction() as tx:
        rows = await reading.check_ins_of(tx, access, (clock.now(), NEWEST), 50, clock.now())
        shown = [await reading.shown(tx, store.keys, row, clock.now()) for row in rows]
    assert [one.check_in_id for one in shown] == [before.check_in_id]
    assert shown[0].visit is not None
    await separated(store, officers, merge_id, clock.now())
    assert await hall.listed(hall.citizen) == []
    async with store.transaction() as tx:
        row = await reading.one_of(tx, gone, before.check_in_id)
    assert row is not None
    assert row.visit_id == before.check_in_id


@pytest.mark.parametrize("how", ["desk", "phone"])
async def test_who_was_merged_leaves_with_every_visit_here(
    hall: Hall, store: Store, clock: FrozenClock, how: str
) -> None:
    gone, _ = await make_person(store, clock)
    await hall.desk(gone)
    officers = await make_officers(store, clock)
    await merged(store, officers, gone, hall.citizen.patient_id, clock.now())
    await hall.desk(hall.citizen.patient_id)
    keys, facility_id = store.keys, hall.facility.facility_id
    if how == "desk":
        await hall.checks_out(hall.citizen.patient_id)
    else:
        access = with_origin(hall.citizen.patient_id, gone)
        async with store.transaction() as tx:
            done = await leaving.check_out_by_phone(
                tx, keys, access, await hall.screen(), request_id=TRACE, now=clock.now()
            )
        assert not isinstance(done, Refused)
    assert await hall.waiting() == []
    async with store.transaction() as tx:
        for who in (gone, hall.citizen.patient_id):
            assert await presence_of(tx, who, facility_id, clock.now()) is None


async def test_a_visit_that_nobody_ended_ends_twelve_hours_on_however_late_the_worker_comes(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    done = came(await hall.desk(hall.citizen.patient_id))
    clock.advance(days=3)
    async with store.transaction() as tx:
        await leaving.close_due(tx, f"{hall.citizen.patient_id}:{done.check_in_id}", clock.now())
    (shown,) = await hall.shown(hall.citizen)
    assert shown.visit is not None
    assert shown.visit.ended_at == done.recorded_at + OPEN_FOR


# ---- the desk is told of a number that was called


async def test_whoever_missed_the_call_is_told_so_by_every_way_of_asking(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    number = new_number()
    first = came(await hall.desk(hall.citizen.patient_id))
    unknown = typed(await hall.typed(number))
    assert first.ticket is not None
    assert unknown.ticket is not None
    assert not first.ticket.is_called
    assert not unknown.ticket.is_called
    for _ in range(2):
        await hall.calls()
    again = came(await hall.desk(hall.citizen.patient_id))
    assert again.ticket is not None
    assert again.ticket.is_called
    retyped = typed(await hall.typed(number))
    assert retyped.ticket is not None
    assert retyped.ticket.is_called
    assert (retyped.ticket.number, retyped.arrival_id) == (unknown.ticket.number, unknown.arrival_id)
