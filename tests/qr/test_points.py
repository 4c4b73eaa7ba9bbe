"""A counter's code: for a minute on its screen, for long on paper, and never one for the other (S7)."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from kernel.problems import Refused
from qr import points, tokens
from store.keys import KeyRing
from tests.support.clock import START, FrozenClock


def code_of(result: points.Point | Refused) -> str:
    assert isinstance(result, Refused)
    return result.problem.code


def test_s7_a_screens_code_is_read_for_its_minute_and_dead_61_seconds_later(
    keys: KeyRing, clock: FrozenClock
) -> None:
    drawn = points.screen_code(keys, "01028", "A12", clock.now())
    assert drawn.expires_at <= clock.now() + timedelta(seconds=60)
    assert drawn.draw_again_at < drawn.expires_at
    found = points.read_point(keys, drawn.qr, clock.advance(seconds=59))
    assert found == points.Point(kind="counter", facility="01028", counter="A12")
    assert code_of(points.read_point(keys, drawn.qr, clock.advance(seconds=2))) == "qr-expired"


def test_s7_a_code_drawn_within_a_second_lives_no_longer_than_a_minute(keys: KeyRing) -> None:
    now = START + timedelta(microseconds=999_999)
    drawn = points.screen_code(keys, "01028", "A12", now)
    assert isinstance(points.read_point(keys, drawn.qr, now), points.Point)
    assert code_of(points.read_point(keys, drawn.qr, now + timedelta(seconds=60))) == "qr-expired"


@pytest.mark.parametrize("kind", ["counter", "citizen"])
def test_s7_no_code_that_proves_presence_is_signed_for_longer_than_a_minute(
    keys: KeyRing, kind: tokens.Kind
) -> None:
    with pytest.raises(ValueError, match="life"):
        tokens.sign(keys, kind, {}, START + timedelta(seconds=61), START)


def test_s7_a_poster_says_that_it_is_one_for_as_long_as_it_hangs(keys: KeyRing) -> None:
    drawn = points.poster_code(keys, "01028", "A12", START)
    later = START + timedelta(days=700)
    assert points.read_point(keys, drawn.qr, later) == points.Point(
        kind="poster", facility="01028", counter="A12"
    )
    assert code_of(points.read_point(keys, drawn.qr, START + points.POSTER_LIFE)) == "qr-expired"


def test_a_code_that_is_no_counters_is_of_another_kind(keys: KeyRing) -> None:
    text = tokens.sign(keys, "citizen", {}, START + timedelta(seconds=60), START)
    assert code_of(points.read_point(keys, text, START)) == "qr-wrong-kind"
    assert code_of(points.read_point(keys, "SSK1:AB", START)) == "qr-unreadable"


@pytest.mark.parametrize(
    "body",
    [{}, {"facility": "01028"}, {"facility": "01028", "counter": "A\n"}, {"facility": 1, "counter": "A"}],
)
def test_a_signed_code_of_another_shape_is_refused(keys: KeyRing, body: dict[str, object]) -> None:
    text = tokens.sign(keys, "counter", body, START + timedelta(seconds=60), START)
    assert code_of(points.read_point(keys, text, START)) == "qr-signature-invalid"


@pytest.mark.parametrize("counter", ["", "a12", "A 12", "A12\n", "A" * 21, "QUẦY1"])
def test_a_counter_without_a_public_code_has_no_picture(keys: KeyRing, counter: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        points.screen_code(keys, "01028", counter, START)


def test_the_text_of_a_counter_holds_no_id_of_ours(keys: KeyRing) -> None:
    text = points.screen_code(keys, "01028", "A12", START).qr
    payload = tokens.base45.decode(text.removeprefix(tokens.PREFIX))[: -tokens.SIGNATURE_BYTES]
    body = msgspec.json.decode(payload)["body"]
    assert body == {"facility": "01028", "counter": "A12"}
    for value in body.values():
        with pytest.raises(ValueError, match="hexadecimal"):
            UUID(value)
