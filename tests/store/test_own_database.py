"""One DATABASE_URL on a PostgreSQL that is not ours: its user makes the roles and takes them."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from store.blobs import FilesystemBlobs
from store.database import open_store
from store.keys import KeyRing
from store.migrate import migrate, prepare_roles
from store.migration_files import read_migrations
from store.postgres import PORT, ROLES, start_server
from tests.support.clock import START


@pytest.fixture
async def foreign() -> AsyncIterator[str]:
    """The address of a server without our roles, as a user who may make roles, no superuser."""
    directory = Path(tempfile.mkdtemp(prefix="hbf-"))
    server = start_server(directory, {"fsync": "off"})
    cluster = directory / "cluster"
    (cluster / "pg_hba.conf").write_text("local all all trust\n")
    os.kill(int((cluster / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)
    address = f"?host={cluster}&port={PORT}"
    admin = await patient_connect(f"postgresql://postgres@/postgres{address}")
    await admin.execute("DROP DATABASE healthbook")
    for role in ROLES:
        await admin.execute(f"DROP OWNED BY {role}")
        await admin.execute(f"DROP ROLE {role}")
    await admin.execute("CREATE ROLE app LOGIN CREATEROLE")
    await admin.execute("CREATE DATABASE book OWNER app")
    await admin.close()
    yield f"postgresql://app@/book{address}"
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)


async def patient_connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect once the server has read its new rules."""
    for _ in range(1000):
        try:
            return await asyncpg.connect(dsn)
        except asyncpg.InvalidAuthorizationSpecificationError:
            continue
    raise AssertionError("the rules were not read again")


async def test_one_address_serves_every_role(foreign: str, keys: KeyRing, blobs: FilesystemBlobs) -> None:
    await prepare_roles(foreign)
    await prepare_roles(foreign)
    assert await migrate(foreign, START) == [m.name for m in read_migrations()]
    for role in ("hb_api", "hb_delivery"):
        store = await open_store(foreign, role=role, keys=keys, blobs=blobs)
        async with store.transaction() as tx:
            assert await tx.fetchval("SELECT current_user") == role
            assert not await tx.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        await store.close()


async def test_s21_the_role_taken_at_start_up_bounds_the_pool(
    foreign: str, keys: KeyRing, blobs: FilesystemBlobs
) -> None:
    await prepare_roles(foreign)
    await migrate(foreign, START)
    store = await open_store(foreign, role="hb_delivery", keys=keys, blobs=blobs)
    async with store.transaction() as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.fetch("SELECT 1 FROM ehr_resource LIMIT 1")
    await store.close()


async def test_a_cluster_from_before_a_role_gets_it_at_the_next_start(tmp_path: Path) -> None:
    """The role is there with a password of its own, and the others keep theirs."""
    directory = tmp_path / "postgres"
    server = start_server(directory)
    kept = {role: server.dsn(role) for role in ROLES if role != "hb_signer"}
    server.stop()
    secret = directory / "passwords.json"
    passwords = json.loads(secret.read_text())
    del passwords["hb_signer"]
    secret.write_text(json.dumps(passwords))
    server = start_server(directory)
    try:
        assert {role: server.dsn(role) for role in kept} == kept
        connection = await asyncpg.connect(server.dsn("hb_signer"))
        assert await connection.fetchval("SELECT current_user::text") == "hb_signer"
        await connection.close()
        assert secret.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
