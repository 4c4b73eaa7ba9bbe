"""A correction: the note at the entry, the original as it was, the version that answers, and what ends it."""

import json
import random
from typing import Any, get_args

import msgspec
import pytest

from ehr.cases import queries
from ehr.cases.models import Act, CaseRow, CaseState
from ehr.cases.moves import Hand, move
from ehr.cases.policy import OPEN_CASES_MAX, RUNNING
from ehr.cases.problems import CASE_INVALID, CASE_NO_FACILITY, CASE_STATE, CASES_TOO_MANY
from ehr.cases.reading import own_detail
from ehr.cases.settling import settle
from ehr.cases.terms import set_day, set_term
from ehr.reads import sections, summary
from ehr.reads.queries import head_of
from kernel.access import Access, Label
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Store
from tests.support.cases import Place, make_place, open_case, send, try_case, visit
from tests.support.clock import FrozenClock
from tests.support.record import granted, our_id, own, write

DAY = "2026-11-02"


async def act(store: Store, place: Place, case: CaseRow, name: Act, clock: FrozenClock) -> CaseRow | Refused:
    staff = name in ("acknowledge", "refuse", "resolve", "reply")
    hand = Hand(
        actor=place.staff.actor if staff else place.citizen.actor,
        side="facility" if staff else "person",
        request_id="test",
        now=clock.now(),
    )
    async with store.transaction() as tx:
        return await move(tx, store.keys, case.patient_id, case.case_id, name, hand, note="vì sao")


async def results(store: Store, access: Access, clock: FrozenClock) -> list[dict[str, Any]]:
    async with store.transaction() as tx:
        built = await sections.read(tx, access, "results", None, 50, clock.now())
    items: list[dict[str, Any]] = json.loads(built.body)["items"]
    return items


async def detail(store: Store, place: Place, case: CaseRow, clock: FrozenClock) -> Any:
    async with store.transaction() as tx:
        access = own(place.patient_id, "open-case")
        found = await own_detail(tx, store.keys, access, case.case_id, clock.now())
    assert not isinstance(found, Refused)
    return found.detail


async def disputed(store: Store, clock: FrozenClock) -> tuple[Place, CaseRow]:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    case = await open_case(
        store, place, "correction", clock.now(), item_id=place.id_of("v1-o"), text="Không phải 5.1 xyzzy"
    )
    return place, case


async def corrected_record(store: Store, place: Place, clock: FrozenClock) -> None:
    bodies = visit("v1", DAY)
    bodies[2]["valueQuantity"]["value"] = 6.4
    await write(store, place.patient_id, bodies, clock.now(), source=place.source, unit="v1")


async def test_a_doctor_sees_that_the_person_disputes_an_entry_and_nothing_more(
    store: Store, clock: FrozenClock
) -> None:
    place, _ = await disputed(store, clock)
    for access in (
        own(place.patient_id),
        granted(place.patient_id),
        granted(place.patient_id, withheld=Label.NONE),
    ):
        (item,) = await results(store, access, clock)
        assert item["disputed"] is True
        async with store.transaction() as tx:
            whole = (await summary.read(tx, store.keys, access, clock.now())).body.decode()
        assert '"disputed":true' in whole
        assert "xyzzy" not in whole + json.dumps(item)


async def test_the_note_moves_the_etag_and_the_number_of_the_entry(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    async with store.transaction() as tx:
        before = await head_of(tx, place.patient_id)
    await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1-o"))
    async with store.transaction() as tx:
        after = await head_of(tx, place.patient_id)
        seq = await tx.fetchval(
            "SELECT seq FROM ehr_resource WHERE patient_id = $1 AND id = $2",
            place.patient_id,
            place.id_of("v1-o"),
        )
    assert before.head_seq < seq <= after.head_seq


async def test_a_corrected_record_answers_the_case_and_the_original_stays_readable(
    store: Store, clock: FrozenClock
) -> None:
    place, case = await disputed(store, clock)
    await corrected_record(store, place, clock)
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 1
    seen = await detail(store, place, case, clock)
    assert seen.case.state == "corrected"
    assert seen.superseded
    assert (seen.original.value, seen.present.value) == ("5.1", "6.4")
    assert seen.text == "Không phải 5.1 xyzzy"
    (item,) = await results(store, own(place.patient_id), clock)
    assert "disputed" not in item


@pytest.mark.parametrize("method", ["gate", "revert"])
async def test_a_version_that_the_service_makes_answers_nobody(
    store: Store, clock: FrozenClock, method: str
) -> None:
    place, case = await disputed(store, clock)
    place.source = msgspec.structs.replace(place.source, method=method)
    await corrected_record(store, place, clock)
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 0
    assert (await detail(store, place, case, clock)).case.state == "open"


async def test_an_entry_marked_as_an_error_answers_the_case(store: Store, clock: FrozenClock) -> None:
    place, case = await disputed(store, clock)
    bodies = visit("v1", DAY)
    bodies[2]["status"] = "entered-in-error"
    await write(store, place.patient_id, bodies, clock.now(), source=place.source, unit="v1")
    async with store.transaction() as tx:
        await settle(tx, store.keys, place.patient_id, clock.now())
    seen = await detail(store, place, case, clock)
    assert (seen.case.state, seen.original.value, seen.present) == ("corrected", "5.1", None)


async def test_data_that_change_nothing_of_the_entry_answer_nothing(store: Store, clock: FrozenClock) -> None:
    place, case = await disputed(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    await send(store, place, "v2", "2026-11-05", clock.now())
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 0
    assert (await detail(store, place, case, clock)).case.state == "open"


async def test_a_correction_that_did_not_help_is_opened_again_under_the_first_deadline(
    store: Store, clock: FrozenClock
) -> None:
    place, case = await disputed(store, clock)
    await act(store, place, case, "resolve", clock)
    assert "disputed" not in (await results(store, own(place.patient_id), clock))[0]
    clock.advance(days=20)
    again = await act(store, place, case, "reopen", clock)
    assert isinstance(again, CaseRow)
    assert again.answer_by == case.answer_by
    assert again.overdue_at is not None
    assert again.overdue_at < clock.now(), "the facility gained no time"
    assert (await results(store, own(place.patient_id), clock))[0]["disputed"] is True
    await act(store, place, case, "resolve", clock)
    clock.advance(days=31)
    assert await act(store, place, case, "reopen", clock) == Refused(problem=CASE_STATE)


async def test_two_corrections_of_one_entry_keep_the_note_until_both_ended(
    store: Store, clock: FrozenClock
) -> None:
    place, first = await disputed(store, clock)
    await act(store, place, first, "resolve", clock)
    second = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1-o"))
    await act(store, place, first, "reopen", clock)
    await act(store, place, second, "withdraw", clock)
    assert (await results(store, own(place.patient_id), clock))[0]["disputed"] is True
    await act(store, place, first, "withdraw", clock)
    assert "disputed" not in (await results(store, own(place.patient_id), clock))[0]


async def test_details_of_the_person_are_corrected_where_a_facility_reports_them(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    facility_id = place.facility.facility_id
    case = await open_case(store, place, "correction", clock.now(), facility_id=facility_id)
    assert (case.rtype, case.facility_id) == (None, facility_id)
    assert (await detail(store, place, case, clock)).original is None


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"item_id": "x", "facility_id": "f"},
        {"item_id": "x", "visit_on": "day"},
    ],
)
async def test_a_case_names_one_thing(store: Store, clock: FrozenClock, asked: dict[str, str]) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    values = {
        "item_id": place.id_of("v1-o"),
        "facility_id": place.facility.facility_id,
        "visit_on": local_day(clock.now()),
    }
    more: dict[str, Any] = {name: values[name] for name in asked}
    refused = await try_case(store, place, "correction", clock.now(), **more)
    assert refused == Refused(problem=CASE_INVALID, where="item_id")


