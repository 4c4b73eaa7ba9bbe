"""Events for clients: planned from what happened, sent by the worker outside any transaction.

A change is told only where the client could see something of it now: that a hidden visit came would be news
of the hidden visit (security.md S23). When it is sent the consent is looked at once more (S13).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from consent.apps import service as apps
from consent.decision import decide_app_news
from identity.app_clients.service import client_of, live_client
from kernel.clock import Clock
from partners.webhooks import service as webhooks
from partners.webhooks.models import WebhookRow
from store.database import Store, Tx
from store.egress import Egress, EgressError
from store.keys import KeyRing
from store.models import Due, Event

# What brings entries into a book: its ref names the batch that they came in.
Ref = dict[str, str]


async def tell_of_end(tx: Tx, _keys: KeyRing, _event: Event, ref: Ref, now: datetime) -> None:
    """A consent ended: its client stops asking."""
    client = await live_client(tx, UUID(ref["client_id"]))
    if client is not None and client.webhook_uri is not None:
        await webhooks.plan(tx, client.client_id, UUID(ref["reference"]), "consent-ended", now, now)


async def tell_of_records(tx: Tx, event: Event, ref: Ref, now: datetime) -> None:
    """Entries came: each client whose consent lets it see one of them is told that something changed."""
    batch = UUID(ref["batch"]) if "batch" in ref else None
    for listed in await apps.list_of(tx, event.patient_id):
        consent = listed.consent
        client = await live_client(tx, consent.client_id)
        if batch is None or client is None or client.webhook_uri is None:
            continue
        access = await decide_app_news(tx, consent, now)
        if access is not None and await webhooks.shows_batch(tx, access, batch, now):
            await webhooks.plan(tx, client.client_id, consent.reference, "record-changed", now, now)


def webhook_jobs(
    store: Store, clock: Clock, issuer: str, egress: Egress | None = None
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind. issuer: where the service stands, as its signed texts say."""
    way = egress or Egress()

    async def send(due: Due) -> datetime | None:
        async with store.transaction() as tx:
            row = await webhooks.take(tx, due.ref)
            address = None if row is None else await _address_of(tx, row, clock.now())
        if row is None or address is None:
            return None
        token = webhooks.token_of(store.keys, issuer, row, clock.now())
        status, why = await _push(way, address, token)
        async with store.transaction() as tx:
            return await webhooks.note(tx, row, status, why, clock.now())

    return {webhooks.JOB: send}


async def _address_of(tx: Tx, row: WebhookRow, now: datetime) -> str | None:
    """Where it goes; None, and the event is dropped, where nobody is to be told any more."""
    client = await client_of(tx, row.client_id)
    if client is None or client.ended_at is not None or client.webhook_uri is None:
        await webhooks.drop(tx, row, "no-address", now)
        return None
    if row.kind == "record-changed" and not await _stands(tx, row, now):
        await webhooks.drop(tx, row, "consent-ended", now)
        return None
    return client.webhook_uri


async def _stands(tx: Tx, row: WebhookRow, now: datetime) -> bool:
    consent = await apps.consent_by_reference(tx, row.client_id, row.reference)
    return consent is not None and await decide_app_news(tx, consent, now) is not None


async def _push(way: Egress, address: str, token: str) -> tuple[int | None, str]:
    """The status of the answer, or None with the reason that there is none."""
    try:
        status = await way.push(address, token.encode(), webhooks.MEDIA_TYPE)
    except EgressError as error:
        return None, error.reason
    return status, str(status)
