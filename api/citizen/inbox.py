"""The citizen's inbox, and where the session's device is reached."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.reading import read_beside_record
from api.request import Call, answer
from ehr.reads.models import Built
from family.problems import NOT_YOUR_BOOK
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT, PAGE_MAX
from notifications.inbox import InboxPage, read_inbox
from notifications.models import Language, Platform, ReceiptKind, TargetKind
from notifications.policy import ON_PROBATION
from notifications.problems import NO_DEVICE_OF_SESSION, UNKNOWN_NOTIFICATION
from notifications.service import record_receipt, set_push_target
from store.database import Tx

TAGS = ["notifications"]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Notices per page.")]
Cursor = Annotated[str | None, QueryParameter(max_length=200, description="`next` of the page before.")]


class PushTargetInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """kind: fid (Firebase Installation ID) or fcm_token (registration token). language: of its text;
    null for the one that the person chose."""

    kind: TargetKind
    value: Annotated[str, Meta(min_length=1, max_length=4096)]
    platform: Platform | None = None
    language: Language | None = None


class ReceiptInput(Struct, kw_only=True, forbid_unknown_fields=True):
    kind: ReceiptKind


@get(
    "/v1/me/notifications",
    actors=("citizen",),
    operation_id="read_notifications",
    tags=TAGS,
    problems=(INVALID_FIELD, BAD_CURSOR, NOT_YOUR_BOOK),
)
async def notifications(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = PAGE_DEFAULT
) -> Response[InboxPage]:
    """Every notice, newest first, also what push lost.

    A device on probation gets those about its account and requests alone.
    """

    async def build(tx: Tx, access: Access) -> Built:
        types = ON_PROBATION if access.actor.probation else None
        page = await read_inbox(
            tx, access.patient_id, types, cursor=cursor, limit=limit, hotline=call.hotline
        )
        return Built(msgspec.json.encode(page), [])

    return await read_beside_record(call, "read-notifications", build, is_logged=False)


@post(
    "/v1/me/notifications/{notification_id:uuid}/receipts",
    actors=("citizen",),
    operation_id="record_notification_receipt",
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_NOTIFICATION, NO_DEVICE_OF_SESSION, NOT_YOUR_BOOK),
)
async def receipt(
    notification_id: FromPath[UUID], data: JSONBody[ReceiptInput], call: NamedDependency[Call]
) -> Response[None]:
    """What the device did with a notice; a repeat changes nothing."""
    async with begin_for(call, "read-notifications") as (tx, access):
        done = await record_receipt(
            tx,
            access.patient_id,
            access.actor.device_id,
            notification_id,
            data.kind,
            call.now,
            actor_id=access.actor.actor_id,
        )
        return answer(done)


@put(
    "/v1/me/push-target",
    actors=("citizen",),
    operation_id="set_push_target",
    tags=TAGS,
    status_code=204,
    problems=(NO_DEVICE_OF_SESSION,),
)
async def push_target(data: JSONBody[PushTargetInput], call: NamedDependency[Call]) -> Response[None]:
    """Set where pushes reach the device of this session; replaces what it had."""
    async with begin_for(call, "manage-devices") as (tx, access):
        done = await set_push_target(
            tx,
            call.keys,
            access.actor,
            data.kind,
            data.value,
            call.now,
            platform=data.platform,
            language=data.language,
        )
        return answer(done)


handlers: list[Any] = [notifications, receipt, push_target]
