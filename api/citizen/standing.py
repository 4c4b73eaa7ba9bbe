"""The page 'who can see me': everybody in one list, and one act that ends all of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Struct

from api.acting import begin_for
from api.request import Call, answer
from consent import standing
from consent.models import Standing, StandingKind
from vitals.rules.ending import end_of_links

TAGS = ["consent"]


class WhoCanSee(Struct, kw_only=True):
    """kind: what lets this one in. what: parts of the record, empty for the whole book.

    ends_with: the kind of thing whose end is this one's end too. name: of a link the label that the person
    gave it. held: it opens nothing until the person confirms it.
    """

    kind: StandingKind
    id: UUID
    name: str
    facility: str | None
    what: list[str]
    since: datetime
    until: datetime | None
    ends_with: StandingKind | None
    held: bool


class WhoCanSeeMe(Struct, kw_only=True):
    """Everybody who can open the record now, or will when a wait is over or the person confirms."""

    items: list[WhoCanSee]


@get("/v1/me/who-can-see-me", actors=("citizen",), operation_id="me_who_can_see", any_app=True, tags=TAGS)
async def who_can_see_me(call: NamedDependency[Call]) -> Response[WhoCanSeeMe]:
    """Everybody who can open the record."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await standing.standing_of(tx, call.keys, access.patient_id, call.now)
    return answer(WhoCanSeeMe(items=[_view(one) for one in found]))


@post(
    "/v1/me/who-can-see-me/end-all",
    actors=("citizen",),
    operation_id="me_end_all",
    any_app=True,
    tags=TAGS,
    status_code=204,
)
async def end_all(call: NamedDependency[Call]) -> Response[None]:
    """End everybody's access at once; the next request of each is refused."""
    async with begin_for(call, "manage-grants") as (tx, access):
        await standing.end_everything(tx, access, trace_id=call.request_id, now=call.now)
        await end_of_links(tx, call.keys, access.patient_id, call.now)
    return answer(None)


def _view(one: Standing) -> WhoCanSee:
    return WhoCanSee(
        kind=one.kind,
        id=one.id,
        name=one.name,
        facility=one.facility,
        what=one.what,
        since=one.since,
        until=one.until,
        ends_with=one.ends_with,
        held=one.held,
    )


handlers: list[Any] = [who_can_see_me, end_all]
