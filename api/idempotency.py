"""Creating once per Idempotency-Key (S14): a repeat is decided again and rebuilt, never replayed."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

from api.request import Call
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.idempotency import Repeat, begin, finish
from store.problems import (
    ALREADY_CREATED,
    IDEMPOTENCY_KEY_INVALID,
    IDEMPOTENCY_KEY_REUSED,
    IDEMPOTENCY_KEYS_EXHAUSTED,
)

Made = TypeVar("Made")

PROBLEMS: Final = (IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEYS_EXHAUSTED)
# For routes whose answer holds a secret.
SECRET_PROBLEMS: Final = (*PROBLEMS, ALREADY_CREATED)


async def claim(tx: Tx, call: Call, actor: Actor) -> bool | Refused:
    """For what is made in several transactions: True where this request made it before, at the first of them.
    At the last one, `settle` keeps what was made."""
    key = call.header("idempotency-key")
    if key is None:
        return False
    standing = await begin(tx, call.keys, actor.actor_id, call.route, key, await call.fingerprint(), call.now)
    return standing if isinstance(standing, Refused) else isinstance(standing, Repeat)


async def settle(tx: Tx, call: Call, actor: Actor, status: int, created_id: UUID) -> None:
    """Keep under the request's key what it made."""
    key = call.header("idempotency-key")
    if key is not None:
        await finish(tx, actor.actor_id, call.route, key, status, str(created_id))


async def create_once(
    tx: Tx,
    call: Call,
    actor: Actor,
    status: int,
    make: Callable[[], Awaitable[Made | Refused]],
    again: Callable[[UUID], Awaitable[Made | Refused]],
    id_of: Callable[[Made], UUID],
) -> Made | Refused:
    """`make` without a key or with a new one; `again(created id)` for a repeat of the same request.

    Call it inside `call.begin()`: who may not call any more is refused before a row is looked at. `again`
    decides the rest anew and reads; it refuses with `already-created` where the answer held a secret.
    """
    key = call.header("idempotency-key")
    if key is None:
        return await make()
    request = await call.fingerprint()
    standing = await begin(tx, call.keys, actor.actor_id, call.route, key, request, call.now)
    if isinstance(standing, Refused):
        return standing
    if isinstance(standing, Repeat):
        return await again(UUID(standing.created_id))
    made = await make()
    if not isinstance(made, Refused):
        await finish(tx, actor.actor_id, call.route, key, status, str(id_of(made)))
    return made
