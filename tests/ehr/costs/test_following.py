"""Amounts follow their visit: sent again, taken back, merged, hidden; guarded like it (S3, S10, S23)."""

import json

import httpx
import pytest

from consent.rights import erasing
from ehr.costs.reading import read_year
from ehr.intake.revert import revert_since
from ehr.store import retract_rows
from kernel.access import Label
from store.database import Store
from tests.ehr.costs.support import Person, make_person_with_child
from tests.support.clock import FrozenClock
from tests.support.costs import CODE, SUMS, kept, visit
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_facility
from tests.support.record import own
from tests.support.registry import dump, make_officers, merged, separated


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Person:
    return Person(
        store, clock, await make_citizen(store, clock), await make_facility(store, clock, code=CODE)
    )


async def test_the_person_reads_what_a_visit_cost_and_who_paid(person: Person) -> None:
    await person.visit()
    (encounter,) = await person.visits()
    found = await person.costs(encounter)
    assert found["amounts"] == {
        "total": 500000,
        "in_scope": 400000,
        "fund": 320000,
        "copaid": 80000,
        "self_paid": 100000,
        "other": 0,
    }
    assert (found["check"], found["check_vi"]) == ("agree", None)
    assert found["encounter_id"] == encounter
    assert found["facility_name"] == person.facility.name


async def test_amounts_that_do_not_add_up_are_shown_as_sent_and_said(person: Person) -> None:
    await person.visit(T_BNTT="100001")
    found = await person.costs((await person.visits())[0])
    assert found["amounts"]["self_paid"] == 100001
    assert found["check"] == "disagree"
    assert "không bằng" in found["check_vi"]


async def test_bad_amounts_never_keep_a_visit_out(person: Person) -> None:
    await person.visit(T_TONGCHI_BV="năm trăm", T_BHTT="-1")
    found = await person.costs((await person.visits())[0])
    assert (found["amounts"]["total"], found["amounts"]["fund"], found["check"]) == (None, None, "unknown")


async def test_a_resend_replaces_and_the_same_again_makes_no_version(person: Person, owner: Store) -> None:
    await person.visit()
    await person.visit()
    assert [row["number"] for row in await kept(owner, person.patient_id)] == [1]
    etag = await person.etag()
    await person.visit(T_TONGCHI_BV="600000", T_BNTT="200000")
    assert (await person.costs((await person.visits())[0]))["amounts"]["total"] == 600000
    # The visit itself is as before, and yet an answer with its amounts is another one.
    assert await person.etag() != etag
    await person.visit(**dict.fromkeys(SUMS, ""))
    found = await person.costs((await person.visits())[0])
    assert (found["amounts"], found["check"]) == (None, "unknown")
    assert found["check_vi"] == "Cơ sở chưa gửi chi phí của lượt khám này."
    assert (await person.year())["visits_without"] == 1


async def test_a_visit_with_shares_and_no_total_has_amounts(person: Person) -> None:
    await person.visit(T_TONGCHI_BV="")
    page = await person.year()
    assert page["items"][0]["amounts"]["fund"] == page["sums"]["fund"] == 320000
    assert (page["visits"], page["visits_without"]) == (1, 0)


async def test_s3_amounts_taken_back_leave_those_from_before(person: Person, owner: Store) -> None:
    await person.visit(credential="good")
    person.clock.advance(minutes=2)
    since = person.clock.now()
    # Nothing but amounts changes: the person is found all the same.
    await person.visit(credential="stolen", T_TONGCHI_BV="9", T_BNTT="1")
    assert (await person.costs((await person.visits())[0]))["amounts"]["total"] == 9
    await revert_since(person.store, person.clock, ["stolen"], since)
    assert (await person.costs((await person.visits())[0]))["amounts"]["total"] == 500000
    await revert_since(person.store, person.clock, ["good"], since.replace(year=2020))
    assert await person.visits() == []
    assert all(row["taken_back_at"] for row in await kept(owner, person.patient_id))


async def test_s3_another_facility_with_the_same_visit_number_changes_nothing(person: Person) -> None:
    await person.visit()
    before = await person.year()
    other = await make_facility(person.store, person.clock)
    report = await visit(person.store, person.clock, other, person.citizen, "his-2", T_TONGCHI_BV="1")
    assert report.status == "rejected"
    assert await person.year() == before


async def test_a_visit_that_is_retracted_or_not_mine_has_no_costs(person: Person) -> None:
    await person.visit()
    (encounter,) = await person.visits()
    async with person.store.transaction() as tx:
        await retract_rows(
            tx, person.patient_id, [("Encounter", encounter)], "x", "not-mine", person.clock.now()
        )
    assert await person.status(encounter) == 404
    assert (await person.year())["visits"] == 0


