"""The citizen's SMART Health Links: made, shown once, armed anew, taken back, and who opened them.

A link shows the summary (IPS) and, where chosen, the book and the one-page summary as PDF and documents of
the record, without anything sensitive or hidden. Vaccination certificates join when they are issued. The
device signs JCS of: typ, environment, patient_id, device_id, nonce, iat, exp and the facts of the act
(mobile-contract/device-keys.md).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.idempotency import SECRET_PROBLEMS, claim, settle
from api.request import Call, answer
from api.sharing import draft_link, forget
from consent.decision import decide_contents
from consent.links import service
from consent.links.models import Document, LinkState, Paper, Wish
from consent.links.policy import (
    DURATION_DEFAULT,
    DURATION_MAX,
    DURATION_MIN,
    LABEL_MAX,
    PASSCODE_MAX,
    PASSCODE_MIN,
    TRIES,
    state_of,
)
from consent.links.problems import (
    LINK_TOO_LARGE,
    PASSCODE_TOO_EASY,
    TOO_MANY_LINKS,
    UNKNOWN_LINK,
)
from consent.links.service import Draft, LinkView
from consent.links.wire import PATH, flag_of, link_text
from ehr.exports.contents import CONTENT_NOT_FOUND
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from family.problems import GUARDIAN_NEEDED
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED, TOO_MANY, TRY_LATER
from identity.tokens import to_base64url
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from qr.draw import svg
from store.database import Tx
from store.problems import ALREADY_CREATED

TAGS = ["share-links"]
ACT_PROBLEMS = (STEP_UP_REFUSED, GUARDIAN_NEEDED, DEVICE_ON_PROBATION)
Passcode = Annotated[str, Meta(min_length=PASSCODE_MIN, max_length=PASSCODE_MAX, pattern=r"^[!-~]+$(?!\n)")]


class SharedDocument(Struct, kw_only=True, forbid_unknown_fields=True):
    """An attachment of a document or report of the record, counted from 0."""

    id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9.-]+$(?!\n)")]
    attachment: Annotated[int, Meta(ge=0, le=99)] = 0


class NewShareLink(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to share. long_term: the link shows what the book says when it is opened, else what it says now.

    duration_seconds: 300 to 2592000 (30 days). passcode: 6 to 32 printable characters, null for eight digits
    that the service draws. The device signs, beside the common members: typ share-link, label, long_term,
    duration_seconds, passcode, papers, documents (each {attachment, id}), all as sent.
    """

    label: Annotated[str, Meta(min_length=1, max_length=LABEL_MAX)]
    long_term: bool = False
    duration_seconds: Annotated[int, Meta(ge=DURATION_MIN, le=DURATION_MAX)] = DURATION_DEFAULT
    passcode: Passcode | None = None
    papers: Annotated[list[Paper], Meta(max_length=2)] = []
    documents: Annotated[list[SharedDocument], Meta(max_length=5)] = []
    signed: SignedAct


class ShareLinkMade(Struct, kw_only=True):
    """Shown once: the service keeps neither the passcode nor, of a link that is not long-term, the key.

    link: what the QR code says. passcode: told by another way than the link. flag: of a SMART Health Link.
    """

    link_id: UUID
    link: str
    svg: str
    passcode: str
    flag: Literal["P", "LP"]
    expires_at: datetime


class ShareLinkView(Struct, kw_only=True):
    """One link. contents: ips, book, sheet, document/<id>/<number>. state: `locked` after five wrong
    passcodes, `held` until it is confirmed. openings: how often it was opened."""

    link_id: UUID
    label: str
    state: LinkState
    long_term: bool
    contents: list[str]
    tries_left: int
    openings: int
    created_at: datetime
    expires_at: datetime
    locked_at: datetime | None
    ended_at: datetime | None


class ShareLinks(Struct, kw_only=True):
    """The newest hundred."""

    items: list[ShareLinkView]


class LinkOpening(Struct, kw_only=True):
    """recipient: what the opener said of itself (tự khai); nobody checked it."""

    opening_id: UUID
    recipient: str
    opened_at: datetime


class LinkOpenings(Struct, kw_only=True):
    """The newest hundred."""

    items: list[LinkOpening]


