"""Every sample file with its expected report, and every format sent twice: nothing moves, nobody is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ehr.intake.files import import_paths
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, send
from tests.ehr.intake.test_packages import visit
from tests.support import cda, phr831
from tests.support.bundles import rewrite_bundle, rewrite_package, sample_bundles, sample_package
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.shared import shared

CODE = "79031"
EXPECTED = json.loads(Path(__file__).with_name("expected_fhir.json").read_text("utf-8"))
# What an import that says nothing new leaves as it was, row by row; only ehr_unit notes when it came last.
UNMOVED = (
    *("ehr_resource", "ehr_history", "ehr_head", "outbox", "due", "notification", "delivery"),
    *("citizen", "patient_identifier", "patient_identifier_rev", "ehr_quarantine"),
)
# Beside the samples, and no records: read by nobody.
NOT_READ = {"README.md", "LICENSE", "SOURCE.txt", "lieu_dung.jsonl", "qr_payloads_SYNTHETIC.jsonl"}


async def dump(store: Store) -> dict[str, list[str]]:
    """Every row of these tables; those that are not in this version of the schema are left out."""
    async with store.transaction() as tx:
        sql = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY($1)"
        names = [row[0] for row in await tx.fetch(sql, list(UNMOVED))]
        assert {"ehr_resource", "ehr_history", "ehr_head", "outbox", "notification"} <= set(names)
        found = {name: await tx.fetch(f"SELECT t::text FROM {name} t ORDER BY 1") for name in names}
    return {name: [row[0] for row in rows] for name, rows in found.items()}


async def test_every_file_of_the_sample_folders_imports_with_the_expected_report(
    fresh_owner: Store, clock: FrozenClock
) -> None:
    """docs/mapping.md explains each line; the second import makes no version and no message."""
    store = fresh_owner
    for code in ("01028", "68001"):
        await make_facility(store, clock, code=code)
    folders = [shared("data/fhir"), shared("data/vietnam")]
    report = await import_paths(store, clock, folders)
    by_name = {Path(file.path).name: file.units for file in report.files}
    bundles = {name: units for name, units in by_name.items() if name in EXPECTED}
    assert len(bundles) == 22
    for name, (unit,) in bundles.items():
        assert (unit.status, unit.reasons) == ("imported", [])
        assert {"withheld": unit.withheld, "resources": unit.resources} == EXPECTED[name], name
    # VN Core holds profiles and code systems, no record; definitions are conformance resources too.
    others = {
        (Path(file.path).parent.name, unit.status, reason.code)
        for file in report.files
        for unit in file.units
        for reason in unit.reasons
        if "data/fhir" in file.path
    }
    assert others == {
        ("vn-core", "rejected", "wrong-root"),
        ("definitions", "rejected", "bad-bundle"),
        ("bundles", "rejected", "unknown-format"),
    }
    files = {path.name for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert files - set(by_name) == NOT_READ
    before = await dump(store)
    clock.advance(hours=1)
    again = await import_paths(store, clock, folders)
    assert {Path(f.path).name: [u.status for u in f.units] for f in again.files} == {
        name: [unit.status for unit in units] for name, units in by_name.items()
    }
    assert await dump(store) == before


def fhir_bundle(citizen: Citizen) -> bytes:
    return rewrite_bundle(sample_bundles()[-1], citizen)


def package(citizen: Citizen) -> bytes:
    return rewrite_package(sample_package(OUTPATIENT), citizen, MACSKCB=CODE, MA_CSKCB=CODE)


def every_table(citizen: Citizen) -> bytes:
    return visit(citizen, CODE, *(f"XML{number}" for number in (*range(1, 6), *range(7, 12), *range(13, 16))))


def cda_document(citizen: Citizen) -> bytes:
    sections = (
        cda.section("11450-4", "Vấn đề", "Tăng huyết áp", cda.PROBLEM),
        cda.section("10160-0", "Thuốc", "Amlodipin", cda.MEDICINE),
    )
    return cda.document(citizen, *sections).encode()


def form_831(citizen: Citizen) -> bytes:
    return phr831.sample({}, citizen).encode()


@pytest.mark.parametrize("make", [fhir_bundle, package, every_table, cda_document, form_831])
async def test_sent_twice_makes_no_version_and_no_message(
    fresh_owner: Store, clock: FrozenClock, make: Callable[[Citizen], bytes]
) -> None:
    store = fresh_owner
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code=CODE)
    data = make(citizen)
    first = await send(store, clock, facility, data)
    assert {unit.status for unit in first} == {"imported"}
    before = await dump(store)
    assert before["ehr_resource"]
    clock.advance(days=1)
    assert {unit.status for unit in await send(store, clock, facility, data)} == {"imported"}
    assert await dump(store) == before


async def test_a_form_typed_twice_with_one_key_is_one_entry(fresh_owner: Store, clock: FrozenClock) -> None:
    store = fresh_owner
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code=CODE)
    nurse = await make_doctor(store, clock, facility, "nurse")
    body: dict[str, Any] = {
        "person": {
            "numbers": [{"kind": "national-id", "value": citizen.number}],
            "name": citizen.name,
            "birth_date": citizen.birth_date,
            "sex": citizen.sex,
        },
        "encounter": {"kind": "outpatient", "started_at": "2026-11-20"},
        "diagnoses": [{"code": "I10", "name": "Tăng huyết áp"}],
    }
    headers = bearer(nurse.token) | {"Idempotency-Key": "typed-once-typed-once-1"}
    async with client_of(store, clock) as client:
        answers = [await client.post("/v1/facility/entry/records", json=body, headers=headers)]
        before = await dump(store)
        answers.append(await client.post("/v1/facility/entry/records", json=body, headers=headers))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert await dump(store) == before
