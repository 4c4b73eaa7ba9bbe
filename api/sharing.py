"""The files of a SMART Health Link: read under the Access that leaves labels and hidden things out, made and
encrypted outside any transaction, kept among the person's blobs.

A link is made like an export (api/exporting.py): decided when it is asked for, when its rows are read and
when it is written; one at a time for each person, few at a time in all (security.md S33). A long-term link
whose book moved is made anew when it is opened.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from api.exporting import BOOK, IPS, PDF, RETRY_AFTER_SECONDS, SHEET, TIMES_MADE_MAX, Export
from api.request import Call
from consent.links import service
from consent.links.models import Document, Door, NewFile, Wish
from consent.links.policy import FILES_BYTES_MAX
from consent.links.problems import LINK_TOO_LARGE
from consent.links.service import Draft
from consent.links.wire import KEY_BYTES, encrypt, wrapped
from ehr.core.service import ask_core, wants_core
from ehr.exports import contents
from ehr.exports.contents import CONTENT_NOT_FOUND, Content
from ehr.exports.problems import EXPORT_OVERTAKEN
from ehr.reads.models import Built
from ehr.reads.queries import head_of
from identity.tokens import new_secret
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from store.blobs import BlobError
from store.database import Tx
from store.fields import unseal

_PAPERS: Final[dict[str, tuple[Export[Any], str]]] = {
    "book": (BOOK, "Sổ sức khỏe"),
    "sheet": (SHEET, "Tóm tắt sức khỏe một trang"),
}
DOCUMENT_TITLE: Final = "Giấy tờ trong sổ"

# A transaction with the decision of what the link lets out; raises its refusal.
Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[tuple[Tx, Access]]]


class Clear(Struct, frozen=True):
    """A file before it is encrypted."""

    content: str
    body: bytes
    shown: list[tuple[str, str]]


class _Gathered(Struct, frozen=True):
    head_seq: int
    parts: list[tuple[str, Any]]


async def draft_link(call: Call, wish: Wish, link_id: UUID, begin: Begin) -> Draft:
    """Everything of a new link but its row.

    Raises content-not-found, link-too-large, export-overtaken; what was put is deleted then.
    """
    key = secrets.token_bytes(KEY_BYTES)
    access, head_seq, clear = await _make(call, contents_of(wish), begin)
    lock = await service.make_lock(call.keys, link_id, wish.passcode)
    return Draft(
        patient_id=access.patient_id,
        link_id=link_id,
        # Whole seconds, as the payload says it.
        expires_at=call.now.replace(microsecond=0) + timedelta(seconds=wish.duration_seconds),
        secret=new_secret(),
        key=key,
        lock=lock,
        wish=wish,
        files=await _put(call, access.patient_id, key, clear),
        head_seq=head_seq,
    )


async def refresh(call: Call, door: Door, begin: Begin) -> None:
    """Make the files of a long-term link anew where the book moved since. Of two at once one counts.

    Raises export-busy and export-overtaken; a document that is gone falls out of the link.
    """
    person, link_id = door.patient_id, door.link_id
    assert door.key_sealed is not None
    async with begin() as (tx, _):
        if (await head_of(tx, person)).head_seq == door.head_seq:
            return
    key = bytes.fromhex(unseal(call.keys, person, service.TABLE, "key_sealed", door.key_sealed))
    # A long-term link is made anew for whoever opens it: the link is the actor.
    async with call.export_slots.of(call.store, call.clock, link_id):
        _, head_seq, clear = await _make(call, door.contents, begin, is_anew=True)
        files = await _put(call, person, key, clear)
    async with begin() as (tx, _):
        unnamed = await service.replace_files(tx, door, head_seq, files, call.now)
    await forget(call, person, unnamed)


def contents_of(wish: Wish) -> list[str]:
    """The names of what a link holds; the summary is always in it."""
    documents = [f"document/{one.id}/{one.attachment}" for one in wish.documents]
    return ["ips", *wish.papers, *documents]


async def forget(call: Call, patient_id: UUID, blob_ids: Iterable[UUID]) -> None:
    """Delete blobs that nothing names. One that cannot be reached now stays, encrypted under a lost key."""
    for blob_id in blob_ids:
        try:
            await call.store.blobs.delete(patient_id, blob_id)
        except BlobError:
            return


async def _make(
    call: Call, names: list[str], begin: Begin, *, is_anew: bool = False
) -> tuple[Access, int, list[Clear]]:
    """Read and build, once more where the book moved meanwhile."""
    async with call.export_slots.turn():
        for _ in range(TIMES_MADE_MAX):
            gathered = await _gather(call, names, begin, is_anew=is_anew)
            clear = [await _build(call, name, part) for name, part in gathered.parts]
            if sum(len(file.body) for file in clear) > FILES_BYTES_MAX:
                raise ProblemError(Refused(problem=LINK_TOO_LARGE))
            async with begin() as (tx, now_allowed):
                if (await head_of(tx, now_allowed.patient_id)).head_seq == gathered.head_seq:
                    return now_allowed, gathered.head_seq, clear
    raise ProblemError(Refused(problem=EXPORT_OVERTAKEN, retry_after_seconds=RETRY_AFTER_SECONDS))


async def _gather(call: Call, names: list[str], begin: Begin, *, is_anew: bool) -> _Gathered:
    """All rows in one transaction, after another core was asked, outside it, for what it has."""
    may_wait = True
    while True:
        call.time_went_by()
        async with begin() as (tx, access):
            if not (
                may_wait and await wants_core(tx, call.core, access.patient_id, call.now, access.origins)
            ):
                head = (await head_of(tx, access.patient_id)).head_seq
                parts = [(name, await _part(tx, call, access, name)) for name in names]
                if not is_anew and any(part is None for _, part in parts):
                    raise ProblemError(Refused(problem=CONTENT_NOT_FOUND))
                return _Gathered(head, [part for part in parts if part[1] is not None])
        await ask_core(call.store, call.clock, call.core, access.patient_id)
        may_wait = False


async def _part(tx: Tx, call: Call, access: Access, name: str) -> Any:
    """The rows behind one file; None for a document that this Access does not let out. What another core
    keeps is not passed on: its labels are known only when its bytes are."""
    if name == "ips":
        return await IPS.gather(tx, call, access)
    if name in _PAPERS:
        return await _PAPERS[name][0].gather(tx, call, access)
    document = document_of(name)
    found = await contents.content_of(tx, access, document.id, document.attachment, call.now, None)
    return found if isinstance(found, Content) else None


async def _build(call: Call, name: str, part: Any) -> Clear:
    if isinstance(part, Content):
        body = wrapped("giay-to", DOCUMENT_TITLE, part.media_type, part.data, call.now)
        return Clear(name, body, [(part.rtype, part.id)])
    if name == "ips":
        made = await asyncio.to_thread(IPS.build, part, call)
        return Clear(name, made.body, made.shown)
    kind, title = _PAPERS[name]
    paper: Built = await asyncio.to_thread(kind.build, part, call)
    return Clear(name, wrapped(kind.name, title, PDF, paper.body, call.now), paper.shown)


async def _put(call: Call, patient_id: UUID, key: bytes, clear: list[Clear]) -> list[NewFile]:
    """Encrypt and keep. A store that fails half-way keeps nothing of it."""
    put: list[NewFile] = []
    try:
        for file in clear:
            data = await asyncio.to_thread(encrypt, file.body, key)
            blob = await call.store.blobs.put(patient_id, data)
            put.append(NewFile(file.content, blob.blob_id, file.shown))
    except BaseException:
        await forget(call, patient_id, [file.blob_id for file in put])
        raise
    return put


def document_of(name: str) -> Document:
    _, ident, number = name.split("/")
    return msgspec.convert({"id": ident, "attachment": int(number)}, Document)
