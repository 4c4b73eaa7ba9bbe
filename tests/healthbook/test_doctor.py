"""What `healthbook doctor` finds, each point of it broken once (security.md S12, S15, S21, S22, S25, S30)."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from audit.protection.service import PROTECTION_LIFE, protect
from audit.roots.service import sign_root
from healthbook.doctor import database, installation, outside, proofs, work
from healthbook.doctor.findings import Finding
from healthbook.housekeeping import arm_chores
from healthbook.settings import Settings, read_settings
from kernel.clock import SystemClock
from kernel.ids import uuid7
from store.database import Store, Tx
from store.due_queue import schedule
from store.journal import Mark, number, position_of
from store.journal_files import DirectoryJournal
from store.keys import KeyRing
from store.postgres import LOG_SETTINGS, Server
from tests.healthbook.conftest import run_command
from tests.support.clock import START, FrozenClock
from tests.support.signing import make_signer


def names(found: list[Finding]) -> list[str]:
    """What was found, each explained."""
    assert all(one.what and one.why and one.do for one in found)
    return [one.name for one in found]


@pytest.fixture
async def tx(store: Store) -> AsyncIterator[Tx]:
    async with store.transaction() as opened:
        yield opened


def test_s15_keys_and_journal_beside_the_data_are_told(tmp_path: Path) -> None:
    def one_disk(_: Path) -> int:
        return 1

    def own_disks(path: Path) -> int:
        return hash(path)

    def found(settings: dict[str, str], device: installation.Device) -> list[str]:
        return names(installation.lying_together(read_settings(settings), demo=False, device=device))

    both = ["keys-beside-data", "journal-beside-data"]
    data = {"HEALTHBOOK_DATA": str(tmp_path / "data")}
    assert found(data, own_disks) == both
    assert installation.lying_together(read_settings(data), demo=True) == []
    apart = {"HEALTHBOOK_KEYS": str(tmp_path / "keys"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    assert found(data | apart, own_disks) == []
    assert found(data | apart, one_disk) == both, "another directory of the same volume"
    bucket = {"HEALTHBOOK_JOURNAL": "s3://acts", "S3_ENDPOINT": "http://127.0.0.1:9", "S3_BUCKET": "health"}
    assert found(data | apart | bucket, own_disks) == []
    assert installation.device_of(tmp_path / "not" / "made" / "yet") == tmp_path.stat().st_dev


def test_files_that_others_read_and_files_that_nobody_reads_are_told(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    KeyRing.create(keys, demo=False)
    settings = read_settings({"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_KEYS": str(keys)})
    assert installation.open_files(settings, demo=False) == []
    assert installation.misnamed_keys(settings, demo=False) == []
    (keys / "pepper.0001.key").chmod(0o644)
    assert names(installation.open_files(settings, demo=False)) == ["secrets-readable"]
    (keys / "pepper.0001.key").rename(keys / "pepper.old.key")
    assert names(installation.misnamed_keys(settings, demo=False)) == ["keys-misnamed"]


def test_a_full_disk_and_a_clock_that_nobody_keeps_are_told(tmp_path: Path) -> None:
    settings = read_settings({"HEALTHBOOK_DATA": str(tmp_path / "data")})
    assert names(installation.full_disks(settings, lambda _: 0.09)) == ["disk-full-soon"] * 2
    assert installation.full_disks(settings, lambda _: 0.11) == []
    assert 0 < installation.free_share(tmp_path / "not" / "there") <= 1
    assert names(installation.loose_clock(lambda: 5)) == ["clock-not-kept"]
    assert installation.loose_clock(lambda: 0) == []
    assert 0 <= installation.clock_state() <= 5


async def test_s22_our_own_server_has_nothing_to_mend(tx: Tx) -> None:
    assert await database.log_faults(tx) == []
    assert await database.statement_counts(tx) == []
    assert await database.migration_faults(tx) == []
    assert await database.role_faults(tx, await database.session_of(tx)) == []


@pytest.mark.parametrize("name", sorted(LOG_SETTINGS))
async def test_s22_a_server_that_is_set_otherwise_is_told(
    tx: Tx, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(LOG_SETTINGS, name, "other")
    (fault,) = await database.log_faults(tx)
    assert name in fault.what
    assert f"{name} = other" in fault.do


async def test_a_server_that_forgets_what_it_acknowledged_is_told(tx: Tx) -> None:
    """The tests' own server does: it keeps nothing for long."""
    found = await database.unsafe_settings(tx)
    assert sorted(one.what.split()[3] for one in found) == ["fsync", "full_page_writes", "synchronous_commit"]


