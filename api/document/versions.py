"""Which app may call, and which operations are on their way out."""

from datetime import UTC
from typing import Any, Final

from api.deprecation import Deprecation
from identity.app_versions.policy import APP_FORM

APP_VERSION: Final[dict[str, Any]] = {
    "name": "X-App-Version",
    "in": "header",
    "required": False,
    "description": "Platform and version of the app; an app sends it with every request.",
    "schema": {"type": "string", "pattern": rf"^{APP_FORM}$(?!\n)", "maxLength": 41},
    "example": "android/2.4.1",
}
APP_VERSION_NEEDED: Final[dict[str, Any]] = APP_VERSION | {"required": True}
HEADERS: Final[dict[str, Any]] = {
    "Deprecation": {
        "description": "Since when nobody should begin to use this: @ and the seconds since 1970 (RFC 9745).",
        "schema": {"type": "string", "pattern": "^@[0-9]{1,12}$(?!\\n)", "maxLength": 13},
        "example": "@1798736400",
    },
    "Sunset": {
        "description": "From when on it may answer no more (RFC 8594).",
        "schema": {"type": "string", "maxLength": 40},
        "example": "Fri, 31 Dec 2027 17:00:00 GMT",
    },
    "Link": {
        "description": "What to call instead, rel=successor-version (RFC 8288, RFC 5829).",
        "schema": {"type": "string", "maxLength": 500},
        "example": '</v1/me/summary>; rel="successor-version"',
    },
}
_MARK: Final = "x-deprecation"


def marks_of(ending: Deprecation) -> dict[str, Any]:
    """What an operation on its way out says of itself."""
    told = {"since": ending.since, "sunset": ending.sunset}
    said = {
        name: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in told.items() if at is not None
    }
    successor = {} if ending.successor is None else {"successor": ending.successor}
    return {"deprecated": True, _MARK: said | successor}


def apply(document: dict[str, Any]) -> None:
    """Name the headers on the good answers of what is on its way out."""
    ending = [
        operation
        for operations in document["paths"].values()
        for operation in operations.values()
        if _MARK in operation
    ]
    if not ending:
        return
    document["components"]["headers"] = document["components"]["headers"] | HEADERS
    for operation in ending:
        names = ["Deprecation"]
        names += ["Sunset"] if "sunset" in operation[_MARK] else []
        names += ["Link"] if "successor" in operation[_MARK] else []
        refs = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        for status, response in operation["responses"].items():
            if status < "400":
                response["headers"] = response.get("headers", {}) | refs
