"""Letting a partner or an app in, the person's list of them, and their end.

The decision is `consent.decision.decide_app`: it reads the consent anew for every request, so an end counts
at once whatever tokens are still out (consent.md §3.3). The client knows a consent by `reference` alone.
"""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from audit.service import record_act
from consent.approval import Signed
from consent.apps import queries
from consent.apps.artefact import sign_consent
from consent.apps.models import AppConsent, AppEndReason, ListedConsent
from consent.apps.policy import LIFE_MAX
from consent.apps.problems import BEYOND_CLIENT, UNKNOWN_CONNECTED_APP
from consent.policy import ENDING_ACTIONS
from consent.problems import NOTHING_GRANTED
from consent.queries import lock_guard
from consent.step_up import verify_act
from identity import budgets
from identity.app_clients import sessions
from identity.app_clients.models import AppClient
from kernel.access import Access, PartnerGroup, RecordType
from kernel.data_groups import types_of_groups
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

LISTED_MAX: Final = 200
CONFIRM_TYP: Final = "app-consent-confirm"


async def give(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    client: AppClient,
    *,
    groups: frozenset[PartnerGroup] = frozenset(),
    types: frozenset[RecordType] = frozenset(),
    scope: str = "",
    ends_at: datetime,
    verification_id: UUID | None = None,
    choice: bytes | None = None,
    signature: str | None = None,
    trace_id: str,
    now: datetime,
) -> AppConsent | Refused:
    """Let a client have what the person ticked. The client's older consent of this person ends with it.

    groups: of a partner; what they are made of becomes the types. types, scope: of an app, which the caller
    cut to the client's own. choice, signature: what the device signed, where it did. At most a year.
    Refused: nothing-to-grant, beyond-client, too-many.
    """
    assert access.action == "connect-app"
    assert access.is_own
    wanted = types_of_groups(groups) if client.kind == "partner" else types
    if (not wanted and not scope) or ends_at <= now:
        return Refused(problem=NOTHING_GRANTED)
    if client.ended_at is not None or not groups <= frozenset(client.groups_max):
        return Refused(problem=BEYOND_CLIENT)
    person = access.patient_id
    spent = await budgets.charge_or_refuse(tx, budgets.APP_CONSENTS_DAY, budgets.subject(person.bytes), now)
    if spent is not None:
        return spent
    await lock_guard(tx, person)
    given = AppConsent(
        patient_id=person,
        consent_id=uuid7(now),
        client_id=client.client_id,
        kind=client.kind,
        client_name=client.name,
        holder=client.holder,
        reference=uuid4(),
        groups=sorted(groups),
        types=sorted(wanted),
        scope=scope,
        verification_id=verification_id,
        device_id=access.actor.device_id,
        created_at=now,
        ends_at=min(ends_at, now + LIFE_MAX),
        confirmed_at=None,
        ended_at=None,
        end_reason=None,
        last_used_at=None,
    )
    older = await queries.SUPERSEDE.one(tx, person, client.client_id, now)
    if older is not None:
        await _after_end(tx, older, "superseded", now)
    await _keep(tx, given, sign_consent(keys, given, choice=choice, signature=signature))
    await _log(tx, access, given, "connect", trace_id, now)
    ref = {"consent_id": str(given.consent_id)}
    await emit(tx, person, "consent.app-connected", ref, now)
    return given


async def list_of(tx: Tx, patient_id: UUID, *, ended: bool = False) -> list[ListedConsent]:
    """The person's consents to clients, the newest first; with those that were ended where asked for."""
    held = {row.consent_id: row.held for row in await queries.HELD.all(tx, patient_id)}
    rows = await queries.OF_PERSON.all(tx, patient_id, ended, LISTED_MAX)
    return [ListedConsent(row, held.get(row.consent_id, False)) for row in rows]


async def consent_of(tx: Tx, patient_id: UUID, consent_id: UUID) -> AppConsent | None:
    return await queries.BY_ID.one(tx, patient_id, consent_id)


async def consent_by_reference(tx: Tx, client_id: UUID, reference: UUID) -> AppConsent | None:
    """What this client knows by that name; also one that ended."""
    found = await queries.BY_REFERENCE.one(tx, client_id, reference)
    return None if found is None else await consent_of(tx, found.patient_id, found.consent_id)


