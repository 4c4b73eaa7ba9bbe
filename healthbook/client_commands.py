"""Commands on the register of OAuth clients. Entries are made and changed by two operators who sign in."""

from typing import Final
from uuid import UUID

from identity.app_clients.models import AppClient
from identity.app_clients.service import PAGE, page_of
from partners.webhooks.models import StoppedRow
from partners.webhooks.service import not_told
from store.database import Store

_FIRST: Final = UUID(int=0)


async def clients_table(store: Store) -> str:
    """Every client on a line: id, kind, how it proves itself, name and holder, and whether it was ended.
    Then the newest events that clients were not told of, and why."""
    lines: list[str] = []
    after = _FIRST
    while True:
        async with store.transaction() as tx:
            page = await page_of(tx, after)
        lines += [_line(one) for one in page]
        if len(page) < PAGE:
            break
        after = page[-1].client_id
    async with store.transaction() as tx:
        lines += [_event(one) for one in await not_told(tx)]
    return "\n".join(lines) or "no client is registered"


def _event(one: StoppedRow) -> str:
    day, why = f"{one.settled_at:%Y-%m-%d}", f"stopped: {one.outcome}  {one.attempts} tries"
    return f"{one.client_id}  {one.kind}  {why}  {day}"


def _line(one: AppClient) -> str:
    ended = f"  ended {one.ended_at:%Y-%m-%d}" if one.ended_at else ""
    return f"{one.client_id}  {one.kind:<7}  {one.auth:<15}  {one.name} ({one.holder}){ended}"
