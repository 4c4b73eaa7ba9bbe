"""The one contract of the port SmsSender: recording, and the HTTP gateway with JSON and with a form."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import SystemClock
from notifications.models import Outcome, SmsCode, SmsDeath, SmsMessage, SmsSecurity, SmsSignIn, TypedSms
from notifications.ports import RecordingSmsSender, SmsSender
from notifications.sms import HOTLINE, sms_text
from notifications.sms_gateway import FAILURES_MAX, SHUT_FOR, Gateway, HttpSmsGateway
from notifications.sms_signature import SECONDS_MAX, is_signed, signature
from notifications.sms_template import TEMPLATE, Template, TemplateError, at_path, read_template
from tests.support.clock import FrozenClock
from tests.support.sms_server import SECRET, TOKEN, SmsServer, report_header, running_sms

PHONE = "+84903111222"
DEADLINE = 0.3
FORM = '{"Phone": "{phone_digits}", "Content": "{text}", "RequestId": "SSK-{reference}", "Brand": "SSK"}'
CODE = SmsCode(code="482913", practitioner="BS An", facility_short="BV Dong Da", scope="tom tat", hours=24)


def message(sms: TypedSms = CODE, ident: UUID | None = None) -> SmsMessage:
    return SmsMessage(phone=PHONE, bucket=7, id=ident or uuid4(), sms=sms)


def gateway_at(url: str, template: str = TEMPLATE, format_: Any = "json", **more: str) -> Gateway:
    given = {"secret": SECRET, "id_at": "data.0.id"} | more
    return Gateway(url=url, template=read_template(template, format_), **given)


@dataclass
class Place:
    sender: SmsSender
    server: SmsServer | None


@pytest.fixture(scope="module")
def server() -> Iterator[SmsServer]:
    with running_sms() as running:
        yield running


@pytest.fixture(params=["recording", "json", "form"])
async def place(request: pytest.FixtureRequest, server: SmsServer) -> AsyncIterator[Place]:
    server.fresh()
    if request.param == "recording":
        yield Place(RecordingSmsSender(), None)
        return
    gateway = (
        gateway_at(server.url)
        if request.param == "json"
        else gateway_at(server.url, FORM, "form", secret="", token=TOKEN, accepted="code=0")
    )
    async with HttpSmsGateway(gateway, SystemClock(), HOTLINE) as sender:
        yield Place(sender, server)


@pytest.fixture
async def local(server: SmsServer, clock: FrozenClock) -> AsyncIterator[tuple[SmsSender, SmsServer]]:
    """A sender under a clock that stands."""
    server.fresh()
    async with HttpSmsGateway(gateway_at(server.url), clock, HOTLINE) as sender:
        yield sender, server


# Every sender.


@pytest.mark.parametrize("sms", [CODE, SmsSignIn(code="QXWRTB"), SmsDeath(), SmsSecurity()])
async def test_each_kind_of_sms_is_sent_and_has_an_id(place: Place, sms: TypedSms) -> None:
    outcome = await place.sender.send(message(sms))
    assert outcome.status == "sent"
    assert outcome.message_id
    assert not outcome.error_code
    assert not outcome.target_dead
    if place.server is not None:
        (asked,) = place.server.asked
        assert sms_text(sms, HOTLINE) in asked.values()


async def test_many_leave_at_once_and_each_has_its_own_outcome(place: Place) -> None:
    outcomes = await asyncio.gather(*(place.sender.send(message()) for _ in range(50)))
    assert {one.status for one in outcomes} == {"sent"}
    if place.server is not None:
        assert len({one.message_id for one in outcomes}) == 50
        assert set(place.server.accepted.values()) == {1}


# The gateway.


async def test_the_request_is_the_template_filled_in_and_signed(server: SmsServer) -> None:
    server.fresh()
    one = message()
    async with HttpSmsGateway(gateway_at(server.url), SystemClock(), HOTLINE) as sender:
        await sender.send(one)
    assert server.asked == [{"to": PHONE, "text": sms_text(CODE, HOTLINE), "reference": f"07{one.id.hex}"}]
    assert server.headers[0]["idempotency-key"] == f"07{one.id.hex}"
    assert len(one.reference) == 34
    server.fresh()
    form = gateway_at(server.url, FORM, "form")
    async with HttpSmsGateway(form, SystemClock(), HOTLINE) as sender:
        await sender.send(one)
    assert server.asked == [
        {
            "Phone": "84903111222",
            "Content": sms_text(CODE, HOTLINE),
            "RequestId": f"SSK-{one.reference}",
            "Brand": "SSK",
        }
    ]


async def test_a_repeat_after_a_lost_answer_is_dropped_by_the_gateway_and_counts_as_sent(
    local: tuple[SmsSender, SmsServer],
) -> None:
    sender, server = local
    one = message()
    server.cut = True
    assert (await sender.send(one)).status == "unknown"
    server.cut = False
    assert await sender.send(one) == Outcome(status="sent", error_code="repeated")
    assert len({headers["idempotency-key"] for headers in server.headers}) == 1


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (201, {}, Outcome(status="sent")),
        (429, {"Retry-After": "17"}, Outcome(status="retry", error_code="busy", retry_after_seconds=17)),
        (503, {"Retry-After": "soon"}, Outcome(status="retry", error_code="busy")),
        (400, {}, Outcome(status="failed", error_code="invalid-message")),
        (422, {}, Outcome(status="failed", error_code="invalid-message")),
        (401, {}, Outcome(status="retry", error_code="refused")),
        (403, {}, Outcome(status="retry", error_code="refused")),
        (500, {}, Outcome(status="unknown", error_code="broken")),
        (502, {}, Outcome(status="unknown", error_code="broken")),
    ],
)
async def test_each_answer_is_its_own_outcome(
    local: tuple[SmsSender, SmsServer], status: int, headers: dict[str, str], outcome: Outcome
) -> None:
    sender, server = local
    server.status, server.more = status, headers
    assert await sender.send(message()) == outcome


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(local: tuple[SmsSender, SmsServer], status: int) -> None:
    sender, server = local
    server.status, server.more = status, {"Location": server.url}
    assert await sender.send(message()) == Outcome(status="retry", error_code="refused")
    assert len(server.asked) == 1


async def test_a_yes_that_is_no_yes_goes_again(server: SmsServer) -> None:
    server.fresh()
    gateway = gateway_at(server.url, accepted="code=100")
    async with HttpSmsGateway(gateway, SystemClock(), HOTLINE) as sender:
        assert await sender.send(message()) == Outcome(status="retry", error_code="not-accepted")
        server.status = 200
        for body in (b"", b"<html>", b"[]", b'{"code": [100]}', b'{"code": true}', b"x" * 200_000):
            server.body = body
            assert (await sender.send(message())).error_code == "not-accepted"
        server.body = b'{"code": "100"}'
        assert (await sender.send(message())).status == "sent"


async def test_a_yes_of_json_is_the_word_true(server: SmsServer) -> None:
    """Without it a gateway that took the message is asked again and again."""
    server.fresh()
    server.status = 200
    async with HttpSmsGateway(
        gateway_at(server.url, accepted="done.ok=true"), SystemClock(), HOTLINE
    ) as sender:
        server.body = b'{"done": {"ok": true}}'
        assert (await sender.send(message())).status == "sent"
        server.body = b'{"done": {"ok": false}}'
        assert (await sender.send(message())).error_code == "not-accepted"


async def test_an_answer_that_never_comes_is_unknown_at_the_deadline(
    server: SmsServer, clock: FrozenClock
) -> None:
    server.fresh()
    async with HttpSmsGateway(gateway_at(server.url), clock, HOTLINE, DEADLINE) as sender:
        server.held.clear()
        assert await sender.send(message()) == Outcome(status="unknown", error_code="timeout")
    server.held.set()


async def test_a_gateway_that_does_not_know_us_gets_nothing_and_is_named(
    server: SmsServer, clock: FrozenClock
) -> None:
    server.fresh()
    stranger = gateway_at(server.url, secret="another-secret-of-thirty-two-letters")
    async with HttpSmsGateway(stranger, clock, HOTLINE) as sender:
        with structlog.testing.capture_logs() as logs:
            outcomes = [await sender.send(message()) for _ in range(FAILURES_MAX + 3)]
    assert [one.error_code for one in outcomes] == ["refused"] * FAILURES_MAX + ["breaker"] * 3
    assert (server.strangers, server.asked) == (FAILURES_MAX, [])
    assert [(line["event"], line["alert"]) for line in logs] == [("sms_gateway_shut", True)]
    assert PHONE not in str(logs)
    assert CODE.code not in str(logs)


async def test_the_breaker_leaves_a_broken_gateway_alone_and_a_probe_opens_it(
    local: tuple[SmsSender, SmsServer], clock: FrozenClock
) -> None:
    sender, server = local
    server.status = 500
    for _ in range(FAILURES_MAX):
        assert (await sender.send(message())).attempted
    held = await sender.send(message())
    assert held == Outcome(status="retry", error_code="breaker", retry_after_seconds=30, attempted=False)
    clock.advance(seconds=SHUT_FOR.total_seconds())
    assert (await sender.send(message())).error_code == "broken"
    assert (await sender.send(message())).error_code == "breaker"
    server.status = None
    clock.advance(seconds=SHUT_FOR.total_seconds())
    outcomes = [await sender.send(message()) for _ in range(3)]
    assert {one.status for one in outcomes} == {"sent"}


async def test_numbers_that_it_refuses_shut_no_gateway(local: tuple[SmsSender, SmsServer]) -> None:
    sender, server = local
    server.status = 422
    outcomes = [await sender.send(message()) for _ in range(3 * FAILURES_MAX)]
    assert {one.error_code for one in outcomes} == {"invalid-message"}


async def test_nobody_at_the_address_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        nobody.close()
        async with HttpSmsGateway(gateway_at(url), SystemClock(), HOTLINE) as sender:
            assert await sender.send(message()) == Outcome(status="retry", error_code="unreachable")


# Templates and signatures.


@given(st.text(max_size=60), st.from_regex(r"\+84[0-9]{9}", fullmatch=True))
def test_no_text_becomes_a_field_or_a_placeholder(text: str, phone: str) -> None:
    for nasty in (text, '{phone}", "to": "+1', "{reference}&to=+1"):
        filled = json.loads(read_template(TEMPLATE, "json").body(phone=phone, text=nasty, reference="r"))
        assert filled == {"to": phone, "text": nasty, "reference": "r"}
        form = read_template(FORM, "form").body(phone=phone, text=nasty, reference="r").decode()
        assert dict(parse_qsl(form, keep_blank_values=True))["Content"] == nasty
        assert len(parse_qsl(form, keep_blank_values=True)) == 4


def test_a_template_may_nest_and_hold_numbers() -> None:
    template = read_template(
        '{"messages": [{"to": "{phone}", "body": "{text}"}], "flash": false, "n": 1}', "json"
    )
    assert isinstance(template, Template)
    assert template.body(phone=PHONE, text="t", reference="r") == (
        b'{"messages":[{"to":"+84903111222","body":"t"}],"flash":false,"n":1}'
    )
    with pytest.raises(TemplateError, match="unknown: name"):
        read_template('{"to": "{phone}", "text": "{text} {name}"}', "json")


def test_a_path_reads_texts_and_numbers_alone() -> None:
    said = {"a": [{"id": 7}, {"id": "x"}], "b": True, "c": {"d": None}}
    assert [at_path(said, path) for path in ("a.0.id", "a.1.id")] == ["7", "x"]
    assert [at_path(said, path) for path in ("a", "a.2.id", "a.x", "b", "c.d", "c.e", "")] == [None] * 7


def test_a_signature_is_for_its_body_its_purpose_and_its_minutes() -> None:
    now = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    header = report_header(b"body", now.timestamp())
    assert header == signature(SECRET, "report", b"body", now)
    assert is_signed(SECRET, "report", b"body", header, now)
    for secret, purpose, body, at in (
        ("other", "report", b"body", now),
        ("", "report", b"body", now),
        (SECRET, "send", b"body", now),
        (SECRET, "report", b"bodz", now),
        (SECRET, "report", b"body", now + timedelta(seconds=SECONDS_MAX + 1)),
        (SECRET, "report", b"body", now - timedelta(seconds=SECONDS_MAX + 1)),
    ):
        assert not is_signed(secret, purpose, body, header, at)  # type: ignore[arg-type]
    for broken in ("", "t=1", "v1=" + "0" * 64, header.upper(), header + " ", "t=,v1=" + "0" * 64):
        assert not is_signed(SECRET, "report", b"body", broken, now)
