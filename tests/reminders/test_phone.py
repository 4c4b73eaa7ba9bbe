"""Which phones ring by themselves, so that nothing is pushed to them."""

from datetime import timedelta

from kernel.ids import uuid7
from reminders.phone import covered_devices
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"


async def test_a_phone_is_covered_from_its_acknowledgement_until_its_last_alarm_or_the_next_change(
    here: Reminding,
) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "4"))
    person, device, now = here.citizen.patient_id, uuid7(here.clock.now()), here.clock.now()
    day, until = timedelta(days=1), now + timedelta(days=3)
    async with here.owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO reminder_plan_ack (patient_id, device_id, version, covers_until, at)"
            " SELECT patient_id, $2, version, $3, $4 FROM reminder_plan WHERE patient_id = $1",
            person,
            device,
            until,
            now,
        )
    due = [now - day, now, now + day, until]
    async with here.store.transaction() as tx:
        found = await covered_devices(tx, [person] * 4, due)
        assert found == [frozenset(), frozenset([device]), frozenset([device]), frozenset()]
        assert await covered_devices(tx, [uuid7(now)], [now]) == [frozenset()]
    await here.until(now + day)
    async with here.store.transaction() as tx:
        assert await covered_devices(tx, [person], [now + day]) == [frozenset([device])], "times passed"
    await here.dispense(code, (1, "4"))
    async with here.store.transaction() as tx:
        assert await covered_devices(tx, [person], [now + day]) == [frozenset()], "the plan changed"
