"""Which event tells whom what. Each handler runs inside the transaction that took the event out of
the queue, and is harmless when it runs twice: every notice has a key of its own."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import msgspec
import structlog

from consent import merges
from consent.codes.service import code_for_delivery, forget_code
from consent.emergency.opening import ARRIVAL_DUE, NOTICE_DUE
from consent.grants import prompts
from consent.grants.queries import GrantKey
from consent.holds import NOBODY, announce_held
from consent.purposes.service import agrees
from consent.requests.service import request_for_citizen
from ehr.cases.opening import correct_death, expect_record
from ehr.cases.settling import RECORD_WITHIN, note_resent, settle
from ehr.rejudge.books import rejudge_book
from ehr.rejudge.service import BOOK_JOB, WAITING_JOB
from ehr.rejudge.waiting import rejudge_waiting
from ehr.visibility import clocks
from ehr.visibility.release import release_due
from family.hand_over import JOB as HAND_OVER
from family.service import answering_for
from healthbook import axis_jobs as axis
from healthbook import certificate_jobs as certificates
from healthbook import emergency_notices as emergency
from healthbook import look_jobs as looks
from healthbook import reminder_follow as following
from healthbook import reminder_jobs as reminders
from healthbook import vital_alert_jobs as alerts
from healthbook import webhook_jobs as clients
from healthbook.family_hand_over import plan_newborn, say_hand_over
from healthbook.family_notices import (
    and_guardians,
    is_entry_seen,
    say_appointment,
    say_consultation,
    say_reaction,
    say_registration,
)
from healthbook.housekeeping import KIND, do_chore
from healthbook.record_notices import say_records
from healthbook.unmet_jobs import look_for_visit
from identity.accounts.proofs import code_for_delivery as code_for_delivery_to_phone
from identity.deaths.service import JOB as DEATH_FREEZE
from identity.deaths.service import freeze
from identity.merges.aliases import origins_of, survivor_of
from identity.page_sessions import came_to_a_device
from identity.phones import login_phone, number_of
from identity.sign_in import sign_in_code_for_delivery
from identity.tokens import from_base64url
from kernel.ids import bucket_of
from kernel.problems import Refused
from notifications.models import NotificationType, SmsCode, SmsDeath, SmsPhoneChanged, SmsSignIn
from notifications.service import forget_device, notify, send_sms
from reminders.answers.service import LATER_JOB as LATER
from reminders.answers.watching import JOB as UNANSWERED
from reminders.lapses import JOB as LAPSE
from reminders.looking import JOB as LOOK
from reminders.plans import JOB as REMINDER
from reminders.refills import JOB as REFILL
from store.database import Tx
from store.due_queue import arm
from store.journal import JournalKind, number
from store.keys import KeyRing
from store.models import Due, Event
from store.outbox import emit
from vaccination.reactions import moving as reactions
from vaccination.reactions.policy import JOB as REACTION_LATE
from vaccination.registration import campaigns
from vaccination.registration.policy import CLOSE_JOB, SLOT_JOB
from visits.arrivals import check_in_of
from visits.booking import policy as booking
from visits.booking import telling as bookings
from visits.booking import timers as booking_timers
from visits.check_ins.leaving import close_due
from visits.check_ins.recording import CLOSE_JOB as VISIT_CLOSE
from visits.consultations import moving as consultations
from visits.consultations.policy import JOB as CONSULTATION_LATE
from visits.exposure import making as exposure
from visits.exposure.service import JOB as EXPOSURE_LIST
from visits.unmet.service import JOB as TYPED_ARRIVAL
from vitals.alerts.judging import JOB as VITAL_ALERT
from vitals.alerts.judging import look_again
from vitals.alerts.silence import JOB as VITAL_SILENCE
from vitals.telling import service as telling
from vitals.telling.service import JOB as ALERT_STEP

Ref: TypeAlias = dict[str, str]
Tick: TypeAlias = Callable[[Tx, KeyRing, str, datetime], Awaitable[datetime | None]]
# Many timers of a kind in one transaction; which of them fire again, and when.
Batch: TypeAlias = Callable[[Tx, KeyRing, list[str], datetime], Awaitable[list[tuple[str, datetime]]]]
Handler: TypeAlias = Callable[[Tx, KeyRing, Event, Ref, datetime], Awaitable[None]]

PERSON_MERGE = merges.JOB
NOTICE_LIFE = timedelta(days=7)
# The notice of an act that stands in the journal already.
UNTOLD = ":untold"

log = structlog.get_logger("dispatch")
# The timer of a check-in whose facility should have sent something; its ref is person and check-in.
AWAITED = "awaited-record"


class UnknownEventError(Exception):
    """No handler: an older worker met a newer program's event. It is kept until a worker knows it."""


