"""What has ended goes after its time, what lives stays, and the ticks that see to it never stop."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from consent.codes.service import ask_code
from healthbook import housekeeping
from healthbook.housekeeping import CHORES, EVERY, KIND, Chore, arm_chores, bucket_of_chore, do_chore
from healthbook.worker import TICK_RETRY, Worker
from identity import budgets
from identity.accounts import sign_up
from identity.budgets import Budget
from kernel.ids import uuid7
from kernel.problems import Refused
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from store import leases
from store.blobs import FilesystemBlobs
from store.database import Store, Tx, open_store
from store.due_queue import schedule
from store.idempotency import begin, finish
from store.keys import KeyRing
from store.postgres import Server
from tests.support import connecting, entry, verifying
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_doctor, make_facility

# What housekeeping never touches.
KEPT = (
    "access_log",
    "audit_head",
    "consent_grant",
    "practitioner_grant",
    "access_request",
    "citizen",
    "device",
    "account_credential",
    "practitioner_role",
    "check_in",
    "patient_identifier",
)
# Chore → its rows: table, and the column that says when one ended.
ENDED = {
    "sign-in-challenges": ("sign_in_challenge", "expires_at"),
    "phone-proofs": ("phone_proof", "expires_at"),
    "activation-proposals": ("activation", "expires_at"),
    "activation-codes": ("activation_code", "expires_at"),
    "activation-undo": ("activation_undo", "recorded_at"),
    "attempt-budgets": ("attempt_budget", "window_start"),
    "phone-code-locks": ("phone_code_lock", "until"),
    "step-up-nonces": ("step_up_use", "expires_at"),
    "sessions": ("session", "least(ended_at, expires_at)"),
    "identity-transactions": ("identity_transaction", "expires_at"),
    "app-wishes": ("app_authorization", "expires_at"),
    "app-wish-codes": ("app_authorization_code", "expires_at"),
    "sms-codes": ("access_request WHERE code_hash IS NOT NULL", "code_expires_at"),
    "practitioner-requests": ("practitioner_request", "expires_at"),
    "idempotency": ("idempotency_key", "created_at"),
    "work-leases": ("work_lease", "lease_until"),
}
SECOND = timedelta(seconds=1)


class House:
    """A database of its own, as the worker and as its owner sees it, with something of everything."""

    def __init__(self, store: Store, owner: Store, delivery: Store, clock: FrozenClock) -> None:
        self.store, self.owner, self.delivery, self.clock = store, owner, delivery, clock

    def worker(self) -> Worker:
        senders = Senders(RecordingPushSender(), RecordingSmsSender())
        return Worker(self.store, self.delivery, senders, self.clock)

    async def asked(self, sql: str, *args: object) -> int:
        return await steps.count(self.owner, sql, *args)

    async def rows(self, table: str) -> int:
        return await self.asked(f"SELECT count(*) FROM {table}")

    async def arm(self) -> None:
        async with self.store.transaction() as tx:
            await arm_chores(tx, self.clock.now())

    async def do(self, chore: str, now: datetime) -> datetime:
        async with self.store.transaction() as tx:
            return await do_chore(tx, chore, now)

    async def due(self) -> dict[str, datetime]:
        async with self.owner.transaction() as tx:
            rows = await tx.fetch("SELECT ref, due_at FROM due_queue WHERE kind = $1", KIND)
        return {row["ref"]: row["due_at"] for row in rows}


@pytest.fixture
async def house(
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    keys: KeyRing,
    blobs: FilesystemBlobs,
    clock: FrozenClock,
) -> AsyncIterator[House]:
    name = await make_database()
    opened = [
        await open_store(server.dsn(role, name), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_owner", "hb_delivery")
    ]
    yield House(*opened, clock)
    for store in opened:
        await store.close()


async def live_a_little(house: House) -> None:
    """A sign-in, two activations of one person, a grant, an SMS code, a request from afar, a repeat."""
    store, clock = house.store, house.clock
    facility = await make_facility(store, clock)
    doctor, citizen = await make_doctor(store, clock, facility), await make_citizen(store, clock)
    desk = entry.Desk(
        facility=facility,
        first=await make_doctor(store, clock, facility, "clerk"),
        second=await make_doctor(store, clock, facility, "clerk"),
    )
    seen = entry.card()
    for _ in range(2):
        code = await entry.activation_code(store, clock, desk, seen)
        assert not isinstance(await entry.redeem(store, clock, code), Refused)
    await entry.start(store, clock, "number", seen.number)
    await steps.granted(store, clock, doctor, citizen)
    await steps.asked(store, clock, doctor, kind="national-id", value=seen.number)
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=61)
    async with store.transaction() as tx:
        sent = await ask_code(
            tx, store.keys, doctor.actor, request.request_id, trace_id=steps.TRACE, now=clock.now()
        )
    assert not isinstance(sent, Refused)
    await repeatable(house, 1)
    await connecting.on_a_page(store, clock)
    async with store.transaction() as tx:
        await sign_up.start(tx, store.keys, "0908 123 777", "test", clock.now())
    await verifying.begin(store, clock, verifying.opened_somewhere(clock), verifying.Asking())
    async with store.transaction() as tx:
        await leases.take(tx, doctor.actor.actor_id, "export", clock.now())


async def repeatable(house: House, count: int) -> None:
    for _ in range(count):
        actor, key = uuid7(house.clock.now()), secrets.token_urlsafe(24)
        async with house.store.transaction() as tx:
            await begin(tx, house.store.keys, actor, "POST /x", key, b"", house.clock.now())
            await finish(tx, actor, "POST /x", key, 201, str(actor))


async def until_idle(worker: Worker) -> None:
    while await worker.run_once():
        pass


async def test_what_has_ended_goes_what_lives_stays_and_a_second_run_changes_nothing(house: House) -> None:
    await live_a_little(house)
    before = {table: await house.rows(table) for table in KEPT}
    for name, (table, column) in ENDED.items():
        last = await last_end(house, table, column)
        assert last is not None, f"nothing to remove by {name}"
    for name, (table, column) in ENDED.items():
        kept = next(chore.kept for chore in CHORES if chore.name == name)
        last = await last_end(house, table, column)
        assert last is not None
        await house.do(name, last + kept)
        assert await last_end(house, table, column) == last, f"{name} removed what is still kept"
        await house.do(name, last + kept + SECOND)
        assert await last_end(house, table, column) is None, f"{name} left what has ended"
        assert await house.do(name, last + kept + SECOND) == last + kept + SECOND + EVERY
    assert {table: await house.rows(table) for table in KEPT} == before


async def last_end(house: House, table: str, column: str) -> datetime | None:
    async with house.owner.transaction() as tx:
        found: datetime | None = await tx.fetchval(f"SELECT max({column}) FROM {table}")
    return found


async def test_a_days_quota_goes_after_two_days(house: House) -> None:
    await live_a_little(house)
    await house.do("request-quotas", house.clock.now() + timedelta(days=2))
    assert await house.rows("request_quota") > 0
    await house.do("request-quotas", house.clock.now() + timedelta(days=3))
    assert await house.rows("request_quota") == 0


async def test_outcomes_of_deliveries_go_after_thirty_days_also_where_nothing_is_sent(house: House) -> None:
    await live_a_little(house)
    await until_idle(house.worker())
    made, told = house.clock.now(), await house.rows("notification")
    async with house.owner.transaction() as tx:
        one = "SELECT delivery_id FROM delivery ORDER BY delivery_id LIMIT 1"
        await tx.execute(f"UPDATE delivery SET status = 'pending' WHERE delivery_id = ({one})")
        waiting = await tx.fetchval("SELECT count(*) FROM delivery WHERE status = 'pending'")
    before = await house.rows("delivery")
    assert before > waiting
    await house.do("deliveries", made - timedelta(minutes=2) + timedelta(days=30))
    assert await house.rows("delivery") == before
    await house.do("deliveries", made + timedelta(days=30, seconds=1))
    assert await house.rows("delivery") == waiting, "only what waits is still there"
    assert await house.rows("notification") == told


async def test_every_chore_has_its_case_here() -> None:
    of_records = {"receipts", "quarantine", "gate-reviews", "gate-rules", "reading-views", "tables-apart"}
    assert {chore.name for chore in CHORES} == {
        *ENDED,
        "request-quotas",
        # tests/identity/test_app_versions.py
        "app-uses",
        # tests/partners/oauth/test_tokens.py
        "oauth-proofs",
        # tests/partners/records/test_disclosures.py
        "partner-messages",
        # tests/partners/webhooks/test_webhooks.py
        "partner-webhooks",
        # tests/identity/test_app_clients.py
        "app-sessions",
        # tests/consent/test_share_codes.py, tests/consent/links
        "share-codes",
        "share-code-hashes",
        "share-link-tickets",
        # tests/consent/test_housekeeping.py
        "share-link-addresses",
        "contact-invitations",
        "proxy-invitations",
        "guardianship-proposals",
        "proxy-proposals",
        "practitioner-emergencies",
        "deliveries",
        # tests/notifications/test_drain.py
        "push-targets",
        "sms-budgets",
        "arrival-tickets",
        "hotline-tickets",
        # tests/visits/consultations
        "consultations",
        # tests/visits/booking
        "facility-appointments",
        "appointments",
        "schedules",
        # tests/vaccination/registration
        "registrations",
        # tests/vaccination/revocation
        "revocations",
        # tests/ehr/referrals
        "referrals-gone",
        # tests/visits/check_ins, tests/visits/tickets
        "visits",
        "queue-tickets",
        # tests/visits/coverage_check
        "coverage-checks",
        # tests/visits/safety, tests/visits/unmet
        "visit-safety",
        "typed-arrivals",
        # tests/visits/lookup, tests/visits/stays
        "look-up-counts",
        "stays",
        # tests/api/kiosk/test_kiosk_answers.py
        "kiosk-payments",
        # tests/visits/declarations, tests/visits/exposure
        "declarations",
        "exposure-hours",
        # tests/ehr/rows/test_taking.py
        "row-files",
        # tests/vaccination/first_fill
        "dose-files",
        "population-lines",
        # tests/partners/axis/test_statistics.py
        "axis-inbound",
        # tests/reminders/test_changes.py
        "reminder-times",
        "reminder-answers",
        # tests/vitals/intake/test_batches.py
        "vital-batches",
        # tests/api/test_accountability.py
        "accountability",
    } | of_records


async def test_a_living_session_and_the_people_of_today_outlast_a_month_of_ticks(house: House) -> None:
    await live_a_little(house)
    await house.arm()
    worker, devices = house.worker(), await house.rows("device")
    live = "SELECT count(*) FROM session WHERE ended_at IS NULL AND expires_at > $1"
    for _ in range(6):
        house.clock.advance(days=5)
        await until_idle(worker)
    assert await house.asked(live, house.clock.now()) > 0
    assert await house.rows("device") == devices


async def test_a_full_batch_comes_again_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 5)
    await repeatable(house, 23)
    house.clock.advance(hours=25)
    assert await house.do("idempotency", house.clock.now()) == house.clock.now()
    assert await house.rows("idempotency_key") == 18
    await house.arm()
    await until_idle(house.worker())
    assert await house.rows("idempotency_key") == 0
    assert set((await house.due()).values()) == {house.clock.now() + EVERY}


async def test_two_workers_abreast_do_not_collide(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 3)
    done: list[str] = []

    async def noted(tx: Tx, name: str, now: datetime) -> datetime:
        done.append(name)
        return await do_chore(tx, name, now)

    monkeypatch.setattr("healthbook.dispatch.do_chore", noted)
    await live_a_little(house)
    await repeatable(house, 30)
    house.clock.advance(days=400)
    workers = [house.worker() for _ in range(2)]
    await asyncio.gather(*(worker.arm() for worker in workers))
    await asyncio.gather(*(until_idle(worker) for worker in workers))
    await until_idle(workers[0])
    assert await house.rows("idempotency_key") == 0
    due = await house.due()
    assert set(due) == {chore.name for chore in CHORES}
    assert set(due.values()) == {house.clock.now() + EVERY}
    assert done.count("idempotency") == 31 // 3 + 1


async def test_a_failing_tick_is_armed_again_and_holds_nobody_back(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_tx: Tx, _before: datetime, _limit: int) -> int:
        raise RuntimeError("079085000001")

    broken = Chore("sessions", timedelta(days=30), "", fail)
    monkeypatch.setitem(housekeeping._BY_NAME, "sessions", broken)
    await house.arm()
    await until_idle(house.worker())
    due = await house.due()
    assert due.pop("sessions") == house.clock.now() + TICK_RETRY
    assert set(due.values()) == {house.clock.now() + EVERY}
    output = "".join(capsys.readouterr())
    assert "tick_failed" in output
    assert "079085000001" not in output
    monkeypatch.undo()
    house.clock.advance(minutes=10)
    await until_idle(house.worker())
    assert (await house.due())["sessions"] == house.clock.now() + EVERY


async def test_a_tick_of_a_newer_program_waits(house: House) -> None:
    async with house.store.transaction() as tx:
        await schedule(tx, 7, house.clock.now(), KIND, "of-a-newer-program")
    await until_idle(house.worker())
    assert (await house.due())["of-a-newer-program"] == house.clock.now() + TICK_RETRY


async def test_arming_again_moves_no_tick(house: House) -> None:
    await house.arm()
    await until_idle(house.worker())
    first = await house.due()
    house.clock.advance(minutes=5)
    await house.arm()
    assert await house.due() == first


async def test_a_running_worker_arms_its_ticks(house: House) -> None:
    stop, worker = asyncio.Event(), house.worker()
    running = asyncio.create_task(worker.run(stop))
    for _ in range(1000):
        await asyncio.sleep(0.01)
        if set((await house.due()).values()) == {house.clock.now() + EVERY}:
            break
    stop.set()
    async with asyncio.timeout(10):
        await running
    assert set(await house.due()) == {chore.name for chore in CHORES}


def test_a_counted_try_is_kept_longer_than_every_window() -> None:
    kept = next(chore.kept for chore in CHORES if chore.name == "attempt-budgets")
    windows = [value.window for value in vars(budgets).values() if isinstance(value, Budget)]
    assert max(windows) < kept


def test_every_chore_has_a_bucket_of_the_queue() -> None:
    assert all(0 <= bucket_of_chore(chore.name) < 256 for chore in CHORES)
