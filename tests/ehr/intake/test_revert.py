"""A poisoned batch taken back leaves the book as before: changed, emptied and added rows alike (S3)."""

from datetime import datetime
from typing import Any

import pytest

from ehr.intake import revert
from ehr.intake.revert import revert_since
from ehr.queries import PAST_OF_TOUCHED
from identity.models import Facility
from kernel.ids import uuid7
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, allergy, bundle, rows, send
from tests.ehr.quarantine.test_units import conflicting
from tests.support.bundles import rewrite_package, sample_package
from tests.support.cda import document
from tests.support.clock import START, FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility

# All of a row that says something; not when, by whom and how it came there.
CONTENT = """
    SELECT rtype, id, doc, item, body, title, title_folded, section, status, code, code_system, category,
        labels, eff, eff_until, sort_at, active_until, negative, flag, encounter_id, main_id, unit, source_id,
        facility_id, state, content_sha256
    FROM ehr_resource WHERE patient_id = $1 AND NOT deleted ORDER BY rtype, id
"""


class Hospital:
    """One facility's sendings about one person, an hour apart."""

    def __init__(self, store: Store, clock: FrozenClock, facility: Facility, citizen: Citizen) -> None:
        self.store, self.clock, self.facility, self.citizen = store, clock, facility, citizen

    async def package(self, credential: str, **fields: str) -> None:
        data = rewrite_package(sample_package(OUTPATIENT), self.citizen, **fields)
        await self._send(data, credential)

    async def allergies(self, credential: str, *resources: dict[str, Any], **request: str) -> None:
        await self._send(bundle(self.citizen, *resources, **request), credential)

    async def _send(self, data: bytes, credential: str) -> None:
        (report,) = await send(self.store, self.clock, self.facility, data, credential)
        assert (report.status, report.reasons) == ("imported", [])
        self.clock.advance(hours=1)

    async def revert(self, *credentials: str, since: datetime) -> dict[str, dict[str, int]]:
        done = await revert_since(self.store, self.clock, credentials, since)
        self.clock.advance(hours=1)
        return {"restored": done.restored, "retracted": done.retracted}

    async def content(self) -> list[tuple[Any, ...]]:
        async with self.store.transaction() as tx:
            return [tuple(row) for row in await tx.fetch(CONTENT, self.citizen.patient_id)]


@pytest.fixture
async def hospital(store: Store, clock: FrozenClock) -> Hospital:
    citizen = await make_citizen(store, clock)
    return Hospital(store, clock, await make_facility(store, clock, code="01028"), citizen)


async def test_s3_a_poisoned_batch_taken_back_leaves_the_book_as_before(hospital: Hospital) -> None:
    await hospital.package("good", MA_BENH_KT="E11.9;E78.5")
    await hospital.allergies("good", allergy("Penicillin", "a1"), allergy("Latex", "a2"))
    before, since = await hospital.content(), hospital.clock.now()
    # Changes the diagnosis, empties the rest of the episode, changes one allergy and adds another.
    await hospital.package("stolen", MA_BENH_KT="C34.9")
    await hospital.allergies("stolen", allergy("Không dị ứng", "a1"), allergy("Poison", "a9"))
    await hospital.package("stolen", MA_BENH_KT="C50.9")
    assert await hospital.content() != before
    done = await hospital.revert("stolen", since=since)
    assert await hospital.content() == before
    assert done["restored"]["Condition"] >= 1
    assert done["restored"]["AllergyIntolerance"] == 1
    assert done["retracted"]["AllergyIntolerance"] == 1
    again = await rows(hospital.store, hospital.citizen.patient_id)
    assert await hospital.revert("stolen", since=since) == {"restored": {}, "retracted": {}}
    assert await rows(hospital.store, hospital.citizen.patient_id) == again


async def test_s3_what_a_source_retracted_itself_stays_retracted(hospital: Hospital) -> None:
    await hospital.package("good", MA_BENH_KT="E11.9;E78.5")
    await hospital.package("good", MA_BENH_KT="E78.5")
    before, since = await hospital.content(), hospital.clock.now()
    await hospital.package("stolen", MA_BENH_KT="E11.9;E78.5")
    assert await hospital.content() != before
    await hospital.revert("stolen", since=since)
    assert await hospital.content() == before


async def test_s3_what_another_credential_wrote_over_the_poison_stays(hospital: Hospital) -> None:
    await hospital.allergies("good", allergy("Penicillin"))
    since = hospital.clock.now()
    await hospital.allergies("stolen", allergy("Poison"))
    await hospital.allergies("good", allergy("Penicillin V"))
    after = await hospital.content()
    assert await hospital.revert("stolen", since=since) == {"restored": {}, "retracted": {}}
    assert await hospital.content() == after
    # Poison over that again goes back to what stood between the two.
    await hospital.allergies("stolen", allergy("Poison"))
    await hospital.revert("stolen", since=since)
    assert await hospital.content() == after


async def test_s3_every_book_that_a_batch_reached_is_found(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revert, "PAGE", 2)
    facility = await make_facility(store, clock)
    people = [Hospital(store, clock, facility, await make_citizen(store, clock)) for _ in range(5)]
    since = clock.now()
    for person in people:
        await person.allergies("everywhere", allergy("Poison"))
    await people[0].revert("everywhere", since=since)
    assert [await person.content() for person in people] == [[]] * 5


