"""Settings choose the senders, and a notice leaves by them to real servers of their protocols."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from firebase_admin import messaging

from healthbook.drains import Drain
from healthbook.senders import opened_senders
from healthbook.settings import Settings, read_settings
from kernel.ids import bucket_of
from notifications import queries
from notifications.delivery import Senders
from notifications.models import SmsSignIn
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import notify, set_push_target
from notifications.sms import HOTLINE, sms_text
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.fcm_server import FcmServer, running_fcm
from tests.support.people import Citizen, make_citizen
from tests.support.sms_server import SECRET, SmsServer, running_sms

PHONE = "+84903111222"


@pytest.fixture
def fcm(tmp_path: Path) -> Iterator[FcmServer]:
    with running_fcm(tmp_path) as server:
        yield server


@pytest.fixture
def gateway() -> Iterator[SmsServer]:
    with running_sms() as server:
        yield server


@pytest.fixture
def settings(fcm: FcmServer, gateway: SmsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    account, ca = fcm.write(tmp_path)
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", fcm.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    return read_settings(
        {
            "FCM_CREDENTIALS": str(account),
            "SMS_GATEWAY_URL": gateway.url,
            "SMS_GATEWAY_SECRET": SECRET,
            "SMS_GATEWAY_ID": "data.0.id",
        }
    )


@pytest.fixture
async def senders(settings: Settings, clock: FrozenClock) -> AsyncIterator[Senders]:
    async with opened_senders(settings, clock) as made:
        yield made


async def person(store: Store, clock: FrozenClock, target: str) -> Citizen:
    citizen = await make_citizen(store, clock)
    async with store.transaction() as tx:
        assert await set_push_target(tx, store.keys, citizen.actor, "fid", target, clock.now()) is None
    return citizen


async def say(store: Store, clock: FrozenClock, citizen: Citizen, code: str | None = None) -> None:
    sms = SmsSignIn(code=code) if code else None
    type_ = "sign-in-code" if code else "consent-request"
    now, person = clock.now(), citizen.patient_id
    async with store.transaction() as tx:
        until = now + timedelta(minutes=5)
        await notify(tx, store.keys, person, type_, type_, now, until, sms=sms, phone=PHONE if code else None)


async def outcomes(store: Store, citizen: Citizen) -> dict[str, str]:
    async with store.transaction() as tx:
        rows = await queries.LATEST.all(tx, 1000)
    return {row.channel: row.status for row in rows if row.patient_id == citizen.patient_id}


async def targets(store: Store, citizen: Citizen) -> int:
    async with store.transaction() as tx:
        count: int = await tx.fetchval(
            "SELECT count(*) FROM push_target WHERE patient_id = $1", citizen.patient_id
        )
    return count


async def test_without_settings_everything_is_recorded(clock: FrozenClock) -> None:
    async with opened_senders(read_settings({}), clock) as made:
        assert isinstance(made.push, RecordingPushSender)
        assert isinstance(made.sms, RecordingSmsSender)


async def test_a_push_and_an_sms_reach_their_providers(
    store: Store,
    delivery: Store,
    clock: FrozenClock,
    senders: Senders,
    fcm: FcmServer,
    gateway: SmsServer,
) -> None:
    citizen = await person(store, clock, "ok-phone")
    await say(store, clock, citizen)
    await say(store, clock, citizen, "QXWRTB")
    await Drain(delivery, senders, clock).drain([bucket_of(citizen.patient_id)])
    assert await outcomes(store, citizen) == {"push": "sent", "sms": "sent"}
    (pushed,) = [one for one in fcm.accepted if one["fid"] == "ok-phone"]
    assert pushed["data"]["type"] == "consent-request"
    assert pushed["android"]["priority"] == "high"
    (asked,) = [one for one in gateway.asked if one["to"] == PHONE]
    assert asked["text"] == sms_text(SmsSignIn(code="QXWRTB"), HOTLINE)


async def test_a_phone_that_firebase_no_longer_knows_is_forgotten(
    store: Store, delivery: Store, clock: FrozenClock, senders: Senders
) -> None:
    citizen = await person(store, clock, "gone-phone")
    await say(store, clock, citizen)
    await Drain(delivery, senders, clock).drain([bucket_of(citizen.patient_id)])
    assert await outcomes(store, citizen) == {"push": "failed"}
    assert await targets(store, citizen) == 0


async def test_what_is_our_own_bug_stays_as_a_dead_letter_and_the_phone_with_it(
    store: Store, delivery: Store, clock: FrozenClock, senders: Senders
) -> None:
    citizen = await person(store, clock, "badreq-phone")
    await say(store, clock, citizen)
    await Drain(delivery, senders, clock).drain([bucket_of(citizen.patient_id)])
    assert await outcomes(store, citizen) == {"push": "dropped"}
    assert await targets(store, citizen) == 1
