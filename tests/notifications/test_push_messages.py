"""What a push is made of: for every type, platform and language the same constants, and ids."""

import json
import re
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from firebase_admin import messaging

from notifications.breaker import PAUSE_SECONDS_MAX, Breaker, retry_after_seconds
from notifications.fcm.messages import HIGH, TTL_MAX, item_of, message_of
from notifications.models import Language, NotificationType, Platform, PushMessage, PushTarget, TargetKind
from notifications.policy import COLLAPSE
from notifications.push_texts import push_text

NOW = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
TYPES: tuple[NotificationType, ...] = get_args(NotificationType)
PUSHED = [type_ for type_ in TYPES if type_ in COLLAPSE]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# What a person near a locked phone would learn from.
TELLING = re.compile(
    r"thuốc|uống|liều|khám|bệnh|viện|bác sĩ|tiêm|vắc|xét nghiệm|kết quả|HIV|tâm thần|"
    r"medicine|dose|drug|doctor|hospital|clinic|vaccin|test|result|disease",
    re.IGNORECASE,
)


def push(
    type_: NotificationType = "medicine-due",
    *,
    platform: Platform | None = None,
    kind: TargetKind = "fid",
    life: timedelta = timedelta(hours=1),
    ident: UUID | None = None,
    language: Language = "vi",
) -> PushMessage:
    return PushMessage(
        target=PushTarget(kind, "where"),
        type=type_,
        id=ident or uuid4(),
        collapse=COLLAPSE[type_],
        expires_at=NOW + life,
        platform=platform,
        language=language,
    )


def wire(message: PushMessage) -> dict[str, Any]:
    """As firebase-admin writes it, after its own checks."""
    made: dict[str, Any] = json.loads(str(message_of(message, NOW)))
    return made


def test_every_type_has_a_group_and_so_a_text_in_every_language() -> None:
    assert set(TYPES) == set(PUSHED)
    for type_ in PUSHED:
        texts = [push_text(type_, language) for language in LANGUAGES]
        assert len({text.title for text in texts}) == len(LANGUAGES)
        for text in texts:
            assert not TELLING.search(text.title + text.text), type_
            assert not re.search(r"[{}\d]", text.title + text.text), type_


@pytest.mark.parametrize("platform", [None, "android", "ios"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_pushes_of_a_type_differ_in_ids_and_time_alone(
    platform: Platform | None, language: Language
) -> None:
    def told(type_: NotificationType) -> str:
        ident = uuid4()
        text = json.dumps(wire(push(type_, platform=platform, language=language, ident=ident)))
        assert str(ident) in text
        return text.replace(str(ident), "ID")

    for type_ in PUSHED:
        assert told(type_) == told(type_)


def test_a_device_can_replace_an_earlier_copy_of_every_type() -> None:
    """apns-collapse-id holds 64 bytes."""
    for type_ in PUSHED:
        item = item_of(push(type_))
        assert item.isascii()
        assert len(item) <= 64, type_


def test_only_what_must_be_seen_at_once_wakes_a_phone() -> None:
    for type_ in PUSHED:
        told = wire(push(type_))
        high = COLLAPSE[type_] in HIGH
        assert told["android"]["priority"] == ("high" if high else "normal")
        assert told["apns"]["headers"]["apns-priority"] == ("10" if high else "5")
    assert {"consent", "alert"} == HIGH


def test_each_platform_gets_its_own_part_and_an_unknown_one_both() -> None:
    assert "apns" not in wire(push(platform="android"))
    assert "android" not in wire(push(platform="ios"))
    assert {"android", "apns"} <= set(wire(push()))


def test_a_push_lives_as_long_as_its_notice_and_never_over_28_days() -> None:
    assert wire(push(life=timedelta(minutes=15)))["android"]["ttl"] == "900s"
    assert wire(push(life=timedelta(days=90)))["android"]["ttl"] == f"{int(TTL_MAX.total_seconds())}s"
    expires = NOW + timedelta(days=90)
    long = wire(push(life=timedelta(days=90)))
    assert long["apns"]["headers"]["apns-expiration"] == str(int(expires.timestamp()))


def test_both_kinds_of_target_pass_without_the_warning_of_the_old_one() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert wire(push(kind="fid"))["fid"] == "where"
        assert wire(push(kind="fcm_token"))["token"] == "where"
        with pytest.raises(DeprecationWarning):
            messaging.Message(token="where")


def test_a_pause_is_a_number_of_seconds_and_a_day_at_most() -> None:
    assert [retry_after_seconds(text) for text in ("0", "30", "99999999")] == [0, 30, PAUSE_SECONDS_MAX]
    for broken in (None, "", "-1", "1.5", "soon", "٣", "9" * 10, "Sun, 22 Nov 2026 07:00:00 GMT"):
        assert retry_after_seconds(broken) is None


def test_a_breaker_counts_failures_one_after_the_other_and_lets_one_probe_through() -> None:
    breaker = Breaker(2, timedelta(seconds=60))
    assert not breaker.failed(NOW)
    breaker.succeeded()
    assert not breaker.failed(NOW)
    assert breaker.held(NOW) is None
    assert breaker.failed(NOW)
    held = breaker.held(NOW + timedelta(seconds=10.5))
    assert held is not None
    assert (held.retry_after_seconds, held.attempted) == (50, False)
    later = NOW + timedelta(seconds=60)
    assert breaker.held(later) is None
    assert breaker.held(later) is not None
    assert not breaker.failed(later), "an alert is raised once"
    assert breaker.held(later + timedelta(seconds=59)) is not None
    assert breaker.held(later + timedelta(seconds=60)) is None
    breaker.succeeded()
    assert breaker.held(later) is None
