"""Units into the database: whole or not at all, whose they are, and who may touch them (S3, S17, S18)."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from msgspec import UNSET

from ehr.intake.files import import_paths
from store.database import Store
from tests.ehr.intake.records import NEWBORN, OUTPATIENT, allergy, bundle, rows, send
from tests.support.bundles import rewrite_bundle, rewrite_package, sample_bundles, sample_package
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility


@pytest.mark.parametrize("path", sample_bundles(), ids=lambda path: path.name)
async def test_every_sample_bundle_imports_into_a_citizens_book(
    store: Store, clock: FrozenClock, path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    data = rewrite_bundle(path, citizen)
    (report,) = await send(store, clock, facility, data)
    assert (report.status, report.reasons) == ("imported", [])
    assert report.patient_id == str(citizen.patient_id)
    stored = await rows(store, citizen.patient_id)
    entries = len(json.loads(data)["entry"])
    assert len(stored) == sum(report.resources.values())
    assert len(stored) + report.withheld >= entries >= len(stored)
    (again,) = await send(store, clock, facility, data)
    assert again.status == "imported"
    assert await rows(store, citizen.patient_id) == stored


async def test_a_package_imports_and_its_resend_makes_no_version(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    data = rewrite_package(sample_package(OUTPATIENT), citizen)
    (report,) = await send(store, clock, facility, data)
    assert (report.status, report.reasons) == ("imported", [])
    stored = await rows(store, citizen.patient_id)
    assert report.resources["MedicationRequest"] == 2
    assert {row[2] for row in stored} == {1}
    await send(store, clock, facility, data)
    assert await rows(store, citizen.patient_id) == stored


async def test_a_resend_with_fewer_rows_retracts_the_absent_one(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    path = sample_package(OUTPATIENT)
    (first,) = await send(store, clock, facility, rewrite_package(path, citizen, MA_BENH_KT="E11.9;E78.5"))
    assert (first.status, first.reasons) == ("imported", [])
    await send(store, clock, facility, rewrite_package(path, citizen, MA_BENH_KT="E78.5"))
    live = [row for row in await rows(store, citizen.patient_id) if row[0] == "Condition" and not row[6]]
    assert sorted(json.loads(row[7])["code"]["coding"][0]["code"] for row in live) == ["E78.5", "I10"]


async def test_a_newborn_without_number_gets_a_book_and_the_resend_finds_it(
    store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock, code="68001")
    data = sample_package(NEWBORN).read_bytes()
    (first,) = await send(store, clock, facility, data)
    (second,) = await send(store, clock, facility, data)
    assert first.status == second.status == "imported"
    assert first.patient_id == second.patient_id


async def test_parallel_sendings_of_a_unit_without_number_make_one_person_and_one_book(
    fresh_store: Store, clock: FrozenClock
) -> None:
    somebody, facility = await make_citizen(fresh_store, clock), await make_facility(fresh_store, clock)
    unnumbered = json.loads(bundle(somebody, allergy()))
    del unnumbered["entry"][0]["resource"]["identifier"]
    data = json.dumps(unnumbered).encode()
    sent = await asyncio.gather(*(send(fresh_store, clock, facility, data) for _ in range(10)))
    assert {report.status for (report,) in sent} == {"imported"}
    assert len({report.patient_id for (report,) in sent}) == 1
    async with fresh_store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM citizen") == 2
        assert await tx.fetchval("SELECT count(*) FROM ehr_resource WHERE rtype = 'Patient'") == 1


async def test_a_quarantined_unit_belongs_to_nobody_and_can_be_sent_again(
    store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock)
    other = json.loads(bundle(citizen, allergy()))
    other["entry"][0]["resource"]["name"] = [{"text": "Người Khác"}]
    for _ in range(2):
        (report,) = await send(store, clock, facility, json.dumps(other).encode())
        assert report.status == "quarantined"
    (report,) = await send(store, clock, facility, bundle(citizen, allergy()))
    assert (report.status, report.patient_id) == ("imported", str(citizen.patient_id))


@pytest.mark.parametrize("name", ["dirty_AUDIT_TUONGTAC_001.xml", "dirty_TRAINHL419_hang_BV.xml"])
async def test_vendor_files_are_refused_with_a_reason_per_field(
    store: Store, clock: FrozenClock, name: str
) -> None:
    (report,) = await send(store, clock, None, sample_package(name).read_bytes())
    assert report.status == "rejected"
    codes = {(reason.code, reason.where) for reason in report.reasons}
    assert ("wrong-root", "/HS") in codes
    assert ("bad-date", "/HS/TONG_HOP/NGAY_VAO") in codes
    assert ("row-without-list", "/HS/CHI_TIET_THUOC[1]") in codes


async def test_s17_another_name_birth_date_or_sex_goes_to_quarantine(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    for change in ({"name": [{"text": "Người Khác"}]}, {"birthDate": "1911-01-01"}):
        made = json.loads(bundle(citizen, allergy()))
        made["entry"][0]["resource"] |= change
        (report,) = await send(store, clock, facility, json.dumps(made).encode())
        assert report.status == "quarantined"
        assert [r.code for r in report.reasons] == ["identity-conflict"]
        assert report.patient_id is UNSET
    assert await rows(store, citizen.patient_id) == []


async def test_s18_a_death_code_marks_and_freezes_nothing(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    data = rewrite_package(sample_package(OUTPATIENT), citizen, KET_QUA_DTRI="5")
    await send(store, clock, facility, data)
    async with store.transaction() as tx:
        state = await tx.fetchval("SELECT state FROM citizen WHERE patient_id = $1", citizen.patient_id)
    assert state == "death-reported"


async def test_s3_another_facility_changes_nothing_of_the_first(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    a = await make_facility(store, clock, code="01028")
    b = await make_facility(store, clock, code="79088")
    package = rewrite_package(sample_package(OUTPATIENT), citizen)
    await send(store, clock, a, package, "a")
    await send(store, clock, a, bundle(citizen, allergy()), "a")
    before = await rows(store, citizen.patient_id)
    own = [row for row in before if row[4] == str(a.facility_id)]
    assert own == before
    for data in (
        package,
        bundle(citizen, allergy(), ifNoneExist="code=x"),
        bundle(citizen, allergy(), url="AllergyIntolerance?code=x"),
        bundle(citizen, allergy(), ifMatch='W/"1"'),
        bundle(citizen, allergy(), method="DELETE"),
        bundle(citizen, allergy(), method="GET"),
        bundle(citizen, allergy(), method="PATCH"),
    ):
        (report,) = await send(store, clock, b, data, "b")
        assert report.status == "rejected"
        assert report.patient_id is UNSET
    (put,) = await send(store, clock, b, bundle(citizen, allergy("Nothing")), "b")
    assert put.status == "imported"
    after = [row for row in await rows(store, citizen.patient_id) if row[4] == str(a.facility_id)]
    assert after == own


async def test_s3_the_command_refuses_a_package_of_another_facility(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    await make_facility(store, clock, code="79088")
    await make_facility(store, clock, code="01028")
    path = sample_package(OUTPATIENT)
    report = await import_paths(store, clock, [path], facility_code="79088")
    (unit,) = report.files[0].units
    assert (unit.status, unit.reasons[0].code) == ("rejected", "facility-mismatch")


async def test_a_dry_run_leaves_nothing(store: Store, clock: FrozenClock, tmp_path: Path) -> None:
    citizen = await make_citizen(store, clock)
    await make_facility(store, clock, code="01028")
    path = tmp_path / "package.xml"
    path.write_bytes(rewrite_package(sample_package(OUTPATIENT), citizen))
    report = await import_paths(store, clock, [tmp_path], dry_run=True)
    assert report.files[0].units[0].status == "imported"
    assert await rows(store, citizen.patient_id) == []


async def test_an_episode_with_one_wrong_field_is_not_half_imported(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    data = rewrite_package(sample_package(OUTPATIENT), citizen, NGAY_YL="202602300930")
    (report,) = await send(store, clock, facility, data)
    assert report.status == "rejected"
    assert [(r.code, r.where) for r in report.reasons] == [
        ("bad-date", "HOSO[1]/XML2[1].NGAY_YL"),
        ("bad-date", "HOSO[1]/XML2[2].NGAY_YL"),
    ]
    assert await rows(store, citizen.patient_id) == []


async def test_what_the_gate_stops_is_nowhere_in_the_database(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    data = rewrite_package(
        sample_package(OUTPATIENT),
        citizen,
        MA_BENH_KT="E11.9;B20",
        TEN_CHI_SO="Anti-H I V nhanh",
        MA_DOITUONG_KCB="1.9",
        GHI_CHU="Đến phòng khám OPC nhận thuốc ARV",
    )
    (report,) = await send(store, clock, facility, data)
    assert report.status == "imported"
    assert report.withheld == 5
    kept = "\n".join(row[7] for row in await rows(store, citizen.patient_id)).lower()
    text = re.sub(r'"data":"[^"]*"', "", kept)
    assert "amlodipin" in text
    assert re.search(r'"b20|h i v|\bopc\b|\barv\b', text) is None
