"""Which servers an installation has: one, or the coordinator and the workers of a Citus cluster."""

from datetime import datetime
from typing import Final

from healthbook.backups import queries
from healthbook.backups.layout import POINTS, Point, label_of
from healthbook.backups.queries import NodeRow
from healthbook.backups.tools import ROLE, Node, connected, with_host
from healthbook.backups.vault import Vault
from healthbook.wiring import UNREACHABLE, Place, unusable

FIRST: Final = "n0"


async def find_nodes(place: Place) -> list[Node]:
    """The server of the service first, then the workers by group, each with the same sign-in. Raises
    StartError."""
    first, rows = Node(FIRST, place.dsn(ROLE)), list[NodeRow]()
    try:
        async with connected(first) as connection:
            if await queries.HAS_NODES.one(connection):
                rows = [NodeRow(*record) for record in await connection.fetch(queries.NODES_SQL)]
    except UNREACHABLE as error:
        raise unusable(error, "DATABASE_BACKUP_URL") from error
    return [first, *(Node(f"n{row.group}", with_host(first.dsn, row.host, row.port)) for row in rows)]


async def make_point(vault: Vault, nodes: list[Node], now: datetime) -> Point:
    """The same name into every server's log, while no transaction of several servers is between them."""
    point = Point(name=f"healthbook-{label_of(now)}", at=now)
    async with connected(nodes[0]) as connection:
        await connection.execute(queries.POINT_SQL, point.name)
    await vault.note(f"{POINTS}{label_of(now)}.json", point)
    return point
