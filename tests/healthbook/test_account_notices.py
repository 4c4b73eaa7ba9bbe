"""What a worker says of a person's own account: letters to a new phone, and every change to all (S2, S8)."""

import pytest

from healthbook.worker import Worker
from identity.accounts import phone_change, pins, sign_up, trusting
from identity.accounts.models import ProofStarted
from kernel.access import Access, mint_access
from kernel.problems import Refused
from notifications.delivery import Senders
from notifications.inbox import read_inbox
from notifications.models import Outcome, SmsMessage, SmsPhoneChanged, SmsSignIn
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.sms import HOTLINE, sms_text
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import Citizen, make_citizen, new_phone_number


class SpySms:
    def __init__(self) -> None:
        self.got: list[SmsMessage] = []

    async def send(self, message: SmsMessage) -> Outcome:
        self.got.append(message)
        return Outcome(status="sent", message_id="m")


@pytest.fixture
def sms() -> SpySms:
    return SpySms()


@pytest.fixture
def worker(store: Store, delivery: Store, clock: FrozenClock, sms: SpySms) -> Worker:
    return Worker(store, delivery, Senders(RecordingPushSender(), sms), clock)


async def until_idle(worker: Worker) -> None:
    while await worker.run_once():
        pass


def own_word(citizen: Citizen) -> Access:
    return mint_access(
        patient_id=citizen.patient_id,
        actor=citizen.actor,
        action="change-factors",
        purpose="PATRQT",
        basis="self",
        sealed_person=citizen.actor.sealed_person,
    )


async def inbox_types(store: Store, citizen: Citizen) -> list[str]:
    async with store.transaction() as tx:
        page = await read_inbox(tx, citizen.patient_id, cursor=None, limit=50, hotline=HOTLINE)
    return [item.type for item in page.items]


def to(sms: SpySms, number: str) -> list[SmsMessage]:
    """What the phones of this test got; others may be on their way from elsewhere."""
    return [message for message in sms.got if message.phone == number]


async def test_s2_letters_reach_a_phone_that_has_no_account_and_stand_in_no_inbox(
    store: Store, owner: Store, worker: Worker, clock: FrozenClock, sms: SpySms
) -> None:
    number = new_phone_number()
    async with store.transaction() as tx:
        started = await sign_up.start(tx, store.keys, number, "test", clock.now())
    assert isinstance(started, ProofStarted)
    await until_idle(worker)
    (sent,) = to(sms, number)
    assert isinstance(sent.sms, SmsSignIn)
    assert (len(sent.sms.code), sent.sms.purpose) == (6, "sign-up")
    async with owner.transaction() as tx:
        for table in ("outbox", "notification", "delivery", "phone_proof"):
            kept = str([dict(row) for row in await tx.fetch(f"SELECT * FROM {table}")])
            assert sent.sms.code not in kept
            assert number not in kept


async def test_s8_both_phones_and_every_device_are_told_of_a_changed_phone(
    store: Store, worker: Worker, clock: FrozenClock, sms: SpySms
) -> None:
    citizen, number = await make_citizen(store, clock), new_phone_number()
    access = own_word(citizen)
    async with store.transaction() as tx:
        started = await phone_change.start(tx, store.keys, access, number, clock.now())
    assert isinstance(started, ProofStarted)
    await until_idle(worker)
    (letters,) = to(sms, number)
    assert isinstance(letters.sms, SmsSignIn)
    async with store.transaction() as tx:
        refused = await phone_change.confirm(
            tx,
            store.keys,
            access,
            started.challenge_id,
            letters.sms.code,
            request_id="r",
            now=clock.now(),
        )
    assert refused is None
    await until_idle(worker)
    assert [type(one.sms) for one in to(sms, number)] == [SmsSignIn, SmsPhoneChanged]
    assert [type(one.sms) for one in to(sms, citizen.phone_number)] == [SmsPhoneChanged]
    assert sorted(await inbox_types(store, citizen)) == ["account-changed", "device-added"]
    text = sms_text(SmsPhoneChanged(), HOTLINE)
    assert len(text) <= 160
    assert citizen.name not in text


async def test_s8_a_new_pin_and_a_trusted_device_are_told(
    store: Store, worker: Worker, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    access = own_word(citizen)
    pin_hash = await pins.hash_pin(store.keys, access, "730518")
    async with store.transaction() as tx:
        await pins.keep(tx, access, pin_hash, request_id="r", now=clock.now())
        unknown = await trusting.trust_device(tx, access, citizen.patient_id, request_id="r", now=clock.now())
    assert isinstance(unknown, Refused)
    await until_idle(worker)
    told = [one for one in await inbox_types(store, citizen) if one == "account-changed"]
    assert len(told) == 1


async def test_a_demo_shows_letters_for_a_phone_that_has_no_account(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    number = new_phone_number()
    async with store.transaction() as tx:
        await sign_up.start(tx, store.keys, number, "test", clock.now())
    await until_idle(Worker(store, delivery, Senders(RecordingPushSender(), RecordingSmsSender()), clock))
    async with client_of(store, clock, demo=True) as client:
        items = (await client.get("/demo/inbox.json")).json()["items"]
        page = await client.get("/demo/inbox")
    (item,) = [item for item in items if item["phone"] == number]
    assert item["text"].startswith("DANG NHAP. KHONG DOC CHO AI, KE CA BAC SI")
    assert item["code"] in page.text
