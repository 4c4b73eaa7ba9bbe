"""How a person wants to be told: own zone, quiet hours, language, what is muted."""

from datetime import time
from uuid import UUID

import pytest
from msgspec.structs import replace

from kernel.problems import Refused
from notifications.preferences import DEFAULTS, preferences_of, read_preferences, set_preferences
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import own


async def test_who_said_nothing_has_the_defaults_and_an_own_choice_replaces_all_of_them(
    store: Store, clock: FrozenClock
) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    wanted = replace(DEFAULTS, quiet_from=time(23, 30), digest=False, muted=frozenset({"nutrition:push"}))
    async with store.transaction() as tx:
        assert await read_preferences(tx, citizen.patient_id) == DEFAULTS
        for version in (1, 2):
            stored = await set_preferences(tx, own(citizen.patient_id), wanted, clock.now())
            assert stored == replace(wanted, version=version)
        found = await preferences_of(tx, [citizen.patient_id, other.patient_id])
    assert found == {citizen.patient_id: stored}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"zone": "Asia/Sai_Gon"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"muted": frozenset({"security:push"})}, "muted"),
        ({"muted": frozenset({"consent:push"})}, "muted"),
        ({"quiet_until": None}, "quiet_until"),
    ],
)
async def test_what_does_not_exist_and_what_is_never_silent_is_refused(
    store: Store, clock: FrozenClock, change: dict[str, object], where: str
) -> None:
    citizen = await make_citizen(store, clock)
    async with store.transaction() as tx:
        refused = await set_preferences(tx, own(citizen.patient_id), replace(DEFAULTS, **change), clock.now())
        assert isinstance(refused, Refused)
        assert (refused.problem.code, refused.where) == ("preference-unknown", where)
        assert await read_preferences(tx, citizen.patient_id) == DEFAULTS


async def test_another_zone_is_an_event_and_the_same_zone_is_none(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    assert await _changed(store, citizen.patient_id) == 0
    for zone, events in (("Asia/Ho_Chi_Minh", 0), ("Europe/Paris", 1), ("Europe/Paris", 1)):
        async with store.transaction() as tx:
            await set_preferences(tx, own(citizen.patient_id), replace(DEFAULTS, zone=zone), clock.now())
        assert await _changed(store, citizen.patient_id) == events


async def _changed(store: Store, patient_id: UUID) -> int:
    async with store.transaction() as tx:
        return await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'notifications.zone-changed'",
            patient_id,
        )
