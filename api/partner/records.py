"""What a partner is handed: decide, read, sign, note, log, and only then does a byte leave.

A message has one receipt however often it comes, and each time it is decided about anew (security.md S14):
after the consent ended the same message is refused. Everything stands in one transaction; a paper is set
outside any, and decided about again before it leaves.
"""

import asyncio
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.files import file_headers
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.reading import log_read
from api.request import Answer, Call, answer
from consent.apps.policy import pairwise_subject
from consent.apps.problems import BEYOND_CONSENT
from consent.decision import decide_app
from consent.problems import NO_ACCESS
from ehr.core.service import ask_core, currency, wants_core
from ehr.exports.problems import EXPORT_BUSY
from ehr.reads.models import Built
from identity.problems import TOO_MANY
from kernel.access import PARTNER_GROUPS, Access, Actor, PartnerGroup
from kernel.paging import BAD_CURSOR
from kernel.problems import Refused, refuse
from partners.disclosures import service as disclosures
from partners.disclosures.models import MsgId, Receipt
from partners.disclosures.problems import MESSAGE_REUSED, UNKNOWN_ENCOUNTER
from partners.disclosures.service import Asker
from partners.records import paper
from partners.records.asked import PAGE_DEFAULT, PAGE_MAX, Asked
from partners.records.service import build
from store import leases
from store.database import Tx

TAGS: Final = ["records"]
PROBLEMS: Final = (INVALID_FIELD, BEYOND_CONSENT, MESSAGE_REUSED, NO_ACCESS, TOO_MANY, UNAVAILABLE)
# A receipt and its signature beside a PDF.
SIGNATURE_HEADER: Final = "X-Partner-Signature"

Groups = Annotated[list[PartnerGroup], Meta(min_length=1, max_length=4)]
EncounterId = Annotated[str, Meta(min_length=1, max_length=64)]


class AskedRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """consent: the reference that the client was handed. since: the first day of the encounters that are
    wanted; before: `next` of the record before; limit: how many of them."""

    msg_id: MsgId
    consent: UUID
    groups: Groups
    since: date | None = None
    before: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT


class AskedPaper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """groups: administrative names the person on it; encounters and summary fill it."""

    msg_id: MsgId
    consent: UUID
    encounter_id: EncounterId
    groups: Groups


class HandedRecord(Struct, frozen=True, kw_only=True):
    """record: a compact JWS (ES256, typ ssk-partner-record+jws, /.well-known/partner-keys.json) whose payload
    holds the claims and the record of openapi/partner-record.schema.json. payload_sha256: of that payload, as
    the person sees it in the own list."""

    receipt: Receipt
    payload_sha256: str
    record: str


@post(
    "/v1/partner/disclosures",
    actors=("partner",),
    operation_id="disclose_record",
    tags=TAGS,
    problems=(*PROBLEMS, BAD_CURSOR),
    status_code=200,
)
async def disclose_record(data: JSONBody[AskedRecord], call: NamedDependency[Call]) -> Response[HandedRecord]:
    """Groups of one person's data, as far as the consent goes; signed."""
    groups, may_wait = in_order(data.groups), True
    while True:
        async with call.begin() as (tx, actor):
            access = await _decided(tx, call, actor, data.consent, groups)
            if isinstance(access, Refused):
                return answer(access)
            if not (
                may_wait and await wants_core(tx, call.core, access.patient_id, call.now, access.origins)
            ):
                return await _hand_over(tx, call, access, data, groups)
            subject = access.patient_id
        await ask_core(call.store, call.clock, call.core, subject)
        call.time_went_by()
        may_wait = False


async def _hand_over(
    tx: Tx, call: Call, access: Access, data: AskedRecord, groups: list[PartnerGroup]
) -> Answer:
    receipt = await _receive(tx, call, access, data)
    if isinstance(receipt, Refused):
        return answer(receipt)
    cores = await currency(tx, call.core, access.patient_id, call.now, access.origins)
    stale = [one.name for one in cores.shown if one.state != "current"]
    asked = Asked(groups=groups, since=data.since, before=data.before, limit=data.limit)
    made = await build(tx, call.keys, access, asked, call.now, stale)
    signed = disclosures.sign_record(
        call.keys, _asker(call, access, data.consent, receipt), groups, made, call.now
    )
    handed = HandedRecord(receipt=receipt, payload_sha256=signed.payload_sha256.hex(), record=signed.jws)
    body = msgspec.json.encode(handed)
    await disclosures.note(
        tx,
        access,
        receipt,
        groups=groups,
        entries=len(made.shown),
        payload_sha256=signed.payload_sha256,
        now=call.now,
    )
    await log_read(tx, call, access, Built(body, made.shown), changed=True, part=part_of(groups))
    return answer(body)


