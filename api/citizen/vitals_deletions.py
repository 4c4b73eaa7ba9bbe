"""Measurements that the person wants gone."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.request import Call, answer
from identity.people import person_of
from identity.problems import DEVICE_ON_PROBATION
from kernel.problems import refuse
from vitals.deletions import service
from vitals.deletions.models import DeletedVitals, Wish
from vitals.kinds import KINDS
from vitals.problems import VITAL_SOURCE_UNKNOWN
from vitals.reads.problems import KIND_NOT_KNOWN
from vitals.wire import DELETED_MAX

_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
Instant = Annotated[datetime, Meta(tz=True)]


class DeletionInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Either `ids`, or at least one of the others: records of that kind and that source which begin from
    `since` on and before `until`."""

    ids: Annotated[list[UUID], Meta(max_length=DELETED_MAX)] = []
    kind: Annotated[str, Meta(max_length=40)] | None = None
    source_id: Annotated[int, Meta(ge=1, le=32_767)] | None = None
    since: Instant | None = None
    until: Instant | None = None


@post(
    "/v1/me/vitals/deletions",
    actors=("citizen",),
    operation_id="me_delete_vitals",
    tags=["vitals"],
    status_code=200,
    problems=(INVALID_FIELD, KIND_NOT_KNOWN, DEVICE_ON_PROBATION, VITAL_SOURCE_UNKNOWN),
)
async def delete_vitals(
    data: JSONBody[DeletionInput], call: NamedDependency[Call]
) -> Response[DeletedVitals]:
    """Delete measurements for good.

    What was deleted does not come back when a phone sends it again. The person alone does this, nobody who
    acts for the person. A large wish is done in parts: while `more` is true, send the same again.
    """
    async with begin_for(call, "delete-vitals") as (tx, access):
        wish = _wish(data)
        person = await person_of(tx, call.keys, access)
        birth = person.birth_date if person else None
        return answer(await service.delete(tx, access, birth, wish, request_id=call.request_id, now=call.now))


def _wish(data: DeletionInput) -> Wish:
    """Raises invalid-field where nothing is named, or ids and more; vital-kind-unknown."""
    rest = (data.kind, data.source_id, data.since, data.until)
    is_named = any(one is not None for one in rest)
    if is_named == bool(data.ids):
        refuse(INVALID_FIELD, "ids")
    kind = None if data.kind is None else KINDS.get(data.kind)
    if data.kind is not None and kind is None:
        refuse(KIND_NOT_KNOWN)
    return Wish(
        ids=data.ids,
        kinds=None if kind is None else [kind.number],
        source=data.source_id,
        since=_FIRST if data.since is None else max(data.since, _FIRST),
        until=_LAST if data.until is None else min(data.until, _LAST),
    )


handlers: list[Any] = [delete_vitals]
