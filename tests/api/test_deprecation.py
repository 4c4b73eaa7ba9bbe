"""What is on its way out says so in every answer and in the document; its owner sees who still uses it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from litestar import Response, get
from litestar.params import FromPath
from msgspec import Struct

from api.app import collect_handlers
from api.deprecation import NOTICE, Deprecation, deprecation_of
from api.openapi import build_document
from api.problems import NOT_FOUND
from api.request import answer
from identity.app_versions.uses import uses_since
from kernel.clock import local_day
from kernel.problems import refuse
from store.database import Store
from tests.support.app_versions import saying
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of

SINCE = datetime(2026, 11, 21, 2, tzinfo=UTC)
SUNSET = datetime(2028, 1, 1, 0, tzinfo=timezone(timedelta(hours=7)))


class Old(Struct, kw_only=True):
    page: int


@get(
    "/v1/probe/old/{page:int}",
    actors=("public",),
    operation_id="probe_old",
    tags=["probe"],
    problems=(NOT_FOUND,),
    deprecation=Deprecation(since=SINCE, sunset=SUNSET, successor="/v1/probe/new/{page}"),
)
async def old(page: FromPath[int]) -> Response[Old]:
    """A page in the old way."""
    return answer(Old(page=page)) if page else refuse(NOT_FOUND)


@get(
    "/v1/probe/closed",
    actors=("citizen",),
    operation_id="probe_closed",
    tags=["probe"],
    problems=(),
    deprecation=Deprecation(since=SINCE),
)
async def closed() -> Response[Old]:
    """A page of a citizen."""
    return answer(Old(page=1))


@get("/v1/probe/new/{page:int}", actors=("public",), operation_id="probe_new", tags=["probe"], problems=())
async def new(page: FromPath[int]) -> Response[Old]:
    """A page in the new way."""
    return answer(Old(page=page))


PROBES: list[Any] = [old, closed, new]


@pytest.fixture
async def client(fresh_store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(fresh_store, clock, handlers=PROBES) as opened:
        yield opened


async def test_every_answer_says_since_when_until_when_and_what_follows(
    client: httpx.AsyncClient,
) -> None:
    for page, status in ((7, 200), (0, 404)):
        told = await client.get(f"/v1/probe/old/{page}")
        assert told.status_code == status
        assert told.headers["deprecation"] == f"@{int(SINCE.timestamp())}"
        assert told.headers["sunset"] == "Fri, 31 Dec 2027 17:00:00 GMT"
        assert told.headers["link"] == f'</v1/probe/new/{page}>; rel="successor-version"'


def test_an_id_of_the_path_ends_no_header_and_no_link() -> None:
    told = Deprecation(since=SINCE, successor="/v1/probe/new/{page}").headers({"page": "a\r\nX: 1>é/"})
    assert told[-1] == (b"link", b'</v1/probe/new/a%0D%0AX%3A%201%3E%C3%A9%2F>; rel="successor-version"')


async def test_a_stranger_is_told_too_and_nothing_that_is_not_known(
    client: httpx.AsyncClient,
) -> None:
    told = await client.get("/v1/probe/closed")
    assert (told.status_code, told.headers["deprecation"]) == (401, f"@{int(SINCE.timestamp())}")
    assert not {"sunset", "link"} & set(told.headers)


async def test_what_stays_says_nothing(client: httpx.AsyncClient) -> None:
    told = await client.get("/v1/probe/new/7")
    assert not {"deprecation", "sunset", "link"} & set(told.headers)


async def test_its_owner_sees_which_apps_still_use_it_and_that_some_are_none(
    fresh_store: Store, clock: FrozenClock
) -> None:
    async with client_of(fresh_store, clock, handlers=PROBES) as client:
        for headers in (saying("android/2.4.1"), {}, bearer("x")):
            await client.get("/v1/probe/old/7", headers=headers)
        await client.get("/v1/probe/new/7")
    async with fresh_store.transaction() as tx:
        told = await uses_since(tx, local_day(clock.now()))
    counted = {(one.platform, one.operation): one.calls for one in told}
    # Nobody entered android here: what anybody may send is not kept by its name.
    assert counted == {
        ("none", "probe_old"): 2,
        ("none", ""): 2,
        ("other", "probe_old"): 1,
        ("other", ""): 1,
    }


def test_the_document_marks_it_and_names_the_headers() -> None:
    document = build_document(PROBES)
    operation = document["paths"]["/v1/probe/old/{page}"]["get"]
    assert operation["deprecated"] is True
    assert operation["x-deprecation"] == {
        "since": "2026-11-21T02:00:00Z",
        "sunset": "2027-12-31T17:00:00Z",
        "successor": "/v1/probe/new/{page}",
    }
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
    assert {"Deprecation", "Sunset", "Link"} <= set(document["components"]["headers"])
    fresh = document["paths"]["/v1/probe/new/{page}"]["get"]
    assert "deprecated" not in fresh
    assert "Deprecation" not in fresh["responses"]["200"]["headers"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": SINCE.replace(tzinfo=None)},
        {"since": SINCE, "sunset": SINCE + NOTICE - timedelta(seconds=1)},
    ],
)
def test_a_declaration_gives_a_years_notice_and_names_its_zone(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="deprecation"):
        Deprecation(**wrong)


def test_what_is_on_its_way_out_here_leads_to_something_that_is_there() -> None:
    handlers = collect_handlers(demo=False)
    paths = set(build_document(handlers)["paths"])
    declared = [one for handler in handlers if (one := deprecation_of(handler)) is not None]
    assert all(one.successor is None or one.successor in paths for one in declared)
