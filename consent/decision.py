"""The decision: the only place where an `Access` is made.

The session, and with it the device, licence, facility role and their dates, was re-read by
`identity.sessions.authenticate` in this transaction; the grant and the person's state are re-read
here. Nothing is cached and nothing waits for a sweeper.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec.structs import replace

from consent.apps import queries as apps
from consent.apps.models import AppConsent, LiveConsent
from consent.apps.policy import NOTE_EVERY
from consent.apps.problems import BEYOND_CONSENT
from consent.blocks.queries import is_blocked
from consent.delegations.reading import delegation_in_force, tell_first_use, types_of
from consent.emergency import queries as emergencies
from consent.emergency.policy import HISTORY_MONTHS, opened_types, shows_safety_set
from consent.emergency.policy import PURPOSE as BROKEN_GLASS_PURPOSE
from consent.emergency_card.models import LiveCard
from consent.grants import queries
from consent.links import queries as links
from consent.links.opening import opener
from consent.links.problems import LINK_NOT_FOUND
from consent.policy import is_held
from consent.problems import NO_ACCESS
from consent.role_caps import NOTHING, cap_of_role, role_cap
from ehr.merges.service import book_of
from family.policy import ADULT_AGE, ALONE_FROM, NEVER, is_of_age, part_of
from family.problems import ADULTS_ONLY, GUARDIAN_NEEDED, NOT_IN_YOUR_CARE, NOT_YOUR_BOOK
from family.service import link_of
from identity import budgets
from identity.accounts.opening import PERSON_LEVEL
from identity.accounts.problems import IDENTITY_UNPROVEN
from identity.devices import usable_device
from identity.merges.aliases import origins_of
from identity.people import is_closed, living, open_demographics
from identity.problems import ACCOUNT_HELD, DEVICE_ON_PROBATION
from kernel.access import ALL_LABELS, Access, Action, Actor, Basis, Label, PartnerGroup, mint_access
from kernel.clock import add_months, local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

# What the asking side may do under a grant.
GRANTED_ACTIONS: Final[frozenset[Action]] = frozenset(
    {
        "read-summary",
        "read-section",
        "read-timeline",
        "read-trend",
        "search",
        "read-document",
        "read-wishes",
        "flag-safety",
        "read-prescriptions",
        "verify-statement",
        "dismiss-finding",
        "set-alert-rules",
    }
)
# What stands only on the person's own yes, not on broken glass.
GRANT_ALONE: Final[frozenset[Action]] = frozenset({"verify-statement", "set-alert-rules"})
# What a device on probation may do for its own person (security.md S8). Of numbers and notices it gets a part
# (api/citizen). What it approves is cut to the caps of tier D, it ends no device but itself, and no held
# grant stands by its word (S16).
PROBATION_ACTIONS: Final[frozenset[Action]] = frozenset(
    {
        "read-summary",
        "read-notifications",
        "read-account",
        "identify",
        "check-in",
        "answer-request",
        "guard-grants",
        "manage-grants",
        "manage-devices",
        "manage-family",
        "assent",
    }
)

# What a browser's session reads of its own person's book beside those, on whatever device or none, where an
# identity provider said at its door who that is (decisions/0013-page-sessions.md). Labels stay withheld.
PROVEN_READS: Final[frozenset[Action]] = frozenset(
    {
        "read-section",
        "read-timeline",
        "read-trend",
        "search",
        "read-document",
        "read-access-log",
        "look-at-log",
        "read-changes",
        "read-prescriptions",
        "read-coverage",
        "read-costs",
        "read-referrals",
        "read-unanswered",
        "read-wishes",
    }
)

# What a held device may do (security.md S10): be told, look at its account, end grants and devices. Objecting
# to a false death needs the device key besides.
HELD_ACTIONS: Final[frozenset[Action]] = frozenset(
    {
        "read-notifications",
        "read-account",
        "answer-request",
        "guard-grants",
        "manage-grants",
        "manage-devices",
        "manage-family",
    }
)

# What an account may do that nobody's identity stands behind (security.md S1): live with what it entered
# itself. It acts for nobody, lets nobody act for it, stands at no counter under the name that it gave itself,
# and hands nothing out that looks attested.
UNPROVEN_ACTIONS: Final[frozenset[Action]] = PROBATION_ACTIONS - {
    "manage-family",
    "assent",
    "identify",
    "check-in",
} | {
    "read-section",
    "read-timeline",
    "read-trend",
    "search",
    "read-document",
    "read-access-log",
    "read-changes",
    "read-prescriptions",
    "read-coverage",
    "read-costs",
    "read-referrals",
    "read-unanswered",
    "change-factors",
    "add-to-record",
    "manage-record",
    "export-record",
    "write-vitals",
    "delete-vitals",
    "manage-reminders",
    "manage-alerts",
    "manage-notices",
    "manage-appointments",
    "manage-purposes",
    "manage-rights",
    "ask-erasure",
    "close-account",
}

# Jobs that read records, a closed list: the nightly count of statistics (security.md S30).
Job = Literal["statistics", "reminders", "family-reminders", "proxy-reminders"]
_NOBODY: Final = UUID(int=0)
_JOBS: Final[dict[Job, tuple[str, Basis, Label]]] = {
    "statistics": ("PUBHLTH", "job", ALL_LABELS),
    "reminders": ("TREAT", "job", Label.NONE),
    "family-reminders": ("TREAT", "guardian", NEVER),
    "proxy-reminders": ("TREAT", "proxy", ALL_LABELS),
}
# v3-ActReason: a relative's request.
FAMILY_PURPOSE: Final = "FAMRQT"

_NO_ACCESS: Final = Refused(problem=NO_ACCESS)


async def decide(
    tx: Tx,
    actor: Actor,
    patient_id: UUID,
    action: Action,
    purpose: str,
    now: datetime,
    *,
    keys: KeyRing | None = None,
) -> Access | Refused:
    """Decide one request. purpose: v3-ActReason code ('TREAT'; the person's own use is 'PATRQT').

    keys: open the birth date that decides what a relative may do, and what a child does alone; without them
    nobody acts for another, and nothing that asks for an age is done.

    No grant, a grant that ended and a person who does not exist are one refusal: `no-access`.
    """
    if actor.kind == "citizen" and actor.actor_id != patient_id:
        return await _for_another(tx, keys, actor, patient_id, action, now)
    if actor.kind == "citizen":
        return _own(keys, actor, patient_id, action, purpose, now)
    if actor.kind == "practitioner":
        granted = await _granted(tx, actor, patient_id, action, purpose, now)
        if isinstance(granted, Access):
            return granted
        return await _broken_glass(tx, actor, patient_id, action, now) or granted
    return _NO_ACCESS


async def decide_job(tx: Tx, job: Job, patient_id: UUID) -> Access:
    """What a job may read of a person, and never what the person hides from everybody. Rows of a merged
    person count with the one that stays.

    statistics: nothing with a sensitivity label, so nothing of a sensitive department (v3-ActReason: public
    health). reminders: all else, for no word of it leaves the server. family-reminders: what guardians may
    know of (security.md S23). proxy-reminders: what an adult's proxy may: nothing with a label.
    """
    purpose, basis, withheld = _JOBS[job]
    return mint_access(
        patient_id=patient_id,
        actor=Actor(kind="job", actor_id=_NOBODY, name=job),
        action="read-section",
        purpose=purpose,
        basis=basis,
        withheld_labels=withheld,
        # Nobody of the family sees rows of a merged person.
        origins=frozenset() if basis in ("guardian", "proxy") else await origins_of(tx, patient_id),
    )


def decide_jobs(job: Job, people: Iterable[UUID]) -> list[Access]:
    """The same for many persons of whom the caller knows that no merge concerns them: rows of a merged person
    do not exist for it."""
    purpose, basis, withheld = _JOBS[job]
    actor = Actor(kind="job", actor_id=_NOBODY, name=job)
    return [
        mint_access(
            patient_id=patient_id,
            actor=actor,
            action="read-section",
            purpose=purpose,
            basis=basis,
            withheld_labels=withheld,
        )
        for patient_id in people
    ]


async def decide_axis(tx: Tx, patient_id: UUID, facility_id: UUID, facility_name: str) -> Access | None:
    """What of a person a facility's health checks may tell the ministry's axis, on the ground that an
    operator named for that facility (v3-ActReason: public health): filled-in forms, nothing with a
    sensitivity label, nothing that is hidden from anybody, and nothing of a merged person. The caller reads
    of them what that facility wrote. None: nothing of a frozen book or of one that is being erased."""
    if await is_closed(tx, patient_id):
        return None
    return mint_access(
        patient_id=patient_id,
        actor=Actor(
            kind="job", actor_id=_NOBODY, name="axis", facility_id=facility_id, facility_name=facility_name
        ),
        action="read-section",
        purpose="PUBHLTH",
        basis="partner",
        types=frozenset({"QuestionnaireResponse"}),
        withheld_labels=ALL_LABELS,
    )


def decide_card(card: LiveCard, actor: Actor) -> Access:
    """What an emergency card lets out, whoever holds its code: the types that were ticked, and nothing with a
    sensitivity label. The card was read in this transaction with its person's state, holds and epoch.

    actor: a bearer whom nobody knows, or the person who looks at the own card.
    """
    return mint_access(
        patient_id=card.patient_id,
        actor=actor,
        action="read-emergency-card",
        purpose="ETREAT",
        basis="share-link",
        basis_id=card.card_id,
        basis_version=card.version,
        types=card.types,
        withheld_labels=ALL_LABELS,
        origins=frozenset(card.origins),
    )


def decide_paper(patient_id: UUID, actor: Actor) -> Access:
    """What the code of a printed paper lets out, whoever scanned it: whether its facility stands by what the
    paper itself says. Whether the code is ours was checked in this transaction."""
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action="read-shared",
        purpose="PATRQT",
        basis="share-link",
        withheld_labels=ALL_LABELS,
    )


def decide_contents(own: Access, link_id: UUID) -> Access:
    """What somebody who may share this record puts into a link: nothing with a sensitivity label, and nothing
    that is hidden, also from a record that the sharer reads whole."""
    assert own.action == "share-record"
    return mint_access(
        patient_id=own.patient_id,
        actor=own.actor,
        on_behalf_of=own.on_behalf_of,
        action="read-shared",
        purpose=own.purpose,
        basis="share-link",
        basis_id=link_id,
        withheld_labels=ALL_LABELS,
        origins=own.origins,
    )


async def decide_link(
    tx: Tx, patient_id: UUID, link_id: UUID, arming: int, recipient: str, now: datetime
) -> Access | Refused:
    """What a link lets out to whoever opened it with its passcode: the link, its person's state and every
    hold are read anew, and that passcode must not have been replaced since. recipient: the opener's words."""
    link = await links.LIVE_LINK.one(tx, patient_id, link_id, now, arming)
    if link is None:
        return Refused(problem=LINK_NOT_FOUND)
    return mint_access(
        patient_id=patient_id,
        actor=opener(link_id, recipient),
        action="read-shared",
        purpose="PATRQT",
        basis="share-link",
        basis_id=link_id,
        basis_version=link.arming,
        withheld_labels=ALL_LABELS,
        origins=frozenset(link.origins),
    )


async def decide_app(
    tx: Tx,
    actor: Actor,
    reference: UUID,
    action: Action,
    now: datetime,
    *,
    groups: frozenset[PartnerGroup] = frozenset(),
) -> Access | Refused:
    """What a partner or an app may read by the consent that it names: client, its entry, consent, its
    person's state and every hold are read anew. Nothing with a sensitivity label, ever.

    groups: the parts of a partner's data set that the request is for. Refused: no-access, one answer for a
    consent that ended, another client's and one that never was; beyond-consent; too-many.
    """
    if actor.kind != "app" or action != "read-by-app" or actor.reference not in (None, reference):
        return _NO_ACCESS
    found = await apps.BY_REFERENCE.one(tx, actor.actor_id, reference)
    # An unknown reference costs the same statements.
    whose, which = (found.patient_id, found.consent_id) if found else (_NOBODY, _NOBODY)
    live = await apps.LIVE.one(tx, whose, which, actor.actor_id, now)
    if live is None:
        return _NO_ACCESS
    if not groups <= live.open_groups:
        return Refused(problem=BEYOND_CONSENT, where="groups")
    spent = await budgets.charge_or_refuse(
        tx, budgets.APP_READS_PERSON_DAY, budgets.subject(actor.actor_id.bytes + reference.bytes), now
    )
    if spent is not None:
        return spent
    await _note_app_use(tx, actor, whose, live, now)
    return mint_access(
        patient_id=whose,
        actor=actor,
        action=action,
        purpose="PATRQT",
        basis="partner",
        basis_id=live.consent_id,
        types=live.open_types,
        withheld_labels=ALL_LABELS,
        origins=frozenset(live.origins),
        sealed_person=live.sealed_person,
    )


async def decide_app_news(tx: Tx, consent: AppConsent, now: datetime) -> Access | None:
    """What a client may see by a consent that stands now, for the one question whether it is told that
    something changed; no row of it leaves, so nothing is charged and no use is noted."""
    live = await apps.LIVE.one(tx, consent.patient_id, consent.consent_id, consent.client_id, now)
    if live is None:
        return None
    return mint_access(
        patient_id=consent.patient_id,
        actor=Actor(kind="app", actor_id=consent.client_id, name=consent.client_name),
        action="read-by-app",
        purpose="PATRQT",
        basis="partner",
        basis_id=live.consent_id,
        types=live.open_types,
        withheld_labels=ALL_LABELS,
        origins=frozenset(live.origins),
    )


async def decide_connection(
    tx: Tx, keys: KeyRing, patient_id: UUID, level: int, now: datetime, *, device_id: UUID | None = None
) -> Access | Refused:
    """That a person who proved on our own page who they are, or agreed in the own app, may let a client in.
    Nothing else can be done with it. level: of that proof. device_id: of the app that agreed a while ago; it
    must stand as if it asked now.

    Refused: no-access where nobody who lives has this id, guardian-needed under fifteen, account-held where
    the device was ended or is held, device-on-probation.
    """
    found = await living(tx, patient_id)
    if found is None:
        return _NO_ACCESS
    device = None if device_id is None else await usable_device(tx, patient_id, device_id)
    if device_id is not None and device is None:
        return Refused(problem=ACCOUNT_HELD)
    actor = Actor(
        kind="citizen",
        actor_id=patient_id,
        level=level,
        device_id=device_id,
        probation=device is not None and device.probation_until > now,
        sealed_person=found.demographics,
    )
    return _own(keys, actor, patient_id, "connect-app", "PATRQT", now)


async def decide_prescription(
    tx: Tx, actor: Actor, patient_id: UUID, prescription_id: UUID
) -> Access | Refused:
    """What the code of a prescription opens for the pharmacist to whom it was shown: medicines that were
    prescribed, of which the caller reads that prescription's lines alone. What is hidden from everybody, or
    from whom the person blocked, does not exist; labels are not withheld, for it is what the person came for.

    patient_id: whom it was written for; the rows may lie in another book since a merge.
    """
    assert actor.role == "pharmacist"
    book, origin = await book_of(tx, patient_id)
    if actor.facility_id is None or await is_blocked(tx, book, actor.actor_id, actor.facility_id):
        return _NO_ACCESS
    return mint_access(
        patient_id=book,
        actor=actor,
        action="dispense",
        purpose="TREAT",
        basis="prescription",
        basis_id=prescription_id,
        types=frozenset({"MedicationRequest"}),
        origins=frozenset() if origin is None else frozenset({origin}),
    )


def _own(
    keys: KeyRing | None, actor: Actor, patient_id: UUID, action: Action, purpose: str, now: datetime
) -> Access | Refused:
    if actor.held and action not in HELD_ACTIONS:
        return Refused(problem=ACCOUNT_HELD)
    beyond = action not in PROBATION_ACTIONS and not (actor.proven and action in PROVEN_READS)
    if actor.probation and beyond:
        return Refused(problem=DEVICE_ON_PROBATION)
    if actor.level < PERSON_LEVEL and action not in UNPROVEN_ACTIONS:
        return Refused(problem=IDENTITY_UNPROVEN)
    age = ALONE_FROM.get(action)
    if age is not None and not is_of_age(_birth_date(keys, actor), age, local_day(now)):
        return Refused(problem=ADULTS_ONLY if age == ADULT_AGE else GUARDIAN_NEEDED)
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose=purpose,
        basis="self",
        withheld_labels=ALL_LABELS if actor.probation else Label.NONE,
        origins=actor.origins,
        sealed_person=actor.sealed_person,
    )


