"""The first accounts of an empty database: two operators, because a change takes two (S26)."""

from datetime import datetime

from identity import practitioners
from identity.practitioners import InitialSecrets, PreparedCredential
from identity.problems import NOT_EMPTY
from identity.register import queries
from kernel.problems import Refused, refuse
from store.database import Store, Tx


async def bootstrap(store: Store, names: tuple[str, str], now: datetime) -> list[InitialSecrets] | Refused:
    """Make two operators, `operator1` and `operator2`, with these names; secrets are returned once.

    Refused with `database-not-empty` when any operator, practitioner, facility or citizen is there.
    """
    prepared = [await practitioners.prepare_credential(store.keys, now) for _ in names]
    async with store.transaction() as tx:
        if not await is_empty(tx):
            return Refused(problem=NOT_EMPTY)
        return [
            await _add_operator(store, tx, f"operator{n}", name, credential, now)
            for n, (name, credential) in enumerate(zip(names, prepared, strict=True), start=1)
        ]


async def is_empty(tx: Tx) -> bool:
    """True while nobody and nothing is registered."""
    found = [
        await queries.ANY_OPERATOR.one(tx),
        await queries.ANY_PRACTITIONER.one(tx),
        await queries.ANY_FACILITY.one(tx),
        await queries.ANY_CITIZEN.one(tx),
    ]
    return found == [None] * len(found)


async def _add_operator(
    store: Store, tx: Tx, user_name: str, name: str, prepared: PreparedCredential, now: datetime
) -> InitialSecrets:
    # The unique user name lets one of two bootstraps at the same moment win.
    if await queries.INSERT_OPERATOR.one(tx, prepared.actor_id, user_name, name, now) is None:
        refuse(NOT_EMPTY)
    await practitioners.keep_credential(tx, store.keys, prepared, now)
    return InitialSecrets(
        actor_id=prepared.actor_id,
        user_name=user_name,
        password=prepared.password,
        totp_secret=prepared.totp_secret,
    )
