"""Servers of one's own and nodes of a cluster come back to one instant that all of them share.

Two servers on loopback stand in for a coordinator and a worker; a table and a function of the names that
Citus gives them stand in for Citus, which is not here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from healthbook.backups import service
from healthbook.backups.base import WrongServerError, make_base
from healthbook.backups.layout import MANIFEST
from healthbook.backups.nodes import find_nodes, make_point
from healthbook.backups.restoring import Wish, lay_out
from healthbook.backups.service import Run, is_due, make
from healthbook.backups.tools import Node, with_host
from healthbook.backups.vault import opened_vault
from healthbook.settings import Settings, read_settings
from healthbook.wiring import Place, StartError
from kernel.clock import SystemClock
from store import postgres
from store.postgres import replay, start_server
from store.postgres_binaries import find_binaries
from store.sealing import make_identity
from tests.healthbook.test_backup_run import SECONDS_MAX, other_base, until
from tests.support.service import free_port

# A restore point is a superuser's; whoever runs a cluster grants it (docs/runbook.md).
POINT = (
    "CREATE FUNCTION {0}(text) RETURNS pg_lsn LANGUAGE sql SECURITY DEFINER"
    " AS 'SELECT pg_create_restore_point($1)'"
)
NAMES = ("citus_create_restore_point", "worker_point")


def test_another_node_is_the_same_sign_in_elsewhere() -> None:
    dsn = "postgresql://hb_backup:a%2Fb@one:5432/healthbook?sslmode=verify-full&host=x"
    there = "postgresql://hb_backup:a%2Fb@two:6432/healthbook?sslmode=verify-full"
    assert with_host(dsn, "two", 6432) == there
    assert with_host("postgresql://u@h/d", "::1", 5432) == "postgresql://u@[::1]:5432/d"


@contextmanager
def node(root: Path, function: str) -> Iterator[str]:
    """A server of somebody's own: the address of hb_backup, over TCP."""
    start_server(root).stop()
    user = postgres.run_as(find_binaries(), root)
    command = postgres._single_user(user.binaries, root / "cluster", "healthbook")
    postgres._run(command, user, POINT.format(function) + "\n")
    with serving(root, free_port()) as dsn:
        yield dsn


@contextmanager
def serving(root: Path, port: int) -> Iterator[str]:
    (root / "hba").write_text("host all,replication all 127.0.0.1/32 trust\n")
    told = {"listen_addresses": "127.0.0.1", "port": str(port), "hba_file": str(root / "hba")}
    server = start_server(root, told)
    try:
        yield f"postgresql://hb_backup@127.0.0.1:{port}/healthbook"
    finally:
        server.stop()