async def _for_another(
    tx: Tx, keys: KeyRing | None, actor: Actor, patient_id: UUID, action: Action, now: datetime
) -> Access | Refused:
    """A guardian or a proxy: the link, both people and the age of one of them are read now; one statement.

    No link, a link that ended and a person who does not exist are one refusal. Rows of a person who was
    merged into this one are never seen by it (security.md S10).
    """
    if actor.held or actor.probation:
        return Refused(problem=ACCOUNT_HELD if actor.held else DEVICE_ON_PROBATION)
    if actor.level < PERSON_LEVEL:
        return Refused(problem=IDENTITY_UNPROVEN)
    link = None if keys is None else await link_of(tx, keys, actor.actor_id, patient_id, now, actor.holds)
    part = None if link is None else part_of(link)
    if keys is None or link is None or part is None:
        return Refused(problem=NOT_YOUR_BOOK)
    if action not in part.actions:
        return Refused(problem=NOT_IN_YOUR_CARE)
    return mint_access(
        patient_id=patient_id,
        actor=replace(actor, name=_name_of(keys, actor)),
        on_behalf_of=patient_id,
        action=action,
        purpose=FAMILY_PURPOSE,
        basis=link.relation,
        types=part.types,
        withheld_labels=part.withheld,
        sealed_person=link.sealed_person,
    )


