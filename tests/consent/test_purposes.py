"""Consent to processing: nothing ticked beforehand, proof of every yes, a clock for what is taken back."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
import rfc8785

from consent.purposes import catalogue, queries, service
from consent.purposes.catalogue import KEYS, PurposeKey, newest
from healthbook.dispatch import dispatch
from kernel.clock import local_day
from kernel.ids import bucket_of, uuid7
from store.database import Store
from store.models import Event
from tests.support import consent as steps
from tests.support.actors import make_operator
from tests.support.clock import FrozenClock
from tests.support.emergency_card import signed
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen

PURPOSES = "/v1/me/purposes"
BY_CONSENT: tuple[PurposeKey, ...] = ("notices", "research", "wearables")


async def shown(client: httpx.AsyncClient, citizen: Citizen) -> dict[str, dict[str, Any]]:
    items = (await client.get(PURPOSES, headers=bearer(citizen.token))).json()["items"]
    return {item["purpose"]: item for item in items}


async def say(
    client: httpx.AsyncClient,
    clock: FrozenClock,
    citizen: Citizen,
    purpose: str,
    agreed: bool,
    **changes: Any,
) -> httpx.Response:
    view = (await shown(client, citizen))[purpose]
    words = next(one for one in view["words"] if one["lang"] == "vi")
    facts = {"purpose": purpose, "version": view["version"], "lang": "vi", "text_sha256": words["sha256"]}
    body: dict[str, Any] = {"agreed": agreed, "version": view["version"], "lang": "vi"}
    if agreed:
        body["signed"] = signed(citizen, "purpose-consent", clock.now(), facts | changes.pop("facts", {}))
    return await client.put(f"{PURPOSES}/{purpose}", json=body | changes, headers=bearer(citizen.token))


async def agrees(store: Store, citizen: Citizen, purpose: PurposeKey) -> bool:
    async with store.transaction() as tx:
        return await service.agrees(tx, citizen.patient_id, purpose)


async def test_nothing_is_agreed_before_the_person_agrees_and_the_app_knows_what_to_ask(
    store: Store, client: httpx.AsyncClient, citizen: Citizen
) -> None:
    states = {key: view["state"] for key, view in (await shown(client, citizen)).items()}
    assert states == {
        "care-record": "by-law",
        "statistics": "by-law",
        "notices": "unanswered",
        "research": "unanswered",
        "wearables": "unanswered",
    }
    me = (await client.get("/v1/me", headers=bearer(citizen.token))).json()
    assert me["unanswered_purposes"] == list(BY_CONSENT)
    assert not any([await agrees(store, citizen, key) for key in BY_CONSENT])


@pytest.mark.parametrize("purpose", BY_CONSENT)
async def test_a_yes_to_one_purpose_is_a_yes_to_no_other(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, purpose: PurposeKey
) -> None:
    assert (await say(client, clock, citizen, purpose, True)).json()["state"] == "agreed"
    assert {key for key in BY_CONSENT if await agrees(store, citizen, key)} == {purpose}


async def test_a_yes_is_proven_by_the_key_and_the_words_and_a_no_needs_the_session_alone(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    assert (await say(client, clock, citizen, "research", True, signed=None)).json()[
        "code"
    ] == "step-up-refused"
    for facts in ({"text_sha256": "0" * 64}, {"purpose": "wearables"}, {"version": "2"}):
        refused = await say(client, clock, citizen, "research", True, facts=facts)
        assert refused.json()["code"] == "step-up-refused"
    assert not await agrees(store, citizen, "research")
    assert (await say(client, clock, citizen, "research", True)).status_code == 200
    async with store.transaction() as tx:
        (row,) = await queries.CHOICES.all(tx, citizen.patient_id, "research", 10)
    words = newest("research").vi
    text = {"key": "research", "version": "1", "lang": "vi", "title": words.title, "text": words.text}
    assert row.text_sha256 == hashlib.sha256(rfc8785.dumps(text)).digest()
    assert (row.device_id, bool(row.signature)) == (citizen.actor.device_id, True)
    sql = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%consent:purpose:agree%'"
    assert await steps.count(owner, sql, citizen.patient_id) == 1
    assert (await say(client, clock, citizen, "research", False)).json()["state"] == "refused"
    assert not await agrees(store, citizen, "research")


async def test_s8_a_device_on_probation_agrees_to_nothing_and_may_refuse(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock, probation=True)
    assert (await say(client, clock, citizen, "research", True)).json()["code"] == "device-on-probation"
    assert (await say(client, clock, citizen, "research", False)).json()["state"] == "refused"


@pytest.mark.parametrize("purpose", ["care-record", "statistics"])
async def test_what_rests_on_the_law_is_shown_as_such_and_is_no_consent(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, purpose: PurposeKey
) -> None:
    for agreed in (True, False):
        assert (await say(client, clock, citizen, purpose, agreed)).json()["code"] == "purpose-by-law"
    assert await agrees(store, citizen, purpose)
    assert "luật" in newest(purpose).vi.text


async def test_words_that_changed_are_asked_again_and_the_old_yes_no_longer_counts(
    store: Store,
    client: httpx.AsyncClient,
    clock: FrozenClock,
    citizen: Citizen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await say(client, clock, citizen, "wearables", True)).status_code == 200
    old = catalogue._catalogue()
    newer = msgspec.structs.replace(newest("wearables"), version="2")
    monkeypatch.setattr(catalogue, "_catalogue", lambda: [*old, newer])
    assert (await shown(client, citizen))["wearables"]["state"] == "asked-again"
    assert not await agrees(store, citizen, "wearables")
    late = await say(client, clock, citizen, "wearables", True, version="1")
    assert late.json()["code"] == "purpose-changed"
    assert (await say(client, clock, citizen, "wearables", True)).json()["state"] == "agreed"
    assert await agrees(store, citizen, "wearables")


async def test_the_history_keeps_every_answer_and_nobody_can_rewrite_it(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    for agreed in (True, False, True):
        clock.advance(minutes=1)
        assert (await say(client, clock, citizen, "notices", agreed)).status_code == 200
    one = (await client.get(f"{PURPOSES}/notices", headers=bearer(citizen.token))).json()
    assert [answer["agreed"] for answer in one["answers"]] == [True, False, True]
    with pytest.raises(Exception, match="permission denied"):
        async with store.transaction() as tx:
            await tx.execute("UPDATE purpose_choice SET agreed = true")


async def test_a_withdrawal_starts_its_clock_and_what_others_hold_waits_for_somebody(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    for purpose in ("notices", "research"):
        await say(client, clock, citizen, purpose, True)
        await say(client, clock, citizen, purpose, False)
    async with store.transaction() as tx:
        found = {one.purpose: one for one in await service.withdrawals_of(tx, citizen.patient_id)}
    own, shared = found["notices"], found["research"]
    assert own.done_at == own.answered_at == own.opened_at
    assert (shared.answered_at, shared.done_at) == (None, None)
    day = timedelta(days=1)
    assert timedelta(0) < shared.answer_by - shared.opened_at <= 6 * day
    assert 15 * day <= own.done_by - own.opened_at <= 19 * day
    assert 20 * day <= shared.done_by - shared.opened_at <= 24 * day


async def test_an_operator_answers_extends_once_and_finishes_in_the_persons_log(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    await say(client, clock, citizen, "research", True)
    await say(client, clock, citizen, "research", False)
    headers = bearer(await make_operator(store, clock))

    async def waiting() -> list[dict[str, Any]]:
        found = (await client.get("/v1/admin/withdrawals", headers=headers)).json()["items"]
        return [one for one in found if one["patient_id"] == str(citizen.patient_id)]

    (before,) = await waiting()
    path = f"/v1/admin/withdrawals/{citizen.patient_id}/{before['choice_id']}"

    async def move(step: str) -> int:
        body = {"step": step, "reason": "đã báo bên nghiên cứu"}
        return (await client.post(path, json=body, headers=headers)).status_code

    assert [await move("answer"), await move("answer")] == [204, 404]
    assert [await move("extend"), await move("extend")] == [204, 404]
    async with store.transaction() as tx:
        (longer,) = await service.withdrawals_of(tx, citizen.patient_id)
    assert longer.done_by - longer.opened_at > timedelta(days=34)
    assert local_day(longer.done_by).weekday() < 5, "a term that ends on a day off ends after it"
    assert [await move("finish"), await move("finish")] == [204, 404]
    assert await waiting() == []
    sql = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%consent:withdrawal:%'"
    assert await steps.count(owner, sql, citizen.patient_id) == 3
    assert await steps.count(owner, "SELECT count(*) FROM admin_event WHERE entry LIKE '%withdrawal:%'") == 3


async def test_a_withdrawal_whose_term_is_over_is_not_extended(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    await say(client, clock, citizen, "research", True)
    await say(client, clock, citizen, "research", False)
    async with store.transaction() as tx:
        (one,) = await service.withdrawals_of(tx, citizen.patient_id)
    clock.set(one.done_by + timedelta(seconds=1))
    headers = bearer(await make_operator(store, clock))
    path = f"/v1/admin/withdrawals/{citizen.patient_id}/{one.choice_id}"
    body = {"step": "extend", "reason": "quá hạn"}
    assert (await client.post(path, json=body, headers=headers)).status_code == 404


async def test_a_withdrawal_past_its_deadline_is_listed_as_overdue(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    await say(client, clock, citizen, "research", True)
    await say(client, clock, citizen, "research", False)
    for days, overdue in ((0, False), (7, True)):
        clock.advance(days=days)
        headers = bearer(await make_operator(store, clock))
        found = (await client.get("/v1/admin/withdrawals", headers=headers)).json()["items"]
        assert {one["overdue"] for one in found if one["patient_id"] == str(citizen.patient_id)} == {overdue}


async def test_news_ring_only_for_whoever_agreed_and_stand_in_the_inbox_for_everybody(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    for agreed, status in ((None, "silent"), (False, "silent"), (True, "ring")):
        citizen = await make_citizen(store, clock)
        if agreed is not None:
            await say(client, clock, citizen, "notices", agreed)
        event = Event(
            bucket=bucket_of(citizen.patient_id),
            event_id=uuid7(clock.now()),
            patient_id=citizen.patient_id,
            event="ehr.released",
            ref='{"release_id":"1"}',
            attempts=0,
        )
        async with store.transaction() as tx:
            await dispatch(tx, store.keys, event, clock.now())
        sql = "SELECT count(*) FROM notification WHERE patient_id = $1 AND status = $2"
        assert await steps.count(owner, sql, citizen.patient_id, status) == 1


def test_every_purpose_has_one_newest_version_with_words_in_both_languages() -> None:
    assert {newest(key).key for key in KEYS} == set(KEYS)
    for key in KEYS:
        for words in (newest(key).vi, newest(key).en):
            assert words.title
            assert len(words.text) > 80
    assert all("nhạy cảm" in newest(key).vi.text for key in ("research", "wearables", "care-record"))
