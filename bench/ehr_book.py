"""ehr.book: the own overview of a book with every section filled, against that of a book without them."""

import json
from datetime import datetime
from time import perf_counter
from typing import Any

import httpx

from api.app import create_app
from bench.results import Result, compare
from bench.world import Patient, World, fresh_token
from ehr.costs.models import Costs
from ehr.extract import extract
from ehr.intake.ids import resource_id
from ehr.models import Source
from ehr.store import write_unit
from kernel.clock import SystemClock

NAME = "ehr.book"
ROUNDS = 9
READS = 20
VISITS = 20
# Of each section beside the visits: how many rows a well-kept book has.
PER_KIND = 20


async def measure(world: World) -> Result:
    """Two people of the crowd with records of one length; seconds of READS overviews each, in turns."""
    bare, full = world.patients[0], world.patients[1]
    await _fill(world, full)
    ours, theirs = [], []
    transport = httpx.ASGITransport(create_app(world.store, SystemClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        tokens = [await fresh_token(world.store, one) for one in (full, bare)]
        for token in tokens:
            await _read(client, token)
        for _ in range(ROUNDS):
            ours.append(await _read(client, tokens[0]))
            theirs.append(await _read(client, tokens[1]))
    return compare(
        NAME,
        ours=ours,
        against="a book without the sections",
        theirs=theirs,
        target=1.3,
        unit="seconds",
        at_most=True,
    )


async def _read(client: httpx.AsyncClient, token: str) -> float:
    begun = perf_counter()
    for _ in range(READS):
        answer = await client.get("/v1/me/summary", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"the overview answered {answer.status_code}")
    return perf_counter() - begun


async def _fill(world: World, patient: Patient) -> None:
    now = SystemClock().now()
    facility = world.facility
    source = Source(source_id=str(facility.facility_id), facility_id=facility.facility_id, credential="bench")
    own = Source(source_id="bench:own", facility_id=None, credential="bench", state="self-declared")
    for number in range(VISITS):
        rows = [_row(source, body, facility.name) for body in _visit(number)]
        rows[0].costs = Costs(total=500_000, fund=400_000, copaid=100_000, self_paid=0, other=0)
        async with world.store.transaction() as tx:
            await write_unit(tx, patient.patient_id, source, rows, unit=f"bench:{number}", now=now)
    for writer, bodies in ((source, _sections(now)), (own, _declared())):
        async with world.store.transaction() as tx:
            rows = [_row(writer, body, facility.name) for body in bodies]
            await write_unit(tx, patient.patient_id, writer, rows, unit=None, now=now)


def _row(source: Source, body: dict[str, Any], name: str) -> Any:
    ident = resource_id(source.source_id, f"{body['resourceType']}/{body['id']}")
    raw = json.dumps(body).encode()
    return extract(body["resourceType"], raw, id=ident, refer=lambda _: None, facility_name=name)


def _visit(number: int) -> list[dict[str, Any]]:
    day = f"2026-{number % 10 + 1:02}-11"
    card = {"resourceType": "Coverage", "id": f"bench-card-{number}", "status": "active"}
    visit = {
        "resourceType": "Encounter",
        "id": f"bench-visit-{number}",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": f"{day}T08:00:00+07:00"},
    }
    letter = {
        "resourceType": "ServiceRequest",
        "id": f"bench-letter-{number}",
        "status": "active",
        "intent": "order",
        "authoredOn": day,
    }
    return [visit, card | {"period": {"start": "2026-01-01", "end": "2026-12-31"}}, letter]


def _sections(now: datetime) -> list[dict[str, Any]]:
    """Health checks, programmes, prescriptions, papers."""
    day = f"{now:%Y-%m-%d}"
    kinds = {
        "QuestionnaireResponse": {"status": "completed", "authored": day},
        "CarePlan": {"status": "active", "intent": "plan", "title": "Theo dõi tăng huyết áp", "created": day},
        "MedicationRequest": {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "Amlodipin 5 mg"},
            "authoredOn": day,
        },
        "DocumentReference": {"status": "current", "description": "Giấy ra viện", "date": f"{day}T08:00:00Z"},
    }
    return [
        {"resourceType": rtype, "id": f"bench-{rtype}-{number}", **body}
        for rtype, body in kinds.items()
        for number in range(PER_KIND)
    ]


def _declared() -> list[dict[str, Any]]:
    """What the person added."""
    return [
        {
            "resourceType": "AllergyIntolerance",
            "id": f"bench-own-{number}",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"text": f"Dị ứng tự khai {number}"},
        }
        for number in range(PER_KIND)
    ]
