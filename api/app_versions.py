"""The version of the app that calls: refused where it is too old, before anything else, and counted.

X-App-Version is `platform/version`, such as `android/2.4.1`. Who sends none is no app and is never refused.
Handlers that say `any_app=True` take every version and any header: what ends, revokes or reports, what an
emergency needs, and the way there (mobile-contract/versions.md).
"""

from typing import Any

from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from api.deprecation import deprecation_of
from api.headers import joined_header
from api.problems import APP_TOO_OLD, INVALID_FIELD
from api.request import require_token
from api.runtime import Runtime
from identity.app_versions.models import App
from identity.app_versions.policy import read_app, state_of
from identity.app_versions.uses import EVERY_CALL, NO_APP, OTHER
from kernel.problems import ProblemError, Refused, refuse

HEADER = b"x-app-version"
PREFIX = "/v1/"


async def at_the_door(request: Request[Any, Any, Any]) -> None:
    """426, then 401: both before anything of the request is read."""
    await refuse_old_app(request)
    await require_token(request)


async def refuse_old_app(request: Request[Any, Any, Any]) -> None:
    """Raises 426 `app-too-old` with the store's address, and 400 for a header that names no version."""
    text = joined_header(request.scope, HEADER)
    if text is None or not limits_apps(request.route_handler, request.scope["path"]):
        return
    app = read_app(text)
    if app is None:
        refuse(INVALID_FIELD, "X-App-Version")
    runtime: Runtime = request.app.state["runtime"]
    row = await runtime.app_policies.of(runtime.store, app.platform, runtime.clock.now())
    if row is not None and state_of(app.version, row) == "too-old":
        raise ProblemError(Refused(problem=APP_TOO_OLD, link=row.store_url))


def limits_apps(handler: BaseRouteHandler, path: str) -> bool:
    """Whether a route refuses apps that are too old."""
    return path.startswith(PREFIX) and not handler.opt.get("any_app", False)


def count_use(runtime: Runtime, scope: Scope) -> None:
    """Count a call by its app; without one only where an operation is on its way out."""
    handler: Any = scope.get("route_handler")
    if handler is None or not scope["path"].startswith(PREFIX):
        return
    text = joined_header(scope, HEADER)
    is_ending = deprecation_of(handler) is not None
    if text is None and not is_ending:
        return
    now = runtime.clock.now()
    app = _counted_as(runtime, text)
    runtime.app_uses.count(app, EVERY_CALL, now)
    if is_ending:
        runtime.app_uses.count(app, str(handler.operation_id), now)


def _counted_as(runtime: Runtime, text: str | None) -> App:
    """Platforms that operators entered; anybody may send anything."""
    if text is None:
        return NO_APP
    app = read_app(text)
    return app if app is not None and runtime.app_policies.knows(app.platform) else OTHER
