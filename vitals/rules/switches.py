"""Which rows of the default set without a source an operator named one for."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from store.database import Tx
from vitals.alerts.defaults import by_name, defaults
from vitals.rules import queries


class RowState(Struct, frozen=True):
    """unconfirmed: the parts without a source of ours. confirmed: the operator's words about theirs."""

    name: str
    state: Literal["in force", "partly in force", "off", "confirmed"]
    unconfirmed: list[str]
    source: str
    confirmed: str | None


async def states(tx: Tx) -> list[RowState]:
    """Every row of the default set, and what of it is in force."""
    confirmed = {row.name: row.source for row in await queries.CONFIRMED.all(tx)}
    return [
        RowState(
            row.name,
            _state(row.name, confirmed),
            sorted(row.unconfirmed),
            row.source,
            confirmed.get(row.name),
        )
        for row in defaults().rows
    ]


def _state(
    name: str, confirmed: dict[str, str]
) -> Literal["in force", "partly in force", "off", "confirmed"]:
    row = by_name()[name]
    if not row.unconfirmed:
        return "in force"
    if name in confirmed:
        return "confirmed"
    given = {part for part in ("warn", "crit") if getattr(row, part) is not None}
    return "off" if given <= row.unconfirmed else "partly in force"


async def confirm(tx: Tx, name: str, source: str, now: datetime) -> bool:
    """A row is in force whole, for everybody of its age. False: there is no such row without a source."""
    row = by_name().get(name)
    if row is None or not row.unconfirmed:
        return False
    await queries.CONFIRM.run(tx, name, source, now)
    return True


async def withdraw(tx: Tx, name: str) -> bool:
    """A row stands as it ships again. False: it was not confirmed."""
    known = {row.name for row in await queries.CONFIRMED.all(tx)}
    if name in known:
        await queries.UNCONFIRM.run(tx, name)
    return name in known
