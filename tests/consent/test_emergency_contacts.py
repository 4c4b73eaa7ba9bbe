"""Contacts for an emergency: named by the person, agreed to by their own phone, ended in silence."""

from collections.abc import AsyncIterator

import httpx
import pytest

from consent.emergency_card import contacts
from notifications.recorded import read_recorded
from notifications.sms import HOTLINE
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.emergency_card import CONTACTS, lines, name_contact, scan, signed, tick, token_of
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, new_phone_number
from tests.support.registry import make_officers, merged, separated

LOOK = "/v1/public/emergency-contacts/invitation"
ANSWER = "/v1/public/emergency-contacts/answer"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as made:
        yield made


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, name="Lê Thị Thẻ")


async def sms_to(owner: Store, clock: FrozenClock, phone: str) -> list[str]:
    """The messages that would leave to a phone, oldest first."""
    async with owner.transaction() as tx:
        found = await read_recorded(tx, owner.keys, 500, clock.now(), HOTLINE)
    return [one.text for one in reversed(found) if one.channel == "sms" and one.phone == phone]


async def code_to(owner: Store, clock: FrozenClock, phone: str) -> str:
    (text,) = await sms_to(owner, clock, phone)
    return text.partition("Ma ")[2].partition(":")[0]


async def agreed(
    client: httpx.AsyncClient, owner: Store, clock: FrozenClock, citizen: Citizen, name: str
) -> tuple[str, str]:
    """(contact id, code) of a contact who accepted."""
    phone = new_phone_number()
    named = await name_contact(client, clock, citizen, name, phone)
    assert named.status_code == 200, named.text
    code = await code_to(owner, clock, phone)
    accepted = await client.post(ANSWER, json={"code": code, "answer": "accept"})
    assert (accepted.status_code, accepted.json()["accepted"]) == (200, True)
    return named.json()["contact_id"], code


