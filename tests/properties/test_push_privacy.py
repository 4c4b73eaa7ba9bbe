"""For every type and record: no word of it in what a provider gets, nor in the logs (notifications.md §6)."""

import json
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from firebase_admin import messaging
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from healthbook.drains import Drain
from kernel.ids import bucket_of
from kernel.text import fold
from notifications.delivery import Senders
from notifications.fcm.messages import message_of
from notifications.models import (
    NotificationType,
    Outcome,
    PushMessage,
    PushTarget,
    SmsCode,
    SmsContact,
    SmsDeath,
    SmsEmergency,
    SmsMessage,
    SmsPhoneChanged,
    SmsSecurity,
    SmsSignIn,
    SmsUrgent,
    TypedSms,
)
from notifications.policy import COLLAPSE, SMS_ONLY
from notifications.service import notify, set_push_target
from notifications.sms import HOTLINE, plain, sms_text
from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.fcm_client import patched
from tests.support.fcm_server import FcmServer, running_fcm
from tests.support.medicines import medicine
from tests.support.people import Citizen, make_citizen
from tests.support.record import write

FULL = os.environ.get("HEALTHBOOK_COUNTS") == "full"
PUSHED: Final = [type_ for type_ in get_args(NotificationType) if type_ not in SMS_ONLY]
LANGUAGES: Final = ("vi", "en")
PLATFORMS: Final = ("android", "ios", None)
# Every SMS with the fields that it may have; the words of a person stand in these alone.
SMS_FIELDS: Final[dict[str, set[str]]] = {
    "consent-code": {"code", "practitioner", "facility_short", "scope", "hours"},
    "sign-in-code": {"code", "purpose"},
    "contact-named": {"code"},
    "emergency-contact-told": {"person", "place"},
    "death-reported": set(),
    "phone-changed": set(),
    "security": set(),
    "urgent": set(),
}


@dataclass(frozen=True)
class Record:
    """The words of one person's book, none of which any constant of ours holds."""

    name: str
    facility: str
    practitioner: str
    medicine: str
    diagnosis: str
    advice: str

    def words(self) -> list[str]:
        return [self.name, self.facility, self.practitioner, self.medicine, self.diagnosis, self.advice]


# Letters of which no constant has six in a row; every value ends in such a word.
_word = st.text("ăâđêôơưwxzkqj", min_size=6, max_size=12)


def _said(*begin: str) -> st.SearchStrategy[str]:
    return st.builds("{} {}".format, st.sampled_from(begin), _word)


records = st.builds(
    Record,
    name=_said("Trần Thị", "Đặng Văn", "Sùng A", "H'Bia"),
    facility=_said("Bệnh viện", "Trạm y tế", "Phòng khám"),
    practitioner=_said("BS", "Nguyễn Thị"),
    medicine=_said("Amlodipin 5 mg", "Thuốc", "Viên"),
    diagnosis=_said("Tăng huyết áp", "I10", "Nhiễm HIV"),
    advice=_said("Ăn nhạt,", "Tái khám", "Uống 2 viên"),
)


@dataclass(frozen=True)
class Device:
    """A phone. word: how the push service answers for it, so that errors are logged too."""

    word: str
    kind: Literal["fid", "fcm_token"]
    platform: str | None
    language: str


devices = st.builds(
    Device,
    word=st.sampled_from(["ok", "odd", "badreq"]),
    kind=st.sampled_from(["fid", "fcm_token"]),
    platform=st.sampled_from(PLATFORMS),
    language=st.sampled_from(LANGUAGES),
)


def spellings(texts: Iterable[str]) -> set[str]:
    """Each text and each of its rare words, with and without tone marks, as bytes of JSON too."""
    parts = {part for text in texts for part in (text, text.rpartition(" ")[2])}
    found = {spelt for part in parts for spelt in (part.lower(), fold(part), plain(part).lower())}
    return found | {json.dumps(one).strip('"') for one in found} | {one.encode().hex() for one in found}


