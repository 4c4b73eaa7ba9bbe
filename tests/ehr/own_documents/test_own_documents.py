"""Papers that people add: what is taken, who sees it as whose word, and that no file is left over."""

import asyncio
import base64
import io
import json
import os
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from documents.uploads import PDF_BYTES_MAX
from ehr.own_documents import service
from ehr.own_documents.mapping import ADDRESS
from healthbook.upload_jobs import upload_jobs
from identity import budgets
from kernel.access import Label
from kernel.ids import bucket_of
from store.blobs import BlobMissingError
from store.database import Store
from store.models import Due
from store.uploads import JOB, NAMED_WITHIN
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.pdfs import hidden_script, pdf
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import hospital, our_id, write

TITLE = "Sổ khám của bố năm 1998"
PLACE = "Trạm y tế xã Tân Phú"
PDF = pdf()
PAST = "2019-05"


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    sink = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret-exif-words"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", size, (200, 30, 30)).save(sink, kind, exif=exif)
    return sink.getvalue()


def said(content: bytes, **more: Any) -> dict[str, Any]:
    words = {"kind": "paper-book", "title": TITLE, "facility_name": PLACE, "date": PAST}
    return words | {"content": base64.b64encode(content).decode()} | more


async def add(client: httpx.AsyncClient, who: dict[str, str], content: bytes, **more: Any) -> httpx.Response:
    return await client.post("/v1/me/documents", json=said(content, **more), headers=who)


async def added(client: httpx.AsyncClient, who: dict[str, str], content: bytes, **more: Any) -> str:
    made = await add(client, who, content, **more)
    assert made.status_code == 201, made.text
    ident: str = made.json()["item_id"]
    return ident


async def listed(
    client: httpx.AsyncClient, who: dict[str, str], path: str = "/v1/me"
) -> list[dict[str, Any]]:
    found = await client.get(f"{path}/documents", headers=who)
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def blob_of(store: Store, item_id: str) -> tuple[UUID, UUID]:
    async with store.transaction() as tx:
        sql = "SELECT patient_id, blob_id FROM ehr_own_document WHERE item_id = $1"
        row = await tx.fetchrow(sql, item_id)
    return row["patient_id"], row["blob_id"]


async def timers(store: Store, patient_id: UUID) -> list[Due]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT bucket, due_at, kind, ref FROM due_queue WHERE bucket = $1 AND kind = $2 AND ref LIKE $3",
            bucket_of(patient_id),
            JOB,
            f"{patient_id}:%",
        )
    return [Due(*row) for row in rows]


async def run_timers(store: Store, clock: FrozenClock, patient_id: UUID) -> None:
    work = upload_jobs(store, clock)[JOB]
    for due in await timers(store, patient_id):
        assert await work(due) is None


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
async def test_a_photo_of_the_paper_book_stands_apart_without_place_and_time_of_the_camera(
    store: Store, clock: FrozenClock, person: Citizen, kind: str, media_type: str
) -> None:
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        item_id = await added(client, own, picture(kind))
        (item,) = await listed(client, own)
        assert item["id"] == item_id
        assert (item["title"], item["date"], item["date_precision"]) == (TITLE, PAST, "month")
        assert (item["self_declared"], item["recorded_by"]) == (True, "người bệnh")
        assert item.get("facility_name") is None, "what the paper says is no source"
        assert PLACE in json.dumps(item, ensure_ascii=False)
        body = await client.get(f"/v1/me/documents/{item_id}/content", headers=own)
    assert body.status_code == 200
    assert body.headers["content-type"] == media_type
    assert body.headers["content-disposition"].startswith("attachment")
    assert body.headers["content-security-policy"].startswith("sandbox")
    assert b"secret-exif-words" not in body.content
    assert not Image.open(io.BytesIO(body.content)).getexif()


