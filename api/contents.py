"""Contents of documents on their way out: decided before, logged, and decided again while they flow (S13).

A content that another core or a file of ours keeps is asked for between two transactions: the second decides
anew and looks whether the document still says the same. While the core does not answer, nothing leaves and
the reader is told when to come back.
"""

from typing import Any
from uuid import UUID

from litestar import Response

from api.exporting import decided
from api.files import StreamedFile, StreamEnd
from api.problems import UNAVAILABLE
from api.reading import log_read
from api.request import Answer, Call, answer
from audit.service import record_act
from ehr.exports import contents
from ehr.exports.contents import Content, Elsewhere, InFile, Scanned
from ehr.exports.problems import CONTENT_TOO_LARGE
from ehr.ports import CoreError
from ehr.reads.models import Built
from kernel.access import Access, Label
from kernel.problems import ProblemError, Refused
from store.blobs import BlobMissingError


async def stream_content(
    call: Call, patient_id: UUID | None, document_id: str, attachment: int
) -> Response[Any]:
    """The content of a document, piece by piece, for as long as the decision holds."""
    there: Elsewhere | InFile | None = None
    scanned: Scanned | None = None
    while True:
        async with call.begin() as (tx, actor):
            access = await decided(tx, call, actor, patient_id, "read-document", None)
            if isinstance(access, Answer):
                return access
            found = await contents.content_of(tx, access, document_id, attachment, call.now, call.core)
            if there is not None and found == there:
                found = contents.let_out(access, there, scanned)
            if isinstance(found, Refused):
                return answer(found)
            if isinstance(found, Content):
                built = Built(found.data, [(found.rtype, found.id)])
                await log_read(tx, call, access, built, changed=True)
                return _stream(call, patient_id, access, found)
        if there is not None:
            return answer(Refused(problem=UNAVAILABLE))
        there, asked = found, await _ask(call, actor.actor_id, found)
        if isinstance(asked, Refused):
            return answer(asked)
        scanned = asked
        call.time_went_by()


async def _ask(call: Call, actor_id: UUID, there: Elsewhere | InFile) -> Scanned | Refused | None:
    """The content from the core or its file, one at a time for each actor; outside any transaction."""
    if isinstance(there, InFile):
        return await _opened(call, actor_id, there)
    assert call.core is not None, "only a core has contents elsewhere"
    try:
        async with call.export_slots.of(call.store, call.clock, actor_id):
            return await contents.fetch(call.core, there)
    except CoreError as error:
        if error.fault == "too-large":
            return Refused(problem=CONTENT_TOO_LARGE)
        return Refused(problem=UNAVAILABLE, retry_after_seconds=error.retry_after_seconds)


async def _opened(call: Call, actor_id: UUID, there: InFile) -> Scanned | None:
    async with call.export_slots.of(call.store, call.clock, actor_id):
        try:
            return Scanned(await call.store.blobs.get(there.patient_id, there.blob_id), Label.NONE)
        except BlobMissingError:
            return None


def _stream(call: Call, patient_id: UUID | None, access: Access, content: Content) -> StreamedFile:
    async def again() -> bool:
        return await _may_go_on(call, patient_id, content.id)

    async def finish(end: StreamEnd) -> None:
        await _log_end(call, access, content, end)

    return StreamedFile("tai-lieu", content.media_type, content.data, again, finish)


async def _may_go_on(call: Call, patient_id: UUID | None, document_id: str) -> bool:
    """Session, grant and row once more; what cannot be decided ends the stream."""
    call.time_went_by()
    try:
        async with call.begin() as (tx, actor):
            access = await decided(tx, call, actor, patient_id, "read-document", None)
            if isinstance(access, Answer):
                return False
            return await contents.is_still_there(tx, access, document_id, call.now)
    except (ProblemError, TimeoutError, OSError):
        return False


async def _log_end(call: Call, access: Access, content: Content, end: StreamEnd) -> None:
    call.time_went_by()
    async with call.store.transaction() as tx:
        await record_act(
            tx,
            access.patient_id,
            access.actor,
            "record:document:sent" if end == "whole" else "record:document:cut",
            purpose=access.purpose,
            grant_id=access.basis_id,
            grant_version=access.basis_version,
            resources=[(content.rtype, content.id)],
            outcome="refused" if end == "no-access" else "ok",
            reason=None if end == "whole" else end,
            request_id=call.request_id,
            now=call.now,
            on_behalf_of=access.on_behalf_of,
        )
