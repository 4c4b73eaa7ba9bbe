"""Contents that another core keeps: asked for each time, judged before they leave, fetched nowhere else."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ehr.core import fhir_http
from ehr.core.fhir_http import CoreAddress, FhirCore
from ehr.core.refresh import refresh
from ehr.intake.ids import resource_id
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.fault_proxy import FaultProxy, fault_proxy, instead
from tests.support.fhir_core import TOKEN, Peer, long_budgets, patient, running_peer
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import our_id, write

PDF = b"%PDF-1.7 " + bytes(200_000)
TEXT = "Lời dặn: uống nhiều nước.".encode()


@pytest.fixture(autouse=True)
def _budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    long_budgets(monkeypatch)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with running_peer(tmp_path_factory.mktemp("peer")) as running:
        yield running


@pytest.fixture
async def proxy(peer: Peer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(peer.base) as running:
        yield running


@pytest.fixture
async def core(proxy: FaultProxy, clock: FrozenClock) -> AsyncIterator[FhirCore]:
    made = FhirCore(CoreAddress(proxy.base, "core:main", "Bệnh viện Lõi", TOKEN), clock)
    yield made
    await made.close()


@pytest.fixture
async def client(store: Store, clock: FrozenClock, core: FhirCore) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[FhirCore]:
        yield core

    async with client_of(store, clock, open_core=opened) as made:
        yield made


class Shelf:
    """One person of the core and the documents it has of them."""

    def __init__(self, store: Store, clock: FrozenClock, core: FhirCore, peer: Peer, person: Citizen) -> None:
        self.store, self.clock, self.core, self.peer, self.person = store, clock, core, peer, person
        self.ident = f"p-{uuid4().hex[:8]}"
        self._documents: list[dict[str, Any]] = []

    def binary(self, data: bytes) -> str:
        """Kept there; the address that names it."""
        # An id that begins with `cd4` is read as the name of a test, and labelled: once in 4,096 draws.
        ident = f"b-1{uuid4().hex[:7]}"
        text = base64.b64encode(data).decode()
        self.peer.put(
            {"resourceType": "Binary", "id": ident, "contentType": "application/x-none", "data": text}
        )
        return f"Binary/{ident}"

    def document(self, url: str, kind: str | None = "application/pdf") -> str:
        """A document with that address; our id of it."""
        ident = f"d-{uuid4().hex[:8]}"
        self._documents.append(letter(ident, url, kind, self.ident))
        return resource_id("core:main", f"DocumentReference/{ident}")

    async def read_in(self) -> None:
        await asyncio.to_thread(self.peer.put, patient(self.ident, self.person.number), *self._documents)
        assert await refresh(self.store, self.clock, self.core, self.person.patient_id, "background")


def letter(ident: str, url: str, kind: str | None = "application/pdf", owner: str = "x") -> dict[str, Any]:
    attachment = {"url": url, **({"contentType": kind} if kind else {})}
    return {
        "resourceType": "DocumentReference",
        "id": ident,
        "status": "current",
        "subject": {"reference": f"Patient/{owner}"},
        "description": "Giấy ra viện",
        "date": "2026-11-01T00:00:00Z",
        "content": [{"attachment": attachment}],
    }


@pytest.fixture
async def shelf(store: Store, clock: FrozenClock, core: FhirCore, peer: Peer) -> Shelf:
    return Shelf(store, clock, core, peer, await make_citizen(store, clock))


async def doctor_of(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


def own(client: httpx.AsyncClient, shelf: Shelf, document: str) -> Any:
    path = f"/v1/me/documents/{document}/content"
    return client.get(path, headers=bearer(shelf.person.token))


def of_doctor(client: httpx.AsyncClient, shelf: Shelf, doctor: Doctor, document: str) -> Any:
    path = f"/v1/doctor/patients/{shelf.person.patient_id}/documents/{document}/content"
    return client.get(path, headers=bearer(doctor.token))


async def log_of(owner: Store, shelf: Shelf) -> list[tuple[str, str]]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", shelf.person.patient_id
        )
    entries = [json.loads(row[0]) for row in rows]
    return [(one["action"], one["outcome"]) for one in entries if "document" in one["action"]]


async def test_a_content_of_the_core_is_passed_on_told_by_its_bytes_and_logged(
    client: httpx.AsyncClient, shelf: Shelf, proxy: FaultProxy, owner: Store
) -> None:
    relative = shelf.document(shelf.binary(PDF), kind="text/html")
    absolute = shelf.document(f"{proxy.base}/{shelf.binary(TEXT)}", kind="text/plain")
    await shelf.read_in()
    for document, data, kind in ((absolute, TEXT, "text/plain"),):
        answer = await own(client, shelf, document)
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith('attachment; filename="tai-lieu.')
        assert "sandbox" in answer.headers["content-security-policy"]
    # It is said to be text and cannot be read as such: as in an import, it does not come in.
    assert (await own(client, shelf, relative)).json()["code"] == "content-not-found"
    assert await log_of(owner, shelf) == [("record:document:read", "ok"), ("record:document:sent", "ok")]
    async with shelf.store.transaction() as tx:
        kept = await tx.fetchval(
            "SELECT bool_or(doc LIKE '%' || $2 || '%') FROM ehr_resource WHERE patient_id = $1",
            shelf.person.patient_id,
            base64.b64encode(TEXT).decode(),
        )
    assert not kept, "a reference is kept, no content"


async def test_what_nobody_can_scan_is_the_persons_own_and_needs_the_restricted_label(
    client: httpx.AsyncClient, shelf: Shelf, store: Store, clock: FrozenClock
) -> None:
    scan, plain = shelf.document(shelf.binary(PDF)), shelf.document(shelf.binary(TEXT), "text/plain")
    await shelf.read_in()
    doctor = await doctor_of(store, clock)
    await granted(store, clock, doctor, shelf.person, types={"DocumentReference"})
    mine = await own(client, shelf, scan)
    assert (mine.status_code, mine.headers["content-type"], mine.content) == (200, "application/pdf", PDF)
    assert (await of_doctor(client, shelf, doctor, plain)).content == TEXT
    assert (await of_doctor(client, shelf, doctor, scan)).json()["code"] == "content-not-found"


@pytest.mark.parametrize("kind", ["text/plain", "application/pdf", "image/png", None])
async def test_what_the_gate_stops_leaves_for_nobody_whatever_it_says_it_is(
    client: httpx.AsyncClient, shelf: Shelf, owner: Store, kind: str | None
) -> None:
    texts = ["Xét nghiệm HIV dương tính", base64.b64encode("Kết quả HIV dương tính".encode()).decode()]
    documents = [shelf.document(shelf.binary(text.encode()), kind) for text in texts]
    await shelf.read_in()
    for document in documents:
        answer = await own(client, shelf, document)
        assert (answer.status_code, answer.json()["code"]) == (404, "content-not-found")
    assert await log_of(owner, shelf) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://files.example/Binary/x",
        "//files.example/Binary/x",
        "Observation/x",
        "Binary/x?_format=xml",
        "Binary/x/../../admin",
        "Binary/%2e%2e/x",
        "../Binary/x",
        "/Binary/x",
        "file:///etc/passwd",
        "data:text/plain;base64,eA==",
        "Binary/" + "x" * 65,
        "http://[::1",
    ],
)
async def test_s29_no_other_address_in_a_record_is_asked(
    client: httpx.AsyncClient, shelf: Shelf, proxy: FaultProxy, url: str
) -> None:
    document = shelf.document(url)
    await shelf.read_in()
    proxy.seen.clear()
    assert (await own(client, shelf, document)).json()["code"] == "content-not-found"
    assert proxy.seen == []


async def test_s29_a_facilitys_record_makes_nobody_ask_the_core(
    client: httpx.AsyncClient, shelf: Shelf, proxy: FaultProxy, store: Store, clock: FrozenClock
) -> None:
    url = shelf.binary(TEXT)
    await write(store, shelf.person.patient_id, [letter("one", url, "text/plain")], clock.now())
    answer = await own(client, shelf, our_id("a", "one"))
    assert (answer.json()["code"], proxy.seen) == ("content-not-found", [])


async def test_while_the_core_does_not_answer_the_reader_is_told_when_to_come_back(
    client: httpx.AsyncClient, shelf: Shelf, proxy: FaultProxy, owner: Store, clock: FrozenClock
) -> None:
    document = shelf.document(shelf.binary(TEXT), "text/plain")
    await shelf.read_in()
    proxy.fault = instead("/Binary/", 503, b"", retry_after="7")
    answer = await own(client, shelf, document)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    proxy.fault, proxy.seen[:] = None, []
    refused = await own(client, shelf, document)
    assert (refused.status_code, proxy.seen) == (503, [])
    assert int(refused.headers["retry-after"]) > 0
    assert await log_of(owner, shelf) == []
    clock.advance(seconds=8)
    assert (await own(client, shelf, document)).content == TEXT


async def test_s13_a_grant_that_ends_while_the_content_comes_opens_nothing(
    client: httpx.AsyncClient, shelf: Shelf, proxy: FaultProxy, store: Store, clock: FrozenClock
) -> None:
    document = shelf.document(shelf.binary(TEXT), "text/plain")
    await shelf.read_in()
    doctor = await doctor_of(store, clock)
    grant = await granted(store, clock, doctor, shelf.person, types={"DocumentReference"})
    proxy.seen.clear()
    proxy.block()
    reading = asyncio.create_task(of_doctor(client, shelf, doctor, document))
    await proxy.asked(1)
    again = await of_doctor(client, shelf, doctor, document)
    assert (again.status_code, again.json()["code"]) == (429, "export-busy")
    await revoke(store, clock, shelf.person, grant.grant_id)
    proxy.open.set()
    assert (await reading).json()["code"] == "no-access"


async def test_a_content_beyond_the_limit_is_refused_and_does_not_open_the_breaker(
    client: httpx.AsyncClient,
    shelf: Shelf,
    core: FhirCore,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = shelf.document(shelf.binary(PDF))
    await shelf.read_in()
    monkeypatch.setattr(fhir_http, "ANSWER_BYTES_MAX", 10_000)
    for _ in range(4):
        answer = await own(client, shelf, document)
        assert (answer.status_code, answer.json()["code"]) == (422, "content-too-large")
    assert core.breaker.state(0) == "closed"


async def test_bare_bytes_pass_and_another_resource_in_their_place_does_not(
    client: httpx.AsyncClient, shelf: Shelf, proxy: FaultProxy
) -> None:
    document = shelf.document(shelf.binary(TEXT), "text/plain")
    await shelf.read_in()
    proxy.fault = instead("/Binary/", 200, PDF[:9] + TEXT)
    assert (await own(client, shelf, document)).content == PDF[:9] + TEXT
    for body in (b'{"resourceType":"OperationOutcome"}', b'{"resourceType":"Binary","id":"another"}'):
        proxy.fault = instead("/Binary/", 200, body)
        assert (await own(client, shelf, document)).status_code == 503
    proxy.fault = instead("/Binary/", 302, b"", location="http://169.254.169.254/")
    assert (await own(client, shelf, document)).status_code == 503
