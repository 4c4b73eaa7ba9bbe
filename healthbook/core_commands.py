"""An operator makes another core tell of changes, or ends it: the one writing that is ever done there."""

from audit.service import record_admin_event
from ehr.core import subscription
from ehr.core.subscribing import NOTICES_PATH, Subscribing
from ehr.ports import CoreError
from healthbook.settings import Settings
from healthbook.wiring import StartError, core_address
from kernel.clock import SystemClock
from store.database import Store

Signed = tuple[str, str]


async def subscribe_to_core(store: Store, settings: Settings, topic: str | None, signed: Signed) -> None:
    """Make the core tell of changes. Raises StartError in plain words; a refused request leaves nothing."""
    address = core_address(settings)
    if address is None or not settings.ehr_core_subscription:
        raise StartError("Set EHR_CORE_URL and EHR_CORE_SUBSCRIPTION, the address the core reaches us at.")
    now = SystemClock().now()
    await unsubscribe_from_core(store, settings, signed)
    async with store.transaction() as tx:
        secret = await subscription.begin(tx, address.source_id, now)
        await record_admin_event(tx, signed[0], "core:subscribe", signed[1], 1, now)
    endpoint = settings.ehr_core_subscription.rstrip("/") + NOTICES_PATH
    there = Subscribing(address)
    try:
        ident = await there.create(endpoint, secret, topic)
    except CoreError as error:
        async with store.transaction() as tx:
            await subscription.end(tx, address.source_id)
        raise StartError(f"The core did not take the Subscription ({error.fault}).") from None
    finally:
        await there.close()
    async with store.transaction() as tx:
        await subscription.name(tx, address.source_id, ident)


async def unsubscribe_from_core(store: Store, settings: Settings, signed: Signed) -> bool:
    """Listen no more, and say so to the core. False where it did not take that: delete it there by hand."""
    address = core_address(settings)
    if address is None:
        raise StartError("EHR_CORE_URL is not set.")
    async with store.transaction() as tx:
        ident = await subscription.end(tx, address.source_id)
        if ident is not None:
            await record_admin_event(tx, signed[0], "core:unsubscribe", signed[1], 1, SystemClock().now())
    there = Subscribing(address)
    try:
        if ident is not None:
            await there.delete(ident)
    except CoreError:
        return False
    finally:
        await there.close()
    return True
