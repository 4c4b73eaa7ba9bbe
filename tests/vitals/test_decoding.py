"""From bytes to a batch: both forms, gzip, and what one malformed item costs."""

import gzip
import json
import zlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kernel.problems import Refused
from tests.support.batches import batch, id_of, read, sample, series
from vitals.decoding import Decoded, decode, inflate
from vitals.wire import BYTES_MAX


def refusal(found: object) -> str:
    assert isinstance(found, Refused), found
    return found.problem.code


def rejected(found: Decoded) -> list[tuple[str, int, str]]:
    return [(one.of, one.i, one.code) for one in found.rejected]


def test_json_and_messagepack_say_the_same() -> None:
    body = batch(sample(), series=[series(1)], deleted=[{"id": id_of(2)}], streams={"hk:hr": {"cursor": "a"}})
    text = read(body)
    packed = decode(msgspec.msgpack.encode(body), "msgpack")
    assert isinstance(packed, Decoded)
    assert msgspec.structs.replace(packed, sha256=b"") == msgspec.structs.replace(text, sha256=b"")
    assert packed.sha256 != text.sha256


def test_messagepack_takes_its_own_times_and_ids() -> None:
    one = sample() | {"t": datetime(2026, 11, 21, 2, tzinfo=UTC), "id": UUID(id_of(0)).bytes}
    found = decode(msgspec.msgpack.encode(batch(one)), "msgpack")
    assert isinstance(found, Decoded)
    assert found.samples == read(batch(sample())).samples


def test_unknown_fields_are_ignored() -> None:
    found = read(
        batch(sample(mood="good"), app_version="9.1", sources=[{"app": "a", "kind": "watch", "x": 1}])
    )
    assert (len(found.samples), found.rejected) == (1, [])


MALFORMED_SAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "no value": ({"v": None}, "malformed"),
    "text for a value": ({"v": "72"}, "malformed"),
    "beyond a float": ({"v": "1e999"}, "malformed"),
    "no id of ours": ({"id": "watch-1"}, "malformed"),
    "no zone": ({"t": "2026-11-21T10:00:00"}, "tz-missing"),
    "an end without a zone": ({"end": "2026-11-21T10:00:00"}, "tz-missing"),
    "no time": ({"t": "yesterday"}, "malformed"),
    "seconds since 1970": ({"t": 1795255203}, "malformed"),
    "a version below zero": ({"ver": -1}, "malformed"),
    "a version beyond 64 bits": ({"ver": 2**63}, "malformed"),
    "a zone of no country": ({"z": 900}, "malformed"),
    "half an index": ({"s": 0.5}, "malformed"),
    "a list": ({"k": ["heart-rate"]}, "malformed"),
}


@pytest.mark.parametrize("name", MALFORMED_SAMPLES)
@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_a_malformed_item_costs_itself_alone(name: str, form: str) -> None:
    change, code = MALFORMED_SAMPLES[name]
    body = batch(sample(0), sample(1) | change, sample(2))
    if form == "json":
        found = decode(json.dumps(body).replace('"1e999"', "1e999").encode(), "json")
    else:
        found = decode(msgspec.msgpack.encode(body), "msgpack")
    assert isinstance(found, Decoded), found
    assert rejected(found) == [("samples", 1, code)]
    assert [None if one is None else str(one.id) for one in found.samples] == [id_of(0), None, id_of(2)]
    assert found.rejected[0].id == (None if name == "no id of ours" else UUID(id_of(1)))


def test_every_list_is_read_item_by_item() -> None:
    found = read(
        batch(
            sample(),
            sources=[{"app": "a", "kind": "watch"}, {"app": "b", "kind": "toaster"}],
            series=[series(1), series(2, v=["x"])],
            deleted=[{"id": id_of(3)}, {"id": 4}],
            streams={"a": {"cursor": "1"}, "b": {"cursor": 2}},
            windows=[{"stream": "a"}],
        )
    )
    assert sorted(rejected(found)) == [
        ("deleted", 1, "malformed"),
        ("series", 1, "malformed"),
        ("sources", 1, "malformed"),
        ("streams", 1, "malformed"),
        ("windows", 0, "malformed"),
    ]
    assert list(found.streams) == ["a"]


