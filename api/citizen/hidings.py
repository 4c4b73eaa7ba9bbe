"""Hiding a visit, a result or a document from everybody or from one doctor."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.request import Call, answer
from audit.service import record_act
from consent.grants.service import grant_of_person
from consent.problems import UNKNOWN_GRANT
from ehr.models import Item
from ehr.reads.raw import as_item
from ehr.visibility import hidings
from ehr.visibility.models import FAMILY, HidableType, Hiding
from ehr.visibility.problems import NOT_IN_BOOK, TOO_MANY_HIDINGS, UNKNOWN_HIDING
from ehr.visibility.queries import HidingShown
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

TAGS = ["book"]


class HidingRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """kind and id: those of the entry. grant_id: hide it from the doctor of this grant alone, live or past;
    null hides it from everybody but the person. from_family: from guardians and proxies alone, who learn
    nothing of it; not with grant_id."""

    kind: HidableType
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    grant_id: UUID | None = None
    from_family: bool = False


class HidingView(Struct, kw_only=True):
    """One hiding. hidden_from: the doctor's name; null for everybody, or for the family alone."""

    hiding_id: UUID
    kind: str
    id: str
    hidden_from: str | None
    from_family: bool
    created_at: datetime


class HiddenEntry(Struct, kw_only=True):
    hiding: HidingView
    item: Item


class Hidings(Struct, kw_only=True):
    """All live hidings, newest first; at most 200."""

    items: list[HiddenEntry]


@get("/v1/me/hidings", actors=("citizen",), operation_id="me_hidings", tags=TAGS, problems=())
async def list_hidings(call: NamedDependency[Call]) -> Response[Hidings]:
    """What the person hides, and from whom."""
    async with begin_for(call, "manage-record") as (tx, access):
        found = await hidings.hidings_of(tx, access, call.now)
    return answer(Hidings(items=[_entry(one) for one in found]))


@post(
    "/v1/me/hidings",
    actors=("citizen",),
    operation_id="me_hide",
    tags=TAGS,
    status_code=201,
    problems=(NOT_IN_BOOK, TOO_MANY_HIDINGS, UNKNOWN_GRANT, DEVICE_ON_PROBATION),
)
async def hide(data: JSONBody[HidingRequest], call: NamedDependency[Call]) -> Response[HidingView]:
    """Hide an entry; whoever it is hidden from sees a book without it. The same again is the same hiding."""
    async with begin_for(call, "manage-record") as (tx, access):
        made = await _hide(tx, call, access, data)
    return answer(made if isinstance(made, Refused) else _view(made))


@delete(
    "/v1/me/hidings/{hiding_id:uuid}",
    actors=("citizen",),
    operation_id="me_show_again",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_HIDING, DEVICE_ON_PROBATION),
)
async def show_again(hiding_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Show an entry again."""
    async with begin_for(call, "manage-record") as (tx, access):
        ended = await hidings.end(tx, access, hiding_id, call.now)
        if not isinstance(ended, Refused):
            await _log(tx, call, access, "record:hiding:end", ended)
    return answer(ended if isinstance(ended, Refused) else None)


async def _hide(tx: Tx, call: Call, access: Access, data: HidingRequest) -> Hiding | Refused:
    reader: UUID | None = FAMILY if data.from_family else None
    name: str | None = None
    if data.grant_id is not None and not data.from_family:
        grant = await grant_of_person(tx, access.patient_id, data.grant_id)
        if isinstance(grant, Refused):
            return grant
        reader, name = grant.practitioner_id, grant.practitioner_name
    made = await hidings.hide(tx, access, data.kind, data.id, reader=reader, reader_name=name, now=call.now)
    if not isinstance(made, Refused):
        await _log(tx, call, access, "record:hiding:create", made)
    return made


async def _log(tx: Tx, call: Call, access: Access, tag: str, hiding: Hiding) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        resources=[(hiding.rtype, hiding.id)],
        request_id=call.request_id,
        now=call.now,
        on_behalf_of=access.on_behalf_of,
    )


def _entry(shown: HidingShown) -> HiddenEntry:
    view = HidingView(
        hiding_id=shown.hiding_id,
        kind=shown.rtype,
        id=shown.id,
        hidden_from=shown.reader_name,
        from_family=shown.reader == FAMILY,
        created_at=shown.created_at,
    )
    return HiddenEntry(hiding=view, item=as_item(shown.item))


def _view(hiding: Hiding) -> HidingView:
    return HidingView(
        hiding_id=hiding.hiding_id,
        kind=hiding.rtype,
        id=hiding.id,
        hidden_from=hiding.reader_name,
        from_family=hiding.reader == FAMILY,
        created_at=hiding.created_at,
    )


handlers: list[Any] = [list_hidings, hide, show_again]
