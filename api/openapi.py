"""The OpenAPI document: generated from the handlers, then made to say what really happens.

Litestar writes the success side; its error responses describe a shape we do not send, so every one
is replaced by `Problem` as application/problem+json with an example per code.
"""

import inspect
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar._openapi.schema_generation import SchemaCreator
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Schema
from litestar.types import ControllerRouterHandler
from litestar.typing import FieldDefinition

from api.app_versions import limits_apps
from api.deprecation import deprecation_of
from api.document import declared, examples, limits, links, security, shapes, tolerance, versions, words
from api.problems import (
    APP_TOO_OLD,
    BAD_HOST,
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_FIELD,
    MALFORMED_BODY,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PROBLEM_MEDIA_TYPE,
    PROOF_INVALID,
    ROLE_NOT_ALLOWED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    problem_body,
)
from api.request import PUBLIC, ApiRequest, Call, actors_of
from family.problems import NOT_IN_YOUR_CARE, NOT_YOUR_BOOK
from identity.accounts.problems import IDENTITY_UNPROVEN
from identity.problems import ACCOUNT_HELD, TOO_MANY
from kernel.problems import PROBLEMS, ProblemType, Refused
from partners.fhir.outcomes import FHIR_JSON
from store.idempotency import KEY_FORM

API_VERSION = "1.0.0"
DESCRIPTION = (
    "Sổ sức khỏe điện tử: hồ sơ sức khỏe của mỗi người dân, do chính người đó mở cho bác sĩ xem.\n\n"
    "The citizen's lifelong electronic health book. Sign in, then send `Authorization: Bearer <token>`. "
    "Every error is `application/problem+json` with a code of mobile-contract/errors.json."
)

# The document is served by the installation that it describes; nobody else's address stands in it.
SERVER = {
    "url": "/",
    "description": "The installation that serves this document: production, or a demo of one's own.",
    "x-internal": False,
}
PATIENT_ID = {
    "name": "X-Patient-Id",
    "in": "header",
    "required": False,
    "description": "Whose book is opened; the signed-in person's own when absent.",
    "schema": {"type": "string", "format": "uuid"},
}
HEADERS = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "X-Request-Id": {"description": "Id of this request, for questions.", "schema": {"type": "string"}},
}
LOCATION = {"Location": {"description": "The address.", "schema": {"type": "string", "maxLength": 4000}}}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the copy the app holds; 304 when nothing has changed.",
    "schema": {"type": "string", "maxLength": 100},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeat of this request harmless for 24 hours.",
    "schema": {"type": "string", "pattern": rf"^{KEY_FORM.pattern}$(?!\n)"},
}
SENT_AT = {
    "name": "X-Sent-At",
    "in": "header",
    "required": False,
    "description": "The phone's clock when it sends this very request, anew with every repeat.",
    "schema": {"type": "string", "format": "date-time"},
}
STEP_UP = {
    "name": "X-Step-Up",
    "in": "header",
    "required": True,
    "description": "base64url of the JSON of a SignedAct: the act, signed by the device's step-up key.",
    "schema": {"type": "string", "maxLength": 12000},
}


class DescribedStructs(StructSchemaPlugin):
    """Litestar drops the docstrings of Structs, and with them units, limits and what a device signs. Each is
    taken from the class itself: many packages have a Question or an Outcome of their own."""

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        schema = super().to_openapi_schema(field_definition, schema_creator)
        for field in msgspec.inspect.type_info(field_definition.type_).fields:  # type: ignore[attr-defined]
            declared.of_struct_field((schema.properties or {})[field.encode_name], field.type)
        if field_definition.type_.__struct_config__.forbid_unknown_fields:
            schema.additional_properties = False
        text = field_definition.type_.__doc__
        schema.description = inspect.cleandoc(text) if text else None
        return schema


def build_document(handlers: list[ControllerRouterHandler]) -> dict[str, Any]:
    """The document of these handlers, as plain JSON values with sorted paths."""
    app = Litestar(
        route_handlers=handlers,
        dependencies={"call": Provide(_no_call, sync_to_thread=False)},
        request_class=ApiRequest,
        openapi_config=OpenAPIConfig(
            title="Sổ sức khỏe điện tử",
            version=API_VERSION,
            description=DESCRIPTION,
            use_handler_docstrings=True,
        ),
        plugins=[DescribedStructs()],
        logging_config=None,
    )
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    _describe_operations(document, app)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_problem_schemas() | {"OperationOutcome": _OUTCOME, "OutcomeIssue": _ISSUE})
    document["components"]["securitySchemes"] = security.SCHEMES
    document["components"]["headers"] = HEADERS
    for stage in (shapes, words, versions, limits, tolerance, links, examples):
        stage.apply(document)
    document["components"]["responses"] = _share_responses(document)
    document["components"]["examples"] = _problem_examples(document)
    document["servers"] = [SERVER]
    document["paths"] = dict(sorted(document["paths"].items()))
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def document_bytes(handlers: list[ControllerRouterHandler]) -> bytes:
    """The document as it is committed and served: two-space indent, a line end."""
    return msgspec.json.format(msgspec.json.encode(build_document(handlers)), indent=2) + b"\n"


