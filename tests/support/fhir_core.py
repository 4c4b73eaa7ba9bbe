"""A FHIR core for tests: the independent server of bench/peer.py, filled on loopback by plain PUTs."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.peer import sekmet
from ehr.core import fhir_http
from ehr.core.refresh import SECONDS
from ehr.intake.systems import VN_SID

TOKEN = "test-token-0f2b7c"
NATIONAL_ID = VN_SID + "national_id"


def long_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy test machine is no slow core: only tests of the budgets themselves use short ones."""
    monkeypatch.setattr(fhir_http, "CONNECT_SECONDS", 20.0)
    monkeypatch.setitem(fhir_http.READ_SECONDS, "interactive", 60.0)
    monkeypatch.setitem(SECONDS, "interactive", 120.0)


class Peer:
    """A running sekmet-fhir; `base` is its FHIR base."""

    def __init__(self, port: int, token: str = TOKEN) -> None:
        self.base = f"http://127.0.0.1:{port}/fhir"
        self.token = token
        self._http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def put(self, *resources: dict[str, Any]) -> None:
        for one in resources:
            url = f"{self.base}/{one['resourceType']}/{one['id']}"
            self._http.put(url, json=one).raise_for_status()

    def put_many(self, resources: Iterable[dict[str, Any]]) -> None:
        """As put, in one batch."""
        entry = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in resources
        ]
        answer = self._http.post(self.base, json={"resourceType": "Bundle", "type": "batch", "entry": entry})
        answer.raise_for_status()
        assert all(str(one["response"]["status"]).startswith("20") for one in answer.json()["entry"])

    def delete(self, rtype: str, ident: str) -> None:
        self._http.delete(f"{self.base}/{rtype}/{ident}").raise_for_status()

    def get(self, path: str) -> Any:
        return self._http.get(f"{self.base}/{path}").json()


@contextmanager
def running_peer(directory: Path, token: str = TOKEN) -> Iterator[Peer]:
    with sekmet(directory, token) as port:
        yield Peer(port, token)


def patient(
    ident: str,
    number: str,
    name: str = "Trần Thị Thử",
    birth_date: str = "1985-03-12",
    gender: str = "female",
    **more: Any,
) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": ident,
        "identifier": [{"system": NATIONAL_ID, "value": number}],
        "name": [{"text": name}],
        "birthDate": birth_date,
        "gender": gender,
        **more,
    }


def coded(code: str, display: str, system: str = "http://loinc.org") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def observation(ident: str, owner: str, value: str = "5.4", day: str = "2026-11-01") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                    }
                ]
            }
        ],
        "code": coded("2345-7", "Glucose"),
        "subject": {"reference": f"Patient/{owner}"},
        "effectiveDateTime": day,
        "valueQuantity": {
            "value": float(value),
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
    }


def allergy(ident: str, owner: str, text: str = "Penicillin") -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "id": ident,
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"text": text},
        "patient": {"reference": f"Patient/{owner}"},
        "recordedDate": "2025-01-02",
    }


def encounter(ident: str, owner: str, day: str = "2026-10-01", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": ident,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{owner}"},
        "period": {"start": f"{day}T02:00:00Z", "end": f"{day}T03:00:00Z"},
        **more,
    }


def condition(
    ident: str, owner: str, code: str = "I10", text: str = "Tăng huyết áp", **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": ident,
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
            ]
        },
        "code": coded(code, text, "http://hl7.org/fhir/sid/icd-10"),
        "subject": {"reference": f"Patient/{owner}"},
        "recordedDate": "2025-01-02",
        **more,
    }


def resources_of(bundle: bytes) -> list[dict[str, Any]]:
    """A Bundle's resources with plain references instead of the Bundle's own (ehr-core.md §7.1)."""
    entries = json.loads(bundle)["entry"]
    names = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in entries
        if "id" in entry["resource"]
    }
    return [plain(entry["resource"], names) for entry in entries if "id" in entry["resource"]]


def plain(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(inner, inner) if key == "reference" else plain(inner, names)
            for key, inner in value.items()
        }
    return [plain(one, names) for one in value] if isinstance(value, list) else value
