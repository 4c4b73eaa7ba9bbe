"""The vaccination book over HTTP: every dose with its source and state, and nothing that disappears."""

import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader

from ehr.models import Source
from ehr.store import mark_rows
from kernel.access import Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import hospital, our_id, own, write
from vaccination.book.antigens import ANTIGEN_SYSTEM, CVX
from vaccination.book.reading import dose_of

BOOK = "/v1/me/vaccination"
NUMBERS = "urn:test:tcmr"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def dose(name: str, code: str, day: str | None, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": code}], "text": name},
        **({"occurrenceDateTime": day} if day else {}),
        "lotNumber": f"L-{name}",
        "protocolApplied": [{"doseNumberPositiveInt": 1}],
    } | more


async def sent(
    store: Store, clock: FrozenClock, patient_id: UUID, *rows: dict[str, Any], source: Source | None = None
) -> None:
    """All that one sender has of the person: what is missing now is taken back."""
    await write(store, patient_id, list(rows), clock.now(), source=source, unit="doses")


async def book(client: httpx.AsyncClient, token: str, path: str = BOOK, **more: str) -> dict[str, Any]:
    found = await client.get(path, headers=bearer(token) | more)
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


async def doctor_of(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


async def test_a_dose_says_where_it_comes_from_and_what_it_protects_against(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_facility(store, clock)
    more = {
        "identifier": [{"system": NUMBERS, "value": "77"}],
        "manufacturer": {"display": "Serum Institute of India"},
        "protocolApplied": [{"doseNumberString": "2", "seriesDosesPositiveInt": 3}],
    }
    source = hospital(str(station.facility_id), station.facility_id)
    await sent(store, clock, who.patient_id, dose("5 trong 1", "198", "2026-03-01", **more), source=source)
    answer = await book(client, who.token)
    (one,) = answer["doses"]
    told = {
        "given": "2026-03-01",
        "given_precision": "day",
        "antigens": ["hepb", "diphtheria", "tetanus", "pertussis", "hib"],
        "code": "198",
        "manufacturer": "Serum Institute of India",
        "lot": "L-5 trong 1",
        "dose_number": 2,
        "series_doses": 3,
        "facility_id": str(station.facility_id),
        "facility_name": station.name,
        "source": str(station.facility_id),
        "source_name": station.name,
        "state": "verified",
        "identifier": f"{NUMBERS}|77",
        "is_counted": True,
    }
    assert {name: one[name] for name in told} == told
    assert one["received_at"].startswith(clock.now().isoformat()[:10])
    assert [row["antigen"] for row in answer["antigens"]] == told["antigens"]
    assert (answer["tombstones"], answer["unknown"], answer["notice"]) == ([], 0, None)


async def test_a_dose_that_is_passed_on_is_no_dose_of_its_sender(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """A national system, or a facility that copies a booklet, gave nothing (security.md S28)."""
    who, station = await make_citizen(store, clock), await make_facility(store, clock)
    more = {"primarySource": False, "location": {"display": "Trạm y tế Mẫu"}}
    copied = hospital(str(station.facility_id), station.facility_id)
    await sent(store, clock, who.patient_id, dose("Sởi", "05", "2026-03-01", **more), source=copied)
    (one,) = (await book(client, who.token))["doses"]
    assert (one["facility_id"], one["facility_name"]) == (None, "Trạm y tế Mẫu")
    assert (one["source"], one["source_name"]) == (str(station.facility_id), station.name)


async def test_what_the_sender_says_a_dose_is_against_holds_before_its_name(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    disease = {"coding": [{"system": ANTIGEN_SYSTEM, "code": "je"}]}
    named = dose("Vắc xin X", "", "2026-03-01", vaccineCode={"text": "Vắc xin X"})
    named["protocolApplied"] = [{"targetDisease": [disease], "doseNumberPositiveInt": 2}]
    strange = dose("Vắc xin Y", "", "2026-03-02", vaccineCode={"text": "Vắc xin Y"})
    broken = dose("BCG", "19", "2026-03-03", protocolApplied=[{"targetDisease": "lao"}])
    await sent(store, clock, who.patient_id, named, strange, broken)
    answer = await book(client, who.token)
    assert [(one["title"], one["antigens"]) for one in answer["doses"]] == [
        ("BCG", ["bcg"]),
        ("Vắc xin Y", []),
        ("Vắc xin X", ["je"]),
    ]
    assert answer["unknown"] == 1


async def test_the_same_dose_of_two_senders_stands_once_with_both(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    await sent(store, clock, who.patient_id, dose("VGB", "08", "2026-03-01"), source=hospital("a"))
    await sent(store, clock, who.patient_id, dose("Engerix-B", "45", "2026-03-01"), source=hospital("b"))
    await sent(store, clock, who.patient_id, dose("VGB 2", "08", "2026-04-01"), source=hospital("c"))
    answer = await book(client, who.token)
    assert [one["given"] for one in answer["doses"]] == ["2026-04-01", "2026-03-01"]
    assert [len(one["copies"]) for one in answer["doses"]] == [0, 1]
    (row,) = answer["antigens"]
    assert row["doses"] == [answer["doses"][1]["immunization_id"], answer["doses"][0]["immunization_id"]]


async def test_what_a_facility_takes_back_leaves_a_stone_with_its_reason(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    first, second = dose("Sởi", "05", "2026-03-01"), dose("BCG", "19", "2026-02-01")
    await sent(store, clock, who.patient_id, first, second)
    await sent(store, clock, who.patient_id, dose("Sởi đơn", "05", "2026-03-01"))
    answer = await book(client, who.token)
    (stands,) = answer["doses"]
    stones = {stone["title"]: stone for stone in answer["tombstones"]}
    assert {name: stone["reason"] for name, stone in stones.items()} == {
        "Sởi": "replaced",
        "BCG": "retracted",
    }
    assert stones["Sởi"]["replaced_by"] == stands["immunization_id"]
    assert stones["BCG"]["given"] == "2026-02-01"
    assert all(stone["reason_vi"] and stone["reason_en"] for stone in stones.values())
    await sent(store, clock, who.patient_id, dose("Sởi đơn", "05", "2026-03-01", status="entered-in-error"))
    answer = await book(client, who.token)
    assert answer["doses"] == []
    assert {stone["title"]: stone["reason"] for stone in answer["tombstones"]} == {
        "Sởi đơn": "entered-in-error",
        "Sởi": "retracted",
        "BCG": "retracted",
    }


async def test_nothing_verified_disappears_on_any_sync(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Whatever senders do afterwards, each dose that once stood is a dose, a copy or a stone."""
    who = await make_citizen(store, clock)
    seen: set[str] = set()
    rows = [dose(f"d{n}", code, f"2026-0{n}-01") for n, code in ((1, "19"), (2, "08"), (3, "198"), (4, "05"))]
    for kept in (rows, rows[1:], [rows[0]], [], rows[2:], [dose("d4", "05", "2026-04-02")]):
        await sent(store, clock, who.patient_id, *kept)
        answer = await book(client, who.token)
        there = {one["immunization_id"] for one in answer["doses"]}
        there |= {copy["immunization_id"] for one in answer["doses"] for copy in one["copies"]}
        there |= {stone["immunization_id"] for stone in answer["tombstones"]}
        seen |= there
        assert there == seen
    assert len(seen) == 4


async def test_an_objection_shows_and_a_strangers_dose_leaves_nothing_but_that_it_was(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    await sent(store, clock, who.patient_id, dose("Sởi", "05", "2026-03-01"), dose("BCG", "19", "2026-02-01"))
    async with owner.transaction() as tx:
        sql = "UPDATE ehr_resource SET contested = true WHERE patient_id = $1 AND id = $2"
        await tx.execute(sql, who.patient_id, our_id("a", "Sởi"))
    async with store.transaction() as tx:
        rows = [("Immunization", our_id("a", "BCG"))]
        await mark_rows(tx, who.patient_id, rows, clock.now(), state="disputed")
    found = await client.get(BOOK, headers=bearer(who.token))
    answer = found.json()
    assert [(one["title"], one["state"]) for one in answer["doses"]] == [("Sởi", "being-corrected")]
    (stone,) = answer["tombstones"]
    assert (stone["reason"], stone["title"], stone["given"]) == ("not-mine", None, None)
    assert "BCG" not in found.text


async def test_stones_are_for_the_person_and_the_family_and_no_doctor_reads_them(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    parent, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    child = await make_child(store, clock, parent, birth_date="2024-01-01")
    gone, disputed = dose("Sởi", "05", "2026-03-01"), dose("BCG", "19", "2026-02-01")
    await sent(store, clock, child, gone, disputed)
    await sent(store, clock, child, disputed)
    async with store.transaction() as tx:
        rows = [("Immunization", our_id("a", "BCG"))]
        await mark_rows(tx, child, rows, clock.now(), state="disputed")
    named = {"X-Patient-Id": str(child)}
    reasons = [one["reason"] for one in (await book(client, parent.token, **named))["tombstones"]]
    assert reasons == ["retracted"], "what the child says is somebody else's is not the guardian's to read"
    adult = await make_citizen(store, clock)
    await sent(store, clock, adult.patient_id, gone)
    await sent(store, clock, adult.patient_id)
    await granted(store, clock, doctor, adult)
    path = f"/v1/doctor/patients/{adult.patient_id}/vaccination"
    answer = await book(client, doctor.token, path)
    assert answer["tombstones"] == []
    assert answer["notice"] is not None


async def test_who_sees_no_row_sees_neither_its_dose_nor_its_stone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, proxy, doctor = (
        await make_citizen(store, clock),
        await make_citizen(store, clock),
        await doctor_of(store, clock),
    )
    rows = [dose("Dại", "90", "2026-03-01"), dose("Cúm", "88", "2026-02-01")]
    source = hospital("x")
    await write(store, who.patient_id, rows, clock.now(), source=source, unit="u", labels=int(Label.SEX))
    await write(store, who.patient_id, rows[:1], clock.now(), source=source, unit="u", labels=int(Label.SEX))
    await make_proxy(store, clock, who, proxy, "read-record")
    named = {"X-Patient-Id": str(who.patient_id)}
    answer = await book(client, proxy.token, **named)
    assert (answer["doses"], answer["antigens"], answer["tombstones"]) == ([], [], [])
    await granted(store, clock, doctor, who, types=frozenset({"Condition"}))
    path = f"/v1/doctor/patients/{who.patient_id}/vaccination"
    refused = await client.get(path, headers=bearer(doctor.token))
    assert (refused.status_code, refused.json()["code"]) == (403, "vaccination-not-granted"), (
        "not an empty one"
    )
    own = await book(client, who.token)
    assert (len(own["doses"]), len(own["tombstones"])) == (1, 1)


async def test_without_a_grant_a_book_is_closed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    path = f"/v1/doctor/patients/{who.patient_id}/vaccination"
    refused = await client.get(path, headers=bearer(doctor.token))
    assert (refused.status_code, refused.json()["code"]) == (403, "no-access")


async def test_the_printed_book_has_doses_and_states_and_nothing_hidden(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock, birth_date="2020-01-01", sex="female")
    await sent(
        store, clock, who.patient_id, dose("Sởi MVVAC", "05", "2021-03-01"), dose("Dại", "90", "2026-02-01")
    )
    async with store.transaction() as tx:
        sql = "UPDATE ehr_resource SET hidden_from = ARRAY[$3::uuid] WHERE patient_id = $1 AND id = $2"
        nobody = "00000000-0000-0000-0000-000000000000"
        await tx.execute(sql, who.patient_id, our_id("a", "Dại"), nobody)
    found = await client.get(f"{BOOK}.pdf", headers=bearer(who.token))
    assert found.status_code == 200, found.text
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(found.content)).pages)
    assert found.headers["content-disposition"].startswith("attachment")
    for told in ("Sổ tiêm chủng", "Sởi MVVAC", "lô L-Sởi MVVAC", "01/03/2021", "cơ sở xác nhận", "Measles"):
        assert told in text, text
    assert "ghi nhận 1 mũi: 01/03/2021" in text
    assert "số mũi không cho biết đã đủ hay chưa" in " ".join(text.split()), "too early is for the schedule"
    assert "Dại" not in text
    assert [one["title"] for one in (await book(client, who.token))["doses"]] == ["Dại", "Sởi MVVAC"]


async def test_a_long_book_is_cut_and_says_so(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    rows = [dose(f"d{n}", "88", f"{1990 + n // 28}-01-{n % 28 + 1:02d}") for n in range(101)]
    await sent(store, clock, who.patient_id, *rows[1:])
    whole = await book(client, who.token)
    assert (len(whole["doses"]), whole["more"]) == (100, False)
    await sent(store, clock, who.patient_id, *rows)
    answer = await book(client, who.token)
    assert (len(answer["doses"]), answer["more"]) == (100, True)
    assert answer["doses"][-1]["given"] == "1990-01-02"


async def test_what_one_sender_pours_in_pushes_nobody_elses_dose_out_of_the_book(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Security.md S3: a facility, or its faulty system, sends hundreds of rows that are newer."""
    who = await make_citizen(store, clock)
    await sent(store, clock, who.patient_id, dose("COVID", "208", "2021-09-12"), source=hospital("b"))
    flood = [dose(f"x{n}", "08", f"{2022 + n // 280}-0{n % 9 + 1}-{n % 28 + 1:02d}") for n in range(520)]
    await sent(store, clock, who.patient_id, *flood, source=hospital("z"))
    answer = await book(client, who.token)
    assert answer["more"]
    assert [one["title"] for one in answer["doses"]][-1] == "COVID"
    async with store.transaction() as tx:
        old = await dose_of(tx, own(who.patient_id), our_id("b", "COVID"), clock.now())
    assert old is not None, "and it can be objected to"
