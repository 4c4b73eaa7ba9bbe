"""From an exception to a problem: one handler for the whole surface.

ProblemError                 its own problem
HTTPException of Litestar    the problem of its status; a named parameter where one failed
a lost or busy database,
or a blob store that is down 503 `unavailable` with Retry-After
anything else                500 `internal-error`

An exception is logged by class, SQLSTATE and code lines only: messages of asyncpg and msgspec hold
values (S22).
"""

import re
import traceback
from typing import Any

import asyncpg
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    ValidationException,
)

from api.fhir.errors import PREFIX, fhir_problem
from api.problems import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_FIELD,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    ROLE_NOT_ALLOWED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
)
from api.request import problem_answer
from kernel.problems import ProblemError, ProblemType, Refused
from store.blobs import BlobDamagedError, BlobUnavailableError

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

BY_STATUS: dict[int, ProblemType] = {
    400: BAD_REQUEST,
    401: NOT_SIGNED_IN,
    403: ROLE_NOT_ALLOWED,
    404: NOT_FOUND,
    405: METHOD_NOT_ALLOWED,
    413: BODY_TOO_LARGE,
    415: UNSUPPORTED_MEDIA_TYPE,
    503: UNAVAILABLE,
}

# What a later attempt can get past: no connection, no free connection, a lost race, a time limit.
BUSY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection that the server's death left half spoken on.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    BlobUnavailableError,
    # Seen under load with a line that garbled: asked again, the same bytes came whole.
    BlobDamagedError,
)

# Litestar's word for a caller that hung up while sending: nobody reads the answer, and nothing failed here.
CLIENT_LEFT = "client disconnected prematurely"

MISSING = re.compile(r"missing required field `([a-z0-9_]+)`")

log = structlog.get_logger("api")


def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to whatever a route raised."""
    refused = refused_of(error)
    # A refusal that was meant is counted and in the line of its request: a flood is no storm of errors.
    was_meant = isinstance(error, ProblemError) and error.__cause__ is None
    if refused.problem.status >= 500 and not was_meant:
        log_exception(error, request.scope)
    headers = {}
    if isinstance(error, MethodNotAllowedException):
        headers["Allow"] = ", ".join(allowed_methods(request))
    if request.scope["path"].startswith(PREFIX):
        return fhir_problem(refused, headers)
    return problem_answer(refused, headers)


def refused_of(error: Exception) -> Refused:
    """The problem an exception stands for."""
    if isinstance(error, ProblemError):
        return error.refused
    if isinstance(error, ValidationException):
        return Refused(problem=INVALID_FIELD, where=failed_parameter(error))
    if isinstance(error, InternalServerException) and error.detail == CLIENT_LEFT:
        return Refused(problem=BAD_REQUEST)
    if isinstance(error, HTTPException):
        return Refused(problem=BY_STATUS.get(error.status_code, INTERNAL_ERROR))
    if isinstance(error, BUSY):
        return Refused(problem=UNAVAILABLE, retry_after_seconds=2)
    return Refused(problem=INTERNAL_ERROR)


def failed_parameter(error: ValidationException) -> str:
    """The name of the parameter in Litestar's report; our own name, so never a value."""
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        # msgspec says which member is missing in words: a name of ours too.
        if missing := MISSING.search(str(extra[0].get("message"))):
            return missing[1]
        name = str(extra[0].get("key") or "request")
        return "body" if name == "data" else name
    return "request"


def allowed_methods(request: Request[Any, Any, Any]) -> list[str]:
    """The methods this path does take, for the Allow header that RFC 9110 §15.5.6 asks for."""
    return [method for method in METHODS if takes(request, method)]


def takes(request: Request[Any, Any, Any], method: str) -> bool:
    """Whether some route serves this path with that method."""
    try:
        request.app.asgi_router.handle_routing(path=request.scope["path"], method=method)
    except HTTPException:
        return False
    return True


def log_exception(error: Exception, scope: Any) -> None:
    """Class, SQLSTATE and code lines of an exception and of what caused it."""
    log.error(
        "request failed",
        error=type(error).__name__,
        cause=type(error.__cause__).__name__ if error.__cause__ else None,
        sqlstate=getattr(error, "sqlstate", None),
        route=scope.get("path_template"),
        request_id=scope["state"]["request_id"],
        at=[f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]],
    )
