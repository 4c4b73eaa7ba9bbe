"""directory.near: the nearest twenty of 50,000 facilities of a specialty, against the same twenty by sorting
every distance in the database.

One connection, one after another; a warm cache on both sides. The floor reads no names and no codes.
"""

import random
import time
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.results import Result, compare
from identity.units.specialties import by_code
from kernel.clock import SystemClock
from kernel.ids import uuid7
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from visits.directory.models import Point
from visits.directory.service import FoundPage, Search, search
from visits.directory.spots import spot_of

NAME: Final = "directory.near"
TARGET: Final = 3.0
FACILITIES: Final = 50_000
SEARCHES: Final = 60
ROUNDS: Final = 5
SPECIALTY: Final = "general-practice"

_SORTED: Final = (
    "SELECT facility_id FROM facility_listing l WHERE EXISTS (SELECT FROM facility_specialty s"
    " WHERE s.specialty = $3 AND s.facility_id = l.facility_id)"
    " ORDER BY (latitude - $1) ^ 2 + ((longitude - $2) * cos(radians($1))) ^ 2 LIMIT 20"
)


async def measure(store: Store, owner_dsn: str, data: Path, keys: KeyRing) -> Result:
    """Searches a second from points all over the country."""
    now, chance = SystemClock().now(), random.Random(9)
    owner = await open_store(
        owner_dsn, role="hb_owner", keys=keys, blobs=FilesystemBlobs(data / "blobs", keys)
    )
    await _fill(owner, chance, now)
    await owner.close()
    ours, theirs = [], []
    for number in range(-1, ROUNDS):
        points = [_point(chance) for _ in range(SEARCHES)]
        mine, bare = await _searches(store, points, now), await _sorts(store, points)
        if number >= 0:
            ours.append(mine)
            theirs.append(bare)
    return compare(
        NAME, ours=ours, against="sorting every distance", theirs=theirs, target=TARGET, unit="searches/s"
    )


def _point(chance: random.Random) -> Point:
    return Point(latitude=chance.uniform(8.6, 23.3), longitude=chance.uniform(102.2, 109.4))


async def _fill(owner: Store, chance: random.Random, now: datetime) -> None:
    rows = [(uuid7(now), f"Cơ sở Đo lường {number}", _point(chance)) for number in range(FACILITIES)]
    place = by_code()[SPECIALTY].place
    async with owner.transaction() as tx:
        await tx.executemany(
            "INSERT INTO facility (facility_id, name, short_name, discreet_name, opened_at)"
            " VALUES ($1, $2, 'CS', 'CS', $3)",
            [(ident, name, now) for ident, name, _ in rows],
        )
        await tx.executemany(
            "INSERT INTO facility_listing (facility_id, latitude, longitude, spot, changed_at)"
            " VALUES ($1, $2, $3, point($4, $5), $6)",
            [(ident, at.latitude, at.longitude, *spot_of(at), now) for ident, _, at in rows],
        )
        await tx.executemany(
            "INSERT INTO facility_specialty (facility_id, specialty, spot, is_declared)"
            " VALUES ($1, $2, point($3, $4), true)",
            [(ident, SPECIALTY, *spot_of(at, place)) for ident, _, at in rows],
        )
    async with owner.transaction() as tx:
        for table in ("facility", "facility_listing", "facility_specialty"):
            await tx.execute(f"ANALYZE {table}")


async def _searches(store: Store, points: list[Point], now: datetime) -> float:
    started = time.perf_counter()
    for at in points:
        async with store.transaction() as tx:
            page = await search(tx, Search(at=at, specialty=SPECIALTY), now)
        assert isinstance(page, FoundPage)
        assert len(page.items) == 20
    return len(points) / (time.perf_counter() - started)


async def _sorts(store: Store, points: list[Point]) -> float:
    started = time.perf_counter()
    for at in points:
        async with store.transaction() as tx:
            rows = await tx.fetch(_SORTED, at.latitude, at.longitude, SPECIALTY)
        assert len(rows) == 20
    return len(points) / (time.perf_counter() - started)
