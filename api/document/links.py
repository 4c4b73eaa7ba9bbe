"""Where an answer's ids lead: OpenAPI links from whatever creates or lists a thing to the operations on it.

By rule, so that a new route has them without a word: a path parameter comes from the request's own path, from
an answer of the collection it stands in, or from a field of its name where only one collection of the
audience takes such an id. A link is told only to who may follow it, and an app that acts for somebody does so
with the same X-Patient-Id. Of a list the link shows the first item; any other leads on alike.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

# Ids of people and places: the same thing wherever they stand.
EVERYWHERE: Final = {"patient_id", "facility_id"}
DEPTH: Final = 3  # an object in the items of a list
CURSORS: Final = {"cursor", "next", "after", "since"}
OVER: Final = {"ended"}  # lists of what is over: nothing can be done with it any more


class Operation(NamedTuple):
    method: str
    path: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.told["operationId"])

    @property
    def actors(self) -> set[str]:
        return set(self.told["x-actors"])

    @property
    def parameters(self) -> list[str]:
        """Names of the path parameters, in their order."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def audience(self) -> str:
        return "/".join(self.path.split("/")[:3])

    def collection(self, parameter: str) -> str:
        """The path before a parameter: of what it is an id."""
        return self.path.partition("/{" + parameter + "}")[0]


def apply(document: dict[str, Any]) -> None:
    """Write the links of every success that has JSON."""
    operations = [
        Operation(method, path, told)
        for path, item in sorted(document["paths"].items())
        for method, told in item.items()
    ]
    collections = _collections(operations)
    for source in operations:
        for status, response in source.told["responses"].items():
            media = response.get("content", {}).get("application/json")
            if status < "300" and (media is not None or status in ("201", "204")):
                fields = _fields(media["schema"], document) if media else {}
                links = dict(_links(source, fields, operations, collections))
                if links:
                    response["links"] = links


def _collections(operations: list[Operation]) -> dict[tuple[str, str], set[str]]:
    """(audience, parameter) → the collections in which it stands."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for operation in operations:
        for parameter in operation.parameters:
            found[operation.audience, parameter].add(operation.collection(parameter))
    return found


def _links(
    source: Operation,
    fields: dict[str, str],
    operations: list[Operation],
    collections: dict[tuple[str, str], set[str]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    if "next" in fields and (cursor := _cursor(source)):
        carried = {name: f"$request.path.{name}" for name in source.parameters}
        yield (
            "next_page",
            {"operationId": source.name, "parameters": carried | {cursor: "$response.body#/next"}},
        )
    for target in operations:
        if target.name == source.name or not _may_follow(source, target):
            continue
        if target.path == source.path and source.method in ("post", "put") and target.method == "get":
            parameters = {name: f"$request.path.{name}" for name in target.parameters}
        else:
            parameters = _parameters(source, target, fields, collections)
            if not any(value.startswith("$response") for value in parameters.values()):
                continue
        yield target.name, {"operationId": target.name} | ({"parameters": parameters} if parameters else {})


def _may_follow(source: Operation, target: Operation) -> bool:
    return bool(source.actors & target.actors) or "public" in target.actors


def _cursor(operation: Operation) -> str | None:
    for parameter in operation.told.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"] in CURSORS:
            return str(parameter["name"])
    return None


def _parameters(
    source: Operation,
    target: Operation,
    fields: dict[str, str],
    collections: dict[tuple[str, str], set[str]],
) -> dict[str, str]:
    """Expressions for all path parameters of the target; {} when one of them stays unknown."""
    found: dict[str, str] = {}
    for parameter in target.parameters:
        before = target.collection(parameter)
        if source.path.startswith(before + "/{" + parameter + "}"):
            found[parameter] = f"$request.path.{parameter}"
        elif pointer := _pointer(source, target, parameter, fields, collections):
            found[parameter] = f"$response.body#{pointer}"
        else:
            return {}
    return found


def _pointer(
    source: Operation,
    target: Operation,
    parameter: str,
    fields: dict[str, str],
    collections: dict[tuple[str, str], set[str]],
) -> str | None:
    if source.path == target.collection(parameter):
        return fields.get(parameter) or fields.get("id")
    if parameter in EVERYWHERE:
        return fields.get(parameter)
    only_one = len(collections[target.audience, parameter]) == 1
    if parameter.endswith("_id") and only_one and source.audience == target.audience:
        pointer = fields.get(parameter, "")
        return pointer if _speaks_of(pointer, target.collection(parameter)) else None
    return None


def _speaks_of(pointer: str, collection: str) -> bool:
    """Whether the innermost list is `items`, or named like the collection: alerts only mention a rule."""
    parts = pointer.split("/")
    lists = [name for name, place in pairwise(parts) if place == "0"]
    return all(name == "items" or f"{collection}/".find(f"{name}/") > 0 for name in lists[-1:])


def _fields(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, str]:
    """Name of a field → where the answer has it; what is nearer to the top, and `items`, come first."""
    found: dict[str, str] = {}
    level = [("", schema)]
    for depth in range(DEPTH):
        inner: list[tuple[str, dict[str, Any]]] = []
        for place, part in level:
            for name, field in _resolved(part, document).get("properties", {}).items():
                whole = _resolved(field, document)
                if name in OVER:
                    continue
                if "items" in whole:
                    inner.append((f"{place}/{name}/0", whole["items"]))
                elif "properties" in whole:
                    inner.append((f"{place}/{name}", whole))
                else:
                    found.setdefault(name, f"{place}/{name}")
        # Deeper than in the items of a list a field no longer speaks of what the answer is about.
        kept = [one for one in inner if depth == 0 or one[0].partition("/0/")[1]]
        level = sorted(kept, key=lambda one: one[0] != "/items/0")
    return found


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, without a reference, and without the null beside it."""
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif real := [
            one for key in ("oneOf", "anyOf") for one in schema.get(key, ()) if one.get("type") != "null"
        ]:
            schema = real[0]
        else:
            return schema
