"""The person's side: which campaigns there are, register, see where it stands, cancel.

Who acts for the person sees and does the same, but for what the person keeps from relatives and what tells by
where it is, unless they registered it: that does not exist for them (security.md S23). What the answers and
the book say is advice; whoever examines on the day decides.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from audit.service import record_act
from identity import budgets
from identity.merges.aliases import book_to_tell
from identity.models import Demographics
from identity.people import person_of
from identity.units.specialties import is_sensitive_name
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit
from vaccination.registration import queries
from vaccination.registration.campaigns import shown
from vaccination.registration.models import (
    CampaignOpened,
    CampaignRow,
    CampaignSlot,
    Registration,
    RegistrationBody,
    RegistrationOpened,
    RegistrationRow,
)
from vaccination.registration.policy import asked_of, fits
from vaccination.registration.problems import (
    CAMPAIGN_CLOSED,
    CAMPAIGN_UNKNOWN,
    NOT_ELIGIBLE,
    NOT_TAKEN,
    PRIVATE_OWN_ONLY,
    REGISTRATION_EXISTS,
    REGISTRATION_UNKNOWN,
    SCREENING_INCOMPLETE,
)
from vaccination.registration.recent import recent_doses
from vaccination.registration.screening.forms import (
    ScreeningAnswers,
    advice_of,
    fault_of,
    form_of,
    verdict_of,
)
from vaccination.registration.telling import keep, tell
from visits.booking.service import people, sees_all
from visits.exposure.places import is_listable
from visits.slots import reading
from visits.slots import service as slots
from visits.slots.models import SlotRow
from visits.slots.problems import SLOT_UNKNOWN

NOTED = "vaccination.registration-noted"


async def open_campaigns(
    tx: Tx, now: datetime, facility_id: UUID | None, antigen: str | None, before: UUID, limit: int
) -> list[CampaignRow]:
    """Those that take registrations now, newest first."""
    return await queries.OPEN_CAMPAIGNS.all(tx, now, facility_id, antigen, before, limit)


async def opened(
    tx: Tx, keys: KeyRing, access: Access, campaign_id: UUID, now: datetime
) -> CampaignOpened | Refused:
    """A campaign with the slots to come. Refused: campaign-unknown."""
    row = await queries.CAMPAIGN_BY_ID.one(tx, campaign_id)
    if row is None:
        return Refused(problem=CAMPAIGN_UNKNOWN)
    person = await person_of(tx, keys, access) or Demographics()
    coming = await reading.slots_of(tx, row.facility_id, campaign_id, now)
    seen = await shown(tx, row)
    form = form_of(row.screening, row.screening_version)
    return CampaignOpened(
        **{name: getattr(seen, name) for name in seen.__struct_fields__},
        slots=[
            CampaignSlot(
                slot_id=one.slot_id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                free=one.free if one.waiting == 0 else 0,
                waiting=one.waiting,
                fits=fits(row, person.birth_date, person.sex, local_day(one.starts_at)),
            )
            for one in coming
            if one.state == "open"
        ],
        screening=replace(form, questions=asked_of(form, person.birth_date, person.sex, local_day(now))),
    )


async def register(
    tx: Tx, keys: KeyRing, access: Access, body: RegistrationBody, request_id: str, now: datetime
) -> RegistrationRow | Refused:
    """Take a place or stand in the line. Refused: campaign-unknown, campaign-closed, slot-unknown, slot-over,
    slot-full, screening-incomplete, vaccination-not-eligible, vaccination-registered,
    vaccination-registration-not-taken, registration-private-own-only, too-many."""
    campaign = await _taking(tx, body.campaign_id, now)
    if isinstance(campaign, Refused):
        return campaign
    person = await person_of(tx, keys, access) or Demographics()
    refused = _fault(access, campaign, person, body, now) or await _not_free(tx, access, campaign, now)
    if refused is not None:
        return refused
    # The person before the slot, as everywhere; moves hold the slot alone.
    slot = await slots.lock(tx, campaign.facility_id, body.slot_id)
    if isinstance(slot, Refused) or slot.group_id != campaign.campaign_id:
        return Refused(problem=SLOT_UNKNOWN)
    if fits(campaign, person.birth_date, person.sex, local_day(slot.starts_at)) == "no":
        return Refused(problem=NOT_ELIGIBLE)
    return await _booked(tx, keys, access, campaign, slot, body, request_id, now)


async def _taking(tx: Tx, campaign_id: UUID, now: datetime) -> CampaignRow | Refused:
    row = await queries.CAMPAIGN_BY_ID.one(tx, campaign_id)
    if row is None:
        return Refused(problem=CAMPAIGN_UNKNOWN)
    is_open = row.state == "open" and row.opens_at <= now < row.closes_at
    return row if is_open else Refused(problem=CAMPAIGN_CLOSED)


def _fault(
    access: Access, campaign: CampaignRow, person: Demographics, body: RegistrationBody, now: datetime
) -> Refused | None:
    if body.is_private and not access.is_own:
        return Refused(problem=PRIVATE_OWN_ONLY, where="is_private")
    form = form_of(campaign.screening, campaign.screening_version)
    asked = asked_of(form, person.birth_date, person.sex, local_day(now))
    missing = fault_of(form, asked, body.answers)
    return None if missing is None else Refused(problem=SCREENING_INCOMPLETE, where=missing)


async def _not_free(tx: Tx, access: Access, campaign: CampaignRow, now: datetime) -> Refused | None:
    """One that stands per campaign and person, whoever made it; charged to the account that asks."""
    by_account = budgets.subject(access.actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.REGISTRATIONS_DAY, by_account, now)
    if spent is not None:
        return spent
    await queries.LOCK_PERSON.one(tx, access.patient_id)
    for patient_id in people(access):
        standing = await queries.STANDING.one(tx, patient_id, campaign.campaign_id)
        if standing is not None:
            seen = await is_seen(tx, access, standing)
            return Refused(problem=REGISTRATION_EXISTS if seen else NOT_TAKEN)
    return None


async def _booked(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    campaign: CampaignRow,
    slot: SlotRow,
    body: RegistrationBody,
    request_id: str,
    now: datetime,
) -> RegistrationRow | Refused:
    ident = uuid7(now)
    booking = await slots.book(tx, slot, ident, access.patient_id, now, may_wait=body.may_wait)
    if isinstance(booking, Refused):
        return booking
    form = form_of(campaign.screening, campaign.screening_version)
    said = ScreeningAnswers(form=form.form, version=form.version, answers=body.answers, note=body.note)
    row = RegistrationRow(
        patient_id=access.patient_id,
        registration_id=ident,
        campaign_id=campaign.campaign_id,
        facility_id=slot.facility_id,
        slot_id=slot.slot_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        state=booking.state,
        registered_by=access.actor.actor_id,
        is_private=body.is_private,
        verdict=verdict_of(advice_of(form, body.answers)),
        answers=_sealed(keys, access.patient_id, said),
        made_at=now,
        moved_at=now,
    )
    await queries.INSERT.run(tx, *(getattr(row, name) for name in RegistrationRow.__struct_fields__))
    await _noted(tx, access, row, "register", request_id, now)
    return row


async def own(tx: Tx, access: Access, registration_id: UUID) -> RegistrationRow | Refused:
    """One that whoever acts may see; a job acts for the person. Refused: vaccination-registration-unknown."""
    for patient_id in people(access):
        row = await queries.BY_ID.one(tx, patient_id, registration_id)
        if row is not None and await is_seen(tx, access, row):
            return row
    return Refused(problem=REGISTRATION_UNKNOWN)


async def own_list(tx: Tx, access: Access, before: UUID, limit: int) -> list[RegistrationRow]:
    """Newest first, of everybody merged into the person too; a page is full unless it is the last."""
    found: list[RegistrationRow] = []
    while len(found) < limit:
        batch = [
            row
            for patient_id in people(access)
            for row in await queries.OF_PERSON.all(tx, patient_id, before, limit)
        ]
        batch = sorted(batch, key=lambda row: row.registration_id, reverse=True)[:limit]
        if not batch:
            break
        found += [row for row in batch if await is_seen(tx, access, row)]
        before = batch[-1].registration_id
    return found[:limit]


async def is_seen(tx: Tx, access: Access, row: RegistrationRow) -> bool:
    """Judged whenever it is read, as an appointment is (visits/booking): a facility may have become sensitive
    since. Campaigns stand open to everybody, so a relative sees what that relative registered."""
    if sees_all(access) or row.registered_by == access.actor.actor_id:
        return True
    return not row.is_private and not await _tells(tx, row.campaign_id)


async def is_kept(tx: Tx, row: RegistrationRow) -> bool:
    """Whether no relative learns of it: by the person's wish, or by where the person registered alone."""
    return row.is_private or (row.registered_by == row.patient_id and await _tells(tx, row.campaign_id))


