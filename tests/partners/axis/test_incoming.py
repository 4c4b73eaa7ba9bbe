"""Messages from the axis: signed by a key that an operator set, dealt with once, never against a facility."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from store.database import Store
from tests.partners.axis.conftest import Site
from tests.support.clock import FrozenClock
from tests.support.health_checks import PLACE, enter
from tests.support.health_checks import check as check_of
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor

MINISTRY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HERE, THERE = "7920000000012", "0100000000039"
AT = "/v1/axis/messages"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, axis_keys=[MINISTRY.public_key()]) as made:
        yield made


@pytest.fixture
async def here(site: Site) -> Any:
    async with site.store.transaction() as tx:
        found = await tx.fetchval("SELECT facility_id FROM facility_code WHERE code = $1", HERE)
    return found or (await site.facility(HERE)).facility_id


def check(citizen: Citizen, **changed: Any) -> dict[str, Any]:
    """A check of one's own number: tests of a file share their database."""
    return check_of(citizen, **({"check_number": f"P-{citizen.number[-5:]}"} | changed))


def message(
    clock: FrozenClock,
    content: Any,
    *,
    key: rsa.RSAPrivateKey = MINISTRY,
    msg_id: str | None = None,
    seconds: int = 0,
    **changed: Any,
) -> bytes:
    """As the axis would make one, with the tools of this file alone."""
    header = {
        "version": "1.0",
        "sender_id": THERE,
        "receiver_id": HERE,
        "txn_type": "T-1",
        "msg_id": msg_id or f"{changed.get('sender_id', THERE)}261123{uuid.uuid4().hex}",
        "msg_type": 101,
        "data_type": "json/base64",
        "send_datetime": int((clock.now() + timedelta(seconds=seconds)).timestamp() * 1000),
    } | changed
    told = json.dumps(header)
    data = base64.b64encode(json.dumps(content).encode()).decode()
    signature = key.sign((told + data).encode(), padding.PKCS1v15(), hashes.SHA256())
    text = base64.b64encode(signature).decode()
    return f'{{"header": {told}, "data": "{data}", "signature": "{text}"}}'.encode()


