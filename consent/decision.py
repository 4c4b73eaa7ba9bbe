"""The decision: the only place where an `Access` is made.

The session, and with it the device, licence, facility role and their dates, was re-read by
`identity.sessions.authenticate` in this transaction; the grant and the person's state are re-read
here. Nothing is cached and nothing waits for a sweeper.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from consent.emergency_card.models import LiveCard
from consent.grants import queries
from consent.links import queries as links
from consent.links.opening import opener
from consent.links.problems import LINK_NOT_FOUND
from consent.policy import is_held
from consent.problems import NO_ACCESS
from consent.role_caps import role_cap
from identity.merges.aliases import origins_of
from identity.problems import ACCOUNT_HELD, DEVICE_ON_PROBATION
from kernel.access import ALL_LABELS, Access, Action, Actor, Label, mint_access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

# What the asking side may do under a grant.
GRANTED_ACTIONS: Final[frozenset[Action]] = frozenset(
    {"read-summary", "read-section", "read-timeline", "read-trend", "search", "read-document"}
)
# What a device on probation may do for its own person (security.md S8). Of numbers and notices it gets a part
# (api/citizen). What it approves is cut to the caps of tier D, it ends no device but itself, and no held
# grant stands by its word (S16).
PROBATION_ACTIONS: Final[frozenset[Action]] = frozenset(
    {
        "read-summary",
        "read-notifications",
        "read-account",
        "identify",
        "manage-grants",
        "manage-devices",
    }
)

# What a held device may do (security.md S10): be told, look at its account, end grants and devices. Objecting
# to a false death needs the device key besides.
HELD_ACTIONS: Final[frozenset[Action]] = frozenset(
    {"read-notifications", "read-account", "manage-grants", "manage-devices"}
)

# Jobs that read records, a closed list: the nightly count of statistics (security.md S30).
Job = Literal["statistics"]
_NOBODY: Final = UUID(int=0)

_NO_ACCESS: Final = Refused(problem=NO_ACCESS)


async def decide(
    tx: Tx, actor: Actor, patient_id: UUID, action: Action, purpose: str, now: datetime
) -> Access | Refused:
    """Decide one request. purpose: v3-ActReason code ('TREAT'; the person's own use is 'PATRQT').

    No grant, a grant that ended and a person who does not exist are one refusal: `no-access`.
    """
    if actor.kind == "citizen":
        return _own(actor, patient_id, action, purpose)
    if actor.kind == "practitioner":
        return await _granted(tx, actor, patient_id, action, purpose, now)
    return _NO_ACCESS


async def decide_job(tx: Tx, job: Job, patient_id: UUID) -> Access:
    """What a job may read of a person: nothing with a sensitivity label, so nothing of a sensitive
    department, and nothing that the person hides from everybody. Rows of a merged person count with the one
    that stays.

    Purpose: v3-ActReason, public health.
    """
    return mint_access(
        patient_id=patient_id,
        actor=Actor(kind="job", actor_id=_NOBODY, name=job),
        action="read-section",
        purpose="PUBHLTH",
        basis="job",
        withheld_labels=ALL_LABELS,
        origins=await origins_of(tx, patient_id),
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
    tx: Tx, patient_id: UUID, link_id: UUID, recipient: str, now: datetime
) -> Access | Refused:
    """What a link lets out to whoever opened it with its passcode: the link, its person's state and every
    hold are read anew. recipient: the opener's own words."""
    link = await links.LIVE_LINK.one(tx, patient_id, link_id, now)
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


def _own(actor: Actor, patient_id: UUID, action: Action, purpose: str) -> Access | Refused:
    if actor.actor_id != patient_id:
        return _NO_ACCESS
    if actor.held and action not in HELD_ACTIONS:
        return Refused(problem=ACCOUNT_HELD)
    if actor.probation and action not in PROBATION_ACTIONS:
        return Refused(problem=DEVICE_ON_PROBATION)
    return mint_access(
        patient_id=patient_id,
        actor=actor,
        action=action,
        purpose=purpose,
        basis="self",
        withheld_labels=ALL_LABELS if actor.probation else Label.NONE,
        origins=actor.origins,
    )


async def _granted(
    tx: Tx, actor: Actor, patient_id: UUID, action: Action, purpose: str, now: datetime
) -> Access | Refused:
    if action not in GRANTED_ACTIONS or actor.facility_id is None or not role_cap(actor.role):
        return _NO_ACCESS
    grant = await queries.live_grant(tx, patient_id, actor.actor_id, actor.facility_id, now)
    if grant is None or is_held(grant.created_at, grant.confirmed_at, actor.factors_reset_at):
        return _NO_ACCESS
    # The role is today's: a doctor who became a nurse reads as a nurse.
    types = frozenset(grant.types) & role_cap(actor.role)
    if not types:
        return _NO_ACCESS
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
    )


async def _tell_first_use(tx: Tx, actor: Actor, patient_id: UUID, grant_id: UUID, now: datetime) -> None:
    """The first access of a practitioner on a day is told (consent.md §10), in the read's own transaction.

    Later reads of the day see `told_on` and cost nothing; of several at once one tells.
    """
    day = local_day(now)
    if await queries.take_first_use(tx, patient_id, grant_id, day):
        ref = {"grant_id": str(grant_id), "practitioner_id": str(actor.actor_id), "day": day.isoformat()}
        await emit(tx, patient_id, "consent.used", ref, now)
