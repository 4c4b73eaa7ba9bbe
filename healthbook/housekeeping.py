"""What is removed when it has ended, and after how long: the one place where that is decided.

Nothing here removes records, grants, requests for access, the access log or the registers. Each chore is a
row of the due queue that re-arms itself; a full batch comes again at once, so no statement grows with what
piled up. Beside them one chore makes old reading views anew after an upgrade.
"""

import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from msgspec import Struct

from audit.accountability.service import count_some
from consent.housekeeping import service as consent
from ehr import rebuild
from ehr.housekeeping.service import forget_receipts
from ehr.quarantine.expiry import expire
from ehr.quarantine.models import Kind
from ehr.referrals.keeping import housekeeping as gone_letters
from ehr.rejudge.service import announce_rules
from ehr.rows.service import forget_files
from identity.app_versions.uses import forget as forget_app_uses
from identity.housekeeping import service as identity
from identity.population.listed import housekeeping as list_lines
from kernel.ids import BUCKETS
from notifications.delivery import forget_stale_targets as stale_targets
from notifications.delivery import housekeeping as deliveries
from notifications.sms_budget import forget_budgets as sms_budgets
from partners.axis.incoming import housekeeping as axis_messages
from partners.disclosures.service import forget as forget_messages
from partners.oauth.service import forget_proofs
from partners.smart.keeping import forget_codes as forget_connect_codes
from partners.smart.keeping import forget_wishes as forget_connect_wishes
from partners.webhooks.service import forget as forget_events
from reminders.answers.queries import forget as forget_answers
from reminders.queries import forget as forget_times
from store import leases
from store.database import Tx
from store.due_queue import arm
from store.idempotency import LIVE_HOURS, forget
from vaccination.first_fill.keeping import housekeeping as dose_files
from vaccination.registration.retention import housekeeping as ended_registrations
from vaccination.revocation.service import forget as forget_revocations
from visits.arrivals import housekeeping as arrival_tickets
from visits.booking.retention import housekeeping as ended_appointments
from visits.booking.retention import housekeeping_of_facilities as desk_appointments
from visits.booking.retention import housekeeping_of_schedules as old_schedules
from visits.check_ins.leaving import housekeeping as visits
from visits.consultations.retention import housekeeping as ended_questions
from visits.coverage_check.queries import forget as forget_checks
from visits.declarations.retention import housekeeping as declarations
from visits.exposure.making import HOURS_KEPT, forget_hours
from visits.hotline.service import housekeeping as hotline_tickets
from visits.kiosk.payments import forget as kiosk_payments
from visits.lookup.rate import housekeeping as look_up_counts
from visits.safety.service import housekeeping as visit_safety
from visits.stays.service import housekeeping as stays
from visits.tickets.service import housekeeping as queue_tickets
from visits.unmet.service import housekeeping as typed_arrivals
from vitals.intake.service import forget as forget_batches

KIND: Final = "housekeeping"
EVERY: Final = timedelta(hours=1)
BATCH: Final = 500


class UnknownChoreError(Exception):
    """A row of a newer program; it waits for a worker that knows it."""


class Chore(Struct, frozen=True):
    """work: removes what ended before a time, of so many keys, and says how many rows went.

    kept: how long after its end; why: what it is still good for until then.
    """

    name: str
    kept: timedelta
    why: str
    work: Callable[[Tx, datetime, int], Awaitable[int]]


def _of_identity(ended: identity.Ended, kept: timedelta, why: str) -> Chore:
    return Chore(ended, kept, why, partial(_forget_identity, ended))


def _of_consent(ended: consent.Ended, kept: timedelta, why: str) -> Chore:
    return Chore(ended, kept, why, partial(_forget_consent, ended))


def _of_quarantine(name: str, kind: Kind, kept: timedelta, why: str) -> Chore:
    return Chore(name, kept, why, partial(_expire, kind, kept))


async def _forget_identity(ended: identity.Ended, tx: Tx, before: datetime, limit: int) -> int:
    return await identity.housekeeping(tx, ended, before, limit)


async def _forget_consent(ended: consent.Ended, tx: Tx, before: datetime, limit: int) -> int:
    return await consent.housekeeping(tx, ended, before, limit)


async def _expire(kind: Kind, kept: timedelta, tx: Tx, before: datetime, limit: int) -> int:
    return await expire(tx, kind, before, before + kept, limit)


