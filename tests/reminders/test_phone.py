"""The phone's own alarms: its plan, its acknowledgement, and no push to a phone that rings by itself."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from identity.deaths import service as deaths
from kernel.access import Label
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from notifications.service import set_push_target
from reminders import queries
from reminders.phone import covered_devices
from tests.reminders.test_limits import set_rows
from tests.reminders.test_unanswered import as_child, mark_rows, planned
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, renew_session
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"
PLAN = "/v1/me/reminders/plan"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def read(here: Reminding, etag: str = "", who: Citizen | None = None, **headers: str) -> httpx.Response:
    token = await renew_session(here.store, here.clock, who or here.citizen)
    more = {"If-None-Match": etag} if etag else {}
    return await here.client.get(PLAN, headers=bearer(token) | more | headers)


async def ack(
    here: Reminding, plan: dict[str, Any], until: datetime, who: Citizen | None = None, **headers: str
) -> httpx.Response:
    token = await renew_session(here.store, here.clock, who or here.citizen)
    body = {"version": plan["version"], "covers_until": until.isoformat()}
    return await here.client.post(f"{PLAN}/ack", json=body, headers=bearer(token) | headers)


async def with_phone(here: Reminding, who: Citizen) -> None:
    async with here.store.transaction() as tx:
        now = here.clock.now()
        assert await set_push_target(tx, here.store.keys, who.actor, "fid", str(who.patient_id), now) is None


async def pushed(here: Reminding, who: Citizen | None = None, type_: str = "medicine-due") -> list[str]:
    async with here.owner.transaction() as tx:
        me = (who or here.citizen).patient_id
        sql = "SELECT notification_id::text FROM delivery WHERE patient_id = $1 AND type = $2 ORDER BY due_at"
        return [row[0] for row in await tx.fetch(sql, me, type_)]


async def test_the_plan_has_every_alarm_of_14_days_once_with_the_id_of_its_push(here: Reminding) -> None:
    for name in ("Zinzol 5 mg", "Alfazol 5 mg"):
        code = await here.send(drug(TWICE, name=name))
        await here.dispense(code, (1, "4"))
    plan = (await read(here)).json()
    times = [datetime.fromisoformat(one["due_at"]) for one in plan["alarms"]]
    assert times == [at(21, 20), at(22, 7), at(22, 20), at(23, 7)]
    assert {(one["type"], len(one["reminder_ids"])) for one in plan["alarms"]} == {("medicine-due", 2)}
    assert plan["gone"] == []
    assert "Zinzol" not in str(plan)
    await with_phone(here, here.citizen)
    await here.until(at(21, 20, 5))
    assert await pushed(here) == [plan["alarms"][0]["id"]], "a push of the same id is swallowed"


async def test_the_etag_stays_until_something_changes_and_what_stopped_is_named(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    first = await read(here)
    etag = first.headers["etag"]
    unchanged = await read(here, etag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await here.until(at(21, 21))
    assert (await read(here, etag)).status_code == 304, "a time passed, nothing changed"
    (one,) = await here.reminders()
    await here.change(one["reminder_id"], act="stop")
    changed = await read(here, etag)
    assert (changed.status_code, changed.headers["etag"] != etag) == (200, True)
    assert (changed.json()["alarms"], changed.json()["gone"]) == ([], [one["reminder_id"]])
    assert changed.json()["version"] != first.json()["version"]


async def test_a_phone_whose_clock_is_at_the_beginning_of_time_covers_nothing(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    plan = (await read(here)).json()
    zone = timezone(timedelta(hours=14))
    assert (await ack(here, plan, datetime.min.replace(tzinfo=zone))).status_code == 204


async def test_a_plan_that_changed_meanwhile_cannot_be_acknowledged(here: Reminding) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    plan = (await read(here)).json()
    await here.dispense(code, (1, "4"))
    refused = await ack(here, plan, at(30, 0))
    assert (refused.status_code, refused.json()["code"]) == (409, "reminder-plan-changed")
    assert (await ack(here, (await read(here)).json(), at(30, 0))).status_code == 204


async def test_nothing_is_pushed_to_a_phone_that_rings_by_itself(here: Reminding) -> None:
    await with_phone(here, here.citizen)
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    assert (await ack(here, (await read(here)).json(), at(23, 0))).status_code == 204
    await here.until(at(22, 22))
    assert len(await here.told("medicine-due")) == 3, "the inbox has them all"
    assert await pushed(here) == []
    await here.until(at(23, 12))
    assert len(await pushed(here)) == 2, "beyond what the phone said, the time and its repeat"
    (one,) = await here.reminders()
    assert (await ack(here, (await read(here)).json(), at(29, 0))).status_code == 204
    await here.change(one["reminder_id"], times=["09:00", "21:00"])
    await here.until(at(23, 21, 5))
    assert len(await pushed(here)) == 3, "the phone has the plan of before"


async def test_a_guardians_phone_rings_for_the_child_and_a_stranger_reads_nothing(here: Reminding) -> None:
    mother = here.citizen
    child = await make_child(here.store, here.clock, mother, "2016-03-12")
    of_child = {"X-Patient-Id": str(child)}
    plan = (await read(here, who=mother, **of_child)).json()
    assert plan["alarms"] == []
    assert (await ack(here, plan, at(30, 0), who=mother, **of_child)).status_code == 204
    stranger = await make_citizen(here.store, here.clock)
    assert (await read(here, who=stranger, **of_child)).status_code == 403
    proxy = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, mother, proxy, "reminders")
    of_mother = {"X-Patient-Id": str(mother.patient_id)}
    assert (await read(here, who=proxy, **of_mother)).status_code == 403
    assert (await ack(here, plan, at(30, 0), who=proxy, **of_mother)).status_code == 403


async def test_a_phone_is_covered_from_its_acknowledgement_until_its_last_alarm_or_the_next_change(
    here: Reminding,
) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    person, device, now = here.citizen.patient_id, here.citizen.actor.device_id, here.clock.now()
    day, until = timedelta(days=1), now + timedelta(days=3)
    assert (await ack(here, (await read(here)).json(), until)).status_code == 204
    async with here.store.transaction() as tx:
        (one,) = await queries.SHOWN.all(tx, person, now, 9)
        due = [now - day, now, now + day, until]
        found = await covered_devices(tx, [(one, at) for at in due])
        assert found == [frozenset(), frozenset([device]), frozenset([device]), frozenset()]
        strange = replace(one, patient_id=uuid7(now))
        assert await covered_devices(tx, [(strange, now)]) == [frozenset()]
    await here.until(now + day)
    async with here.store.transaction() as tx:
        (one,) = await queries.SHOWN.all(tx, person, now, 9)
        assert await covered_devices(tx, [(one, now + day)]) == [frozenset([device])], "times passed"
    await here.dispense(code, (1, "4"))
    async with here.store.transaction() as tx:
        (one,) = await queries.SHOWN.all(tx, person, now, 9)
        assert await covered_devices(tx, [(one, now + day)]) == [frozenset()], "it changed"


async def test_s18_a_phone_that_was_shown_nothing_of_the_dead_is_pushed_to_after_the_objection(
    here: Reminding,
) -> None:
    await with_phone(here, here.citizen)
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    person = here.citizen
    async with here.store.transaction() as tx:
        assert await deaths.report(tx, person.patient_id, "facility", here.clock.now())
    await here.work()
    plan = (await read(here)).json()
    assert plan["alarms"] == []
    assert (await ack(here, plan, at(30, 0))).status_code == 204
    text, signature = person.phone.sign_step_up(deaths.OBJECTION_TYP, {}, here.clock.now())
    async with here.store.transaction() as tx:
        refused = await deaths.object_to(
            tx,
            person.actor,
            text,
            signature,
            environment="test",
            request_id="r",
            now=here.clock.now(),
        )
    assert refused is None
    await here.until(at(22, 7, 10))
    assert len(await pushed(here)) >= 2


async def test_what_a_phone_was_not_shown_is_pushed_to_it_once_it_is_seen(here: Reminding) -> None:
    await with_phone(here, here.citizen)
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    had = (await read(here)).json()
    await set_rows(here, "state = 'disputed'")
    assert (await ack(here, had, at(30, 0))).status_code == 409, "it is not what is shown now"
    plan = (await read(here)).json()
    assert (await ack(here, plan, at(30, 0))).status_code == 204
    await set_rows(here, "state = 'verified'")
    await here.until(at(22, 7, 10))
    assert len(await pushed(here)) >= 2


async def test_a_phone_that_was_given_other_alarms_has_none_of_before(here: Reminding) -> None:
    await with_phone(here, here.citizen)
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    assert (await ack(here, (await read(here)).json(), at(30, 0))).status_code == 204
    await set_rows(here, "state = 'disputed'")
    assert (await read(here)).json()["alarms"] == []
    await set_rows(here, "state = 'verified'")
    await here.until(at(21, 20, 10))
    assert len(await pushed(here)) == 1


async def test_s23_a_guardians_plan_says_nothing_of_what_is_hidden_and_what_is_shown_later_is_pushed(
    here: Reminding,
) -> None:
    mother, kid = await as_child(here)
    await with_phone(here, mother)
    of_child = {"X-Patient-Id": str(kid.citizen.patient_id)}
    await planned(kid)
    await mark_rows(kid, Label.SDV)
    first = await read(here, who=mother, **of_child)
    assert first.json()["alarms"] == []
    code = await kid.send(drug(TWICE, name="Zarazol 5 mg"))
    await mark_rows(kid, Label.SDV)
    await kid.dispense(code, (1, "2"))
    await mark_rows(kid, Label.SDV)
    second = await read(here, who=mother, **of_child)
    assert second.json()["version"] == first.json()["version"]
    assert second.headers["etag"] == first.headers["etag"]
    assert (await ack(here, first.json(), at(30, 0), who=mother, **of_child)).status_code == 204
    await mark_rows(kid, Label.NONE)
    await here.until(at(22, 7, 10))
    assert await pushed(here, mother, "dependent-reminder")


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("which", ["min", "max"])
async def test_a_guardians_phone_rings_for_all_of_a_time_or_gets_the_push(
    here: Reminding, which: str, is_split: bool
) -> None:
    mother, kid = await as_child(here)
    await with_phone(here, mother)
    of_child = {"X-Patient-Id": str(kid.citizen.patient_id)}
    await planned(kid)
    await planned(kid, "Zarazol 5 mg")
    plan = (await read(here, who=mother, **of_child)).json()
    assert (await ack(here, plan, at(30, 0), who=mother, **of_child)).status_code == 204
    await here.until(at(21, 20, 10))
    assert await pushed(here, mother, "dependent-reminder") == []
    async with here.owner.transaction() as tx:
        # One of the two is not what it was.
        changed = await tx.fetchval(
            "UPDATE reminder SET version = version + 1 WHERE reminder_id::text ="
            f" (SELECT {which}(reminder_id::text) FROM reminder WHERE patient_id = $1)"
            " RETURNING reminder_id::text",
            kid.citizen.patient_id,
        )
        if is_split:
            # A batch ends between the two: what the phone has rings first, and by itself.
            await tx.execute(
                "UPDATE due_queue SET due_at = due_at + interval '1 second'"
                " WHERE kind = 'reminder' AND ref LIKE '%' || $1",
                changed,
            )
    await here.until(at(22, 7, 10))
    assert len(await pushed(here, mother, "dependent-reminder")) == 1
