"""The doors through which a record leaves as a file: exports and papers.

An export decides when it is asked for, when its rows are read and when its row is written, and is made
outside any transaction: what ended meanwhile lets nothing out. Where the book itself moved meanwhile (an
entry was hidden, disputed, corrected) the file is made anew once, and then refused. On its way it is decided
about again, the book's head too (S13). One at a time for each actor, few at a time in all (S33). A person's
own export is an act of the device's step-up key (S11).
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, NoReturn, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from api.citizen.grants import SignedAct, environment_of
from api.files import StreamedFile, StreamEnd
from api.problems import INVALID_FIELD
from api.reading import log_read, purpose_of, refuse_read
from api.request import Answer, Call, answer
from audit.policy import read_tag
from audit.service import record_act
from consent.decision import decide
from consent.emergency_card import papers as card_papers
from consent.rights import everything
from consent.wishes import service as wishes
from ehr.core.service import ask_core, currency, wants_core
from ehr.exports import bundle, ips, papers
from ehr.exports.problems import EXPORT_OVERTAKEN
from ehr.letters import service as letters
from ehr.paper_proofs import printing
from ehr.paper_proofs import service as paper_proofs
from ehr.paper_proofs.service import ToPrint
from ehr.reads import summary
from ehr.reads.models import Built
from ehr.reads.queries import head_of
from identity.devices import verify_step_up
from identity.problems import STEP_UP_REFUSED
from identity.signatures import canonical
from kernel.access import Access, Action, Actor
from kernel.problems import ProblemError, Refused, refuse
from store import leases
from store.database import Tx
from vitals.copies import service as copies

EXPORT_TYP: Final = "export-record"
STEP_UP_HEADER: Final = "x-step-up"
STEP_UP_BYTES_MAX: Final = 12_000
# A book that moves while its file is made is read once more.
TIMES_MADE_MAX: Final = 2
RETRY_AFTER_SECONDS: Final = 5
PDF: Final = "application/pdf"
FHIR: Final = "application/fhir+json"
ZIP: Final = "application/zip"

T = TypeVar("T")


@dataclass(frozen=True)
class Export(Generic[T]):
    """How one kind of export is made. part: its word in the log; gather runs in a transaction, build in a
    thread; given in the transaction after which the bytes leave."""

    part: str
    name: str
    media_type: str
    gather: Callable[[Tx, Call, Access], Awaitable[T]]
    build: Callable[[T, Call], Built]
    given: Callable[[Tx, Access, datetime], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Made:
    """An export that is ready to leave, and what must still hold when it does. head: of the book it shows."""

    call: Call
    patient_id: UUID | None
    kind: Export[Any]
    access: Access
    head: int
    built: Built


async def export_own(call: Call, kind: Export[Any]) -> Response[Any]:
    """A person's own export, signed by the device."""
    return await _export(call, None, "export-record", kind)


async def print_own(call: Call, kind: Export[Any]) -> Response[Any]:
    """One paper of a book, for its person or a relative: what they may read anyway, with a code."""
    return await _export(call, None, "print-paper", kind)


async def export_patient(call: Call, patient_id: UUID, kind: Export[Any]) -> Response[Any]:
    """What a grant lets a doctor take along."""
    return await _export(call, patient_id, "read-summary", kind)


async def _export(call: Call, patient_id: UUID | None, action: Action, kind: Export[Any]) -> Response[Any]:
    call.can_wait = True
    with call.export_slots.expected():
        async with call.begin() as (tx, actor):
            access = await decided(tx, call, actor, patient_id, action, kind.part)
            if isinstance(access, Answer):
                return access
            if action == "export-record" and (refused := await _step_up(tx, call, access, kind.part)):
                return answer(refused)
            subject = access.patient_id
            waits = await wants_core(tx, call.core, subject, call.now, access.origins)
            # Whoever is told to come back comes with the same signed act: a refused lease uses none up.
            lease = await call.export_slots.take(tx, actor.actor_id, call.now)
    async with leases.keep(call.store, call.clock, lease):
        if waits:
            await ask_core(call.store, call.clock, call.core, subject)
        # Rows are read when there is a place to work on them: a queue of people holds no records.
        async with call.export_slots.turn():
            for _ in range(TIMES_MADE_MAX):
                made = await _make(call, patient_id, action, kind)
                if isinstance(made, Answer):
                    return made
                left = await _leave(made)
                if left is not None:
                    return left
    return answer(Refused(problem=EXPORT_OVERTAKEN, retry_after_seconds=RETRY_AFTER_SECONDS))


