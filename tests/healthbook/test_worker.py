"""The worker: every event becomes its notice once, and nothing is lost whenever it dies."""

import ast
import asyncio
import re
import signal
import sys
from uuid import uuid4

import pytest

from consent.codes.service import ask_code
from consent.requests.service import refuse_request
from healthbook.dispatch import HANDLERS
from healthbook.metrics.gauges import SET_ASIDE_ATTEMPTS
from healthbook.worker import Worker
from identity.sign_in import start
from kernel.ids import bucket_of
from kernel.problems import Refused
from notifications.delivery import Senders
from notifications.inbox import InboxItem, read_inbox
from notifications.models import Outcome, PushMessage, SmsCode, SmsMessage, SmsSignIn
from notifications.ports import RecordingPushSender, RecordingSmsSender
from notifications.service import set_push_target
from notifications.sms import HOTLINE, sms_text
from store.database import Store
from store.outbox import claim_events, emit
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.consent import asked, own
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.shared import ROOT


class SpySms:
    def __init__(self) -> None:
        self.got: list[SmsMessage] = []

    async def send(self, message: SmsMessage) -> Outcome:
        self.got.append(message)
        return Outcome(status="sent", message_id="m")


class SpyPush:
    def __init__(self) -> None:
        self.got: list[PushMessage] = []

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        self.got += batch
        return [Outcome(status="sent") for _ in batch]


@pytest.fixture
def sms() -> SpySms:
    return SpySms()


@pytest.fixture
def push() -> SpyPush:
    return SpyPush()


@pytest.fixture
def worker(store: Store, delivery: Store, clock: FrozenClock, push: SpyPush, sms: SpySms) -> Worker:
    return Worker(store, delivery, Senders(push, sms), clock)


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, made.actor, "fid", f"fid-{made.patient_id}", clock.now())
    return made


async def until_idle(worker: Worker) -> None:
    while await worker.run_once():
        pass


async def inbox_of(store: Store, citizen: Citizen) -> list[InboxItem]:
    async with store.transaction() as tx:
        return (await read_inbox(tx, citizen.patient_id, cursor=None, limit=50, hotline=HOTLINE)).items


async def waiting_events(owner: Store) -> int:
    async with owner.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM outbox"))


async def emit_granted(store: Store, clock: FrozenClock, citizen: Citizen, count: int = 1) -> None:
    async with store.transaction() as tx:
        for _ in range(count):
            await emit(tx, citizen.patient_id, "consent.granted", {"grant_id": str(uuid4())}, clock.now())


async def test_a_request_rings_the_phone_and_stands_in_the_inbox(
    store: Store, worker: Worker, clock: FrozenClock, citizen: Citizen, push: SpyPush
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, citizen)
    await until_idle(worker)
    rung = [message for message in push.got if message.type == "consent-request"]
    assert len(rung) == 1
    (item,) = [item for item in await inbox_of(store, citizen) if item.type == "consent-request"]
    assert (item.id, item.ref["request_id"]) == (rung[0].id, str(request.request_id))


async def test_s2_a_sign_in_code_goes_to_the_login_phone_and_no_push_says_it(
    store: Store,
    owner: Store,
    worker: Worker,
    clock: FrozenClock,
    citizen: Citizen,
    push: SpyPush,
    sms: SpySms,
) -> None:
    async with store.transaction() as tx:
        started = await start(tx, store.keys, "number", citizen.number, "test", clock.now())
    assert not isinstance(started, Refused)
    await until_idle(worker)
    (sent,) = sms.got
    assert sent.phone == citizen.phone_number
    assert isinstance(sent.sms, SmsSignIn)
    assert len(sent.sms.code) == 6
    assert all(message.type != "sign-in-code" for message in push.got)
    async with owner.transaction() as tx:
        for table in ("outbox", "notification", "delivery", "sign_in_challenge"):
            kept = str([dict(row) for row in await tx.fetch(f"SELECT * FROM {table}")])
            assert sent.sms.code not in kept
            assert citizen.phone_number not in kept


async def test_s19_a_sign_in_of_nobody_sends_nothing_and_fails_nowhere(
    store: Store, owner: Store, worker: Worker, clock: FrozenClock, sms: SpySms
) -> None:
    await until_idle(worker)
    async with store.transaction() as tx:
        await start(tx, store.keys, "number", "079199000001", "test", clock.now())
    await until_idle(worker)
    assert sms.got == []
    assert await waiting_events(owner) == 0


