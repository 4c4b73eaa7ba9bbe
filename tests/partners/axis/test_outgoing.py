"""Health checks on their way to the axis: once each, the same bytes at every try, never without a ground."""

import itertools
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ehr.entry.models import EntryNumber
from ehr.health_checks.queries import CheckRow
from healthbook.axis_jobs import axis_jobs
from identity.models import Demographics, OwnIdentifier
from identity.registry.models import MergeBody
from partners.axis import operating
from partners.axis.content import content_of, number_of
from partners.axis.models import SEND_JOB
from partners.axis.policy import WAIT_MAX
from store.database import Store
from store.models import Due
from tests.partners.axis.conftest import Site
from tests.support.axis_stand_in import AxisStandIn
from tests.support.clock import START, FrozenClock
from tests.support.health_checks import PLACE, VALUES, check, enter
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor
from tests.support.registry import agreed, make_officers

RUNNING = itertools.count(1)


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as made:
        yield made


async def test_a_check_is_told_within_a_day_and_stands_in_the_persons_log(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000011")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    assert (await enter(client, nurse, check(citizen))).status_code == 201
    await site.work()
    assert await site.messages(facility) == [("accepted", None, 1)]
    (kept,) = stand_in.kept.values()
    header, content = kept["header"], kept["content"]
    assert header["sender_id"] == "7900000000011"
    assert (header["msg_type"], header["data_type"], header["txn_type"]) == (101, "json/base64", "T-1")
    assert header["send_datetime"] == int(clock.now().timestamp() * 1000)
    assert content["person"] == {
        "numbers": [{"kind": "national-id", "value": citizen.number}],
        "name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": citizen.sex,
    }
    assert (content["check_number"], content["kind"], content["form"]) == ("3A-001", "school", "831-d")
    assert content["values"]["CANNANG"] == "28.50"
    assert content["values"].keys() == VALUES.keys()
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()
    told = [line for line in log["items"] if line["action"] == "record:axis:read"]
    assert len(told) == 1
    assert facility.name in json.dumps(told[0], ensure_ascii=False)
    async with site.store.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT body_sealed, body_sha256, receipt FROM axis_message WHERE facility_id = $1",
            facility.facility_id,
        )
    # Kept of it: its digest and the receipt.
    assert row is not None
    assert row["body_sealed"] is None
    assert "CM_SUCCESS" in row["receipt"]


