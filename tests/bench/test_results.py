"""The arithmetic of the measurements."""

import contextlib
import json
import socket
import threading
from pathlib import Path

import msgspec
import pytest

from bench.load import get, parse_head, run
from bench.results import Result, compare, table, write
from bench.vital_world import quantile, within


def judged(ours: list[float], theirs: list[float], target: float, *, at_most: bool = False) -> Result:
    return compare(
        "ehr.summary",
        ours=ours,
        against="floor",
        theirs=theirs,
        target=target,
        unit="requests/s",
        at_most=at_most,
    )


def test_the_round_with_the_median_ratio_stands_for_all() -> None:
    result = judged([60, 500, 70], [100, 1000, 100], 0.6)
    assert (result.ours, result.against_value, result.ratio, result.ok) == (60, 100, 0.6, True)


def test_a_slow_minute_does_not_move_the_ratio() -> None:
    assert judged([70, 7, 700], [100, 10, 1000], 0.6).ratio == 0.7


def test_ratio_and_values_agree() -> None:
    result = judged([61.237, 59.1, 63.9], [99.1, 97.8, 101.2], 0.6)
    assert result.ratio == pytest.approx(result.ours / result.against_value, abs=1e-3)


def test_a_miss_is_a_miss_by_a_hair() -> None:
    assert not judged([59.99], [100], 0.6).ok
    assert judged([60], [100], 0.6).ok


def test_an_upper_bound_is_judged_from_above() -> None:
    assert judged([2.9], [1], 3, at_most=True).ok
    assert not judged([3.1], [1], 3, at_most=True).ok


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [0.0])])
def test_a_failed_measurement_is_not_a_result(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match="measure"):
        judged(ours, theirs, 1)


def test_a_number_of_the_design_bounds_from_above_or_below() -> None:
    assert within("vitals.bp", [9.0, 9.9, 11.0], 10, "ms").ok
    assert not within("vitals.bp", [9.0, 10.1, 11.0], 10, "ms").ok
    assert not within("vitals.batch100", [14_000], 15_000, "samples/s", at_most=False).ok


def test_the_ninety_ninth_of_a_hundred_is_nearly_the_worst() -> None:
    assert quantile([float(one) for one in range(101)], 99) == 99


def test_the_file_has_exactly_the_agreed_keys(tmp_path: Path) -> None:
    write([judged([60], [100], 0.6)], tmp_path / "results.json")
    (line,) = json.loads((tmp_path / "results.json").read_text())
    assert set(line) == {"name", "ours", "against", "against_value", "ratio", "target", "ok", "unit"}
    assert line["name"] == "ehr.summary"
    assert msgspec.convert(line, Result).ok is True


def test_the_table_names_what_was_missed() -> None:
    text = table([judged([60], [100], 0.6), judged([10], [100], 0.6)])
    assert text.count("MISSED") == 1
    assert len(text.splitlines()) == 3


def test_a_head_states_status_and_length() -> None:
    assert parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX: y") == (200, 12)
    assert parse_head(b"HTTP/1.1 304 Not Modified\r\netag: x") == (304, 0)
    with pytest.raises(ValueError, match="Content-Length"):
        parse_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked")


def answer_forever(listener: socket.socket) -> None:
    """A server that knows one answer, in two pieces."""
    peer, _ = listener.accept()
    with peer, contextlib.suppress(ConnectionError):  # the client hangs up in the middle of an answer
        while peer.recv(4096):
            peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-")
            peer.sendall(b"length: 5\r\n\r\nhello")


def test_the_client_counts_whole_answers_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_forever, args=(listener,), daemon=True).start()
        load = run(
            listener.getsockname()[1], [get("/", {"accept": "text/plain"})], seconds=0.2, connections=1
        )
    assert load.answers[200] > 0
    assert load.body_bytes == 5 * load.answers[200]
    assert load.rate(200) > 0
    with pytest.raises(RuntimeError, match="expected only 304"):
        load.rate(304)
