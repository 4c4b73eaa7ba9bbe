"""What roots cost, by how many heads changed and how many there are, and a proof among ten million leaves.

The log of ten million is filled by COPY with tiles of synthetic leaves, hashed as the service hashes them; a
proof that did not hold would stop the measurement.
"""

import asyncio
import hashlib
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from audit.queries import head_of
from audit.roots import queries
from audit.roots.models import Leaf, LogProof, Root
from audit.roots.proofs import prove
from audit.roots.service import HEADS_PER_STEP, append_changed, mark_rooted, sign_root
from audit.roots.signing import FIRST_PREV, leaf_data, pseudonym
from audit.roots.tiles import bucket_of_tile, span_hashes
from audit.roots.tree import WIDTH, Span, Tile, holds_inclusion, leaf_hash, tile_hash
from audit.service import record_act
from bench.audit_append import an_actor
from bench.results import Result, compare
from kernel.access import Access, mint_access
from kernel.ids import uuid7
from store.database import Store

NAMES: Final = ("audit.root", "audit.root.1m", "audit.proof")
HEADS: Final = 1_000_000
LEAVES: Final = 10_000_000
FEW: Final = 1_000
MANY: Final = 10_000
ROUNDS: Final = 5
PROOFS: Final = 100
PROOF_MILLISECONDS: Final = 20.0
# An epoch that no other measurement uses, and the number of its root.
EPOCH: Final = 1_000
NUMBER: Final = 1_000_000_000
FILL = """
INSERT INTO audit_head (patient_id, seq, prev, h, rooted)
SELECT gen_random_uuid(), 1, decode(repeat('00', 32), 'hex'), sha256(int4send(n)), $2
FROM generate_series(1, $1::int) AS n
"""
MOVE = "UPDATE audit_head SET seq = seq + 1, rooted = false WHERE patient_id = ANY($1)"


async def measure(store: Store, owner_dsn: str, wanted: list[str]) -> list[Result]:
    """Roots first, then the proof: its log is the largest."""
    owner = await asyncpg.connect(owner_dsn)
    try:
        results = await measure_roots(store, owner) if set(NAMES[:2]) & set(wanted) or not wanted else []
        if NAMES[2] in wanted or not wanted:
            results.append(await measure_proof(store, owner))
        return results
    finally:
        await owner.close()


async def measure_roots(store: Store, owner: asyncpg.Connection) -> list[Result]:
    """Heads a second: a thousand among as many, then among a million, and ten thousand among a million."""
    await owner.execute(FILL, MANY, False)
    await _root(store)
    alone = [await _rate(store, owner, FEW) for _ in range(ROUNDS)]
    await owner.execute(FILL, HEADS, True)
    await owner.execute("VACUUM ANALYZE audit_head")
    few, many = [], []
    for _ in range(ROUNDS):
        few.append(await _rate(store, owner, FEW))
        many.append(await _rate(store, owner, MANY))
    unit = "heads/s"
    return [
        compare("audit.root", ours=many, against="a tenth changed", theirs=few, target=0.6, unit=unit),
        compare("audit.root.1m", ours=few, against="10,000 people", theirs=alone, target=0.6, unit=unit),
    ]


async def _rate(store: Store, owner: asyncpg.Connection, count: int) -> float:
    people = await owner.fetch("SELECT patient_id FROM audit_head TABLESAMPLE SYSTEM (2) LIMIT $1", count)
    if len(people) < count:
        people = await owner.fetch("SELECT patient_id FROM audit_head LIMIT $1", count)
    await owner.execute(MOVE, [row[0] for row in people])
    begin = time.perf_counter()
    await _root(store)
    return count / (time.perf_counter() - begin)


async def _root(store: Store) -> None:
    while True:
        async with store.transaction() as tx:
            heads = await append_changed(tx, store.keys, datetime.now(UTC))
        async with store.transaction() as tx:
            await mark_rooted(tx, heads)
        if len(heads) < HEADS_PER_STEP:
            break
    async with store.transaction() as tx:
        await sign_root(tx, store.keys, datetime.now(UTC))


