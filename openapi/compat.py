"""Whether a new OpenAPI document breaks an app that was written against an old one.

    python openapi/compat.py OLD NEW      exit 1 and one line per break: where, what, what to do instead
    python openapi/compat.py release      make openapi/openapi.json the baseline of its major version

The rules are mobile-contract.md §4 of the design: what an app sends must still be taken, and what it is sent
must be no more than what it was told of. An operation, an optional field or an answer's field more is fine;
so is an enumeration that grows in an answer if the old document marks it `x-tolerate-unknown`. There is no
list of exceptions: a break needs a new URL major version. It needs only Python, so an app team can run it.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from shapes import (
    JUDGED,
    LOWER,
    PARTS,
    TOLERATED,
    UPPER,
    WORDS,
    Document,
    Variant,
    covers,
    skeleton,
    types_of,
    values_of,
    written,
)

HERE = Path(__file__).resolve().parent
REQUEST, RESPONSE = "in requests", "in answers"
# How a parameter is written into the address or a header.
WRITTEN = ("style", "explode", "allowReserved")
INSTEAD = {
    "operation": "keep it, mark it deprecated with a Sunset date, and leave it out of the next major version",
    "operation-id": "keep the old operationId: it is the name of a method in every app",
    "tag": "keep the first tag: it is the name of a class in every app",
    "security": "keep every way to sign in and every actor the operation had, or make a new operation",
    "parameter": "keep the parameter as it was and make every new one optional",
    "body": "keep the body as it was and make every new one optional",
    "media-type": "keep the old content type beside the new one",
    "status": "answer with a status the operation already has, and a problem code of its own",
    "header": "go on sending the header",
    "field": "keep the field; an answer may fill it with what it means now",
    "required": "keep it optional with a default, or make a new operation",
    "optional": "go on sending the field in every answer",
    "nullable": "keep null as it was, or say it in a new optional field",
    "type": "put the new form into a new optional field",
    "enum": "keep every value that may be sent, and put the new meaning into a new field",
    "limit": "keep the limit as it was: wider in requests, narrower in answers",
    "pattern": "keep the pattern, and refuse what it lets through with a problem code",
    "format": "put the new form into a new optional field",
    "default": "keep what a request means that leaves the field out",
    "union": "give the new kind a field or an operation of its own",
    "schema-name": "keep the schema's name: it is the name of a class in every app",
    "keyword": "say it with a keyword this gate can judge",
    "scheme": "keep the security scheme and add another beside it",
    "server": "keep the address",
}


class Break(NamedTuple):
    """kind: a key of INSTEAD; where: operation or schema and the place in it."""

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; instead: {INSTEAD[self.kind]}"


class Gate:
    """One comparison. A pair of schemas is judged once for each direction, which also ends every cycle."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self.breaks: list[Break] = []
        self.seen: set[tuple[int, int, str]] = set()

    def add(self, kind: str, where: str, what: str) -> None:
        self.breaks.append(Break(kind, where, what))

    def documents(self) -> list[Break]:
        old, new = self.old.whole, self.new.whole
        if old.get("servers", []) != new.get("servers", []):
            self.add("server", "servers", "changed")
        kept = new.get("components", {}).get("securitySchemes", {})
        for name, scheme in old.get("components", {}).get("securitySchemes", {}).items():
            if means(scheme) != means(kept.get(name, {})):
                self.add("scheme", f"security scheme {name}", "changed" if name in kept else "removed")
        operations = dict(self.new.operations())
        for where, operation in self.old.operations():
            if where in operations:
                self.operation(operation, operations[where], where)
            else:
                self.add("operation", where, "removed")
        return self.breaks

    # Operations

    def operation(self, old: dict[str, Any], new: dict[str, Any], where: str) -> None:
        if old.get("operationId") != new.get("operationId"):
            self.add("operation-id", where, f"{old.get('operationId')} became {new.get('operationId')}")
        if old.get("tags", [])[:1] != new.get("tags", [])[:1]:
            self.add("tag", where, f"first tag {old.get('tags', [])[:1]} became {new.get('tags', [])[:1]}")
        if old.get("servers") != new.get("servers"):
            self.add("server", where, "is served at another address")
        ways = new["security"] or [{}]
        for way in old["security"] or [{}]:
            if way not in ways:
                who = " and ".join(sorted(way)) or "whoever has not signed in"
                self.add("security", where, f"no longer open to {who}")
        for actor in sorted({*old.get("x-actors", ())} - {*new.get("x-actors", ())}):
            self.add("security", where, f"no longer open to {actor}")
        self.parameters(self.old.parameters(old), self.new.parameters(new), where)
        self.body(old, new, where)
        self.responses(old, new, where)

    def parameters(self, old: dict[str, Any], new: dict[str, Any], where: str) -> None:
        for name, parameter in old.items():
            place = f"{where} · {name}"
            if name not in new:
                self.add("parameter", place, "removed")
                continue
            if new[name].get("required", False) and not parameter.get("required", False):
                self.add("required", place, "became required")
            if [parameter.get(key) for key in WRITTEN] != [new[name].get(key) for key in WRITTEN]:
                self.add("parameter", place, "is written another way")
            self.schema(parameter.get("schema", True), new[name].get("schema", True), REQUEST, place)
            self.content(parameter, new[name], REQUEST, place)
        for name in sorted(new.keys() - old.keys()):
            if new[name].get("required", False):
                self.add("required", f"{where} · {name}", "a new parameter is required")

    def body(self, old: dict[str, Any], new: dict[str, Any], where: str) -> None:
        _, was = self.old.resolved(old.get("requestBody", {}))
        _, now = self.new.resolved(new.get("requestBody", {}))
        if now.get("required", False) and not was.get("required", False):
            self.add("body", where, "a body is required now")
        if was and not now:
            self.add("body", where, "the body was removed")
            return
        self.content(was, now, REQUEST, f"{where} · request")

    def responses(self, old: dict[str, Any], new: dict[str, Any], where: str) -> None:
        problems = self.new.problems(new)
        for code, status in self.old.problems(old).items():
            if problems.get(code, status) != status:
                self.add("status", where, f"problem {code} moved from {status} to {problems[code]}")
        was, now = old["responses"], new["responses"]
        for status in sorted(was.keys() | now.keys()):
            if status in was and status in now:
                self.response(was[status], now[status], f"{where} · {status}")
            elif status in was and status < "400":
                self.add("status", where, f"success {status} removed")
            elif status in now and status != "304":  # that one only answers who sends If-None-Match
                self.add("status", where, f"status {status} is new")

    def response(self, old: Any, new: Any, where: str) -> None:
        (_, was), (_, now) = self.old.resolved(old), self.new.resolved(new)
        self.content(was, now, RESPONSE, where)
        kept = {name.lower(): header for name, header in now.get("headers", {}).items()}
        for name, header in was.get("headers", {}).items():
            if name.lower() not in kept:
                self.add("header", where, f"header {name} removed")
                continue
            (_, before), (_, after) = self.old.resolved(header), self.new.resolved(kept[name.lower()])
            place = f"{where} · header {name}"
            self.schema(before.get("schema", True), after.get("schema", True), RESPONSE, place)

    def content(self, old: dict[str, Any], new: dict[str, Any], direction: str, where: str) -> None:
        kept = new.get("content", {})
        for media_type, media in old.get("content", {}).items():
            if media_type not in kept:
                self.add("media-type", where, f"{media_type} removed")
            else:
                place = f"{where} {media_type}"
                self.schema(media.get("schema", True), kept[media_type].get("schema", True), direction, place)

    # Schemas

    def schema(self, old: Any, new: Any, direction: str, where: str) -> None:
        was, now = self.old.shape(old), self.new.shape(new)
        if direction == REQUEST and was.nullable and now.nullable is False:
            self.add("nullable", where, "null is refused now")
        if direction == RESPONSE and now.nullable and was.nullable is False:
            self.add("nullable", where, "may be null now")
        if was.discriminator != now.discriminator:
            self.add("union", where, "another discriminator")
        if len(was.variants) == len(now.variants) == 1:
            self.variant(was.variants[0], now.variants[0], direction, where)
        elif direction == REQUEST:
            self.matched(was.variants, now.variants, direction, where)
        else:
            self.matched(now.variants, was.variants, direction, where)

    def matched(
        self,
        needed: list[Variant],
        offered: list[Variant],
        direction: str,
        where: str,
    ) -> None:
        """Every needed variant has one among those offered: of its name, or one that breaks nothing."""
        for one in needed:
            pairs = [(one, other) if direction == REQUEST else (other, one) for other in offered]
            named = [pair for pair in pairs if one[0] and pair[0][0] == pair[1][0]]
            if named:
                self.variant(*named[0], direction, where)
            elif not any(self.fits(*pair, direction) for pair in pairs):
                what = "is no longer taken" if direction == REQUEST else "may be answered now"
                self.add("union", where, f"{one[0] or '/'.join(sorted(types_of(one[1])))} {what}")

    def fits(self, old: Variant, new: Variant, direction: str) -> bool:
        trial = Gate(self.old, self.new)
        trial.seen = set(self.seen)
        trial.variant(old, new, direction, "")
        return not trial.breaks

    def variant(self, old: Variant, new: Variant, direction: str, where: str) -> None:
        (old_name, was), (new_name, now) = old, new
        pair = (id(was), id(now), direction)
        if pair in self.seen:
            return
        self.seen.add(pair)
        if old_name and old_name != new_name:
            self.add("schema-name", where, f"{old_name} became {new_name or 'a schema without a name'}")
        place = f"schema {old_name} {direction}" if old_name else where
        self.values(was, now, direction, place)
        for keyword in sorted((was.keys() | now.keys()) - JUDGED - WORDS):
            if not keyword.startswith("x-") and was.get(keyword) != now.get(keyword):
                self.add("keyword", place, f"{keyword} changed, which the gate cannot judge")
        self.fields(was, now, direction, place)
        self.parts(was, now, direction, place)

    def values(self, was: dict[str, Any], now: dict[str, Any], direction: str, where: str) -> None:
        sent, taken = (was, now) if direction == REQUEST else (now, was)
        if not covers(types_of(taken), types_of(sent)):
            self.add("type", where, f"{was.get('type', 'any')} became {now.get('type', 'any')}")
            return
        marks = bool(was.get(TOLERATED)), bool(now.get(TOLERATED))
        self.enumeration(values_of(was), values_of(now), direction, where, marks)
        if was.get("format") != now.get("format"):
            self.add("format", where, f"{was.get('format', 'none')} became {now.get('format', 'none')}")
        dropped = direction == RESPONSE and "pattern" in was
        if was.get("pattern") != now.get("pattern") and (
            dropped or (direction == REQUEST and "pattern" in now)
        ):
            self.add("pattern", where, f"{was.get('pattern', 'none')} became {now.get('pattern', 'none')}")
        if direction == REQUEST:
            self.limits(was, now, where)
            if was.get("default") != now.get("default"):
                self.add("default", where, f"{was.get('default')!r} became {now.get('default')!r}")
        else:
            self.bounds(was, now, where)

    def enumeration(
        self,
        was: list[Any] | None,
        now: list[Any] | None,
        direction: str,
        where: str,
        marks: tuple[bool, bool],
    ) -> None:
        tolerated, tolerated_now = marks
        if direction == REQUEST and now is not None:
            gone = "every value but those listed" if was is None else listed(was, now)
            if gone:
                self.add("enum", where, f"no longer taken: {gone}")
        if direction == RESPONSE and was is not None:
            if now is None:
                self.add("enum", where, "may be any value now")
            elif (more := listed(now, was)) and not tolerated:
                self.add("enum", where, f"may now be {more}, which apps were not told to tolerate")
            elif tolerated_now and not tolerated:
                self.add("enum", where, "may grow from now on, which apps were not told")

    def limits(self, was: dict[str, Any], now: dict[str, Any], where: str) -> None:
        for keyword in UPPER:
            if keyword in now and (keyword not in was or now[keyword] < was[keyword]):
                self.add("limit", where, f"{keyword} {was.get(keyword, 'none')} became {now[keyword]}")
        for keyword in LOWER:
            none = 0 if keyword in ("minLength", "minItems", "minProperties") else float("-inf")
            if now.get(keyword, none) > was.get(keyword, none):
                self.add("limit", where, f"{keyword} {was.get(keyword, 'none')} became {now[keyword]}")

    def bounds(self, was: dict[str, Any], now: dict[str, Any], where: str) -> None:
        """Of an answer. Generators choose a number's width by its bounds; longer texts and lists fit."""
        for keyword in ("maximum", "exclusiveMaximum"):
            if keyword in was and now.get(keyword, float("inf")) > was[keyword]:
                self.add("limit", where, f"{keyword} {was[keyword]} became {now.get(keyword, 'none')}")
        for keyword in ("minimum", "exclusiveMinimum", "minItems"):
            if keyword in was and now.get(keyword, float("-inf")) < was[keyword]:
                self.add("limit", where, f"{keyword} {was[keyword]} became {now.get(keyword, 'none')}")

    def fields(self, was: dict[str, Any], now: dict[str, Any], direction: str, where: str) -> None:
        before, after = was.get("properties", {}), now.get("properties", {})
        for name, field in before.items():
            if name in after:
                self.schema(field, after[name], direction, f"{where} · {name}")
            else:
                self.add("field", f"{where} · {name}", "removed")
        must, must_now = set(was.get("required", ())), set(now.get("required", ()))
        if direction == REQUEST:
            for name in sorted(must_now - must):
                what = "became required" if name in before else "a new field is required"
                self.add("required", f"{where} · {name}", what)
        else:
            for name in sorted((must - must_now) & after.keys()):
                self.add("optional", f"{where} · {name}", "may be missing now")

    def parts(self, was: dict[str, Any], now: dict[str, Any], direction: str, where: str) -> None:
        """Items of a list, entries of a map and their names."""
        for keyword, mark in PARTS.items():
            before, after = was.get(keyword, True), now.get(keyword, True)
            if direction == RESPONSE and keyword == "additionalProperties" and not isinstance(before, dict):
                continue  # an answer may always gain fields; only entries of a told type are a promise
            if before is not after:
                self.schema(before, after, direction, f"{where} {mark}")
        before, after = was.get("prefixItems", []), now.get("prefixItems", [])
        if len(before) != len(after):
            self.add("type", where, f"{len(before)} places became {len(after)}")
        for place, (one, other) in enumerate(zip(before, after, strict=False)):
            self.schema(one, other, direction, f"{where} [{place}]")


