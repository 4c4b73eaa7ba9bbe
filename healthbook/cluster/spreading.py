"""`healthbook migrate --distribute`: the database brought up to date and spread over its Citus cluster."""

import asyncpg

from healthbook.wiring import UNREACHABLE, Place, StartError, mark, unusable
from kernel.clock import SystemClock
from store.distribute import Spreading, is_cluster, prepare_cluster_roles
from store.migrate import migrate, prepare_roles
from store.migration_files import MigrationError


async def distribute(place: Place, spreading: Spreading) -> tuple[list[str], list[str]]:
    """(The migrations applied now, what a superuser has still to say to the server).

    Raises StartError in plain words where the server is no cluster, or not ready to be one.
    """
    if place.settings.embedded:
        raise StartError(
            "The embedded PostgreSQL is one machine: DATABASE_URL names a cluster's coordinator "
            "(docs/runbook.md, From one machine to a cluster)."
        )
    dsn = place.dsn("hb_owner")
    try:
        await prepare_roles(dsn)
        left = await _roles(dsn)
        applied = await migrate(dsn, SystemClock().now(), spreading=spreading)
    except UNREACHABLE as error:
        raise unusable(error, "DATABASE_OWNER_URL or DATABASE_URL") from error
    except MigrationError as error:
        raise StartError(f"{error}.") from error
    await mark(place, demo=False)
    return applied, left


async def _roles(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return await prepare_cluster_roles(connection) if await is_cluster(connection) else []
    finally:
        await connection.close()
