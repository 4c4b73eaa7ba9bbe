"""Devices: met with their first batch, shown with what measured through them, and taken out for good."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from kernel.problems import Refused
from store.database import Store
from tests.support.batches import CUFF, WATCH, Sender, batch, id_of, sample, sender, taken
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer
from tests.support.people import make_citizen
from vitals.devices.service import LIVE_MAX, admit_device
from vitals.intake.service import store_batch
from vitals.problems import VITAL_DEVICES_FULL
from vitals.wire import Ack

DEVICES = "/v1/me/vitals/devices"
FILL = (
    "INSERT INTO vital_device (patient_id, device_id, added_by, added_at)"
    " SELECT $1, 'old-' || n, $1, $2 FROM generate_series(1, $3::int) AS n"
)


async def devices_of(phone: Sender) -> list[dict[str, Any]]:
    answer = await phone.ask("GET", DEVICES)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["devices"]
    return found


async def acts(store: Store, patient_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry::json->>'action' FROM access_log WHERE patient_id = $1", patient_id
        )
    return [row[0] for row in rows]


async def test_a_device_is_met_with_its_first_batch_and_shown_with_its_sources(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        assert await devices_of(phone) == []
        for seq, of in ((1, 0), (2, 1)):
            clock.advance(minutes=1)
            assert (await phone.send(batch(sample(seq, s=of), seq=seq))).status_code == 200
        assert (await phone.send(batch(sample(3), device="hub", sources=[CUFF]))).status_code == 200
        clock.advance(minutes=1)
        assert (await phone.send(batch(sample(4), seq=3))).status_code == 200
        first, second = await devices_of(phone)
        assert (first["device_id"], second["device_id"]) == ("phone-1", "hub")
        assert first["added_at"] == "2026-11-21T02:01:00Z"
        assert first["last_seen_at"] == "2026-11-21T02:03:00Z"
        assert [(one["app"], one["kind"], one["model"], one["method"]) for one in first["sources"]] == [
            (WATCH["app"], "watch", "Watch7,1", "automatic"),
            (CUFF["app"], "cuff", None, "automatic"),
        ]
        assert first["sources"][0]["priority"] < first["sources"][1]["priority"]
        assert [one["app"] for one in second["sources"]] == [CUFF["app"]]


async def test_a_device_that_was_taken_out_sends_nothing_more_and_what_it_sent_stays(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        body = batch(sample())
        await phone.send(body)
        assert (await phone.ask("DELETE", f"{DEVICES}/phone-1")).status_code == 204
        for again in (batch(sample(1), seq=2), body):
            sent = await phone.send(again)
            assert (sent.status_code, sent.json()["code"]) == (403, "vital-device-revoked")
        (gone,) = await devices_of(phone)
        assert (gone["revoked_at"], len(gone["sources"])) == ("2026-11-21T02:00:00Z", 2)
        assert (await phone.send(batch(sample(1), device="phone-2"))).status_code == 200
        async with store.transaction() as tx:
            kept = await tx.fetchval(
                "SELECT count(*) FROM vital_sample WHERE patient_id = $1", phone.citizen.patient_id
            )
        assert kept == 2
        answer = await phone.ask("DELETE", f"{DEVICES}/phone-1")
        assert (answer.status_code, answer.json()["code"]) == (404, "vital-device-unknown")
        assert (await acts(store, phone.citizen.patient_id)).count("vitals:device:revoke") == 1


async def test_nobody_else_sees_or_takes_out_a_device(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        await phone.send(batch(sample()))
        stranger = await make_citizen(store, clock)
        headers = bearer(stranger.token)
        assert (await phone.client.get(DEVICES, headers=headers)).json() == {"devices": []}
        for_another = headers | {"X-Patient-Id": str(phone.citizen.patient_id)}
        for how, path in (("GET", DEVICES), ("DELETE", f"{DEVICES}/phone-1")):
            answer = await phone.client.request(how, path, headers=for_another)
            assert (answer.status_code, answer.json()["code"]) == (403, "not-your-book")
        assert (await phone.client.delete(f"{DEVICES}/phone-1", headers=headers)).status_code == 404
        assert (await devices_of(phone))[0]["revoked_at"] is None


async def test_a_guardian_takes_out_a_childs_device_and_the_log_says_who(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        child = await make_child(store, clock, phone.citizen)
        for_child = {"X-Patient-Id": str(child)}
        assert (await phone.send(batch(sample()), **for_child)).status_code == 200
        headers = bearer(phone.citizen.token) | for_child
        assert (await phone.client.delete(f"{DEVICES}/phone-1", headers=headers)).status_code == 204
        assert (await phone.send(batch(sample(), seq=2), **for_child)).status_code == 403
        assert (await phone.send(batch(sample()))).status_code == 200, "the guardian's own book is another"
    assert "vitals:device:revoke" in await acts(store, child)


async def test_s23_a_guardian_s_phone_takes_back_and_changes_only_what_it_sent(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        child = await make_child(store, clock, phone.citizen)
        for_child = {"X-Patient-Id": str(child)}
        async with store.transaction() as tx:
            assert await admit_device(tx, child, "childs", child, clock.now()) is None
            ack = await store_batch(tx, child, None, taken(sample(1), device="childs"), clock.now())
            assert isinstance(ack, Ack)
        around = {"since": "2026-11-21T00:00:00Z", "until": "2026-11-22T00:00:00Z"}
        whole = [{"stream": "s", "k": "heart-rate", **around, "complete": True, "ids": []}]
        told = []
        for seq, device in enumerate(("mothers", "childs"), 5):
            body = batch(sample(1, ver=2, v=80), sample(seq), seq=seq, device=device, windows=whole)
            sent = await phone.send(body | {"deleted": [{"id": id_of(1)}]}, **for_child)
            told.append([(one["of"], one["code"]) for one in sent.json()["rejected"]])
        mine = [("samples", "not-yours"), ("deleted", "not-yours")]
        assert told == [mine, [*mine, ("windows", "not-yours")]]
        sent = await phone.send(
            batch(seq=7, device="mothers", deleted=[{"id": id_of(6)}, {"id": id_of(5)}]), **for_child
        )
        # The window took 5 out already, and what is not there is nobody's.
        assert [one["code"] for one in sent.json()["rejected"]] == ["not-yours"] * 2
        await phone.send(batch(sample(7), seq=8, device="mothers"), **for_child)
        sent = await phone.send(batch(seq=9, device="mothers", deleted=[{"id": id_of(7)}]), **for_child)
        assert (sent.json()["deleted"], sent.json()["rejected"]) == (1, [])
        async with store.transaction() as tx:
            rows = await tx.fetch("SELECT id, ver, v FROM vital_sample WHERE patient_id = $1", child)
        assert {(str(row[0]), row[1], row[2]) for row in rows} == {(id_of(1), 1, 720), (id_of(6), 1, 720)}


async def test_the_person_says_which_source_counts(store: Store, clock: FrozenClock) -> None:
    async with sender(store, clock) as phone:
        await phone.send(batch(sample(), sample(1, s=1)))
        ((watch, cuff),) = [one["sources"] for one in await devices_of(phone)]
        path = "/v1/me/vitals/sources/{}/priority"
        assert (
            await phone.ask("PUT", path.format(cuff["source_id"]), json={"priority": 1})
        ).status_code == 204
        # A batch that comes later leaves the choice.
        await phone.send(batch(sample(2, s=1), seq=2))
        ((_, cuff),) = [one["sources"] for one in await devices_of(phone)]
        assert cuff["priority"] == 1 < watch["priority"]
        for unknown in (9, "x", 99_999, "0" * 60):
            answer = await phone.ask("PUT", path.format(unknown), json={"priority": 1})
            assert (answer.status_code, answer.json()["code"]) == (404, "vital-source-unknown")
        for wrong in (0, 100, "1"):
            answer = await phone.ask("PUT", path.format(cuff["source_id"]), json={"priority": wrong})
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid-field")


async def test_of_two_first_batches_at_once_the_second_is_counted_with_the_first(
    store: Store, clock: FrozenClock
) -> None:
    person = (await make_citizen(store, clock)).patient_id
    async with store.transaction() as tx:
        await tx.execute(FILL, person, clock.now(), LIVE_MAX - 1)

    async def admit(device: str) -> Refused | None:
        async with store.transaction() as tx:
            return await admit_device(tx, person, device, person, clock.now())

    async with store.transaction() as tx:
        assert await admit_device(tx, person, "one", person, clock.now()) is None
        other = asyncio.create_task(admit("two"))
        await asyncio.sleep(0.2)
    refused = await other
    assert refused is not None
    assert refused.problem is VITAL_DEVICES_FULL


async def test_devices_that_were_taken_out_never_fill_a_book(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitals.devices.service.EVER_MAX", 4)
    async with sender(store, clock) as phone:
        await phone.send(batch(sample(), device="sent"))
        for device in ("sent", "a", "b", "c", "d"):
            if device != "sent":
                await phone.send(batch(device=device, sources=[]))
            assert (await phone.ask("DELETE", f"{DEVICES}/{device}")).status_code == 204
        assert (await phone.send(batch(device="e", sources=[]))).status_code == 200
        # One that has readings here stays known, and out.
        assert (await phone.send(batch(sample(1), seq=2, device="sent"))).status_code == 403


async def test_a_book_has_so_many_devices_and_one_that_goes_makes_room(
    store: Store, clock: FrozenClock
) -> None:
    async with sender(store, clock) as phone:
        async with store.transaction() as tx:
            await tx.execute(FILL, phone.citizen.patient_id, clock.now(), LIVE_MAX)
        sent = await phone.send(batch(sample()))
        assert (sent.status_code, sent.json()["code"]) == (409, "vital-devices-full")
        assert (await phone.send(batch(sample(), device="old-1"))).status_code == 200
        assert (await phone.ask("DELETE", f"{DEVICES}/old-2")).status_code == 204
        assert (await phone.send(batch(sample()))).status_code == 200
