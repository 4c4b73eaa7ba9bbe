"""The inbox of a demo: every SMS and push that would have left. Registered in a demo database only
(security.md S4); there it stands in for the phones of invented people."""

from typing import Any, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.pages.showing import CITIZEN, any_visit
from api.request import Call, answer
from identity.people import person_card
from notifications.recorded import RecordedMessage, read_recorded

MESSAGES_MAX = 200
HIDDEN: dict[str, Any] = {"actors": ("public",), "tags": ["demo"], "include_in_schema": False}
INBOX: Final = ("Hộp tin dùng thử", "The demo's messages")


class DemoInbox(Struct, kw_only=True):
    """Newest first; names by patient_id."""

    items: list[RecordedMessage]
    names: dict[UUID, str]

    @property
    def code(self) -> RecordedMessage | None:
        """The newest message whose code still counts."""
        return next((one for one in self.items if one.code and one.is_live), None)


@get("/demo/inbox.json", operation_id="demo_inbox", problems=(), **HIDDEN)
async def inbox_json(call: NamedDependency[Call]) -> Response[DemoInbox]:
    """Recorded messages with their codes."""
    return answer(await read_demo_inbox(call))


@get("/demo/inbox", operation_id="demo_inbox_page", **CITIZEN)
async def inbox_page(call: NamedDependency[Call]) -> Response[bytes]:
    """Recorded messages, to look at."""
    return any_visit(call, "citizen").show("demo/inbox.html", INBOX, inbox=await read_demo_inbox(call))


async def read_demo_inbox(call: Call) -> DemoInbox:
    """The latest messages, with the name of whom each is for."""
    async with call.begin_public() as tx:
        items = await read_recorded(tx, call.keys, MESSAGES_MAX, call.now, call.hotline)
        cards = {who: await person_card(tx, call.keys, who) for who in {item.patient_id for item in items}}
    return DemoInbox(items=items, names={who: card.name or "" for who, card in cards.items() if card})


handlers: list[Any] = [inbox_json, inbox_page]
