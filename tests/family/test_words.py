"""How the family stands in the own list while it waits, in the log, and what a refused code says next."""

from datetime import timedelta

from family.problems import PROXY_CODE_REFUSED, PROXY_DESK_REFUSED
from identity.births import service as births
from store.database import Store
from tests.family.test_provider import Way, child_of, counting, issuer, way
from tests.support.clock import FrozenClock
from tests.support.family import make_child, may
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, new_number

__all__ = ["counting", "issuer", "way"]


async def family_of(way: Way, who: Citizen) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (
        await way.client.get("/v1/me/family", headers=bearer(who.token))
    ).json()["items"]
    return found


async def lines_of(way: Way, who: Citizen, **headers: str) -> list[str]:
    answer = await way.client.get("/v1/me/access-log", headers=bearer(who.token) | headers)
    return [item["line"] for item in answer.json()["items"]]


async def test_s23_who_waits_beside_another_guardian_sees_the_own_wait_and_nothing_of_the_book(
    store: Store, clock: FrozenClock, way: Way
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, name="Cha")
    child, number = await child_of(store, clock)
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    assert await way.link(father, number, new_number()) == 204
    (line,) = await family_of(way, father)
    assert line["starts_at"] == (clock.now() + timedelta(hours=72)).isoformat().replace("+00:00", "Z")
    assert (line["person_id"], line["acts"], line["relation"]) == (str(child), "for-them", "guardian")
    assert (line["name"], line["band"], line["since"], line["beside"]) == (None, None, None, [])
    assert (await way.client.get("/v1/me/household", headers=bearer(father.token))).json()["items"] == []
    clock.advance(hours=73)
    for one in (mother, father):
        await may(store, clock, one, one.patient_id)
    (line,) = await family_of(way, father)
    assert (line["name"], line["starts_at"]) == ("Trần Bé Thử", None)


async def test_s23_a_no_to_who_waits_takes_the_wait_from_the_own_list(
    store: Store, clock: FrozenClock, way: Way
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, name="Cha")
    child, number = await child_of(store, clock)
    async with store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, clock.now())
    assert await way.link(father, number) == 204
    care = bearer(mother.token) | {"X-Patient-Id": str(child)}
    await way.client.delete(f"/v1/me/guardians/{father.patient_id}", headers=care)
    assert await family_of(way, father) == []


async def test_the_log_says_in_which_capacity_a_guardian_looked_and_not_that_asking_was_for_the_child(
    store: Store, clock: FrozenClock, way: Way
) -> None:
    mother, father = await make_citizen(store, clock, name="Mẹ"), await make_citizen(store, clock, name="Cha")
    child = await make_child(store, clock, mother)
    care = {"X-Patient-Id": str(child)}
    assert (await way.client.get("/v1/me/summary", headers=bearer(mother.token) | care)).status_code == 200
    read = next(line for line in await lines_of(way, mother, **care) if "Mẹ" in line and "tóm tắt" in line)
    assert read.endswith("với tư cách người giám hộ"), read
    other, number = await child_of(store, clock)
    assert await way.link(father, number) == 204
    asked = await lines_of(way, father, **{"X-Patient-Id": str(other)})
    assert "Người dùng khác Cha đã được ghi nhận làm người giám hộ theo nhà cung cấp danh tính" in asked


def test_a_refused_code_and_a_refused_desk_name_a_step_for_both_sorts_of_code() -> None:
    assert "7 ngày" in PROXY_CODE_REFUSED.next_vi
    assert "quầy" in PROXY_CODE_REFUSED.next_vi
    assert "desk" in PROXY_CODE_REFUSED.next_en
    assert PROXY_DESK_REFUSED.next_vi.startswith("Ghi nhận tiếp đón")
