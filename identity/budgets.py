"""Counted tries: a row is charged before anything is compared, in one statement (consent.md §8)."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from identity.entry import queries
from identity.problems import TOO_MANY
from kernel.problems import Refused
from store.database import Tx


class Budget(Struct, frozen=True, kw_only=True):
    """So many charges in a window that starts with the first of them."""

    kind: str
    limit: int
    window: timedelta


SIGN_IN_STARTS = Budget(kind="sign-in-start", limit=10, window=timedelta(hours=1))
SENDS_HOUR = Budget(kind="sms-hour", limit=3, window=timedelta(hours=1))
SENDS_DAY = Budget(kind="sms-day", limit=10, window=timedelta(days=1))
# SMS pumping: a prefix is a block of 10,000 numbers.
SENDS_PREFIX = Budget(kind="sms-prefix", limit=200, window=timedelta(hours=1))
WRONG_PIN_PERSON = Budget(kind="pin-person", limit=5, window=timedelta(hours=1))
WRONG_PIN_PHONE = Budget(kind="pin-phone", limit=5, window=timedelta(hours=1))
WRONG_PASSWORD = Budget(kind="password", limit=5, window=timedelta(minutes=15))
# The same for a one-time password that is asked for again within a session (S16).
WRONG_TOTP = Budget(kind="totp", limit=5, window=timedelta(minutes=15))
WRONG_CLIENT_SECRET = Budget(kind="client-secret", limit=20, window=timedelta(minutes=15))
# Argon2 costs us more than it costs whoever sends random names (S33).
SIGN_INS_NETWORK = Budget(kind="sign-in-network", limit=300, window=timedelta(minutes=15))
# Each number has its own ten an hour: without this, one caller walks through many numbers.
SIGN_IN_STARTS_NETWORK = Budget(kind="start-network", limit=300, window=timedelta(minutes=15))
# The same for phones that want an account, and how many accounts one phone makes in a day.
SIGN_UP_STARTS = Budget(kind="sign-up-start", limit=10, window=timedelta(hours=1))
SIGN_UPS_DAY = Budget(kind="sign-up-day", limit=3, window=timedelta(days=1))
# Proofs of identity that one network starts: each asks a provider outside.
ENROLMENTS_NETWORK = Budget(kind="enrolment-network", limit=120, window=timedelta(minutes=15))
# Changes of phone and PIN that one person starts in a day: letters go to phones that may be anybody's.
PHONE_CHANGES_DAY = Budget(kind="phone-change-day", limit=5, window=timedelta(days=1))
PIN_CHANGES_DAY = Budget(kind="pin-change-day", limit=10, window=timedelta(days=1))
# Cards that people of one network scan to fill in a form.
CARD_TEXTS_NETWORK = Budget(kind="card-text-network", limit=60, window=timedelta(hours=1))
ACTIVATION_TRIES_NETWORK = Budget(kind="activation-network", limit=60, window=timedelta(hours=1))
# What a busy desk types in a day, and what a large hospital's desks do together.
ARRIVALS_DAY = Budget(kind="arrival-day", limit=300, window=timedelta(days=1))
ARRIVALS_DAY_FACILITY = Budget(kind="arrival-day-facility", limit=3000, window=timedelta(days=1))
# A desk looks at each card once or twice.
COVERAGE_CHECKS_DAY = Budget(kind="coverage-check-day", limit=600, window=timedelta(days=1))
COVERAGE_CHECKS_DAY_FACILITY = Budget(
    kind="coverage-check-day-facility", limit=6000, window=timedelta(days=1)
)
# What one account scans at counters in a day, for itself and for whom it acts: many halls, many times over.
CHECK_INS_DAY = Budget(kind="check-in-day", limit=60, window=timedelta(days=1))
# Licence numbers that one administrator types in a day: more than a large hospital takes on.
LICENCE_LOOKS_DAY = Budget(kind="licence-look-day", limit=200, window=timedelta(days=1))
ACTIVATIONS_DAY = Budget(kind="activation-day", limit=20, window=timedelta(days=1))

# Codes that set kiosks up: what a facility's administrators make in a day, and what one network tries.
KIOSK_CODES_DAY = Budget(kind="kiosk-code-day", limit=100, window=timedelta(days=1))
KIOSK_CODES_NETWORK = Budget(kind="kiosk-code-network", limit=60, window=timedelta(hours=1))
# Cards, and what is wrong, that people show to one kiosk, and to all of a large hospital's: nobody shows them
# faster by hand. A card in hand is shown a few times a day. Own codes that are right are not counted.
KIOSK_SCANS_MINUTE = Budget(kind="kiosk-scan-minute", limit=12, window=timedelta(minutes=1))
KIOSK_SCANS_HOUR = Budget(kind="kiosk-scan-hour", limit=360, window=timedelta(hours=1))
KIOSK_SCANS_DAY_FACILITY = Budget(kind="kiosk-scan-day-facility", limit=30_000, window=timedelta(days=1))
KIOSK_CARDS_DAY = Budget(kind="kiosk-card-day", limit=20, window=timedelta(days=1))
# Questions that are typed at one kiosk, and what its payment terminal says.
KIOSK_QUESTIONS_HOUR = Budget(kind="kiosk-question-hour", limit=600, window=timedelta(hours=1))
KIOSK_PAYMENTS_HOUR = Budget(kind="kiosk-payment-hour", limit=600, window=timedelta(hours=1))

# What one person may ask facilities to look at, and have drawn anew, in a day.
CASES_DAY = Budget(kind="case-day", limit=10, window=timedelta(days=1))
PICTURES_DAY = Budget(kind="picture-day", limit=40, window=timedelta(days=1))

# Questions that one person puts to facilities in writing in a day: each waits for somebody's time.
CONSULTATIONS_DAY = Budget(kind="consultation-day", limit=10, window=timedelta(days=1))

# Registrations for vaccinations that one account makes in a day: a large family, many times over.
REGISTRATIONS_DAY = Budget(kind="registration-day", limit=40, window=timedelta(days=1))

# Declarations before visits that one account sends in a day: a large family, each form anew some times.
DECLARATIONS_DAY = Budget(kind="declaration-day", limit=60, window=timedelta(days=1))

# Places at facilities that one account asks for in a day: each is kept from others for minutes.
APPOINTMENTS_DAY = Budget(kind="appointment-day", limit=40, window=timedelta(days=1))

# Lists of who was at a facility that one of the health department asks for in a day (security.md S30).
EXPOSURE_LISTS_DAY = Budget(kind="exposure-list-day", limit=10, window=timedelta(days=1))

# Reports of reactions after vaccination that one account sends in a day: a family's children, many times
# over.
REACTIONS_DAY = Budget(kind="reaction-day", limit=30, window=timedelta(days=1))

# Tickets that one hotline agent writes in a day: more than anybody can take calls.
TICKETS_DAY = Budget(kind="hotline-ticket-day", limit=300, window=timedelta(days=1))

# Papers that are added to one person's book in a day: an old paper book has so many pages.
OWN_DOCUMENTS_DAY = Budget(kind="own-document-day", limit=40, window=timedelta(days=1))

# Files of measurements for one book in a day: each may hold years of them.
VITAL_IMPORTS_DAY = Budget(kind="vital-import-day", limit=10, window=timedelta(days=1))

# What a facility writes to one person about one case in a day: each rings on a phone.
CASE_REPLIES_DAY = Budget(kind="case-reply-day", limit=10, window=timedelta(days=1))

# What one member of staff types in by hand in a day: more than the busiest commune station sees.
ENTRIES_DAY = Budget(kind="entry-day", limit=400, window=timedelta(days=1))

# Files of rows (a class, a factory) that one account sends in a day; a file is at most 2,000 people.
ROW_FILES_DAY = Budget(kind="row-file-day", limit=60, window=timedelta(days=1))

# The same for a facility's system: one call for each person it follows and each visit.
SYSTEM_ENTRIES_DAY = Budget(kind="system-entry-day", limit=20_000, window=timedelta(days=1))

# What is said of one person's own health in a day, amendments too, by whoever says it.
STATEMENTS_DAY = Budget(kind="statement-day", limit=60, window=timedelta(days=1))

# What a registry officer looks up by hand in a day.
REGISTRY_LOOK_UPS_DAY = Budget(kind="registry-look-up-day", limit=100, window=timedelta(days=1))

# Look-ups and tries of a fact by one account at a desk in a day, and by all of a large hospital (ours).
LOOK_UPS_DAY = Budget(kind="look-up-day", limit=300, window=timedelta(days=1))
LOOK_UPS_DAY_FACILITY = Budget(kind="look-up-day-facility", limit=3000, window=timedelta(days=1))
# Wrong names and birth dates of one person in a day: by a facility, and by all of them together. A year has
# 365 days, and the year is shown.
FACT_TRIES_DAY = Budget(kind="look-up-fact", limit=3, window=timedelta(days=1))
FACT_TRIES_DAY_PERSON = Budget(kind="look-up-fact-person", limit=12, window=timedelta(days=1))

# Stays that one account writes down in a day: more than any ward takes in (ours).
STAYS_DAY = Budget(kind="stay-day", limit=300, window=timedelta(days=1))
# Lists of a day that one account reads: each writes a row into the log of everybody on it (ours).
STAY_LISTS_DAY = Budget(kind="stay-list-day", limit=60, window=timedelta(days=1))

# Arrivals that a clinician asked for in vain: somebody who tries numbers meets this, a busy night does not.
EMERGENCY_MISSES_DAY = Budget(kind="emergency-miss-day", limit=20, window=timedelta(days=1))

# Each refused read leaves a row in the log of whoever it aimed at, also for an invented id.
REFUSED_READS_DAY = Budget(kind="refused-read-day", limit=100, window=timedelta(days=1))


# A link answers so often, whoever holds its address (consent.md §3.2, polling); its owner hears of each one.
LINK_OPENINGS = Budget(kind="link-opening", limit=30, window=timedelta(minutes=10))
# Printed papers that one network checks: an employer's desk does some dozens, a robot does not get far.
PAPER_CHECKS = Budget(kind="paper-check", limit=120, window=timedelta(hours=1))
# Certificates that one network verifies: a border crossing does some hundreds an hour, many share an address.
CERTIFICATE_CHECKS = Budget(kind="certificate-check", limit=1200, window=timedelta(hours=1))
# Links and share codes that one person makes in a day.
LINKS_DAY = Budget(kind="link-day", limit=20, window=timedelta(days=1))
SHARE_CODES_DAY = Budget(kind="share-code-day", limit=30, window=timedelta(days=1))
# Tokens that clients of one network ask for, right or wrong.
OAUTH_NETWORK = Budget(kind="oauth-network", limit=3000, window=timedelta(minutes=10))
# Apps and partners that one person lets in in a day.
APP_CONSENTS_DAY = Budget(kind="app-consent-day", limit=20, window=timedelta(days=1))
# What one app or partner asks of one person's book in a day: a SMART app reads page by page.
APP_READS_PERSON_DAY = Budget(kind="app-person-day", limit=2000, window=timedelta(days=1))
# Signs of pages that one person scans or types in an hour to let a client in; pages that one network opens.
CONNECT_CODES = Budget(kind="connect-code", limit=20, window=timedelta(hours=1))
CONNECT_PAGES_NETWORK = Budget(kind="connect-page-network", limit=600, window=timedelta(hours=1))
# Wrong share codes of one practitioner: with 40 bits and ten minutes nobody guesses one in ten tries an hour.
WRONG_SHARE_CODES = Budget(kind="share-code-wrong", limit=10, window=timedelta(hours=1))

# Wrong codes of prescriptions of one pharmacist: 36^7 of each facility, of which few stand at a time.
WRONG_PRESCRIPTION_CODES = Budget(kind="prescription-wrong", limit=20, window=timedelta(hours=1))

# Links between relatives: what a desk attests in a day, and codes of invitations that one person tries.
GUARDIANSHIPS_DAY = Budget(kind="guardianship-day", limit=20, window=timedelta(days=1))
DESK_PROXIES_DAY = Budget(kind="desk-proxy-day", limit=20, window=timedelta(days=1))
# Ending takes away: as often as an account notes arrivals, so that no limit of writing holds it back.
DESK_PROXY_ENDS_DAY = Budget(kind="desk-proxy-end-day", limit=ARRIVALS_DAY.limit, window=timedelta(days=1))
# How often one person asks the identity provider about children in a day; each may tell another guardian.
CHILD_LINKS_DAY = Budget(kind="child-link-day", limit=5, window=timedelta(days=1))
PROXY_CODES_DAY = Budget(kind="proxy-code-day", limit=20, window=timedelta(days=1))


def subject(text: str | bytes) -> bytes:
    """The row key of whatever is counted."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).digest()