async def test_a_tier_d_code_reaches_the_phone_once_and_is_written_in_clear_nowhere(
    store: Store,
    owner: Store,
    worker: Worker,
    clock: FrozenClock,
    citizen: Citizen,
    push: SpyPush,
    sms: SpySms,
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock), name="Nguyễn Văn An")
    request = await asked(store, clock, doctor, citizen)
    await until_idle(worker)
    clock.advance(seconds=61)
    async with store.transaction() as tx:
        answer = await ask_code(
            tx, store.keys, doctor.actor, request.request_id, trace_id="t", now=clock.now()
        )
    assert not isinstance(answer, Refused)
    await until_idle(worker)
    (sent,) = sms.got
    assert isinstance(sent.sms, SmsCode)
    assert sent.phone == citizen.phone_number
    assert "Nguyen Van An" in sms_text(sent.sms, HOTLINE)
    assert all(message.type != "consent-code" for message in push.got)
    async with owner.transaction() as tx:
        for table in ("outbox", "notification", "delivery", "access_request", "access_log"):
            kept = str([dict(row) for row in await tx.fetch(f"SELECT * FROM {table}")])
            assert f"'{sent.sms.code}'" not in kept
            assert citizen.phone_number not in kept


async def test_s31_a_request_above_the_cap_is_silent_and_in_the_inbox(
    store: Store, owner: Store, worker: Worker, clock: FrozenClock, citizen: Citizen, push: SpyPush
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, citizen)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE outbox SET event = event || '-silently' WHERE event = 'consent.requested'")
    await until_idle(worker)
    assert all(message.type != "consent-request" for message in push.got)
    (item,) = [item for item in await inbox_of(store, citizen) if item.type == "consent-request"]
    assert item.ref["request_id"] == str(request.request_id)


