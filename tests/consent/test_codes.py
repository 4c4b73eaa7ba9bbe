"""Codes read to the doctor: the eight digits of the app (C), the SMS (D), and what they are bound to."""

from datetime import timedelta
from uuid import UUID

import rfc8785

from consent.approval import CodeVerdict, approval_text
from consent.codes import service as codes
from consent.codes.service import CodeAsked, CodeForDelivery
from consent.models import Grant
from consent.queries import set_wrong_codes
from consent.transfer import canonical_text, draw, nonce_at, read_scan, step_of
from identity.models import Facility
from identity.phones import make_login, take_code_lock
from kernel.access import Access
from kernel.problems import ProblemError, Refused
from qr import tokens
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    new_number,
    new_phone_number,
)

People = tuple[Doctor, Citizen, Facility]


async def sms(
    store: Store, clock: FrozenClock, doctor: Doctor, request_id: UUID
) -> tuple[CodeAsked | Refused, CodeForDelivery | None]:
    """Ask for an SMS and open what the worker would send, None when nothing may be sent."""
    try:
        async with store.transaction() as tx:
            asked = await codes.ask_code(
                tx, store.keys, doctor.actor, request_id, trace_id=steps.TRACE, now=clock.now()
            )
    except ProblemError as error:
        return error.refused, None
    if isinstance(asked, Refused):
        return asked, None
    row = await steps.row_of(store, doctor, request_id)
    send = 3 - asked.sends_left
    async with store.transaction() as tx:
        sent = await tx.fetchval(
            "SELECT event FROM outbox WHERE patient_id = $1 AND event LIKE 'consent.code-%'"
            " ORDER BY event_id DESC LIMIT 1",
            row.patient_id,
        )
        if sent != "consent.code-ready":
            await codes.forget_code(tx, row.patient_id, request_id, send)
            return asked, None
        return asked, await codes.code_for_delivery(
            tx, store.keys, row.patient_id, request_id, send, clock.now()
        )


async def test_s5_the_offline_digits_open_the_request_they_were_made_for(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen, duration_seconds=30 * 86400)
    row = await steps.row_of(store, doctor, request.request_id)
    digits = steps.offline_code(store, citizen, row, clock.now())
    clock.advance(minutes=3)  # the app had no network, the person read the digits out
    verdict = await steps.type_code(store, clock, doctor, request.request_id, digits)
    assert isinstance(verdict, CodeVerdict), verdict
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert verdict.ends_at - verdict.starts_at == timedelta(days=7)
    assert str(access.since) == "2024-11-21"


