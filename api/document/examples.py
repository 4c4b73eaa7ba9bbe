"""An example on every body and parameter: mocks answer with them, readers and generators begin with them.

recorded.json holds what tests sent and got, one exchange per operation and the fullest value of each schema
that those show empty, with ids and secrets made evident stand-ins and people made one (`make examples`,
tests/support/picking.py); written.json what tests never send, by hand, and goes before it. What stands in
neither, and a list that happened to be empty, is made of the schema with what was recorded of the same thing
elsewhere: the same document always gets the same examples.
"""

import base64
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

FORM: Final = "application/x-www-form-urlencoded"
JSON_TYPES: Final = ("application/json", "application/smart-health-card")
RECORDED: Final = Path(__file__).parent / "recorded.json"
WRITTEN: Final = Path(__file__).parent / "written.json"
SOME_ID: Final = "01985e2c-7a00-7abc-8def-0123456789ab"

# What a field of that name looks like; people and numbers are invented.
BY_NAME: Final[dict[str, Any]] = {
    "name": "Trần Thị Thử",
    "number": "079185000011",
    "value": "079185000011",
    "child_number": "079185000011",
    "guardian_number": "079185000011",
    "phone": "0900000001",
    "pin": "284617",
    "username": "bs.an",
    "q": "gan",
    "birth_date": "1985-03-12",
    "facility_code": "79001",
    "code": "482913",
    "items": None,
    "next": None,
    "nonce": "Example0Example0Example0",
    "signature": ("Example0" * 11)[:86],
    "kid": "Example0Exa",
    "candidate": "Example0Example0Example0",
    "qr": "SSK1:Example0Example0",
    "link": "https://so-suc-khoe.example/s/Example0",
    "digits": "482913",
    "counter_code": "A1",
    "passcode": "482913",
    "reason": "Người bệnh đã nộp đủ giấy tờ tại quầy, đối chiếu bản gốc.",
    "note": "Đã đối chiếu với giấy tờ gốc tại quầy.",
    "text": "Tôi uống thuốc huyết áp đã một tuần, buổi sáng hơi chóng mặt.",
    "dispute_text": "Hôm đó tôi không đến bệnh viện này.",
    "label": "Gửi cho gia đình",
    "facility": "Bệnh viện Thử",
    "facility_name": "Bệnh viện Thử",
    "unit": "Khoa Nội tổng hợp",
    "doctor": "Nguyễn Văn Thử",
    "nurse": "Lê Thị Thử",
    "practitioner": "Nguyễn Văn Thử",
    "licence": "000507/CCHN",
    "room": "305",
    "lot": "LOT-0012",
    "purpose": "Khám và điều trị",
    "action": "đọc",
    "basis": "sự cho phép",
    "legal_basis": "Luật Phòng bệnh",
    "month": "2026-11",
    "message_vi": "Ứng dụng cần được cập nhật.",
    "message_en": "The app needs an update.",
    "platform": "android",
    "operation": "read_own_summary",
    "version": "1.0.0",
    "scope": "patient/Observation.rs",
    "number_kind": "national-id",
    "replaces": "079185000011",
    "muted": "vaccination:push",
    "parent_code": "79",
    "source": "Danh mục mẫu để chạy thử",
    "became": "26734",
    "came_from": "26737",
    "scan": "SSK1:Example0Example0",
    "holder": "Công ty Thử",
    "webhook_uri": "https://app.example/hook",
    "redirect_uris": "https://app.example/back",
    "scopes_max": "patient/Observation.rs",
    "document": "Quyết định số 12/2026 của tòa án",
    "shown": "…011",
    "authored": "2026-11-21T09:00:00+07:00",
}
# Lists that stay empty in an example, with the reason: one in them would tell a wrong story.
EMPTY: Final[dict[str, str]] = {
    "labels": "a sensitive group is opened by a tick of its own; most open none",
    "witnesses": "nobody signs the roots of a test as well",
    "reasons": "what was taken, or may be issued, has none",
    "notes": "a step that went well has nothing to add",
    "not_counted": "every dose of the example counts",
    "unconfirmed": "every row of the example is confirmed",
    "unplaced": "every dose of the example has its row",
    "required": "not every kind requires something",
    "allergies": "a medicine written down twice has no allergy",
    "checks": "a reminder that was right has nothing to look at",
    "on_days": "a reminder for every day names none",
    "weekdays": "a reminder for every day names none",
    "phases": "a reminder that stays the same has none",
    "dosage": "a reminder of a person's own is of no prescription",
    "benefit_percents": "a visit without an insurer's answer has none",
}
_ACT: Final = (
    b'{"nonce":"Example0Example0Example0","iat":1795226400,"exp":1795226520,"signature":"%s"}'
    % (b"Example0" * 11)[:86]
)
# What a parameter looks like when no test sent it: opaque texts, and those with a form of their own.
PARAMETERS: Final[dict[str, Any]] = {
    "Idempotency-Key": SOME_ID,
    "If-None-Match": '"Example0Example0"',
    "X-Step-Up": base64.urlsafe_b64encode(_ACT).rstrip(b"=").decode(),
    "cursor": "Example0Example0",
    "since": "Example0Example0",
    "after": "Example0Example0",
    "day": "2026-11-20",
    "month": "2026-10",
    "lat": 10.7769,
    "lon": 106.7009,
    "year": 2026,
    "zone": 420,
}
# Numbers that say something: 1795226400 is 2026-11-21, 02:00 UTC.
NUMBERS: Final = {"iat": 1795226400, "exp": 1795226520, "birth_year": 1985, "year": 2026}
BY_FORMAT: Final = {
    "uuid": SOME_ID,
    "date": "2026-11-21",
    "date-time": "2026-11-21T02:00:00Z",
    "binary": "",
    "uri": "https://so-suc-khoe.example/",
}
# One of each form that a text may have to keep.
FORMS: Final = (
    "482913",
    "72",
    "2026-11-20",
    "2026-10",
    "08:00",
    "0900000001",
    "079190000011",
    "79001",
    "vi-du",
    "0123456789abcdef" * 2,
    "0123456789abcdef" * 4,
    "EXAMP2E3",
    "Example0" * 5 + "Exa",
    ("Example0" * 11)[:86],
)
DEPTH_MAX: Final = 8


