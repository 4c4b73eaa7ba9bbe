"""Signing up with a phone: an account that holds what its person enters and nothing else (security.md S1)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import httpx
import pytest

from consent.decision import UNPROVEN_ACTIONS, decide
from healthbook.recovery.queries import DEAD
from identity import people, phones, sessions, sign_in
from identity.accounts import sign_up
from identity.accounts.models import ProofPurpose
from identity.people import IdentifierClaim, PersonClaim, Unmatched
from identity.sign_in import event_reference, sign_in_code_for_delivery
from kernel.access import Action
from kernel.problems import Refused
from notifications.models import SmsSignIn
from notifications.sms import HOTLINE, sms_text
from store.database import Store
from tests.support.accounts import finish_body, letters, signed_up
from tests.support.clock import FrozenClock
from tests.support.entry import delivered
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_facility, make_person, new_number, new_phone_number
from tests.support.phone import Phone
from tests.support.record import write
from visits.lookup.finding import find
from visits.lookup.models import LookUp

ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Penicillin của người khác"},
    "patient": {"reference": "Patient/x"},
}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def start(client: httpx.AsyncClient, phone: str) -> str:
    answer = await client.post("/v1/auth/sign-up/start", json={"phone": phone})
    assert answer.status_code == 202
    challenge: str = answer.json()["challenge_id"]
    return challenge


async def finish(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    answer = await client.post("/v1/auth/sign-up/finish", json=body)
    return "signed-up" if answer.status_code == 201 else str(answer.json()["code"])


async def test_a_phone_its_letters_and_a_pin_make_an_account_of_level_0(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    made = await signed_up(client, store, clock, name="Trần Tự Khai", birth_date="1990-05", sex="female")
    me = (await client.get("/v1/me", headers=made.headers)).json()
    assert (me["name"], me["birth_date"], me["level"]) == ("Trần Tự Khai", "1990-05", 0)
    assert (me["numbers"], me["login_phone"], me["on_probation"]) == ([], None, False)
    said = {"kind": "allergy", "name": "Tôm"}
    kept = await client.post(
        "/v1/me/statements", json=said, headers=made.headers | {"Idempotency-Key": "k" * 16}
    )
    assert kept.status_code == 201, kept.text
    assert "Tôm" in (await client.get("/v1/me/allergies", headers=made.headers)).text


async def test_who_signed_up_signs_in_on_another_phone_by_the_same_number_and_pin(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    made = await signed_up(client, store, clock)
    clock.advance(minutes=6)
    answer = await client.post("/v1/auth/sign-in/start", json={"kind": "phone", "value": made.number})
    challenge, second = answer.json()["challenge_id"], Phone()
    body = finish_body(challenge, await delivered(store, clock, challenge) or "", second)
    del body["said"]
    wrong = await client.post("/v1/auth/sign-in/verify", json=body | {"pin": "591736"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "sign-in-refused")
    done = await client.post("/v1/auth/sign-in/verify", json=body)
    assert (done.status_code, done.json()["patient_id"]) == (201, made.patient_id)
    # The second phone is one that no older device answered for.
    assert (await client.get("/v1/me", headers=bearer(done.json()["access_token"]))).json()["on_probation"]


async def test_s1_the_number_that_was_typed_leads_nowhere_before_and_after_an_import(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Pre-hijack: the account waits with a victim's number for the victim's record."""
    number = new_number()
    said: Any = {"name": "Lê Thị Nạn Nhân", "birth_date": "1985-03-12", "sex": "female"}
    early = await signed_up(client, store, clock, number=number, **said)
    facility = await make_facility(store, clock)
    claim = PersonClaim(identifiers=[IdentifierClaim("national-id", number)], **said)
    async with store.transaction() as tx:
        found = await people.match_person(tx, store.keys, claim, facility.facility_id, clock.now())
        assert found == Unmatched("unknown-person")
    true_owner, _ = await make_person(store, clock, number=number, **said)
    await write(store, true_owner, [ALLERGY | {"id": "a1"}], clock.now())
    late = await signed_up(client, store, clock, number=number, **said)
    for account in (early, late):
        assert UUID(account.patient_id) != true_owner
        for path in ("/v1/me/summary", "/v1/me/allergies", "/v1/me/timeline", "/v1/me/search?q=Penicillin"):
            answer = await client.get(path, headers=account.headers)
            assert answer.status_code == 200, answer.text
            assert "của người khác" not in answer.text
        shown = (await client.get("/v1/me/numbers", headers=account.headers)).json()["numbers"]
        assert [one["state"] for one in shown] == ["self-declared"]
    async with store.transaction() as tx:
        owner = await people.resolve_subject(tx, store.keys, "national-id", number, clock.now())
        assert owner == true_owner


