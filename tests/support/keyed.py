"""A citizen's browser with a key of its own: signs the forms of pages without a device (security.md S11)."""

from dataclasses import dataclass
from datetime import timedelta

import httpx

from identity import devices, sessions
from identity.devices import BrowserOrigin, Enrolled
from store.database import Store
from tests.support.browser import Browser as Authenticator
from tests.support.clock import FrozenClock
from tests.support.pages import Browser, Page
from tests.support.people import Citizen

ORIGIN = "http://localhost"


@dataclass
class KeyedBrowser:
    """pages: reads and sends; its forms that need a signature go through `sign`."""

    pages: Browser
    key: Authenticator

    async def sign(self, page: Page, action: str, *, by: Authenticator | None = None, **fields: str) -> Page:
        """Send the form to that address as approve.js does. by: another key; fields: changed after."""
        form = next(one for one in page.tree.iter("form") if one.get("action") == action)
        assert form.get("data-credential"), "this form asks for no key"
        signature = (by or self.key).approve(form.get("data-sign").encode())
        return await self.pages.submit(page, action, **{"signature": signature, **fields})


async def keyed_browser(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, *, probation: bool = False
) -> KeyedBrowser:
    """Enrolled four days ago and trusted, unless `probation`; signed in now."""
    now = clock.now()
    since, key = now if probation else now - timedelta(days=4), Authenticator(origin=ORIGIN)
    async with store.transaction() as tx:
        made = await devices.enrol(
            tx, store.keys, citizen.patient_id, key.new_device("key"), "key", since, BrowserOrigin(ORIGIN)
        )
        assert isinstance(made, Enrolled), made
        tokens = await sessions.open_citizen_session(tx, citizen.patient_id, made.device_id, now)
    return KeyedBrowser(Browser(client, "citizen", tokens.access_token), key)