def hits(texts: Iterable[str], where: str) -> list[str]:
    seen = where.lower()
    return sorted(one for one in spellings(texts) if one in seen)


class Gateway:
    """An SMS provider: what reached it, number and text."""

    def __init__(self) -> None:
        self.got: list[tuple[TypedSms, str, str]] = []

    async def send(self, message: SmsMessage) -> Outcome:
        self.got.append((message.sms, message.phone, sms_text(message.sms, HOTLINE)))
        return Outcome(status="sent", message_id="m")


def typed(record: Record) -> list[TypedSms]:
    """Every SMS that there is, with this record's words wherever one has room for any."""
    return [
        SmsCode(
            code="482913",
            practitioner=record.practitioner,
            facility_short=record.facility,
            scope="tom tat 12 thang",
            hours=24,
        ),
        SmsSignIn(code="KMNPQR"),
        SmsContact(code="482914"),
        SmsEmergency(person=record.name, place=record.facility),
        SmsDeath(),
        SmsSecurity(),
        SmsUrgent(),
        SmsPhoneChanged(),
    ]


def may_say(sms: TypedSms) -> set[str]:
    """The words that this SMS is there to say."""
    said = {str(value) for value in msgspec.to_builtins(sms).values()}
    return spellings(said) | spellings(plain(one) for one in said)


@pytest.fixture(scope="module")
def fcm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_fcm(tmp_path_factory.mktemp("fcm")) as server:
        yield server


@dataclass
class Wire:
    store: Store
    owner: Store
    fcm: FcmServer
    gateway: Gateway
    drain: Drain
    clock: FrozenClock


@pytest.fixture(scope="module")
async def wire(
    store: Store, owner: Store, delivery: Store, fcm: FcmServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Wire]:
    clock, gateway = FrozenClock(START), Gateway()
    async with patched(fcm, tmp_path_factory.mktemp("account"), 5.0, clock) as sender:
        drain = Drain(delivery, Senders(sender, gateway), clock)
        yield Wire(store, owner, fcm, gateway, drain, clock)


def target_of(device: Device) -> str:
    return f"{device.word}-of-the-phone"


async def a_person(wire: Wire, record: Record, device: Device) -> Citizen:
    """Somebody of that name with that record and a phone."""
    citizen = await make_citizen(wire.store, wire.clock, name=record.name)
    bodies = [
        medicine("m1", record.medicine, dosageInstruction=[{"text": record.advice}]),
        {
            "resourceType": "Condition",
            "id": "c1",
            "code": {"text": record.diagnosis},
            "onsetDateTime": "2026-11-20",
        },
    ]
    await write(wire.store, citizen.patient_id, bodies, wire.clock.now())
    async with wire.store.transaction() as tx:
        now = wire.clock.now()
        target = target_of(device)
        assert await set_push_target(tx, wire.store.keys, citizen.actor, device.kind, target, now) is None
    async with wire.owner.transaction() as tx:
        await tx.execute(
            "UPDATE push_target SET platform = $2, language = $3 WHERE patient_id = $1",
            citizen.patient_id,
            device.platform,
            device.language,
        )
    return citizen


async def say_everything(wire: Wire, citizen: Citizen, record: Record) -> None:
    """A notice of every type, as careless as a caller could be: with the record's words among its ids."""
    now = wire.clock.now()
    until, ref = now + timedelta(hours=1), {f"w{n}": word for n, word in enumerate(record.words())}
    async with wire.store.transaction() as tx:
        for type_ in PUSHED:
            key = f"{type_}:{record.diagnosis}"
            await notify(tx, wire.store.keys, citizen.patient_id, type_, key, now, until, ref=ref)
        for number, sms in enumerate(typed(record)):
            key, phone = f"sms:{number}", citizen.phone_number
            await notify(
                tx,
                wire.store.keys,
                citizen.patient_id,
                "consent-code",
                key,
                now,
                until,
                ref=ref,
                sms=sms,
                phone=phone,
            )