def _no_call() -> Call:
    raise AssertionError("the document's application serves no request")


def _describe_operations(document: dict[str, Any], app: Litestar) -> None:
    for route in app.routes:
        path = getattr(route, "path_format", "")
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                operation = document["paths"].get(path, {}).get(method.lower())
                if operation is not None:
                    _describe(operation, handler, path, document)


def _describe(
    operation: dict[str, Any], handler: HTTPRouteHandler, path: str, document: dict[str, Any]
) -> None:
    summary, _, rest = (handler.fn.__doc__ or "").strip().partition("\n\n")
    operation["summary"] = " ".join(summary.split())
    operation.pop("description", None)
    if rest.strip():
        operation["description"] = " ".join(rest.split())
    operation.pop("deprecated", None)
    if (ending := deprecation_of(handler)) is not None:
        operation |= versions.marks_of(ending)
    operation["security"] = security.ways_in(actors_of(handler))
    operation["x-actors"] = list(actors_of(handler))
    declared.of_parameters(operation, handler)
    operation["parameters"] = [*operation.get("parameters", []), *_extra_parameters(handler, path)]
    if media_types := handler.opt.get("media_types", ()):
        operation["requestBody"] = _raw_body(
            media_types, handler.resolve_request_max_body_size(), handler.opt.get("rows_max")
        )
    if read_by_hand := handler.opt.get("body"):
        types = handler.opt.get("body_types", ("application/json",))
        operation["requestBody"] = _body_of(read_by_hand, document, types)
    if produced := handler.opt.get("produces", ()):
        types = (produced,) if isinstance(produced, str) else produced
        answered = operation["responses"]["200"]
        answered["content"] = {name: {"schema": _schema_of_file(name, answered)} for name in types}
    operation["responses"] = _responses(operation, handler, path)


def _raw_body(media_types: Iterable[str], bytes_max: int | None, rows_max: int | None) -> dict[str, Any]:
    """A body that the handler reads itself: JSON, text, or bytes; at most bytes_max of them.

    rows_max: its JSON is a list of so many objects at most, else one object.
    """
    content = {name: {"schema": _raw_schema(name, bytes_max)} for name in media_types}
    if rows_max is not None:
        rows = {"type": "array", "maxItems": rows_max, "items": {"type": "object"}, "x-rows": True}
        content["application/json"] = {"schema": rows}
    return {"required": True, "content": content}


def _raw_schema(media_type: str, bytes_max: int | None) -> dict[str, Any]:
    if examples.has_fields(media_type):
        return {"type": "object"}
    schema: dict[str, Any] = {"type": "string"}
    if media_type.startswith(("image/", "application/octet-stream", "application/zip")):
        schema["format"] = "binary"
    return schema if bytes_max is None else schema | {"maxLength": bytes_max}


def _body_of(
    struct: type[msgspec.Struct], document: dict[str, Any], media_types: Iterable[str]
) -> dict[str, Any]:
    """A body that the handler reads itself, once it knows who sends it: JSON, or another form of the same."""
    (schema,), found = msgspec.json.schema_components([struct], ref_template="#/components/schemas/{name}")
    document.setdefault("components", {}).setdefault("schemas", {}).update(found)
    return {"required": True, "content": {name: {"schema": schema} for name in media_types}}


def _schema_of_file(media_type: str, answered: dict[str, Any]) -> dict[str, Any]:
    """FHIR is JSON that FHIR describes; every other file is bytes, unless the handler names its form."""
    for content in answered.get("content", {}).values():
        if "$ref" in content["schema"]:
            return dict(content["schema"])
    return {"type": "object"} if examples.is_json(media_type) else {"type": "string", "format": "binary"}


def _extra_parameters(handler: HTTPRouteHandler, path: str) -> list[dict[str, Any]]:
    wanted = [
        (PATIENT_ID, opens_a_book(path)),
        (IF_NONE_MATCH, handler.opt.get("conditional", False)),
        (IDEMPOTENCY_KEY, handler.opt.get("idempotent", False)),
        (SENT_AT, handler.opt.get("sent_at", False)),
        (STEP_UP, handler.opt.get("step_up", False)),
        (versions.APP_VERSION, limits_apps(handler, path)),
        (versions.APP_VERSION_NEEDED, handler.opt.get("app_version_required", False)),
    ]
    return [parameter for parameter, applies in wanted if applies]