async def measure_proof(store: Store, owner: asyncpg.Connection) -> Result:
    """Milliseconds of one proof, with its reads, in the median of a round."""
    places = [LEAVES // 7 * at + at for at in range(1, 7)]
    people = [await _person(store, owner, at) for at in places]
    leaves = {at: leaf_hash(leaf_data(leaf)) for at, (_, leaf) in zip(places, people, strict=True)}
    columns = ("bucket", "epoch", "level", "tile", "start", "hashes")
    await owner.copy_records_to_table("audit_tile", records=_tiles(leaves), columns=columns)
    await owner.execute("VACUUM ANALYZE audit_tile")
    await _sign(store)
    rounds = []
    for _ in range(ROUNDS):
        times = [await _prove(store, *people[turn % len(people)]) for turn in range(PROOFS)]
        rounds.append(statistics.median(times))
        await asyncio.sleep(0)
    budget = [PROOF_MILLISECONDS] * ROUNDS
    return compare(NAMES[2], ours=rounds, against="guide", theirs=budget, target=1.0, unit="ms", at_most=True)


async def _person(store: Store, owner: asyncpg.Connection, place: int) -> tuple[Access, Leaf]:
    now, actor = datetime.now(UTC), an_actor()
    patient_id = uuid7(now)
    async with store.transaction() as tx:
        for _ in range(3):
            await record_act(tx, patient_id, actor, "record:summary:read", request_id="0" * 36, now=now)
        head = await head_of(tx, patient_id)
    assert head is not None
    await owner.execute(
        "INSERT INTO audit_leaf VALUES ($1, $2, $3, $4, $5)", patient_id, EPOCH, 3, place, head.h
    )
    leaf = Leaf(epoch=EPOCH, h=head.h.hex(), pseudonym=pseudonym(store.keys, patient_id), seq=3)
    return _access(patient_id), leaf


def _access(patient_id: UUID) -> Access:
    return mint_access(
        patient_id=patient_id, actor=an_actor(), action="read-access-log", purpose="PATRQT", basis="self"
    )


def _tiles(leaves: dict[int, bytes]) -> Iterator[tuple[int, int, int, int, int, bytes]]:
    """Every tile of the log, each level after the one below it."""
    hashes: Iterator[bytes] = (
        leaves.get(at) or hashlib.sha256(b"\x00%d" % at).digest() for at in range(LEAVES)
    )
    count, level = LEAVES, 0
    while count:
        above: list[bytes] = []
        for number in range(-(-count // WIDTH)):
            size = min(WIDTH, count - number * WIDTH)
            tile = b"".join(next(hashes) for _ in range(size))
            yield bucket_of_tile(Tile(level, number)), EPOCH, level, number, 0, tile
            if size == WIDTH:
                above.append(tile_hash(tile))
        hashes, count, level = iter(above), len(above), level + 1


async def _sign(store: Store) -> None:
    async with store.transaction() as tx:
        root = Root(
            at="2026-01-01T00:00:00.000000Z",
            epoch=EPOCH,
            hash=(await span_hashes(tx, EPOCH, [Span(0, LEAVES)]))[0].hex(),
            kid="0001",
            log=uuid7(datetime.now(UTC)),
            number=NUMBER,
            operators=None,
            prev=FIRST_PREV,
            size=LEAVES,
            typ="audit-root",
            v=1,
        )
        text = msgspec.json.encode(root, order="sorted").decode()
        await queries.INSERT_ROOT.run(tx, NUMBER, EPOCH, LEAVES, text, bytes(64))


async def _prove(store: Store, access: Access, leaf: Leaf) -> float:
    begin = time.perf_counter()
    async with store.transaction() as tx:
        proof = await prove(tx, store.keys, access, seq=2, pinned=NUMBER)
    elapsed = (time.perf_counter() - begin) * 1000
    assert isinstance(proof, LogProof)
    assert proof.leaf == leaf
    steps = [bytes.fromhex(step) for step in proof.inclusion]
    root = bytes.fromhex(proof.root.root.hash)
    assert holds_inclusion(leaf_hash(leaf_data(leaf)), proof.index, LEAVES, steps, root)
    return elapsed