async def is_discreet(tx: Tx, row: RegistrationRow) -> bool:
    """Whether words that others may read, as on a locked screen, say no more than when it is. Also of what a
    relative asked for: it is kept from the other relatives."""
    return row.is_private or await _tells(tx, row.campaign_id)


async def _tells(tx: Tx, campaign_id: UUID) -> bool:
    """Whether its name, its place or its facility tells relatives what the person is there for."""
    campaign = await queries.CAMPAIGN_BY_ID.one(tx, campaign_id)
    assert campaign is not None
    if is_sensitive_name(campaign.title) or is_sensitive_name(campaign.place):
        return True
    return not await is_listable(tx, campaign.facility_id)


async def cancel(
    tx: Tx, access: Access, registration_id: UUID, request_id: str, now: datetime
) -> RegistrationRow | Refused:
    """Give the place back; who waits first gets it in the same instant. Refused:
    vaccination-registration-unknown, booking-state."""
    seen = await own(tx, access, registration_id)
    if isinstance(seen, Refused):
        return seen
    slot = await slots.lock(tx, seen.facility_id, seen.slot_id)
    moved = slot if isinstance(slot, Refused) else await slots.move(tx, slot, registration_id, "cancel", now)
    if isinstance(moved, Refused):
        return moved
    await keep(tx, moved[:1], now, told=False)
    await keep(tx, moved[1:], now)
    await _noted(tx, access, seen, "cancel", request_id, now)
    return await own(tx, access, registration_id)