def _birth_date(keys: KeyRing | None, actor: Actor) -> str | None:
    """The birth date came sealed with the session: asking for an age costs no statement."""
    sealed = actor.sealed_person
    return open_demographics(keys, actor.actor_id, sealed).birth_date if keys and sealed else None


def _name_of(keys: KeyRing, actor: Actor) -> str:
    """Who acts for another stands in that person's log by name."""
    sealed = actor.sealed_person
    return (open_demographics(keys, actor.actor_id, sealed).name or "") if sealed else ""


async def _granted(
    tx: Tx, actor: Actor, patient_id: UUID, action: Action, purpose: str, now: datetime
) -> Access | Refused:
    if action not in GRANTED_ACTIONS or actor.facility_id is None:
        return _NO_ACCESS
    if cap_of_role(actor.role).delegated:
        return await _delegated(tx, actor, patient_id, action, purpose, now)
    grant = await queries.live_grant(tx, patient_id, actor.actor_id, actor.facility_id, now)
    if grant is None or is_held(grant.created_at, grant.confirmed_at, actor.factors_reset_at):
        return _NO_ACCESS
    # The role is today's: a doctor who became a nurse reads as a nurse.
    types = frozenset(grant.types) & role_cap(actor.role)
    if not types:
        return _NO_ACCESS
    if grant.broke_glass and not shows_safety_set(types, grant.since, grant.until):
        opened = await _broken_glass(tx, actor, patient_id, action, now)
        if opened is not None:
            return opened
    if grant.told_on != local_day(now):
        await _tell_first_use(tx, actor, patient_id, grant.grant_id, now)
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose=purpose,
        basis="grant",
        basis_id=grant.grant_id,
        basis_version=grant.version,
        types=types,
        since=grant.since,
        until=grant.until,
        withheld_labels=ALL_LABELS & ~Label(grant.labels),
        origins=frozenset(grant.origins),
        sealed_person=grant.sealed_person,
    )


