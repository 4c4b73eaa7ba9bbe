"""A late dose is confirmed on the pages of its facility (security.md S28)."""

from store.database import Store
from tests.support.certifying import days_ago
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.signing_process import RunningSigner
from tests.vaccination.certificates.test_s28_late_doses import Station


def actions(page: Page) -> list[str]:
    return [one.get("action") for one in page.tree.iter("form")]


async def test_a_late_dose_is_confirmed_by_somebody_else_than_who_entered_it(
    store: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    async with client_of(store, clock, signer=signer, allowed_hosts=["localhost"]) as client:
        station = await Station(store, clock, client).open()
        await station.ask()
        path = "/facility/vaccination"
        sender, other = (Browser(client, "staff", one.token) for one in (station.sender, station.second))
        page = await sender.get(path)
        given = "/".join(reversed(days_ago(clock, 40).split("-")))
        assert given in page.text
        assert station.who.name not in page.text
        confirm = next(one for one in actions(page) if "/confirmations/" in one)
        assert (await sender.submit(page, confirm)).status == 409
        assert (await other.post(confirm, {})).status == 403
        done = await other.submit(await other.get(path), confirm)
        assert "Đã xác nhận mũi tiêm" in done.text
        assert "Không có mũi tiêm nào cần xác nhận" in done.text