async def charge(tx: Tx, budget: Budget, id_hash: bytes, now: datetime) -> bool:
    """Charge one. False when the window has none left; nothing is charged then."""
    expired = now - budget.window
    row = await queries.CHARGE_BUDGET.one(tx, id_hash, budget.kind, now, expired, budget.limit)
    return row is not None


async def charge_or_refuse(tx: Tx, budget: Budget, id_hash: bytes, now: datetime) -> Refused | None:
    """Charge one, or say when the next one is there."""
    return None if await charge(tx, budget, id_hash, now) else await _spent(tx, budget, id_hash, now)


async def _spent(tx: Tx, budget: Budget, id_hash: bytes, now: datetime) -> Refused:
    row = await queries.BUDGET.one(tx, id_hash, budget.kind)
    wait = (row.window_start + budget.window - now) if row is not None else budget.window
    return Refused(problem=TOO_MANY, retry_after_seconds=max(1, int(wait.total_seconds())))


async def charge_app(
    tx: Tx, client_id: UUID, per_minute: int, per_day: int, now: datetime, *, is_alone: bool = False
) -> Refused | None:
    """One call of a client: its own quotas stand in the register. is_alone: the statement commits by itself,
    and the call's own transaction follows."""
    who = subject(client_id.bytes)
    minute = Budget(kind="app-call-minute", limit=per_minute, window=timedelta(minutes=1))
    day = Budget(kind="app-call-day", limit=per_day, window=timedelta(days=1))
    charge_both = queries.CHARGE_BOTH_UNFLUSHED if is_alone else queries.CHARGE_BOTH
    row = await charge_both.one(
        tx, who, now, minute.kind, now - minute.window, minute.limit, day.kind, now - day.window, day.limit
    )
    assert row is not None
    if row.second:
        return None
    return await _spent(tx, day if row.first else minute, who, now)


async def refund(tx: Tx, budget: Budget, id_hash: bytes) -> None:
    """The try was right: only wrong ones count."""
    await queries.REFUND_BUDGET.run(tx, id_hash, budget.kind)
