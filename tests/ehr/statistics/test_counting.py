"""The nightly count: who is counted where, what never is, and how it goes on where it was."""

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ehr.intake.models import PersonFacts
from ehr.intake.service import claim_of
from ehr.statistics import policy, publishing, queries
from ehr.statistics.models import Cube
from healthbook import statistics_jobs as night
from healthbook.statistics_jobs import STATISTICS, arm_statistics, next_night, statistics_jobs, step
from identity.merges import queries as merges
from identity.people import PersonClaim, create_person, note_report
from identity.queries import UPSERT_PIN
from kernel.access import Label
from kernel.clock import local_day
from kernel.ids import uuid7
from store.database import Store
from store.models import Due
from tests.support.clock import FrozenClock
from tests.support.people import make_facility, new_number
from tests.support.record import hospital, write
from tests.support.statistics import count_all, make_resident, seen_with

Cells = dict[tuple[str, ...], int]


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells times five instead of rounded, so that a test sees who was counted."""
    monkeypatch.setattr(policy, "rounded", lambda count, _chance: count * 5)


async def counted(store: Store, clock: FrozenClock, cube: Cube) -> Cells:
    async with store.transaction() as tx:
        found = await queries.CELLS.all(tx, local_day(clock.now()), cube)
    return {cell.key: cell.count // 5 for cell in found}


async def column(store: Store, clock: FrozenClock, cube: Cube, place: int) -> dict[str, int]:
    """The sums over everything but one dimension."""
    sums: dict[str, int] = {}
    for key, number in (await counted(store, clock, cube)).items():
        sums[key[place]] = sums.get(key[place], 0) + number
    return sums


async def lines_of(store: Store, patient_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id)
    return [row[0] for row in rows]


@pytest.mark.usefixtures("exact")
async def test_people_are_counted_by_commune_group_and_contents(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    for commune, born in (
        ("26734", "2022-01-01"),
        ("26734", "2012"),
        ("26734", "1950-05"),
        (None, "1985-03-12"),
    ):
        await make_resident(store, clock.now(), commune, born)
    seen = await make_resident(store, clock.now(), "00001", "2005-01-01")
    await write(store, seen, [seen_with("I10", "2026-11-18")], clock.now())
    await count_all(store, clock.now())
    assert await column(store, clock, "people", 0) == {"26734": 3, "": 1, "00001": 1}
    groups = {"under-6": 1, "pupils": 1, "from-60": 1, "workers": 1, "students": 1}
    assert await column(store, clock, "people", 1) == groups
    contents = await column(store, clock, "people", 2)
    assert contents.pop("no-record") == 4
    assert len(contents) == 1
    assert await counted(store, clock, "cases") == {("2026-11-16", "00001", "I10", ""): 1}


@pytest.mark.usefixtures("exact")
async def test_one_person_one_week_one_disease_is_one_case(fresh_store: Store, clock: FrozenClock) -> None:
    store = fresh_store
    person = await make_resident(store, clock.now(), "00001")
    await write(
        store,
        person,
        [
            seen_with("J45.0", "2026-11-16", "a"),
            seen_with("J45.9", "2026-11-18", "b"),
            seen_with("J45.9", "2026-11-12", "c"),
            seen_with("J45.9", "2026-11", "no-day"),
            seen_with("J45.9", "2020-01-01", "long-ago"),
        ],
        clock.now(),
    )
    await count_all(store, clock.now())
    found = await counted(store, clock, "cases")
    assert found == {("2026-11-16", "00001", "J45", ""): 1, ("2026-11-09", "00001", "J45", ""): 1}


@pytest.mark.usefixtures("exact")
async def test_s30_nothing_sensitive_disputed_retracted_or_hidden_is_counted(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    for label in (Label.PSY, Label.HIV, Label.RESTRICTED):
        person = await make_resident(store, clock.now(), "00001")
        await write(store, person, [seen_with("F32", "2026-11-18")], clock.now(), labels=int(label))
    for column_name, value in (
        ("state", "'disputed'"),
        ("deleted", "true"),
        ("status", "'entered-in-error'"),
        ("hidden_from", "ARRAY['00000000-0000-0000-0000-000000000000'::uuid]"),
    ):
        person = await make_resident(store, clock.now(), "00001")
        await write(store, person, [seen_with("I10", "2026-11-18")], clock.now())
        async with store.transaction() as tx:
            await tx.execute(f"UPDATE ehr_resource SET {column_name} = {value} WHERE patient_id = $1", person)
    await count_all(store, clock.now())
    assert await counted(store, clock, "cases") == {}
    assert await column(store, clock, "people", 2) == {"no-record": 7}


@pytest.mark.usefixtures("exact")
async def test_s30_a_merged_pair_is_one_person_with_the_rows_of_both(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    merged = await make_resident(store, clock.now(), "00001")
    survivor = await make_resident(store, clock.now(), "00002")
    await write(store, merged, [seen_with("I10", "2026-11-18")], clock.now())
    await write(store, survivor, [seen_with("I10", "2026-11-18", "c2")], clock.now())
    await count_all(store, clock.now())
    assert await column(store, clock, "people", 0) == {"00001": 1, "00002": 1}
    async with store.transaction() as tx:
        await merges.SET_STATE.run(tx, merged, "merged")
        await merges.INSERT_ORIGIN.run(tx, survivor, merged, uuid7(clock.now()), clock.now(), True)
        await tx.execute(
            "UPDATE ehr_resource SET patient_id = $1, origin_patient_id = $2 WHERE patient_id = $2",
            survivor,
            merged,
        )
        await tx.execute("UPDATE ehr_head SET head_seq = head_seq + 1 WHERE patient_id = $1", survivor)
    clock.advance(seconds=86400)
    await count_all(store, clock.now())
    assert await column(store, clock, "people", 0) == {"00002": 1}
    assert await counted(store, clock, "cases") == {("2026-11-16", "00002", "I10", ""): 1}


@pytest.mark.usefixtures("exact")
async def test_the_dead_are_no_population_and_their_cases_were_seen(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    person = await make_resident(store, clock.now(), "00001")
    await write(store, person, [seen_with("I21", "2026-11-18")], clock.now())
    async with store.transaction() as tx:
        await merges.SET_STATE.run(tx, person, "frozen")
    await count_all(store, clock.now())
    assert await counted(store, clock, "people") == {}
    assert await counted(store, clock, "cases") == {("2026-11-16", "00001", "I21", ""): 1}


@pytest.mark.usefixtures("exact")
async def test_only_what_moved_is_read_again_and_each_read_stands_in_the_log(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    still = await make_resident(store, clock.now(), "00001", "2021-01-01")
    moves = await make_resident(store, clock.now(), "00001")
    await count_all(store, clock.now())
    assert await count_all(store, clock.now()) == 0, "a published day stays as it is"
    clock.advance(seconds=86400)
    await write(store, moves, [seen_with("I10", "2026-11-18")], clock.now())
    await count_all(store, clock.now())
    assert [len(await lines_of(store, one)) for one in (still, moves)] == [1, 2]
    assert all('"record:statistics:read"' in line for line in await lines_of(store, moves))
    assert '"purpose":"PUBHLTH"' in (await lines_of(store, moves))[0]
    clock.advance(seconds=86400 * 60)
    await count_all(store, clock.now())
    assert (await column(store, clock, "people", 1))["pupils"] == 1, "people grow older without a write"
    assert len(await lines_of(store, still)) == 1


@pytest.mark.usefixtures("exact")
async def test_a_person_who_moves_is_counted_where_the_newest_report_says(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    person = await make_resident(store, clock.now(), "00001")
    await write(store, person, [seen_with("I10", "2026-11-18")], clock.now())
    await count_all(store, clock.now())
    clock.advance(seconds=86400)
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        claim = PersonClaim(name="Trần Thị Thử", commune="00777")
        await note_report(tx, store.keys, person, claim, facility.facility_id, clock.now())
    await write(store, person, [seen_with("I10", "2026-11-19", "c2")], clock.now(), source=hospital("b"))
    await count_all(store, clock.now())
    assert await column(store, clock, "people", 0) == {"00777": 1}
    assert {key[1] for key in await counted(store, clock, "cases")} == {"00777"}


@pytest.mark.usefixtures("exact")
async def test_a_count_that_broke_off_goes_on_in_short_steps(
    fresh_store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fresh_store
    monkeypatch.setattr(publishing, "PAGE", 4)
    monkeypatch.setattr(night, "PAGE", 4)
    monkeypatch.setattr(night, "READS_PER_STEP", 3)
    for _ in range(10):
        await make_resident(store, clock.now(), "00001")
    for _ in range(2):
        assert await step(store, clock.now())
    async with store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM statistic_person") == 6
    clock.advance(seconds=86400)  # the worker was away until the next day: yesterday's set is finished first
    await count_all(store, clock.now())
    async with store.transaction() as tx:
        days = await tx.fetch("SELECT day FROM statistic_set WHERE published_at IS NOT NULL ORDER BY day")
    today = local_day(clock.now())
    assert [row[0] for row in days] == [today - timedelta(days=1), today]
    assert await column(store, clock, "people", 0) == {"00001": 10}


async def test_the_job_is_armed_for_the_night_and_comes_again_the_next(
    fresh_store: Store, clock: FrozenClock
) -> None:
    await arm_statistics(fresh_store, clock)
    async with fresh_store.transaction() as tx:
        due = await tx.fetchval("SELECT due_at FROM due_queue WHERE kind = $1", STATISTICS)
    assert due == next_night(clock.now()) > clock.now()
    job = statistics_jobs(fresh_store, clock)[STATISTICS]
    assert await job(Due(bucket=0, kind=STATISTICS, ref="all", due_at=due)) == next_night(clock.now())


async def test_s30_no_counted_row_names_a_person(fresh_store: Store, clock: FrozenClock) -> None:
    person = await make_resident(fresh_store, clock.now(), "00001")
    await write(fresh_store, person, [seen_with("I10", "2026-11-18")], clock.now())
    await count_all(fresh_store, clock.now())
    async with fresh_store.transaction() as tx:
        kept = await tx.fetch("SELECT to_json(s)::text FROM statistic_person s")
        kept += await tx.fetch("SELECT to_json(s)::text FROM statistic_case s")
        kept += await tx.fetch("SELECT to_json(s)::text FROM statistic_cell s")
    assert len(kept) >= 2
    for row in kept:
        assert str(person) not in row[0]
        assert person.hex not in row[0]
        assert "Trần" not in row[0]


def test_s30_the_role_for_statistics_reads_what_is_published_and_nothing_else() -> None:
    """The list that test_s21_each_role_has_exactly_the_listed_rights holds against the database."""
    lines = (Path(__file__).parents[2] / "store/rights.txt").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert {row[0]: row[3] for row in rows if row[3] != "-"} == {"statistic_cell": "r", "statistic_set": "r"}


@pytest.mark.usefixtures("exact")
async def test_the_commune_of_a_package_is_kept_sealed_and_counted(
    fresh_store: Store, clock: FrozenClock
) -> None:
    """What XML1 says in MAXA_CU_TRU; in clear it stands in no row about a person."""
    facts = PersonFacts(
        identifiers=(("national-id", new_number()),),
        name="Trần Thị Thử",
        birth_date="1985-03-12",
        sex="female",
        commune="26734",
    )
    async with fresh_store.transaction() as tx:
        await create_person(tx, fresh_store.keys, claim_of(facts), "import", None, clock.now())
        (row,) = await tx.fetch("SELECT to_json(c)::text FROM citizen c")
        assert "26734" not in row[0]
    await count_all(fresh_store, clock.now())
    assert await column(fresh_store, clock, "people", 0) == {"26734": 1}


@pytest.mark.parametrize(
    ("codes", "commune"),
    [
        (["26734", "00001"], "26734"),
        ([None, "", "00001"], "00001"),
        (["=cmd|x", "<b>", "a" * 11], ""),
        ([], ""),
    ],
)
def test_a_commune_is_a_code_as_senders_write_them_or_unknown(codes: list[str | None], commune: str) -> None:
    assert policy.commune_of(codes) == commune


@pytest.mark.parametrize(
    ("born", "group"),
    [
        ("2020-11-22", "under-6"),
        ("2020-11-21", "pupils"),
        ("2008", "students"),
        ("1966-11", "from-60"),
        ("1966-12", "workers"),
        (None, "others"),
        ("2030", "others"),
    ],
)
def test_a_group_is_of_completed_years(born: str | None, group: str) -> None:
    assert policy.group_of(born, date(2026, 11, 21)) == group


@pytest.mark.parametrize(
    ("born", "listed", "group"),
    [
        ("2020-11-22", "pupils", "under-6"),
        ("2020-11-21", "students", "students"),
        ("2008", "workers", "workers"),
        ("1966-12", "pupils", "pupils"),
        ("1966-11", "workers", "from-60"),
        (None, "workers", "workers"),
    ],
)
def test_a_list_says_who_works_or_learns_where_age_only_guesses(
    born: str | None, listed: str, group: str
) -> None:
    assert policy.group_of(born, date(2026, 11, 21), listed) == group


@pytest.mark.usefixtures("exact")
async def test_s1_an_account_that_a_phone_alone_made_is_no_person_of_the_population(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    await make_resident(store, clock.now(), "26734")
    said = PersonClaim(name="Người Tự Khai", birth_date="1990")
    async with store.transaction() as tx:
        made = await create_person(tx, store.keys, said, "self-declared", None, clock.now())
        await UPSERT_PIN.run(tx, made, "hash", clock.now())
    await count_all(store, clock.now())
    assert await column(store, clock, "people", 0) == {"26734": 1}