async def test_s1_letters_for_the_number_go_to_its_owner_or_nowhere(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    owner = await make_citizen(store, clock)
    await signed_up(client, store, clock, number=owner.number, name=owner.name, birth_date=owner.birth_date)
    answer = await client.post("/v1/auth/sign-in/start", json={"kind": "number", "value": owner.number})
    async with store.transaction() as tx:
        found = await sign_in_code_for_delivery(
            tx, store.keys, event_reference(answer.json()["challenge_id"]), clock.now()
        )
    assert found is not None
    assert found.phone_number == owner.phone_number


async def test_s1_an_account_of_level_0_acts_for_nobody_and_hands_nothing_out(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    made = await signed_up(client, store, clock, birth_date="1980-01-01")
    async with store.transaction() as tx:
        actor = await sessions.authenticate(tx, made.token, clock.now())
        assert actor is not None
        refused = set()
        for action in get_args(Action):
            found = await decide(tx, actor, actor.actor_id, action, "PATRQT", clock.now(), keys=store.keys)
            if isinstance(found, Refused):
                assert found.problem.code == "identity-unproven"
                refused.add(action)
    assert refused == set(get_args(Action)) - UNPROVEN_ACTIONS
    assert {
        "link-family",
        "make-proxy",
        "assent",
        "share-record",
        "issue-certificate",
        "connect-app",
    } <= refused
    other = await make_citizen(store, clock)
    answer = await client.get(
        "/v1/me/summary", headers=made.headers | {"X-Patient-Id": str(other.patient_id)}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "identity-unproven")


async def test_s2_the_text_begins_like_every_sign_in_letter_and_fits_one_segment() -> None:
    said = set()
    for purpose in (*get_args(ProofPurpose), "sign-in"):
        text = sms_text(SmsSignIn(code="ABCDEF", purpose=purpose), HOTLINE)
        assert text.startswith("DANG NHAP. KHONG DOC CHO AI, KE CA BAC SI")
        assert "ABCDEF" in text
        assert len(text) <= 160
        said.add(text)
    # Whoever reads letters out is told what they will be used for.
    assert len(said) == 4


async def test_s2_while_a_consent_code_is_live_no_letters_are_sent_and_the_reverse(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    number = new_phone_number()
    phone_hash = phones.phone_hashes(store.keys, number)[0][1]
    async with store.transaction() as tx:
        until = clock.now() + timedelta(minutes=5)
        assert await phones.take_code_lock(tx, phone_hash, "consent", until, clock.now())
    assert await letters(store, clock, await start(client, number)) is None
    clock.advance(minutes=5)
    assert await letters(store, clock, await start(client, number)) is not None
    async with store.transaction() as tx:
        until = clock.now() + timedelta(minutes=5)
        assert not await phones.take_code_lock(tx, phone_hash, "consent", until, clock.now())


async def test_s2_letters_of_a_sign_up_open_no_sign_in_and_the_reverse(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    owner = await make_citizen(store, clock)
    challenge, phone = await start(client, owner.phone_number), Phone()
    code = await letters(store, clock, challenge)
    assert code is not None
    body = finish_body(challenge, code, phone)
    said = body.pop("said")
    other = await client.post("/v1/auth/sign-in/verify", json=body)
    assert (other.status_code, other.json()["code"]) == (401, "sign-in-code-dead")
    clock.advance(minutes=6)
    begun = await client.post("/v1/auth/sign-in/start", json={"kind": "number", "value": owner.number})
    theirs = begun.json()["challenge_id"]
    body = finish_body(theirs, await delivered(store, clock, theirs) or "", phone) | {"said": said}
    assert await finish(client, body) == "sign-in-code-dead"


async def test_five_wrong_letters_end_a_challenge_and_letters_serve_once(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    challenge, phone = await start(client, new_phone_number()), Phone()
    code = await letters(store, clock, challenge)
    assert code is not None
    assert await letters(store, clock, challenge) is None  # sent once, erased
    for _ in range(5):
        assert await finish(client, finish_body(challenge, "482913", phone)) == "sign-in-refused"
    assert await finish(client, finish_body(challenge, code, phone)) == "sign-in-code-dead"

    challenge = await start(client, new_phone_number())
    code = await letters(store, clock, challenge) or ""
    body = finish_body(challenge, code, phone)
    assert await finish(client, body | {"pin": "123456"}) == "pin-too-easy"
    wrong_day = body["said"] | {"birth_date": "2031-02-30"}
    assert await finish(client, body | {"said": wrong_day}) == "birth-date-invalid"
    assert await finish(client, body) == "signed-up"
    assert await finish(client, body) == "sign-in-code-dead"


async def test_s9_a_phone_leads_to_the_newest_account_and_the_next_subscriber_sees_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    number = new_phone_number()
    first = await signed_up(client, store, clock, own=number)
    clock.advance(hours=1)
    second = await signed_up(client, store, clock, own=number)
    assert first.patient_id != second.patient_id
    assert (await client.get("/v1/me", headers=second.headers)).json()["patient_id"] == second.patient_id
    async with store.transaction() as tx:
        assert await phones.people_of_letters(tx, store.keys, number, clock.now()) == [
            UUID(second.patient_id)
        ]
        assert await phones.people_signing_in_with(tx, store.keys, number, clock.now()) == []


async def test_s9_a_number_that_a_hundred_reports_name_leads_to_its_newest_account_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    number = new_phone_number()
    async with store.transaction() as tx:
        for _ in range(101):
            reported = PersonClaim(name="Người Được Ghi", phone=number)
            await people.create_person(tx, store.keys, reported, "import", None, clock.now())
    await signed_up(client, store, clock, own=number)
    clock.advance(hours=1)
    second = await signed_up(client, store, clock, own=number)
    async with store.transaction() as tx:
        assert await phones.people_of_letters(tx, store.keys, number, clock.now()) == [
            UUID(second.patient_id)
        ]
        signed = await tx.fetch("SELECT patient_id FROM phone WHERE role = 'sign-up' AND phone_hash = $1",
                                phones.phone_hashes(store.keys, number)[0][1])  # fmt: skip
        led = await tx.fetch("SELECT patient_id FROM phone_lookup WHERE phone_hash = $1",
                             phones.phone_hashes(store.keys, number)[0][1])  # fmt: skip
    assert [str(one["patient_id"]) for one in signed] == [second.patient_id]
    assert [str(one["patient_id"]) for one in led] == [second.patient_id]


async def test_s9_a_login_phone_stays_its_persons_when_somebody_signs_up_with_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    owner = await make_citizen(store, clock)
    await signed_up(client, store, clock, own=owner.phone_number)
    async with store.transaction() as tx:
        found = await phones.people_of_letters(tx, store.keys, owner.phone_number, clock.now())
    assert found == [owner.patient_id]


async def test_one_phone_makes_three_accounts_a_day_and_gets_three_letters_an_hour(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    number = new_phone_number()
    for _ in range(3):
        await signed_up(client, store, clock, own=number)
    assert await letters(store, clock, await start(client, number)) is None
    clock.advance(hours=2)
    challenge = await start(client, number)
    body = finish_body(challenge, await letters(store, clock, challenge) or "", Phone())
    assert await finish(client, body) == "too-many"


@pytest.mark.parametrize("phone", ["02438253531", "không phải số", "113", "0" * 30])
async def test_text_that_is_no_mobile_number_is_said_to_be_none(
    client: httpx.AsyncClient, phone: str
) -> None:
    """The form of a number tells of nobody."""
    odd = await client.post("/v1/auth/sign-up/start", json={"phone": phone})
    assert (odd.status_code, odd.json()["code"]) == (400, "phone-invalid")
    assert odd.json()["errors"] == [{"where": "phone"}]


async def test_a_weak_pin_costs_no_try_of_the_letters(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    challenge, phone = await start(client, new_phone_number()), Phone()
    body = finish_body(challenge, await letters(store, clock, challenge) or "", phone)
    for _ in range(4):
        assert await finish(client, body | {"code": "482913"}) == "sign-in-refused"
    assert await finish(client, body | {"pin": "123456"}) == "pin-too-easy"
    assert (
        await finish(client, body | {"said": body["said"] | {"birth_date": "2999"}}) == "birth-date-invalid"
    )
    assert await finish(client, body) == "signed-up"


async def test_nothing_in_clear_rests_of_letters_or_phone(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    number = new_phone_number()
    challenge = await start(client, number)
    async with owner.transaction() as tx:
        rows = str(await tx.fetch("SELECT * FROM phone_proof")) + str(await tx.fetch("SELECT * FROM outbox"))
    code = await letters(store, clock, challenge)
    assert code is not None
    for secret in (code, challenge, number):
        assert secret not in rows


async def test_s19_a_phone_of_an_account_of_each_level_and_nobodys_cost_the_same_statements(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    proven = (await make_citizen(store, clock)).phone_number
    unproven = (await signed_up(client, store, clock)).number
    clock.advance(hours=2)
    seen: list[list[str]] = []
    for number in (proven, unproven, new_phone_number()):
        statements: list[str] = []
        async with store.transaction() as tx:
            with tx.query_logger(lambda record, kept=statements: kept.append(record.query)):
                await sign_in.start(tx, store.keys, "phone", number, "test", clock.now())
                await sign_up.start(tx, store.keys, number, "test", clock.now())
        seen.append(statements)
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) > 10


async def test_s1_no_search_by_phone_and_no_request_finds_an_account_of_level_0(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    made = await signed_up(client, store, clock)
    async with store.transaction() as tx:
        found = await find(
            tx, store.keys, LookUp(kind="phone", value=made.number, purpose="check-in"), clock.now()
        )
        assert found.outcome == "unknown"
        assert await phones.login_phone(tx, store.keys, UUID(made.patient_id), clock.now()) is None


async def test_s12_a_restore_leaves_no_letters_of_a_sign_up(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    assert "TRUNCATE phone_proof" in [command.sql for command in DEAD]