def opens_a_book(path: str) -> bool:
    """Whether X-Patient-Id chooses whose book the route opens."""
    return path == "/v1/me" or path.startswith("/v1/me/")


def _responses(operation: dict[str, Any], handler: HTTPRouteHandler, path: str) -> dict[str, Any]:
    responses = {code: body for code, body in operation["responses"].items() if code < "400"}
    for bodiless in set(responses) & {"204", "303"}:
        responses[bodiless].pop("content", None)
    if "303" in responses:
        responses["303"] |= {"description": "See Other: where the browser goes on.", "headers": LOCATION}
    for response in responses.values():
        response["headers"] = response.get("headers", {}) | {
            "X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}
        }
    if handler.opt.get("conditional", False):
        responses["304"] = {"description": "Nothing has changed since the ETag of If-None-Match."}
    for status, problems in _by_status(problems_of(operation, handler, path)).items():
        responses[str(status)] = _problem_response(status, problems, handler.opt.get("problem_type"))
    return dict(sorted(responses.items()))


def problems_of(operation: dict[str, Any], handler: HTTPRouteHandler, path: str) -> list[ProblemType]:
    """What a route can answer with: its own problems and those its shape brings."""
    found: list[ProblemType] = [BAD_HOST, INTERNAL_ERROR, UNAVAILABLE, *handler.opt.get("problems", ())]
    if limits_apps(handler, path):
        found += [APP_TOO_OLD]
    if PUBLIC not in actors_of(handler):
        found += [NOT_SIGNED_IN, ROLE_NOT_ALLOWED]
    if {"partner", "app"} & set(actors_of(handler)):
        found += [PROOF_INVALID, TOO_MANY]
    if operation.get("parameters"):
        found += [INVALID_FIELD]
    if "{" in path:
        found += [NOT_FOUND]
    if opens_a_book(path):
        found += [NOT_YOUR_BOOK, NOT_IN_YOUR_CARE, ACCOUNT_HELD, IDENTITY_UNPROVEN]
    if "requestBody" in operation:
        found += [INVALID_FIELD, MALFORMED_BODY, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE]
    return found


def _by_status(problems: Iterable[ProblemType]) -> dict[int, list[ProblemType]]:
    found: dict[int, dict[str, ProblemType]] = {}
    for problem in problems:
        found.setdefault(problem.status, {})[problem.code] = problem
    return {status: [by_code[code] for code in sorted(by_code)] for status, by_code in found.items()}


# A problem in FHIR's words; its code stands in the issue's details (https://hl7.org/fhir/R4/operationoutcome.html).
_OUTCOME: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An OperationOutcome (FHIR R4).",
    "properties": {
        "resourceType": {"type": "string", "enum": ["OperationOutcome"]},
        "issue": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": {"$ref": "#/components/schemas/OutcomeIssue"},
        },
    },
    "required": ["resourceType", "issue"],
}
_ISSUE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong: code is FHIR's word; diagnostics says it in English, with the field.",
    "properties": {
        "severity": {"type": "string"},
        "code": {"type": "string"},
        "diagnostics": {"type": "string"},
    },
    "required": ["severity", "code", "diagnostics"],
}


_OTHER_SHAPES: Final = {
    FHIR_JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}},
    "text/html": {
        "schema": {"type": "string", "description": "A page with the same words.", "maxLength": 100_000}
    },
}


def _problem_response(
    status: int, problems: list[ProblemType], other_type: str | None = None
) -> dict[str, Any]:
    """other_type: a route's own problems come as that type too, where a standard or a browser asks for it."""
    shown = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {problem.code: {"$ref": f"#/components/examples/{problem.code}"} for problem in problems},
    }
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(problem.code for problem in problems)}",
        "content": {PROBLEM_MEDIA_TYPE: shown},
    }
    if other_type is not None:
        response["content"][other_type] = _OTHER_SHAPES.get(other_type, shown)
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return response


def _share_responses(document: dict[str, Any]) -> dict[str, Any]:
    """Move equal problem responses to one place each; returns them by name."""
    shared: dict[bytes, tuple[str, Any]] = {}
    for path in sorted(document["paths"]):
        for operation in document["paths"][path].values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    count = sum(name.startswith(f"Problem{status}") for name, _ in shared.values())
                    text = msgspec.json.encode(response)
                    name, _ = shared.setdefault(text, (f"Problem{status}-{count + 1}", response))
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(shared.values()))


def _problem_examples(document: dict[str, Any]) -> dict[str, Any]:
    """One example per problem that some route names."""
    text = msgspec.json.encode(document["components"]["responses"]).decode()
    return {
        code: {"value": msgspec.json.decode(problem_body(Refused(problem=PROBLEMS[code])))}
        for code in sorted(PROBLEMS)
        if f'"#/components/examples/{code}"' in text
    }


def _problem_schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    return schemas
