"""Tags by audience, summaries in Vietnamese and English, and what parameters and properties mean.

The words stand beside: texts/vi.json (a sentence an operation), texts/tags.json, texts/parameters.json, and
texts/fields.json for what means the same in whatever schema it stands.
A generator makes one class of each tag, so an operation has one alone, `audience-subject`:
`citizen-book` becomes CitizenBookApi.
"""

import re
from collections.abc import Collection
from importlib.resources import files
from typing import Any, Final

import msgspec

# Who an operation is for, by the first path that fits; whatever is left is public.
AUDIENCES: Final = (
    ("/v1/me", "citizen"),
    ("/v1/doctor/", "doctor"),
    ("/v1/facility/", "facility"),
    ("/v1/registry/", "registry"),
    ("/v1/department/", "department"),
    ("/v1/hotline/", "hotline"),
    ("/v1/kiosk", "kiosk"),
    ("/v1/admin/", "admin"),
    ("/v1/partner/", "partner"),
    ("/v1/axis/", "partner"),
    ("/v1/core/", "partner"),
    ("/v1/sms/", "partner"),
    ("/oauth/", "partner"),
    ("/fhir/", "partner"),
    ("/.well-known/oauth", "partner"),
)
# "code: as the desk handed it out. phone: the number of this phone" is how the Structs tell of their fields.
_CLAUSE: Final = re.compile(r"(?:^|(?<=[.;,] ))([a-z]\w*(?:(?:, | and | or )[a-z]\w*)*): ")


class Bilingual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    en: str
    vi: str


class Tags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """audiences: in the order in which readers meet them. tags: `audience-subject`."""

    audiences: dict[str, Bilingual]
    tags: dict[str, Bilingual]


_TEXTS: Final = files("api.document").joinpath("texts")
SUMMARIES_VI: Final = msgspec.json.decode(_TEXTS.joinpath("vi.json").read_bytes(), type=dict[str, str])
TAGS: Final = msgspec.json.decode(_TEXTS.joinpath("tags.json").read_bytes(), type=Tags)
FIELDS: Final = msgspec.json.decode(_TEXTS.joinpath("fields.json").read_bytes(), type=dict[str, str])
PARAMETERS: Final = msgspec.json.decode(_TEXTS.joinpath("parameters.json").read_bytes(), type=dict[str, str])


def apply(document: dict[str, Any]) -> None:
    """Write into the whole document."""
    used: set[str] = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            tag = f"{audience_of(path)}-{operation['tags'][0]}"
            used.add(tag)
            operation["tags"] = [tag]
            if (summary := SUMMARIES_VI.get(operation["operationId"])) is not None:
                operation["x-summary-vi"] = summary
            for parameter in operation["parameters"]:
                _describe_parameter(parameter, operation["operationId"])
    document["tags"] = [
        {"name": tag, "description": text.en, "x-description-vi": text.vi}
        for tag, text in sorted(TAGS.tags.items(), key=lambda item: _place(item[0]))
        if tag in used
    ]
    document["x-tagGroups"] = _groups([tag["name"] for tag in document["tags"]])
    for schema in document["components"]["schemas"].values():
        _describe_properties(schema)


def audience_of(path: str) -> str:
    """Who the operations of this path are for."""
    return next((audience for start, audience in AUDIENCES if path.startswith(start)), "public")


def _place(tag: str) -> tuple[int, str]:
    return list(TAGS.audiences).index(tag.partition("-")[0]), tag


def _groups(tags: list[str]) -> list[dict[str, Any]]:
    return [
        {"name": text.en, "x-name-vi": text.vi, "tags": found}
        for audience, text in TAGS.audiences.items()
        if (found := [tag for tag in tags if tag.startswith(f"{audience}-")])
    ]


def _describe_parameter(parameter: dict[str, Any], operation_id: str) -> None:
    """By `operation.name` where one name means several things, else by the name."""
    if not parameter.get("description"):
        name = parameter["name"]
        text = PARAMETERS.get(f"{operation_id}.{name}") or PARAMETERS.get(name)
        if text is not None:
            parameter["description"] = text


def _describe_properties(schema: dict[str, Any]) -> None:
    """What the schema's text says of a field, at the field. A bare reference keeps its own schema's words:
    generators make another type of a reference with a neighbour."""
    fields: dict[str, Any] = schema.get("properties", {})
    told = FIELDS | meanings(schema.get("description", ""), fields)
    for name, field in fields.items():
        if name in told and "description" not in field and "$ref" not in field:
            field["description"] = told[name]


def meanings(text: str, fields: Collection[str]) -> dict[str, str]:
    """What a docstring says of these fields, `name: meaning.` or `one, other: meaning.`; by name."""
    return {name: said for part in text.split("\n\n") for name, said in _clauses(part, fields).items()}


def _clauses(paragraph: str, fields: Collection[str]) -> dict[str, str]:
    flat = " ".join(paragraph.split())
    found = [(clause, names) for clause in _CLAUSE.finditer(flat) if (names := _names(clause[1], fields))]
    ends = [*(clause.start() for clause, _ in found[1:]), len(flat)]
    return {
        name: flat[clause.end() : end].rstrip(" ;,.") + "."
        for (clause, names), end in zip(found, ends, strict=False)
        for name in names
    }


def _names(text: str, fields: Collection[str]) -> list[str]:
    """A word with a colon that is no field is a value of the field before, told with it."""
    return [name for name in re.split(r", | and | or ", text) if name in fields]
