"""A Citus cluster for tests: the one that CITUS_URL names, or none.

CITUS_URL is the address of the coordinator as a superuser, in a database that has the extension and its
nodes, and that is this run's alone: everything in its schema `public` is dropped for each file.
"""

import asyncio
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from store.postgres import ROLES
from tests.support.service import MOVED, environment, run_command_with

CITUS_URL = os.environ.get("CITUS_URL", "")
PASSWORD = "of-a-test-alone"  # of roles on a cluster that holds invented people
SECONDS_MAX = 1800
needs_citus = pytest.mark.skipif(
    not CITUS_URL, reason="CITUS_URL names no Citus cluster: nothing was tried on one"
)


def address(role: str) -> str:
    """The coordinator's address as one of our roles."""
    parts = urlsplit(CITUS_URL)
    where = f"{role}:{PASSWORD}@{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    return urlunsplit(parts._replace(netloc=where))


def addresses() -> dict[str, str]:
    """Settings of a service on the cluster."""
    return {
        "DATABASE_URL": address("hb_api"),
        "DATABASE_OWNER_URL": address("hb_owner"),
        "DATABASE_DELIVERY_URL": address("hb_delivery"),
        "DATABASE_SIGNER_URL": address("hb_signer"),
    }


async def empty_cluster() -> None:
    """Drop what is in `public`, and make our roles where they are missing."""
    connection = await asyncpg.connect(CITUS_URL)
    try:
        tables = await connection.fetch(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
        for row in tables:
            await connection.execute(f'DROP TABLE "{row[0]}" CASCADE')
        existing = {row[0] for row in await connection.fetch("SELECT rolname::text FROM pg_roles")}
        for role in ROLES:
            verb = "ALTER" if role in existing else "CREATE"
            await connection.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        await connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO hb_owner")
    finally:
        await connection.close()


def move_to_cluster(data: Path, *, shards: int = 8) -> str:
    """Take these data's embedded database to the cluster, as an operator does; returns what was said.

    Whatever is started from these data afterwards finds its database there.
    """
    with ThreadPoolExecutor(1) as apart:  # from a loop's thread no second loop may run
        apart.submit(asyncio.run, empty_cluster()).result()
    here = environment(data, DATABASE_COPY_URL=address("hb_owner"))
    spread = run_long(here | addresses(), "migrate", "--distribute", "--shards", str(shards))
    copied = run_long(here, "admin", "copy-database")
    (data / MOVED).write_text(json.dumps(addresses()))
    return (spread.stdout + copied.stdout).decode()


def run_long(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A command of ours that may take as long as a cluster does."""
    done = run_command_with(settings, *arguments, seconds_max=SECONDS_MAX)
    assert done.returncode == 0, done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:]
    return done