async def test_the_log_says_that_a_code_was_typed_not_that_the_doctor_allowed_it(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    digits = steps.offline_code(store, citizen, row, clock.now())
    assert isinstance(await steps.type_code(store, clock, doctor, request.request_id, digits), CodeVerdict)
    logged = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE "
    typed = await steps.count(owner, logged + "'%consent:code:accept%'", citizen.patient_id)
    allowed = await steps.count(owner, logged + "'%consent:grant:create%'", citizen.patient_id)
    assert (typed, allowed) == (1, 0)


async def test_s5_digits_for_one_request_fail_on_every_other(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    first = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, first.request_id)
    digits = steps.offline_code(store, citizen, row, clock.now())
    others = [
        (doctor, await steps.asked(store, clock, doctor, citizen)),
        (await make_doctor(store, clock, facility), None),
        (await make_doctor(store, clock, await make_facility(store, clock)), None),
    ]
    for other, made in others:
        request = made or await steps.asked(store, clock, other, citizen)
        outcome = await steps.type_code(store, clock, other, request.request_id, digits)
        assert steps.code_of(outcome) == "otp-invalid"
    stranger = others[1][0]
    assert steps.code_of(await steps.type_code(store, clock, stranger, first.request_id, digits)) == (
        "request-unknown"
    )


async def test_s5_digits_work_once_and_die_after_five_minutes(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    digits = steps.offline_code(store, citizen, row, clock.now())
    clock.advance(minutes=7)
    late = await steps.type_code(store, clock, doctor, request.request_id, digits)
    assert steps.code_of(late) == "otp-invalid"
    fresh = steps.offline_code(store, citizen, row, clock.now())
    assert isinstance(await steps.type_code(store, clock, doctor, request.request_id, fresh), CodeVerdict)
    again = await steps.type_code(store, clock, doctor, request.request_id, fresh)
    assert steps.code_of(again) == "challenge-dead"


async def test_s5_one_changed_byte_of_the_scope_changes_the_digits(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    text = canonical_text(row, nonce_at(store.keys, row.request_id, step_of(clock.now())))
    forged = text.replace(b'"duration_seconds":86400', b'"duration_seconds":86401')
    assert forged != text
    outcome = await steps.type_code(store, clock, doctor, request.request_id, citizen.phone.hotp(forged))
    assert steps.code_of(outcome) == "otp-invalid"


async def test_s5_the_scanned_code_is_checked_offline_and_a_forged_one_is_refused(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    shown = draw(store.keys, row, clock.now())
    pinned = store.keys.public_keys("qr")
    body = tokens.read_with(pinned, "doctor-request", shown.qr, clock.now())
    assert not isinstance(body, Refused)
    assert body["doctor"] == doctor.actor.name
    assert str(citizen.patient_id) not in str(body)
    forged = shown.qr[:-1] + ("0" if shown.qr[-1] != "0" else "1")
    assert isinstance(tokens.read_with(pinned, "doctor-request", forged, clock.now()), Refused)
    clock.advance(seconds=61)
    assert steps.code_of(read_scan(store.keys, shown.qr, clock.now())) == "qr-expired"


async def test_the_sms_opens_twelve_months_for_a_day(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen, duration_seconds=30 * 86400)
    clock.advance(seconds=60)
    asked, sent = await sms(store, clock, doctor, request.request_id)
    assert asked == CodeAsked(sends_left=2, resend_after_seconds=60)
    assert sent is not None
    assert sent.phone == citizen.phone_number
    assert (sent.hours, sent.scope) == (24, "tom tat 12 thang")
    verdict = await steps.type_code(store, clock, doctor, request.request_id, sent.code)
    assert isinstance(verdict, CodeVerdict)
    assert verdict.ends_at - verdict.starts_at == timedelta(hours=24)
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert str(access.since) == "2025-11-21"


async def test_the_app_comes_first_for_a_minute(store: Store, clock: FrozenClock, people: People) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    asked, sent = await sms(store, clock, doctor, request.request_id)
    assert isinstance(asked, CodeAsked)
    assert sent is None


async def test_no_sms_without_presence_and_none_to_an_unknown_person(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    for number in (citizen.number, new_number()):
        request = await steps.asked(store, clock, doctor, kind="national-id", value=number)
        clock.advance(seconds=60)
        asked, sent = await sms(store, clock, doctor, request.request_id)
        assert asked == CodeAsked(sends_left=2, resend_after_seconds=60)
        assert sent is None


async def test_a_second_sms_waits_a_minute_kills_the_first_and_the_fourth_is_refused(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, first = await sms(store, clock, doctor, request.request_id)
    assert first is not None
    clock.advance(seconds=59)
    early, _ = await sms(store, clock, doctor, request.request_id)
    assert steps.code_of(early) == "too-many"
    clock.advance(seconds=1)
    _, second = await sms(store, clock, doctor, request.request_id)
    assert second is not None
    if second.code != first.code:
        old = await steps.type_code(store, clock, doctor, request.request_id, first.code)
        assert steps.code_of(old) == "otp-invalid"
    clock.advance(seconds=60)
    _, third = await sms(store, clock, doctor, request.request_id)
    assert third is not None
    clock.advance(seconds=60)
    fourth, _ = await sms(store, clock, doctor, request.request_id)
    assert steps.code_of(fourth) == "too-many"
    assert isinstance(
        await steps.type_code(store, clock, doctor, request.request_id, third.code), CodeVerdict
    )


async def test_s31_asking_too_early_uses_up_nobodys_messages(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, sent = await sms(store, clock, doctor, request.request_id)
    assert sent is not None
    async with client_of(store, clock) as client:
        for _ in range(3):
            path = f"/v1/doctor/access-requests/{request.request_id}/sms"
            early = await client.post(path, headers=bearer(doctor.token))
            assert early.json()["code"] == "too-many"
    used = "SELECT used FROM request_quota WHERE actor_id = $1 AND kind = 'sms'"
    assert await steps.count(owner, used, facility.facility_id) == 1


async def test_s31_an_sms_that_is_not_sent_is_not_counted_against_the_facility(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, _, facility = people
    unknown = await steps.asked(store, clock, doctor, kind="national-id", value=new_number())
    clock.advance(seconds=60)
    assert (await sms(store, clock, doctor, unknown.request_id))[1] is None
    used = "SELECT coalesce(sum(used), 0) FROM request_quota WHERE actor_id = $1 AND kind = 'sms'"
    assert await steps.count(owner, used, facility.facility_id) == 0


async def test_an_sms_code_dies_after_five_minutes_and_is_erased_when_sent(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, sent = await sms(store, clock, doctor, request.request_id)
    assert sent is not None
    kept = await steps.count(
        owner,
        "SELECT count(*) FROM access_request WHERE patient_id = $1 AND code_sealed IS NOT NULL",
        citizen.patient_id,
    )
    assert kept == 0
    clock.advance(minutes=5)
    late = await steps.type_code(store, clock, doctor, request.request_id, sent.code)
    assert steps.code_of(late) == "otp-invalid"


async def test_no_sms_for_three_days_after_the_number_changed(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    async with store.transaction() as tx:
        await make_login(tx, store.keys, citizen.patient_id, new_phone_number(), clock.now())
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, sent = await sms(store, clock, doctor, request.request_id)
    assert sent is None
    row = await steps.row_of(store, doctor, request.request_id)
    digits = steps.offline_code(store, citizen, row, clock.now())
    assert isinstance(await steps.type_code(store, clock, doctor, request.request_id, digits), CodeVerdict)


async def test_s2_no_consent_code_while_a_sign_in_code_is_live(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    async with store.transaction() as tx:
        phone = await codes.login_phone(tx, store.keys, citizen.patient_id, clock.now())
        assert phone is not None
        until = clock.now() + timedelta(minutes=5)
        assert await take_code_lock(tx, phone.phone_hash, "sign-in", until, clock.now())
    _, sent = await sms(store, clock, doctor, request.request_id)
    assert sent is None


async def test_s2_a_code_that_is_not_sent_does_not_hold_back_sign_in(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock))
    cold = await steps.asked(store, clock, elsewhere, kind="national-id", value=citizen.number)
    present = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, unsent = await sms(store, clock, elsewhere, cold.request_id)
    assert unsent is None
    assert await sign_in_may_send(store, clock, citizen)
    clock.advance(minutes=5)
    _, sent = await sms(store, clock, doctor, present.request_id)
    assert sent is not None
    assert not await sign_in_may_send(store, clock, citizen)
    assert isinstance(await steps.type_code(store, clock, doctor, present.request_id, sent.code), CodeVerdict)
    assert await sign_in_may_send(store, clock, citizen)


async def sign_in_may_send(store: Store, clock: FrozenClock, citizen: Citizen) -> bool:
    async with store.transaction() as tx:
        phone = await codes.login_phone(tx, store.keys, citizen.patient_id, clock.now())
        assert phone is not None
        return await take_code_lock(
            tx, phone.phone_hash, "sign-in", clock.now() + timedelta(minutes=5), clock.now()
        )


async def test_s2_a_sign_in_code_in_the_doctors_field_is_refused_and_charged(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    outcome = await steps.type_code(store, clock, doctor, request.request_id, "KHTRWQ")
    assert isinstance(outcome, Refused)
    assert outcome.remaining == 4


async def test_a_fifth_wrong_code_kills_the_request_for_the_right_one_and_for_the_app(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    left = []
    for _ in range(5):
        outcome = await steps.type_code(store, clock, doctor, request.request_id, "00000000")
        assert isinstance(outcome, Refused)
        left.append(outcome.remaining)
    assert left == [4, 3, 2, 1, 0]
    right = steps.offline_code(store, citizen, row, clock.now())
    assert steps.code_of(await steps.type_code(store, clock, doctor, request.request_id, right)) == (
        "challenge-dead"
    )
    approved = await steps.approve(store, clock, doctor, citizen, request.request_id)
    assert steps.code_of(approved) == "challenge-dead"
    assert await refusals(owner, citizen) == 5


async def refusals(owner: Store, citizen: Citizen) -> int:
    """Audit rows of refused codes in the person's chain."""
    return await steps.count(
        owner,
        "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%consent:code:wrong%'",
        citizen.patient_id,
    )


async def test_wrong_digits_in_the_app_are_charged_too(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    for _ in range(5):
        wrong = await steps.approve(store, clock, doctor, citizen, request.request_id, secret="x")
        assert steps.code_of(wrong) == "otp-invalid"
    right = await steps.approve(store, clock, doctor, citizen, request.request_id)
    assert steps.code_of(right) == "challenge-dead"
    assert await refusals(owner, citizen) == 5


async def test_approval_without_a_transferred_secret_is_impossible(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    for tier in ("A", "B"):
        bare = await steps.approve(store, clock, doctor, citizen, request.request_id, tier=tier, secret="")
        assert steps.code_of(bare) == "otp-invalid"


async def test_fifty_wrong_codes_over_ten_doctors_turn_off_d_and_leave_a_and_b(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    await steps.granted(store, clock, doctor, citizen)
    for _ in range(10):
        colleague = await make_doctor(store, clock, facility)
        request = await steps.asked(store, clock, colleague, kind="national-id", value=citizen.number)
        for _ in range(5):
            await steps.type_code(store, clock, colleague, request.request_id, "00000000")
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, sent = await sms(store, clock, doctor, request.request_id)
    assert sent is None
    # S31: the person stands in front of the doctor, so C works as A and B do.
    row = await steps.row_of(store, doctor, request.request_id)
    digits = steps.offline_code(store, citizen, row, clock.now())
    assert isinstance(await steps.type_code(store, clock, doctor, request.request_id, digits), CodeVerdict)
    await steps.granted(store, clock, doctor, citizen)


async def test_s31_codes_typed_where_none_was_open_turn_nothing_off(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    for _ in range(10):
        stranger = await make_doctor(store, clock, await make_facility(store, clock))
        request = await steps.asked(store, clock, stranger, kind="national-id", value=citizen.number)
        for _ in range(5):
            await steps.type_code(store, clock, stranger, request.request_id, "000000")
    request = await steps.asked(store, clock, doctor, citizen)
    clock.advance(seconds=60)
    _, sent = await sms(store, clock, doctor, request.request_id)
    assert sent is not None


async def test_fifty_wrong_codes_silence_c_for_a_requester_without_presence(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen)  # the facility is warm
    clock.advance(hours=13)
    async with store.transaction() as tx:
        await set_wrong_codes(tx, citizen.patient_id, 50)
    request = await steps.asked(store, clock, doctor, kind="national-id", value=citizen.number)
    row = await steps.row_of(store, doctor, request.request_id)
    assert (row.presence, row.delivery) == (False, "ring")
    digits = steps.offline_code(store, citizen, row, clock.now())
    outcome = await steps.type_code(store, clock, doctor, request.request_id, digits)
    assert steps.code_of(outcome) == "otp-invalid"
    assert isinstance(await steps.approve(store, clock, doctor, citizen, request.request_id), Grant)


async def test_s11_every_way_of_a_wrong_signature_is_refused_and_charges_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    other = await make_citizen(store, clock)
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    good = steps.approval_for(store, citizen, row, clock.now())
    text = approval_text(citizen.actor, row, good, steps.ENVIRONMENT)

    def with_signature(**changes: str | int) -> object:
        fields = {name: getattr(good.signed, name) for name in ("nonce", "iat", "exp", "signature")}
        signed = type(good.signed)(**(fields | changes))
        names = good.__struct_fields__
        return type(good)(**({name: getattr(good, name) for name in names} | {"signed": signed}))

    raw = rfc8785.dumps(text)
    wrong = [
        with_signature(signature=""),
        with_signature(signature=citizen.phone.refresh_key.sign(raw)),
        with_signature(signature=other.phone.step_up_key.sign(raw)),
        with_signature(
            signature=citizen.phone.step_up_key.sign(rfc8785.dumps(text | {"typ": "consent-label"}))
        ),
        with_signature(exp=int(clock.now().timestamp()) - 1),
    ]
    for answer in wrong:
        outcome = await steps.send_approval(store, clock, citizen, request.request_id, answer)  # type: ignore[arg-type]
        assert steps.code_of(outcome) == "step-up-refused"
    assert (await steps.row_of(store, doctor, request.request_id)).attempts == 0
    assert isinstance(await steps.send_approval(store, clock, citizen, request.request_id, good), Grant)
    replayed = await steps.send_approval(store, clock, citizen, request.request_id, good)
    assert steps.code_of(replayed) == "request-decided"