def test_text_that_no_database_holds_is_malformed() -> None:
    found = read(batch(sample(), sources=[{"app": "a\0b", "kind": "watch"}], streams={"s": {"cursor": "\0"}}))
    assert sorted(rejected(found)) == [("sources", 0, "malformed"), ("streams", 0, "malformed")]
    found = read(batch(sample(), streams={"a\0": {"cursor": "1"}}))
    assert (rejected(found), found.streams) == ([("streams", 0, "malformed")], {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"device":"a"}',
        json.dumps(batch() | {"device": "a b"}).encode(),
        json.dumps(batch() | {"seq": -1}).encode(),
        json.dumps(batch() | {"seq": 2**63}).encode(),
        json.dumps(batch() | {"sent_at": "2026-11-21T10:00:00"}).encode(),
        json.dumps(batch() | {"samples": {}}).encode(),
        json.dumps(batch(sample(v=float("nan")))).encode(),
        json.dumps(batch(sample(v=float("inf")))).encode(),
        json.dumps(batch(sample(k="\ud800"))).encode(),
        json.dumps(batch()).encode() + b"x",
        b"\xff\xfe",
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_batch_at_all_is_refused_whole(body: bytes) -> None:
    assert refusal(decode(body, "json")) == "batch-malformed"


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", b"\x81\xa1a", b'{"device":"a"}'])
def test_what_is_no_messagepack_is_refused_whole(body: bytes) -> None:
    assert refusal(decode(body, "msgpack")) == "batch-malformed"


@pytest.mark.parametrize(
    ("part", "most", "one"),
    [
        ("samples", 2_000, sample()),
        ("series", 500, series(0, [71])),
        ("deleted", 500, {"id": id_of(0)}),
        ("sources", 50, {"app": "a", "kind": "watch"}),
        ("windows", 50, {}),
    ],
)
def test_a_batch_has_so_many_items_and_no_more(part: str, most: int, one: dict[str, Any]) -> None:
    assert isinstance(decode(json.dumps(batch() | {part: [one] * most}).encode(), "json"), Decoded)
    for items in ([one] * (most + 1), [{}] * (most + 1)):
        assert refusal(decode(json.dumps(batch() | {part: items}).encode(), "json")) == "batch-too-large"


def test_series_have_so_many_points_and_no_more() -> None:
    def told(*lengths: int, **more: Any) -> Decoded | Refused:
        records = [series(i, [71] * length) for i, length in enumerate(lengths)]
        return decode(json.dumps(batch(series=records, **more)).encode(), "json")

    assert isinstance(told(30_000, 30_000), Decoded)
    for lengths in ((30_001,), (30_000, 30_000, 1)):
        assert refusal(told(*lengths)) == "batch-too-large"
        assert refusal(told(*lengths, deleted=[{}])) == "batch-too-large"


def test_streams_have_so_many_names_and_no_more() -> None:
    streams = {f"s{i}": {"cursor": ""} for i in range(101)}
    assert refusal(decode(json.dumps(batch(streams=streams)).encode(), "json")) == "batch-too-large"


def test_gzip_is_unpacked_up_to_the_limit_and_no_further() -> None:
    assert inflate(gzip.compress(b"a" * BYTES_MAX)) == b"a" * BYTES_MAX
    assert refusal(inflate(gzip.compress(b"a" * (BYTES_MAX + 1)))) == "batch-too-large"
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(b"\0" * 2**20) for _ in range(512)) + bomb.flush()
    assert len(packed) < 2**20
    assert refusal(inflate(packed)) == "batch-too-large"


def test_what_is_no_gzip_or_not_all_of_it_is_malformed() -> None:
    whole = gzip.compress(b"{}")
    for body in (b"", b"{}", whole[:-1], whole[:5], whole + b"x", whole + whole, whole[:-8] + b"\0" * 8):
        assert refusal(inflate(body)) == "batch-malformed"
