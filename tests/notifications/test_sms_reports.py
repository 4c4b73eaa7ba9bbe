"""A gateway's delivery reports over HTTP: signed, harmless when repeated, and telling nobody anything."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from kernel.ids import bucket_of
from notifications import queries
from notifications.delivery import Outgoing, claim_batch, settle_batch
from notifications.models import Outcome, SmsMessage, SmsSignIn
from notifications.service import notify
from notifications.sms_reports import REPORTS_MAX
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen
from tests.support.sms_server import SECRET, mac, report_header

PHONE = "+84903111222"
UNKNOWN = Outcome(status="unknown", error_code="timeout")
SENT = Outcome(status="sent", message_id="sms-1")


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
def hand_over(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> Callable[[Outcome | None], Awaitable[SmsMessage]]:
    """One SMS on its way: claimed, and settled with an outcome unless it is still under way."""

    async def one(outcome: Outcome | None) -> SmsMessage:
        now = clock.now()
        async with store.transaction() as tx:
            sms = SmsSignIn(code="QXWRTB")
            until = now + timedelta(minutes=5)
            person = citizen.patient_id
            await notify(tx, store.keys, person, "sign-in-code", "k", now, until, sms=sms, phone=PHONE)
        async with delivery.transaction() as tx:
            batch = await claim_batch(tx, delivery.keys, [bucket_of(citizen.patient_id)], now)
        mine = [item for item in batch if item.claimed.patient_id == citizen.patient_id]
        assert isinstance(mine[0].message, SmsMessage)
        if outcome is not None:
            await settle(mine, outcome)
        return mine[0].message

    async def settle(batch: list[Outgoing], outcome: Outcome) -> None:
        async with delivery.transaction() as tx:
            await settle_batch(tx, batch, [outcome], clock.now(), jitter=0.5)

    return one


async def status_of(store: Store, citizen: Citizen) -> tuple[str, bool]:
    """The delivery's status, and whether its text is still there."""
    async with store.transaction() as tx:
        rows = [row for row in await queries.LATEST.all(tx, 1000) if row.patient_id == citizen.patient_id]
    return rows[0].status, rows[0].text_sealed is not None


async def report(store: Store, clock: FrozenClock, said: Any, header: str | None = None) -> httpx.Response:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    header = report_header(body, clock.now().timestamp()) if header is None else header
    async with client_of(store, clock, sms_secret=SECRET) as client:
        return await client.post("/v1/sms/reports", content=body, headers={"X-Healthbook-Signature": header})


def one_report(message: SmsMessage, status: str) -> dict[str, Any]:
    return {"reports": [{"reference": message.reference, "status": status}]}


@pytest.mark.parametrize(
    ("outcome", "said", "status"),
    [
        (UNKNOWN, "delivered", "sent"),
        (UNKNOWN, "failed", "failed"),
        (SENT, "delivered", "sent"),
        (SENT, "failed", "failed"),
        (None, "delivered", "sent"),
        (None, "failed", "failed"),
        (SENT, "on-its-way", "sent"),
        (UNKNOWN, "on-its-way", "unknown"),
    ],
)
async def test_a_report_settles_what_nobody_knew(
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    hand_over: Callable[[Outcome | None], Awaitable[SmsMessage]],
    outcome: Outcome | None,
    said: str,
    status: str,
) -> None:
    message = await hand_over(outcome)
    for _ in range(2):
        assert (await report(store, clock, one_report(message, said))).status_code == 204
        assert await status_of(store, citizen) == (status, status == "unknown")


async def test_what_a_phone_has_stays_delivered_and_goes_to_nobody_again(
    store: Store,
    delivery: Store,
    clock: FrozenClock,
    citizen: Citizen,
    hand_over: Callable[[Outcome | None], Awaitable[SmsMessage]],
) -> None:
    message = await hand_over(UNKNOWN)
    await report(store, clock, one_report(message, "delivered"))
    await report(store, clock, one_report(message, "failed"))
    assert (await status_of(store, citizen))[0] == "sent"
    clock.advance(minutes=4)
    async with delivery.transaction() as tx:
        batch = await claim_batch(tx, delivery.keys, [bucket_of(citizen.patient_id)], clock.now())
    assert [item for item in batch if item.claimed.patient_id == citizen.patient_id] == []


async def test_nobody_but_the_gateway_reports(
    store: Store,
    clock: FrozenClock,
    citizen: Citizen,
    hand_over: Callable[[Outcome | None], Awaitable[SmsMessage]],
) -> None:
    message = await hand_over(SENT)
    said = one_report(message, "failed")
    body, at = json.dumps(said).encode(), int(clock.now().timestamp())
    for header in (
        "",
        f"t={at},v1={'0' * 64}",
        f"t={at},v1={mac('send', at, body)}",
        report_header(b"{}", at),
        report_header(body, at - 301),
        report_header(body, at + 301),
    ):
        assert (await report(store, clock, said, header)).status_code == 404, header
    async with client_of(store, clock) as client:
        headers = {"X-Healthbook-Signature": report_header(body, at)}
        unset = await client.post("/v1/sms/reports", content=body, headers=headers)
        assert unset.status_code == 404
    assert (await status_of(store, citizen))[0] == "sent"


async def test_a_report_of_nothing_of_ours_says_and_changes_nothing(store: Store, clock: FrozenClock) -> None:
    for reference in ("07" + "0" * 32, "zz" + "0" * 32, "", "7", "07" + "0" * 33):
        said = {"reports": [{"reference": reference, "status": "failed"}]}
        response = await report(store, clock, said)
        assert (response.status_code, response.content) == (204, b"")
    assert (await report(store, clock, {"reports": []})).status_code == 204


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"[]",
        {"reports": [{"reference": 7, "status": "failed"}]},
        {"reports": [{"status": "failed"}]},
        {"reports": [{"reference": "x", "status": "failed"}] * (REPORTS_MAX + 1)},
    ],
)
async def test_a_signed_body_that_is_no_report_is_malformed(
    store: Store, clock: FrozenClock, said: Any
) -> None:
    assert (await report(store, clock, said)).status_code == 400
