"""Exports over HTTP: whole, scoped, logged once with their digest, one at a time, signed by the device."""

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.app import Api, create_app
from api.exporting import BOOK, BUNDLE, IPS, SHEET
from api.files import DECIDED_BYTES, PIECE_BYTES
from consent.grants.narrowing import narrow_grant
from consent.grants.policy import Narrower
from ehr.intake.slots import ImportSlots
from ehr.store import hold_head, mark_rows
from kernel.access import Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, granted, own, revoke
from tests.support.exports import pdf_pages, step_up
from tests.support.http import application, bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.record import bundle, hospital, our_id, write

OWN = {"ips": "ips", "bundle": "bundle", "book.pdf": "book"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def doctor_of(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock))


async def record_rows(owner: Store, person: Citizen) -> list[dict[str, Any]]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry, salt FROM access_log WHERE patient_id = $1 ORDER BY seq", person.patient_id
        )
    entries = [json.loads(row["entry"]) | {"salt": row["salt"]} for row in rows]
    return [entry for entry in entries if entry["action"].startswith("record:")]


async def own_export(
    client: httpx.AsyncClient, person: Citizen, path: str, clock: FrozenClock
) -> httpx.Response:
    headers = bearer(person.token) | step_up(person, OWN[path], clock.now())
    return await client.get(f"/v1/me/exports/{path}", headers=headers)


def letter(name: str, content: bytes, **more: Any) -> dict[str, Any]:
    attachment = {
        "contentType": "text/html",
        "data": base64.b64encode(content).decode(),
        "title": '"x".exe\r\nA: b',
    }
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "description": "Giấy ra viện",
        "date": "2026-11-01T00:00:00Z",
        "content": [{"attachment": attachment}],
        **more,
    }


def problem(name: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": name,
        "code": {"text": name},
        "onsetDateTime": "2026-11-02",
        **more,
    }


async def dispute(store: Store, person: Citizen, name: str, clock: FrozenClock) -> None:
    """Take an entry out of the views, as "not mine" does."""
    rows = [("Condition", our_id("a", name))]
    async with store.transaction() as tx:
        await hold_head(tx, person.patient_id, clock.now())
        await mark_rows(tx, person.patient_id, rows, clock.now(), state="disputed")


async def test_every_export_answers_and_leaves_one_row_with_its_digest(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, bundle("clinosim-us-pt-0612cf63eb84"), clock.now())
    grant = await granted(store, clock, doctor, person)
    answers = [await own_export(client, person, path, clock) for path in OWN]
    for path in ("ips", "summary.pdf"):
        url = f"/v1/doctor/patients/{person.patient_id}/{path}"
        answers.append(await client.get(url, headers=bearer(doctor.token)))
    rows = await record_rows(owner, person)
    tags = [
        "record:ips:read",
        "record:bundle:read",
        "record:book:read",
        "record:ips:read",
        "record:sheet:read",
    ]
    assert [row["action"] for row in rows] == tags
    assert [row["grant"] and row["grant"]["id"] for row in rows] == [None] * 3 + [str(grant.grant_id)] * 2
    for answer, row in zip(answers, rows, strict=True):
        assert answer.status_code == 200, answer.text
        assert row["body_sha256"] == hashlib.sha256(row["salt"] + answer.content).hexdigest()
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
    for number in (2, 4):
        assert answers[number].content.startswith(b"%PDF")
    assert len(pdf_pages(answers[4].content)) == 1


