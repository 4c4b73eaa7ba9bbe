"""POST /v1/facility/records: a receipt that is the same whoever the person is (S19)."""

import io
import json

import pytest

from ehr.intake.files import Importer
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, allergy, bundle, rows
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_facility, make_machine

FHIR = {"Content-Type": "application/fhir+json"}
XML = {"Content-Type": "application/xml"}


async def test_a_facility_system_sends_and_reads_its_receipt(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    machine = await make_machine(store, clock, facility)
    package = rewrite_package(sample_package(OUTPATIENT), citizen)
    async with client_of(store, clock) as client:
        sent = await client.post("/v1/facility/records", content=package, headers=bearer(machine.token) | XML)
        assert sent.status_code == 202
        receipt = sent.json()
        again = await client.get(
            f"/v1/facility/records/{receipt['receipt_id']}", headers=bearer(machine.token)
        )
    assert again.json() == receipt
    assert receipt["units"] == [{"unit": "HOSO[1]", "accepted": True, "reasons": []}]
    assert str(citizen.patient_id) not in sent.text
    assert await rows(store, citizen.patient_id)


async def test_s19_known_unknown_and_conflicting_persons_get_one_answer(
    store: Store, clock: FrozenClock
) -> None:
    known = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    machine = await make_machine(store, clock, facility)
    conflicting = json.loads(bundle(known, allergy()))
    conflicting["entry"][0]["resource"]["name"] = [{"text": "Người Khác"}]
    unknown = json.loads(bundle(known, allergy()))
    unknown["entry"][0]["resource"]["identifier"][0]["value"] = "079000000000"
    answers = []
    async with client_of(store, clock) as client:
        for body in (json.loads(bundle(known, allergy())), unknown, conflicting):
            sent = await client.post(
                "/v1/facility/records", content=json.dumps(body), headers=bearer(machine.token) | FHIR
            )
            shape = sent.json()
            assert len(shape.pop("receipt_id")) == 36
            answers.append((sent.status_code, shape, sorted(sent.headers)))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", FHIR, 422, "records-unreadable"),
        (b"", XML, 422, "records-unreadable"),
        (b"<a/>", XML, 422, "records-unreadable"),
        (b"\x00\xff\xfe", XML, 422, "records-unreadable"),
        (b"{}", {"Content-Type": "text/csv"}, 415, "unsupported-media-type"),
        (b" " * (4 * 1024 * 1024 + 1), XML, 413, "body-too-large"),
    ],
)
async def test_an_unreadable_body_is_a_problem(
    store: Store, clock: FrozenClock, content: bytes, kind: dict[str, str], status: int, code: str
) -> None:
    machine = await make_machine(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await client.post(
            "/v1/facility/records", content=content, headers=bearer(machine.token) | kind
        )
    assert (sent.status_code, sent.json()["code"]) == (status, code)


async def test_a_receipt_belongs_to_the_system_that_got_it(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock)
    sender, other = [await make_machine(store, clock, facility) for _ in range(2)]
    async with client_of(store, clock) as client:
        sent = await client.post(
            "/v1/facility/records",
            content=bundle(citizen, allergy()),
            headers=bearer(sender.token) | FHIR,
        )
        place = f"/v1/facility/records/{sent.json()['receipt_id']}"
        assert (await client.get(place, headers=bearer(other.token))).status_code == 404
        assert (await client.get(place, headers=bearer(citizen.token))).status_code == 403


async def test_s33_a_body_of_more_units_than_a_body_holds_is_left_at_the_limit(
    store: Store, clock: FrozenClock
) -> None:
    content = b"<GIAMDINHHS>" + b"<HOSO/>" * 300_000 + b"</GIAMDINHHS>"
    importer = Importer(store, clock, await make_facility(store, clock), "system")
    reports = await importer.stream(io.BytesIO(content), "body", most=20)
    assert len(reports) == 21
    assert [reason.code for reason in reports[-1].reasons] == ["too-large"]