async def test_nothing_leaves_without_a_ground_and_a_later_one_tells_nothing_of_before(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000028", allowed=False)
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    await enter(client, nurse, check(citizen))
    await site.work()
    async with site.store.transaction() as tx:
        await operating.allow(tx, facility.facility_id, "QĐ thử 2/2026", clock.now())
    await site.work()
    assert await site.messages(facility) == []
    await enter(client, nurse, check(citizen, check_number="3A-002"))
    async with site.store.transaction() as tx:
        assert await operating.end(tx, facility.facility_id, clock.now())
    await site.work()
    assert stand_in.seen == []


@pytest.mark.parametrize("fault", [500, 503, 429, 408, 401, "lost", "garbage", "other"])
async def test_trouble_is_tried_again_with_the_same_bytes_until_one_receipt_stands(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock, fault: str | int
) -> None:
    facility = await site.facility(f"7910000000{next(RUNNING):03d}")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    # A token that counts no more is renewed once within a try.
    stand_in.faults.extend([fault] * (4 if fault == 401 else 2))
    await enter(client, nurse, check(citizen))
    await site.work()
    assert await site.messages(facility) == [("waiting", None, 1)]
    clock.advance(seconds=31)
    await site.work()
    assert await site.messages(facility) == [("waiting", None, 2)]
    clock.advance(seconds=61)
    await site.work()
    assert await site.messages(facility) == [("accepted", None, 3)]
    assert len(set(stand_in.seen)) == 1
    assert len(stand_in.kept) == 1


async def test_an_axis_that_takes_too_long_is_asked_again_with_the_same_bytes(
    site: Site, hurried: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000158")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    stand_in.faults.append("slow")
    await enter(client, nurse, check(citizen))
    await hurried.work()
    assert await site.messages(facility) == [("waiting", None, 1)]
    stand_in.open.set()
    clock.advance(seconds=31)
    await site.work()
    assert await site.messages(facility) == [("accepted", None, 2)]
    assert len(set(stand_in.seen)) == len(stand_in.kept) == 1


async def test_a_word_of_refusal_stops_a_message_until_an_operator_goes_on(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000042")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    stand_in.faults.append("CM_INVALID_REQUEST")
    await enter(client, nurse, check(citizen))
    await site.work()
    assert await site.messages(facility) == [("stopped", "invalid-request", 1)]
    clock.advance(hours=30)
    await site.work()
    assert len(stand_in.seen) == 1
    # Another check of the same facility goes its way.
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    await enter(client, nurse, check(citizen, check_number="3A-002"))
    await site.work()
    assert [state for state, _, _ in await site.messages(facility)] == ["stopped", "accepted"]
    async with site.store.transaction() as tx:
        (listed,) = [
            one
            for one in await operating.not_through(tx, clock.now())
            if one.facility_id == facility.facility_id
        ]
        assert listed.reason == "invalid-request"
        assert await operating.resume(tx, listed.message_id, clock.now())
    await site.work()
    assert [state for state, _, _ in await site.messages(facility)] == ["accepted", "accepted"]
    first, _, again = (json.loads(body)["header"]["msg_id"] for body in stand_in.seen)
    assert first != again


async def test_a_refused_signature_holds_everything_of_its_facility(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility, other = await site.facility("7900000000059"), await site.facility("7900000000066")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    elsewhere = await make_doctor(site.store, clock, other, role="nurse")
    stand_in.faults.append("PS_SIGNATURE_INVALID")
    await enter(client, nurse, check(citizen))
    await site.work()
    clock.advance(seconds=1)
    await enter(client, nurse, check(citizen, check_number="3A-002"))
    await enter(client, elsewhere, check(citizen, check_number="3A-003"))
    await site.work()
    assert await site.messages(facility) == [("stopped", "signature-invalid", 1), ("waiting", None, 0)]
    assert await site.messages(other) == [("accepted", None, 1)]
    async with site.store.transaction() as tx:
        assert await operating.resume_facility(tx, facility.facility_id, clock.now(), clock.now()) == 1
    # What waited comes by its own timer.
    clock.advance(minutes=2)
    await site.work()
    assert await site.messages(facility) == [("accepted", None, 1), ("accepted", None, 1)]


async def test_a_check_that_changes_before_it_left_is_told_once_and_after_it_left_again(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000073")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    made = (await enter(client, nurse, check(citizen))).json()
    place = f"{PLACE}/{made['check_id']}"
    headers = bearer(nurse.token)
    await client.put(place, headers=headers, json=check(citizen, conclusion="Cần khám thêm"))
    await site.work()
    (kept,) = stand_in.kept.values()
    assert kept["content"]["conclusion"] == "Cần khám thêm"
    clock.advance(seconds=1)
    # The answer is lost; the newer version waits for the older one's.
    await client.put(place, headers=headers, json=check(citizen, conclusion="Khỏe"))
    stand_in.faults.append("lost")
    await site.work()
    clock.advance(seconds=1)
    await client.put(place, headers=headers, json=check(citizen, conclusion="Rất khỏe"))
    await site.work()
    assert [state for state, _, _ in await site.messages(facility)] == ["accepted", "waiting", "waiting"]
    clock.advance(minutes=3)
    await site.work()
    clock.advance(minutes=3)
    await site.work()
    assert [state for state, _, _ in await site.messages(facility)] == ["accepted"] * 3
    assert [one["content"]["conclusion"] for one in stand_in.kept.values()] == [
        "Cần khám thêm",
        "Khỏe",
        "Rất khỏe",
    ]
    # The same once more is no news.
    await client.put(place, headers=headers, json=check(citizen, conclusion="Rất khỏe"))
    await site.work()
    assert len(await site.messages(facility)) == 3


async def test_a_check_taken_back_never_leaves_and_one_that_left_is_put_before_an_operator(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000080")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    headers = bearer(nurse.token)
    unsent = (await enter(client, nurse, check(citizen))).json()["check_id"]
    await client.post(f"{PLACE}/{unsent}/withdraw", headers=headers)
    await site.work()
    assert [state for state, _, _ in await site.messages(facility)] in (["withdrawn"], ["withheld"])
    assert stand_in.seen == []
    clock.advance(seconds=1)
    sent = (await enter(client, nurse, check(citizen, check_number="3A-002"))).json()["check_id"]
    await site.work()
    await client.post(f"{PLACE}/{sent}/withdraw", headers=headers)
    await site.work()
    assert (await site.messages(facility))[-1] == ("stopped", "withdrawn", 1)
    async with site.store.transaction() as tx:
        (listed,) = [
            one
            for one in await operating.not_through(tx, clock.now())
            if one.facility_id == facility.facility_id
        ]
        assert not await operating.resume(tx, listed.message_id, clock.now())
        assert await operating.close(tx, listed.message_id, clock.now())


@pytest.mark.parametrize("kept", ["hidden", "labelled", "retracted"])
async def test_what_may_not_be_seen_does_not_leave(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock, kept: str
) -> None:
    code = {"hidden": "7900000000097", "labelled": "7900000000110", "retracted": "7900000000127"}[kept]
    facility = await site.facility(code)
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    await enter(client, nurse, check(citizen))
    shown = (await client.get("/v1/me/health-checks", headers=bearer(citizen.token))).json()["items"][0]
    if kept == "hidden":
        body = {"kind": "Encounter", "id": shown["visit_id"]}
        made = await client.post("/v1/me/hidings", headers=bearer(citizen.token), json=body)
        assert made.status_code == 201, made.text
    else:
        changed = "labels = 4" if kept == "labelled" else "deleted = true"
        async with site.store.transaction() as tx:
            await tx.execute(
                f"UPDATE ehr_resource SET {changed} WHERE patient_id = $1 AND id = $2",
                citizen.patient_id,
                shown["id"],
            )
    await site.work()
    assert await site.messages(facility) == [("withheld", None, 0)]
    assert stand_in.seen == []


@pytest.mark.parametrize(("state", "code"), [("frozen", "7900000000172"), ("erasing", "7900000000189")])
async def test_nothing_of_a_closed_book_leaves(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock, state: str, code: str
) -> None:
    facility = await site.facility(code)
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    await enter(client, nurse, check(citizen))
    async with site.store.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", citizen.patient_id, state)
    await site.work()
    assert await site.messages(facility) == [("withheld", None, 0)]
    assert stand_in.seen == []


async def test_s10_nothing_leaves_for_the_axis_while_a_merge_is_under_way(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000165")
    citizen, other = await make_citizen(site.store, clock), await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    await enter(client, nurse, check(citizen))
    body = MergeBody(merged_id=other.patient_id, survivor_id=citizen.patient_id)
    await agreed(site.store, await make_officers(site.store, clock), "merge", body, clock.now())
    await site.work()
    assert await site.messages(facility) == [("stopped", "person-merged", 0)]
    assert stand_in.seen == []


def test_lines_that_the_gate_stops_today_are_left_out() -> None:
    form = "urn:vn:so-suc-khoe:health-check-form:831-d|1"
    items = {"exam.KHAMRHM": "Bình thường", "exam.KHAMTIMMACH": "Đang điều trị ARV do nhiễm HIV"}
    doc = {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"value": "A-1"},
        "questionnaire": form,
        "meta": {"tag": [{"system": "urn:vn:so-suc-khoe:health-check", "code": "work"}]},
        "status": "completed",
        "authored": "2026-11-20",
        "item": [
            {"linkId": link, "text": link, "answer": [{"valueString": text}]} for link, text in items.items()
        ],
    }
    row = CheckRow("QuestionnaireResponse", "x", START, json.dumps(doc), None, None, None, None)
    person = Demographics(name="Trần Văn Thử", birth_date="1980-03-12", sex="male")
    number = EntryNumber(kind="national-id", value="079080001234")
    made = content_of(row, person, number)
    assert made is not None
    assert made.left_out == 1
    assert json.loads(made.data)["values"] == {"KHAMRHM": "Bình thường"}
    assert content_of(row, Demographics(name="Trần Văn Thử"), number) is None


def test_a_number_stands_in_a_message_only_while_it_proves_something() -> None:
    def own(kind: str, value: str, **changed: Any) -> OwnIdentifier:
        return OwnIdentifier(**({"kind": kind, "value": value, "state": "verified"} | changed))

    card = own("insurance-card", "TE1790000000001", state="facility-reported")
    today = date(2026, 11, 23)
    named = number_of([card, own("national-id", "079080001234")], today)
    assert named is not None and named.kind == "national-id"  # noqa: PT018
    for weaker in (
        own("national-id", "079080001234", state="self-declared"),
        own("national-id", "079080001234", status="replaced"),
        own("national-id", "079080001234", valid_until=date(2026, 11, 22)),
    ):
        named = number_of([weaker, card], today)
        assert named is not None and named.kind == "insurance-card"  # noqa: PT018
    assert number_of([own("facility-patient-id", "BN-1")], today) is None


async def test_what_came_late_is_counted_as_late(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000103")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    stand_in.faults.append(500)
    await enter(client, nurse, check(citizen))
    await site.work()
    clock.advance(hours=25)
    admin = await make_doctor(site.store, clock, facility, role="facility-admin")
    before = (await client.get("/v1/facility/deliveries", headers=bearer(admin.token))).json()["axis"]
    await site.work()
    after = (await client.get("/v1/facility/deliveries", headers=bearer(admin.token))).json()["axis"]
    assert (before["waiting"], before["overdue"], before["late"]) == (1, 1, 0)
    assert (after["waiting"], after["overdue"], after["late"], after["in_time"]) == (0, 0, 1, 0)


async def test_a_message_without_an_axis_waits_for_one(site: Site, clock: FrozenClock) -> None:
    send = axis_jobs(site.store, clock, None)[SEND_JOB]
    assert await send(Due(0, clock.now(), SEND_JOB, "")) == clock.now() + WAIT_MAX
    assert timedelta(hours=1) >= WAIT_MAX


async def test_a_key_that_the_ministry_does_not_know_stops_until_it_does(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000134")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    known = stand_in.key
    stand_in.key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    await enter(client, nurse, check(citizen))
    await site.work()
    assert await site.messages(facility) == [("stopped", "signature-invalid", 1)]
    assert stand_in.kept == {}
    stand_in.key = known
    async with site.store.transaction() as tx:
        assert await operating.resume_facility(tx, facility.facility_id, clock.now(), clock.now()) == 1
    await site.work()
    assert await site.messages(facility) == [("accepted", None, 1)]


async def test_a_token_serves_until_its_end_and_no_login_sends_nothing(
    site: Site, client: httpx.AsyncClient, stand_in: AxisStandIn, clock: FrozenClock
) -> None:
    facility = await site.facility("7900000000141")
    citizen = await make_citizen(site.store, clock)
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    for number in range(3):
        await enter(client, nurse, check(citizen, check_number=f"T-{number}"))
    await site.work()
    assert (stand_in.tokens, len(stand_in.kept)) == (1, 3)
    clock.advance(hours=1)
    stand_in.login_status = 403
    nurse = await make_doctor(site.store, clock, facility, role="nurse")
    await enter(client, nurse, check(citizen, check_number="T-4"))
    await site.work()
    assert (await site.messages(facility))[-1] == ("waiting", None, 1)
    assert len(stand_in.seen) == 3
    stand_in.login_status = 200
    clock.advance(seconds=31)
    await site.work()
    assert (stand_in.tokens, len(stand_in.kept)) == (2, 4)
