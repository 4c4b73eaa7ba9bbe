"""PostgreSQL's own analysed tree of a statement: names resolved, types known, views opened.

It is what Citus plans from (its planner hook receives this tree), so rules that are written over it see
what Citus sees. The server tells it to a session that sets `debug_print_parse`; no parser of ours is between.
"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import asyncpg

from store.database import Connection

Node: TypeAlias = dict[str, Any]
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[[^\]]*\]|[(){}]|(?:\\.|[^\s(){}"\\])+', re.DOTALL)
SELECT, UPDATE, INSERT, DELETE, MERGE = range(1, 6)  # CmdType (nodes.h)
RELATION, SUBQUERY, JOIN, FUNCTION, CTE = 0, 1, 2, 3, 6  # RTEKind (parsenodes.h)


async def listen(connection: Connection) -> list[str]:
    """Where the trees of this connection's statements arrive from now on."""
    told: list[str] = []

    def note(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if str(message.message).startswith("parse tree"):
            told.append(str(message.detail))

    connection.add_log_listener(note)
    await connection.execute("SET debug_pretty_print = off")
    await connection.execute("SET client_min_messages = log")
    await connection.execute("SET debug_print_parse = on")
    return told


async def tree_of(connection: Connection, told: list[str], sql: str) -> Node:
    """The tree of one statement. `told` is what `listen` gave for this connection."""
    told.clear()
    await connection.execute(f"PREPARE tree AS {sql}")
    await connection.execute("DEALLOCATE tree")
    # PREPARE itself is told too, with its statement as it was written.
    (found,) = [text for text in told if ":utilityStmt <>" in " ".join(text[:200].split())]
    return read(found)


def read(text: str) -> Node:
    """The tree behind one `nodeToString`."""
    tokens = _TOKEN.findall(text)
    value, end = _value(tokens, 0)
    assert end == len(tokens)
    assert isinstance(value, dict)
    return value


def walk(value: Any) -> Iterator[Node]:
    """Every node of a tree, parents first."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)


def own(value: Any) -> Iterator[Node]:
    """The nodes of one query, without those of the queries inside it."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            if not (isinstance(part, dict) and part["_"] == "QUERY"):
                yield from own(part)
    elif isinstance(value, list):
        for part in value:
            yield from own(part)


def queries_in(query: Node) -> list[Node]:
    """A query and all queries inside it, parents first."""
    return [node for node in walk(query) if node["_"] == "QUERY"]


def names_outside(query: Node) -> Iterator[Node]:
    """The columns of a query around this one that it names, itself or inside its own parts."""

    def look(value: Any, depth: int) -> Iterator[Node]:
        if isinstance(value, list):
            for part in value:
                yield from look(part, depth)
        elif isinstance(value, dict):
            depth += value["_"] == "QUERY"
            if value["_"] == "VAR" and value["varlevelsup"] >= depth:
                yield value
            for part in value.values():
                yield from look(part, depth)

    return look(query, 0)


def _value(tokens: list[str], at: int) -> tuple[Any, int]:
    token = tokens[at]
    if token == "{":
        return _node(tokens, at + 1)
    if token == "(":
        found, at = [], at + 1
        while tokens[at] != ")":
            value, at = _value(tokens, at)
            found.append(value)
        return found, at + 1
    if token == "<>":
        return None, at + 1
    if re.fullmatch(r"-?\d+", token):
        return int(token), at + 1
    return {"true": True, "false": False}.get(token, token.strip('"')), at + 1


def _node(tokens: list[str], at: int) -> tuple[Node, int]:
    node: Node = {"_": tokens[at]}
    at += 1
    while tokens[at] != "}":
        name, at = tokens[at].removeprefix(":"), at + 1
        values = []
        while tokens[at] != "}" and not (tokens[at].startswith(":") and len(tokens[at]) > 1):
            value, at = _value(tokens, at)
            values.append(value)
        node[name] = values[0] if len(values) == 1 else values
    return node, at + 1
