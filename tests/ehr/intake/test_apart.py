"""Tables that come without the summary of their visit wait for it; then they follow it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ehr.intake import apart
from ehr.intake.receipts import receipt_of, receive
from ehr.intake.revert import revert_since
from healthbook.housekeeping import CHORES
from identity.models import Facility
from kernel.ids import uuid7
from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.support import packages
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility

CODE = "79001"


def tables(citizen: Citizen, *names: str, **changes: str) -> dict[str, list[dict[str, str]]]:
    born = citizen.birth_date.replace("-", "").ljust(8, "0") + "0000"
    own = {"SO_CCCD": citizen.number, "HO_TEN": citizen.name, "NGAY_SINH": born}
    own |= {
        "GIOI_TINH": "1" if citizen.sex == "male" else "2",
        "MA_THE_BHYT": "",
        "MA_BN": citizen.number[-6:],
    }
    summary = own | {"NGAY_TAI_KHAM": "", "MA_LOAI_RV": "1"} | changes
    return packages.tables_of("3176", names, dict.fromkeys(names, summary))


def hoso(*each: dict[str, list[dict[str, str]]]) -> bytes:
    """One file of several HOSO."""
    inner = b"".join(
        packages.package(one, facility=CODE).split(b"<DANHSACHHOSO>")[1].split(b"</DANHSACHHOSO>")[0]
        for one in each
    )
    return packages.envelope(inner.decode(), CODE)


async def standing(store: Store, citizen: Citizen) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in await rows(store, citizen.patient_id):
        if not row[6]:
            found[row[0]] = found.get(row[0], 0) + 1
    return found


async def waiting(store: Store) -> list[tuple[Any, ...]]:
    async with store.transaction() as tx:
        found = await tx.fetch("SELECT kind, reason, body FROM ehr_quarantine ORDER BY quarantine_id")
    return [tuple(row) for row in found]


@pytest.fixture
async def hospital(fresh_store: Store, clock: FrozenClock) -> Facility:
    return await make_facility(fresh_store, clock, code=CODE)


@pytest.fixture
async def citizen(fresh_store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(fresh_store, clock)


async def test_medicines_before_the_summary_wait_sealed_and_come_with_it(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    first = hoso(tables(citizen, "XML2", "XML4"))
    told = await send(fresh_store, clock, hospital, first)
    assert [(one.unit, one.status, one.reasons[0].code) for one in told] == [
        ("HOSO[1]/XML2", "quarantined", "awaiting-summary"),
        ("HOSO[1]/XML4", "quarantined", "awaiting-summary"),
    ]
    kept = await waiting(fresh_store)
    assert [(kind, reason) for kind, reason, _ in kept] == [("part", "awaiting-summary")] * 2
    assert not any("Thuốc Giả Định".encode() in body for _, _, body in kept)
    assert await standing(fresh_store, citizen) == {}
    (report,) = await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1")))
    assert (report.status, report.reasons) == ("imported", [])
    assert await waiting(fresh_store) == []
    apart_rows = await rows(fresh_store, citizen.patient_id)
    whole = await make_citizen(fresh_store, clock)
    await send(fresh_store, clock, hospital, hoso(tables(whole, "XML1", "XML2", "XML4", MA_LK="SYN.0002")))
    assert await standing(fresh_store, citizen) == await standing(fresh_store, whole)
    medicines = [json.loads(row[7]) for row in apart_rows if row[0] == "MedicationRequest"]
    # The stay was inpatient: no reminder comes of its medicines.
    assert medicines
    assert {one["status"] for one in medicines} == {"completed"}


async def test_the_order_of_messages_and_their_repeats_make_no_difference(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    summary, lines = tables(citizen, "XML1"), tables(citizen, "XML2", "XML5")
    await send(fresh_store, clock, hospital, hoso(lines, summary))
    before = await rows(fresh_store, citizen.patient_id)
    assert {"Encounter", "MedicationRequest", "ClinicalImpression"} <= {row[0] for row in before}
    for again in ((lines, summary), (summary, lines), (summary,), (lines,)):
        clock.advance(hours=1)
        reports = await send(fresh_store, clock, hospital, hoso(*again))
        assert {one.status for one in reports} == {"imported"}
        assert await rows(fresh_store, citizen.patient_id) == before
    assert await waiting(fresh_store) == []


async def test_a_table_sent_apart_again_replaces_itself_and_a_whole_sending_all(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    lines = tables(citizen, "XML2")
    fewer = {"XML2": lines["XML2"][:1]}
    more = {"XML2": [*lines["XML2"], lines["XML2"][0] | {"MA_THUOC": "40.99", "TEN_THUOC": "Thuốc Khác"}]}
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1"), more))
    all_of_them = (await standing(fresh_store, citizen))["MedicationRequest"]
    await send(fresh_store, clock, hospital, hoso(fewer))
    assert (await standing(fresh_store, citizen))["MedicationRequest"] == 1 < all_of_them
    # The summary with its medicines is the whole of them; without them afterwards they are dropped.
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1") | more))
    assert (await standing(fresh_store, citizen))["MedicationRequest"] == all_of_them
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1")))
    assert "MedicationRequest" not in await standing(fresh_store, citizen)


async def test_a_check_in_does_not_take_the_lines_that_wait_for_the_summary(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    begun = tables(citizen, "XML0", "XML2")
    reports = await send(fresh_store, clock, hospital, hoso(begun))
    assert [one.status for one in reports] == ["imported", "quarantined"]
    assert "MedicationRequest" not in await standing(fresh_store, citizen)
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1")))
    assert "MedicationRequest" in await standing(fresh_store, citizen)


async def test_s17_lines_follow_a_summary_that_turns_out_to_be_somebody_elses(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    other = await make_citizen(fresh_store, clock)
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML2"), tables(citizen, "XML1")))
    expected = await standing(fresh_store, citizen)
    await send(fresh_store, clock, hospital, hoso(tables(other, "XML1")))
    assert await standing(fresh_store, citizen) == {}
    assert await standing(fresh_store, other) == expected


async def test_s19_a_summary_in_quarantine_and_one_in_the_book_look_alike_to_a_later_table(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    known = await make_citizen(fresh_store, clock)
    conflicting = tables(citizen, "XML1", HO_TEN="Hoàn Toàn Khác", MA_LK="C.1")
    await send(fresh_store, clock, hospital, hoso(conflicting, tables(known, "XML1", MA_LK="K.1")))
    actor = uuid7(clock.now())
    told = []
    for who, number in ((citizen, "C.1"), (known, "K.1")):
        body = hoso(tables(who, "XML2", MA_LK=number))
        receipt = await receive(fresh_store, clock, hospital, actor, body)
        told.append([(unit.unit, unit.accepted, unit.reasons) for unit in receipt.units])  # type: ignore[union-attr]
    assert told[0] == told[1] == [("HOSO[1]/XML2", True, [])]
    assert await standing(fresh_store, citizen) == {}


async def test_a_receipt_says_that_a_table_waits_for_its_summary(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    actor = uuid7(clock.now())
    receipt = await receive(fresh_store, clock, hospital, actor, hoso(tables(citizen, "XML2")))
    async with fresh_store.transaction() as tx:
        again = await receipt_of(tx, actor, receipt.receipt_id)  # type: ignore[union-attr]
    assert again == receipt
    (unit,) = receipt.units  # type: ignore[union-attr]
    assert (unit.accepted, [one.code for one in unit.reasons]) == (True, ["awaiting-summary"])


async def test_s3_a_summary_of_another_facility_with_the_same_number_gets_no_lines(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    clinic = await make_facility(fresh_store, clock, code="01028")
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML2")))
    summary = packages.package(tables(citizen, "XML1", MA_CSKCB="01028"), facility="01028")
    (report,) = await send(fresh_store, clock, clinic, summary)
    assert report.status == "imported"
    assert "MedicationRequest" not in await standing(fresh_store, citizen)
    assert len(await waiting(fresh_store)) == 1


async def test_what_waited_thirty_days_for_a_summary_goes(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML2")))
    (chore,) = [one for one in CHORES if one.name == "tables-apart"]
    for days, left in ((29, 1), (2, 0)):
        clock.advance(days=days)
        async with fresh_store.transaction() as tx:
            await chore.work(tx, clock.now() - chore.kept, 100)
        assert len(await waiting(fresh_store)) == left
    assert chore.kept == timedelta(days=30)


@pytest.mark.parametrize("summary_first", [True, False])
async def test_s3_taking_a_credential_back_takes_its_lines_out_of_the_visit_and_out_of_waiting(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen, *, summary_first: bool
) -> None:
    since = clock.now()
    if summary_first:
        await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1")), "good")
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML2")), "stolen")
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML5", MA_LK="SYN.0009")), "stolen")
    if not summary_first:
        await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1")), "good")
    assert "MedicationRequest" in await standing(fresh_store, citizen)
    clock.advance(hours=1)
    await revert_since(fresh_store, clock, ["stolen"], since)
    left = await standing(fresh_store, citizen)
    assert "MedicationRequest" not in left
    assert left["Encounter"] == 1
    assert await waiting(fresh_store) == []


async def test_an_ambiguous_medicine_sent_apart_waits_for_its_reviewer_once_its_person_is_known(
    fresh_store: Store, clock: FrozenClock, hospital: Facility, citizen: Citizen
) -> None:
    lines = tables(citizen, "XML2")
    lines["XML2"].append(lines["XML2"][0] | {"MA_THUOC": "05.1", "TEN_THUOC": "Tenofovir 300mg"})
    lines["XML2"].append(lines["XML2"][0] | {"MA_THUOC": "05.2", "TEN_THUOC": "Efavirenz 600mg"})
    (report,) = await send(fresh_store, clock, hospital, hoso(lines))
    assert report.withheld == 2
    assert [kind for kind, *_ in await waiting(fresh_store)] == ["part"]
    await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML1")))
    assert [kind for kind, *_ in await waiting(fresh_store)] == ["review"]
    shown = json.dumps([row[7] for row in await rows(fresh_store, citizen.patient_id)])
    assert "enofovir" not in shown
    assert "favirenz" not in shown


async def test_waiting_is_bounded_for_each_sender(
    fresh_store: Store,
    clock: FrozenClock,
    hospital: Facility,
    citizen: Citizen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apart, "WAITING_PER_BUCKET_MAX", 0)
    (report,) = await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML2")))
    assert (report.status, report.reasons[0].code) == ("rejected", "too-many-waiting")
    monkeypatch.setattr(apart, "WAITING_PER_BUCKET_MAX", 10)
    monkeypatch.setattr(apart, "BYTES_MAX", 10)
    (report,) = await send(fresh_store, clock, hospital, hoso(tables(citizen, "XML2")))
    assert (report.status, report.reasons[0].code) == ("rejected", "too-large")
    assert await waiting(fresh_store) == []
