"""The citizen's own choice of app, over the real server: PyPI `fhirclient` launches, reads, refreshes, and is
refused when the person ends it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from healthbook.demo_sheet import DemoSheet
from tests.journeys.conftest import People
from tests.support.letting_in import Visitor, http_at, origin_of
from tests.support.peers import FHIR_LOCK, PLACE, installed
from tests.support.service import Service

TYPES = (
    *("AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement", "Immunization"),
    *("Observation", "DocumentReference", "DiagnosticReport", "Encounter", "Procedure"),
)


class Client:
    """The process that others' client runs in."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tell(self, **asked: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client stopped"
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def fhirclient() -> Iterator[Client]:
    command = [str(installed(FHIR_LOCK)), str(PLACE / "read_fhir.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Client(process)
        finally:
            process.kill()


async def test_an_app_of_others_reads_until_the_person_ends_it(
    service: Service, sheet: DemoSheet, people: People
) -> None:
    entry = next(one for one in sheet.app_clients if one.kind == "app")
    citizen = sheet.citizens[0]
    back = "http://127.0.0.1:8765/callback"
    with fhirclient() as app:
        wanted = app.tell(
            api_base=f"{origin_of(service)}/fhir",
            app_id=entry.client_id,
            redirect_uri=back,
            scope="offline_access patient/*.read",
        )
        async with http_at(service) as http:
            visitor = Visitor(http)
            await visitor.open(wanted["authorize"])
            assert (await visitor.prove(citizen)).headers["location"] == "/connect"
            await visitor.get("/connect")
            address = await visitor.agree(*visitor.boxes())
        launched = app.tell(callback=address)
        assert launched.get("ready"), launched
        assert launched["patient"]["name"][0]["text"] == citizen.name
        assert citizen.patient_id not in json.dumps(launched)
        read = app.tell(read=TYPES)
        assert "error" not in read, read
        assert read["Observation"]
        assert read["Encounter"]
        for name, found in read.items():
            for resource in found:
                assert citizen.patient_id not in json.dumps(resource)
                get_fhir_model_class(name).model_validate(resource)
        assert app.tell(refresh=True) == {"again": True, "new": True}
        assert app.tell(read=["Immunization"])["Immunization"] == read["Immunization"]
        phone = people.app(citizen.key)
        (listed,) = phone.get("/v1/me/connected-apps")["items"]
        rows = phone.get("/v1/me/access-log")["items"]
        assert any(row["actor_name"] == entry.name for row in rows), rows[:2]
        phone.delete(f"/v1/me/connected-apps/{listed['consent_id']}")
        refused = app.tell(read=["Observation"])
        assert refused["status"] in (401, 403), refused
        assert "error" in app.tell(refresh=True)
