"""SQL as module constants of queries.py, each with the Struct that receives its rows.

Columns arrive by position: a Struct names them in the order of the SELECT list. A test prepares
every constant on the migrated schema and compares names, order, types and nullability; another
asks for the plan and wants an index on the shard column, unless `fan_out` says why not.
"""

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from msgspec import Struct

if TYPE_CHECKING:
    from store.database import Tx  # which asks a statement of the store's own when it opens a pool

R = TypeVar("R", bound=Struct)
V = TypeVar("V")


class Statement(Generic[R]):
    """A statement that returns rows. `fan_out` names why it may touch every shard."""

    __slots__ = ("fan_out", "row", "sql")

    def __init__(self, row: type[R], sql: str, *, fan_out: str | None = None) -> None:
        self.row = row
        self.sql = sql
        self.fan_out = fan_out

    async def one(self, tx: "Tx", *args: object) -> R | None:
        """The first row, or None."""
        record = await tx.fetchrow(self.sql, *args)
        return None if record is None else self.row(*record)

    async def all(self, tx: "Tx", *args: object) -> list[R]:
        return list(starmap(self.row, await tx.fetch(self.sql, *args)))


class Command:
    """A statement whose rows nobody wants."""

    __slots__ = ("fan_out", "sql")

    def __init__(self, sql: str, *, fan_out: str | None = None) -> None:
        self.sql = sql
        self.fan_out = fan_out

    async def run(self, tx: "Tx", *args: object) -> None:
        await tx.execute(self.sql, *args)

    async def many(self, tx: "Tx", rows: Iterable[Sequence[object]]) -> None:
        """The same statement for each row, pipelined in one round trip."""
        await tx.executemany(self.sql, rows)


class CopyInto:
    """Rows into a table by COPY: for rows whose keys are known to be new (design: scale.md, rule 8)."""

    __slots__ = ("columns", "table")

    def __init__(self, table: str, *columns: str) -> None:
        self.table = table
        self.columns = columns

    async def run(self, tx: "Tx", rows: Iterable[Sequence[object]]) -> None:
        """Raises asyncpg's UniqueViolationError when somebody took a key in between."""
        await tx.copy_records_to_table(self.table, records=rows, columns=self.columns)


class Scalar(Generic[V]):
    """A statement that returns one column."""

    __slots__ = ("fan_out", "sql", "type_")

    def __init__(self, type_: type[V], sql: str, *, fan_out: str | None = None) -> None:
        self.type_ = type_
        self.sql = sql
        self.fan_out = fan_out

    async def one(self, tx: "Tx", *args: object) -> V | None:
        """The first value; None when there is no row (or the value is NULL)."""
        return cast(V | None, await tx.fetchval(self.sql, *args))

    async def all(self, tx: "Tx", *args: object) -> list[V]:
        return [row[0] for row in cast(list[Any], await tx.fetch(self.sql, *args))]