async def _judge_anew(tx: Tx, before: datetime, limit: int) -> int:
    return await announce_rules(tx, before, limit)


async def _count_months(tx: Tx, before: datetime, limit: int) -> int:
    """A step counts as a full batch until every month stands."""
    return limit if await count_some(tx, before, limit) else 0


async def _rebuild_views(tx: Tx, _before: datetime, limit: int) -> int:
    """Few people a step, since one can have thousands of rows; a full step counts as a full batch."""
    done = await rebuild.rebuild_some(tx, rebuild.PEOPLE_PER_STEP)
    return limit if done >= rebuild.PEOPLE_PER_STEP else done


CHORES: Final = (
    _of_identity("sign-in-challenges", timedelta(hours=1), "a late answer still meets its own refusal"),
    _of_identity("phone-proofs", timedelta(hours=1), "a late answer still meets its own refusal"),
    _of_identity("activation-proposals", timedelta(days=1), "the desk repeats a confirmation (S14)"),
    _of_identity("activation-codes", timedelta(days=1), "a second use is told from a code that never was"),
    _of_identity("activation-undo", timedelta(days=3), "probation: PIN and phone can be put back (S8)"),
    _of_identity("attempt-budgets", timedelta(days=2), "the longest window is a day, from its first charge"),
    _of_identity("phone-code-locks", timedelta(hours=1), "a lock that ran out holds nobody back"),
    _of_identity("step-up-nonces", timedelta(hours=1), "an act lives five minutes, its nonce longer (S11)"),
    _of_identity("sessions", timedelta(days=30), "why a session ended answers complaints of its owner"),
    _of_identity("app-sessions", timedelta(days=7), "why a client's token ended answers its maker"),
    Chore("app-uses", timedelta(days=400), "a year's notice is given by what is still used", forget_app_uses),
    Chore("oauth-proofs", timedelta(minutes=5), "clocks of two servers differ", forget_proofs),
    _of_identity("identity-transactions", timedelta(hours=1), "ten minutes live, and a late way back after"),
    _of_consent("sms-codes", timedelta(hours=1), "a code lives five minutes, its hash serves no longer"),
    _of_consent("practitioner-requests", timedelta(days=90), "as long as the longest grant made from it"),
    _of_consent("share-codes", timedelta(days=1), "a second use is told to its owner"),
    _of_consent("share-code-hashes", timedelta(days=1), "as long as the code they lead to"),
    _of_consent("share-link-tickets", timedelta(hours=1), "a way to a file lives a minute"),
    _of_consent("share-link-addresses", timedelta(days=30), "a late opener meets the link's own refusal"),
    _of_consent("contact-invitations", timedelta(days=30), "who was named may still be asked about it"),
    _of_consent("proxy-invitations", timedelta(days=30), "a used code is told from one that never was"),
    _of_consent("guardianship-proposals", timedelta(days=30), "who proposed it, beside the log's row"),
    _of_consent("proxy-proposals", timedelta(days=30), "who proposed it, beside the log's row"),
    _of_consent("practitioner-emergencies", timedelta(days=90), "openings of one doctor, by the doctor"),
    _of_consent("request-quotas", timedelta(days=2), "they count one day"),
    Chore("arrival-tickets", timedelta(days=2), "an arrival counts until midnight", arrival_tickets),
    Chore("typed-arrivals", timedelta(days=30), "who typed in vain is looked into (S7)", typed_arrivals),
    Chore("look-up-counts", timedelta(days=730), "a facility compares its years", look_up_counts),
    Chore("stays", timedelta(days=30), "visits are kept a month (S30)", stays),
    # Longer than any booking lies ahead (367 days with its slot) and is kept behind (365).
    Chore("visit-safety", timedelta(days=800), "its check-in or booking is gone by then", visit_safety),
    Chore("kiosk-payments", timedelta(days=30), "a cashier compares a month", kiosk_payments),
    Chore("queue-tickets", timedelta(days=2), "a number counts until its day ends", queue_tickets),
    Chore("visits", timedelta(days=30), "who was where is kept a month (S30)", visits),
    Chore("coverage-checks", timedelta(days=90), "a desk looks up what it was told", forget_checks),
    Chore(
        "app-wishes", timedelta(hours=1), "a code's second use ends the first's tokens", forget_connect_wishes
    ),
    Chore("app-wish-codes", timedelta(hours=1), "a page's signs live ten minutes", forget_connect_codes),
    Chore("hotline-tickets", timedelta(days=180), "a caller calls again about it", hotline_tickets),
    # Ours; no rule names a time. Longer than any course, so that what was told can be looked up.
    Chore("reminder-times", timedelta(days=365), "when the phone rang answers complaints", forget_times),
    Chore("reminder-answers", timedelta(days=365), "as long as the times they answer", forget_answers),
    # The two that follow are ours; no rule names a time.
    Chore("vital-batches", timedelta(days=7), "a batch whose answer was lost gets it again", forget_batches),
    Chore("registrations", timedelta(days=730), "who was registered is looked up again", ended_registrations),
    Chore("declarations", timedelta(days=30), "who treats reads it a month from the visit on", declarations),
    Chore("facility-appointments", timedelta(days=30), "visits are kept so long (S30)", desk_appointments),
    Chore("appointments", timedelta(days=365), "who booked is looked up again", ended_appointments),
    # Longer than any appointment of it can lie ahead and is kept.
    Chore("schedules", timedelta(days=800), "its appointments are shown with its name", old_schedules),
    Chore("exposure-hours", HOURS_KEPT, "no list of these hours is rounded in a second way", forget_hours),
    Chore("consultations", timedelta(days=730), "what was answered is looked up again", ended_questions),
    Chore("referrals-gone", timedelta(days=365), "a letter taken back by mistake comes back", gone_letters),
    # FCM forgets a phone after so long without a word of it (notifications.md §2).
    Chore("push-targets", timedelta(days=270), "a phone says each month where it is", stale_targets),
    Chore("sms-budgets", timedelta(days=2), "they count one day", sms_budgets),
    Chore("deliveries", timedelta(days=30), "why a message did not come; it stays in the inbox", deliveries),
    Chore(
        "receipts", timedelta(days=90), "a facility looks up what it sent, a quarter back", forget_receipts
    ),
    # An older one's repeat is dealt with anew: the facility's own word and the newest copy stand anyway.
    Chore("axis-inbound", timedelta(days=400), "a repeat gets the first answer", axis_messages),
    # Longer than a partner's year: the same msg_id never means another request within it.
    Chore("partner-messages", timedelta(days=400), "one message has one receipt", forget_messages),
    Chore("partner-webhooks", timedelta(days=90), "why a client was not told is looked up", forget_events),
    Chore("revocations", timedelta(days=1), "clocks of verifiers differ", forget_revocations),
    Chore("row-files", timedelta(days=180), "a row in quarantine can still come back to it", forget_files),
    Chore("population-lines", timedelta(days=365), "a sender mends a list by next year's", list_lines),
    Chore("dose-files", timedelta(days=180), "a row in quarantine can still come back to it", dose_files),
    _of_quarantine("quarantine", "unit", timedelta(days=180), "somebody finds out whose it is"),
    _of_quarantine("gate-reviews", "review", timedelta(days=30), "a reviewer judges an ambiguous line"),
    _of_quarantine("tables-apart", "part", timedelta(days=30), "the summary of their visit comes"),
    Chore("gate-rules", timedelta(0), "what older rules of the gate let in is judged again", _judge_anew),
    Chore("reading-views", timedelta(0), "names and views of a newer program", _rebuild_views),
    Chore("accountability", timedelta(0), "each month's file of who read how much", _count_months),
    Chore("idempotency", timedelta(hours=LIVE_HOURS), "a repeat within a day (S14)", forget),
    Chore("work-leases", timedelta(0), "what a killed process left (S33)", leases.forget),
)
_BY_NAME: Final = {chore.name: chore for chore in CHORES}


async def arm_chores(tx: Tx, now: datetime) -> None:
    """Make sure that every chore has its row; one that waits keeps its time."""
    for chore in CHORES:
        await arm(tx, bucket_of_chore(chore.name), now, KIND, chore.name)


async def do_chore(tx: Tx, name: str, now: datetime) -> datetime:
    """Do one batch. Returns when the chore is due again. Raises UnknownChoreError."""
    chore = _BY_NAME.get(name)
    if chore is None:
        raise UnknownChoreError(name)
    done = await chore.work(tx, now - chore.kept, BATCH)
    return now if done >= BATCH else now + EVERY


def bucket_of_chore(name: str) -> int:
    """The same on every machine and in every version."""
    return zlib.crc32(name.encode()) % BUCKETS
