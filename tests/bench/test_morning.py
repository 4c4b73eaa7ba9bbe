"""The mixed morning runs, in small, and a wrong answer ends it; of speed the measurement alone speaks."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bench import installation, morning, morning_memory, morning_world, world
from bench.morning_client import IDLE_SECONDS_MAX, Asked, Line, Run, renew
from bench.morning_phases import Bench, opened
from bench.processes import API, POSTGRESQL, WORKER, cpu_seconds, memory

RAW = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@contextmanager
def answering(answer: Callable[[int], bytes | None]) -> Iterator[int]:
    """A server that answers its n-th request with answer(n), in two pieces; None: it hangs up."""
    asked, lock = iter(range(1000)), threading.Lock()

    def serve(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            while peer.recv(4096):
                with lock:
                    said = answer(next(asked))
                if said is None:
                    return
                peer.sendall(said[:20])
                peer.sendall(said[20:])

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def test_every_request_of_a_plan_is_sent_once_and_compared() -> None:
    plan = [Asked("read", RAW, 200, b"hello")] * 50 + [Asked("act", RAW, 200)] * 50
    with answering(lambda _: GOOD) as port:
        seen = Run([Line(port) for _ in range(4)], plan, 0.0).done()
    assert [one.place for one in seen.answers] == list(range(100))
    assert all(one.is_right and one.status == 200 for one in seen.answers)
    # What is compared need not come back; what is not compared does.
    assert {one.body for one in seen.answers[:50]} == {b""}
    assert {one.body for one in seen.answers[50:]} == {b"hello"}


@pytest.mark.parametrize(
    "wrong",
    [GOOD.replace(b"hello", b"jelly"), GOOD.replace(b"200 OK", b"503 Busy"), None],
    ids=["another body", "another status", "hangs up"],
)
def test_a_wrong_answer_is_seen_and_the_others_go_on(wrong: bytes | None) -> None:
    with answering(lambda number: wrong if number == 7 else GOOD) as port:
        seen = Run([Line(port), Line(port)], [Asked("read", RAW, 200, b"hello")] * 20, 0.0).done()
    (bad,) = [one for one in seen.answers if not one.is_right]
    assert bad.status == (0 if wrong is None else int(wrong[9:12]))
    assert len(seen.answers) == 20


def test_a_connection_that_was_closed_in_the_pause_is_opened_anew() -> None:
    plan = [Asked("read", RAW, 200, b"hello")]
    with answering(lambda _: GOOD) as port:
        lines = [Line(port)]
        lines[0].socket.shutdown(socket.SHUT_RDWR)
        renew(lines)
        assert Run(lines, plan, 0.0).done().answers[0].is_right
        kept = lines[0].socket
        renew(lines)
        assert lines[0].socket is kept
        lines[0].used -= IDLE_SECONDS_MAX
        renew(lines)
        assert lines[0].socket is not kept


def test_who_waits_for_a_free_connection_waits_from_when_they_should_have_been_sent() -> None:
    """One connection, an answer of some while, and a second request that is due at once."""

    def slow(_: int) -> bytes:
        time.sleep(0.05)
        return GOOD

    with answering(slow) as port:
        seen = Run([Line(port)], [Asked("read", RAW, 200, b"hello")] * 3, 1e6).done()
    first, second, third = (one.seconds for one in seen.answers)
    assert first < second < third
    assert third >= 0.15


async def test_a_morning_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own PostgreSQL, two API processes and the worker; every answer and every row is looked at."""
    monkeypatch.setattr(world, "PEOPLE", 2)
    monkeypatch.setattr(morning_world, "CLERKS", 1)
    for name, few in {"ALONE_SECONDS": 0.0, "MIX_SECONDS": 0.2, "LEAST": 4, "WARM": 3}.items():
        monkeypatch.setattr(morning, name, few)
    every = dict.fromkeys(morning.SHARES, 2)
    monkeypatch.setattr(morning, "SHARES", {"own_summary": 70, "check_in_desk": 30})
    with installation.running(tmp_path) as place:
        async with installation.prepared(place) as store, opened(store, place) as bench:
            assert (await bench.phase(every)).counts == every
            (one,) = await morning.run_rounds(bench, 1)
            assert set(one.mix.counts) == set(one.alone) == {"own_summary", "check_in_desk"}
            assert one.predicted > 0
            assert one.mix.wal > 0
            await _parts_are_told_apart()
            await _a_wrong_answer_ends_it(bench, monkeypatch)


async def _parts_are_told_apart() -> None:
    seen = memory()
    assert [one.part for one in seen].count(API) == 2
    assert [one.part for one in seen].count(WORKER) == 1
    assert all(
        0 < one.own <= one.pss <= one.rss and one.own <= one.held <= one.rss
        for one in seen
        if one.part in (API, WORKER)
    )
    assert {API, WORKER, POSTGRESQL} <= set(cpu_seconds())


async def _a_wrong_answer_ends_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that an act should have left are missed; a body that is another one is."""
    monkeypatch.setattr("bench.morning_phases.SAMPLES", 19)
    with pytest.raises(RuntimeError, match="1 of 1 were answered wrongly"):
        await bench.phase({"vitals": 1})
    honest = bench.morning.plan

    async def false(kind: str, count: int) -> list[Asked]:
        return [Asked(one.kind, one.raw, one.status, b"{}") for one in await honest(kind, count)]

    monkeypatch.setattr(bench.morning, "plan", false)
    with pytest.raises(RuntimeError, match=r"3 of 3 were answered wrongly: \{'inbox 200': 3\}"):
        await bench.phase({"inbox": 3})


def test_growth_is_the_last_fifth_against_the_first() -> None:
    flat = morning_memory.growth(API, [100, 100, 100, 100, 300, 100, 100, 100, 101, 101])
    assert (flat.ours, flat.against_value, flat.ok) == (101, 100, True)
    assert not morning_memory.growth(API, [100.0 + one for one in range(10)]).ok