async def test_s10_a_merge_takes_amounts_along_and_gives_them_back(
    person: Person, store: Store, owner: Store, clock: FrozenClock
) -> None:
    other = Person(store, clock, await make_citizen(store, clock), person.facility)
    for one, total in ((person, "500000"), (other, "700000")):
        await one.visit(T_TONGCHI_BV=total, T_BNTT=str(int(total) - 400000))
    before = {one.patient_id: await kept(owner, one.patient_id) for one in (person, other)}
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, person.patient_id, other.patient_id, clock.now())
    assert await kept(owner, person.patient_id) == []
    assert len(await kept(owner, other.patient_id)) == 2
    # The survivor sees the other's visit only after proving that person again, and so with its costs.
    async with store.transaction() as tx:
        built = await read_year(tx, own(other.patient_id, "read-costs"), 2026, None, None, clock.now())
    assert json.loads(built.body)["sums"]["total"] == 700000
    # What comes in between goes to the person whom it names.
    await person.visit(T_TONGCHI_BV="510000", T_BNTT="110000")
    clock.advance(minutes=2)
    await separated(store, officers, merge_id, clock.now())
    after = {one.patient_id: await kept(owner, one.patient_id) for one in (person, other)}
    assert after[other.patient_id] == before[other.patient_id]
    assert [row["total"] for row in after[person.patient_id]] == [500000, 510000]
    rows = (await dump(owner, person.patient_id, ("ehr_resource",)))["ehr_resource"]
    visits = {row["id"] for row in rows if row["rtype"] == "Encounter"}
    assert {row["encounter_id"] for row in after[person.patient_id]} == visits


async def test_an_erasure_leaves_no_amount(person: Person, owner: Store) -> None:
    await person.visit()
    assert "ehr_cost" in {table.table for table in erasing.TABLES if table.kept is None}
    assert len(await kept(owner, person.patient_id)) == 1


async def test_the_year_is_paged_and_summed(person: Person) -> None:
    for number, day in enumerate(("20260302", "20260405", "20260509", "20251231"), start=1):
        await person.visit(
            MA_LK=f"LK.{number}",
            NGAY_VAO=f"{day}0815",
            NGAY_RA=f"{day}1000",
            NGAY_YL=f"{day}0830",
            NGAY_KQ=f"{day}0900",
            NGAY_TH_YL=f"{day}0830",
            THOI_DIEM_DBLS=f"{day}0830",
            NGAY_HEN_KL="202606220900",
            NGAY_TAI_KHAM="20260622",
            T_TONGCHI_BV=str(number * 100000),
        )
    page = await person.year(limit=2)
    assert [one["amounts"]["total"] for one in page["items"]] == [300000, 200000]
    assert (page["visits"], page["visits_without"], page["sums"]["total"]) == (3, 0, 600000)
    rest = await person.year(limit=2, cursor=page["next"])
    assert [one["amounts"]["total"] for one in rest["items"]] == [100000]
    assert rest["next"] is None
    assert (await person.year(year=2025))["sums"]["total"] == 400000
    assert (await person.year(year=2024))["sums"]["total"] is None


async def test_the_guardian_of_a_child_reads_them_and_a_proxy_of_an_adult_does_not(
    store: Store, clock: FrozenClock
) -> None:
    family = await make_person_with_child(store, clock)
    async with client_of(store, clock) as client:
        (encounter,) = await family.child.visits(client)
        assert (await family.child.costs(encounter, client))["amounts"]["total"] == 500000
        for token, person, status in (
            (family.proxy.token, family.adult.patient_id, 403),
            (family.stranger.token, family.adult.patient_id, 403),
            (family.stranger.token, family.child.patient_id, 403),
        ):
            for path in ("costs", "coverage", f"encounters/{encounter}/costs"):
                answer = await client.get(
                    f"/v1/me/{path}", headers=bearer(token) | {"X-Patient-Id": str(person)}
                )
                assert answer.status_code == status, path


@pytest.mark.parametrize("label", [Label.SDV, Label.RESTRICTED])
async def test_s23_a_visit_kept_from_the_family_has_no_costs_for_it(
    store: Store, owner: Store, clock: FrozenClock, label: Label
) -> None:
    family = await make_person_with_child(store, clock)
    async with client_of(store, clock) as client:
        (encounter,) = await family.child.visits(client)
        async with owner.transaction() as tx:
            await tx.execute(
                "UPDATE ehr_resource SET labels = $2 WHERE patient_id = $1 AND rtype = 'Encounter'",
                family.child.patient_id,
                int(label),
            )
        assert await family.child.status(encounter, client) == 404
        page = await family.child.year(client=client)
        assert (page["visits"], page["items"], page["sums"]["total"]) == (0, [], None)
        # The card that came with that visit would tell of it.
        assert (await _cards(client, family.child))["items"] == []


async def _cards(client: httpx.AsyncClient, person: Person) -> dict:
    return (await client.get("/v1/me/coverage", headers=person.headers)).json()


async def test_what_is_no_visit_of_this_book_is_not_found(
    person: Person, store: Store, clock: FrozenClock
) -> None:
    other = Person(store, clock, await make_citizen(store, clock), person.facility)
    await other.visit()
    (strange,) = await other.visits()
    for encounter in (strange, "0" * 32, "x" * 200, "a b", "%00"):
        assert await person.status(encounter) == 404