async def test_nobody_answers_for_what_no_facility_sent(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await write(store, place.patient_id, visit("v1", DAY), clock.now())
    refused = await try_case(store, place, "correction", clock.now(), item_id=our_id("a", "v1-o"))
    assert refused == Refused(problem=CASE_NO_FACILITY)


async def test_open_cases_are_limited_and_those_by_the_service_do_not_count(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    for number in range(OPEN_CASES_MAX + 1):
        await send(store, place, f"v{number}", DAY, clock.now())
    for number in range(OPEN_CASES_MAX):
        if number % 8 == 0:
            clock.advance(days=2)
        await open_case(store, place, "correction", clock.now(), item_id=place.id_of(f"v{number}-o"))
    clock.advance(days=2)
    last = place.id_of(f"v{OPEN_CASES_MAX}-o")
    refused = await try_case(store, place, "correction", clock.now(), item_id=last)
    assert refused == Refused(problem=CASES_TOO_MANY)


async def test_a_person_opens_ten_cases_a_day(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    for number in range(11):
        await send(store, place, f"v{number}", DAY, clock.now())
    for number in range(10):
        await open_case(store, place, "correction", clock.now(), item_id=place.id_of(f"v{number}-o"))
    refused = await try_case(store, place, "correction", clock.now(), item_id=place.id_of("v10-o"))
    assert isinstance(refused, Refused)
    assert refused.problem.code == "too-many-requests" or refused.problem.status == 429


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_anybody_does_the_mirror_the_clock_and_the_note_agree(
    store: Store, clock: FrozenClock, seed: int
) -> None:
    """A walk over the real tables: the state machine of test_policy.py with everything that hangs on it."""
    walk, (place, case) = random.Random(seed), await disputed(store, clock)
    acts = [name for name in get_args(Act) if name not in ("open", "supersede", "arrive", "resend")]
    for _ in range(12):
        clock.advance(hours=walk.randrange(1, 60))
        await act(store, place, case, walk.choice(acts), clock)
        async with store.transaction() as tx:
            now_is = await queries.CASE_BY_ID.one(tx, case.patient_id, case.case_id)
            mirror = await queries.FACILITY_CASE.one(tx, case.facility_id, case.case_id)
        assert now_is is not None
        assert mirror is not None
        assert (mirror.state, mirror.overdue_at) == (now_is.state, now_is.overdue_at)
        running: CaseState = now_is.state
        assert (now_is.overdue_at is not None) == (running in RUNNING) == (now_is.closed_at is None)
        (item,) = await results(store, granted(place.patient_id), clock)
        assert item.get("disputed", False) == (running in RUNNING)


async def test_an_operators_days_and_terms_count_for_new_cases(
    fresh_store: Store, clock: FrozenClock
) -> None:
    place = await make_place(fresh_store, clock)
    await send(fresh_store, place, "v1", DAY, clock.now())
    first = await open_case(fresh_store, place, "correction", clock.now(), item_id=place.id_of("v1-o"))
    async with fresh_store.transaction() as tx:
        await set_day(tx, local_day(first.acknowledge_by), works=False)
        await set_day(tx, local_day(first.acknowledge_by.replace(hour=1)), works=False)
        await set_term(tx, "correction", 3, "working")
    second = await open_case(fresh_store, place, "correction", clock.now(), item_id=place.id_of("v1-c"))
    assert second.acknowledge_by > first.acknowledge_by
    assert second.answer_by < first.answer_by