async def test_only_who_agreed_by_the_own_phone_is_on_the_card_and_told(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    phone = new_phone_number()
    assert (await name_contact(client, clock, citizen, "Trần Văn Chồng", phone)).status_code == 200
    token = token_of(await tick(client, clock, citizen, "contacts"))
    assert lines(await scan(client, token)) == {"contacts": []}
    code = await code_to(owner, clock, phone)
    looked = await client.post(LOOK, json={"code": code.lower().replace("-", " ")})
    assert looked.json() == {"person_name": "Lê Thị Thẻ", "relation": "spouse", "accepted": False}
    assert (await client.post(ANSWER, json={"code": code, "answer": "accept"})).status_code == 200
    assert (await client.post(ANSWER, json={"code": code, "answer": "accept"})).status_code == 200
    assert lines(await scan(client, token)) == {"contacts": [f"Trần Văn Chồng (vợ/chồng) {phone}"]}
    async with store.transaction() as tx:
        told = await contacts.contacts_to_tell(tx, store.keys, citizen.patient_id)
    assert [one.phone for one in told] == [phone]
    assert phone not in repr(told)


async def test_the_message_names_nobody_fits_one_segment_and_is_no_code_of_another_kind(
    owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    phone = new_phone_number()
    await name_contact(client, clock, citizen, "Trần Văn Chồng", phone)
    (text,) = await sms_to(owner, clock, phone)
    assert len(text) <= 160
    assert text.isascii()
    assert not any(word in text for word in ("Thi The", "Chong", "benh", "thuoc"))
    assert len(text.partition("Ma ")[2].partition(":")[0].replace("-", "")) == 16


async def test_s1_the_phone_of_a_contact_signs_nobody_in(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    phone = new_phone_number()
    await name_contact(client, clock, citizen, "Trần Văn Chồng", phone)
    started = await client.post("/v1/auth/sign-in/start", json={"kind": "phone", "value": phone})
    assert started.status_code < 300
    assert len(await sms_to(owner, clock, phone)) == 1
    async with owner.transaction() as tx:
        rows = await tx.fetchval("SELECT count(*) FROM phone WHERE patient_id = $1", citizen.patient_id)
        dumped = await tx.fetchval("SELECT string_agg(t::text, ' ') FROM emergency_contact t")
    assert rows == 1
    assert phone.removeprefix("+84") not in dumped
    assert "Trần" not in dumped


@pytest.mark.parametrize("said", ["decline", "end"])
async def test_a_declined_invitation_is_over_and_its_code_dead(
    owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, said: str
) -> None:
    phone = new_phone_number()
    await name_contact(client, clock, citizen, "Không Nhận", phone)
    code = await code_to(owner, clock, phone)
    assert (await client.post(ANSWER, json={"code": code, "answer": said})).status_code == 200
    for path, body in ((LOOK, {"code": code}), (ANSWER, {"code": code, "answer": "accept"})):
        assert (await client.post(path, json=body)).json()["code"] == "contact-code-unknown"
    listed = await client.get(CONTACTS, headers=bearer(citizen.token))
    assert listed.json()["items"] == []


async def test_s23_either_side_ends_it_and_the_other_is_told_nothing(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    first, code = await agreed(client, owner, clock, citizen, "Người Một")
    second, other = await agreed(client, owner, clock, citizen, "Người Hai")
    async with owner.transaction() as tx:
        before = [await tx.fetchval(f"SELECT count(*) FROM {t}") for t in ("delivery", "notification")]
        known = [row["event_id"] for row in await tx.fetch("SELECT event_id FROM outbox")]
    assert (await client.post(ANSWER, json={"code": code, "answer": "end"})).status_code == 200
    removed = await client.delete(f"{CONTACTS}/{second}", headers=bearer(citizen.token))
    assert removed.status_code == 204
    async with owner.transaction() as tx:
        after = [await tx.fetchval(f"SELECT count(*) FROM {t}") for t in ("delivery", "notification")]
        kept = await tx.fetchval(
            "SELECT string_agg(name_sealed::text || phone_sealed::text, '') FROM emergency_contact"
            " WHERE patient_id = $1",
            citizen.patient_id,
        )
    assert before == after
    # The journal alone hears of it: no restored backup brings a contact back (security.md S12).
    async with owner.transaction() as tx:
        heard = await tx.fetch("SELECT event FROM outbox WHERE NOT event_id = ANY($1)", known)
    assert {row["event"] for row in heard} == {"consent.contact-ended"}
    # Nothing of the contacts' own data stays.
    assert kept == "\\x\\x\\x\\x"
    assert (await client.post(LOOK, json={"code": other})).json()["code"] == "contact-code-unknown"
    async with store.transaction() as tx:
        assert await contacts.contacts_to_tell(tx, store.keys, citizen.patient_id) == []
    again = await client.delete(f"{CONTACTS}/{first}", headers=bearer(citizen.token))
    assert again.json()["code"] == "emergency-contact-unknown"


async def test_an_invitation_ends_after_a_week_and_a_contact_does_not(
    owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    phone = new_phone_number()
    await name_contact(client, clock, citizen, "Chưa Trả Lời", phone)
    waiting = await code_to(owner, clock, phone)
    _, code = await agreed(client, owner, clock, citizen, "Đã Nhận")
    clock.advance(days=7)
    assert (await client.post(LOOK, json={"code": waiting})).status_code == 404
    assert (await client.post(LOOK, json={"code": code})).status_code == 200


async def test_at_most_five_contacts_each_signed_for_and_five_invitations_a_day(
    owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    for number in range(5):
        await agreed(client, owner, clock, citizen, f"Người {number}")
    sixth = await name_contact(client, clock, citizen, "Người Sáu", new_phone_number())
    assert sixth.json()["code"] == "too-many-emergency-contacts"
    listed = (await client.get(CONTACTS, headers=bearer(citizen.token))).json()["items"]
    gone = await client.delete(f"{CONTACTS}/{listed[0]['contact_id']}", headers=bearer(citizen.token))
    assert gone.status_code == 204
    over = await name_contact(client, clock, citizen, "Người Sáu", new_phone_number())
    assert over.json()["code"] == "too-many"
    facts = {"name": "Ai", "phone": new_phone_number(), "relation": "friend"}
    body = facts | {"signed": signed(citizen, "emergency-contact", clock.now(), facts, refresh_key=True)}
    refused = await client.post(CONTACTS, json=body, headers=bearer(citizen.token))
    assert refused.json()["code"] == "step-up-refused"


async def test_sms_pumping_one_phone_hears_of_three_invitations_a_day_and_no_sender_learns_it(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    phone = new_phone_number()
    for _ in range(5):
        sender = await make_citizen(store, clock)
        assert (await name_contact(client, clock, sender, "Ai Đó", phone)).status_code == 200
    assert len(await sms_to(owner, clock, phone)) == 3


async def test_wrong_codes_are_counted_for_each_network(
    client: httpx.AsyncClient, clock: FrozenClock
) -> None:
    clock.advance(days=30)
    answers = [(await client.post(LOOK, json={"code": "0" * 16})).status_code for _ in range(31)]
    assert answers == [404] * 30 + [429]


async def test_what_a_contact_does_stands_in_the_persons_log(
    owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    _, code = await agreed(client, owner, clock, citizen, "Người Một")
    await client.post(ANSWER, json={"code": code, "answer": "end"})
    sql = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND actor_kind = 'bearer' AND entry LIKE $2"
    for tag in ("accept", "end"):
        assert await steps.count(owner, sql, citizen.patient_id, f"%emergency:contact:{tag}%") == 1


async def test_s10_the_contacts_of_both_hear_of_nothing_from_a_merge_on(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    other, officers = await make_citizen(store, clock), await make_officers(store, clock)
    await agreed(client, owner, clock, citizen, "Người Của Thẻ")
    clock.advance(minutes=1)
    merge_id = await merged(store, officers, other.patient_id, citizen.patient_id, clock.now())
    async with store.transaction() as tx:
        assert await contacts.contacts_to_tell(tx, store.keys, citizen.patient_id) == []
    clock.advance(minutes=1)
    await separated(store, officers, merge_id, clock.now())
    async with store.transaction() as tx:
        assert len(await contacts.contacts_to_tell(tx, store.keys, citizen.patient_id)) == 1