def listed(values: list[Any], but: list[Any]) -> str:
    """The values that are not among the others, as text; "" when there is none."""
    return ", ".join(str(value) for value in values if value not in but)


def means(scheme: dict[str, Any]) -> dict[str, Any]:
    """A security scheme without its words."""
    return {key: value for key, value in scheme.items() if key not in ("description", "bearerFormat")}


def breaks_of(old: dict[str, Any], new: dict[str, Any]) -> list[Break]:
    """What of the new document an app written against the old one cannot live with."""
    return Gate(Document(old), Document(new)).documents()


def release(new: dict[str, Any], folder: Path) -> list[Break]:
    """Keep the skeleton of a document as the baseline of its major version, unless it breaks one kept.

    Another major version is judged by the older baselines too: each is removed with the last of its paths.
    """
    kept = [json.loads(place.read_text()) for place in sorted(folder.glob("v*.json"))]
    found = [one for old in kept for one in breaks_of(old, new)]
    if not found:
        folder.mkdir(exist_ok=True)
        place = folder / f"v{new['info']['version'].partition('.')[0]}.json"
        place.write_text(written(skeleton(new)))
    return found


def main(arguments: list[str]) -> int:
    if arguments == ["release"]:
        found = release(json.loads((HERE / "openapi.json").read_text()), HERE / "baseline")
    elif len(arguments) == 2:
        found = breaks_of(*(json.loads(Path(name).read_text()) for name in arguments))
    else:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    for line in found:
        print(line)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