async def test_s35_a_pdf_is_kept_as_pictures_of_its_pages_and_leaves_as_a_file_that_runs_nothing(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        item_id = await added(client, own, hidden_script(), kind="prescription")
        body = await client.get(f"/v1/me/documents/{item_id}/content", headers=own)
    made = PdfReader(io.BytesIO(body.content))
    assert set(made.root_object) == {"/Type", "/Pages"}, "no script and no file"
    assert len(made.pages[0].images) == 1
    assert body.headers["content-type"] == "application/pdf"
    assert body.headers["content-disposition"] == 'attachment; filename="tai-lieu.pdf"'
    assert body.headers["x-content-type-options"] == "nosniff"


async def test_a_pdf_with_a_password_is_refused_with_what_to_do(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    writer, locked = PdfWriter(io.BytesIO(PDF)), io.BytesIO()
    writer.encrypt("bi-mat", algorithm="AES-256")
    writer.write(locked)
    async with client_of(store, clock) as client:
        refused = await add(client, bearer(person.token), locked.getvalue())
    assert (refused.status_code, refused.json()["code"]) == (422, "own-document-locked")


HOSTILE = {
    "empty": b"",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<html><script>alert(1)</script></html>",
    "gif": b"GIF89a" + bytes(50),
    "webp": b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24),
    "text": b"chi la chu",
    "jpeg and then html": b"\xff\xd8\xff\xe0<html>",
    "html and then pdf": b"<html>\n" + PDF,
    "pdf without a page": pdf(0),
    "pdf that is none": b"%PDF-1.7 chi la chu",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
async def test_s35_what_is_no_picture_and_no_pdf_is_refused_and_leaves_nothing(
    store: Store, clock: FrozenClock, person: Citizen, content: bytes
) -> None:
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        refused = await add(client, own, content)
        assert (refused.status_code, refused.json()["code"]) == (422, "own-document-unreadable")
        assert await listed(client, own) == []
    await run_timers(store, clock, person.patient_id)
    assert await store.blobs.erase(person.patient_id) == 0


async def test_twenty_megabytes_are_taken_and_one_byte_more_is_not(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own = bearer(person.token)
    largest = PDF + b"%" * (PDF_BYTES_MAX - len(PDF))
    async with client_of(store, clock) as client:
        assert (await add(client, own, largest)).status_code == 201
        over = await add(client, own, largest + b"%")
        assert (over.status_code, over.json()["code"]) == (413, "own-document-too-large")
        beyond = await add(client, own, largest + b"%" * 40_000)
        assert beyond.status_code == 413


async def test_wrong_media_types_and_bodies_are_refused(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        raw = await client.post(
            "/v1/me/documents", content=picture(), headers=own | {"content-type": "image/jpeg"}
        )
        assert (raw.status_code, raw.json()["code"]) == (415, "unsupported-media-type")
        for changed in ({"kind": "diary"}, {"date": "2019-13"}, {"date": "2199"}, {"title": ""}, {"x": 1}):
            fault = await add(client, own, picture(), **changed)
            assert fault.status_code in (400, 422), changed
        no_base64 = said(picture()) | {"content": "%%%"}
        assert (await client.post("/v1/me/documents", json=no_base64, headers=own)).status_code == 400
        assert await listed(client, own) == []


@pytest.mark.parametrize("field", ["title", "facility_name"])
async def test_the_gate_refuses_a_text_and_does_not_repeat_it(
    store: Store, clock: FrozenClock, person: Citizen, field: str
) -> None:
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        refused = await add(client, own, picture(), **{field: "Xét nghiệm H I V âm tính"})
        assert (refused.status_code, refused.json()["code"]) == (422, "own-document-withheld")
        assert "H I V" not in refused.text
        item_id = await added(client, own, picture())
        words = {"kind": "result", field: "phòng khám OPC methadone"}
        amended = await client.put(f"/v1/me/documents/{item_id}", json=words, headers=own)
        assert amended.json()["code"] == "own-document-withheld"
        (item,) = await listed(client, own)
        assert item["title"] == TITLE


async def test_what_is_said_can_be_changed_and_the_file_stays(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        item_id = await added(client, own, PDF)
        before = (await client.get(f"/v1/me/documents/{item_id}/content", headers=own)).content
        words = {"kind": "result", "title": "Phiếu xét nghiệm máu", "date": "2001"}
        assert (await client.put(f"/v1/me/documents/{item_id}", json=words, headers=own)).status_code == 200
        (item,) = await listed(client, own)
        assert (item["id"], item["title"], item["date"]) == (item_id, "Phiếu xét nghiệm máu", "2001")
        assert PLACE not in json.dumps(item, ensure_ascii=False)
        body = await client.get(f"/v1/me/documents/{item_id}/content", headers=own)
        assert body.content == before
        missing = await client.put(f"/v1/me/documents/{'0' * 36}", json=words, headers=own)
        assert missing.json()["code"] == "own-document-unknown"


async def test_s32_taking_a_paper_back_erases_its_file_and_no_other_persons(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    other = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        one, two = [await added(client, bearer(who.token), PDF) for who in (person, other)]
        mine, theirs = await blob_of(store, one), await blob_of(store, two)
        assert mine[1] != theirs[1]
        kept = await store.blobs.get(*theirs)
        assert (
            await client.delete(f"/v1/me/documents/{two}", headers=bearer(person.token))
        ).status_code == 404
        assert (
            await client.delete(f"/v1/me/documents/{one}", headers=bearer(person.token))
        ).status_code == 204
        assert await listed(client, bearer(person.token)) == []
        gone = await client.get(f"/v1/me/documents/{one}/content", headers=bearer(person.token))
        assert gone.status_code == 404
    with pytest.raises(BlobMissingError):
        await store.blobs.get(*mine)
    assert await store.blobs.get(*theirs) == kept


async def test_a_doctor_reads_it_as_the_persons_word_and_only_under_a_grant_for_documents(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    facility = await make_facility(store, clock)
    doctor, other = [await make_doctor(store, clock, facility) for _ in range(2)]
    types = frozenset({"DocumentReference"})
    await granted(store, clock, doctor, person, types=types)
    await granted(store, clock, other, person, types=frozenset({"Condition"}))
    path = f"/v1/doctor/patients/{person.patient_id}"
    async with client_of(store, clock) as client:
        item_id = await added(client, bearer(person.token), picture())
        (item,) = await listed(client, bearer(doctor.token), path)
        assert (item["self_declared"], item["recorded_by"]) == (True, "người bệnh")
        content = f"{path}/documents/{item_id}/content"
        assert (await client.get(content, headers=bearer(doctor.token))).status_code == 200
        assert await listed(client, bearer(other.token), path) == []
        assert (await client.get(content, headers=bearer(other.token))).status_code == 404
        log = (await client.get("/v1/me/access-log", headers=bearer(person.token))).text
    assert doctor.actor.name in log


async def test_a_guardian_adds_for_a_child_and_removes_only_what_the_guardian_added(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    child = await make_child(store, clock, person)
    second = await make_citizen(store, clock)
    for_child = bearer(person.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        item_id = await added(client, for_child, picture())
        (item,) = await listed(client, for_child)
        assert item["recorded_by"] == "người giám hộ"
        assert await listed(client, bearer(person.token)) == []
        stranger = bearer(second.token) | {"X-Patient-Id": str(child)}
        assert (await add(client, stranger, picture())).status_code == 403
        async with store.transaction() as tx:
            await tx.execute(
                "UPDATE ehr_own_document SET added_by = $2 WHERE item_id = $1", item_id, second.patient_id
            )
        refused = await client.delete(f"/v1/me/documents/{item_id}", headers=for_child)
        assert (refused.status_code, refused.json()["code"]) == (403, "own-document-not-yours")


async def test_a_daughter_adds_for_her_father_where_he_allows_it_and_he_takes_it_back(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    daughter = await make_citizen(store, clock)
    for_him = bearer(daughter.token) | {"X-Patient-Id": str(person.patient_id)}
    async with client_of(store, clock) as client:
        assert (await add(client, for_him, picture())).status_code == 403
        await make_proxy(store, clock, person, daughter, "read-record", "add-to-record")
        item_id = await added(client, for_him, picture())
        (item,) = await listed(client, bearer(person.token))
        assert item["recorded_by"] == "người được ủy quyền"
        words = {"kind": "other", "said_by": "child"}
        said_so = await client.put(f"/v1/me/documents/{item_id}", json=words, headers=for_him)
        assert said_so.status_code == 200, said_so.text
        (item,) = await listed(client, bearer(person.token))
        assert item["recorded_by"] in ("con", "con trai", "con gái")
        assert (await client.get(f"/v1/me/documents/{item_id}/content", headers=for_him)).status_code == 200
        gone = await client.delete(f"/v1/me/documents/{item_id}", headers=bearer(person.token))
        assert gone.status_code == 204


async def test_a_killed_upload_leaves_no_file_after_its_timer_and_a_named_one_stays(
    store: Store, clock: FrozenClock, person: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process that dies leaves is what an upload leaves whose removal never came."""
    own = bearer(person.token)
    async with client_of(store, clock) as client:
        kept = await added(client, own, PDF)

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.blobs, "delete", dies)
    monkeypatch.setattr(service, "add", dies)
    async with client_of(store, clock) as client:
        with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever becomes of a dying process
            await add(client, own, picture())
    monkeypatch.undo()
    due = await timers(store, person.patient_id)
    assert {one.due_at for one in due} == {clock.now() + NAMED_WITHIN}
    assert len(due) == 2
    await run_timers(store, clock, person.patient_id)
    assert (await store.blobs.get(*await blob_of(store, kept))).startswith(b"%PDF-")
    assert await store.blobs.erase(person.patient_id) == 1, "the named one alone was left"


async def test_a_full_disk_says_so_and_nothing_half_made_stands_in_the_book(
    store: Store, clock: FrozenClock, person: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = bearer(person.token)
    # A disk that has no room refuses the first write.
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    async with client_of(store, clock) as client:
        full = await add(client, own, picture())
        assert full.status_code == 503
        assert "retry-after" in full.headers
        monkeypatch.undo()
        assert await listed(client, own) == []
        assert (await add(client, own, picture())).status_code == 201


async def test_a_repeat_with_one_key_is_one_paper_and_one_file(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    own = bearer(person.token) | {"Idempotency-Key": "a" * 20}
    async with client_of(store, clock) as client:
        first, second = [(await add(client, own, PDF)).json()["item_id"] for _ in range(2)]
        assert first == second
        assert len(await listed(client, own)) == 1
    assert await store.blobs.erase(person.patient_id) == 1


async def test_a_days_papers_are_counted_for_the_book_whoever_adds_them(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    key = budgets.subject(person.patient_id.bytes)
    async with store.transaction() as tx:
        for _ in range(budgets.OWN_DOCUMENTS_DAY.limit - 1):
            assert await budgets.charge(tx, budgets.OWN_DOCUMENTS_DAY, key, clock.now())
    async with client_of(store, clock) as client:
        answers = await asyncio.gather(*(add(client, bearer(person.token), PDF) for _ in range(3)))
    assert sorted(one.status_code for one in answers).count(201) <= 1
    assert {one.status_code for one in answers} <= {201, 429}


async def test_a_facility_that_writes_such_an_address_opens_nobodys_file(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    other = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        await added(client, bearer(other.token), PDF)
        async with store.transaction() as tx:
            sql = "SELECT document_id FROM ehr_own_document WHERE patient_id = $1"
            document_id = await tx.fetchval(sql, other.patient_id)
        forged = {
            "resourceType": "DocumentReference",
            "id": "d",
            "status": "current",
            "description": "x",
            "content": [{"attachment": {"url": f"{ADDRESS}{document_id}", "contentType": "application/pdf"}}],
        }
        source = hospital("a")
        await write(store, person.patient_id, [forged], clock.now(), source=source)
        path = f"/v1/me/documents/{our_id(source.source_id, 'd')}/content"
        assert (await client.get(path, headers=bearer(person.token))).status_code == 404


async def test_s23_a_paper_that_a_relative_may_not_see_is_not_the_relatives_to_touch(
    store: Store, clock: FrozenClock, owner: Store, person: Citizen
) -> None:
    child = await make_child(store, clock, person)
    for_child = bearer(person.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        item_id = await added(client, for_child, picture())
        blob = await blob_of(store, item_id)
        async with owner.transaction() as tx:
            sql = "UPDATE ehr_resource SET labels = $2 WHERE patient_id = $1"
            await tx.execute(sql, child, int(Label.SDV))
        path = f"/v1/me/documents/{item_id}"
        assert await listed(client, for_child) == []
        amended = await client.put(path, json={"kind": "other"}, headers=for_child)
        assert (amended.status_code, amended.json()["code"]) == (404, "own-document-unknown")
        assert (await client.delete(path, headers=for_child)).status_code == 404
    assert await store.blobs.get(*blob)


async def test_a_paper_that_the_gate_stops_is_counted_like_a_statement(
    store: Store, clock: FrozenClock, person: Citizen
) -> None:
    sql = "SELECT coalesce(sum(withheld), 0) FROM ehr_gate_count WHERE bucket = $1"
    async with client_of(store, clock) as client:
        async with store.transaction() as tx:
            before = await tx.fetchval(sql, bucket_of(person.patient_id))
        refused = await add(client, bearer(person.token), picture(), title="Kết quả HIV dương tính")
        assert refused.json()["code"] == "own-document-withheld"
        async with store.transaction() as tx:
            assert await tx.fetchval(sql, bucket_of(person.patient_id)) > before
    await run_timers(store, clock, person.patient_id)
    assert await store.blobs.erase(person.patient_id) == 0
