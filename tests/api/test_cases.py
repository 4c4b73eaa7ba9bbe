"""Cases over HTTP: who may see and do what, pictures that are no pictures, and what is told to whom."""

import asyncio
import io
import json
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from ehr.cases.policy import EVIDENCE_JOB, EVIDENCE_KEPT
from ehr.cases.reading import own_detail
from healthbook.case_jobs import case_jobs
from healthbook.dispatch import dispatch, look_for_record
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.blobs import BlobMissingError
from store.database import Store
from store.models import Due
from store.outbox import claim_events
from tests.support.cases import Place, make_place, open_case, send
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor
from tests.support.record import own as own_access

DAY = "2026-11-02"
NOT_MINE = {"kind": "not-mine", "text": "Không phải tôi."}


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    sink = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret-exif-words"
    Image.new("RGB", size, (200, 30, 30)).save(sink, kind, exif=exif)
    return sink.getvalue()


def bomb() -> bytes:
    """A PNG whose header says 30,000 × 30,000."""
    body = b"\x00" * 1000
    chunks = b""
    for name, data in (
        (b"IHDR", (30000).to_bytes(4) * 2 + b"\x08\x00\x00\x00\x00"),
        (b"IDAT", zlib.compress(body)),
        (b"IEND", b""),
    ):
        chunks += len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + chunks


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<html><script>alert(1)</script></html>"
HOSTILE = {
    "svg": SVG,
    "html": HTML,
    "empty": b"",
    "pdf": b"%PDF-1.7\n",
    "gif": b"GIF89a" + b"\x00" * 50,
    "jpeg-head-only": b"\xff\xd8\xff\xe0" + SVG,
    "png-head-only": b"\x89PNG\r\n\x1a\n" + SVG,
}


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    made = await make_place(store, clock)
    await send(store, made, "v1", DAY, clock.now())
    return made


def own(place: Place, **more: str) -> dict[str, str]:
    return bearer(place.citizen.token) | more


def staff(place: Place) -> dict[str, str]:
    return bearer(place.staff.token)


async def opened(client: httpx.AsyncClient, place: Place, **body: Any) -> str:
    asked = {"kind": "correction", "text": "Sai kết quả", "item_id": place.id_of("v1-o")} | body
    response = await client.post("/v1/me/cases", json=asked, headers=own(place))
    assert response.status_code == 201, response.text
    case_id: str = response.json()["case_id"]
    return case_id


async def add(
    client: httpx.AsyncClient,
    place: Place,
    case_id: str,
    data: bytes | AsyncIterator[bytes],
    kind: str = "image/jpeg",
) -> httpx.Response:
    headers = own(place, **{"content-type": kind})
    return await client.post(f"/v1/me/cases/{case_id}/evidence", content=data, headers=headers)


async def log_of(store: Store, place: Place) -> list[dict[str, Any]]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry, actor_name FROM access_log WHERE patient_id = $1 ORDER BY seq", place.patient_id
        )
    return [json.loads(row["entry"]) | {"actor_name": row["actor_name"]} for row in rows]


