"""The one way a record is read over HTTP: decide → build → log → commit → bytes.

Everything happens in one transaction, and the bytes leave after its commit. When the log cannot be written
the answer is 503 and no byte of the record leaves. The person's own whole answers carry an ETag made of the
record's head, so an own 304 builds and logs nothing; every other one is an HMAC over grant and bytes
(security.md S32), and its 304 is logged as `unchanged` unless the person's own eyes saw it all before.
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias
from uuid import UUID

from litestar.params import QueryParameter
from msgspec import Struct

from api.acting import OWN_PURPOSE, begin_for
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.request import Answer, Call, answer
from audit.policy import read_tag
from audit.service import record_act, record_read
from consent.decision import decide
from consent.emergency_card import opening
from consent.problems import NO_ACCESS
from documents.charts import MEDIA_TYPE as SVG
from ehr.core.service import ask_core, currency, wants_core
from ehr.displays import DISPLAY_VERSION
from ehr.growth import service as growth
from ehr.growth.chart import picture
from ehr.imaging import viewer
from ehr.imaging.problems import TICKET_ENDED
from ehr.models import Section
from ehr.pregnancy import reading as pregnancies
from ehr.reads import changes, one, search, sections, summary, timeline, trend
from ehr.reads.models import Built
from ehr.reads.queries import head_of
from ehr.reads.raw import encode
from family.problems import NOT_IN_YOUR_CARE, NOT_YOUR_BOOK
from identity import budgets
from identity.problems import ACCOUNT_HELD, DEVICE_ON_PROBATION, TOO_MANY
from identity.sessions import actor_of_session
from kernel.access import Access, Action, Actor
from kernel.clock import local_day
from kernel.paging import BAD_CURSOR, CURSOR_MAX, PAGE_MAX
from kernel.problems import ProblemError, Refused
from store.database import Tx
from store.keys import KeyRing
from vitals.sight import sight_of

PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

Build: TypeAlias = Callable[[Tx, Access], Awaitable[Built]]

Cursor: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=CURSOR_MAX, description="`next` of the page before.")
]
Limit: TypeAlias = Annotated[int | None, QueryParameter(ge=1, le=PAGE_MAX, description="Items per page.")]
Code: TypeAlias = Annotated[
    str, QueryParameter(min_length=1, max_length=100, description="The test's code, as results show it.")
]
Words: TypeAlias = Annotated[
    str,
    QueryParameter(name="q", min_length=2, max_length=100, description="Words, with or without tone marks."),
]

OWN_PROBLEMS = (INVALID_FIELD, BAD_CURSOR, NOT_YOUR_BOOK, ACCOUNT_HELD, DEVICE_ON_PROBATION, UNAVAILABLE)
MEASURED_PROBLEMS = (
    INVALID_FIELD,
    NOT_YOUR_BOOK,
    NOT_IN_YOUR_CARE,
    ACCOUNT_HELD,
    DEVICE_ON_PROBATION,
    UNAVAILABLE,
)
DOCTOR_PROBLEMS = (INVALID_FIELD, BAD_CURSOR, NO_ACCESS, TOO_MANY, UNAVAILABLE)


async def read_record(
    call: Call,
    patient_id: UUID | None,
    action: Action,
    build: Build,
    part: str | None = None,
    media_type: str = "application/json",
    *,
    is_beside: bool = False,
) -> Answer:
    """Answer one read. patient_id: the doctor's path, None for a /v1/me route; part: the section; is_beside:
    something beside the record is shown as well, which changes without a write of it: the ETag is of bytes.

    Where another core must be asked first, that happens between two transactions, and the second decides
    anew: what ended meanwhile opens nothing.
    """
    may_wait = True
    while True:
        async with call.begin() as (tx, actor):
            subject = call.patient_id_for(actor) if patient_id is None else patient_id
            access = await decide(tx, actor, subject, action, purpose_of(actor), call.now, keys=call.keys)
            if isinstance(access, Refused):
                return answer(await refuse_read(tx, call, subject, actor, read_tag(action, part), access))
            if not (may_wait and await wants_core(tx, call.core, subject, call.now, access.origins)):
                answer_it = _own if _is_whole(access) and not is_beside else _shared
                return await answer_it(tx, call, access, build, part, media_type)
        await ask_core(call.store, call.clock, call.core, subject)
        call.time_went_by()
        may_wait = False


async def read_beside_record(
    call: Call,
    action: Action,
    build: Build,
    *,
    is_logged: bool,
    part: str | None = None,
    media_type: str = "application/json",
) -> Answer:
    """What the service keeps about the signed-in person beside the record: the access log, the inbox; or
    makes of record and other data together (part: its name in the log).

    No ETag: the log changes by being read, and other data without a write of the record.
    """
    async with begin_for(call, action) as (tx, access):
        built = await build(tx, access)
        if is_logged:
            await log_read(tx, call, access, built, changed=True, part=part)
        return answer(built.body, headers=_inert(media_type), media_type=media_type)


async def read_measured(
    call: Call,
    patient_id: UUID | None,
    action: Action,
    build: Build,
    part: str,
    media_type: str = "application/json",
) -> Answer:
    """What the person's own devices measured: decided and logged like a read of the record, but neither a
    record's head nor another core moves with it, so every ETag is one of the bytes. An own 304 is no row here
    either.

    A grant or a link that does not name the category is refused like none: an empty answer would say that
    nothing was measured.
    """
    async with call.begin() as (tx, actor):
        subject = call.patient_id_for(actor) if patient_id is None else patient_id
        access = await decide(tx, actor, subject, action, purpose_of(actor), call.now, keys=call.keys)
        if isinstance(access, Access) and sight_of(access) is None:
            access = Refused(problem=NOT_IN_YOUR_CARE if actor.kind == "citizen" else NO_ACCESS)
        if isinstance(access, Refused):
            return answer(await refuse_read(tx, call, subject, actor, read_tag(action, part), access))
        return await _shared(tx, call, access, build, part, media_type)


def _is_whole(access: Access) -> bool:
    """The person's own view with nothing left out. Where a device on probation gets less, the record's
    head would tell of what it does not get."""
    unbound = access.types is None and access.since is None and access.until is None
    return access.is_own and unbound and not access.withheld_labels


async def _own(tx: Tx, call: Call, access: Access, build: Build, part: str | None, media_type: str) -> Answer:
    # Read before the rows: a write in between makes the next conditional read a full one.
    head = await head_of(tx, access.patient_id)
    # Views are made anew and people grow older without a write, so version and day are part of it.
    day = f"{local_day(call.now):%Y%m%d}"
    cores = await currency(tx, call.core, access.patient_id, call.now, access.origins)
    version = f"{head.head_seq}-{head.item_version}.{DISPLAY_VERSION}{cores.mark}"
    # Rows of a merged person come and go from sight without a write (security.md S10).
    if access.origins:
        names = b"".join(sorted(origin.bytes for origin in access.origins))
        version += f".{hashlib.sha256(names).hexdigest()[:8]}"
    etag = f'W/"{access.patient_id}-{version}-{day}"'
    if holds(call, etag):
        return _unchanged(etag)
    built = await build(tx, access)
    await log_read(tx, call, access, built, changed=True, part=part)
    return answer(built.body, headers={"ETag": etag} | _inert(media_type), media_type=media_type)


async def _shared(
    tx: Tx, call: Call, access: Access, build: Build, part: str | None, media_type: str
) -> Answer:
    built = await build(tx, access)
    etag = shared_etag(call.keys, access, built.body)
    unchanged = holds(call, etag)
    if not (unchanged and _is_whole(access)):
        await log_read(tx, call, access, built, changed=not unchanged, part=part)
    if unchanged:
        return _unchanged(etag)
    return answer(built.body, headers={"ETag": etag} | _inert(media_type), media_type=media_type)


def _inert(media_type: str) -> dict[str, str]:
    """A picture that somebody opens by itself runs nothing and loads nothing (security.md S35)."""
    return {"Content-Security-Policy": PICTURE_POLICY} if media_type == SVG else {}


def shared_etag(keys: KeyRing, access: Access, body: bytes) -> str:
    """HMAC over the grant and the bytes: always the same form and length, and nothing to guess."""
    _, key = keys.secret("cursor")
    basis = access.basis_id.bytes if access.basis_id else access.basis.encode()
    digest = hmac.digest(key, basis + body, hashlib.sha256)
    return f'W/"{base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}"'


async def log_read(
    tx: Tx, call: Call, access: Access, built: Built, *, changed: bool, part: str | None = None
) -> None:
    """Write the row of this answer; without it nothing leaves."""
    try:
        await record_read(
            tx,
            access,
            resources=built.shown,
            body=built.body,
            outcome="ok" if changed else "unchanged",
            request_id=call.request_id,
            now=call.now,
            part=part,
        )
    except Exception as error:
        raise ProblemError(Refused(problem=UNAVAILABLE)) from error


async def refuse_read(tx: Tx, call: Call, subject: UUID, actor: Actor, tag: str, refused: Refused) -> Refused:
    """A stranger's attempt stands in the log of the person it aimed at; an unknown id costs the same.

    Beyond the day's budget the answer says nothing of anybody and no row is written: rows would grow with
    requests, and a person's log would be flooded.
    """
    if actor.kind == "citizen":
        return refused
    spent = await budgets.charge_or_refuse(
        tx, budgets.REFUSED_READS_DAY, budgets.subject(actor.actor_id.bytes), call.now
    )
    if spent is not None:
        return spent
    await record_act(
        tx,
        subject,
        actor,
        tag,
        purpose=purpose_of(actor),
        outcome="refused",
        reason=refused.problem.code,
        request_id=call.request_id,
        now=call.now,
    )
    return refused


def purpose_of(actor: Actor) -> str:
    # v3-ActReason: a person's own request, or treatment.
    return OWN_PURPOSE if actor.kind == "citizen" else "TREAT"


def holds(call: Call, etag: str) -> bool:
    """Whether If-None-Match names this ETag, compared weakly (RFC 9110 §13.1.2)."""
    header = call.header("if-none-match")
    if header is None:
        return False
    return any(held.strip().removeprefix("W/") == etag.removeprefix("W/") for held in header.split(","))


def kept_by_anybody(call: Call, result: Struct, max_age_seconds: int, vary: str | None = None) -> Answer:
    """An answer that anybody may keep for so long: it is the same for everybody, or for everybody who sends
    the same header `vary`."""
    body = encode(result)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age_seconds}"}
    if vary is not None:
        headers["Vary"] = vary
    if holds(call, etag):
        return answer(None, status=304, headers=headers)
    return answer(body, headers=headers)


def _unchanged(etag: str) -> Answer:
    return answer(None, status=304, headers={"ETag": etag})


async def read_summary(call: Call, patient_id: UUID | None) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        cores = await currency(tx, call.core, access.patient_id, call.now, access.origins)
        return await summary.read(
            tx, call.keys, access, call.now, elsewhere_days=call.elsewhere_days, currency=cores
        )

    return await read_record(call, patient_id, "read-summary", build)


async def read_timeline(
    call: Call,
    patient_id: UUID | None,
    cursor: str | None,
    limit: int | None,
    wanted: timeline.Wanted = timeline.ALL,
) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await timeline.read(tx, access, cursor, limit, call.now, wanted)

    return await read_record(call, patient_id, "read-timeline", build)


async def read_section(
    call: Call, patient_id: UUID | None, section: Section, cursor: str | None, limit: int | None
) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await sections.read(tx, access, section, cursor, limit, call.now)

    if section == "documents":
        return await read_record(call, patient_id, "read-document", build)
    return await read_record(call, patient_id, "read-section", build, section)


async def read_visit(call: Call, patient_id: UUID | None, ident: str) -> Answer:
    """One visit, which is a piece of the timeline: who may not read that, reads no visit whole."""

    async def build(tx: Tx, access: Access) -> Built:
        return await one.visit(tx, access, ident, call.now)

    return await read_record(call, patient_id, "read-timeline", build)


async def read_result(call: Call, patient_id: UUID | None, ident: str) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await one.result(tx, access, ident, call.now)

    return await read_record(call, patient_id, "read-section", build, "results")


async def read_pregnancy(call: Call, patient_id: UUID | None) -> Answer:
    """The log says programmes: the guardian who reads a child's log learns nothing (security.md S23)."""

    async def build(tx: Tx, access: Access) -> Built:
        return await pregnancies.read(tx, access, call.now)

    return await read_record(call, patient_id, "read-section", build, "programmes")