async def test_s21_rights_and_roles_that_are_too_strong_are_told(fresh_owner: Store) -> None:
    async with fresh_owner.transaction() as tx:
        session = await database.session_of(tx)
        await tx.execute("GRANT UPDATE ON access_log TO hb_api")
        await tx.execute("GRANT SELECT ON ehr_resource TO hb_delivery")
        found = await database.role_faults(tx, session)
        assert names(found) == ["right-too-many"] * 2
        assert "hb_api has UPDATE on access_log" in found[0].what
        strong = msgspec.structs.replace(session, superuser=True)
        assert "superuser" in names(await database.role_faults(tx, strong))


async def test_tables_of_another_release_are_told(fresh_owner: Store) -> None:
    async with fresh_owner.transaction() as tx:
        await tx.execute("UPDATE schema_migration SET version = 9999 WHERE version = 1")
        assert names(await database.migration_faults(tx)) == ["migrations-missing", "program-older"]
        await tx.execute("UPDATE schema_migration SET version = 1, sha256 = '\\x00' WHERE version = 9999")
        (changed,) = await database.migration_faults(tx)
        assert changed.name == "migrations-changed"


async def test_clocks_connections_and_the_way_to_the_server_are_judged(tx: Tx) -> None:
    session, now = await database.session_of(tx), SystemClock().now()
    here = read_settings({})
    assert database.session_faults(here, session, now) == []
    assert abs((session.at - now).total_seconds()) < 60
    late = msgspec.structs.replace(session, at=now - timedelta(seconds=3))
    (fault,) = database.session_faults(here, late, now)
    assert (fault.name, "3 s ahead" in fault.what) == ("clocks-apart", True)
    old = msgspec.structs.replace(session, version=140_010, at=now)
    assert names(database.session_faults(here, old, now)) == ["server-too-old"]
    few = msgspec.structs.replace(session, most=29, at=now)
    assert names(database.session_faults(here, few, now)) == ["connections-few"]
    away = read_settings({"DATABASE_URL": "postgresql://hb_api:secret@db.example.vn/healthbook"})
    found = database.session_faults(away, msgspec.structs.replace(session, at=now), now)
    assert names(found) == ["database-in-clear"]
    assert "secret" not in str(found)


