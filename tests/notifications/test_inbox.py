"""The inbox holds everything, newest first, in words that take no parameter."""

from datetime import timedelta
from typing import get_args

from kernel.ids import uuid7
from notifications.inbox import read_inbox, text_of
from notifications.models import NotificationType
from notifications.policy import COLLAPSE
from notifications.service import notify, record_receipt
from notifications.sms import HOTLINE
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen


def test_every_type_has_words_and_a_collapse_group() -> None:
    types = set(get_args(NotificationType))
    assert set(COLLAPSE) == types
    for type_ in types:
        said = text_of(type_, "028 1022")
        assert said.title
        assert "{" not in said.text
        assert "9095" not in said.text


def test_the_number_to_call_is_the_one_of_the_installation() -> None:
    assert "gọi 028 1022" in text_of("death-reported", "028 1022").text


async def test_pages_hold_each_notice_once_newest_first(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    said = []
    for number in range(7):
        now = clock.advance(seconds=1)
        async with store.transaction() as tx:
            said.append(
                await notify(
                    tx, store.keys, citizen.patient_id, "check-in", str(number), now, now + timedelta(days=1)
                )
            )
    seen, cursor = [], None
    while True:
        async with store.transaction() as tx:
            page = await read_inbox(tx, citizen.patient_id, cursor=cursor, limit=3, hotline=HOTLINE)
        seen += [item.id for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(reversed(said))


async def test_a_receipt_is_kept_once_and_for_own_notices_only(store: Store, clock: FrozenClock) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    now = clock.now()
    async with store.transaction() as tx:
        said = await notify(tx, store.keys, citizen.patient_id, "check-in", "k", now, now + timedelta(days=1))
        assert said is not None
        device = uuid7(now)
        for _ in range(2):
            assert await record_receipt(tx, citizen.patient_id, device, said, "opened", now) is None
        refused = await record_receipt(tx, other.patient_id, device, said, "opened", now)
    assert refused is not None
    assert refused.problem.code == "notification-unknown"