async def read_trend(call: Call, patient_id: UUID | None, code: str) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await trend.read(tx, access, code, call.now)

    return await read_record(call, patient_id, "read-trend", build)


async def read_growth(call: Call, patient_id: UUID | None, chart: str | None = None) -> Answer:
    """A child's growth, or the picture of one measure of it by its name."""

    async def build(tx: Tx, access: Access) -> Built:
        found = await growth.gather(tx, call.keys, access, call.now)
        if isinstance(found, Refused):
            raise ProblemError(found)
        body = encode(found[0]) if chart is None else picture(found[0], chart)
        if isinstance(body, Refused):
            raise ProblemError(body)
        return Built(body, found[1])

    media_type = "application/json" if chart is None else SVG
    return await read_record(call, patient_id, "read-trend", build, "growth", media_type)


async def search_record(
    call: Call, patient_id: UUID | None, words: str, cursor: str | None, limit: int | None
) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await search.read(tx, access, words, cursor, limit, call.now)

    return await read_record(call, patient_id, "search", build)


async def read_changes(call: Call, since: str | None, limit: int | None) -> Answer:
    async def build(tx: Tx, access: Access) -> Built:
        return await changes.read(tx, call.keys, access, since, limit, call.now)

    return await read_record(call, None, "read-changes", build)