async def _delegated(
    tx: Tx, actor: Actor, patient_id: UUID, action: Action, purpose: str, now: datetime
) -> Access | Refused:
    """What a doctor with a grant handed to this nurse: no sensitive label, and under the nurse's own name."""
    handed = await delegation_in_force(tx, actor, patient_id, now)
    types = NOTHING if handed is None else types_of(handed, actor)
    if handed is None or not types:
        return _NO_ACCESS
    await tell_first_use(tx, actor, patient_id, handed, now)
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose=purpose,
        basis="grant",
        basis_id=handed.grant_id,
        basis_version=handed.version,
        types=types,
        since=handed.since,
        until=handed.until,
        withheld_labels=ALL_LABELS,
        origins=frozenset(handed.origins),
        sealed_person=handed.sealed_person,
    )


async def _broken_glass(
    tx: Tx, actor: Actor, patient_id: UUID, action: Action, now: datetime
) -> Access | None:
    """Where no grant is in force that shows as much: what a doctor of an emergency unit opened, while all
    that it stands on is there (security.md S24). The safety set of twelve months, without what the person
    leaves out of it.
    """
    if action not in GRANTED_ACTIONS - GRANT_ALONE or actor.role != "doctor" or actor.facility_id is None:
        return None
    here, day = (actor.actor_id, actor.facility_id, actor.practitioner_role_id), local_day(now)
    opened = await emergencies.live_emergency(tx, patient_id, *here, now, day)
    if opened is None or is_held(opened.opened_at, None, actor.factors_reset_at):
        return None
    if not opened.told_today and await emergencies.take_first_read(tx, patient_id, opened.emergency_id, day):
        ref = {"emergency_id": str(opened.emergency_id), "day": day.isoformat()}
        await emit(tx, patient_id, "consent.emergency-read", ref, now)
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose=BROKEN_GLASS_PURPOSE,
        basis="break-glass",
        basis_id=opened.emergency_id,
        basis_version=opened.version,
        types=opened_types(opened.withheld),
        since=add_months(day, -HISTORY_MONTHS),
        withheld_labels=ALL_LABELS & ~Label(opened.labels),
        origins=frozenset(opened.origins),
    )