@post(
    "/v1/partner/encounter-papers",
    actors=("partner",),
    operation_id="disclose_encounter_paper",
    tags=TAGS,
    problems=(*PROBLEMS, UNKNOWN_ENCOUNTER, EXPORT_BUSY),
    status_code=200,
    produces=paper.MEDIA_TYPE,
)
async def disclose_paper(data: JSONBody[AskedPaper], call: NamedDependency[Call]) -> Response[bytes]:
    """One encounter as PDF. Its signature (JWS, typ ssk-partner-paper+jws) stands in X-Partner-Signature."""
    groups = in_order(data.groups)
    if not set(groups) & set(paper.OF_PAPER):
        refuse(INVALID_FIELD, "groups")
    async with call.begin() as (tx, actor):
        access = await _decided(tx, call, actor, data.consent, groups)
        if isinstance(access, Refused):
            return answer(access)
        gathered = await paper.gather(tx, call.keys, access, data.encounter_id, frozenset(groups), call.now)
        if gathered is None:
            return answer(Refused(problem=UNKNOWN_ENCOUNTER))
        lease = await call.export_slots.take(tx, actor.actor_id, call.now)
    async with leases.keep(call.store, call.clock, lease), call.export_slots.turn():
        pdf = await asyncio.to_thread(paper.build, gathered, call.now)
    call.time_went_by()
    return await _hand_over_paper(call, data, groups, gathered, pdf)


async def _hand_over_paper(
    call: Call, data: AskedPaper, groups: list[PartnerGroup], gathered: paper.Gathered, pdf: bytes
) -> Answer:
    """Decide again: what ended while the pages were set lets nothing out."""
    async with call.begin() as (tx, actor):
        access = await _decided(tx, call, actor, data.consent, groups)
        if isinstance(access, Refused):
            return answer(access)
        receipt = await _receive(tx, call, access, data)
        if isinstance(receipt, Refused):
            return answer(receipt)
        asker = _asker(call, access, data.consent, receipt)
        signed = disclosures.sign_paper(call.keys, asker, data.encounter_id, pdf, paper.MEDIA_TYPE, call.now)
        await disclosures.note(
            tx,
            access,
            receipt,
            groups=groups,
            encounter_id=data.encounter_id,
            entries=len(gathered.shown),
            payload_sha256=signed.payload_sha256,
            now=call.now,
        )
        await log_read(tx, call, access, Built(pdf, gathered.shown), changed=True, part=PAPER_PART)
        headers = file_headers("luot-kham", paper.MEDIA_TYPE) | {SIGNATURE_HEADER: signed.jws}
        return answer(pdf, headers=headers, media_type=paper.MEDIA_TYPE)


# The words of the access log: which groups left stands in the act itself.
PAPER_PART: Final = "partner-encounter-paper"


def part_of(groups: list[PartnerGroup]) -> str:
    """The act's name for these groups, in their order."""
    return "-".join(["partner", *groups])


def in_order(groups: list[PartnerGroup]) -> list[PartnerGroup]:
    """Each group once, in the order of the national text."""
    return [group for group in PARTNER_GROUPS if group in groups]


async def _decided(
    tx: Tx, call: Call, actor: Actor, consent: UUID, groups: list[PartnerGroup]
) -> Access | Refused:
    return await decide_app(tx, actor, consent, "read-by-app", call.now, groups=frozenset(groups))


async def _receive(tx: Tx, call: Call, access: Access, data: AskedRecord | AskedPaper) -> Receipt | Refused:
    asked = call.route.encode() + b"\n" + msgspec.json.encode(data)
    return await disclosures.receive(tx, access.actor.actor_id, data.msg_id, asked, call.now)


def _asker(call: Call, access: Access, reference: UUID, receipt: Receipt) -> Asker:
    client_id = access.actor.actor_id
    subject = pairwise_subject(call.keys, client_id, access.patient_id)
    return Asker(
        issuer=call.origin, client_id=client_id, subject=subject, reference=reference, receipt=receipt
    )


handlers: list[Any] = [disclose_record, disclose_paper]
