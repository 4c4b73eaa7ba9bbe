"""An address that nothing stands at: a page for a browser, a problem for everybody else."""

from typing import Any, Final

from litestar import Request, Response

from api.errors import on_exception
from api.pages.showing import page_of_problem

OF_APPS: Final = ("/v1", "/fhir", "/oauth", "/shc", "/.well-known", "/health", "/static")


def nothing_here(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to an address without a route. A browser says that it reads HTML; an app does not."""
    is_browser = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if is_browser and not request.scope["path"].startswith(OF_APPS):
        return page_of_problem(request, error, "citizen", "citizen/problem.html")
    return on_exception(request, error)