async def push(client: httpx.AsyncClient, body: bytes) -> dict[str, Any]:
    answer = await client.post(AT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def outcomes(store: Store, body: bytes) -> list[tuple[str, str | None]]:
    msg_id = json.loads(body)["header"]["msg_id"]
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT outcome, reason FROM axis_inbound WHERE msg_id = $1", msg_id)
    return [(row[0], row[1]) for row in rows]


async def listed(client: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, Any]]:
    found = await client.get("/v1/me/health-checks", headers=bearer(citizen.token))
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def test_a_signed_check_comes_into_the_book_once_and_a_repeat_gets_the_same_answer(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    body = message(clock, check(citizen))
    first = await push(client, body)
    clock.advance(minutes=2)
    again = await push(client, body)
    assert first == again
    header = json.loads(body)["header"]
    assert (first["code"], first["header"]["msg_type"]) == ("CM_SUCCESS", 102)
    assert first["header"]["ref_msg_id"] == header["msg_id"]
    assert (first["header"]["sender_id"], first["header"]["receiver_id"]) == (HERE, THERE)
    assert await outcomes(site.store, body) == [("taken", None)]
    (shown,) = await listed(client, citizen)
    assert shown["conclusion"] == "Đủ sức khỏe học tập"


async def test_the_same_msg_id_with_other_words_is_refused(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    msg_id = f"{THERE}261123{uuid.uuid4().hex}"
    assert (await push(client, message(clock, check(citizen), msg_id=msg_id)))["code"] == "CM_SUCCESS"
    other = message(clock, check(citizen, conclusion="Khác"), msg_id=msg_id)
    assert (await push(client, other))["code"] == "CM_INVALID_REQUEST"
    (shown,) = await listed(client, citizen)
    assert shown["conclusion"] == "Đủ sức khỏe học tập"


async def test_s28_what_another_key_signed_is_kept_nowhere_and_takes_no_msg_id(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    msg_id = f"{THERE}261123{uuid.uuid4().hex}"
    own = site.store.keys.axis_signer()
    assert own is not None
    good = message(clock, check(citizen), msg_id=msg_id)
    wire = json.loads(good)
    told = json.dumps(wire["header"])
    forged = [
        message(clock, check(citizen), msg_id=msg_id, key=STRANGER),
        # Our own key signs what leaves, never what comes.
        message(clock, check(citizen), msg_id=msg_id, key=own),
        good.replace(b'"txn_type": "T-1"', b'"txn_type": "T-2"'),
        good.replace(b'"msg_type": 101', b'"msg_type":  101'),
        f'{{"header": {told}, "data": "{wire["data"]}", "signature": ""}}'.encode(),
        f'{{"header": {told}, "data": "bnVsbA==", "signature": "{wire["signature"]}"}}'.encode(),
    ]
    for body in forged:
        assert (await push(client, body))["code"] == "PS_SIGNATURE_INVALID"
        assert await outcomes(site.store, good) == []
    assert await listed(client, citizen) == []
    assert (await push(client, good))["code"] == "CM_SUCCESS"


@pytest.mark.parametrize(
    "changed",
    [
        {"receiver_id": "7920000000999"},
        {"msg_type": 102},
        {"data_type": "xml/base64"},
        {"msg_id": "0100000000040261123" + uuid.uuid4().hex},
        {"msg_id": THERE + "261123" + "0" * 32},
        {"send_datetime": 4_102_444_800_000},
        {"send_datetime": 10**18},
    ],
)
async def test_a_message_of_another_form_or_for_somebody_else_is_refused(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any, changed: dict[str, Any]
) -> None:
    citizen = await make_citizen(site.store, clock)
    body = message(clock, check(citizen), **changed)
    assert (await push(client, body))["code"] == "CM_INVALID_REQUEST"
    assert await listed(client, citizen) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"header": {}, "data": "", "signature": ""}',
        b'{"header": {"sender_id": "x"}, "data": "", "signature": ""}',
        b"[" * 100_000,
    ],
)
async def test_what_is_no_message_is_a_malformed_body(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(AT, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-body")


async def test_where_no_key_is_set_there_is_no_such_route(
    store: Store, clock: FrozenClock, here: Any
) -> None:
    async with client_of(store, clock) as client:
        answer = await client.post(AT, content=message(clock, {}))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "school"},
        [],
        None,
        {"form": "no-such-form"},
        {"values": {"CANNANG": "nhiều"}},
        {"values": {"KHONG_CO": "1"}},
        {"done_on": "2030-01-01"},
        {"person": {"numbers": [], "name": "A", "birth_date": "1980", "sex": "male"}},
    ],
)
async def test_content_that_cannot_be_read_is_refused_whole(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any, content: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    told = (
        check(citizen) | content if isinstance(content, dict) and content != {"kind": "school"} else content
    )
    body = message(clock, told)
    assert (await push(client, body))["code"] == "CM_INVALID_REQUEST"
    ((outcome, reason),) = await outcomes(site.store, body)
    assert outcome == "refused"
    assert reason
    assert await listed(client, citizen) == []


async def test_s19_a_message_about_nobody_known_or_somebody_else_is_answered_alike(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    known, stranger = await make_citizen(site.store, clock), await make_citizen(site.store, clock)
    conflicting = check(known)
    conflicting["person"] = conflicting["person"] | {"birth_date": "1901-01-01"}
    unknown = check(stranger)
    unknown["person"] = unknown["person"] | {"numbers": [{"kind": "national-id", "value": "079199999901"}]}
    answers = []
    for content in (check(known), conflicting, unknown):
        told = await push(client, message(clock, content))
        answers.append((told["code"], sorted(told["header"])))
    assert len(set(map(str, answers))) == 1
    assert [one["conclusion"] for one in await listed(client, known)] == ["Đủ sức khỏe học tập"]


async def test_the_newest_copy_by_its_senders_clock_stands(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    await push(client, message(clock, check(citizen, conclusion="Mới"), seconds=-10))
    older = message(clock, check(citizen, conclusion="Cũ"), seconds=-3600)
    assert (await push(client, older))["code"] == "CM_SUCCESS"
    assert [outcome for outcome, _ in await outcomes(site.store, older)] == ["older-version"]
    assert [one["conclusion"] for one in await listed(client, citizen)] == ["Mới"]
    await push(client, message(clock, check(citizen, conclusion="Mới hơn")))
    assert [one["conclusion"] for one in await listed(client, citizen)] == ["Mới hơn"]


async def test_s3_a_facilitys_own_word_stands_before_and_after_a_copy_of_it(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    facility = await site.facility("7920000000029")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    ids: dict[str, Any] = {"sender_id": "7920000000029"}
    # Our own message that comes back, or what somebody makes of it: nothing changes.
    await enter(client, nurse, check(citizen))
    clock.advance(minutes=1)
    echo = message(clock, check(citizen, conclusion="Không đủ"), **ids)
    assert (await push(client, echo))["code"] == "CM_SUCCESS"
    assert await outcomes(site.store, echo) == [("kept-own", None)]
    assert [one["conclusion"] for one in await listed(client, citizen)] == ["Đủ sức khỏe học tập"]
    # A copy that came first gives way to the facility's own.
    await push(client, message(clock, check(citizen, check_number="B-1", conclusion="Bản sao"), **ids))
    assert {one["conclusion"] for one in await listed(client, citizen)} == {"Đủ sức khỏe học tập", "Bản sao"}
    own = await enter(client, nurse, check(citizen, check_number="B-1", conclusion="Bản chính"))
    await site.work()
    shown = [one["conclusion"] for one in await listed(client, citizen)]
    assert sorted(shown) == ["Bản chính", "Đủ sức khỏe học tập"]
    # What the facility took back stays taken back.
    await client.post(f"{PLACE}/{own.json()['check_id']}/withdraw", headers=bearer(nurse.token))
    late = message(clock, check(citizen, check_number="B-1", conclusion="Bản sao"), **ids)
    await push(client, late)
    assert await outcomes(site.store, late) == [("kept-own", None)]
    assert [one["conclusion"] for one in await listed(client, citizen)] == ["Đủ sức khỏe học tập"]


async def test_what_came_from_the_axis_is_not_sent_back_to_it(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    await push(client, message(clock, check(citizen)))
    await site.work()
    async with site.store.transaction() as tx:
        told = await tx.fetchval(
            "SELECT count(*) FROM axis_message WHERE patient_id = $1", citizen.patient_id
        )
    assert told == 0


async def test_what_the_gate_stops_comes_into_no_book_and_stays_in_no_row(
    site: Site, client: httpx.AsyncClient, clock: FrozenClock, here: Any
) -> None:
    citizen = await make_citizen(site.store, clock)
    told = check(citizen)
    told["values"] = told["values"] | {"KHAMRHM": "Đang điều trị ARV do nhiễm HIV"}
    assert (await push(client, message(clock, told)))["code"] == "CM_SUCCESS"
    (shown,) = await listed(client, citizen)
    one = await client.get(f"/v1/me/health-checks/{shown['id']}", headers=bearer(citizen.token))
    assert "HIV" not in one.text
    assert "Bình thường" in one.text
    async with site.store.transaction() as tx:
        docs = await tx.fetch("SELECT doc FROM ehr_resource WHERE patient_id = $1", citizen.patient_id)
        rows = await tx.fetch("SELECT axis_inbound::text FROM axis_inbound")
    assert "HIV" not in str([*docs, *rows])
