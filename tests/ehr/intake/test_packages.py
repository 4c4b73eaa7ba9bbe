"""SYNTHETIC packages into the database: check-ins, late results, resends, births, two facilities."""

import json
from typing import Any

from ehr.intake.files import import_paths
from store.database import Store
from tests.ehr.intake.records import rows, send
from tests.support import packages
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.shared import shared


def person_fields(citizen: Citizen, code: str, **more: str) -> dict[str, str]:
    birth = citizen.birth_date.replace("-", "").ljust(8, "0") + "0000"
    sex = {"male": "1", "female": "2"}.get(str(citizen.sex), "3")
    own = {"SO_CCCD": citizen.number, "HO_TEN": citizen.name, "NGAY_SINH": birth, "GIOI_TINH": sex}
    return own | {"MA_THE_BHYT": "", "MA_CSKCB": code, "MA_BN": citizen.number} | more


def visit(citizen: Citizen, code: str, *names: str, change: dict[str, dict[str, str]] | None = None) -> bytes:
    linked = {"MA_LK": f"SYN.{citizen.number}"}
    every = {name: {**linked, **(change or {}).get(name, {})} for name in names}
    for name in ("XML0", "XML1"):
        if name in every:
            every[name] |= person_fields(citizen, code)
    tables = packages.tables_of("4750", names, every)
    return packages.package(tables, facility=code)


def live(found: list[tuple[Any, ...]], rtype: str) -> list[tuple[str, int, dict[str, Any]]]:
    return [(row[1], row[2], json.loads(row[7])) for row in found if row[0] == rtype and not row[6]]


async def test_a_check_in_becomes_the_visit_and_never_empties_it(store: Store, clock: FrozenClock) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79011")
    arrival = visit(citizen, "79011", "XML0")
    (begun,) = await send(store, clock, facility, arrival)
    assert (begun.status, begun.patient_id) == ("imported", str(citizen.patient_id))
    ((first, _, doc),) = live(await rows(store, citizen.patient_id), "Encounter")
    assert doc["status"] == "in-progress"
    await send(store, clock, facility, visit(citizen, "79011", "XML1", "XML2"))
    whole = await rows(store, citizen.patient_id)
    ((second, version, doc),) = live(whole, "Encounter")
    assert (second, version, doc["status"]) == (first, 2, "finished")
    (late,) = await send(store, clock, facility, arrival)
    assert (late.status, late.resources) == ("imported", {})
    assert await rows(store, citizen.patient_id) == whole