async def act(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn.replace("hb_backup", "hb_owner"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def join(first: str, port: int) -> None:
    """Let the first server know of a worker at a port."""
    await act(
        first,
        "CREATE TABLE pg_dist_node (groupid int, nodename text, nodeport int, isactive bool, noderole text)",
        f"INSERT INTO pg_dist_node VALUES (0, '127.0.0.1', 1, true, 'primary'),"
        f" (3, '127.0.0.1', {port}, true, 'primary'), (4, '127.0.0.1', 1, false, 'primary')",
        "GRANT SELECT ON pg_dist_node TO hb_backup",
    )


async def work(place: Place, first: str, second: str) -> None:
    await join(first, int(second.rpartition(":")[2].partition("/")[0]))
    clock = SystemClock()
    async with opened_vault(place.settings) as vault:
        nodes = await find_nodes(place)
        assert nodes == [Node("n0", first), Node("n3", second)]
        assert await is_due(vault, nodes[0], clock)
        assert [base.node for base in await make(place, vault, clock, lambda _: None)] == ["n0", "n3"]
        assert not await is_due(vault, nodes[1], clock)
        for dsn in (first, second):
            await act(dsn, "CREATE TABLE t (i int)", "INSERT INTO t VALUES (1)")
        point = await make_point(vault, nodes, clock.now())
        await act(second, f"SELECT {NAMES[1]}('{point.name}')")
        for dsn in (first, second):
            await act(dsn, "INSERT INTO t VALUES (2)")
        await make(place, vault, clock, lambda _: None)
        with pytest.raises(WrongServerError):
            await make_base(vault, Node("n3", first), clock, lambda _: None)


async def rows(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch("SELECT i FROM t ORDER BY i")]
    finally:
        await connection.close()


def settings_of(tmp_path: Path, first: str) -> Settings:
    told = {"DATABASE_URL": first, "HEALTHBOOK_DATA": str(tmp_path / "data")}
    told["HEALTHBOOK_BACKUP"] = str(tmp_path / "repository")
    told["HEALTHBOOK_BACKUP_RECIPIENTS"] = make_identity(tmp_path / "identity")
    return read_settings(told)


async def test_a_worker_that_is_away_at_the_start_is_told_and_the_others_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And as another server than the repository's, it is not let in when it comes."""
    monkeypatch.setattr(service, "ROUND_SECONDS", 0.2)
    port, stop = free_port(), asyncio.Event()
    start_server(tmp_path / "b").stop()
    with node(tmp_path / "a", NAMES[0]) as first:
        await join(first, port)
        settings = settings_of(tmp_path, first)
        async with opened_vault(settings) as vault:
            other = other_base("n3")
            await vault.note(f"n3/base/{other.label}/{MANIFEST}", other)
            run = Run(Place(settings, None), vault, SystemClock(), stop)
            async with asyncio.TaskGroup() as group:
                group.create_task(run.until_stopped())
                with capture_logs() as said:
                    away = await until(lambda one: one.node == "n3" and bool(one.fault), vault)
                assert away.safe_until is None
                assert {one["node"] for one in said if one["event"] == "backup_failed"} == {"n3"}
                await until(lambda one: one.node == "n0" and one.safe_until is not None, vault)
                with serving(tmp_path / "b", port):
                    await until(lambda one: one.node == "n3" and one.fault == "WrongServerError", vault)
                    assert await vault.archive.names("n3/wal/") == []
                    # The repository is that server's after all.
                    await vault.archive.delete(f"n3/base/{other.label}/{MANIFEST}")
                    await until(lambda one: one.node == "n3" and one.safe_until is not None, vault)
                    assert await vault.archive.names("n3/wal/")
                    stop.set()


async def test_the_services_own_server_has_to_be_there_at_the_start(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"postgresql://hb_backup@127.0.0.1:{free_port()}/healthbook")
    async with opened_vault(settings) as vault:
        running = Run(Place(settings, None), vault, SystemClock(), asyncio.Event()).until_stopped()
        with pytest.raises(StartError, match="cannot be used"):
            await asyncio.wait_for(running, SECONDS_MAX)


def test_s12_every_server_of_a_cluster_comes_back_to_the_point_they_share(tmp_path: Path) -> None:
    with node(tmp_path / "a", NAMES[0]) as first, node(tmp_path / "b", NAMES[1]) as second:
        settings = settings_of(tmp_path, first)
        asyncio.run(work(Place(settings, None), first, second))
    for name in ("n0", "n3"):
        wish = Wish(identity=tmp_path / "identity", node=name, to=None)
        lay_out(settings, wish, tmp_path / f"{name}-files", lambda _: None)
        (tmp_path / name).mkdir()
        # As the operator starts it: what to do stands in the directory.
        replay(tmp_path / name, tmp_path / f"{name}-files", {})
        # It leaves nothing in force that a later recovery would follow.
        cluster = tmp_path / name / "cluster"
        assert "recovery" not in (cluster / "postgresql.auto.conf").read_text()
        assert not list(cluster.glob("healthbook*"))
        server = start_server(tmp_path / name)
        try:
            assert asyncio.run(rows(server.dsn("hb_owner"))) == [1]
        finally:
            server.stop()