class ShareLinkArming(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs, beside the common members: typ share-link-arm, link_id, passcode (null for a drawn
    one)."""

    passcode: Passcode | None = None
    signed: SignedAct


class ShareLinkArmed(Struct, kw_only=True):
    """Shown once. The passcode before it opens nothing any more."""

    link_id: UUID
    passcode: str


class ShareLinkConfirmation(Struct, kw_only=True, forbid_unknown_fields=True):
    """The device signs, beside the common members: typ share-link-confirm, link_id."""

    signed: SignedAct


@post(
    "/v1/me/share-links",
    actors=("citizen",),
    operation_id="me_share_link",
    tags=TAGS,
    status_code=201,
    idempotent=True,
    problems=(
        *ACT_PROBLEMS,
        *SECRET_PROBLEMS,
        TOO_MANY_LINKS,
        TOO_MANY,
        PASSCODE_TOO_EASY,
        LINK_TOO_LARGE,
        CONTENT_NOT_FOUND,
        EXPORT_BUSY,
        EXPORT_OVERTAKEN,
        TRY_LATER,
    ),
)
async def make(data: JSONBody[NewShareLink], call: NamedDependency[Call]) -> Response[ShareLinkMade]:
    """Make a SMART Health Link."""
    wish = _wish(data)
    async with begin_for(call, "share-record") as (tx, access):
        refused = await _allow(tx, call, access, wish, data.signed)
    made = refused or await _make(call, access.actor.actor_id, wish)
    return answer(made if isinstance(made, Refused) else _made(call, made))


@get(
    "/v1/me/share-links",
    actors=("citizen",),
    operation_id="me_share_links",
    any_app=True,
    tags=TAGS,
    problems=(),
)
async def list_links(call: NamedDependency[Call]) -> Response[ShareLinks]:
    """All links, newest first."""
    async with begin_for(call, "manage-grants") as (tx, access):
        found = await service.links_of(tx, call.keys, access.patient_id)
    return answer(ShareLinks(items=[_view(one, call) for one in found]))


@get(
    "/v1/me/share-links/{link_id:uuid}/openings",
    actors=("citizen",),
    operation_id="me_share_link_openings",
    tags=TAGS,
    problems=(UNKNOWN_LINK,),
)
async def openings(link_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[LinkOpenings]:
    """Who opened a link."""
    async with begin_for(call, "manage-grants") as (tx, access):
        known = await service.link_of(tx, call.keys, access.patient_id, link_id)
        if isinstance(known, Refused):
            return answer(known)
        found = await service.openings_of(tx, call.keys, access.patient_id, link_id)
    items = [
        LinkOpening(opening_id=one.opening_id, recipient=one.recipient, opened_at=one.opened_at)
        for one in found
    ]
    return answer(LinkOpenings(items=items))


@post(
    "/v1/me/share-links/{link_id:uuid}/arm",
    actors=("citizen",),
    operation_id="me_arm_share_link",
    tags=TAGS,
    status_code=200,
    problems=(*ACT_PROBLEMS, UNKNOWN_LINK, PASSCODE_TOO_EASY, TRY_LATER),
)
async def arm(
    link_id: FromPath[UUID], data: JSONBody[ShareLinkArming], call: NamedDependency[Call]
) -> Response[ShareLinkArmed]:
    """Set a new passcode for a link, locked or not; the old one is dead."""
    async with begin_for(call, "share-record") as (tx, access):
        known = await service.link_of(tx, call.keys, access.patient_id, link_id)
    outcome = known if isinstance(known, Refused) else await _arm(call, link_id, data)
    return answer(outcome)


@post(
    "/v1/me/share-links/{link_id:uuid}/confirm",
    actors=("citizen",),
    operation_id="me_confirm_share_link",
    tags=TAGS,
    status_code=200,
    problems=(*ACT_PROBLEMS, UNKNOWN_LINK),
)
async def confirm(
    link_id: FromPath[UUID], data: JSONBody[ShareLinkConfirmation], call: NamedDependency[Call]
) -> Response[ShareLinkView]:
    """Let a held link stand."""
    async with begin_for(call, "share-record") as (tx, access):
        refused = await service.confirm(
            tx,
            access,
            link_id,
            signed_of(data.signed),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
        found = refused or await service.link_of(tx, call.keys, access.patient_id, link_id)
    return answer(found if isinstance(found, Refused) else _view(found, call))


@delete(
    "/v1/me/share-links/{link_id:uuid}",
    actors=("citizen",),
    operation_id="me_revoke_share_link",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_LINK,),
)
async def revoke(link_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Take a link back; its next opening is refused."""
    async with begin_for(call, "manage-grants") as (tx, access):
        refused = await service.revoke(tx, access, link_id, trace_id=call.request_id, now=call.now)
    return answer(refused)


async def _allow(tx: Tx, call: Call, access: Access, wish: Wish, signed: SignedAct) -> Refused | None:
    """Whether it was made before, and the device's signature."""
    before = await claim(tx, call, access.actor)
    if before is not False:
        return before if isinstance(before, Refused) else Refused(problem=ALREADY_CREATED)
    act, environment = signed_of(signed), environment_of(call)
    return await service.allow(tx, access, wish, act, environment=environment, now=call.now)


async def _make(call: Call, actor_id: UUID, wish: Wish) -> Draft | Refused:
    """The files, and at last the row; decided anew before either."""
    link_id = uuid7(call.now)

    @asynccontextmanager
    async def begin() -> AsyncIterator[tuple[Tx, Access]]:
        async with begin_for(call, "share-record") as (tx, access):
            yield tx, decide_contents(access, link_id)

    async with call.export_slots.of(call.store, call.clock, actor_id):
        draft = await draft_link(call, wish, link_id, begin)
    call.time_went_by()
    async with begin() as (tx, access):
        refused = await service.keep(tx, call.keys, access, draft, trace_id=call.request_id, now=call.now)
        if refused is None:
            await settle(tx, call, access.actor, 201, link_id)
    if refused is not None:
        await forget(call, draft.patient_id, [file.blob_id for file in draft.files])
    return refused or draft


async def _arm(call: Call, link_id: UUID, data: ShareLinkArming) -> ShareLinkArmed | Refused:
    """The slow part between two transactions; the second decides anew."""
    lock = await service.make_lock(call.keys, link_id, data.passcode)
    call.time_went_by()
    async with begin_for(call, "share-record") as (tx, access):
        refused = await service.arm(
            tx,
            access,
            link_id,
            lock,
            data.passcode,
            signed_of(data.signed),
            environment=environment_of(call),
            trace_id=call.request_id,
            now=call.now,
        )
    return refused or ShareLinkArmed(link_id=link_id, passcode=lock.passcode)


def _wish(data: NewShareLink) -> Wish:
    return Wish(
        label=data.label,
        long_term=data.long_term,
        duration_seconds=data.duration_seconds,
        passcode=data.passcode,
        papers=tuple(dict.fromkeys(data.papers)),
        documents=tuple(Document(id=one.id, attachment=one.attachment) for one in data.documents),
    )


def _made(call: Call, draft: Draft) -> ShareLinkMade:
    wish, expires_at = draft.wish, draft.expires_at
    link = link_text(
        call.link_viewer,
        f"{call.origin}{PATH}{to_base64url(draft.secret)}",
        draft.key,
        expires_at=expires_at,
        long_term=wish.long_term,
        label=wish.label,
    )
    return ShareLinkMade(
        link_id=draft.link_id,
        link=link,
        svg=svg(link),
        passcode=draft.lock.passcode,
        flag=flag_of(long_term=wish.long_term),
        expires_at=expires_at,
    )


def _view(link: LinkView, call: Call) -> ShareLinkView:
    row = link.row
    return ShareLinkView(
        link_id=row.link_id,
        label=link.label,
        state=state_of(row, call.now),
        long_term=row.is_refreshed,
        contents=row.contents,
        tries_left=TRIES - row.attempts,
        openings=row.openings,
        created_at=row.created_at,
        expires_at=row.expires_at,
        locked_at=row.locked_at,
        ended_at=row.ended_at,
    )


handlers: list[Any] = [make, list_links, openings, arm, confirm, revoke]