async def test_a_result_that_comes_later_is_a_new_version_of_the_one_that_waited(
    store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79012")
    names = ("XML1", "XML3", "XML4")
    empty = {"XML4": {"GIA_TRI": "", "NGAY_KQ": "", "MO_TA": "", "KET_LUAN": ""}}
    await send(store, clock, facility, visit(citizen, "79012", *names, change=empty))

    def result(found: list[tuple[Any, ...]]) -> tuple[str, int, dict[str, Any]]:
        (one,) = [row for row in live(found, "Observation") if row[2]["code"].get("text") == "Glucose"]
        return one

    ident, version, doc = result(await rows(store, citizen.patient_id))
    assert (version, doc["status"]) == (1, "registered")
    await send(store, clock, facility, visit(citizen, "79012", *names))
    later, version, doc = result(await rows(store, citizen.patient_id))
    assert (later, version, doc["status"]) == (ident, 2, "final")


async def test_a_resend_without_a_table_retracts_its_lines_and_nothing_else(
    store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79013")
    await send(store, clock, facility, visit(citizen, "79013", "XML1", "XML2", "XML5", "XML7"))
    before = await rows(store, citizen.patient_id)
    await send(store, clock, facility, visit(citizen, "79013", "XML1", "XML5", "XML7"))
    after = await rows(store, citizen.patient_id)
    assert [row[0] for row in after if row[6]] == ["MedicationRequest"]
    gone = {"MedicationRequest"}
    assert [r for r in after if r[0] not in gone] == [r for r in before if r[0] not in gone]


async def test_s3_one_number_of_a_visit_at_two_facilities_is_two_visits(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    first = await make_facility(store, clock, code="79014")
    second = await make_facility(store, clock, code="79015")
    await send(store, clock, first, visit(citizen, "79014", "XML1", "XML2"))
    await send(store, clock, second, visit(citizen, "79015", "XML1"))
    found = await rows(store, citizen.patient_id)
    assert len(live(found, "Encounter")) == 2
    assert len(live(found, "MedicationRequest")) == 1


async def test_lines_that_come_once_more_without_their_summary_change_nothing(
    store: Store, clock: FrozenClock
) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79016")
    await send(store, clock, facility, visit(citizen, "79016", "XML1", "XML2"))
    before = await rows(store, citizen.patient_id)
    (report,) = await send(store, clock, facility, visit(citizen, "79016", "XML2"))
    assert (report.unit, report.status) == ("HOSO[1]/XML2", "imported")
    assert await rows(store, citizen.patient_id) == before


async def test_a_birth_note_begins_a_book_of_the_child(store: Store, clock: FrozenClock) -> None:
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79017")
    born = citizen.birth_date.replace("-", "").ljust(8, "0")
    mother = {"SO_CCCD_NND": citizen.number, "HO_TEN_NND": citizen.name, "NGAYSINH_NND": born}
    note = mother | {"MA_THE_TAM": "", "SO": f"GCS-{citizen.number}"}
    data = visit(citizen, "79017", "XML1", "XML9", change={"XML9": note})
    for _ in range(2):
        visited, child = await send(store, clock, facility, data)
        assert (visited.status, child.status) == ("imported", "imported")
        assert visited.patient_id == str(citizen.patient_id) != child.patient_id
    written = json.dumps([row[7] for row in await rows(store, child.patient_id)], ensure_ascii=False)
    assert "8339-4" in written
    assert citizen.number not in written
    assert citizen.name not in written


async def test_the_sample_folder_imports_with_the_expected_report(
    fresh_store: Store, clock: FrozenClock
) -> None:
    """docs/mapping.md explains each line."""
    for code in ("01028", "68001"):
        await make_facility(fresh_store, clock, code=code)
    report = await import_paths(fresh_store, clock, [shared("data/vietnam")])
    found = {
        file.path.rpartition("/")[2]: [
            (
                unit.status,
                dict(sorted(unit.resources.items())),
                unit.withheld,
                sorted({r.code for r in unit.reasons}),
            )
            for unit in file.units
        ]
        for file in report.files
    }
    wrong = ["bad-code", "bad-date", "missing-field", "row-without-list", "wrong-root"]
    assert found == {
        "dirty_AUDIT_TUONGTAC_001.xml": [("rejected", {}, 0, wrong)],
        "dirty_TRAINHL419_hang_BV.xml": [("rejected", {}, 0, wrong)],
        "giamdinhhs_ngoaitru_3176_SYNTHETIC.xml": [("imported", OUTPATIENT, 0, [])],
        "giamdinhhs_sosinh_4750_plain_SYNTHETIC.xml": [("imported", NEWBORN, 0, [])],
        "qd4750_dictionary.json": [("rejected", {}, 0, ["bad-bundle"])],
        "qd831_xml_elements.json": [("rejected", {}, 0, ["bad-bundle"])],
        "xml_fields_130_vs_3176.json": [("rejected", {}, 0, ["bad-bundle"])],
    }


OUTPATIENT = {
    "Appointment": 1,
    "CarePlan": 1,
    "ClinicalImpression": 1,
    "Condition": 3,
    "Coverage": 1,
    "DocumentReference": 1,
    "Encounter": 1,
    "MedicationRequest": 2,
    "Observation": 9,
    "Patient": 1,
}
NEWBORN = {
    "Condition": 1,
    "Coverage": 1,
    "DocumentReference": 1,
    "Encounter": 1,
    "Observation": 1,
    "Patient": 1,
    "ServiceRequest": 1,
}
