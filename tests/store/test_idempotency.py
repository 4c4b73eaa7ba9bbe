"""security.md S14: the idempotency rows hold no body and no secret, and let nobody in."""

import asyncio
import secrets
from uuid import UUID

import pytest

from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from store.idempotency import LIVE_MAX, Fresh, Repeat, begin, finish
from tests.support.clock import FrozenClock

ROUTE = "POST /v1/facility/records"
BODY = b'{"cccd":"079090123456"}'


def new_key() -> str:
    return secrets.token_urlsafe(24)


async def create(
    store: Store, clock: FrozenClock, actor: UUID, key: str, body: bytes = BODY, route: str = ROUTE
) -> Fresh | Repeat | Refused:
    """One creating request: begin, and finish when it is new."""
    async with store.transaction() as tx:
        outcome = await begin(tx, store.keys, actor, route, key, body, clock.now())
        if isinstance(outcome, Fresh):
            await finish(tx, actor, route, key, 201, str(uuid7(clock.now())))
        return outcome


async def test_s14_a_repeat_finds_the_created_thing(store: Store, clock: FrozenClock) -> None:
    actor, key = uuid7(clock.now()), new_key()
    assert isinstance(await create(store, clock, actor, key), Fresh)
    repeat = await create(store, clock, actor, key)
    assert isinstance(repeat, Repeat)
    assert repeat.status == 201
    assert repeat == await create(store, clock, actor, key)


async def test_s14_fifty_at_once_create_exactly_once(store: Store, clock: FrozenClock) -> None:
    actor, key = uuid7(clock.now()), new_key()
    outcomes = await asyncio.gather(*(create(store, clock, actor, key) for _ in range(50)))
    assert sum(isinstance(outcome, Fresh) for outcome in outcomes) == 1
    assert len({o.created_id for o in outcomes if isinstance(o, Repeat)}) == 1


async def test_s14_the_same_key_with_another_body_is_refused(store: Store, clock: FrozenClock) -> None:
    actor, key = uuid7(clock.now()), new_key()
    await create(store, clock, actor, key)
    refused = await create(store, clock, actor, key, b"{}")
    assert isinstance(refused, Refused)
    assert refused.problem.code == "idempotency-key-reused"


async def test_s14_strangers_and_other_routes_do_not_meet_on_one_key(
    store: Store, clock: FrozenClock
) -> None:
    key, actor = new_key(), uuid7(clock.now())
    for who, route in [(actor, ROUTE), (uuid7(clock.now()), ROUTE), (actor, "POST /v1/other")]:
        assert isinstance(await create(store, clock, who, key, route=route), Fresh)


async def test_s14_a_refused_first_attempt_is_decided_again(store: Store, clock: FrozenClock) -> None:
    actor, key = uuid7(clock.now()), new_key()
    async with store.transaction() as tx:
        await begin(tx, store.keys, actor, ROUTE, key, BODY, clock.now())
    assert isinstance(await create(store, clock, actor, key), Fresh)


async def test_s14_a_key_lives_24_hours(store: Store, clock: FrozenClock) -> None:
    actor, key = uuid7(clock.now()), new_key()
    await create(store, clock, actor, key)
    clock.advance(hours=23, minutes=59)
    assert isinstance(await create(store, clock, actor, key), Repeat)
    clock.advance(minutes=1)
    assert isinstance(await create(store, clock, actor, key), Fresh)


async def test_s14_the_1001st_live_key_is_refused(store: Store, owner: Store, clock: FrozenClock) -> None:
    actor = uuid7(clock.now())
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO idempotency_key"
            " (actor_id, route, idempotency_key, digest_key_id, digest, created_at)"
            " SELECT $1, 'r', 'filler-' || n, '0001', '', $2 FROM generate_series(1, $3::integer) n",
            actor,
            clock.now(),
            LIVE_MAX - 1,
        )
    key = new_key()
    assert isinstance(await create(store, clock, actor, key), Fresh)
    refused = await create(store, clock, actor, new_key())
    assert isinstance(refused, Refused)
    assert refused.problem.code == "idempotency-keys-exhausted"
    assert isinstance(await create(store, clock, actor, key), Repeat)


@pytest.mark.parametrize(
    "key", ["", "1", "079090123456", "x" * 65, "khoá-chống-gửi-trùng", "a b c d e f g h i j"]
)
async def test_s14_a_key_that_could_be_a_number_or_a_text_is_refused(
    store: Store, clock: FrozenClock, key: str
) -> None:
    refused = await create(store, clock, uuid7(clock.now()), key)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "idempotency-key-invalid"


async def test_s14_a_dump_of_the_table_holds_neither_body_nor_secret(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    seeds = [secrets.token_hex(8) for _ in range(5)]
    for seed in seeds:
        await create(store, clock, uuid7(clock.now()), new_key(), f'{{"code":"{seed}"}}'.encode())
    async with owner.transaction() as tx:
        dump = "\n".join(str(row) for row in await tx.fetch("SELECT k::text FROM idempotency_key k"))
    assert len(dump) > 100
    assert [seed for seed in seeds if seed in dump or seed.encode().hex() in dump] == []
