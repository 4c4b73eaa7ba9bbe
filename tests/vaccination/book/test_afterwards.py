"""What becomes of a dose afterwards: a case about it, its sender's credential stolen, two persons merged."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ehr.cases.models import Act, CaseRow
from ehr.cases.moves import Hand, move
from ehr.intake.revert import revert_since
from ehr.merges.service import begin, finish, give_back, move_some
from kernel.access import Access, mint_access
from kernel.problems import Refused
from store.database import Store
from tests.support.cases import Place, make_place, open_case
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import hospital, own, write
from vaccination.book.antigens import CVX
from vaccination.book.models import Dose, Tombstone
from vaccination.book.reading import dose_of, doses_of, tombstones_of


def dose(name: str, code: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": code}], "text": name},
        "occurrenceDateTime": day,
    } | more


async def book(
    store: Store, access: Access, now: datetime
) -> tuple[dict[str, Dose], dict[str | None, Tombstone]]:
    """Doses and stones by their titles."""
    async with store.transaction() as tx:
        doses = await doses_of(tx, access, now)
        stones = await tombstones_of(tx, access, doses, now)
    return {one.title: one for one in doses}, {one.title: one for one in stones}


async def act(store: Store, place: Place, case: CaseRow, name: Act, clock: FrozenClock) -> None:
    by_staff = name in ("acknowledge", "resolve")
    actor = place.staff.actor if by_staff else place.citizen.actor
    hand = Hand(actor=actor, side="facility" if by_staff else "person", request_id="test", now=clock.now())
    async with store.transaction() as tx:
        done = await move(tx, store.keys, case.patient_id, case.case_id, name, hand, note="vì sao")
    assert not isinstance(done, Refused), done


async def test_a_dose_is_being_corrected_as_long_as_a_case_about_it_runs(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    rows = [dose("Sởi", "05", "2026-03-01"), dose("BCG", "19", "2026-03-01")]
    await write(store, place.patient_id, rows, clock.now(), source=place.source, unit="v1")
    case = await open_case(store, place, "correction", clock.now(), item_id=place.id_of("Sởi"), text="Sai lô")
    doses, _ = await book(store, own(place.patient_id), clock.now())
    assert {name: one.state for name, one in doses.items()} == {"Sởi": "being-corrected", "BCG": "verified"}
    await act(store, place, case, "acknowledge", clock)
    await act(store, place, case, "resolve", clock)
    doses, stones = await book(store, own(place.patient_id), clock.now())
    assert {one.state for one in doses.values()} == {"verified"}
    assert stones == {}


async def test_somebody_elses_dose_is_gone_at_once_and_comes_back_by_the_persons_word_alone(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    await write(
        store,
        place.patient_id,
        [dose("Sởi", "05", "2026-03-01")],
        clock.now(),
        source=place.source,
        unit="v1",
    )
    case = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("Sởi"))
    doses, stones = await book(store, own(place.patient_id), clock.now())
    assert doses == {}
    assert [stone.reason for stone in stones.values()] == ["not-mine"]
    assert list(stones) == [None], "nothing of what it said"
    await act(store, place, case, "withdraw", clock)
    doses, stones = await book(store, own(place.patient_id), clock.now())
    assert ([one.state for one in doses.values()], stones) == (["verified"], {})
    again = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("Sởi"))
    await act(store, place, again, "resolve", clock)
    _, stones = await book(store, own(place.patient_id), clock.now())
    assert [(stone.reason, stone.title) for stone in stones.values()] == [("not-mine", None)]


async def test_what_a_stolen_credential_wrote_goes_with_its_reason_and_the_dose_before_it_stands_again(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    good, since = dose("Sởi", "05", "2026-03-01"), clock.now()
    await write(store, place.patient_id, [good], clock.now(), source=place.source, unit="v1")
    clock.advance(hours=1)
    since = clock.now()
    stolen = hospital(place.source.source_id, place.facility.facility_id)
    bad = [dose("Sởi", "05", "2026-03-09"), dose("Dại", "90", "2026-03-02")]
    await write(store, place.patient_id, bad, clock.now(), source=stolen, unit="v1")
    await revert_since(store, clock, [stolen.credential], since)
    doses, stones = await book(store, own(place.patient_id), clock.now())
    assert {name: one.given for name, one in doses.items()} == {"Sởi": "2026-03-01"}
    assert {name: stone.reason for name, stone in stones.items()} == {"Dại": "reverted"}


async def test_s10_doses_of_a_merged_person_fold_where_they_are_covered_and_leave_with_the_undoing(
    store: Store, clock: FrozenClock
) -> None:
    survivor, merged = (
        (await make_citizen(store, clock)).patient_id,
        (await make_citizen(store, clock)).patient_id,
    )
    await write(store, survivor, [dose("Sởi", "05", "2026-03-01")], clock.now(), source=hospital("a"))
    rows = [dose("MVVAC", "05", "2026-03-01"), dose("BCG", "19", "2026-01-01")]
    await write(store, merged, rows, clock.now(), source=hospital("b"))
    async with store.transaction() as tx:
        await begin(tx, merged, survivor, clock.now())
    async with store.transaction() as tx:
        while await move_some(tx, merged, survivor, [merged]):
            pass
    doses, stones = await book(store, with_origin(survivor, merged), clock.now())
    assert sum(doses[name].is_counted for name in ("Sởi", "MVVAC")) == 1
    assert doses["BCG"].is_counted
    assert stones == {}
    alone, _ = await book(store, own(survivor), clock.now())
    assert set(alone) == {"Sởi"}, "not proven again: a merged person's rows do not exist"
    async with store.transaction() as tx:
        while await give_back(tx, merged, survivor, [merged]):
            pass
        await finish(tx, merged, survivor)
    doses, _ = await book(store, with_origin(survivor, merged), clock.now())
    assert {name: one.is_counted for name, one in doses.items()} == {"Sởi": True}
    theirs, _ = await book(store, own(merged), clock.now())
    assert set(theirs) == {"MVVAC", "BCG"}


async def test_one_dose_by_its_id_is_the_same_as_in_the_book(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await write(store, place.patient_id, [dose("Sởi", "05", "2026-03-01")], clock.now(), source=place.source)
    access = own(place.patient_id)
    doses, _ = await book(store, access, clock.now())
    async with store.transaction() as tx:
        found = await dose_of(tx, access, place.id_of("Sởi"), clock.now())
        assert found == doses["Sởi"]
        for strange in ("unknown", "x" * 65, "a\x00b", "../etc"):
            assert await dose_of(tx, access, strange, clock.now()) is None


def with_origin(survivor: UUID, merged: UUID) -> Access:
    return mint_access(
        patient_id=survivor,
        actor=own(survivor).actor,
        action="read-section",
        purpose="PATRQT",
        basis="self",
        origins=frozenset({merged}),
    )