async def ask_for_viewer(call: Call, patient_id: UUID | None, study_id: str) -> Answer:
    """A way to the facility's viewer: decided and logged like every read."""

    async def build(tx: Tx, access: Access) -> Built:
        ticket = await viewer.ask(tx, access, study_id, call.now)
        if isinstance(ticket, Refused):
            raise ProblemError(ticket)
        return Built(encode(ticket), [("ImagingStudy", study_id)])

    return await read_record(call, patient_id, "read-document", build, "imaging")


async def open_viewer(call: Call, text: str) -> Answer:
    """Follow a ticket. Who asked is decided about anew, so it ends with session, grant and sight; a ticket
    that was refused is used up too."""
    async with call.begin_public() as tx:
        ticket = await viewer.take(tx, text, call.now)
        if isinstance(ticket, Refused):
            return answer(ticket)
        actor = await actor_of_session(tx, ticket.actor_id, ticket.session_id, call.now)
        if actor is None:
            return answer(Refused(problem=TICKET_ENDED))
        purpose = purpose_of(actor)
        access = await decide(
            tx, actor, ticket.patient_id, "read-document", purpose, call.now, keys=call.keys
        )
        if isinstance(access, Refused):
            return answer(Refused(problem=TICKET_ENDED))
        address = await viewer.address(tx, access, ticket.study_id, call.now)
        if isinstance(address, Refused):
            return answer(address)
        built = Built(b"", [("ImagingStudy", ticket.study_id)])
        await log_read(tx, call, access, built, changed=True, part="viewer")
    return answer(None, status=303, headers={"Location": address})


async def open_emergency_card(call: Call, token: str) -> Answer:
    """Open a card by its code: nobody is signed in, and nobody waits for another core."""
    async with call.begin_public() as tx:
        opened = await opening.open_card(tx, token, call.network_prefix(), call.now)
        return await _show_card(tx, call, opened)


async def preview_emergency_card(call: Call) -> Answer:
    """What the own card shows, for the lock screen."""
    async with begin_for(call, "read-emergency-card") as (tx, access):
        return await _show_card(tx, call, await opening.preview(tx, access))


async def _show_card(tx: Tx, call: Call, opened: opening.Opened | Refused) -> Answer:
    if isinstance(opened, Refused):
        return answer(opened)
    access = opened.access
    cores = await currency(tx, call.core, access.patient_id, call.now, access.origins)
    built = await opening.content_of(tx, call.keys, opened, call.now, cores)
    await log_read(tx, call, access, built, changed=True)
    return answer(built.body)