async def test_a_request_that_was_decided_meanwhile_rings_no_more(
    store: Store, worker: Worker, clock: FrozenClock, citizen: Citizen, push: SpyPush
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        access = await own(tx, citizen, "manage-grants", clock.now())
        await refuse_request(tx, access, request.request_id, trace_id="t", now=clock.now())
    await until_idle(worker)
    assert all(message.type != "consent-request" for message in push.got)


async def test_a_kill_between_claim_and_commit_loses_nothing(
    store: Store, worker: Worker, clock: FrozenClock, citizen: Citizen
) -> None:
    await until_idle(worker)
    before = len(await inbox_of(store, citizen))
    await emit_granted(store, clock, citizen, 3)

    async def dies_before_the_commit() -> None:
        async with store.transaction() as tx:
            assert len(await claim_events(tx, bucket_of(citizen.patient_id), clock.now())) == 3
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await dies_before_the_commit()
    await until_idle(worker)
    assert len(await inbox_of(store, citizen)) == before + 3


async def test_a_worker_process_killed_while_it_handles_events_loses_none(
    server: Server,
    database: str,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    citizen: Citizen,
    worker: Worker,
) -> None:
    """The database sees the connection die in the middle, as after kill -9."""
    await until_idle(worker)
    before = len(await inbox_of(store, citizen))
    await emit_granted(store, clock, citizen, 20)
    code = (
        "import asyncio, asyncpg, sys\n"
        "async def main():\n"
        "    c = await asyncpg.connect(sys.argv[1], server_settings={'role': 'hb_api'})\n"
        "    await c.execute('BEGIN')\n"
        "    await c.execute('DELETE FROM outbox')\n"
        "    print('claimed', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, server.dsn("hb_api", database), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"claimed\n"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    for _ in range(100):
        await until_idle(worker)
        if await waiting_events(owner) == 0:
            break
        await asyncio.sleep(0.05)
    assert len(await inbox_of(store, citizen)) == before + 20


async def test_an_unknown_event_is_kept_and_stops_nobody_else(
    store: Store, owner: Store, worker: Worker, clock: FrozenClock, citizen: Citizen
) -> None:
    await until_idle(worker)
    async with store.transaction() as tx:
        await emit(tx, citizen.patient_id, "of-a-newer-program.happened", {}, clock.now())
    await emit_granted(store, clock, citizen)
    await until_idle(worker)
    assert [item.type for item in await inbox_of(store, citizen)].count("consent-granted") == 1
    for _ in range(SET_ASIDE_ATTEMPTS + 2):
        clock.advance(hours=2)
        await until_idle(worker)
    async with owner.transaction() as tx:
        row = await tx.fetchrow("SELECT event, attempts FROM outbox")
        assert row is not None
        assert row["event"] == "of-a-newer-program.happened"
        assert row["attempts"] > SET_ASIDE_ATTEMPTS
        await tx.execute("DELETE FROM outbox")


async def test_s22_an_event_that_fails_is_kept_and_its_log_line_says_class_and_nothing_else(
    store: Store,
    owner: Store,
    worker: Worker,
    clock: FrozenClock,
    citizen: Citizen,
    sms: SpySms,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await until_idle(worker)
    async with store.transaction() as tx:
        await start(tx, store.keys, "number", citizen.number, "test", clock.now())
    async with owner.transaction() as tx:
        await tx.execute("UPDATE sign_in_challenge SET code = '\\x01' WHERE code IS NOT NULL")
    await until_idle(worker)
    output = "".join(capsys.readouterr())
    assert "FieldSealError" in output
    for secret in (citizen.number, citizen.phone_number, str(citizen.patient_id)):
        assert secret not in output
    assert sms.got == []
    async with owner.transaction() as tx:
        assert await tx.fetchval("SELECT attempts FROM outbox WHERE event = 'identity.sign-in-code'") == 1
        await tx.execute("DELETE FROM outbox")


async def test_two_workers_abreast_say_each_thing_once(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen, push: SpyPush, worker: Worker
) -> None:
    await until_idle(worker)
    push.got.clear()
    other = Worker(store, delivery, Senders(push, RecordingSmsSender()), clock)
    await emit_granted(store, clock, citizen, 40)
    await asyncio.gather(*(until_idle(one) for one in (worker, other, worker, other)))
    await until_idle(worker)
    ids = [message.id for message in push.got]
    assert len(ids) == len(set(ids)) == 40


async def test_a_removed_device_is_forgotten_before_the_others_are_told(
    store: Store, worker: Worker, clock: FrozenClock, citizen: Citizen, push: SpyPush
) -> None:
    await until_idle(worker)
    push.got.clear()
    async with store.transaction() as tx:
        ref = {"device_id": str(citizen.actor.device_id)}
        await emit(tx, citizen.patient_id, "identity.device-ended", ref, clock.now())
    await until_idle(worker)
    assert push.got == []
    async with store.transaction() as tx:
        left = await tx.fetch("SELECT 1 FROM push_target WHERE patient_id = $1", citizen.patient_id)
    assert left == []


async def test_a_stopped_worker_ends_its_round_and_returns(
    store: Store, delivery: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    stop = asyncio.Event()
    worker = Worker(store, delivery, Senders(RecordingPushSender(), RecordingSmsSender()), clock)
    running = asyncio.create_task(worker.run(stop))
    await emit_granted(store, clock, citizen)
    for _ in range(1000):
        await asyncio.sleep(0.01)
        if "consent-granted" in [item.type for item in await inbox_of(store, citizen)]:
            break
    stop.set()
    async with asyncio.timeout(10):
        await running


async def test_a_database_that_is_away_for_a_while_does_not_end_the_worker(
    store: Store, delivery: Store, clock: FrozenClock
) -> None:
    class Away:
        keys = store.keys
        asked = 0

        def transaction(self) -> object:
            self.asked += 1
            raise ConnectionRefusedError

    stop, away = asyncio.Event(), Away()
    senders = Senders(RecordingPushSender(), RecordingSmsSender())
    running = asyncio.create_task(Worker(away, delivery, senders, clock).run(stop))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert away.asked
    assert not running.done()
    stop.set()
    async with asyncio.timeout(10):
        await running


EVENT_NAME = re.compile(
    r"(identity|consent|visit|ehr|family|vaccination|notifications|reminders|vitals)\.[a-z]+(-[a-z]+)*"
)
# Made from the status of a request (consent/requests/service.py), and from what became of a prescription
# (ehr/prescriptions/keeping.py).
COMPOSED = {"consent.refused", "consent.reported"} | {
    f"ehr.prescription-{what}" for what in ("recorded", "replaced", "withdrawn", "reinstated")
}


def emitted_events() -> set[str]:
    """Every text of a module that emits which has the form of an event's name."""
    found = set(COMPOSED)
    for package in (
        "identity",
        "consent",
        "visits",
        "ehr",
        "family",
        "vaccination",
        "notifications",
        "reminders",
        "vitals",
        "healthbook",
    ):
        for path in (ROOT / package).rglob("*.py"):
            # A handler may make events of its own, one for each guardian; the list of handlers is no maker.
            if path.name != "dispatch.py" and "await emit(" in path.read_text():
                texts = [
                    n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)
                ]
                found |= {text for text in texts if isinstance(text, str) and EVENT_NAME.fullmatch(text)}
    return found


def test_every_event_that_the_program_emits_has_a_handler_and_no_handler_waits_in_vain() -> None:
    assert emitted_events() == set(HANDLERS)
