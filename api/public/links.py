"""The public side of SMART Health Links (STU 1): manifest and files. Any viewer, in a browser too.

An address that opens nothing, whatever the reason, is one 404. A passcode is judged by one statement; each
opening decides anew, is logged and is told to the owner. Files are JWE that the service cannot read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.problems import INVALID_FIELD, PROBLEM_MEDIA_TYPE, problem_body
from api.reading import log_read
from api.request import Answer, Call, answer
from api.sharing import refresh
from consent.decision import decide_link
from consent.links import opening, service
from consent.links.models import Door, LinkFile, Ticket
from consent.links.policy import PASSCODE_MAX, RECIPIENT_MAX, own_words
from consent.links.problems import LINK_BUSY, LINK_NOT_FOUND, PASSCODE_INVALID
from consent.links.wire import FHIR, FHIR_VERSION, JOSE, PATH
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from ehr.reads.models import Built
from identity import passwords
from identity.problems import TRY_LATER
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.blobs import BlobMissingError
from store.database import Tx

TAGS = ["share-links"]
EMBEDDED_MAX = 20 * 1024 * 1024


class ManifestRequest(Struct, kw_only=True):
    """recipient: who opens it, shown to the owner as self-declared. embeddedLengthMax: up to how many
    characters a file may stand in the answer itself, whatever number a viewer asks for; without it every file
    has an address."""

    recipient: Annotated[str, Meta(min_length=1, max_length=RECIPIENT_MAX)]
    passcode: Annotated[str, Meta(max_length=PASSCODE_MAX)] | None = None
    embedded_length_max: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = msgspec.field(
        default=None, name="embeddedLengthMax"
    )


class ManifestFile(Struct, kw_only=True, omit_defaults=True):
    """Either location, an address that works once within a minute, or embedded, the JWE itself."""

    contentType: Literal["application/fhir+json"]  # noqa: N815 - the words of the specification
    lastUpdated: datetime  # noqa: N815
    fhirVersion: str  # noqa: N815
    location: str | None = None
    embedded: str | None = None


class Manifest(Struct, kw_only=True):
    """status: can-change for a long-term link, else finalized."""

    status: Literal["finalized", "can-change"]
    files: list[ManifestFile]


@post(
    PATH + "{token:str}",
    actors=("public",),
    operation_id="open_share_link",
    tags=TAGS,
    status_code=200,
    problems=(LINK_NOT_FOUND, PASSCODE_INVALID, LINK_BUSY, EXPORT_BUSY, EXPORT_OVERTAKEN, TRY_LATER),
)
async def manifest(
    token: FromPath[str], data: JSONBody[ManifestRequest], call: NamedDependency[Call]
) -> Response[Manifest]:
    """Open a link with its passcode."""
    if not own_words(data.recipient):
        return answer(Refused(problem=INVALID_FIELD, where="recipient"))
    door = await _knock(call, token, data)
    if isinstance(door, Refused):
        return _refusal(door)
    begin = _begin_of(call, door, data.recipient)
    if door.key_sealed is not None:
        await refresh(call, door, begin)
    return answer(await _manifest(call, door, data, begin))


@get(
    PATH + "files/{token:str}",
    actors=("public",),
    operation_id="read_share_link_file",
    tags=TAGS,
    problems=(LINK_NOT_FOUND,),
    produces=JOSE,
)
async def file(token: FromPath[str], call: NamedDependency[Call]) -> Response[bytes]:
    """One file of an opening, once: a compact JWE under the link's key."""
    async with call.begin_public() as tx:
        ticket = await opening.take_way(tx, token, call.now)
        if isinstance(ticket, Refused):
            return answer(ticket)
        recipient = await opening.words_of(tx, call.keys, ticket)
        found = await opening.file_of(tx, ticket.patient_id, ticket.link_id, ticket.content)
    if isinstance(found, Refused):
        return answer(found)
    data = await _bytes(call, ticket.patient_id, found)
    call.time_went_by()
    async with _begin_of(call, ticket, recipient)() as (tx, access):
        await _log(tx, call, access, found, data)
    return answer(data, media_type=JOSE)


async def _knock(call: Call, token: str, data: ManifestRequest) -> Door | Refused:
    """Find the link, and judge the passcode. The slow digest is made between two transactions."""
    async with call.begin_public() as tx:
        door = await opening.find(tx, token, call.now)
    if isinstance(door, Refused):
        return door
    if not data.passcode:
        return opening.missing(door)
    stretched = await passwords.stretched(call.keys, door.link_id, data.passcode, door.passcode_salt)
    call.time_went_by()
    async with call.begin_public() as tx:
        refused = await opening.check(
            tx, door, stretched, data.recipient, trace_id=call.request_id, now=call.now
        )
    return refused or door


def _begin_of(call: Call, opened: Door | Ticket, recipient: str) -> Any:
    """A transaction with the decision of what this link lets out now."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[tuple[Tx, Access]]:
        async with call.begin_public() as tx:
            access = await decide_link(
                tx, opened.patient_id, opened.link_id, opened.arming, recipient, call.now
            )
            if isinstance(access, Refused):
                raise ProblemError(access)
            yield tx, access

    return begin


async def _manifest(call: Call, door: Door, data: ManifestRequest, begin: Any) -> Manifest:
    """Bytes first, then the decision, the log and the notice in one transaction, then the answer."""
    call.time_went_by()
    async with begin() as (tx, _):
        files = await service.files_of(tx, door.patient_id, door.link_id)
    most = min(data.embedded_length_max or 0, EMBEDDED_MAX)
    contents = {one.content: await _bytes(call, door.patient_id, one) for one in files} if most else {}
    call.time_went_by()
    async with begin() as (tx, access):
        opening_id = await opening.note_opening(
            tx, call.keys, access, data.recipient, trace_id=call.request_id, now=call.now
        )
        listed = []
        for one in files:
            body = contents.get(one.content)
            if body is not None and len(body) <= most:
                await _log(tx, call, access, one, body)
                listed.append(_listed(one, embedded=body.decode()))
            else:
                way = await opening.make_way(tx, access, opening_id, one, call.now)
                listed.append(_listed(one, location=f"{call.origin}{PATH}files/{way}"))
    return Manifest(status="can-change" if door.key_sealed is not None else "finalized", files=listed)


def _listed(file: LinkFile, *, location: str | None = None, embedded: str | None = None) -> ManifestFile:
    return ManifestFile(
        contentType=FHIR,
        lastUpdated=file.updated_at,
        fhirVersion=FHIR_VERSION,
        location=location,
        embedded=embedded,
    )


async def _bytes(call: Call, patient_id: UUID, file: LinkFile) -> bytes:
    try:
        return await call.store.blobs.get(patient_id, file.blob_id)
    except BlobMissingError:
        # Taken back, or made anew, since the row was read.
        raise ProblemError(Refused(problem=LINK_NOT_FOUND)) from None


async def _log(tx: Tx, call: Call, access: Access, file: LinkFile, data: bytes) -> None:
    await log_read(tx, call, access, Built(data, opening.shown_in(file)), changed=True)


def _refusal(refused: Refused) -> Answer:
    """A wrong passcode in the words of the specification too: remainingAttempts."""
    if refused.problem is not PASSCODE_INVALID:
        return answer(refused)
    body = msgspec.json.decode(problem_body(refused)) | {"remainingAttempts": refused.remaining}
    headers = {"WWW-Authenticate": "Passcode"}
    return answer(msgspec.json.encode(body), 401, headers, PROBLEM_MEDIA_TYPE)


handlers: list[Any] = [manifest, file]