async def dispatch(tx: Tx, keys: KeyRing, event: Event, now: datetime) -> None:
    """Turn one event into its effects. Raises UnknownEventError."""
    handler = HANDLERS.get(event.event.removesuffix(UNTOLD))
    if handler is None:
        raise UnknownEventError(event.event)
    if isinstance(handler, Journaled) and event.event.endswith(UNTOLD):
        handler = handler.say
    await handler(tx, keys, event, msgspec.json.decode(event.ref, type=Ref), now)


async def tick(tx: Tx, keys: KeyRing, due: Due, now: datetime) -> datetime | None:
    """Do what is due. Returns when it is due again; None: never. Raises UnknownEventError."""
    work = TICKS.get(due.kind)
    if work is None:
        raise UnknownEventError(due.kind)
    return await work(tx, keys, due.ref, now)


def notice(type_: NotificationType, *, once_per: str | None = None, silent: bool = False) -> Handler:
    """A handler that says one thing, with the event's ids for the app to open.

    once_per: the id in the event after which it is said once; without it, once per event.
    """

    async def say(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        key = f"{event.event}:{ref[once_per] if once_per else event.event_id}"
        until = now + NOTICE_LIFE
        await notify(tx, keys, event.patient_id, type_, key, now, until, ref=ref, silent=silent)

    return say


def wanted_notice(type_: NotificationType, *, once_per: str) -> Handler:
    """News that rings only for whoever agreed to that; the inbox says it in any case."""

    async def say(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        is_wanted = await agrees(tx, event.patient_id, "notices")
        await notice(type_, once_per=once_per, silent=not is_wanted)(tx, keys, event, ref, now)

    return say


def request_notice(*, silent: bool) -> Handler:
    """A request that waits; one that was decided meanwhile rings no more."""

    async def say(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        request = await request_for_citizen(tx, event.patient_id, UUID(ref["request_id"]), now)
        if isinstance(request, Refused):
            return
        key = f"consent.requested:{ref['request_id']}"
        until = request.expires_at
        await notify(tx, keys, event.patient_id, "consent-request", key, now, until, ref=ref, silent=silent)
        for guardian in await answering_for(tx, keys, event.patient_id, now):
            whose = ref | {"patient_id": str(event.patient_id)}
            await notify(tx, keys, guardian, "dependent-request", key, now, until, ref=whose, silent=silent)

    return say


async def send_consent_code(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Tier D. The code goes from the request's row to the delivery's, sealed in both."""
    request_id, send = UUID(ref["request_id"]), int(ref["send"])
    found = await code_for_delivery(tx, keys, event.patient_id, request_id, send, now)
    if found is None:
        return
    sms = SmsCode(
        code=found.code,
        practitioner=found.practitioner,
        facility_short=found.facility_short,
        scope=found.scope,
        hours=found.hours,
    )
    await notify(
        tx,
        keys,
        event.patient_id,
        "consent-code",
        f"consent.code:{request_id}:{send}",
        now,
        found.expires_at,
        ref={"request_id": ref["request_id"]},
        sms=sms,
        phone=found.phone,
    )


async def forget_consent_code(tx: Tx, _keys: KeyRing, event: Event, ref: Ref, _now: datetime) -> None:
    """A code that may not be sent: its sealed copy goes, and nothing else happens."""
    await forget_code(tx, event.patient_id, UUID(ref["request_id"]), int(ref["send"]))


async def send_sign_in_code(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Nobody's challenge, a used one and one without a phone end here alike."""
    found = await sign_in_code_for_delivery(tx, keys, ref["challenge"], now)
    if found is None:
        return
    await notify(
        tx,
        keys,
        found.patient_id,
        "sign-in-code",
        f"identity.sign-in-code:{event.event_id}",
        now,
        found.expires_at,
        sms=SmsSignIn(code=found.code),
        phone=found.phone_number,
    )


async def send_phone_code(tx: Tx, keys: KeyRing, _event: Event, ref: Ref, now: datetime) -> None:
    """Letters to a phone that nobody's account has yet; one that is used, kept back or late ends here."""
    found = await code_for_delivery_to_phone(tx, keys, ref["challenge"], now)
    if found is None:
        return
    sms = SmsSignIn(code=found.code, purpose=found.purpose)
    await send_sms(tx, keys, found.holder, "sign-in-code", sms, found.number, now, found.expires_at)


async def say_phone_changed(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Every device, the phone that got the codes before, and the one that gets them now."""
    key = f"{event.event}:{event.event_id}"
    until = now + NOTICE_LIFE
    if await notify(tx, keys, event.patient_id, "account-changed", key, now, until) is None:
        return
    for which in ("old", "new"):
        phone_hash = from_base64url(ref[which]) if which in ref else None
        number = phone_hash and await number_of(tx, keys, event.patient_id, phone_hash)
        if number:
            sms = SmsPhoneChanged()
            await send_sms(tx, keys, event.patient_id, "account-changed", sms, number, now, until)


async def say_device_ended(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """What still waits for the device is dropped at send; the others are told."""
    await forget_device(tx, event.patient_id, UUID(ref["device_id"]))
    await notice("device-removed")(tx, keys, event, ref, now)


async def is_device_added(tx: Tx, event: Event, ref: Ref, _now: datetime) -> bool:
    """A browser that signed in and then stood on a device is no other one."""
    return "session_id" not in ref or not await came_to_a_device(
        tx, event.patient_id, UUID(ref["session_id"])
    )


async def say_device_added(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """A device, or a browser that is signed in without a key (security.md S8)."""
    if await is_device_added(tx, event, ref, now):
        await notice("device-added")(tx, keys, event, {"device_id": ref["device_id"]}, now)


async def say_first_use(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Once per practitioner and day, also when a second grant followed within it."""
    key = f"consent.used:{ref['practitioner_id']}:{ref['day']}"
    shown = {"grant_id": ref["grant_id"]}
    await notify(tx, keys, event.patient_id, "record-read", key, now, now + NOTICE_LIFE, ref=shown)


async def announce_reset(tx: Tx, _keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Tell everybody whose grant is held, page by page: one event never writes to thousands."""
    practitioner_id = UUID(ref["practitioner_id"])
    after = GrantKey(UUID(ref["patient_id"]), UUID(ref["grant_id"])) if "grant_id" in ref else NOBODY
    last = await announce_held(tx, practitioner_id, after, now)
    if last is not None:
        here = {"patient_id": str(last.patient_id), "grant_id": str(last.grant_id)}
        await emit(tx, event.patient_id, event.event, ref | here, now)


async def say_arrival(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """Tell the person, and look a day later whether the facility sent anything."""
    await notice("check-in")(tx, keys, event, ref, now)
    mark = f"{event.patient_id}:{ref['check_in_id']}"
    await arm(tx, bucket_of(event.patient_id), now + RECORD_WITHIN, AWAITED, mark)


async def look_for_record(tx: Tx, keys: KeyRing, mark: str, now: datetime) -> datetime | None:
    """A check-in without a record becomes a case by itself."""
    person, _, arrival = mark.partition(":")
    patient_id = UUID(person)
    # Where a merge sends the number, the arrival is the survivor's; the case stays with whose number it was.
    came = await check_in_of(tx, patient_id, UUID(arrival)) or await check_in_of(
        tx, await survivor_of(tx, patient_id), UUID(arrival)
    )
    if came is not None:
        await expect_record(
            tx,
            keys,
            patient_id,
            UUID(arrival),
            came.facility_id,
            came.recorded_at,
            now,
            facility_told=came.is_presence,
        )
    return None


async def close_visit(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """Nobody checked out."""
    return await close_due(tx, ref, now)


async def say_ending(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """A long grant runs out in three days."""
    return await prompts.prompt(tx, ref, now)


async def make_exposure_list(tx: Tx, keys: KeyRing, list_id: str, now: datetime) -> datetime | None:
    """Who was at a facility, a page at a time; later the end of that list (security.md S30)."""
    return await exposure.step(tx, keys, UUID(list_id), now)


async def judge_book(tx: Tx, keys: KeyRing, person: str, now: datetime) -> datetime | None:
    """One book by rules that rose."""
    await rejudge_book(tx, keys, UUID(person), now)
    return None


async def judge_waiting(tx: Tx, keys: KeyRing, quarantine_id: str, now: datetime) -> datetime | None:
    """One thing that waits by rules that rose."""
    await rejudge_waiting(tx, keys, UUID(quarantine_id), now)
    return None


def of_id(work: Callable[[Tx, UUID, datetime], Awaitable[datetime | None]]) -> Tick:
    """A tick whose ref is one id."""

    async def tick_of(tx: Tx, _keys: KeyRing, ref: str, now: datetime) -> datetime | None:
        return await work(tx, UUID(ref), now)

    return tick_of


async def keep_house(tx: Tx, _keys: KeyRing, chore: str, now: datetime) -> datetime:
    return await do_chore(tx, chore, now)


def and_settle(say: Handler) -> Handler:
    """Data came: say so, look what they make due, and close the cases that they answer, those of everybody
    merged into the person too: a case stays with the person it was opened for."""

    async def say_and_settle(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        await looks.note_arrived(tx, event, now)
        for person in (*sorted(await origins_of(tx, event.patient_id)), event.patient_id):
            await settle(tx, keys, person, now)

    return say_and_settle


def and_clients(say: Handler) -> Handler:
    """Entries came: say so, and tell the clients that the person let see them."""

    async def say_and_tell(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        await clients.tell_of_records(tx, event, ref, now)

    return say_and_tell


def and_plan(say: Handler) -> Handler:
    """A birth note named a mother: say so, and plan what she is told before the child's birthdays."""

    async def say_and_plan(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        await plan_newborn(tx, keys, event, ref, now)

    return say_and_plan


async def reopen_case(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """What was somebody else's was sent again: the case starts anew, which tells the person."""
    await note_resent(tx, keys, event.patient_id, UUID(ref["case_id"]), now)


async def say_death(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """On every device, and by SMS on the login phone: who lives must hear of it (security.md S18)."""
    phone = await login_phone(tx, keys, event.patient_id, now)
    await notify(
        tx,
        keys,
        event.patient_id,
        "death-reported",
        f"{event.event}:{event.event_id}",
        now,
        now + NOTICE_LIFE,
        ref=ref,
        sms=SmsDeath(),
        phone=phone.number if phone else None,
    )


async def correct_deaths(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
    """The person objected: the facility whose file said so has a correction to make."""
    if "facility_id" in ref:
        await correct_death(tx, keys, event.patient_id, UUID(ref["facility_id"]), now)


async def say_nothing(_tx: Tx, _keys: KeyRing, _event: Event, _ref: Ref, _now: datetime) -> None:
    """Written so that known and unknown persons cost the same statements (security.md S19)."""


class Journaled:
    """An act that no restored backup may undo: into the journal with the event's ids (security.md S12).

    Within five seconds, whatever becomes of its notice: one that fails goes back as an event of its own.
    """

    def __init__(self, kind: JournalKind, say: Handler) -> None:
        self.kind = kind
        self.say = say

    async def __call__(self, tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        try:
            async with tx.transaction():
                await self.say(tx, keys, event, ref, now)
        except Exception as error:
            if tx.is_closed():
                raise
            log.error("notice_failed", event_name=event.event, error=type(error).__name__)
            await emit(tx, event.patient_id, event.event + UNTOLD, ref, now)
        # Last: everybody's acts wait for this number's commit.
        await number(tx, event.patient_id, self.kind, ref, now)


def in_turn(events: list[Event]) -> list[Event]:
    """A batch in the order in which it is handled: acts for the journal at its end, by their age."""
    return sorted(events, key=lambda event: isinstance(HANDLERS.get(event.event), Journaled))


TICKS: dict[str, Tick] = {
    clocks.KIND: of_id(release_due),
    AWAITED: look_for_record,
    TYPED_ARRIVAL: look_for_visit,
    VISIT_CLOSE: close_visit,
    EXPOSURE_LIST: make_exposure_list,
    CONSULTATION_LATE: consultations.tick,
    REACTION_LATE: reactions.tick,
    SLOT_JOB: campaigns.slot_due,
    CLOSE_JOB: campaigns.close_next,
    booking.SLOT_JOB: booking_timers.slot_due,
    booking.HOLD_JOB: booking_timers.hold_due,
    booking.CLOSE_JOB: booking_timers.close_next,
    HAND_OVER: say_hand_over,
    PERSON_MERGE: of_id(merges.step),
    DEATH_FREEZE: of_id(freeze),
    prompts.JOB: say_ending,
    BOOK_JOB: judge_book,
    WAITING_JOB: judge_waiting,
    NOTICE_DUE: emergency.say_deferred,
    ARRIVAL_DUE: emergency.settle_arrival,
    REMINDER: reminders.ring_due,
    LAPSE: reminders.say_lapse,
    UNANSWERED: reminders.ask_after,
    LATER: reminders.ring_later,
    REFILL: reminders.say_refill,
    LOOK: looks.look,
    VITAL_ALERT: look_again,
    VITAL_SILENCE: look_again,
    ALERT_STEP: telling.go_on,
    KIND: keep_house,
}
BATCHES: dict[str, Batch] = {REMINDER: reminders.ring_batch}
HANDLERS: dict[str, Handler] = {
    "consent.requested": request_notice(silent=False),
    "consent.requested-silently": request_notice(silent=True),
    "consent.withheld": say_nothing,
    "consent.code-ready": send_consent_code,
    "consent.code-withheld": forget_consent_code,
    "consent.granted": and_guardians(notice("consent-granted")),
    "consent.replaced": Journaled("revoke", say_nothing),
    "consent.given-back": Journaled("revoke", say_nothing),
    "consent.revoked": Journaled("revoke", and_guardians(notice("consent-ended"))),
    "consent.narrowed": notice("consent-narrowed", silent=True),
    "consent.ending": notice("consent-ending", once_per="grant_id"),
    "consent.delegated": notice("consent-delegated", once_per="delegation_id"),
    "consent.held": notice("consent-held", once_per="grant_id"),
    "consent.used": and_guardians(say_first_use),
    "consent.refused": say_nothing,
    "consent.report-moved": notice("case-update"),
    "consent.link-made": notice("link-made", once_per="link_id"),
    "consent.link-opened": and_guardians(notice("link-opened")),
    "consent.link-locked": Journaled("link-lock", notice("link-locked")),
    "consent.link-armed": Journaled("link-lock", say_nothing),
    "consent.app-connected": notice("app-connected", once_per="consent_id"),
    # Within the inbox alone: an app that the person opened each day would ring each day.
    "consent.app-used": notice("app-used", silent=True),
    "consent.app-ended": Journaled("app-end", clients.tell_of_end),
    "consent.app-erased": clients.tell_of_end,
    "identity.app-client-ended": Journaled("app-client-end", say_nothing),
    "consent.share-code-tried": notice("share-code-tried", once_per="code_id"),
    "consent.card-opened": notice("emergency-card-opened"),
    "consent.card-opened-silently": notice("emergency-card-opened", silent=True),
    "consent.glass-broken": emergency.say_broken,
    "consent.glass-broken-relative": emergency.say_to_guardian,
    "consent.emergency-read": emergency.say_read,
    "consent.emergency-signed": emergency.say_signed,
    "consent.emergency-disputed": emergency.say_disputed,
    "consent.emergency-reviewed": emergency.say_reviewed,
    "consent.blocked": Journaled("block", say_nothing),
    "consent.link-ended": Journaled("link-kill", say_nothing),
    "consent.unblocked": Journaled("unblock", say_nothing),
    "consent.contact-ended": Journaled("contact-end", say_nothing),
    "consent.wish-ended": Journaled("wish-end", say_nothing),
    "consent.purpose-withdrawn": Journaled("purpose-refuse", say_nothing),
    "consent.emergency-left-out": Journaled("emergency-leave-out", say_nothing),
    "consent.rights-moved": notice("rights-moved"),
    "consent.erasure-asked": notice("erasure-asked", once_per="request_id"),
    "consent.erasure-cancelled": Journaled(
        "erase-cancel", notice("erasure-cancelled", once_per="request_id")
    ),
    "consent.breach": notice("data-breach", once_per="breach_id"),
    "consent.reported": notice("consent-reported"),
    "ehr.prescription-recorded": looks.and_look(reminders.note_recorded),
    "ehr.prescription-dispensed": looks.and_look(reminders.plan_dispensed),
    "ehr.prescription-replaced": looks.and_look(reminders.end_replaced),
    "ehr.prescription-withdrawn": looks.and_look(reminders.end_withdrawn),
    "ehr.prescription-reinstated": looks.and_look(reminders.note_reinstated),
    "identity.sign-in-code": send_sign_in_code,
    "identity.activation-issued": notice("activation"),
    "identity.credential-reset": announce_reset,
    # No device of a closed account is left to tell.
    "identity.account-closed": Journaled("close", say_nothing),
    # Also a session in the own name of a child: who answers for it hears of each device.
    "identity.device-enrolled": and_guardians(say_device_added, where=is_device_added),
    "identity.device-trusted": notice("account-changed"),
    "identity.pin-changed": notice("account-changed"),
    "identity.phone-changed": say_phone_changed,
    "identity.phone-code": send_phone_code,
    "identity.protected": Journaled("protect", say_nothing),
    "identity.emergency-suspended": Journaled("emergency-suspend", say_nothing),
    # A facility's machines and codes: no restored backup makes them work again, and nobody's phone is told.
    "identity.client-ended": Journaled("client-end", say_nothing),
    "identity.client-renewed": Journaled("client-renew", say_nothing),
    "identity.facility-activated": Journaled("facility-code-use", say_nothing),
    "identity.device-ended": Journaled("device-kill", say_device_ended),
    "notifications.zone-changed": reminders.rezone_book,
    "reminders.settings-changed": reminders.retime_book,
    "visit.checked-in": say_arrival,
    # An episode is news once; history that comes at once rings for nobody.
    "ehr.imported": and_clients(and_settle(say_records)),
    "ehr.doses-changed": looks.and_look(certificates.follow_doses),
    "ehr.facility-new": and_clients(and_settle(notice("records-of-new-facility", once_per="facility_id"))),
    "ehr.hidden": Journaled("hide", say_nothing),
    "ehr.shown-again": Journaled("unhide", say_nothing),
    # Nobody is told, least of all the family (security.md S23).
    "visit.kept": Journaled("visit-keep", say_nothing),
    "visit.shown-again": Journaled("visit-show", say_nothing),
    "ehr.case-opened": notice("case-opened", once_per="case_id"),
    "ehr.case-moved": notice("case-update"),
    "visit.number-taken": notice("check-in"),
    "visit.typed-unknown": say_nothing,
    "visit.card-shown": notice("card-shown", once_per="line_id"),
    "visit.card-unknown": say_nothing,
    "visit.consultation-moved": say_consultation,
    "vaccination.registration-moved": following.and_follow(say_registration),
    "vaccination.registration-noted": following.follow_registration,
    bookings.MOVED: following.and_follow_visit(say_appointment),
    bookings.NOTED: following.follow_appointment,
    "vaccination.reaction-moved": say_reaction,
    "vaccination.reaction-severe": say_reaction,
    "ehr.referral-moved": looks.and_look(notice("referral-update")),
    "ehr.statement-judged": and_guardians(notice("statement-judged"), where=is_entry_seen),
    "ehr.case-resent": reopen_case,
    # Neutral: neither what it is nor from whom. Emitted with the release itself, so it is said once.
    "ehr.released": wanted_notice("result-released", once_per="release_id"),
    "ehr.record-awaited": wanted_notice("record-awaited", once_per="case_id"),
    "ehr.check-written": axis.check_written,
    "ehr.check-withdrawn": axis.check_withdrawn,
    "ehr.death-reported": say_death,
    "identity.death-noticed": say_death,
    # Reminders read the person's state at each time: they pause with a report of death and go on without it.
    "identity.death-objected": correct_deaths,
    "identity.frozen": say_nothing,
    "identity.merged": notice("person-merged", once_per="merge_id"),
    "identity.unmerged": certificates.and_follow_cards(notice("person-separated", once_per="merge_id")),
    "identity.number-changed": notice("number-changed", once_per="act_id"),
    "identity.newborn-linked": and_plan(notice("family-linked")),
    "vitals.alert-opened": alerts.say_alert,
    "vitals.alert-worsened": alerts.say_alert,
    "vitals.alert-retracted": alerts.say_withdrawn,
    "vitals.alert-acked": alerts.say_seen,
    "vaccination.authority-ended": certificates.follow_doses,
    "vaccination.key-revoked": certificates.follow_doses,
    # Neutral: that there is something about a certificate, never what (security.md S34).
    "vaccination.certificate-corrected": and_guardians(notice("certificate-changed")),
    "vaccination.card-revoked": and_guardians(notice("certificate-changed")),
    "vaccination.certificate-renewed": and_guardians(
        notice("certificate-renewed", once_per="certificate_id")
    ),
    "vaccination.certificate-ending": and_guardians(notice("certificate-ending", once_per="certificate_id")),
    # Ending a link tells nobody (security.md S23).
    "family.linked": notice("family-linked"),
    # The other guardians of a child, and never the one whom it is about.
    "family.guardian-added": and_guardians(say_nothing),
    "family.guardian-barred": Journaled("guardian-bar", and_guardians(alerts.end_limits)),
    "family.guardian-unbarred": and_guardians(say_nothing),
    "family.ward-ended": alerts.end_limits,
}
