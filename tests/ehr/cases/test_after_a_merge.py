"""S10: a merged person's cases follow the person, and hold in the book where the rows stand now."""

import json
from datetime import date
from uuid import UUID

from ehr.cases import queries
from ehr.cases.books import book_of
from ehr.cases.models import Act, CaseRow, NewCase
from ehr.cases.moves import Hand, move
from ehr.cases.opening import open_case as open_new
from ehr.cases.reading import own_cases, own_detail
from ehr.cases.settling import settle
from ehr.merges.service import begin, finish, give_back, move_some
from ehr.reads import sections
from healthbook.dispatch import dispatch
from kernel.access import Access, mint_access
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Store
from store.outbox import claim_events
from tests.ehr.intake.records import send as send_file
from tests.ehr.intake.test_packages import visit as package_of
from tests.support.cases import Place, make_place, open_case, send, visit
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility
from tests.support.record import own, write
from tests.support.registry import make_officers, merged

DAY = "2026-11-02"


def with_origin(survivor: UUID, merged: UUID) -> Access:
    return mint_access(
        patient_id=survivor,
        actor=own(survivor).actor,
        action="open-case",
        purpose="PATRQT",
        basis="self",
        origins=frozenset({merged}),
    )


async def merge(store: Store, merged: UUID, survivor: UUID, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        await begin(tx, merged, survivor, clock.now())
    async with store.transaction() as tx:
        while await move_some(tx, merged, survivor, [merged]):
            pass


async def separate(store: Store, merged: UUID, survivor: UUID) -> None:
    async with store.transaction() as tx:
        while await give_back(tx, merged, survivor, [merged]):
            pass
        await finish(tx, merged, survivor)


async def listed(store: Store, access: Access, clock: FrozenClock) -> str:
    async with store.transaction() as tx:
        built = await sections.read(tx, access, "results", None, 50, clock.now())
    return json.dumps(json.loads(built.body), ensure_ascii=False)


async def do(store: Store, place: Place, case: CaseRow, act: Act, clock: FrozenClock) -> CaseRow | Refused:
    hand = Hand(actor=place.citizen.actor, side="person", request_id="t", now=clock.now())
    async with store.transaction() as tx:
        return await move(tx, store.keys, case.patient_id, case.case_id, act, hand)


async def test_s10_what_was_not_mine_stays_out_of_the_survivors_book_and_comes_back_there(
    store: Store, clock: FrozenClock
) -> None:
    place, survivor = await make_place(store, clock), (await make_citizen(store, clock)).patient_id
    await send(store, place, "v1", DAY, clock.now())
    # The survivor's book has the same ids of the same source, so that the merged person's get a mark.
    await write(store, survivor, visit("v1", DAY, "eigen"), clock.now(), source=place.source, unit="v1")
    case = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    await merge(store, place.patient_id, survivor, clock)
    async with store.transaction() as tx:
        assert (await book_of(tx, place.patient_id)).patient_id == survivor
    access = with_origin(survivor, place.patient_id)
    assert "qzj" not in await listed(store, access, clock)
    await send(store, place, "v1", DAY, clock.now(), mark="qzj again")
    assert "qzj" not in await listed(store, access, clock)
    assert "eigen" in await listed(store, access, clock), "the survivor's own visit is nobody's dispute"
    restored = await do(store, place, case, "withdraw", clock)
    assert isinstance(restored, CaseRow)
    assert restored.state == "restored"
    assert "qzj again" in await listed(store, access, clock)


async def test_s10_cases_are_seen_with_the_merged_persons_rows_and_not_without(
    store: Store, clock: FrozenClock
) -> None:
    place, survivor = await make_place(store, clock), (await make_citizen(store, clock)).patient_id
    await send(store, place, "v1", DAY, clock.now())
    case = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1-o"))
    await merge(store, place.patient_id, survivor, clock)
    async with store.transaction() as tx:
        before = await own_cases(tx, store.keys, own(survivor), None, 10, clock.now())
        hidden = await own_detail(tx, store.keys, own(survivor), case.case_id, clock.now())
        access = with_origin(survivor, place.patient_id)
        after = await own_cases(tx, store.keys, access, None, 10, clock.now())
        shown = await own_detail(tx, store.keys, access, case.case_id, clock.now())
    assert before == []
    assert isinstance(hidden, Refused)
    assert [one.case_id for one in after] == [case.case_id]
    assert not isinstance(shown, Refused)
    assert shown.detail.original is not None
    assert '"disputed": true' in await listed(store, access, clock)


async def test_s10_a_correction_is_answered_across_the_merge_and_after_it(
    store: Store, clock: FrozenClock
) -> None:
    place, survivor = await make_place(store, clock), (await make_citizen(store, clock)).patient_id
    await send(store, place, "v1", DAY, clock.now())
    first = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1-o"))
    second = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("v1-c"))
    await merge(store, place.patient_id, survivor, clock)
    bodies = visit("v1", DAY)
    bodies[2]["valueQuantity"]["value"] = 6.4
    await write(store, place.patient_id, bodies, clock.now(), source=place.source, unit="v1")
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 1
    access = with_origin(survivor, place.patient_id)
    assert "disputed" not in await listed(store, access, clock)
    await separate(store, place.patient_id, survivor)
    async with store.transaction() as tx:
        found = await own_detail(tx, store.keys, own(place.patient_id), first.case_id, clock.now())
    assert not isinstance(found, Refused)
    assert found.detail.case.state == "corrected"
    assert found.detail.present is not None
    assert isinstance(await do(store, place, second, "withdraw", clock), CaseRow)


async def test_s10_data_of_the_merged_number_close_its_cases_once_the_survivor_is_told(
    store: Store, clock: FrozenClock
) -> None:
    """By the worker: from then on the event names the survivor, and the case the person it was opened for."""
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="79041")
    new = NewCase(
        kind="missing-visit", text="Chưa thấy", facility_id=facility.facility_id, visit_on=date(2026, 3, 2)
    )
    async with store.transaction() as tx:
        access = own(one.patient_id, "open-case")
        case = await open_new(tx, store.keys, access, new, request_id="r", now=clock.now())
    assert isinstance(case, CaseRow)
    await merged(store, await make_officers(store, clock), one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=80)
    async with store.transaction() as tx:
        sql = "UPDATE person_origin SET proven_at = $2 WHERE patient_id = $1"
        await tx.execute(sql, other.patient_id, clock.now())
    await send_file(store, clock, facility, package_of(one, "79041", "XML1", "XML2"))
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(other.patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
        found = await queries.CASE_BY_ID.one(tx, one.patient_id, case.case_id)
    assert found is not None
    assert found.state == "arrived"