async def test_s12_a_restored_database_is_told_as_serve_tells_it(store: Store, tmp_path: Path) -> None:
    place = {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    async with store.transaction() as tx:
        later = (await position_of(tx)).seq + 1
        await DirectoryJournal(tmp_path / "journal").set_mark(
            msgspec.json.encode(Mark(beat=later, seq=later))
        )
        (fault,) = await proofs.journal_faults(tx, read_settings(place), SystemClock())
    assert "restored from a backup" in fault.what
    assert "healthbook admin recover" in fault.do


async def test_s12_a_journal_that_is_gone_or_behind_is_told(fresh_store: Store, tmp_path: Path) -> None:
    place = {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    settings, clock = read_settings(place), SystemClock()
    async with fresh_store.transaction() as tx:
        assert await proofs.journal_faults(tx, settings, clock) == []
        assert await proofs.unwritten_acts(tx) == []
        await number(tx, uuid7(clock.now()), "revoke", {}, clock.now())
        assert names(await proofs.journal_faults(tx, settings, clock)) == ["restored"]
        assert names(await proofs.unwritten_acts(tx)) == ["journal-behind"]


async def test_s25_roots_that_are_late_to_come_or_not_ours_are_told(
    fresh_owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    here, now = read_settings({}), clock.now()

    async def found(at: datetime, settings: Settings = here, keys: KeyRing = fresh_owner.keys) -> list[str]:
        return names(await proofs.root_faults(tx, keys, settings, at))

    async with fresh_owner.transaction() as tx:
        assert await found(now) == []
        await number(tx, uuid7(now), "revoke", {}, now)
        await tx.execute("UPDATE journal_position SET beat = 1")
        assert await found(now) == ["audit-roots"], "a worker was here, and signed none"
        await sign_root(tx, fresh_owner.keys, now)
        assert await found(now + timedelta(minutes=70)) == []
        assert await found(now + timedelta(minutes=80)) == ["audit-roots"]
        assert await found(now - timedelta(minutes=2)) == ["audit-roots"]
        other = KeyRing.create(tmp_path / "other", demo=False)
        assert await found(now, keys=other) == ["audit-roots"]
        watched = read_settings(
            {"AUDIT_WITNESS_URL": "https://witness.example.vn", "AUDIT_WITNESS_KEY": "A" * 43}
        )
        for hours in (1, 2, 3):
            await sign_root(tx, fresh_owner.keys, now + timedelta(hours=hours))
        assert await found(now + timedelta(hours=3), watched) == ["audit-roots"]
        assert await found(now + timedelta(hours=3)) == []


async def test_a_key_of_certificates_that_ends_without_another_is_told(fresh_owner: Store) -> None:
    ends = START + timedelta(days=100)
    async with fresh_owner.transaction() as tx:
        for key_id, until in (("hc1.0001", START + timedelta(days=20)), ("hc1.0002", ends)):
            await tx.execute(ENROLLED, key_id, START, until)
        assert await proofs.signer_faults(tx, START) == []
        assert names(await proofs.signer_faults(tx, ends - timedelta(days=29))) == ["signer-ends"]


ENROLLED = (
    "INSERT INTO document_signer (key_id, purpose, alg, kid, certificate, authority, not_before, not_after,"
    " sign_until, daily_budget, added_at)"
    " VALUES ($1, 'hc1', 'ES256', convert_to($1, 'UTF8'), '', '', $2, $3, $3, 10, $2)"
)


async def test_s30_retention_that_is_late_or_was_never_armed_is_told(
    fresh_store: Store, clock: FrozenClock
) -> None:
    async with fresh_store.transaction() as tx:
        (never,) = await work.late_retention(tx, clock.now())
        assert (never.name, "0 chores are late" in never.what) == ("retention-late", True)
        await arm_chores(tx, clock.now())
        assert await work.late_retention(tx, clock.now() + timedelta(minutes=59)) == []
        (late,) = await work.late_retention(tx, clock.now() + timedelta(minutes=61))
        assert "0 were never armed" in late.what
        assert await work.late_timers(tx, clock.now() + timedelta(days=1)) == [], "retention is told apart"


async def test_timers_and_events_that_nobody_takes_are_told(fresh_owner: Store, clock: FrozenClock) -> None:
    now = clock.now()
    async with fresh_owner.transaction() as tx:
        await schedule(tx, 7, now, "reminder", "of somebody")
        assert await work.late_timers(tx, now + timedelta(minutes=29)) == []
        (late,) = await work.late_timers(tx, now + timedelta(minutes=90))
        assert "reminder (1.5 h)" in late.what
        assert "somebody" not in str(late)
        assert await work.failing_events(tx) == []
        await tx.execute(FAILED, uuid7(now), now)
        (failing,) = await work.failing_events(tx)
        assert "consent.requested (1)" in failing.what
        assert await work.stuck_messages(tx, now) == []


FAILED = (
    "INSERT INTO outbox (bucket, event_id, patient_id, event, ref, attempts, available_at, created_at)"
    " VALUES (1, $1, $1, 'consent.requested', '{}', 8, $2, $2)"
)


async def test_s27_a_protection_that_ends_within_a_month_is_told_until_it_is_renewed(
    fresh_store: Store, clock: FrozenClock
) -> None:
    somebody, begun = uuid7(clock.now()), clock.now()
    late = begun + PROTECTION_LIFE - timedelta(days=29)
    async with fresh_store.transaction() as tx:
        await protect(tx, somebody, begun)
        assert await work.ending_protections(tx, late - timedelta(days=2)) == []
        (fault,) = await work.ending_protections(tx, late)
        assert str(somebody) in fault.what
        await protect(tx, somebody, late)
        assert await work.ending_protections(tx, late) == []


def test_providers_that_nobody_set_are_told() -> None:
    assert names(outside.unset_providers(read_settings({}), demo=False)) == [
        *("no-provider", "no-provider", "no-witness")
    ]
    assert outside.unset_providers(read_settings({}), demo=True) == []


@asynccontextmanager
async def tls_server(directory: Path, days: int) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A server on the loopback whose certificate ends in so many days, and a context that trusts it."""
    made = make_signer(SystemClock().now(), days, host="localhost")
    key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = directory / f"{days}.pem"
    pem.write_bytes(key + made.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    trusting = ssl.create_default_context(cadata=made.pem.decode())
    async with server:
        yield server.sockets[0].getsockname()[1], trusting


async def test_a_provider_whose_certificate_ends_soon_is_told(tmp_path: Path) -> None:
    now = SystemClock().now()
    for days, wanted in ((20, ["certificate"]), (22, [])):
        async with tls_server(tmp_path, days) as (port, trusting):
            settings = read_settings(
                {"AUDIT_WITNESS_URL": f"https://localhost:{port}", "AUDIT_WITNESS_KEY": "A" * 43}
            )
            assert names(await outside.unreachable(settings, now, trusting)) == wanted
            (refused,) = await outside.unreachable(settings, now)
            assert (refused.name, "is not accepted" in refused.what) == ("certificate", True)
    (gone,) = await outside.unreachable(settings, now, trusting)
    assert gone.name == "unreachable"
    assert "AUDIT_WITNESS_URL" in gone.what


def test_every_address_of_the_settings_is_looked_at() -> None:
    """A new setting that names a service is one more that can be away."""
    told = {
        one for one in Settings.__annotations__ if one.endswith(("_url", "_endpoint", "_issuer", "_origin"))
    }
    ours = {one for one in told if one.startswith("database_")}
    settings = Settings(**dict.fromkeys(told, "https://somewhere.example.vn"))
    assert {one.setting.lower() for one in outside.places(settings)} == told - ours


def test_certificates_of_the_axis_that_end_are_told(tmp_path: Path) -> None:
    now = SystemClock().now()
    file = tmp_path / "axis.pem"
    settings = read_settings({}).__class__(axis_trusted_keys=str(file))
    for days, wanted in ((20, ["certificate"]), (30, [])):
        file.write_bytes(make_signer(now, days).pem)
        assert names(outside.trusted_certificates(settings, now)) == wanted


@pytest.fixture(scope="module")
def examined(installation: Path) -> dict[str, Finding]:
    done = run_command(installation, "doctor", "--json")
    assert done.returncode == 1, done.stderr
    return {one.name: one for one in msgspec.json.decode(done.stdout, type=list[Finding])}


def test_a_new_installation_is_told_what_it_lacks(examined: dict[str, Finding]) -> None:
    wanted = {"keys-beside-data", "journal-beside-data", "no-provider", "no-witness", "no-backup"}
    assert wanted <= set(examined)
    assert "not-checked" not in examined, examined["not-checked"]
    assert {"server-log", "right-too-many", "migrations-missing", "no-statement-counts"}.isdisjoint(examined)


def test_an_operator_reads_why_and_what_to_do(installation: Path) -> None:
    done = run_command(installation, "doctor")
    assert done.returncode == 1
    assert "[keys-beside-data]\n   Why: " in done.stdout
    assert done.stdout.count("   Do:  ") == done.stdout.count("   Why: ") >= 5


def test_slow_statements_are_shown_without_a_value(installation: Path) -> None:
    shown = run_command(installation, "slow-queries", "--by", "calls", "--limit", "5")
    assert shown.returncode == 0, shown.stderr
    assert "calls" in shown.stdout.splitlines()[0]
    found = json.loads(run_command(installation, "slow-queries", "--json").stdout)
    assert found
    assert [one["query"] for one in found if "PASSWORD" in one["query"]] == []


async def test_s22_counts_of_statements_hold_no_value(server: Server, fresh_store: Store) -> None:
    seeded = "079190000017"
    async with fresh_store.transaction() as tx:
        await tx.fetch(f"SELECT 1 FROM outbox WHERE event = '{seeded}'")
        await tx.fetch("SELECT 1 FROM outbox WHERE event = $1", seeded)
        name = await tx.fetchval("SELECT current_database()")
    connection = await asyncpg.connect(server.dsn("hb_owner", "postgres"))
    try:
        texts = await connection.fetch(
            "SELECT s.query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
            " WHERE d.datname = $1",
            name,
        )
    finally:
        await connection.close()
    assert [text for (text,) in texts if seeded in text] == []
    assert len([text for (text,) in texts if "FROM outbox WHERE event = $1" in text]) >= 1