async def end(tx: Tx, access: Access, consent_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """End one consent: the client's next request is refused. Once more changes nothing.

    Refused: connected-app-unknown.
    """
    assert access.action in ENDING_ACTIONS
    await lock_guard(tx, access.patient_id)
    ended = await queries.END.one(tx, access.patient_id, consent_id, now, "revoked")
    if ended is None:
        known = await consent_of(tx, access.patient_id, consent_id)
        return None if known is not None else Refused(problem=UNKNOWN_CONNECTED_APP)
    await _log(tx, access, ended, "end", trace_id, now)
    await _after_end(tx, ended, "revoked", now)
    return None


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """End all of them, also those that run out by themselves, and whatever waits on a page for its end."""
    await lock_guard(tx, access.patient_id)
    await queries.NOTE_END_OF_ALL.run(tx, access.patient_id, now)
    for row in await queries.OF_PERSON.all(tx, access.patient_id, False, LISTED_MAX):
        await end(tx, access, row.consent_id, trace_id=trace_id, now=now)


async def end_with_person(tx: Tx, patient_id: UUID, now: datetime) -> None:
    """End all of them without anybody's act: the person is being erased, and no client need ask for ever."""
    for row in await queries.OF_PERSON.all(tx, patient_id, False, LISTED_MAX):
        ended = await queries.END.one(tx, patient_id, row.consent_id, now, "revoked")
        if ended is not None:
            await sessions.end_of_consent(tx, ended.client_id, ended.reference, "consent-revoked", now)
            # In the client's queue: what waits in the person's goes with the person.
            ref = {"client_id": str(ended.client_id), "reference": str(ended.reference)}
            await emit(tx, ended.client_id, "consent.app-erased", ref, now)


async def stands(tx: Tx, client_id: UUID, reference: UUID, now: datetime) -> bool:
    """Whether a decision would find this consent in force now; nothing is charged and no use is noted."""
    found = await queries.BY_REFERENCE.one(tx, client_id, reference)
    if found is None:
        return False
    return await queries.LIVE.one(tx, found.patient_id, found.consent_id, client_id, now) is not None


async def ended_all_since(tx: Tx, patient_id: UUID, begun_at: datetime) -> bool:
    """Whether the person ended all of them since: nothing that began before then is given any more. Takes the
    person's consent lock, so that neither of two at once is overlooked."""
    await lock_guard(tx, patient_id)
    return await queries.ENDED_SINCE.one(tx, patient_id, begun_at) or False


async def end_again(tx: Tx, patient_id: UUID, consent_id: UUID, at: datetime) -> None:
    """An end that a restored backup undid."""
    await queries.END.one(tx, patient_id, consent_id, at, "revoked")


async def confirm(
    tx: Tx,
    access: Access,
    consent_id: UUID,
    signed: Signed,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> AppConsent | Refused:
    """The person says again that a consent stands, after a restore or a merge held it. Its end stays.

    Refused: connected-app-unknown, step-up-refused.
    """
    assert access.action == "confirm-grants"
    await lock_guard(tx, access.patient_id)
    found = await consent_of(tx, access.patient_id, consent_id)
    if found is None or found.ended_at is not None:
        return Refused(problem=UNKNOWN_CONNECTED_APP)
    facts = confirm_facts(found)
    held = await verify_act(tx, access, CONFIRM_TYP, facts, signed, environment=environment, now=now)
    if isinstance(held, Refused):
        return held
    confirmed = await queries.CONFIRM.one(tx, access.patient_id, consent_id, now)
    if confirmed is None:
        return Refused(problem=UNKNOWN_CONNECTED_APP)
    await _log(tx, access, confirmed, "confirm", trace_id, now)
    return confirmed


def confirm_facts(found: AppConsent) -> dict[str, object]:
    """What the device signs, beside the common members: all of it, for a restored backup may hold an older
    consent than the person remembers."""
    return {
        "consent_id": str(found.consent_id),
        "client": str(found.client_id),
        "name": found.client_name,
        "groups": sorted(found.groups),
        "types": sorted(found.types),
        "scope": found.scope,
        "ends": int(found.ends_at.timestamp()),
    }


async def _keep(tx: Tx, given: AppConsent, artefact: str) -> None:
    await queries.INSERT.run(
        tx,
        given.patient_id,
        given.consent_id,
        given.client_id,
        given.kind,
        given.client_name,
        given.holder,
        given.reference,
        given.groups,
        given.types,
        given.scope,
        given.verification_id,
        given.device_id,
        artefact,
        given.created_at,
        given.ends_at,
    )
    await queries.INSERT_BY_CLIENT.run(
        tx, given.client_id, given.reference, given.patient_id, given.consent_id, given.created_at
    )


async def _after_end(tx: Tx, ended: AppConsent, reason: AppEndReason, now: datetime) -> None:
    """Tokens bound to it end too, and whoever sends its news (webhooks) hears of it."""
    await sessions.end_of_consent(tx, ended.client_id, ended.reference, f"consent-{reason}", now)
    ref = {
        "consent_id": str(ended.consent_id),
        "client_id": str(ended.client_id),
        "reference": str(ended.reference),
        "reason": reason,
    }
    await emit(tx, ended.patient_id, "consent.app-ended", ref, now)


async def _log(tx: Tx, access: Access, one: AppConsent, what: str, trace_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        f"consent:app:{what}",
        grant_id=one.consent_id,
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
