"""PINs and passwords move to the current pepper when their owners sign in (security.md S15).

A hash cannot be moved without its secret. Whoever has signed in is hashed once more, after everything held:
refusals take as long as ever, whichever factor was wrong and whatever the hash rests under.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from uuid import UUID

import structlog
from msgspec import Struct

from identity.passwords import hash_secret
from kernel.problems import ProblemError, Refused
from store.database import TROUBLE, Tx
from store.keys import FIRST_ID, KeyRing
from store.statement import Command

T = TypeVar("T")

log = structlog.get_logger("identity")


class Resting(Struct, frozen=True):
    """Where a secret rests. move: takes the owner, the hash that stands and the new one. stored: None where
    there is nobody of that name, or no PIN."""

    move: Command
    owner: UUID
    stored: str | None


async def kept(
    begin: Callable[[], AbstractAsyncContextManager[Tx]],
    keys: KeyRing,
    rests: Resting,
    secret: str | None,
    done: T | Refused,
) -> T | Refused:
    """`done` as it came. Where the sign-in held, its secret rests under the current pepper from now on.

    No transaction may be open. Its session is committed and its second factor used up, so nothing of this may
    fail it: where nobody has time for it now, the next sign-in does it.
    """
    if isinstance(done, Refused) or secret is None or not _rests_under_older(keys, rests.stored):
        return done
    try:
        anew = await hash_secret(keys, rests.owner, secret)
        async with begin() as tx:
            await rests.move.run(tx, rests.owner, rests.stored, anew)
    except (ProblemError, *TROUBLE) as error:
        log.warning("hash_not_moved", error=type(error).__name__)
    return done


def _rests_under_older(keys: KeyRing, stored: str | None) -> bool:
    """Whether a hash was made under a pepper from before the current one; nothing stored never was."""
    if stored is None:
        return False
    pepper_id, _ = keys.secret("pepper")
    return (stored.partition("$")[0] or FIRST_ID) < pepper_id
