"""What Citus would say of a statement: the rules of the design (scale.md, "What fails") over PostgreSQL's own
tree of it. The wording of each fault is that of Citus 13, so that it can be looked up."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from store.database import Connection
from store.migration_files import TableHeader
from tests.support.query_tree import (
    DELETE,
    INSERT,
    JOIN,
    MERGE,
    RELATION,
    UPDATE,
    Node,
    names_outside,
    own,
    queries_in,
    walk,
)

_TID = 27
_EXPRESSION_SUBLINK = 4


class Catalog(Struct, frozen=True):
    """What the trees' numbers mean. groups: table → co-location group, 'reference' or 'local'."""

    tables: dict[int, str]
    shard: dict[str, int]
    groups: dict[str, str]
    volatility: dict[int, str]
    type_io: dict[int, tuple[int, int]]

    def spread(self, table: str | None) -> bool:
        return table in self.shard


async def read_catalog(connection: Connection, headers: list[TableHeader]) -> Catalog:
    tables = await connection.fetch(
        "SELECT c.oid::bigint, coalesce(p.relname, c.relname)::text FROM pg_class c"
        " LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    )
    columns = {
        (row[0], row[1]): row[2]
        for row in await connection.fetch(
            "SELECT c.relname::text, a.attname::text, a.attnum::int FROM pg_class c JOIN pg_attribute a"
            " ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0"
        )
    }
    spread = {h.table: columns[h.table, h.distribute] for h in headers if h.group is not None}
    functions = await connection.fetch("SELECT oid::bigint, provolatile::text FROM pg_proc")
    types = await connection.fetch(
        "SELECT oid::bigint, typinput::oid::bigint, typoutput::oid::bigint FROM pg_type"
    )
    return Catalog(
        tables={row[0]: row[1] for row in tables},
        shard=spread,
        groups={"schema_migration": "local"} | {h.table: h.group or h.distribute for h in headers},
        volatility={row[0]: row[1] for row in functions},
        type_io={row[0]: (row[1], row[2]) for row in types},
    )


def faults(tree: Node, catalog: Catalog, *, fan_out: bool) -> list[str]:
    """What Citus refuses, or does otherwise, in this statement; empty where it does the same."""
    found: list[str] = []
    for query in queries_in(tree):
        found += _command_faults(query, catalog)
        found += _lock_faults(query, catalog, tree)
        found += _sub_select_faults(query, catalog)
        found += _mixing_faults(query, catalog)
        if not fan_out:
            continue
        found += _join_faults(query, catalog)
        found += _correlation_faults(query, catalog)
        if query["hasRecursive"]:
            found.append("recursive CTEs are only supported with a filter on the distribution column")
    return sorted(set(found))


def _table(query: Node, index: int, catalog: Catalog) -> str | None:
    entry = query["rtable"][index - 1]
    return catalog.tables.get(entry["relid"]) if entry["rtekind"] == RELATION else None


def _spread_in(query: Node, catalog: Catalog) -> list[int]:
    """The spread tables of one level, by their numbers in its range table."""
    entries = query["rtable"] or []
    return [n for n in range(1, len(entries) + 1) if catalog.spread(_table(query, n, catalog))]


def _worst(value: Any, catalog: Catalog) -> str:
    """The volatility of an expression: v, s or i."""
    found = {_volatility(node, catalog) for node in walk(value)}
    return "v" if "v" in found else "s" if "s" in found else "i"


def _volatility(node: Node, catalog: Catalog) -> str:
    kind = node["_"]
    if kind == "SQLVALUEFUNCTION":
        return "s"
    if kind == "NEXTVALUEEXPR":
        return "v"
    if kind == "COERCEVIAIO":
        sources = {n.get("vartype") or n.get("consttype") or n.get("paramtype") for n in (node["arg"],)}
        outputs = [catalog.type_io[t][1] for t in sources if t]
        calls = [catalog.type_io[node["resulttype"]][0], *outputs]
        found = {catalog.volatility[call] for call in calls}
        return "v" if "v" in found else "s" if "s" in found else "i"
    called = node.get("funcid") or node.get("opfuncid") or node.get("aggfnoid") or node.get("winfnoid")
    return catalog.volatility.get(called, "i") if isinstance(called, int) else "i"


def _has_column(value: Any) -> bool:
    return any(node["_"] == "VAR" and node["varlevelsup"] == 0 for node in walk(value))


def _irreducible(value: Any, catalog: Catalog) -> Iterator[str]:
    for node in walk(value):
        if node["_"] in {"CASEEXPR", "COALESCEEXPR"} and _worst(node, catalog) != "i":
            yield "non-IMMUTABLE functions are not allowed in CASE or COALESCE statements"
        elif _volatility(node, catalog) == "s" and _has_column(node):
            yield "STABLE functions used in UPDATE queries cannot be called with column references"


def _command_faults(query: Node, catalog: Catalog) -> Iterator[str]:
    command = query["commandType"]
    if command == MERGE:
        yield "MERGE: write INSERT … ON CONFLICT"
    if command not in {UPDATE, INSERT, DELETE}:
        return
    table = _table(query, query["resultRelation"], catalog)
    if table is None or catalog.groups[table] == "local":
        return
    if _worst(query["returningList"], catalog) != "i":
        yield "non-IMMUTABLE functions are not allowed in the RETURNING clause"
    if command == INSERT:
        yield from _insert_faults(query, table, catalog)
        return
    quals = query["jointree"]["quals"]
    if _worst(quals, catalog) == "v":
        yield "functions used in the WHERE clause of modification queries must not be VOLATILE"
    yield from _irreducible(quals, catalog)
    if command == UPDATE:
        entries = [entry for entry in query["targetList"] if not entry["resjunk"]]
        if _worst(entries, catalog) == "v":
            yield "functions used in UPDATE queries on distributed tables must not be VOLATILE"
        if catalog.shard.get(table) in {entry["resno"] for entry in entries}:
            yield "modifying the partition value of rows is not allowed"
        yield from _irreducible(entries, catalog)
    yield from _target_faults(query, table, catalog)


def _target_faults(query: Node, table: str, catalog: Catalog) -> Iterator[str]:
    others = {_table(q, n, catalog) for q in queries_in(query) for n in _spread_in(q, catalog)}
    if not catalog.spread(table) and others:
        yield f"{table} lies on every node; its rows are chosen by {sorted(map(str, others))}"


def _insert_faults(query: Node, table: str, catalog: Catalog) -> Iterator[str]:
    entries = {entry["resno"]: entry["expr"] for entry in query["targetList"]}
    if catalog.spread(table) and catalog.shard[table] not in entries:
        yield "cannot perform an INSERT without a partition column value"
    if query["hasSubLinks"]:
        yield "subqueries are not supported within INSERT queries"
    conflict = query["onConflict"]
    if conflict is None:
        return
    sets = conflict["onConflictSet"] or []
    if _worst(sets, catalog) != "i":
        yield "functions used in the DO UPDATE SET clause of INSERTs must be marked IMMUTABLE"
    if _worst(conflict["onConflictWhere"], catalog) != "i":
        yield "functions used in the WHERE clause of the ON CONFLICT clause must be marked IMMUTABLE"
    if catalog.shard.get(table) in {entry["resno"] for entry in sets}:
        yield "modifying the partition value of rows is not allowed"


def _lock_faults(query: Node, catalog: Catalog, tree: Node) -> Iterator[str]:
    for mark in query["rowMarks"] or []:
        table = _table(query, mark["rti"], catalog)
        if catalog.spread(table) and not _bound(query, catalog)[mark["rti"]]:
            yield f"could not run distributed query with FOR UPDATE/SHARE commands ({table})"
        if table is not None and catalog.groups[table] == "reference" and query is not tree:
            yield f"SELECT FOR UPDATE in a part of a statement, of a reference table ({table})"
    changed = query["commandType"] in {UPDATE, DELETE} and _spread_in(query, catalog)
    if changed and query["resultRelation"] in changed and not _bound(query, catalog)[query["resultRelation"]]:
        tids = [n for n in own(query["jointree"]) if n["_"] == "VAR" and n["varattno"] == -1]
        if tids:
            yield "distributed modifications with ctid on where clause are not supported"


def _sub_select_faults(query: Node, catalog: Catalog) -> Iterator[str]:
    for node in own(query):
        if node["_"] != "OPEXPR" or len(node["args"] or []) != 2:
            continue
        left, right = node["args"]
        for one, other in ((left, right), (right, left)):
            if _is_shard(query, one, catalog) and any(n["_"] == "SUBLINK" for n in walk(other)):
                yield "a sub-select finds the shard: look it up in a statement of its own"


def _mixing_faults(query: Node, catalog: Catalog) -> Iterator[str]:
    entries = range(1, len(query["rtable"] or []) + 1)
    named = {table for n in entries if (table := _table(query, n, catalog)) is not None}
    local = {table for table in named if catalog.groups[table] == "local"}
    if local and local != named:
        yield f"{sorted(local)} lie on one node alone, {sorted(named - local)} do not"


def _resolved(query: Node, node: Any) -> Any:
    """A column behind the alias of a join."""
    while isinstance(node, dict) and node["_"] in {"VAR", "RELABELTYPE"}:
        if node["_"] == "RELABELTYPE":
            node = node["arg"]
            continue
        entry = query["rtable"][node["varno"] - 1] if node["varlevelsup"] == 0 else None
        if entry is None or entry["rtekind"] != JOIN or node["varattno"] < 1:
            break
        node = entry["joinaliasvars"][node["varattno"] - 1]
    return node


def _is_shard(query: Node, node: Any, catalog: Catalog) -> int | None:
    """The number of the spread table whose shard column this is."""
    node = _resolved(query, node)
    if not isinstance(node, dict) or node["_"] != "VAR" or node["varlevelsup"] or node["varno"] < 1:
        return None
    if node["varno"] > len(query["rtable"] or []):
        return None
    table = _table(query, node["varno"], catalog)
    return node["varno"] if table in catalog.shard and catalog.shard[table] == node["varattno"] else None


def _equalities(query: Node) -> Iterator[tuple[Any, Any]]:
    """What stands equal in one level for every row: conditions that are joined by AND."""

    def conditions(value: Any) -> Iterator[Node]:
        if isinstance(value, list):
            for part in value:
                yield from conditions(part)
        elif isinstance(value, dict):
            if value["_"] in {"FROMEXPR", "JOINEXPR"}:
                for name in ("fromlist", "larg", "rarg", "quals"):
                    yield from conditions(value.get(name))
            elif value["_"] == "BOOLEXPR" and value["boolop"] == "and":
                yield from conditions(value["args"])
            elif value["_"] == "OPEXPR" and len(value["args"]) == 2:
                yield value

    for node in conditions(query["jointree"]):
        if node["opno"] in EQUAL:
            yield _resolved(query, node["args"][0]), _resolved(query, node["args"][1])


# uuid, int4, bytea, text: the operators that compare shard columns (pg_operator.dat).
EQUAL = {2972, 96, 1955, 98}


def _key(node: Any) -> tuple[Any, ...] | None:
    if not isinstance(node, dict):
        return None
    if node["_"] == "VAR":
        return ("var", node["varlevelsup"], node["varno"], node["varattno"])
    if node["_"] == "PARAM":
        return ("param", node["paramid"])
    if node["_"] == "CONST":
        return ("const", str(node.get("constvalue")))
    return None


def _classes(query: Node) -> list[set[tuple[Any, ...]]]:
    classes: list[set[tuple[Any, ...]]] = []
    for left, right in _equalities(query):
        keys = {key for key in (_key(left), _key(right)) if key is not None}
        touched = [one for one in classes if one & keys]
        classes = [one for one in classes if not one & keys] + [keys.union(*touched)]
    return classes


def _class_of(query: Node, index: int, catalog: Catalog) -> set[tuple[Any, ...]]:
    table = _table(query, index, catalog)
    assert table is not None
    mine = ("var", 0, index, catalog.shard[table])
    return next((one for one in _classes(query) if mine in one), {mine})


def _bound(query: Node, catalog: Catalog) -> dict[int, bool]:
    """Which spread tables of a level are held to one value."""
    return {
        n: any(key[0] in {"param", "const"} for key in _class_of(query, n, catalog))
        for n in _spread_in(query, catalog)
    }


def _joined(query: Node) -> set[int]:
    """The entries of the range table that the FROM list joins."""
    return {node["rtindex"] for node in own(query["jointree"]) if node["_"] == "RANGETBLREF"}


def _join_faults(query: Node, catalog: Catalog) -> Iterator[str]:
    members = [n for n in _spread_in(query, catalog) if n in _joined(query) or n == query["resultRelation"]]
    if query["commandType"] == INSERT:
        members = [n for n in members if n != query["resultRelation"]]
    if len(members) < 2:
        return
    named = [_table(query, n, catalog) for n in members]
    if len({catalog.groups[str(table)] for table in named}) > 1:
        yield f"{named} are not co-located: the query contains a join that requires repartitioning"
        return
    first = _class_of(query, members[0], catalog)
    if any(not first & _class_of(query, n, catalog) for n in members[1:]):
        yield f"complex joins are only supported on their distribution columns: {named}"


def _correlation_faults(query: Node, catalog: Catalog) -> Iterator[str]:
    """A part that names columns of the query around it goes to the shards with it, or not at all."""
    for inner in _direct(query):
        outer = list(names_outside(inner))
        mine = _spread_in(inner, catalog)
        if mine and outer:
            named = [_table(inner, n, catalog) for n in mine]
            if _is_from(query, inner):
                if any(inner[part] for part in _WHOLE) or inner["hasAggs"]:
                    yield f"cannot push down this subquery: limits or groups in a lateral one: {named}"
            elif not all(_leads_outside(inner, n, query, catalog) for n in mine):
                yield f"correlated, not by the shard column: {named}"


# What makes a subquery need all rows before it answers.
_WHOLE = ("limitCount", "limitOffset", "distinctClause", "groupClause", "setOperations")


def _is_from(query: Node, inner: Node) -> bool:
    return any(entry.get("subquery") is inner for entry in query["rtable"] or [])


def _leads_outside(inner: Node, index: int, outer: Node, catalog: Catalog) -> bool:
    for key in _class_of(inner, index, catalog):
        if key[0] in {"param", "const"}:
            return True
        if key[0] == "var" and key[1] == 1:
            around = {"_": "VAR", "varlevelsup": 0, "varno": key[2], "varattno": key[3]}
            if _is_shard(outer, around, catalog) is not None:
                return True
    return False


def _direct(query: Node) -> list[Node]:
    """The queries that stand in this one, not those inside them."""
    found: list[Node] = []

    def look(value: Any) -> None:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for part in parts:
            if isinstance(part, dict) and part["_"] == "QUERY":
                found.append(part)
            else:
                look(part)

    look(query)
    return found
