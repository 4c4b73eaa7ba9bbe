"""morning.*: what a morning asks for all at once, over HTTP from the served program with two API workers and
its worker: 70 % reads, 15 % batches of measurements, 10 % check-ins, 5 % consents.

    mix         requests/s against the rate that the kinds alone predict, in turns in the same round
    p99         milliseconds against the median, while as much is asked as is answered
    p99_paced   the same at half of that rate, each request at its time

Prediction: a request of kind k costs 1 ÷ rate(k) of the machine, so a mix with shares s(k) does
1 ÷ Σ s(k) ÷ rate(k). Client, API and PostgreSQL share the machine; alone and mixed are asked by the same
client over the same open connections, as many of them, of the same service and database: they share it alike.
Memory over minutes of the same mix: morning_memory.py.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench import installation
from bench.morning_phases import Bench, Took, joined, opened
from bench.results import Result, compare
from bench.vital_world import IS_FEW
from healthbook.wiring import Place

MIX: Final = "morning.mix"
P99: Final = "morning.p99"
PACED: Final = "morning.p99_paced"
NAMES: Final = (MIX, P99, PACED)
# Hundredths. Reads are 70 of them; what is read, and desks to posters, is ours: no source has such a count.
SHARES: Final = {
    "own_summary": 20,
    "own_summary_304": 15,
    "doctor_summary": 15,
    "inbox": 10,
    "latest_vitals": 10,
    "vitals": 15,
    "check_in_desk": 7,
    "check_in_poster": 3,
    "consent": 5,
}
TARGET: Final = 0.8
TIMES: Final = 10.0
ROUNDS: Final = 1 if IS_FEW else 5
ALONE_SECONDS: Final = 0.1 if IS_FEW else 1.0
MIX_SECONDS: Final = 0.5 if IS_FEW else 4.0
LEAST: Final = 20
WARM: Final = 20 if IS_FEW else 80
# At this part of the rate that is reached, what waits is what is slow and not what stands in line.
PACE: Final = 0.5


class Round(Struct, frozen=True, kw_only=True):
    """What one round saw. predicted: requests/s."""

    alone: dict[str, Took]
    predicted: float
    mix: Took
    paced: Took


def measure(directory: Path) -> list[Result]:
    """The lines of NAMES, over an installation of its own. Raises RuntimeError where an answer was wrong."""
    with installation.running(directory) as place:
        rounds = asyncio.run(_measure(place))
    speed = compare(
        MIX,
        ours=[one.mix.rate for one in rounds],
        against="its kinds alone",
        theirs=[one.predicted for one in rounds],
        target=TARGET,
        unit="requests/s",
    )
    return [
        speed,
        _waiting(P99, [one.mix for one in rounds]),
        _waiting(PACED, [one.paced for one in rounds]),
    ]


async def _measure(place: Place) -> list[Round]:
    async with installation.prepared(place) as store, opened(store, place) as bench:
        return await run_rounds(bench, ROUNDS)


async def run_rounds(bench: Bench, count: int) -> list[Round]:
    """The mix, and the mix at its pace; before the first and after each of them every kind alone. A round's
    kinds alone are those on both sides of it, so that a machine which grows busier bears on both alike."""
    rates = {kind: (await bench.phase({kind: WARM})).rate for kind in SHARES}
    before, rounds = await _alone(bench, rates), list[Round]()
    for _ in range(count):
        expected = predicted({kind: took.rate for kind, took in before.items()})
        mix = await bench.phase(mixed(expected * MIX_SECONDS))
        after = await _alone(bench, {kind: took.rate for kind, took in before.items()})
        paced = await bench.phase(mixed(mix.rate * PACE * MIX_SECONDS), mix.rate * PACE)
        alone = {kind: joined(before[kind], after[kind]) for kind in SHARES}
        expected = predicted({kind: took.rate for kind, took in alone.items()})
        rounds.append(Round(alone=alone, predicted=expected, mix=mix, paced=paced))
        before = after
    return rounds


async def _alone(bench: Bench, rates: Mapping[str, float]) -> dict[str, Took]:
    return {
        kind: await bench.phase({kind: max(LEAST, int(rate * ALONE_SECONDS))}) for kind, rate in rates.items()
    }


def predicted(rates: Mapping[str, float]) -> float:
    """Requests/s of the mix if each costs what it costs alone."""
    return sum(SHARES.values()) / sum(share / rates[kind] for kind, share in SHARES.items())


def mixed(requests: float) -> dict[str, int]:
    """About that many requests in their shares, at least one of each kind."""
    return {kind: max(1, round(requests * share / 100)) for kind, share in SHARES.items()}


def _waiting(name: str, phases: list[Took]) -> Result:
    return compare(
        name,
        ours=[one.percentile(99) for one in phases],
        against="p50",
        theirs=[one.percentile(50) for one in phases],
        target=TIMES,
        unit="ms",
        at_most=True,
    )
