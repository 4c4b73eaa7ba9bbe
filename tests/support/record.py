"""Records for tests: resources through ehr.extract and ehr.store, as every import does."""

import gzip
import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from ehr.extract import extract
from ehr.models import NewResource, Referred, Source, WriteResult
from ehr.store import write_unit
from kernel.access import ALL_LABELS, Access, Action, Actor, Basis, Label, RecordType, mint_access
from store.database import Store
from tests.support.shared import shared


def our_id(source_id: str, reference: str) -> str:
    return hashlib.sha256(
        f"{source_id}|{reference.removeprefix('urn:uuid:').rsplit('/', 1)[-1]}".encode()
    ).hexdigest()[:32]


def hospital(name: str = "a", facility_id: UUID | None = None) -> Source:
    return Source(source_id=name, facility_id=facility_id, credential=f"system-{name}")


def resource(body: dict[str, Any], source: Source | None = None, labels: int = 0) -> NewResource:
    source = source or hospital()
    return extract(
        body["resourceType"],
        json.dumps(body).encode(),
        id=our_id(source.source_id, body["id"]),
        refer=lambda reference: Referred(our_id(source.source_id, reference)),
        labels=labels,
        facility_name="Bệnh viện A",
    )


async def write(
    store: Store,
    patient_id: UUID,
    bodies: list[dict[str, Any]],
    now: datetime,
    *,
    source: Source | None = None,
    unit: str | None = None,
    labels: int = 0,
) -> WriteResult:
    source = source or hospital()
    rows = [resource(body, source, labels) for body in bodies]
    async with store.transaction() as tx:
        return await write_unit(tx, patient_id, source, rows, unit=unit, now=now)


def bundle(name: str) -> list[dict[str, Any]]:
    """The resources of a sample bundle, without the Patient."""
    path = shared("data/fhir/bundles") / f"{name}.json.gz"
    entries = json.loads(gzip.decompress(path.read_bytes()))["entry"]
    bodies = [entry["resource"] for entry in entries]
    for number, body in enumerate(bodies):
        body.setdefault("id", f"unnamed-{number}")
    return [body for body in bodies if body["resourceType"] != "Patient"]


def own(patient_id: UUID, action: Action = "read-summary") -> Access:
    actor = Actor(kind="citizen", actor_id=patient_id)
    return mint_access(patient_id=patient_id, actor=actor, action=action, purpose="self", basis="self")


def granted(
    patient_id: UUID,
    *,
    action: Action = "read-summary",
    basis: Basis = "grant",
    grant_id: UUID | None = None,
    types: frozenset[RecordType] | None = None,
    since: Any = None,
    until: Any = None,
    withheld: Label = ALL_LABELS,
) -> Access:
    actor = Actor(kind="practitioner", actor_id=UUID(int=7), role="doctor")
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose="TREAT",
        basis=basis,
        basis_id=grant_id or UUID(int=9),
        basis_version=1,
        types=types,
        since=since,
        until=until,
        withheld_labels=withheld,
    )