async def _note_app_use(tx: Tx, actor: Actor, patient_id: UUID, live: LiveConsent, now: datetime) -> None:
    """When it was last used stands in the person's list; the first use of a day is told (consent.md §10)."""
    if live.last_used_at is None or now - live.last_used_at >= NOTE_EVERY:
        await apps.NOTE_USE.run(tx, patient_id, live.consent_id, now)
    day = local_day(now)
    if live.told_on != day and await apps.TAKE_FIRST_USE.one(tx, patient_id, live.consent_id, day):
        ref = {"consent_id": str(live.consent_id), "client_id": str(actor.actor_id), "day": day.isoformat()}
        await emit(tx, patient_id, "consent.app-used", ref, now)


async def _tell_first_use(tx: Tx, actor: Actor, patient_id: UUID, grant_id: UUID, now: datetime) -> None:
    """The first access of a practitioner on a day is told (consent.md §10), in the read's own transaction.

    Later reads of the day see `told_on` and cost nothing; of several at once one tells.
    """
    day = local_day(now)
    if await queries.take_first_use(tx, patient_id, grant_id, day):
        ref = {"grant_id": str(grant_id), "practitioner_id": str(actor.actor_id), "day": day.isoformat()}
        await emit(tx, patient_id, "consent.used", ref, now)
