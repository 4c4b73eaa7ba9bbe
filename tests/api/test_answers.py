"""Every test's client holds the service to its document: shown on answers the document does not allow."""

from typing import Any

import httpx
import pytest

from tests.support.answers import UndocumentedError, as_documented, document, operation_at

JSON = {"content-type": "application/json"}
UNITS = "http://localhost/v1/facility/units"


def answer(status: int, method: str = "GET", url: str = UNITS, **options: Any) -> httpx.Response:
    sent = options.pop("sent", None)
    return httpx.Response(status, request=httpx.Request(method, url, json=sent), **options)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(answer(200, json={"items": [{"unit_id": 7}], "next": None}), id="type of a field"),
        pytest.param(answer(200, json={"next": None}), id="missing field"),
        pytest.param(answer(418, json={}), id="status"),
        pytest.param(answer(200, content=b"a,b", headers={"content-type": "text/csv"}), id="content type"),
        pytest.param(answer(403, json={"code": "x"}), id="a problem as plain JSON"),
        pytest.param(
            answer(403, content=b"{}", headers={"content-type": "application/problem+json"}), id="no code"
        ),
        pytest.param(
            answer(204, "PUT", "http://localhost/v1/me/reminders/settings", sent={"breakfast": 7}),
            id="status of another operation",
        ),
    ],
)
async def test_an_answer_that_is_not_in_the_document_fails(wrong: httpx.Response) -> None:
    with pytest.raises(UndocumentedError):
        await as_documented(wrong)


async def test_a_body_that_was_taken_although_the_document_forbids_it_fails() -> None:
    found = operation_at("POST", "/v1/auth/sign-in/start")
    assert found is not None
    (status, taken) = next(item for item in found[1]["responses"].items() if item[0] < "300")
    answered = taken["content"]["application/json"]["example"]
    url = "http://localhost/v1/auth/sign-in/start"
    with pytest.raises(UndocumentedError, match="body that was taken"):
        await as_documented(answer(int(status), "POST", url, json=answered, sent={"never": 1}))


async def test_what_is_outside_the_document_is_left_alone() -> None:
    await as_documented(answer(200, url="http://localhost/docs", content=b"", headers=JSON))
    await as_documented(answer(405, "DELETE", json={}))


def test_every_operation_is_found_by_its_path() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            parts = ["some-id" if part.startswith("{") else part for part in path.split("/")]
            found = operation_at(method.upper(), "/".join(parts))
            assert found is not None, path
            assert found[1]["operationId"] == operation["operationId"]
