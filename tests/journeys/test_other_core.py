"""The main path with EHR_CORE_URL set: a hospital's own FHIR server is one more source of the book.

Two API processes and a worker, an independent server, and the same screens as without it.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from healthbook.demo_sheet import DemoSheet
from tests.journeys.conftest import People
from tests.journeys.test_main_path import HOSPITAL, other_reads, present
from tests.support.bundles import rewrite_bundle, rewrite_package, sample_package
from tests.support.client import Api, App
from tests.support.fhir_core import TOKEN, Peer, resources_of, running_peer
from tests.support.service import Service, start_service
from tests.support.shared import shared

NAME = "Bệnh viện Hồ Sơ Khác"
SAMPLE = "data/fhir/bundles/clinosim-us-pt-32b8c2988e1c.json.gz"


class World:
    """A demo with an independent core beside it; the core can be taken away."""

    def __init__(self, service: Service, sheet: DemoSheet, peer: Peer, people: People) -> None:
        self.service, self.sheet, self.peer, self.people = service, sheet, peer, people


@pytest.fixture(scope="module")
def world(place: Path, sheet: DemoSheet) -> Iterator[World]:
    directory = Path(tempfile.mkdtemp(prefix="hbc-"))
    try:
        with running_peer(directory) as peer:
            service = start_service(
                place,
                workers=2,
                EHR_CORE_URL=peer.base,
                EHR_CORE_TOKEN=TOKEN,
                EHR_CORE_NAME=NAME,
            )
            try:
                yield World(service, sheet, peer, People(Api(service.base_url), sheet))
            finally:
                service.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def until(found: Callable[[], Any], service: Service) -> Any:
    """What `found` gives as soon as it gives something; the worker needs a moment."""
    for _ in range(300):
        if what := found():
            return what
        time.sleep(0.1)
    told = [line for line in service.log.read_text().splitlines() if "core_" in line or "failed" in line]
    raise AssertionError(told[-5:])


def core_of(app: App) -> dict[str, Any]:
    (shown,) = app.get("/v1/me/summary")["cores"]
    found: dict[str, Any] = shown
    return found


def names_in(items: list[dict[str, Any]]) -> set[str | None]:
    return {item.get("facility_name") for item in items}


def test_the_main_path_with_another_core_behind_the_book(world: World) -> None:
    citizen = next(one for one in world.sheet.citizens if one.key == "lan")
    resources = resources_of(rewrite_bundle(shared(SAMPLE), citizen))
    world.peer.put_many(resources)
    there = sum(one["resourceType"] == "Observation" for one in resources)
    app, doctor = world.people.app("lan"), world.people.staff("bs.nam")

    # A record comes in from a facility as ever, and the first read brings the core's beside it.
    package = rewrite_package(
        sample_package("giamdinhhs_ngoaitru_3176_SYNTHETIC.xml"), citizen, MACSKCB=HOSPITAL, MA_CSKCB=HOSPITAL
    )
    world.people.machine(HOSPITAL).send_records(package, "application/xml")
    until(lambda: core_of(app)["state"] == "current", world.service)
    results: list[dict[str, Any]] = []
    page = app.get("/v1/me/results?limit=100")
    results += page["items"]
    while page["next"]:
        page = app.get(f"/v1/me/results?limit=100&cursor={page['next']}")
        results += page["items"]
    from_core = [one for one in results if one.get("facility_name") == NAME]
    assert 0 < len(from_core) <= there
    assert len(names_in(results)) > 1, "what was imported stands beside it"
    assert NAME in names_in(app.get("/v1/me/allergies")["items"])
    assert app.get("/v1/me/immunizations")["items"]

    # The doctor asks, the person consents, the doctor reads exactly what was granted.
    opened, request = present(app, doctor, duration_seconds=86400)
    scanned = app.post("/v1/me/access-requests/scan", {"qr": opened["display"]["qr"]})
    narrow = ["AllergyIntolerance", "Immunization"]
    grant = app.approve(request, "A", scanned["nonce"], types=narrow, duration_seconds=3600)
    summary = doctor.read(app.patient_id)
    assert [(one["name"], one["state"]) for one in summary["cores"]] == [(NAME, "current")]
    assert {one["key"] for one in summary["sections"] if one["items"]} <= {"allergies", "immunizations"}
    assert NAME in names_in(doctor.read(app.patient_id, "allergies")["items"])
    assert doctor.read(app.patient_id, "results")["items"] == []
    app.delete(f"/v1/me/grants/{grant['grant_id']}")
    assert doctor.read(app.patient_id, expect=403) == "no-access"
    rows = [(row["action"], row["outcome"]) for row in reversed(other_reads(app))]
    assert rows == [
        ("record:summary:read", "ok"),
        ("record:allergies:read", "ok"),
        ("record:results:read", "ok"),
        ("record:summary:read", "refused"),
    ]


def test_neither_token_nor_number_stands_in_a_log(world: World) -> None:
    citizen = next(one for one in world.sheet.citizens if one.key == "lan")
    world.people.app("lan").get("/v1/me/summary")
    for log in (world.service.log, world.service.database_log):
        # The demo's sheet of people stands in its own lines.
        lines = log.read_text(errors="replace").splitlines()
        text = "\n".join(line for line in lines if log == world.service.database_log or line[:1] == "{")
        assert TOKEN not in text
        assert citizen.number not in text


def test_people_whom_the_core_does_not_know_read_as_ever(world: World) -> None:
    summary = world.people.app("hung").get("/v1/me/summary")
    assert summary["cores"] == []
    assert summary["sections"]