async def drain(wire: Wire, citizen: Citizen) -> None:
    while await wire.drain.drain([bucket_of(citizen.patient_id)]):
        pass


# Not made smaller when it fails: each try is a person, a hundred notices and a provider.
@settings(max_examples=100 if FULL else 4, deadline=None, phases=(Phase.generate,))
@given(record=records, device=devices)
async def test_no_word_of_a_record_is_in_any_push_or_sms_or_log(
    wire: Wire, record: Record, device: Device
) -> None:
    wire.fcm.asked.clear()
    wire.gateway.got.clear()
    with capture_logs() as logs:
        citizen = await a_person(wire, record, device)
        await say_everything(wire, citizen, record)
        await drain(wire, citizen)
    assert {message["data"]["type"] for message in wire.fcm.asked} == set(PUSHED)
    secrets = [*record.words(), citizen.number, citizen.phone_number, citizen.phone_number[3:]]
    assert hits(secrets, json.dumps(wire.fcm.asked, ensure_ascii=False)) == []
    assert len(wire.gateway.got) == len(typed(record))
    for sms, phone, text in wire.gateway.got:
        assert phone == citizen.phone_number
        # A drawn word may stand in two fields: the end of the place's name is then a medicine's too.
        rest = text.lower()
        for said in sorted((one for one in may_say(sms) if " " in one), key=len, reverse=True):
            rest = rest.replace(said, "|")
        assert hits(secrets, rest) == []
    assert hits([*secrets, target_of(device), "482913", "KMNPQR"], str(logs)) == []


@given(
    type_=st.sampled_from(PUSHED),
    language=st.sampled_from(LANGUAGES),
    platform=st.sampled_from(PLATFORMS),
    ids=st.tuples(st.uuids(), st.uuids()),
    lives=st.tuples(st.integers(1, 10**7), st.integers(1, 10**7)),
)
def test_a_push_says_the_same_to_everybody_but_id_and_end(
    type_: Any, language: Any, platform: Any, ids: tuple[UUID, UUID], lives: tuple[int, int]
) -> None:
    """Type, language and platform alone decide what leaves; the rest is the item's id and when it ends."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    first, second = (
        PushMessage(
            target=PushTarget("fid", "somebody"),
            type=type_,
            id=id_,
            collapse=COLLAPSE[type_],
            expires_at=now + timedelta(seconds=life),
            platform=platform,
            language=language,
        )
        for id_, life in zip(ids, lives, strict=True)
    )
    assert masked(first, now) == masked(second, now)


def masked(push: PushMessage, now: datetime) -> dict[str, Any]:
    """The body of a push on the wire, its id and end taken out."""
    encoded = messaging._MessagingService.encode_message(message_of(push, now))
    body: dict[str, Any] = json.loads(json.dumps(encoded).replace(str(push.id), "ID"))
    body.get("android", {}).pop("ttl", None)
    body.get("apns", {}).get("headers", {}).pop("apns-expiration", None)
    return body


def leaves(hint: Any) -> set[Any]:
    """The plain types of an annotation, with unions opened."""
    if get_origin(hint) in (Union, UnionType):
        return {leaf for part in get_args(hint) for leaf in leaves(part)}
    return {"a closed list of words"} if get_origin(hint) is Literal else {hint}


def test_a_push_has_no_field_that_could_hold_a_word() -> None:
    held = {leaf for hint in get_type_hints(PushMessage).values() for leaf in leaves(hint)}
    assert held == {"a closed list of words", PushTarget, UUID, datetime, NoneType}


def test_no_sms_has_a_field_but_the_listed_ones() -> None:
    found = {
        one.__struct_config__.tag: {field.name for field in msgspec.structs.fields(one)}
        for one in get_args(TypedSms)
    }
    assert found == SMS_FIELDS
