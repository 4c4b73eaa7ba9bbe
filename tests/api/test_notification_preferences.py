"""The citizen's choices of how to be told."""

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen

PATH = "/v1/me/notification-preferences"


async def test_choices_are_read_replaced_and_refused(store: Store, clock: FrozenClock) -> None:
    citizen, other = await make_citizen(store, clock), await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        first = (await client.get(PATH, headers=bearer(citizen.token))).json()
        assert (first["zone"], first["quiet_from"], first["quiet_until"]) == (
            "Asia/Ho_Chi_Minh",
            "22:00",
            "06:00",
        )
        assert "medicine:push" in first.pop("mutable")
        wanted = first | {"zone": "Europe/Paris", "quiet_from": None, "quiet_until": None}
        wanted |= {"muted": ["nutrition:push"], "language": "en", "digest": False}
        put = await client.put(PATH, json=wanted, headers=bearer(citizen.token))
        again = (await client.get(PATH, headers=bearer(citizen.token))).json()
        assert put.json() == again
        assert {name: again[name] for name in wanted} == wanted
        for change, code in (
            ({"zone": "Mars/Olympus"}, "preference-unknown"),
            ({"muted": ["security:push"]}, "preference-unknown"),
            ({"quiet_from": "22:00"}, "preference-unknown"),
            ({"quiet_from": "25:00"}, "invalid-field"),
            ({"muted": ["nutrition:push"] * 41}, "invalid-field"),
        ):
            refused = await client.put(PATH, json=wanted | change, headers=bearer(citizen.token))
            assert refused.json()["code"] == code, change
        assert (await client.get(PATH, headers=bearer(other.token))).json()["zone"] == "Asia/Ho_Chi_Minh"


async def test_s8_a_device_on_probation_reads_the_choices_and_mutes_nothing(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, probation=True)
    async with client_of(store, clock) as client:
        had = (await client.get(PATH, headers=bearer(citizen.token))).json()
        wanted = {name: had[name] for name in had if name != "mutable"} | {"muted": ["medicine:push"]}
        refused = await client.put(PATH, json=wanted, headers=bearer(citizen.token))
        assert (refused.status_code, refused.json()["code"]) == (403, "device-on-probation")
        assert (await client.get(PATH, headers=bearer(citizen.token))).json() == had
