"""What is answered when a process has no place left (api/load.py): made once, so that it costs nothing."""

from typing import Final

from litestar.types import HTTPScope

from api.headers import read_header
from api.load import RETRY_AFTER_SECONDS
from api.pages.unknown import OF_APPS
from api.problems import UNAVAILABLE
from api.request import Answer, problem_answer
from kernel.problems import Refused

_PAGE: Final = (
    '<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    f"<title>{UNAVAILABLE.vi}</title><h1>{UNAVAILABLE.vi}</h1><p>{UNAVAILABLE.next_vi}</p>"
    f'<p lang="en">{UNAVAILABLE.en} {UNAVAILABLE.next_en}</p></html>'
).encode()


def no_place(scope: HTTPScope, refused: Refused) -> Answer:
    """503 with Retry-After: a page for a browser that opens one, the problem for everybody else."""
    opens_a_page = scope["method"] == "GET" and "text/html" in (read_header(scope, b"accept") or "")
    if opens_a_page and not scope["path"].startswith(OF_APPS):
        again = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return Answer(_PAGE, status_code=503, headers=again, media_type="text/html; charset=utf-8")
    return problem_answer(refused)
