"""Over the real server: a phone sends, a doctor asks for it by name, the person agrees, narrows, says no."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from fhir.resources.R4B.bundle import Bundle

from tests.journeys.conftest import People
from tests.journeys.test_main_path import other_reads, present
from tests.support.client import Api, App, Staff

WEARABLE = "Observation.wearable"


def send(app: App, rate: float, seq: int = 1) -> dict[str, Any]:
    """One heart rate of a watch, of two hours ago: too late to ring."""
    now = datetime.now(UTC)
    measured = {"k": "heart-rate", "v": rate, "u": "/min", "t": (now - timedelta(hours=2)).isoformat()}
    body = {
        "device": "journey-phone",
        "seq": seq,
        "sent_at": now.isoformat(),
        "sources": [{"app": "vn.vidu.dong-ho", "model": "W1", "kind": "watch"}],
        "samples": [{"id": str(uuid4()), **measured}],
    }
    found: dict[str, Any] = app.post("/v1/me/vitals/batches", body)
    return found


def agree(app: App, doctor: Staff, **more: Any) -> str:
    """The grant of a request that the person answers by its digits."""
    opened, request = present(app, doctor, **more)
    return str(app.approve(request, "B", opened["display"]["digits"])["grant_id"])


def latest(doctor: Staff, app: App, expect: int = 200) -> Any:
    return doctor.read(app.patient_id, "vitals/latest", expect)


def test_a_doctor_reads_what_a_phone_sent_where_the_person_allowed_it_by_name(
    api: Api, people: People
) -> None:
    app, doctor = people.app("lan"), people.staff("bs.senh")
    sent = send(app, 71)
    assert (sent["stored"], sent["rejected"]) == (1, [])
    assert latest(doctor, app, 403) == "no-access"

    # Without a word about it, a request does not ask for it.
    agree(app, doctor)
    assert doctor.read(app.patient_id)["person"]
    assert latest(doctor, app, 403) == "no-access"

    both = ["Observation.vital-signs", WEARABLE]
    opened, request = present(app, doctor, types=both)
    assert request["types"] == sorted(both)
    grant_id = app.approve(request, "B", opened["display"]["digits"])["grant_id"]
    (value,) = latest(doctor, app)["items"]
    assert (value["kind"], value["value"], value["source"]["model"]) == ("heart-rate", 71, "W1")
    observed = doctor.read(app.patient_id, "vitals/fhir")
    Bundle.model_validate(observed)
    assert observed["entry"][0]["resource"]["meta"]["tag"][0]["code"] == "self-measured"
    assert "record:vitals:read" in {row["action"] for row in other_reads(app)}

    changed = api.send(
        "PATCH",
        f"/v1/me/grants/{grant_id}",
        token=app.token(),
        body={"types": ["Observation.vital-signs"]},
    )
    assert changed.status_code == 200, changed.text
    assert latest(doctor, app, 403) == "no-access"


def test_a_person_leaves_measurements_out_of_the_answer_and_says_no(people: People) -> None:
    app, doctor = people.app("minh"), people.staff("bs.senh")
    types = ["Condition", WEARABLE]
    opened, request = present(app, doctor, types=types)
    app.approve(request, "B", opened["display"]["digits"], types=["Condition"])
    assert latest(doctor, app, 403) == "no-access"
    _, request = present(app, doctor, types=types)
    app.api.ask("POST", f"/v1/me/access-requests/{request['request_id']}/refuse", 204, token=app.token())
    assert latest(doctor, app, 403) == "no-access"