async def test_the_doctors_page_counts_what_the_summary_cuts(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    active = {"clinicalStatus": {"coding": [{"code": "active"}]}}
    visits = [problem(f"a{n}", code={"text": "Suy tim"}, **active) for n in range(110)]
    old = problem("old", code={"text": "Gout"}, onsetDateTime="2011", **active)
    since = problem("since", code={"text": "Suy tim"}, onsetDateTime="2014-05-02", **active)
    await write(store, person.patient_id, [*visits, old, since], clock.now())
    await granted(store, clock, doctor, person)
    url = f"/v1/doctor/patients/{person.patient_id}/summary.pdf"
    answer = await client.get(url, headers=bearer(doctor.token))
    text = " ".join("".join(pdf_pages(answer.content)).split())
    assert "111 lần ghi từ 02/05/2014" in text
    assert "Gout" in text
    assert "Bệnh đang có (còn nữa trong sổ)" not in text


async def test_s11_an_own_export_needs_the_device_key_once(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, other = await make_citizen(store, clock), await make_citizen(store, clock)
    now = clock.now()
    good = step_up(person, "ips", now)
    wrong = [
        {},
        step_up(person, "bundle", now),
        step_up(person, "ips", now, typ="consent-approve"),
        step_up(person, "ips", now, environment="demo"),
        step_up(person, "ips", now, patient_id=str(other.patient_id)),
        step_up(person, "ips", now - timedelta(minutes=10)),
        step_up(other, "ips", now),
        {"X-Step-Up": "bm9uZQ"},
        {"X-Step-Up": "!" * 40},
    ]
    for header in wrong:
        answer = await client.get("/v1/me/exports/ips", headers=bearer(person.token) | header)
        assert answer.status_code in (400, 401, 403), header
    assert (await client.get("/v1/me/exports/ips", headers=bearer(person.token) | good)).status_code == 200
    again = await client.get("/v1/me/exports/ips", headers=bearer(person.token) | good)
    assert again.json()["code"] == "step-up-refused"


async def test_s13_a_grant_that_ended_lets_nothing_out(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, [letter("one", b"%PDF-1.7 x")], clock.now())
    grant = await granted(store, clock, doctor, person)
    await revoke(store, clock, person, grant.grant_id)
    document = our_id("a", "one")
    for path in ("ips", "summary.pdf", f"documents/{document}/content"):
        url = f"/v1/doctor/patients/{person.patient_id}/{path}"
        assert (await client.get(url, headers=bearer(doctor.token))).json()["code"] == "no-access"


async def test_s13_an_export_that_is_made_while_the_grant_ends_is_refused(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    grant = await granted(store, clock, doctor, person)
    turn = ImportSlots.turn

    def revoked_first(self: ImportSlots) -> Any:
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def wait() -> AsyncIterator[None]:
            await revoke(store, clock, person, grant.grant_id)
            async with turn(self):
                yield

        return wait()

    monkeypatch.setattr(ImportSlots, "turn", revoked_first)
    url = f"/v1/doctor/patients/{person.patient_id}/summary.pdf"
    assert (await client.get(url, headers=bearer(doctor.token))).json()["code"] == "no-access"


@pytest.mark.parametrize("path", [*OWN, "doctor"])
async def test_s13_what_is_hidden_while_a_file_is_made_does_not_leave_with_it(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, [problem("Gan"), problem("Phổi")], clock.now())
    await granted(store, clock, doctor, person)
    kind = SHEET if path == "doctor" else {"ips": IPS, "bundle": BUNDLE, "book.pdf": BOOK}[path]
    build, times = kind.build, 0

    def hidden_meanwhile(gathered: Any, call: Any) -> Any:
        nonlocal times
        times += 1
        if times == 1:
            asyncio.run_coroutine_threadsafe(dispute(store, person, "Gan", clock), loop).result(10)
        return build(gathered, call)

    loop = asyncio.get_running_loop()
    object.__setattr__(kind, "build", hidden_meanwhile)
    try:
        if path == "doctor":
            url = f"/v1/doctor/patients/{person.patient_id}/summary.pdf"
            answer = await client.get(url, headers=bearer(doctor.token))
        else:
            answer = await own_export(client, person, path, clock)
    finally:
        object.__setattr__(kind, "build", build)
    text = "".join(pdf_pages(answer.content)) if answer.content.startswith(b"%PDF") else answer.text
    assert (answer.status_code, times) == (200, 2)
    assert ("Phổi" in text, "Gan" in text) == (True, False)


async def test_s13_a_file_whose_book_never_rests_is_refused(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    names = ["Gan", "Phổi", "Tim"]
    await write(store, person.patient_id, [problem(name) for name in names], clock.now())
    build, loop = IPS.build, asyncio.get_running_loop()

    def moving(gathered: Any, call: Any) -> Any:
        asyncio.run_coroutine_threadsafe(dispute(store, person, names.pop(), clock), loop).result(10)
        return build(gathered, call)

    object.__setattr__(IPS, "build", moving)
    try:
        answer = await own_export(client, person, "ips", clock)
    finally:
        object.__setattr__(IPS, "build", build)
    assert (answer.status_code, answer.json()["code"]) == (409, "export-overtaken")
    assert await record_rows(owner, person) == []


async def test_s13_an_export_ends_within_a_mebibyte_of_what_moves_the_book(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    await write(
        store, person.patient_id, [letter("big", bytes(5 * DECIDED_BYTES)), problem("Gan")], clock.now()
    )
    headers = step_up(person, "bundle", clock.now())
    reader = Reader(create_app(store, clock), "/v1/me/exports/bundle", person.token, headers)
    await reader.read(2 * DECIDED_BYTES, lambda: dispute(store, person, "Gan", clock))
    assert (reader.status, reader.ended) == (200, False)
    assert reader.received <= 3 * DECIDED_BYTES + PIECE_BYTES
    last = (await record_rows(owner, person))[-1]
    assert (last["action"], last["outcome"], last["reason"]) == ("record:bundle:cut", "refused", "no-access")


async def test_s33_one_export_at_a_time_for_each_actor(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await granted(store, clock, doctor, person)
    url = f"/v1/doctor/patients/{person.patient_id}/summary.pdf"
    answers = await asyncio.gather(*(client.get(url, headers=bearer(doctor.token)) for _ in range(8)))
    statuses = [answer.status_code for answer in answers]
    assert 200 in statuses
    assert set(statuses) <= {200, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert answer.json()["code"] == "export-busy"
            assert int(answer.headers["retry-after"]) > 0
    assert (await client.get(url, headers=bearer(doctor.token))).status_code == 200


async def test_s33_exports_that_find_no_place_are_refused_before_it_is_asked_whose_they_are(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    with application(store, clock) as (app, made), ExitStack() as kept:
        transport = httpx.ASGITransport(app)
        async with (
            made.lifespan(),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as one,
        ):
            for _ in range(3 * (os.cpu_count() or 1)):
                kept.enter_context(made.runtime.export_slots.expected())
            for token in (person.token, "nobody's"):
                busy = await one.get("/v1/me/vaccination.pdf", headers=bearer(token))
                assert (busy.status_code, busy.json()["code"]) == (429, "export-busy")
            kept.close()
            assert (await one.get("/v1/me/vaccination.pdf", headers=bearer(person.token))).status_code == 200


async def test_s33_an_export_beside_one_in_another_process_is_refused_and_uses_no_signed_act_up(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    headers = bearer(person.token) | step_up(person, "bundle", clock.now())
    async with ImportSlots("export").of(store, clock, person.patient_id):
        busy = await client.get("/v1/me/exports/bundle", headers=headers)
        assert (busy.status_code, busy.json()["code"]) == (429, "export-busy")
    assert (await client.get("/v1/me/exports/bundle", headers=headers)).status_code == 200


async def test_s35_a_content_is_an_attachment_under_a_name_of_ours(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    contents = {
        "pdf": (b"%PDF-1.7 x", "application/pdf", "tai-lieu.pdf"),
        "html": (b"<html><script>alert(1)</script>", "application/octet-stream", "tai-lieu.bin"),
        "text": ("Lời dặn".encode(), "text/plain", "tai-lieu.txt"),
    }
    rows = [letter(name, content) for name, (content, _, _) in contents.items()]
    await write(store, person.patient_id, rows, clock.now())
    for name, (content, media_type, file_name) in contents.items():
        path = f"/v1/me/documents/{our_id('a', name)}/content"
        answer = await client.get(path, headers=bearer(person.token))
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"] == f'attachment; filename="{file_name}"'
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "a" not in answer.headers
        missing = await client.get(path, params={"attachment": 1}, headers=bearer(person.token))
        assert missing.json()["code"] == "content-not-found"
    actions = [row["action"] for row in await record_rows(owner, person)]
    assert actions == ["record:document:read", "record:document:sent"] * 3


async def test_a_hidden_documents_content_does_not_exist(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await write(store, person.patient_id, [letter("hiv", b"%PDF-1")], clock.now(), labels=int(Label.HIV))
    await write(store, person.patient_id, [letter("plain", b"%PDF-1")], clock.now(), source=hospital("b"))
    await granted(store, clock, doctor, person, types=frozenset({"DocumentReference"}))
    base = f"/v1/doctor/patients/{person.patient_id}/documents"
    hidden = await client.get(f"{base}/{our_id('a', 'hiv')}/content", headers=bearer(doctor.token))
    nobody = await client.get(f"{base}/{our_id('a', 'none')}/content", headers=bearer(doctor.token))
    plain = await client.get(f"{base}/{our_id('b', 'plain')}/content", headers=bearer(doctor.token))
    assert (hidden.status_code, hidden.content) == (nobody.status_code, nobody.content)
    assert (hidden.status_code, plain.status_code) == (404, 200)


class Reader:
    """An HTTP client that looks at every piece and may do something in between."""

    def __init__(self, app: Api, path: str, token: str, headers: dict[str, str] | None = None) -> None:
        self.app, self.path = app, path
        self.headers = bearer(token) | (headers or {})
        self.received = 0
        self.status = 0
        self.ended = False
        self.gone = asyncio.Event()

    async def read(self, at_bytes: int, act: Any) -> None:
        async def receive() -> dict[str, Any]:
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                return
            before, self.received = self.received, self.received + len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
            if before < at_bytes <= self.received:
                await act()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"localhost"),
                *((name.lower().encode(), value.encode()) for name, value in self.headers.items()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        await self.app(scope, receive, send)


async def test_s13_a_stream_ends_within_a_mebibyte_of_the_revoke(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    content = b"%PDF-1.7 " + bytes(6 * DECIDED_BYTES)
    await write(store, person.patient_id, [letter("big", content)], clock.now())
    grant = await granted(store, clock, doctor, person, types=frozenset({"DocumentReference"}))
    path = f"/v1/doctor/patients/{person.patient_id}/documents/{our_id('a', 'big')}/content"
    reader = Reader(create_app(store, clock), path, doctor.token)
    await reader.read(2 * DECIDED_BYTES, lambda: revoke(store, clock, person, grant.grant_id))
    assert reader.status == 200
    assert reader.received <= 3 * DECIDED_BYTES + PIECE_BYTES
    assert not reader.ended
    rows = await record_rows(owner, person)
    last = [row for row in rows if row["action"] == "record:document:cut"][-1]
    assert (last["outcome"], last["reason"]) == ("refused", "no-access")
    assert last["grant"]["id"] == str(grant.grant_id)


async def test_s13_a_stream_ends_within_a_mebibyte_of_a_narrowing_that_leaves_it_out(
    store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    content = b"%PDF-1.7 " + bytes(6 * DECIDED_BYTES)
    await write(store, person.patient_id, [letter("big", content)], clock.now())
    asked = frozenset({"DocumentReference", "Condition"})
    grant = await granted(store, clock, doctor, person, types=asked)

    async def narrow() -> None:
        async with store.transaction() as tx:
            access = await own(tx, person, "manage-grants", clock.now())
            less = Narrower(types=frozenset({"Condition"}))
            await narrow_grant(tx, store.keys, access, grant.grant_id, less, trace_id=TRACE, now=clock.now())

    path = f"/v1/doctor/patients/{person.patient_id}/documents/{our_id('a', 'big')}/content"
    reader = Reader(create_app(store, clock), path, doctor.token)
    await reader.read(2 * DECIDED_BYTES, narrow)
    assert reader.received <= 3 * DECIDED_BYTES + PIECE_BYTES
    assert not reader.ended


async def test_s13_a_document_that_is_taken_back_ends_its_stream(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    content = b"%PDF-1.7 " + bytes(4 * DECIDED_BYTES)
    await write(store, person.patient_id, [letter("big", content)], clock.now(), unit="u")

    async def take_back() -> None:
        await write(store, person.patient_id, [], clock.now(), source=hospital(), unit="u")

    reader = Reader(create_app(store, clock), f"/v1/me/documents/{our_id('a', 'big')}/content", person.token)
    await reader.read(DECIDED_BYTES // 2, take_back)
    assert reader.received <= DECIDED_BYTES
    assert not reader.ended


async def test_a_reader_who_leaves_is_written_down(store: Store, owner: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    content = b"%PDF-1.7 " + bytes(2 * DECIDED_BYTES)
    await write(store, person.patient_id, [letter("big", content)], clock.now())
    reader = Reader(create_app(store, clock), f"/v1/me/documents/{our_id('a', 'big')}/content", person.token)

    async def leave() -> None:
        reader.gone.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    await reader.read(PIECE_BYTES, leave)
    assert reader.received < len(content)
    assert (await record_rows(owner, person))[-1]["reason"] == "client-gone"


async def test_an_id_that_no_row_can_have_is_not_found_like_any_other(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, doctor = await make_citizen(store, clock), await doctor_of(store, clock)
    await granted(store, clock, doctor, person, types=frozenset({"DocumentReference"}))
    theirs = f"/v1/doctor/patients/{person.patient_id}"
    for base, token in (("/v1/me", person.token), (theirs, doctor.token)):
        for method, path in (("GET", "documents/{}/content"), ("POST", "imaging-studies/{}/viewer-tickets")):
            answers = [
                await client.request(method, f"{base}/{path.format(ident)}", headers=bearer(token))
                for ident in (our_id("a", "none"), "a%00", "%00", "a%20b", "%C3%A2", "x" * 65)
            ]
            first = answers[0]
            assert first.status_code == 404, first.text
            codes = {(one.status_code, one.json()["code"]) for one in answers}
            assert codes == {(404, first.json()["code"])}
