"""A core read into our tables: who the person is there, what comes, what goes, and what a failure leaves."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from ehr.core.fhir_http import FhirCore
from ehr.core.links import unclear_links
from ehr.core.policy import HARD, PARTS
from ehr.core.refresh import refresh
from ehr.core.service import REFRESH, currency, wants_core
from ehr.intake.ids import resource_id
from kernel.access import Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.fault_proxy import FaultProxy, instead, on
from tests.support.fhir_core import (
    NATIONAL_ID,
    Peer,
    allergy,
    condition,
    encounter,
    observation,
    patient,
)
from tests.support.people import Citizen, make_citizen, make_person, new_number
from tests.support.record import hospital, write


@dataclass
class Book:
    """One person here and at the core."""

    store: Store
    clock: FrozenClock
    core: FhirCore
    peer: Peer
    citizen: Citizen
    ident: str

    @property
    def patient_id(self) -> UUID:
        return self.citizen.patient_id

    async def ask(self, budget: Any = "background", **more: Any) -> bool:
        return await refresh(self.store, self.clock, self.core, self.patient_id, budget, **more)

    async def put(self, *resources: dict[str, Any]) -> None:
        await asyncio.to_thread(self.peer.put, *resources)

    def id_of(self, reference: str) -> str:
        return resource_id("core:main", reference)

    async def rows(self) -> dict[str, tuple[int, bool, int]]:
        """Our id → version, deleted, labels, without the Patient."""
        async with self.store.transaction() as tx:
            found = await tx.fetch(
                "SELECT id, version, deleted, labels FROM ehr_resource"
                " WHERE patient_id = $1 AND rtype <> 'Patient'",
                self.patient_id,
            )
        return {row[0]: (row[1], row[2], row[3]) for row in found}

    async def link(self) -> str | None:
        async with self.store.transaction() as tx:
            return await tx.fetchval("SELECT state FROM ehr_core_link WHERE patient_id = $1", self.patient_id)

    async def versions(self) -> int:
        async with self.store.transaction() as tx:
            return (
                await tx.fetchval("SELECT head_seq FROM ehr_head WHERE patient_id = $1", self.patient_id) or 0
            )


@pytest.fixture
async def book(store: Store, clock: FrozenClock, core: FhirCore, peer: Peer) -> Book:
    citizen = await make_citizen(store, clock)
    ident = f"p-{uuid4().hex[:8]}"
    made = Book(store, clock, core, peer, citizen, ident)
    await made.put(patient(ident, citizen.number))
    return made


async def test_a_person_is_found_by_number_and_the_record_comes(book: Book) -> None:
    await book.put(
        encounter(f"{book.ident}-e", book.ident),
        allergy(f"{book.ident}-a", book.ident),
        condition(f"{book.ident}-c", book.ident, encounter={"reference": f"Encounter/{book.ident}-e"}),
        *[observation(f"{book.ident}-o{n}", book.ident, f"{n}.5") for n in range(60)],
    )
    assert await book.ask()
    assert await book.link() == "linked"
    rows = await book.rows()
    assert len(rows) == 63
    assert {version for version, _, _ in rows.values()} == {1}
    async with book.store.transaction() as tx:
        owners = await tx.fetch(
            "SELECT DISTINCT source_id, method, credential FROM ehr_resource WHERE patient_id = $1",
            book.patient_id,
        )
        assert [tuple(row) for row in owners] == [("core:main", "core", "core:main")]
        assert (await currency(tx, book.core, book.patient_id, book.clock.now())).shown[0].state == "current"


async def test_asking_again_makes_no_version_and_asks_only_for_changes(book: Book, proxy: FaultProxy) -> None:
    await book.put(allergy(f"{book.ident}-a", book.ident), observation(f"{book.ident}-o", book.ident))
    assert await book.ask()
    before, proxy.seen[:] = await book.versions(), []
    book.clock.advance(minutes=20)
    assert await book.ask()
    assert await book.versions() == before
    listings = [path for path in proxy.seen if "patient=" in path]
    assert listings
    assert all("_lastUpdated=ge" in path for path in listings)
    assert any("/_history?" in path for path in proxy.seen)
    proxy.seen.clear()
    assert await book.ask()
    assert [path for path in proxy.seen if "patient=" in path] == []


async def test_a_change_is_a_version_and_a_deletion_a_retracted_row(book: Book) -> None:
    kept, changed, gone = (f"{book.ident}-{word}" for word in ("kept", "changed", "gone"))
    await book.put(*[observation(one, book.ident, "1.5") for one in (kept, changed, gone)])
    book.clock.set(book.clock.now())
    assert await book.ask()
    await book.put(observation(changed, book.ident, "9.5"))
    await asyncio.to_thread(book.peer.delete, "Observation", gone)
    book.clock.advance(minutes=6)
    assert await book.ask()
    rows = await book.rows()
    assert rows[book.id_of(f"Observation/{kept}")][:2] == (1, False)
    assert rows[book.id_of(f"Observation/{changed}")][:2] == (2, False)
    assert rows[book.id_of(f"Observation/{gone}")][:2] == (2, True)


async def test_the_comparison_finds_what_no_history_told(book: Book, proxy: FaultProxy) -> None:
    gone, stays = f"{book.ident}-gone", f"{book.ident}-stays"
    await book.put(observation(gone, book.ident), observation(stays, book.ident))
    assert await book.ask()
    await asyncio.to_thread(book.peer.delete, "Observation", gone)
    proxy.fault = instead("_history", 404)
    book.clock.advance(minutes=6)
    assert await book.ask()
    assert (await book.rows())[book.id_of(f"Observation/{gone}")][1] is False
    assert await book.ask(whole=True)
    rows = await book.rows()
    assert rows[book.id_of(f"Observation/{gone}")][1] is True
    assert rows[book.id_of(f"Observation/{stays}")][1] is False


@pytest.mark.parametrize("lie", ["no-next", "short-total", "foreign"])
async def test_an_incomplete_listing_retracts_nothing(book: Book, proxy: FaultProxy, lie: str) -> None:
    await book.put(*[observation(f"{book.ident}-{n}", book.ident) for n in range(60)])
    assert await book.ask()

    def cut(page: dict[str, Any]) -> dict[str, Any]:
        links = [one for one in page.get("link", []) if one["relation"] != "next"]
        if lie == "no-next":
            return {**page, "link": links}
        entry = page["entry"][:3]
        if lie == "short-total":
            return {**page, "link": links, "entry": entry}
        return {**page, "link": links, "entry": [*entry, {"resource": {"resourceType": "Basic", "id": "x"}}]}

    proxy.fault = on("/Observation?", cut)
    assert await book.ask(whole=True)
    assert all(not deleted for _, deleted, _ in (await book.rows()).values())
    async with book.store.transaction() as tx:
        assert (await currency(tx, book.core, book.patient_id, book.clock.now())).shown[0].state == "partial"


async def test_an_interactive_first_load_is_recent_first_and_a_job_brings_the_rest(
    book: Book, proxy: FaultProxy
) -> None:
    new, old = f"{book.ident}-new", f"{book.ident}-old"
    await book.put(
        observation(new, book.ident, day="2026-10-01"), observation(old, book.ident, day="2015-01-01")
    )
    async with book.store.transaction() as tx:
        assert await wants_core(tx, book.core, book.patient_id, book.clock.now())
    assert await book.ask("interactive")
    assert set(await book.rows()) == {book.id_of(f"Observation/{new}")}
    async with book.store.transaction() as tx:
        assert not await wants_core(tx, book.core, book.patient_id, book.clock.now())
        assert (await currency(tx, book.core, book.patient_id, book.clock.now())).shown[0].state == "partial"
        due = await tx.fetchval("SELECT count(*) FROM due_queue WHERE kind = $1 AND ref = $2", REFRESH,
                                str(book.patient_id))  # fmt: skip
        assert due == 1
    assert await book.ask()
    assert len(await book.rows()) == 2
    async with book.store.transaction() as tx:
        assert (await currency(tx, book.core, book.patient_id, book.clock.now())).shown[0].state == "current"


async def test_soft_limits_leave_it_to_a_job_and_hard_ones_wait(book: Book) -> None:
    assert await book.ask()
    for after, waits in ((timedelta(seconds=30), False), (timedelta(minutes=2), False), (HARD, True)):
        async with book.store.transaction() as tx:
            now = book.clock.now() + after
            assert await wants_core(tx, book.core, book.patient_id, now) is waits


async def test_one_refresh_per_person_at_a_time(book: Book, proxy: FaultProxy) -> None:
    proxy.block()
    first = asyncio.create_task(book.ask())
    await proxy.asked(1)
    assert await book.ask() is False
    assert len(proxy.seen) == 1
    proxy.open.set()
    assert await first
    book.clock.advance(minutes=6)
    assert await book.ask()


async def test_a_lease_of_a_process_that_died_ends_by_itself(book: Book, proxy: FaultProxy) -> None:
    proxy.block()
    first = asyncio.create_task(book.ask("interactive"))
    await proxy.asked(1)
    book.clock.advance(seconds=200)
    proxy.open.set()
    assert await book.ask()
    await first


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Lê Văn Khác"},
        {"birth_date": "1985-03-13"},
        {"gender": "male"},
        {"active": False},
        {"link": [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]},
    ],
)
async def test_s17_a_patient_that_describes_somebody_else_is_not_read(
    book: Book, other: dict[str, Any]
) -> None:
    await book.put(patient(book.ident, book.citizen.number, **other), allergy(f"{book.ident}-a", book.ident))
    assert await book.ask()
    assert await book.link() == "mismatch"
    assert await book.rows() == {}
    async with book.store.transaction() as tx:
        assert book.patient_id in {one.patient_id for one in await unclear_links(tx)}
        shown = await currency(tx, book.core, book.patient_id, book.clock.now())
    assert shown.shown[0].state == "unclear"
    assert "allergies" in shown.doubtful


@pytest.mark.parametrize(("birth_date", "name"), [("1985", "TRAN THI THU"), ("1985-03", "Trần  Thị  Thử")])
async def test_s17_a_partial_date_and_another_spelling_agree(book: Book, birth_date: str, name: str) -> None:
    await book.put(patient(book.ident, book.citizen.number, name=name, birth_date=birth_date))
    assert await book.ask()
    assert await book.link() == "linked"


async def test_s17_two_patients_with_the_number_are_a_conflict_and_neither_is_read(book: Book) -> None:
    twin = f"{book.ident}-twin"
    await book.put(patient(twin, book.citizen.number), allergy(f"{twin}-a", twin))
    assert await book.ask()
    assert await book.link() == "conflict"
    assert await book.rows() == {}


async def test_s17_a_hit_that_does_not_carry_the_number_is_none(book: Book, proxy: FaultProxy) -> None:
    stranger = {"resource": patient("stranger", new_number()), "search": {"mode": "match"}}
    proxy.fault = on("/Patient?", lambda page: {**page, "total": 1, "entry": [stranger]})
    assert await book.ask()
    assert await book.link() == "absent"


async def test_s17_a_linked_patient_that_becomes_another_is_read_no_more(book: Book) -> None:
    assert await book.ask()
    await book.put(
        patient(book.ident, book.citizen.number, name="Lê Văn Khác"), allergy(f"{book.ident}-a", book.ident)
    )
    book.clock.advance(minutes=6)
    assert await book.ask()
    assert await book.link() == "mismatch"
    assert await book.rows() == {}


async def test_s1_a_self_declared_number_asks_for_nobody(
    store: Store, clock: FrozenClock, core: FhirCore, proxy: FaultProxy
) -> None:
    from identity.people import IdentifierClaim, PersonClaim, create_person

    claim = PersonClaim(identifiers=[IdentifierClaim("national-id", new_number())], name="A", sex="female")
    async with store.transaction() as tx:
        patient_id = await create_person(tx, store.keys, claim, "self-declared", None, clock.now())
    assert await refresh(store, clock, core, patient_id, "background")
    assert proxy.seen == []


async def test_nobody_else_of_the_core_gets_in(book: Book, proxy: FaultProxy) -> None:
    other, number = await make_person(book.store, book.clock)
    await book.put(patient(f"{book.ident}-other", number), allergy(f"{book.ident}-own", book.ident))
    foreign = {"resource": allergy("foreign", f"{book.ident}-other"), "search": {"mode": "match"}}
    proxy.fault = on(
        "/AllergyIntolerance?", lambda page: {**page, "entry": [*page.get("entry", []), foreign]}
    )
    assert await book.ask()
    assert set(await book.rows()) == {book.id_of(f"AllergyIntolerance/{book.ident}-own")}
    async with book.store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM ehr_resource WHERE patient_id = $1", other) == 0
        shown = await currency(tx, book.core, book.patient_id, book.clock.now())
    assert shown.shown[0].state == "partial"


async def test_what_the_gate_stops_leaves_no_trace(book: Book, owner: Store) -> None:
    await book.put(
        condition(f"{book.ident}-secret", book.ident, "B20", "Nhiễm HIV"),
        condition(f"{book.ident}-plain", book.ident),
    )
    assert await book.ask()
    assert set(await book.rows()) == {book.id_of(f"Condition/{book.ident}-plain")}
    async with owner.transaction() as tx:
        docs = await tx.fetch("SELECT doc, item, title FROM ehr_resource WHERE patient_id = $1",
                              book.patient_id)  # fmt: skip
    assert "HIV" not in str([tuple(row) for row in docs])


async def test_a_kept_row_that_the_gate_stops_later_is_retracted(book: Book) -> None:
    ident = f"{book.ident}-c"
    await book.put(condition(ident, book.ident))
    assert await book.ask()
    await book.put(condition(ident, book.ident, "B20", "Nhiễm HIV"))
    book.clock.advance(minutes=6)
    assert await book.ask()
    assert (await book.rows())[book.id_of(f"Condition/{ident}")][1] is True


PSYCHIATRY = {"serviceType": {"text": "Khoa Tâm thần"}}


async def test_what_happened_in_a_sensitive_department_is_restricted_wherever_it_comes(book: Book) -> None:
    visit = f"{book.ident}-e"
    inside = {"encounter": {"reference": f"Encounter/{visit}"}}
    await book.put(
        encounter(visit, book.ident, **PSYCHIATRY),
        {**observation(f"{book.ident}-o", book.ident), **inside},
        condition(f"{book.ident}-c", book.ident, **inside),
    )
    assert await book.ask()
    later = {**observation(f"{book.ident}-later", book.ident), **inside}
    await book.put(later)
    book.clock.advance(minutes=30)
    assert await book.ask()
    rows = await book.rows()
    for reference in (
        f"Observation/{book.ident}-o",
        f"Condition/{book.ident}-c",
        f"Observation/{later['id']}",
    ):
        assert rows[book.id_of(reference.format(book.ident))][2] & (Label.RESTRICTED | Label.PSY), reference


async def test_a_visit_that_moves_to_a_sensitive_department_takes_its_results_along(book: Book) -> None:
    visit = f"{book.ident}-e"
    result = {
        **observation(f"{book.ident}-o", book.ident),
        "encounter": {"reference": f"Encounter/{visit}"},
    }
    await book.put(encounter(visit, book.ident), result)
    assert await book.ask()
    assert (await book.rows())[book.id_of(f"Observation/{result['id']}")][2] == 0
    await book.put(encounter(visit, book.ident, **PSYCHIATRY))
    book.clock.advance(minutes=6)
    assert await book.ask()
    assert (await book.rows())[book.id_of(f"Observation/{result['id']}")][2] == Label.RESTRICTED


async def test_one_bad_resource_leaves_the_others_and_is_told(book: Book) -> None:
    bad = {**observation(f"{book.ident}-bad", book.ident), "effectiveDateTime": "yesterday"}
    await book.put(bad, observation(f"{book.ident}-good", book.ident))
    assert await book.ask()
    assert set(await book.rows()) == {book.id_of(f"Observation/{book.ident}-good")}
    async with book.store.transaction() as tx:
        part = await tx.fetchrow(
            "SELECT refused, complete FROM ehr_core_part WHERE patient_id = $1 AND part = 'events'",
            book.patient_id,
        )
    assert tuple(part or ()) == (1, False)


async def test_a_medicine_is_named_by_a_read_of_its_own(book: Book, proxy: FaultProxy) -> None:
    medicine = {
        "resourceType": "Medication",
        "id": f"{book.ident}-m",
        "code": {"text": "Amlodipin 5 mg"},
    }
    request = {
        "resourceType": "MedicationRequest",
        "id": f"{book.ident}-r",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{book.ident}"},
        "medicationReference": {"reference": f"Medication/{book.ident}-m"},
        "authoredOn": "2026-11-01",
    }
    await book.put(medicine, request)
    assert await book.ask()
    async with book.store.transaction() as tx:
        item = await tx.fetchval(
            "SELECT item FROM ehr_resource WHERE patient_id = $1 AND rtype = 'MedicationRequest'",
            book.patient_id,
        )
    assert json.loads(item)["title"] == "Amlodipin 5 mg"
    assert any(path.endswith(f"/Medication/{book.ident}-m") for path in proxy.seen)
    assert not any("_include" in path for path in proxy.seen)


async def test_an_ambiguous_medicine_waits_for_a_reviewer_and_once(book: Book) -> None:
    request = {
        "resourceType": "MedicationRequest",
        "id": f"{book.ident}-r",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{book.ident}"},
        "medicationCodeableConcept": {"text": "Tenofovir 300 mg"},
        "authoredOn": "2026-11-01",
    }
    await book.put(request)

    async def waiting() -> int:
        async with book.store.transaction() as tx:
            return int(
                await tx.fetchval(
                    "SELECT count(*) FROM ehr_quarantine WHERE credential = 'core:main' AND kind = 'review'"
                )
            )

    before = await waiting()
    assert await book.ask()
    assert await book.rows() == {}
    assert await waiting() == before + 1
    assert await book.ask(whole=True)
    assert await waiting() == before + 1


async def test_a_core_that_is_down_leaves_what_is_here_and_says_so(book: Book, proxy: FaultProxy) -> None:
    await book.put(allergy(f"{book.ident}-a", book.ident))
    assert await book.ask()
    proxy.fault = instead("fhir", 500, b"")
    book.clock.advance(hours=25)
    assert await book.ask() is False
    assert len(await book.rows()) == 1
    async with book.store.transaction() as tx:
        now = book.clock.now()
        shown = await currency(tx, book.core, book.patient_id, now)
        assert shown.shown[0].state == "stale"
        assert shown.shown[0].as_of is not None
        assert shown.shown[0].notice_vi
        assert shown.doubtful == {"allergies", "problems", "medications"}
        assert not await wants_core(tx, book.core, book.patient_id, now), "nobody waits twice in a row"


async def test_a_core_that_was_never_reached_is_asked_again_and_not_by_every_reader(
    book: Book, proxy: FaultProxy
) -> None:
    proxy.fault = instead("fhir", 500, b"")
    assert await book.ask("interactive") is False
    assert await book.link() == "unasked"
    async with book.store.transaction() as tx:
        now = book.clock.now()
        assert not await wants_core(tx, book.core, book.patient_id, now)
        assert (await currency(tx, book.core, book.patient_id, now)).shown[0].state == "stale"
    proxy.fault = None
    book.clock.advance(minutes=1)
    async with book.store.transaction() as tx:
        assert await wants_core(tx, book.core, book.patient_id, book.clock.now())
    assert await book.ask()
    assert await book.link() == "linked"


async def test_a_part_that_fails_leaves_the_others_fresh(book: Book, proxy: FaultProxy) -> None:
    await book.put(allergy(f"{book.ident}-a", book.ident), observation(f"{book.ident}-o", book.ident))
    proxy.fault = instead("/Observation?", 500, b"")
    assert await book.ask() is False
    assert set(await book.rows()) == {book.id_of(f"AllergyIntolerance/{book.ident}-a")}
    async with book.store.transaction() as tx:
        shown = await currency(tx, book.core, book.patient_id, book.clock.now())
    assert shown.doubtful == frozenset()
    assert shown.shown[0].state == "stale"


async def test_parts_cover_what_the_summary_lists() -> None:
    types = {rtype for rule in PARTS.values() for rtype in rule.types}
    assert {"AllergyIntolerance", "Condition", "MedicationRequest", "Immunization", "Observation"} <= types
    assert NATIONAL_ID.endswith("national_id")


async def test_a_deletion_at_the_core_reaches_the_other_senders_copy_and_the_hidings(book: Book) -> None:
    """A row that goes changes the face of its copy: the copy gets a number, so that the app hears of it."""
    name = f"{book.ident}-copy"
    await book.put(observation(name, book.ident, "1.5"))
    book.clock.set(book.clock.now())
    assert await book.ask()
    async with book.store.transaction() as tx:
        row = "SELECT id, doc FROM ehr_resource WHERE patient_id = $1 AND rtype = 'Observation'"
        kept = await tx.fetchrow(row, book.patient_id)
    copy = json.loads(kept["doc"]) | {"id": "copy"}
    copy.pop("subject", None)
    await write(book.store, book.patient_id, [copy], book.clock.now(), source=hospital("b"))
    number = "SELECT seq, twin FROM ehr_resource WHERE patient_id = $1 AND source_id = 'b'"
    async with book.store.transaction() as tx:
        before, twin = await tx.fetchrow(number, book.patient_id)
    assert twin
    await asyncio.to_thread(book.peer.delete, "Observation", name)
    book.clock.advance(minutes=6)
    assert await book.ask()
    async with book.store.transaction() as tx:
        after, _ = await tx.fetchrow(number, book.patient_id)
        head = await tx.fetchval("SELECT head_seq FROM ehr_head WHERE patient_id = $1", book.patient_id)
    assert before < after <= head