async def _noted(
    tx: Tx, access: Access, row: RegistrationRow, act: str, request_id: str, now: datetime
) -> None:
    """The row in the person's log, last of all, and the news where a relative did it. Reminders follow every
    act, also those of which nobody needs to be told."""
    await emit(tx, row.patient_id, NOTED, {"registration_id": str(row.registration_id)}, now)
    if access.on_behalf_of is not None:
        await tell(tx, row.patient_id, row.registration_id, row.patient_id, act, now)
    await _logged(tx, access, row, act, request_id, now)


async def _logged(
    tx: Tx, access: Access, row: RegistrationRow, act: str, request_id: str, now: datetime
) -> None:
    await record_act(
        tx,
        await book_to_tell(tx, row.patient_id, now),
        access.actor,
        f"vaccination:registration:{act}",
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )


async def line_of(tx: Tx, row: RegistrationRow) -> Registration:
    campaign = await queries.CAMPAIGN_BY_ID.one(tx, row.campaign_id)
    assert campaign is not None
    seen = await shown(tx, campaign)
    return Registration(
        registration_id=row.registration_id,
        campaign_id=row.campaign_id,
        facility_id=row.facility_id,
        facility_name=seen.facility_name,
        title=seen.title,
        place=seen.place,
        antigens=seen.antigens,
        vaccine=seen.vaccine,
        slot_id=row.slot_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=row.state,
        waiting_before=await reading.waiting_before(tx, row.facility_id, row.registration_id),
        by_relative=row.registered_by != row.patient_id,
        is_private=await is_kept(tx, row),
        verdict=row.verdict,
        made_at=row.made_at,
        moved_at=row.moved_at,
    )


async def view_of(
    tx: Tx, keys: KeyRing, access: Access, row: RegistrationRow, request_id: str, now: datetime
) -> RegistrationOpened:
    """With the answers, for the person and for whoever gave them. Doses of the book stand in it: showing
    them is a line in the log."""
    line, said = await line_of(tx, row), answers_of(keys, row)
    recent = await recent_doses(tx, access, row, now)
    if recent:
        await _logged(tx, access, row, "read", request_id, now)
    form = form_of(said.form, said.version)
    is_theirs = access.is_own or row.registered_by == access.actor.actor_id
    return RegistrationOpened(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        screening_form=form.form,
        screening_version=form.version,
        screening_confirmed=form.confirmed,
        advice=advice_of(form, said.answers) if is_theirs else [],
        answers=said.answers if is_theirs else None,
        note=said.note if is_theirs else None,
        recent=recent,
    )


def answers_of(keys: KeyRing, row: RegistrationRow) -> ScreeningAnswers:
    text = unseal(keys, row.patient_id, "vaccination_registration", "answers", row.answers)
    return msgspec.json.decode(text, type=ScreeningAnswers)


def _sealed(keys: KeyRing, patient_id: UUID, said: ScreeningAnswers) -> bytes:
    text = msgspec.json.encode(said).decode()
    return seal(keys, patient_id, "vaccination_registration", "answers", text)
