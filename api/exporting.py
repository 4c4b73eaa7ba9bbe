"""The doors through which a record leaves as a file: exports and papers.

An export decides when it is asked for, when its rows are read and when its row is written, and is made
outside any transaction: what ended meanwhile lets nothing out. One at a time for each actor, few at a time in
all (S33). A person's own export is an act of the device's step-up key (S11). A content is decided again on
its way (S13).
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from api.citizen.grants import SignedAct, environment_of
from api.files import file_answer
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.reading import log_read, purpose_of, refuse_read
from api.request import Answer, Call, answer
from audit.policy import read_tag
from consent.decision import decide
from ehr.core.service import ask_core, currency, wants_core
from ehr.exports import bundle, ips, papers
from ehr.reads import summary
from ehr.reads.models import Built, Summary
from identity.devices import verify_step_up
from identity.problems import STEP_UP_REFUSED
from identity.signatures import canonical
from kernel.access import Access, Action, Actor
from kernel.problems import Refused, refuse
from store.database import Tx

EXPORT_TYP: Final = "export-record"
STEP_UP_HEADER: Final = "x-step-up"
STEP_UP_BYTES_MAX: Final = 12_000
PDF: Final = "application/pdf"
FHIR: Final = "application/fhir+json"

T = TypeVar("T")


@dataclass(frozen=True)
class Export(Generic[T]):
    """How one kind of export is made. part: its word in the log; gather runs in a transaction, build in a
    thread."""

    part: str
    name: str
    media_type: str
    gather: Callable[[Tx, Call, Access], Awaitable[T]]
    build: Callable[[T, Call], Built]


async def export_own(call: Call, kind: Export[Any]) -> Answer:
    """A person's own export, signed by the device."""
    return await _export(call, None, "export-record", kind)


async def export_patient(call: Call, patient_id: UUID, kind: Export[Any]) -> Answer:
    """What a grant lets a doctor take along."""
    return await _export(call, patient_id, "read-summary", kind)


async def _export(call: Call, patient_id: UUID | None, action: Action, kind: Export[Any]) -> Answer:
    with ExitStack() as held:
        async with call.begin() as (tx, actor):
            access = await decided(tx, call, actor, patient_id, action, kind.part)
            if isinstance(access, Answer):
                return access
            if patient_id is None and (refused := await _step_up(tx, call, access, kind.part)):
                return answer(refused)
            held.enter_context(call.export_slots.of(actor.actor_id))
            subject = access.patient_id
            waits = await wants_core(tx, call.core, subject, call.now, access.origins)
        if waits:
            await ask_core(call.store, call.clock, call.core, subject)
        # Rows are read when there is a place to work on them: a queue of people holds no records.
        async with call.export_slots.turn():
            call.time_went_by()
            async with call.begin() as (tx, actor):
                access = await decided(tx, call, actor, patient_id, action, kind.part)
                if isinstance(access, Answer):
                    return access
                gathered = await kind.gather(tx, call, access)
            built = await asyncio.to_thread(kind.build, gathered, call)
        return await _leave(call, patient_id, access, kind, built)


async def _leave(
    call: Call, patient_id: UUID | None, first: Access, kind: Export[Any], built: Built
) -> Answer:
    """Decide again, log, and let the bytes go after the commit."""
    call.time_went_by()
    async with call.begin() as (tx, actor):
        access = await decided(tx, call, actor, patient_id, first.action, kind.part)
        if isinstance(access, Answer):
            return access
        if _scope(access) != _scope(first):
            refuse(UNAVAILABLE)
        await log_read(tx, call, access, built, changed=True, part=kind.part)
    return file_answer(kind.name, kind.media_type, built.body)


async def decided(
    tx: Tx, call: Call, actor: Actor, patient_id: UUID | None, action: Action, part: str | None
) -> Access | Answer:
    """The Access to whose record a route names, or the answer of the logged refusal."""
    subject = call.patient_id_for(actor) if patient_id is None else patient_id
    access = await decide(tx, actor, subject, action, purpose_of(actor), call.now)
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
    return await summary.read(tx, call.keys, access, call.now, currency=cores)


async def _gather_ips(tx: Tx, call: Call, access: Access) -> ips.Gathered:
    return await ips.gather(tx, call.keys, access, await _summary(tx, call, access), call.now)


async def _gather_bundle(tx: Tx, call: Call, access: Access) -> bundle.Gathered:
    return await bundle.gather(tx, call.keys, access, call.now)


async def _gather_book(tx: Tx, call: Call, access: Access) -> papers.Gathered:
    return await papers.gather_book(tx, access, await _summary(tx, call, access), call.now)


def _build_sheet(built: Built, call: Call) -> Built:
    return papers.build_sheet(msgspec.json.decode(built.body, type=Summary), built.shown, call.now)


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
SHEET: Final = Export[Built](
    part="sheet", name="tom-tat-suc-khoe", media_type=PDF, gather=_summary, build=_build_sheet
)