async def _make(call: Call, patient_id: UUID | None, action: Action, kind: Export[Any]) -> Made | Answer:
    """Decide, read the rows, and make the file outside the transaction."""
    call.time_went_by()
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, action, kind.part)
        if isinstance(access, Answer):
            return access
        # Before the rows: a write between the two makes the file look old, never young.
        head = (await head_of(tx, access.patient_id)).head_seq
        gathered = await kind.gather(tx, call, access)
    built = await asyncio.to_thread(kind.build, gathered, call)
    return Made(call, patient_id, kind, access, head, built)


async def _leave(made: Made) -> Response[Any] | None:
    """Decide again, log, and let the bytes go after the commit. None when they show what no longer stands."""
    call = made.call
    call.time_went_by()
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, made.patient_id, made.access.action, made.kind.part)
        if isinstance(access, Answer):
            return access
        if not await _stands(tx, made, access):
            return None
        await log_read(tx, call, access, made.built, changed=True, part=made.kind.part)
        if made.kind.given is not None:
            await made.kind.given(tx, access, call.now)
    return _stream(made)


async def _stands(tx: Tx, made: Made, access: Access) -> bool:
    """Whether this Access lets out as much as the one the file was made under, and the book has not moved."""
    head = await head_of(tx, access.patient_id)
    return _scope(access) == _scope(made.access) and head.head_seq == made.head


def _stream(made: Made) -> StreamedFile:
    async def again() -> bool:
        return await _may_go_on(made)

    async def finish(end: StreamEnd) -> None:
        if end != "whole":
            await _log_cut(made, end)

    return StreamedFile(made.kind.name, made.kind.media_type, made.built.body, again, finish)


async def _may_go_on(made: Made) -> bool:
    """Session, grant and head once more; what cannot be decided ends the stream."""
    call = made.call
    call.time_went_by()
    try:
        async with call.begin() as (tx, actor):
            access = await decided(tx, call, actor, made.patient_id, made.access.action, made.kind.part)
            return not isinstance(access, Answer) and await _stands(tx, made, access)
    except (ProblemError, TimeoutError, OSError):
        return False


async def _log_cut(made: Made, end: StreamEnd) -> None:
    """The first row says that the file left; this one, that not all of it did."""
    call, access = made.call, made.access
    call.time_went_by()
    async with call.store.transaction() as tx:
        await record_act(
            tx,
            access.patient_id,
            access.actor,
            f"record:{made.kind.part}:cut",
            purpose=access.purpose,
            grant_id=access.basis_id,
            grant_version=access.basis_version,
            outcome="refused" if end == "no-access" else "ok",
            reason=end,
            request_id=call.request_id,
            now=call.now,
            on_behalf_of=access.on_behalf_of,
        )


async def decided(
    tx: Tx, call: Call, actor: Actor, patient_id: UUID | None, action: Action, part: str | None
) -> Access | Answer:
    """The Access to whose record a route names, or the answer of the logged refusal."""
    subject = call.patient_id_for(actor) if patient_id is None else patient_id
    access = await decide(tx, actor, subject, action, purpose_of(actor), call.now, keys=call.keys)
    if isinstance(access, Refused):
        return answer(await refuse_read(tx, call, subject, actor, read_tag(action, part), access))
    return access


def _scope(access: Access) -> tuple[object, ...]:
    limits = (access.types, access.since, access.until, access.withheld_labels, access.origins)
    return access.patient_id, access.basis_id, access.basis_version, *limits


async def _step_up(tx: Tx, call: Call, access: Access, part: str) -> Refused | None:
    """The header X-Step-Up: base64url of a SignedAct in JSON, over what is exported."""
    text = call.header(STEP_UP_HEADER)
    actor = access.actor
    if text is None:
        refuse(INVALID_FIELD, "X-Step-Up")
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    act = _read_act(text)
    body: dict[str, str | int] = {
        "typ": EXPORT_TYP,
        "environment": environment_of(call),
        "patient_id": str(access.patient_id),
        "device_id": str(actor.device_id),
        "nonce": act.nonce,
        "iat": act.iat,
        "exp": act.exp,
        "export": part,
    }
    outcome = await verify_step_up(
        tx,
        access.patient_id,
        actor.device_id,
        EXPORT_TYP,
        canonical(body),
        act.signature,
        call.now,
        environment=environment_of(call),
    )
    return outcome if isinstance(outcome, Refused) else None


def _read_act(text: str) -> SignedAct:
    try:
        if len(text) > STEP_UP_BYTES_MAX:
            raise ValueError
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=SignedAct)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        refuse(INVALID_FIELD, "X-Step-Up")


