"""Cases in tests: a person with a visit from a facility, and the staff that answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ehr.cases import opening
from ehr.cases.models import CaseRow, Kind, NewCase
from ehr.models import Source
from identity.models import Facility
from kernel.access import Access
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import our_id, own, write


@dataclass
class Place:
    """Somebody's book with one visit, sent as a unit by one facility."""

    citizen: Citizen
    facility: Facility
    source: Source
    staff: Doctor

    @property
    def patient_id(self) -> UUID:
        return self.citizen.patient_id

    def id_of(self, name: str) -> str:
        return our_id(self.source.source_id, name)


def visit(name: str, day: str, mark: str = "qzj") -> list[dict[str, Any]]:
    """An episode: the visit, its diagnosis, a result, a medicine and an allergy."""
    refer = {"encounter": {"reference": f"Encounter/{name}"}}

    def said(text: str, code: str) -> dict[str, Any]:
        return {"coding": [{"system": "urn:test", "code": code, "display": f"{mark} {text}"}]}

    return [
        {
            "resourceType": "Encounter",
            "id": name,
            "status": "finished",
            "class": {"code": "AMB"},
            "type": [said("khám", "K")],
            "period": {"start": day, "end": day},
        },
        {
            "resourceType": "Condition",
            "id": f"{name}-c",
            "code": said("bệnh", "B"),
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "onsetDateTime": day,
        }
        | refer,
        {
            "resourceType": "Observation",
            "id": f"{name}-o",
            "status": "final",
            "code": said("glucose", "SHARED"),
            "category": [{"coding": [{"code": "laboratory"}]}],
            "valueQuantity": {"value": 5.1, "unit": "mmol/L"},
            "effectiveDateTime": day,
        }
        | refer,
        {
            "resourceType": "MedicationRequest",
            "id": f"{name}-m",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": said("thuốc", "T"),
            "authoredOn": day,
        }
        | refer,
        {
            "resourceType": "AllergyIntolerance",
            "id": f"{name}-a",
            "code": said("dị ứng", "D"),
            "clinicalStatus": {"coding": [{"code": "active"}]},
        },
    ]


async def make_place(store: Store, clock: FrozenClock, citizen: Citizen | None = None) -> Place:
    facility = await make_facility(store, clock)
    source = Source(
        source_id=str(facility.facility_id), facility_id=facility.facility_id, credential="system"
    )
    staff = await make_doctor(store, clock, facility, role="facility-admin")
    return Place(citizen or await make_citizen(store, clock), facility, source, staff)


async def send(store: Store, place: Place, name: str, day: str, now: datetime, *, mark: str = "qzj") -> None:
    """The facility sends a visit, whole, as one unit."""
    bodies = visit(name, day, mark)
    await write(store, place.patient_id, bodies, now, source=place.source, unit=name)


async def open_case(
    store: Store,
    place: Place,
    kind: Kind,
    now: datetime,
    *,
    access: Access | None = None,
    text: str = "Tôi chưa từng khám ở đây.",
    **more: Any,
) -> CaseRow:
    opened = await try_case(store, place, kind, now, access=access, text=text, **more)
    assert isinstance(opened, CaseRow), opened
    return opened


async def try_case(
    store: Store,
    place: Place,
    kind: Kind,
    now: datetime,
    *,
    access: Access | None = None,
    text: str = "",
    **more: Any,
) -> CaseRow | Refused:
    new = NewCase(kind=kind, text=text, **more)
    async with store.transaction() as tx:
        return await opening.open_case(
            tx, store.keys, access or own(place.patient_id, "open-case"), new, request_id="test", now=now
        )
