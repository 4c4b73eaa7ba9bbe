"""ehr.*.vs_*: the same people here and on an independent FHIR server, over HTTP, in the same run.

What is compared: the app's first copy of the whole book (one logged read) against `$everything`; a doctor's
50 newest results (decided, sorted, logged) against the peer's 50 newest, and, reported without a promise,
against its quickest search of any 50, and one newest result against a read of one Patient: ours checks a
session and a grant and commits a row of the log before it answers, the peer does nothing of that.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
from msgspec import Struct

from bench.load import get, measure
from bench.peer import load, sekmet
from bench.results import Result, compare
from bench.server import serving
from bench.world import Patient, World, fresh_token

ROUNDS = 3
SECONDS = 2.0
PATIENTS = 16
CONNECTIONS = 8
# One answer holds a whole book of about 444 resources.
WHOLE = "/v1/me/changes?limit=500"


class Race(Struct, frozen=True):
    """What is asked of both sides about one person. target: at least so many times the peer's rate; 0 where
    the ratio is reported alone.
    """

    name: str
    against: str
    target: float
    ours: Callable[[World, Patient, str], bytes]
    theirs: Callable[[str], str]
    connections: int = CONNECTIONS
    seconds: float = SECONDS


def _whole(_world: World, _patient: Patient, token: str) -> bytes:
    return get(WHOLE, {"Authorization": f"Bearer {token}"})


def _results(limit: int) -> Callable[[World, Patient, str], bytes]:
    def request(world: World, patient: Patient, _token: str) -> bytes:
        path = f"/v1/doctor/patients/{patient.patient_id}/results?limit={limit}"
        return get(path, {"Authorization": f"Bearer {world.doctor_token}"})

    return request


RACES = (
    Race(
        "ehr.record.vs_everything", "sekmet-fhir $everything", 8, _whole, lambda i: f"Patient/{i}/$everything"
    ),
    Race(
        "ehr.results.vs_newest",
        "sekmet-fhir 50 newest",
        4,
        _results(50),
        lambda i: f"Observation?patient=Patient/{i}&_sort=-date&_count=50",
        # The peer needs seconds for each.
        connections=1,
        seconds=8.0,
    ),
    Race(
        "ehr.results.vs_search",
        "sekmet-fhir any 50",
        0,
        _results(50),
        lambda i: f"Observation?patient=Patient/{i}&_count=50",
    ),
    Race("ehr.result.vs_read", "sekmet-fhir read of one", 0, _results(1), lambda i: f"Patient/{i}"),
)
NAMES = tuple(race.name for race in RACES)


async def measure_races(world: World, directory: Path, wanted: list[str]) -> list[Result]:
    """Every race that is wanted, against one running peer."""
    tokens = [await fresh_token(world.store, one) for one in world.patients[:PATIENTS]]
    return await asyncio.to_thread(_races, world, tokens, directory, wanted)


def _races(world: World, tokens: list[str], directory: Path, wanted: list[str]) -> list[Result]:
    with sekmet(directory) as peer_port, serving(world.data, "--no-worker") as port:
        ids = [load(peer_port, patient.bundle) for patient in world.patients[:PATIENTS]]
        _check_whole(port, tokens[0])
        runs = [race for race in RACES if not wanted or race.name in wanted]
        return [_run(race, world, tokens, ids, (port, peer_port), directory) for race in runs]


def _run(
    race: Race, world: World, tokens: list[str], ids: list[str], ports: tuple[int, int], directory: Path
) -> Result:
    people = zip(world.patients[:PATIENTS], tokens, strict=True)
    mine = [race.ours(world, patient, token) for patient, token in people]
    others = [get(f"/fhir/{race.theirs(ident)}", {}) for ident in ids]
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(measure(ports[0], mine, directory, race.seconds, race.connections).rate(200))
        theirs.append(measure(ports[1], others, directory, race.seconds, race.connections).rate(200))
    return compare(
        race.name, ours=ours, against=race.against, theirs=theirs, target=race.target, unit="requests/s"
    )


def _check_whole(port: int, token: str) -> None:
    """The first copy must be the whole book, or the comparison says nothing."""
    answer = httpx.get(f"http://127.0.0.1:{port}{WHOLE}", headers={"Authorization": f"Bearer {token}"})
    page = answer.raise_for_status().json()
    if page["has_more"] or len(page["items"]) < 400:
        raise RuntimeError(f"not a whole book: {len(page['items'])} items")