async def _summary(tx: Tx, call: Call, access: Access) -> Built:
    cores = await currency(tx, call.core, access.patient_id, call.now, access.origins)
    days = call.elsewhere_days
    return await summary.read(tx, call.keys, access, call.now, elsewhere_days=days, currency=cores)


async def _gather_ips(tx: Tx, call: Call, access: Access) -> ips.Gathered:
    return await ips.gather(tx, call.keys, access, await _summary(tx, call, access), call.now)


async def _gather_bundle(tx: Tx, call: Call, access: Access) -> bundle.Gathered:
    return await bundle.gather(tx, call.keys, access, call.now)


async def _gather_book(tx: Tx, call: Call, access: Access) -> papers.Gathered:
    gathered = await papers.gather_book(tx, access, await _summary(tx, call, access), call.now)
    beside = await wishes.on_paper(tx, call.keys, access.patient_id)
    return msgspec.structs.replace(gathered, beside=beside)


async def _gather_sheet(tx: Tx, call: Call, access: Access) -> papers.GatheredSheet:
    return await papers.gather_sheet(tx, access, await _summary(tx, call, access), call.now)


async def _gather_card(tx: Tx, call: Call, access: Access) -> card_papers.Gathered:
    cores = await currency(tx, call.core, access.patient_id, call.now, access.origins)
    gathered = await card_papers.gather(tx, call.keys, access, origin_of(call), call.now, cores)
    return gathered if not isinstance(gathered, Refused) else _raise(gathered)


def _raise(refused: Refused) -> NoReturn:
    raise ProblemError(refused)


def origin_of(call: Call) -> str:
    """Where this installation's pages stand."""
    return call.browser_origin.origin if call.browser_origin else ""


async def _gather_everything(tx: Tx, call: Call, access: Access) -> everything.Gathered:
    measured = copies.lots_of(tx, access.patient_id)
    return await everything.gather(tx, call.keys, access, call.now, measured)


def paper_of(paper_id: str) -> Export[ToPrint]:
    """The print of one paper."""

    async def gather(tx: Tx, call: Call, access: Access) -> ToPrint:
        found = await paper_proofs.prepare(tx, call.keys, access, paper_id, call.origin, call.now)
        return found if not isinstance(found, Refused) else _raise(found)

    return Export(
        part="paper",
        name="giay-to",
        media_type=PDF,
        gather=gather,
        build=lambda gathered, call: printing.build(gathered, call.now),
    )


def letter_of(letter_id: str) -> Export[ToPrint]:
    """The print of one letter."""

    async def gather(tx: Tx, call: Call, access: Access) -> ToPrint:
        asked = letter_id, call.origin, call.letter_validity, call.now
        found = await letters.prepare(tx, call.keys, access, *asked)
        return found if not isinstance(found, Refused) else _raise(found)

    return Export(
        part="letter",
        name="phieu",
        media_type=PDF,
        gather=gather,
        build=lambda gathered, call: printing.build(gathered, call.now),
    )


IPS: Final = Export[ips.Gathered](
    part="ips",
    name="tom-tat-suc-khoe",
    media_type=FHIR,
    gather=_gather_ips,
    build=lambda gathered, call: ips.build(gathered, call.now),
)
BUNDLE: Final = Export[bundle.Gathered](
    part="bundle",
    name="so-suc-khoe",
    media_type=FHIR,
    gather=_gather_bundle,
    build=lambda gathered, call: bundle.build(gathered, call.now),
)
BOOK: Final = Export[papers.Gathered](
    part="book",
    name="so-suc-khoe",
    media_type=PDF,
    gather=_gather_book,
    build=lambda gathered, call: papers.build_book(gathered, call.now),
)
SHEET: Final = Export[papers.GatheredSheet](
    part="sheet",
    name="tom-tat-suc-khoe",
    media_type=PDF,
    gather=_gather_sheet,
    build=lambda gathered, call: papers.build_sheet(gathered.summary, gathered.shown, call.now),
)
CARD: Final = Export[card_papers.Gathered](
    part="emergency-card",
    name="the-khan-cap",
    media_type=PDF,
    gather=_gather_card,
    build=lambda gathered, call: card_papers.build(gathered, call.now),
)
EVERYTHING: Final = Export[everything.Gathered](
    part="everything",
    name="tat-ca-du-lieu",
    media_type=ZIP,
    gather=_gather_everything,
    build=lambda gathered, _call: everything.build(gathered),
    given=everything.note_given,
)