@pytest.mark.parametrize("order", [(("b",), ("a",)), (("a", "b"),)], ids=["one after the other", "at once"])
async def test_s3_two_stolen_credentials_go_back_to_what_stood_before_both(
    hospital: Hospital, order: tuple[tuple[str, ...], ...]
) -> None:
    await hospital.allergies("good", allergy("Penicillin"))
    before, since = await hospital.content(), hospital.clock.now()
    await hospital.allergies("a", allergy("Poison A"), allergy("New A", "a2"))
    await hospital.allergies("b", allergy("Poison B"), allergy("New B", "a2"))
    for credentials in order:
        await hospital.revert(*credentials, since=since)
    assert await hospital.content() == before


async def test_s3_a_resend_after_a_revert_is_equal_and_makes_no_version(hospital: Hospital) -> None:
    await hospital.allergies("good", allergy("Penicillin"))
    since = hospital.clock.now()
    await hospital.allergies("stolen", allergy("Poison"))
    await hospital.revert("stolen", since=since)
    before = await rows(hospital.store, hospital.citizen.patient_id)
    await hospital.allergies("good", allergy("Penicillin"))
    assert await rows(hospital.store, hospital.citizen.patient_id) == before


async def test_s3_ten_thousand_poisoned_items_leave_the_book_as_before(hospital: Hospital) -> None:
    await hospital.allergies("good", *(allergy(f"Chất {n}", f"a{n}") for n in range(50)))
    before, since = await hospital.content(), hospital.clock.now()
    for part in range(4):
        poison = (allergy(f"Độc {n}", f"a{n}") for n in range(part * 2500, (part + 1) * 2500))
        await hospital.allergies("stolen", *poison)
    done = await hospital.revert("stolen", since=since)
    assert await hospital.content() == before
    assert done["restored"] == {"AllergyIntolerance": 50}
    assert done["retracted"] == {"AllergyIntolerance": 9950}


async def test_s3_the_past_of_a_row_is_found_by_its_whole_key(owner: Store) -> None:
    """Planned as a join, it once went over all pairs of rows and versions into the statement's time limit."""
    async with owner.transaction() as tx:
        await tx.execute("SET LOCAL enable_nestloop = off")
        plan = await tx.fetch(f"EXPLAIN {PAST_OF_TOUCHED.sql}", uuid7(START), ["stolen"], START)
    (key,) = [line for (line,) in plan if "Index Cond" in line and "h." not in line and "r.id" in line]
    assert all(part in key for part in ("patient_id", "rtype = r.rtype", "id = r.id"))


async def test_s3_a_dry_run_counts_and_changes_nothing(hospital: Hospital) -> None:
    since = hospital.clock.now()
    await hospital.allergies("stolen-dry", allergy("Poison"))
    before = await hospital.content()
    told: list[str] = []
    store, clock = hospital.store, hospital.clock
    counted = await revert_since(store, clock, ["stolen-dry"], since, dry_run=True, say=told.append)
    assert counted.retracted == {"AllergyIntolerance": 1, "Patient": 1}
    assert await hospital.content() == before
    assert (await hospital.revert("stolen-dry", since=since))["retracted"] == counted.retracted


async def test_s3_what_a_batch_put_into_quarantine_goes_with_it(hospital: Hospital) -> None:
    since = hospital.clock.now()
    data = conflicting(hospital.citizen, allergy("Poison"))
    for credential in ("stolen-too", "good-too"):
        (report,) = await send(hospital.store, hospital.clock, hospital.facility, data, credential)
        assert report.status == "quarantined"
        data = data.replace(b"a1", b"a2")
    done = await revert_since(hospital.store, hospital.clock, ["stolen-too"], since)
    assert done.waiting == 1
    async with hospital.store.transaction() as tx:
        left = await tx.fetch("SELECT credential FROM ehr_quarantine WHERE credential LIKE '%-too'")
        events = await tx.fetchval("SELECT count(*) FROM quarantine_event WHERE act = 'reverted'")
    assert [row[0] for row in left] == ["good-too"]
    assert events == 1


async def test_s3_what_a_batch_alone_reported_of_a_person_goes_with_it(
    store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="01028")
    since = clock.now()
    stranger = Hospital(store, clock, facility, citizen)
    await stranger.package("stolen-number", DIEN_THOAI="0903999888", MA_BN="BN-XAU-1")
    done = await revert_since(store, clock, ["stolen-number"], since)
    assert (done.reports, done.numbers, done.phones) == (1, 1, 1)
    async with store.transaction() as tx:
        for table in ("person_report", "phone"):
            sql = f"SELECT count(*) FROM {table} WHERE patient_id = $1"
            role = " AND role = 'contact'" if table == "phone" else ""
            assert await tx.fetchval(sql + role, citizen.patient_id) == 0
    # The person's own number is as it was: the next sending finds the same book.
    await stranger.package("good")
    assert await stranger.content() != []


async def test_s3_the_version_of_a_poisoned_document_goes_with_it(store: Store, clock: FrozenClock) -> None:
    """Else a high number would make every honest version of the document an older one for ever."""
    facility, citizen = await make_facility(store, clock), await make_citizen(store, clock)

    async def came(version: str, credential: str) -> str:
        (report,) = await send(
            store, clock, facility, document(citizen, version=version).encode(), credential
        )
        clock.advance(hours=1)
        return report.status

    assert await came("1", "good") == "imported"
    since = clock.now()
    assert await came("999999", "stolen") == "imported"
    assert await came("2", "good") == "rejected"
    assert (await revert_since(store, clock, ["stolen"], since, dry_run=True)).versions == 1
    assert await came("2", "good") == "rejected"
    assert (await revert_since(store, clock, ["stolen"], since)).versions == 1
    assert (await revert_since(store, clock, ["stolen"], since)).versions == 0
    assert await came("2", "good") == "imported"
    assert await came("1", "good") == "rejected"
