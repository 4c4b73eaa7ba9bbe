"""Which servers an installation has: one, or the coordinator and the workers of a Citus cluster."""

from datetime import datetime
from typing import Final

import asyncpg

from healthbook.backups import queries
from healthbook.backups.layout import POINTS, Point, label_of
from healthbook.backups.queries import NodeRow
from healthbook.backups.tools import ROLE, Node, with_host
from healthbook.backups.vault import Vault
from healthbook.wiring import UNREACHABLE, Place, unusable

FIRST: Final = "n0"


async def find_nodes(place: Place) -> list[Node]:
    """The server of the service first, then the workers by group, each with the same sign-in. Raises
    StartError."""
    dsn = place.dsn(ROLE)
    try:
        connection = await asyncpg.connect(dsn)
    except UNREACHABLE as error:
        raise unusable(error, "DATABASE_BACKUP_URL") from error
    try:
        rows: list[NodeRow] = []
        if await queries.HAS_NODES.one(connection):
            rows = [NodeRow(*record) for record in await connection.fetch(queries.NODES_SQL)]
    finally:
        await connection.close()
    workers = [Node(f"n{row.group}", with_host(dsn, row.host, row.port)) for row in rows]
    return [Node(FIRST, dsn), *workers]


async def make_point(vault: Vault, nodes: list[Node], now: datetime) -> Point:
    """The same name into every server's log, while no transaction of several servers is between them."""
    point = Point(name=f"healthbook-{label_of(now)}", at=now)
    connection = await asyncpg.connect(nodes[0].dsn)
    try:
        await connection.execute(queries.POINT_SQL, point.name)
    finally:
        await connection.close()
    await vault.note(f"{POINTS}{label_of(now)}.json", point)
    return point
