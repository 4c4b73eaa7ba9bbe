"""Who looked: every read and act in plain words, own ones folded, each row provable."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from audit import log
from audit.export import read_export, verify_export
from audit.roots.models import Pin
from audit.service import record_act, record_read
from kernel.access import Action, Actor, mint_access
from kernel.ids import uuid7
from kernel.paging import encode_cursor
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

URL = "/v1/me/access-log"


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    facility = await make_facility(store, clock, name="BV Đống Đa")
    return await make_doctor(store, clock, facility, name="Nguyễn Văn An")


async def read(
    store: Store,
    clock: FrozenClock,
    actor: Actor,
    patient_id: UUID,
    action: Action = "read-section",
    *types: str,
    grant_id: UUID | None = None,
    request_id: str = "",
) -> None:
    access = mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose="TREAT",
        basis="grant" if grant_id else "self",
        basis_id=grant_id,
        basis_version=1 if grant_id else None,
    )
    async with store.transaction() as tx:
        await record_read(
            tx,
            access,
            resources=[(name, str(uuid7(clock.now()))) for name in types],
            body=b"{}",
            outcome="ok",
            request_id=request_id or str(uuid7(clock.now())),
            now=clock.now(),
        )


async def log_of(store: Store, clock: FrozenClock, citizen: Citizen, **query: Any) -> dict[str, Any]:
    async with client_of(store, clock) as client:
        answered = await client.get(URL, params=query, headers=bearer(citizen.token))
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def test_a_doctor_s_read_is_one_plain_vietnamese_line(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    grant_id = uuid7(clock.now())
    types = ("Observation", "MedicationRequest", "Observation")
    await read(store, clock, doctor.actor, citizen.patient_id, "read-section", *types, grant_id=grant_id)
    (item,) = (await log_of(store, clock, citizen))["items"]
    assert item["line"] == (
        "BS Nguyễn Văn An, BV Đống Đa đã xem một phần sổ: đơn thuốc, xét nghiệm và chỉ số"
        f" – theo đồng ý #{grant_id.hex[-8:]}"
    )
    assert item["grant_id"] == str(grant_id)
    assert item["actor_licence"] == doctor.actor.licence
    assert (item["count"], item["times"], item["is_own"]) == (3, 1, False)


async def test_a_refused_attempt_is_shown_with_its_reason(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    async with store.transaction() as tx:
        await record_act(
            tx,
            citizen.patient_id,
            doctor.actor,
            "record:summary:read",
            outcome="refused",
            reason="no-access",
            request_id="r",
            now=clock.now(),
        )
    (item,) = (await log_of(store, clock, citizen))["items"]
    assert item["line"].endswith("đã thử xem tóm tắt sổ – bị từ chối (không có quyền xem)")
    assert (item["outcome"], item["reason"]) == ("refused", "no-access")


async def test_own_reads_are_folded_and_others_between_them_stay(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    for _ in range(5):
        await read(store, clock, citizen.actor, citizen.patient_id, "read-summary")
    await read(store, clock, doctor.actor, citizen.patient_id, "read-summary", grant_id=uuid7(clock.now()))
    for _ in range(3):
        await read(store, clock, citizen.actor, citizen.patient_id, "read-summary")
    items = (await log_of(store, clock, citizen))["items"]
    assert [(item["times"], item["first_seq"], item["seq"]) for item in items] == [
        (3, 7, 9),
        (1, 6, 6),
        (5, 1, 5),
    ]
    assert items[0]["line"] == "Bạn đã xem sổ của mình (3 lần)"


async def test_what_one_page_reads_is_one_line_and_each_read_keeps_its_row(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    me, grant_id, actor = citizen.patient_id, uuid7(clock.now()), doctor.actor
    for request_id in ("1st", "2nd"):
        await read(
            store, clock, actor, me, "read-summary", "Condition", grant_id=grant_id, request_id=request_id
        )
        for what in ("Immunization", "Condition"):
            await read(
                store, clock, actor, me, "read-section", what, grant_id=grant_id, request_id=request_id
            )
    items = (await log_of(store, clock, citizen))["items"]
    assert [(item["times"], item["first_seq"], item["seq"]) for item in items] == [(3, 4, 6), (3, 1, 3)]
    assert items[0]["line"] == (
        "BS Nguyễn Văn An, BV Đống Đa đã xem tóm tắt sổ, xem một phần sổ: chẩn đoán, tiêm chủng"
        f" – theo đồng ý #{grant_id.hex[-8:]}"
    )
    assert (items[0]["types"], items[0]["count"]) == (["Condition", "Immunization"], 3)
    proved = (await log_of(store, clock, citizen, proofs=True))["items"]
    assert [item["seq"] for item in proved] == [7, 6, 5, 4, 3, 2, 1], (
        "the reading of the log itself is the last"
    )


async def test_reads_of_one_number_by_two_people_are_two_lines(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    other = await make_doctor(store, clock, await make_facility(store, clock))
    for one in (doctor, other):
        grant_id = uuid7(clock.now())
        await read(
            store, clock, one.actor, citizen.patient_id, "read-summary", grant_id=grant_id, request_id="r"
        )
    assert [item["times"] for item in (await log_of(store, clock, citizen))["items"]] == [1, 1]


async def sent(store: Store, clock: FrozenClock, actor: Actor, patient_id: UUID, times: int = 1) -> None:
    """Batches of a phone."""
    async with store.transaction() as tx:
        for _ in range(times):
            await record_act(tx, patient_id, actor, "vitals:batch:store", request_id="r", now=clock.now())


async def test_batches_of_a_watch_do_not_bury_who_looked(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    me = citizen.patient_id
    await read(store, clock, doctor.actor, me, "read-summary", grant_id=uuid7(clock.now()))
    await sent(store, clock, citizen.actor, me, 450)
    await read(store, clock, citizen.actor, me, "read-summary")
    await sent(store, clock, citizen.actor, me, 4)
    mother = await make_citizen(store, clock)
    await sent(store, clock, mother.actor, me, 3)
    await sent(store, clock, citizen.actor, me, 2)
    page = await log_of(store, clock, citizen)
    assert [(item["first_seq"], item["seq"], item["times"]) for item in page["items"]] == [
        (460, 461, 2),
        (457, 459, 3),
        (2, 456, 455),
        (1, 1, 1),
    ]
    assert page["next"] is None
    lines = [item["line"] for item in page["items"]]
    assert lines[0] == "Bạn đã gửi số đo vào sổ (2 lần)"
    assert lines[1] == "Người dùng khác đã gửi số đo vào sổ – thay mặt bạn (3 lần)"
    assert lines[2] == "Bạn đã xem sổ của mình, gửi số đo vào sổ (455 lần)"


async def test_a_folded_batch_is_still_a_row_that_can_be_proved(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await sent(store, clock, citizen.actor, citizen.patient_id, 5)
    page = await log_of(store, clock, citizen, proofs=True)
    assert [item["seq"] for item in page["items"]] == [5, 4, 3, 2, 1]
    newer, older = page["items"][:2]
    assert newer["prev"] == older["h"]
    assert all(item["row"] for item in page["items"])


async def test_more_batches_than_are_looked_through_end_a_page_and_lose_nothing(
    store: Store, clock: FrozenClock, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "ROWS_MAX", 3)
    await sent(store, clock, citizen.actor, citizen.patient_id, 3 * log.LOTS_MAX + 2)
    first = await log_of(store, clock, citizen, kind="act")
    then = await log_of(store, clock, citizen, kind="act", cursor=first["next"])
    assert [item["times"] for page in (first, then) for item in page["items"]] == [3 * log.LOTS_MAX, 2]
    assert then["next"] is None


async def test_reading_the_log_is_logged(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    assert (await log_of(store, clock, citizen))["items"] == []
    (item,) = (await log_of(store, clock, citizen))["items"]
    assert item["action"] == "log:access:read"


async def test_pages_pass_every_row_once(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    for _ in range(7):
        await read(
            store, clock, doctor.actor, citizen.patient_id, "read-summary", grant_id=uuid7(clock.now())
        )
    seen, cursor = [], None
    while True:
        query = {"limit": 3, "actor": "practitioner"} | ({"cursor": cursor} if cursor else {})
        page = await log_of(store, clock, citizen, **query)
        seen += [item["seq"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_rows_are_found_by_actor_and_by_day_in_vietnam(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    await read(store, clock, citizen.actor, citizen.patient_id, "read-summary")
    await read(store, clock, doctor.actor, citizen.patient_id, "read-summary", grant_id=uuid7(clock.now()))
    day = clock.now().date()
    assert len((await log_of(store, clock, citizen, actor="practitioner"))["items"]) == 1
    assert len((await log_of(store, clock, citizen, actor="kiosk"))["items"]) == 0
    same = {"since": str(day), "until": str(day), "actor": "practitioner"}
    assert len((await log_of(store, clock, citizen, **same))["items"]) == 1
    earlier = {"until": str(day - timedelta(days=1))}
    assert len((await log_of(store, clock, citizen, **earlier))["items"]) == 0


async def test_an_app_verifies_its_log_against_the_head_it_pinned(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    for _ in range(4):
        await read(
            store,
            clock,
            doctor.actor,
            citizen.patient_id,
            "read-section",
            "Condition",
            grant_id=uuid7(clock.now()),
        )
    pinned = (await log_of(store, clock, citizen))["head"]
    async with client_of(store, clock) as client:
        answered = await client.get(f"{URL}/export", headers=bearer(citizen.token))
    export = read_export([answered.content])
    assert len(export.rows) == pinned["seq"] + 1
    assert verify_export(export, Pin(seq=pinned["seq"], h=pinned["h"])).broken is None


async def test_nobody_reads_another_person_s_log(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    other = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        assert (await client.get(URL)).status_code == 401
        assert (await client.get(URL, headers=bearer(doctor.token))).status_code == 403
        headers = bearer(other.token) | {"X-Patient-Id": str(citizen.patient_id)}
        assert (await client.get(URL, headers=headers)).status_code == 403


async def test_s20_two_persons_in_sequence_get_their_own_log(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    other = await make_citizen(store, clock)
    await read(store, clock, doctor.actor, citizen.patient_id, "read-summary", grant_id=uuid7(clock.now()))
    assert len((await log_of(store, clock, citizen))["items"]) == 1
    assert (await log_of(store, clock, other))["items"] == []


async def test_the_first_and_the_last_day_of_the_calendar_are_days_like_any(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await read(store, clock, citizen.actor, citizen.patient_id)
    ever = await log_of(store, clock, citizen, since="0001-01-01", until="9999-12-31")
    assert [item["seq"] for item in ever["items"]] == [1]
    assert (await log_of(store, clock, citizen, until="0001-01-01"))["items"] == []
    assert (await log_of(store, clock, citizen, since="9999-12-31"))["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"actor": "nobody"},
        {"since": "yesterday"},
        {"limit": "0"},
        {"cursor": "%%"},
        {"cursor": encode_cursor(2**70)},
        {"x": "1"},
    ],
)
async def test_a_wrong_parameter_is_a_problem_and_not_a_crash(
    store: Store, clock: FrozenClock, citizen: Citizen, query: dict[str, str]
) -> None:
    async with client_of(store, clock) as client:
        answered = await client.get(URL, params=query, headers=bearer(citizen.token))
    assert answered.status_code == 400
    assert answered.headers["content-type"] == "application/problem+json"
