"""ehr.summary*: a doctor's summary and the person's own 304 against their floors, and against $everything."""

from pathlib import Path

import httpx

from api.app import create_app
from bench.load import get, measure
from bench.peer import load, sekmet
from bench.recording import Call, Recorded, recording, save
from bench.results import Result, compare
from bench.server import floor, serving
from bench.world import Patient, World, fresh_token
from identity.queries import CITIZEN_BY_ID
from kernel.clock import SystemClock

# Many short rounds: what disturbs the machine then falls on few of them.
ROUNDS = 7
SECONDS = 1.0
PEER_ROUNDS = 3
PEER_PATIENTS = 16
PEER_SECONDS = 2.0
CONNECTIONS = 8
DECIDED = "ehr.summary.decided"
# Headers that the server adds by itself.
SERVER_HEADERS = {b"server", b"date"}


async def record_doctor(world: World, patients: list[Patient]) -> list[Recorded]:
    """What one summary per patient asks of the database, and what it answers."""
    return [await _record(world, doctor_path(one), world.doctor_token, None, 200) for one in patients]


async def record_own_304(world: World) -> tuple[list[Recorded], list[bytes]]:
    """The same for the person's own summary with the ETag that still holds; and the raw requests."""
    recorded, requests = [], []
    for patient in world.patients:
        token = await fresh_token(world.store, patient)
        first = await _record(world, "/v1/me/summary", token, None, 200)
        etag = dict(first.headers)[b"etag"].decode()
        recorded.append(await _record(world, "/v1/me/summary", token, etag, 304))
        requests.append(get("/v1/me/summary", {"Authorization": f"Bearer {token}", "If-None-Match": etag}))
    return recorded, requests


def measure_summary(world: World, recorded: list[Recorded], dsn: str, directory: Path) -> Result:
    return _against_floor(
        "ehr.summary", doctor_requests(world, world.patients), recorded, 200, 0.6, dsn, directory, world
    )


def measure_decided(world: World, recorded: list[Recorded], dsn: str, directory: Path) -> Result:
    """The same read against a floor that neither decides nor logs: it reads what the answer is made of, the
    person's row, which comes along with our decision, and the rows of the record."""
    bare = [
        Recorded([_of_person(patient), *_of_record(one.calls)], one.status, one.headers, one.body)
        for patient, one in zip(world.patients, recorded, strict=True)
    ]
    requests = doctor_requests(world, world.patients)
    return _against_floor(DECIDED, requests, bare, 200, 0.6, dsn, directory, world)


def _of_person(patient: Patient) -> Call:
    return Call(CITIZEN_BY_ID.sql, (patient.patient_id,))


def _of_record(calls: list[Call]) -> list[Call]:
    kept = [call for call in calls if "ehr_" in call.sql]
    if not kept or len(kept) == len(calls):
        raise RuntimeError("the statements of the record are not told from those of the decision")
    return kept


def measure_304(
    world: World, recorded: list[Recorded], requests: list[bytes], dsn: str, directory: Path
) -> Result:
    return _against_floor("ehr.summary.304", requests, recorded, 304, 0.5, dsn, directory, world)


def measure_against_everything(world: World, directory: Path) -> Result:
    """The same patients on an independent FHIR server, whole record against summary."""
    patients = world.patients[:PEER_PATIENTS]
    ours, theirs = [], []
    with sekmet(directory) as peer_port, serving(world.data, "--no-worker") as port:
        ids = [load(peer_port, patient.bundle) for patient in patients]
        everything = [get(f"/fhir/Patient/{one}/$everything", {}) for one in ids]
        for _ in range(PEER_ROUNDS):
            summaries = doctor_requests(world, patients)
            ours.append(measure(port, summaries, directory, PEER_SECONDS, CONNECTIONS).rate(200))
            theirs.append(measure(peer_port, everything, directory, PEER_SECONDS, CONNECTIONS).rate(200))
    return compare(
        "ehr.summary.vs_everything",
        ours=ours,
        against="sekmet-fhir $everything",
        theirs=theirs,
        target=10,
        unit="requests/s",
    )


def _against_floor(
    name: str,
    requests: list[bytes],
    recorded: list[Recorded],
    status: int,
    target: float,
    dsn: str,
    directory: Path,
    world: World,
) -> Result:
    plan = directory / f"{name}.plan"
    save(recorded, plan)
    bare = [get(f"/{number}", {"Authorization": "Bearer " + "x" * 64}) for number in range(len(recorded))]
    ours, theirs = [], []
    with floor(plan, dsn, "hb_api") as floor_port, serving(world.data, "--no-worker") as port:
        for _ in range(ROUNDS):
            ours.append(measure(port, requests, directory, SECONDS, CONNECTIONS).rate(status))
            theirs.append(measure(floor_port, bare, directory, SECONDS, CONNECTIONS).rate(status))
    return compare(name, ours=ours, against="floor", theirs=theirs, target=target, unit="requests/s")


async def _record(world: World, path: str, token: str, etag: str | None, status: int) -> Recorded:
    headers = {"Authorization": f"Bearer {token}", **({"If-None-Match": etag} if etag else {})}
    app = create_app(world.store, SystemClock())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get(path, headers=headers)  # prepared statements and the idle step of the session
        with recording(world.store) as calls:
            answer = await client.get(path, headers=headers)
    if answer.status_code != status:
        raise RuntimeError(f"expected {status}, got {answer.status_code}: {answer.text[:300]}")
    kept = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in SERVER_HEADERS]
    return Recorded(list(calls), status, kept, answer.content)


def doctor_path(patient: Patient) -> str:
    """Where the doctor reads this person's summary."""
    return f"/v1/doctor/patients/{patient.patient_id}/summary"


def doctor_requests(world: World, patients: list[Patient]) -> list[bytes]:
    return [get(doctor_path(one), {"Authorization": f"Bearer {world.doctor_token}"}) for one in patients]
