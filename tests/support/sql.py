"""Every SQL constant of every queries.py, and what PostgreSQL says about it."""

import importlib
import json
import re
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from store.database import Connection
from store.migration_files import read_migrations, standing_tables
from store.statement import Command, Scalar, Statement

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {
    "healthbook": 7,
    "api": 6,
    "consent": 5,
    "partners": 5,
    "reminders": 5,
    "vaccination": 5,
    "vitals": 5,
    "visits": 4,
    "ehr": 4,
    "family": 4,
    "notifications": 4,
    "identity": 3,
    "audit": 2,
    "qr": 2,
    "store": 1,
    "kernel": 0,
}
Constant = Statement[Any] | Command | Scalar[Any]
PYTHON_TYPES: dict[str, type] = {
    "uuid": UUID,
    "text": str,
    "varchar": str,
    "bpchar": str,
    "name": str,
    "json": str,
    "jsonb": str,
    "int2": int,
    "int4": int,
    "int8": int,
    "bool": bool,
    "bytea": bytes,
    "date": date,
    "timestamptz": datetime,
    "time": time,
    "interval": timedelta,
    "float4": float,
    "float8": float,
    "numeric": Decimal,
}


class Named(NamedTuple):
    """A constant with its place: 'identity.queries.SESSION_BY_ID'."""

    name: str
    package: str
    constant: Constant


def constants() -> list[Named]:
    """Every Statement, Command and Scalar that a queries.py defines."""
    found = []
    for path in sorted(p for package in FLOORS for p in (ROOT / package).rglob("queries.py")):
        module_name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(module_name)
        for name, value in vars(module).items():
            if isinstance(value, Statement | Command | Scalar):
                found.append(Named(f"{module_name}.{name}", path.relative_to(ROOT).parts[0], value))
    return found


def table_owners() -> dict[str, str]:
    """Table → the package whose migration makes it."""
    owners = {header.table: m.package for m in read_migrations() for header in m.tables}
    return owners | {"schema_migration": "store"}


def groups_of_tables() -> dict[str, str | None]:
    """Table → its co-location group; None where it has no shards by a column."""
    return {h.table: h.group for h in standing_tables(read_migrations())}


def tables_named(sql: str, known: set[str]) -> set[str]:
    """The tables of ours that a statement names."""
    words = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE|ONLY|TABLE|EXISTS)\s+([a-z_0-9]+)", sql)
    return set(words) & known


async def plan_of(tx: Connection, sql: str) -> dict[str, Any]:
    """The generic plan of a statement, with sequential scans priced out. Needs a transaction."""
    prepared = await tx.prepare(sql)
    nulls = ", ".join("NULL" for _ in prepared.get_parameters())
    await tx.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    await tx.execute("SET LOCAL enable_seqscan = off")
    await tx.execute(f"PREPARE probe AS {sql}")
    execute = f"EXECUTE probe({nulls})" if nulls else "EXECUTE probe"
    told = await tx.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) {execute}")
    await tx.execute("DEALLOCATE probe")
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, parents first."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def unbound_scans(plan: dict[str, Any], shards: dict[str, str], parents: dict[str, str]) -> list[str]:
    """Scans of spread tables that no index condition holds to one value of the distribution column.

    To a value, not to another column: Citus prunes by what the planner tells of each table alone, and a part
    that is bound by a column of the query around it goes to every shard.
    """
    faults = []
    for node in nodes(plan):
        relation = node.get("Relation Name")
        table = parents.get(relation, relation) if relation else None
        if table not in shards or not node["Node Type"].endswith("Scan") or node["Node Type"] == "Tid Scan":
            continue
        conditions = [n.get("Index Cond", "") for n in (node, *node.get("Plans", []))]
        if node["Node Type"] == "Bitmap Heap Scan":
            conditions = [n.get("Index Cond", "") for n in nodes(node)]
        value = rf"\b{shards[table]} = (\$\d+|'[^']*')"
        if not any(re.search(value, condition) for condition in conditions):
            faults.append(f"{node['Node Type']} on {relation} without {shards[table]} = …")
    return faults


def shard_values(plan: dict[str, Any], shards: dict[str, str], parents: dict[str, str]) -> set[str]:
    """The parameters that bind the scans of spread tables: two are two shards, which Citus does not join."""
    found = set()
    for node in nodes(plan):
        relation = node.get("Relation Name")
        table = parents.get(relation, relation) if relation else None
        if table in shards:
            conditions = " ".join(n.get("Index Cond", "") for n in nodes(node))
            found |= set(re.findall(rf"\b{shards[table]} = (\$\d+)", conditions))
    return found


def groups_named(plan: dict[str, Any], groups: dict[str, str | None], parents: dict[str, str]) -> set[str]:
    """The co-location groups whose tables a statement reads: two lie on two shards even for one value."""
    found = set()
    for node in nodes(plan):
        relation = node.get("Relation Name")
        table = parents.get(relation, relation) if relation else None
        if table in groups and (group := groups[table]) is not None:
            found.add(group)
    return found


def type_fault(pg_type: str, wanted: Any) -> str | None:
    """Why a column of `pg_type` does not fit an annotation; None when it does."""
    bare, _ = without_none(wanted)
    if pg_type.endswith("[]"):
        if typing.get_origin(bare) is not list:
            return f"{pg_type} arrives as a list, not {wanted}"
        return type_fault(pg_type[:-2], typing.get_args(bare)[0])
    if typing.get_origin(bare) is typing.Literal:
        bare = type(typing.get_args(bare)[0])
    arrives = PYTHON_TYPES.get(pg_type)
    return None if arrives is bare else f"{pg_type} arrives as {arrives}, not {wanted}"


def without_none(wanted: Any) -> tuple[Any, bool]:
    """(the annotation without None, whether it allowed None)."""
    if typing.get_origin(wanted) in {typing.Union, types.UnionType}:
        rest = [a for a in typing.get_args(wanted) if a is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return wanted, False


def nullable_outputs(
    plan: dict[str, Any], nullable: set[tuple[str, str]], parents: dict[str, str]
) -> list[bool]:
    """For each output column: may it be NULL, as far as the catalog tells?

    Plain columns only: they may when the catalog allows NULL or an outer join may leave them out.
    """
    relations = {n["Alias"]: n["Relation Name"] for n in nodes(plan) if "Alias" in n and "Relation Name" in n}
    outer = {a for n in nodes(plan) if n.get("Join Type") == "Left" for a in _inner_aliases(n)}
    answers = []
    for output in plan.get("Output", []):
        alias, dot, column = output.partition(".")
        if not dot or not re.fullmatch(r"[a-z_0-9]+", column) or alias not in relations:
            answers.append(False)
            continue
        table = parents.get(relations[alias], relations[alias])
        answers.append(alias in outer or (table, column) in nullable)
    return answers


def _inner_aliases(join: dict[str, Any]) -> set[str]:
    inner = [p for p in join.get("Plans", []) if p.get("Parent Relationship") == "Inner"]
    return {n["Alias"] for p in inner for n in nodes(p) if "Alias" in n}