async def test_s17_not_mine_is_gone_from_the_next_answer(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        before = await client.get("/v1/me/summary", headers=own(place))
        since = (await client.get("/v1/me/changes", headers=own(place))).json()["cursor"]
        body = NOT_MINE | {"item_id": place.id_of("v1")}
        made = await client.post("/v1/me/cases", json=body, headers=own(place))
        assert made.status_code == 201
        assert made.json()["state"] == "open"
        held = own(place, **{"if-none-match": before.headers["etag"]})
        for path in (
            "summary",
            "timeline",
            "results",
            "medications",
            "allergies",
            "conditions",
            "encounters",
        ):
            after = await client.get(f"/v1/me/{path}", headers=held)
            assert after.status_code == 200
            assert "qzj" not in after.text, path
        found = await client.get("/v1/me/search", params={"q": "qzj"}, headers=own(place))
        feed = (await client.get("/v1/me/changes", params={"since": since}, headers=own(place))).json()
        assert {one["id"] for one in feed["removed"]} >= {place.id_of("v1"), place.id_of("v1-o")}
        assert "qzj" not in json.dumps(feed["items"])
        trend = await client.get("/v1/me/results/trend", params={"code": "SHARED"}, headers=own(place))
        assert "qzj" not in found.text + trend.text
        undone = await client.post(f"/v1/me/cases/{made.json()['case_id']}/withdraw", headers=own(place))
        assert undone.json()["state"] == "restored"
        assert (await client.get("/v1/me/summary", headers=own(place))).json()["sections"] == before.json()[
            "sections"
        ]


async def test_the_facility_answers_and_every_act_stands_in_the_log_by_name(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        listed = (await client.get("/v1/facility/cases", headers=staff(place))).json()["items"]
        assert [case["case_id"] for case in listed] == [case_id]
        assert "Sai" not in json.dumps(listed, ensure_ascii=False)
        seen = (await client.get(f"/v1/facility/cases/{case_id}", headers=staff(place))).json()
        assert (seen["text"], seen["person_name"], seen["unit"]) == ("Sai kết quả", place.citizen.name, "v1")
        for act, body in (
            ("acknowledge", None),
            ("reply", {"text": "Đang xem"}),
            ("refuse", {"text": "Đúng rồi"}),
        ):
            path = f"/v1/facility/cases/{case_id}/{act}"
            response = await client.post(path, headers=staff(place), **({"json": body} if body else {}))
            assert response.status_code == 200, response.text
        detail = (await client.get(f"/v1/me/cases/{case_id}", headers=own(place))).json()
    assert [step["act"] for step in detail["steps"]] == ["open", "acknowledge", "reply", "refuse"]
    assert [step["text"] for step in detail["steps"]] == [None, None, "Đang xem", "Đúng rồi"]
    assert detail["case"]["state"] == "refused"
    acts = {
        (entry["action"], entry["actor_name"])
        for entry in await log_of(store, place)
        if entry["action"].startswith("case:")
    }
    name = place.staff.actor.name
    assert {
        ("case:correction:open", None),
        ("case:file:read", name),
        ("case:correction:acknowledge", name),
        ("case:correction:reply", name),
        ("case:correction:refuse", name),
    } <= acts


async def test_a_facility_is_not_told_whom_it_wrote_to_by_mistake(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place, **NOT_MINE, item_id=place.id_of("v1"))
        response = await client.get(f"/v1/facility/cases/{case_id}", headers=staff(place))
    seen = response.json()
    assert (seen["person_name"], seen["birth_date"], seen["unit"]) == (None, None, "v1")
    for secret in (place.citizen.name, place.citizen.number, str(place.patient_id)):
        assert secret not in response.text


async def test_nobody_else_finds_a_case(store: Store, clock: FrozenClock, place: Place) -> None:
    """Another person and another facility get the answer of a case that never was."""
    other = await make_place(store, clock)
    nobody = "01985e2c-7a00-7abc-8def-0123456789ab"
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        evidence_id = (await add(client, place, case_id, picture())).json()["evidence_id"]

        async def answers(case: str) -> list[tuple[int, str]]:
            found = []
            for method, path, headers in (
                ("GET", f"/v1/me/cases/{case}", own(other)),
                ("GET", f"/v1/me/cases/{case}/evidence/{evidence_id}", own(other)),
                ("POST", f"/v1/me/cases/{case}/withdraw", own(other)),
                ("POST", f"/v1/me/cases/{case}/accept", own(other)),
                ("POST", f"/v1/me/cases/{case}/reopen", own(other)),
                ("GET", f"/v1/facility/cases/{case}", staff(other)),
                ("GET", f"/v1/facility/cases/{case}/evidence/{evidence_id}", staff(other)),
                ("POST", f"/v1/facility/cases/{case}/acknowledge", staff(other)),
            ):
                response = await client.request(method, path, headers=headers)
                found.append((response.status_code, response.text))
            for act in ("reply", "refuse", "resolve"):
                path = f"/v1/facility/cases/{case}/{act}"
                response = await client.post(path, headers=staff(other), json={"text": "x"})
                found.append((response.status_code, response.text))
            response = await add(client, other, case, picture())
            return [*found, (response.status_code, response.text)]

        theirs, none = await answers(case_id), await answers(nobody)
        assert theirs == none
        assert {status for status, _ in theirs} == {404}
        assert (await client.get("/v1/facility/cases", headers=staff(other))).json()["items"] == []
        assert (await client.get("/v1/me/cases", headers=own(other))).json()["items"] == []
        assert (await client.get(f"/v1/me/cases/{case_id}", headers=own(place))).json()["case"][
            "state"
        ] == "open"


async def test_only_its_staff_opens_a_case(store: Store, clock: FrozenClock, place: Place) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        for role, status in (
            ("doctor", 200),
            ("registry-officer", 200),
            ("nurse", 403),
            ("department-analyst", 403),
        ):
            someone = await make_doctor(store, clock, place.facility, role=role)  # type: ignore[arg-type]
            response = await client.get(f"/v1/facility/cases/{case_id}", headers=bearer(someone.token))
            assert response.status_code == status, role


async def test_s35_a_picture_is_drawn_anew_and_served_as_a_file(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        for kind, media_type in (("JPEG", "image/jpeg"), ("PNG", "image/png")):
            sent = picture(kind) + SVG + HTML
            made = await add(client, place, case_id, sent, media_type)
            assert made.status_code == 201, made.text
            evidence_id = made.json()["evidence_id"]
            for path, headers in (("me", own(place)), ("facility", staff(place))):
                got = await client.get(f"/v1/{path}/cases/{case_id}/evidence/{evidence_id}", headers=headers)
                assert got.status_code == 200
                assert got.headers["content-type"] == media_type
                assert got.headers["content-disposition"].startswith("attachment; filename=")
                assert got.headers["x-content-type-options"] == "nosniff"
                assert b"script" not in got.content
                assert b"secret-exif-words" not in got.content
                assert Image.open(io.BytesIO(got.content)).size == (64, 48)
    readers = [
        e for e in await log_of(store, place) if e["action"] in ("case:evidence:read", "case:file:read")
    ]
    assert {e["actor_name"] for e in readers} == {None, place.staff.actor.name}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("said", ["image/jpeg", "image/png"])
async def test_s35_what_is_no_picture_is_not_kept(
    store: Store, clock: FrozenClock, place: Place, name: str, said: str
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        response = await add(client, place, case_id, HOSTILE[name], said)
        assert (response.status_code, response.json()["code"]) == (422, "evidence-unreadable")
        assert (await client.get(f"/v1/me/cases/{case_id}", headers=own(place))).json()["evidence"] == []


async def test_s33_a_pixel_bomb_is_refused_by_its_header_and_a_large_body_before_it_is_read(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        response = await add(client, place, case_id, bomb(), "image/png")
        assert (response.status_code, response.json()["code"]) == (413, "evidence-too-large")
        response = await add(client, place, case_id, b"\xff\xd8\xff" + b"x" * (13 * 1024 * 1024))
        assert response.status_code == 413
        response = await add(client, place, case_id, SVG, "image/svg+xml")
        assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")


async def test_the_same_picture_twice_is_one_and_five_are_enough(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        first = await add(client, place, case_id, picture())
        again = await add(client, place, case_id, picture())
        assert first.json() == again.json()
        for width in range(4):
            assert (await add(client, place, case_id, picture(size=(10 + width, 10)))).status_code == 201
        sixth = await add(client, place, case_id, picture(size=(99, 10)))
        assert (sixth.status_code, sixth.json()["code"]) == (409, "evidence-too-many")
        await client.post(f"/v1/me/cases/{case_id}/withdraw", headers=own(place))
        late = await add(client, place, case_id, picture(size=(98, 10)))
        assert (late.status_code, late.json()["code"]) == (409, "case-state")


async def test_s14_a_repeat_opens_one_case(store: Store, clock: FrozenClock, place: Place) -> None:
    headers = own(place, **{"idempotency-key": "k" * 20})
    body = {"kind": "correction", "text": "Sai", "item_id": place.id_of("v1-o")}
    async with client_of(store, clock) as client:
        first = await client.post("/v1/me/cases", json=body, headers=headers)
        again = await client.post("/v1/me/cases", json=body, headers=headers)
        assert first.json() == again.json()
        other = await client.post("/v1/me/cases", json=body | {"text": "Khác"}, headers=headers)
        assert other.status_code == 422
        twice = await client.post("/v1/me/cases", json=body, headers=own(place))
        assert (twice.status_code, twice.json()["code"]) == (409, "case-already-open")


async def test_the_department_sees_who_is_late_and_nothing_else(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    analyst = await make_doctor(store, clock, place.facility, role="department-analyst")
    headers = bearer(analyst.token)
    async with client_of(store, clock) as client:
        case_id = await opened(client, place, text="qzj riêng tư")
        listed = (await client.get("/v1/department/cases", headers=headers)).json()["items"]
        assert case_id not in {case["case_id"] for case in listed}
        refused = {"text": "Không sửa"}
        await client.post(f"/v1/facility/cases/{case_id}/refuse", json=refused, headers=staff(place))
    clock.advance(days=17)
    headers = bearer((await make_doctor(store, clock, place.facility, role="department-analyst")).token)
    async with client_of(store, clock) as client:
        response = await client.get("/v1/department/cases", headers=headers)
    (late,) = [case for case in response.json()["items"] if case["case_id"] == case_id]
    assert (late["kind"], late["state"], late["facility_name"]) == (
        "correction",
        "refused",
        place.facility.name,
    )
    assert late["days_over"] == 1, "the fifteenth day was a Sunday, so the term ended on Monday"
    for secret in ("qzj", "riêng", place.citizen.name, place.citizen.number, str(place.patient_id), "v1"):
        assert secret not in json.dumps(late, ensure_ascii=False)


async def test_pages_of_the_lists_join_without_a_gap(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    for number in range(5):
        await send(store, place, f"v{number}", DAY, clock.now())
        await open_case(store, place, "correction", clock.now(), item_id=place.id_of(f"v{number}-o"))
        clock.advance(minutes=1)
    async with client_of(store, clock) as client:
        for path, headers in (("/v1/me/cases", own(place)), ("/v1/facility/cases", staff(place))):
            found, cursor = [], None
            while True:
                params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
                page = (await client.get(path, params=params, headers=headers)).json()
                found += [case["case_id"] for case in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
            assert len(found) == len(set(found)) == 5
            assert found == sorted(found, reverse=True)


async def test_each_step_is_told_in_words_that_say_nothing(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place, text="qzj riêng tư")
        await client.post(f"/v1/facility/cases/{case_id}/acknowledge", headers=staff(place))
        async with store.transaction() as tx:
            for event in await claim_events(tx, bucket_of(place.patient_id), clock.now(), 100):
                await dispatch(tx, store.keys, event, clock.now())
        inbox = await client.get("/v1/me/notifications", headers=own(place))
    kinds = [item["type"] for item in inbox.json()["items"]]
    assert {"case-opened", "case-update"} <= set(kinds)
    assert "qzj" not in inbox.text
    assert place.facility.name not in inbox.text


async def test_s8_a_device_on_probation_opens_no_case(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock, probation=True)
    place = await make_place(store, clock, citizen)
    await send(store, place, "v1", DAY, clock.now())
    async with client_of(store, clock) as client:
        for response in (
            await client.get("/v1/me/cases", headers=own(place)),
            await client.post("/v1/me/cases", json=NOT_MINE | {"item_id": "x"}, headers=own(place)),
        ):
            assert (response.status_code, response.json()["code"]) == (403, "device-on-probation")


async def test_the_texts_of_a_case_rest_sealed(store: Store, clock: FrozenClock, place: Place) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place, text="xyzzy bí mật")
        note = {"text": "plugh bí mật"}
        await client.post(f"/v1/facility/cases/{case_id}/reply", json=note, headers=staff(place))
    async with store.transaction() as tx:
        for table in ("ehr_case", "ehr_case_step", "facility_case", "outbox"):
            for row in await tx.fetch(f"SELECT t::text AS line FROM {table} t"):
                for word in ("xyzzy", "plugh", "qzj"):
                    assert word not in row["line"]
                    assert word.encode().hex() not in row["line"]


async def test_pictures_of_a_closed_case_go_after_half_a_year_and_the_trail_stays(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        evidence_id = (await add(client, place, case_id, picture())).json()["evidence_id"]
        await client.post(f"/v1/me/cases/{case_id}/withdraw", headers=own(place))
    async with store.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT bucket, kind, ref, due_at FROM due_queue WHERE kind = $1 AND ref LIKE $2",
            EVIDENCE_JOB,
            f"%{case_id}",
        )
        sql = "SELECT blob_id FROM ehr_case_evidence WHERE evidence_id = $1"
        blob_id = await tx.fetchval(sql, evidence_id)
    assert row["due_at"] == clock.now() + EVIDENCE_KEPT
    erase = case_jobs(store, clock)[EVIDENCE_JOB]
    await erase(Due(row["bucket"], row["due_at"], row["kind"], row["ref"]))
    assert await store.blobs.get(place.patient_id, blob_id), "not a day early"
    clock.advance(days=180)
    await erase(Due(row["bucket"], row["due_at"], row["kind"], row["ref"]))
    with pytest.raises(BlobMissingError):
        await store.blobs.get(place.patient_id, blob_id)
    async with store.transaction() as tx:
        access = own_access(place.patient_id, "open-case")
        found = await own_detail(tx, store.keys, access, UUID(case_id), clock.now())
    assert not isinstance(found, Refused)
    assert found.detail.evidence == []
    assert [step.act for step in found.detail.steps] == ["open", "withdraw"]


async def test_s19_a_number_typed_at_a_desk_tells_the_desk_nothing_until_the_person_says_so(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    clerk = await make_doctor(store, clock, place.facility, "clerk")
    typed = {"number": place.citizen.number, "name": "Ai Đó", "birth_date": "1999-01-01", "sex": "male"}
    async with client_of(store, clock) as client:
        sent = await client.post("/v1/facility/arrivals", json=typed, headers=bearer(clerk.token))
        assert sent.status_code == 201, sent.text
        async with store.transaction() as tx:
            arrival = await tx.fetchval(
                "SELECT check_in_id FROM check_in WHERE patient_id = $1", place.patient_id
            )
        later = clock.now() + timedelta(hours=25)
        async with store.transaction() as tx:
            await look_for_record(tx, store.keys, f"{place.patient_id}:{arrival}", later)
        assert (await client.get("/v1/facility/cases", headers=staff(place))).json()["items"] == []
        mine = (await client.get("/v1/me/cases", headers=own(place))).json()["items"]
        assert [(case["kind"], case["by_service"]) for case in mine] == [("missing-visit", True)]
        path = f"/v1/facility/cases/{mine[0]['case_id']}"
        assert (await client.get(path, headers=staff(place))).status_code == 404
        yes = {
            "kind": "missing-visit",
            "text": "Tôi đã khám",
            "facility_id": str(place.facility.facility_id),
            "visit_on": mine[0]["visit_on"],
        }
        told = await client.post("/v1/me/cases", json=yes, headers=own(place))
        assert (told.status_code, told.json()["case_id"]) == (201, mine[0]["case_id"])
        shown = (await client.get(path, headers=staff(place))).json()
        assert (shown["person_name"], shown["birth_date"]) == (None, None)


async def test_a_facility_writes_ten_times_a_day_and_a_reply_sent_twice_is_one(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        path, headers = f"/v1/facility/cases/{case_id}", staff(place)
        key = headers | {"idempotency-key": "r" * 20}
        codes = [
            (await client.post(f"{path}/reply", json={"text": "Đang xem"}, headers=key)).status_code
            for _ in range(2)
        ]
        codes += [
            (await client.post(f"{path}/reply", json={"text": f"Lần {n}"}, headers=headers)).status_code
            for n in range(10)
        ]
        assert codes == [200] * 11 + [429]
        refused = await client.post(f"{path}/refuse", json={"text": "Đã đúng"}, headers=headers)
        assert refused.status_code == 200
        steps = (await client.get(f"/v1/me/cases/{case_id}", headers=own(place))).json()["steps"]
        assert [step["act"] for step in steps] == ["open", *["reply"] * 10, "refuse"]


async def test_s33_a_crowd_of_pictures_is_told_to_come_back_before_a_body_is_read(
    store: Store, clock: FrozenClock, place: Place
) -> None:
    async with client_of(store, clock) as client:
        case_id = await opened(client, place)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow_body() -> AsyncIterator[bytes]:
            data = picture()
            yield data[:10]
            begun.set()
            await go_on.wait()
            yield data[10:]

        first = asyncio.create_task(add(client, place, case_id, slow_body()))
        await begun.wait()
        second = await add(client, place, case_id, picture(size=(65, 48)))
        go_on.set()
        assert [(await first).status_code, second.status_code] == [201, 429]
        assert second.headers["retry-after"]