def apply(document: dict[str, Any]) -> None:
    """Write them into every operation."""
    known = recorded("operations") | written("operations")
    made = Examples(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            made.learn_from(operation, known.get(operation["operationId"], {}))
    made.named |= recorded("schemas") | written("schemas")
    for operations in document["paths"].values():
        for operation in operations.values():
            exchange = known.get(operation["operationId"], {})
            operation["parameters"] = [
                {"example": made.of_parameter(one, exchange.get("parameters", {}))} | one
                for one in operation.get("parameters", ())
            ]
            for part, body in bodies(operation):
                made.show(body, exchange, part)


def recorded(what: str) -> dict[str, Any]:
    """operations: id → {parameters: {name: value}, request, answer}, each part only where there is one.
    schemas: name → value."""
    found: dict[str, Any] = _read(RECORDED).get(what, {})
    return found


def written(what: str) -> dict[str, Any]:
    """The same, written by hand."""
    found: dict[str, Any] = _read(WRITTEN).get(what, {})
    return found


@cache
def _read(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(place.read_bytes()) if place.exists() else {}
    return found


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(part of an exchange, body) of what is sent and of every answer that is no refusal."""
    yield "request", operation.get("requestBody", {})
    for status, response in operation["responses"].items():
        yield ("answer" if status < "300" else "refusal"), response


def is_json(media_type: str) -> bool:
    """One JSON value; a file of many (NDJSON) is text."""
    return media_type in JSON_TYPES or media_type.endswith("+json")


def has_fields(media_type: str) -> bool:
    """JSON or a form; the rest is one text."""
    return is_json(media_type) or media_type == FORM


class Examples:
    """What was recorded, by operation and by the name of each schema that is part of it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.named: dict[str, Any] = {}

    def learn_from(self, operation: dict[str, Any], exchange: dict[str, Any]) -> None:
        """Keep what it shows of each named schema, where it tells more than what is kept."""
        for part, body in bodies(operation):
            for media_type, media in body.get("content", {}).items():
                if part in exchange and is_json(media_type):
                    self._learn(media["schema"], exchange[part])

    def _learn(self, schema: dict[str, Any], value: Any) -> None:
        if "$ref" in schema and isinstance(value, dict):
            name = schema["$ref"].rpartition("/")[2]
            if name not in self.named or poverty(value) < poverty(self.named[name]):
                self.named[name] = value
        schema = self._real(schema)
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in schema.get("properties", {}):
                    self._learn(schema["properties"][name], inner)
        elif isinstance(value, list) and "items" in schema:
            for inner in value:
                self._learn(schema["items"], inner)

    def show(self, body: dict[str, Any], exchange: dict[str, Any], part: str) -> None:
        """Text and JSON get an example; what is bytes has none that a reader could read."""
        for media_type, media in body.get("content", {}).items():
            if "schema" not in media or "example" in media or "examples" in media:
                continue
            if part in exchange and has_fields(media_type) != isinstance(exchange[part], str):
                media["example"] = self._full(media["schema"], exchange[part])
            elif is_json(media_type):
                media["example"] = self._full(media["schema"], self.of(media["schema"]))

    def _full(self, schema: dict[str, Any], value: Any, name: str = "") -> Any:
        """The value, with one in each list that happened to be empty."""
        schema = self._real(schema)
        if isinstance(value, dict):
            fields = schema.get("properties", {})
            return {key: self._full(fields.get(key, {}), inner, key) for key, inner in value.items()}
        if not isinstance(value, list) or "items" not in schema:
            return value
        if not value and name not in EMPTY and schema.get("maxItems") != 0:
            value = [self.of(schema["items"], name)] * schema.get("minItems", 1)
        return [self._full(schema["items"], inner, name) for inner in value]

    def of_parameter(self, parameter: dict[str, Any], sent: dict[str, Any]) -> Any:
        name, schema = parameter["name"], parameter["schema"]
        if name in sent:
            return sent[name]
        plain = schema.get("format") not in BY_FORMAT and "enum" not in schema and "default" not in schema
        if name in PARAMETERS and plain:
            return PARAMETERS[name]
        return self.of(schema, name)

    def of(self, schema: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        """A value the schema admits, in the shape a client will meet."""
        called = schema.get("$ref", "").rpartition("/")[2]
        if called in self.named:
            return self.named[called]
        schema = _resolve(schema, self.document)
        for key in ("example", "default", "const"):
            if key in schema:
                return schema[key]
        if "examples" in schema:
            return schema["examples"][0]
        if "enum" in schema:
            return schema["enum"][0]
        for key in ("oneOf", "anyOf", "allOf"):
            if key in schema:
                return self.of(_first_real(schema[key], self.document), name, depth)
        return self._by_type(schema, name, depth)

    def _by_type(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next(k for k in kind if k != "null")
        if kind == "object":
            fields = schema.get("properties", {}) if depth < DEPTH_MAX else {}
            return {key: self.of(field, key, depth + 1) for key, field in fields.items()}
        if kind == "array":
            shallow = depth < DEPTH_MAX and "items" in schema and schema.get("maxItems") != 0
            return [self.of(schema["items"], name, depth + 1)] if shallow and name not in EMPTY else []
        if kind in ("integer", "number"):
            return NUMBERS.get(name) or max(schema.get("minimum", 1), 1)
        if kind == "boolean":
            return True
        return _text(schema, name) if kind == "string" else None

    def _real(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Of a schema that may be null or a name, the one with the fields."""
        schema = _resolve(schema, self.document)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return _resolve(_first_real(schema[key], self.document), self.document)
        return schema


def poverty(value: dict[str, Any]) -> tuple[int, int, str]:
    """The least tells most: few empty lists, much text."""
    text = msgspec.json.encode(value, order="sorted").decode()
    return text.count("[]") + text.count('"..."'), text.count("null") - text.count(":"), text


def _text(schema: dict[str, Any], name: str) -> str:
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    if "pattern" in schema:
        forms = (str(BY_NAME[name]), *FORMS) if BY_NAME.get(name) else FORMS
        return next((text for text in forms if re.search(schema["pattern"], text)), "...")
    text = BY_NAME.get(name) or "..."
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    return str(text).ljust(shortest, "0")[:longest]


def _resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _first_real(choices: list[dict[str, Any]], document: dict[str, Any]) -> dict[str, Any]:
    return next((c for c in choices if _resolve(c, document).get("type") != "null"), choices[0])
