"""The arithmetic of capacity: costs from phases, needs from costs; and the document is what it says."""

import msgspec
import pytest

from bench.capacity import costs_of, share_told
from bench.capacity_doc import DOC, KINDS, render
from bench.capacity_model import (
    TB,
    Assumption,
    Assumptions,
    Cost,
    Measured,
    needs,
    read_assumptions,
    read_measured,
)
from bench.morning import SHARES, Round, mixed, predicted
from bench.morning_phases import Took, joined

PEOPLE = 1_000_000
IDLE = {"api": 0.01, "postgresql": 0.02, "worker": 0.005, "wal": 100.0}
EACH = {"api": 0.004, "postgresql": 0.006, "worker": 0.001, "wal": 5000.0}


def phase(counts: dict[str, int], seconds: float, dear: float = 1.0) -> Took:
    """One that took exactly what its requests cost, `dear` times, and its idle seconds."""
    done = sum(counts.values())
    cpu = {part: IDLE[part] * seconds + EACH[part] * done * dear for part in ("api", "postgresql", "worker")}
    return Took(
        counts=counts,
        seconds=seconds,
        whole=seconds,
        waits={kind: [0.02] * count for kind, count in counts.items()},
        cpu={**cpu, "parent": 0.0},
        wal=IDLE["wal"] * seconds + EACH["wal"] * done,
        stored=3000.0 * done,
    )


def rounds(dear: float = 1.0) -> list[Round]:
    whole = mixed(200)
    return [
        Round(
            alone={kind: phase({kind: 50 + number}, 1 + number) for kind in SHARES},
            predicted=100,
            mix=phase(whole, 3, dear),
            paced=phase(whole, 6),
        )
        for number in range(3)
    ]


def measured(**changes: object) -> Measured:
    cost = Cost(api=4, postgresql=6, worker=1, wal=5000, stored=3000, held=20)
    plain = Measured(
        on="2026-01-01",
        machine="a test",
        rounds=1,
        rates=dict.fromkeys(SHARES, 100.0),
        mix=90,
        predicted=100,
        p50=20,
        p99=100,
        costs=dict.fromkeys(SHARES, cost),
        share_told=1,
        api_process=6e7,
        worker_process=4e7,
        connection=3e7,
        entry=2500,
    )
    return msgspec.structs.replace(plain, **changes)


def costing(each: float, **others: float) -> Measured:
    """Every kind costs the same, of everything as much but of what is named."""
    cost = Cost(api=each, postgresql=each, worker=each, wal=each, stored=each, held=each)
    return measured(costs=dict.fromkeys(SHARES, msgspec.structs.replace(cost, **others)))


def changed(name: str, times: float) -> Assumptions:
    assumed = read_assumptions()
    old = assumed.assumed[name]
    return msgspec.structs.replace(
        assumed, assumed=assumed.assumed | {name: Assumption(old.value * times, old.unit, old.why)}
    )


def test_the_mix_is_the_one_that_was_asked_for() -> None:
    of = {name: sum(share for kind, share in SHARES.items() if kind.startswith(name)) for name in SHARES}
    assert (of["vitals"], sum(of[one] for one in of if one.startswith("check_in")), of["consent"]) == (
        15,
        10,
        5,
    )
    assert sum(SHARES.values()) == 100
    assert set(KINDS) == set(SHARES)


def test_a_mix_holds_its_shares_and_something_of_everything() -> None:
    assert mixed(1000) == {kind: 10 * share for kind, share in SHARES.items()}
    assert min(mixed(3).values()) == 1


def test_the_prediction_adds_up_times_and_not_rates() -> None:
    assert predicted(dict.fromkeys(SHARES, 250.0)) == pytest.approx(250)
    # 85 in a hundred at 1000/s and 15 at 100/s: 0.235 seconds for a hundred.
    rates = dict.fromkeys(SHARES, 1000.0) | {"vitals": 100.0}
    assert predicted(rates) == pytest.approx(100 / (0.085 + 0.15))


def test_two_phases_make_one() -> None:
    both = joined(phase({"vitals": 10}, 1), phase({"vitals": 30}, 3))
    assert (both.counts, both.seconds, both.rate) == ({"vitals": 40}, 4, 10)
    assert len(both.waits["vitals"]) == 40


def test_a_cost_is_what_is_left_without_the_idle_seconds() -> None:
    costs = costs_of(rounds(), IDLE)
    for kind in SHARES:
        one = costs[kind]
        assert (one.api, one.postgresql, one.worker) == pytest.approx((4, 6, 1))
        assert (one.wal, one.stored, one.held) == pytest.approx((5000, 3000, 20))


@pytest.mark.parametrize("dear", [1.0, 1.25])
def test_a_mix_that_costs_more_than_its_kinds_is_told(dear: float) -> None:
    told = share_told(rounds(dear), costs_of(rounds(dear), IDLE), IDLE)
    assert (told == pytest.approx(1)) == (dear == 1)
    assert told <= 1.001


def test_needs_grow_with_people_and_requests_alike() -> None:
    assumed = read_assumptions()
    one, people, requests = (
        needs(PEOPLE, measured(), assumed),
        needs(2 * PEOPLE, measured(), assumed),
        needs(PEOPLE, measured(), assumed, times=2),
    )
    assert people.rate == requests.rate == pytest.approx(2 * one.rate)
    assert people.api_cores == requests.api_cores == pytest.approx(2 * one.api_cores)
    assert people.database > requests.database > one.database
    assert people.documents == pytest.approx(2 * one.documents)


def test_one_machine_does_until_something_is_too_much() -> None:
    assumed = read_assumptions()
    assert needs(1000, measured(), assumed).citus == 0
    # Exactly full, and a byte more.
    disk = assumed["disk"] * assumed["disk_filled"] * TB
    entries = 1000 * assumed["entries_a_year"] * assumed["years"]
    empty = measured(
        costs=dict.fromkeys(SHARES, Cost(api=0, postgresql=0, worker=0, wal=0, stored=0, held=0))
    )
    cold = changed("hot_records", 0)
    full = needs(1000, msgspec.structs.replace(empty, entry=disk / entries), cold)
    over = needs(1000, msgspec.structs.replace(empty, entry=disk / entries * 1.001), cold)
    assert (full.citus, full.database_machines) == (0, assumed["copies"])
    assert (over.citus, over.decides, over.database_machines) == (2, "disk", 3 * assumed["copies"])


def test_a_cluster_works_more_for_the_same() -> None:
    assumed = read_assumptions()
    busy = measured(
        costs=dict.fromkeys(SHARES, Cost(api=1, postgresql=900, worker=0, wal=0, stored=0, held=1))
    )
    one = needs(PEOPLE, busy, assumed)
    assert one.decides == "cores"
    assert one.citus * assumed["cores"] >= one.postgresql_cores > (one.citus - 1) * assumed["cores"]
    plain = needs(PEOPLE, busy, changed("clustered", 1 / assumed["clustered"]))
    assert one.postgresql_cores == pytest.approx(plain.postgresql_cores * assumed["clustered"])


@pytest.mark.parametrize("name", read_assumptions().assumed)
def test_every_assumption_counts(name: str) -> None:
    """One that changes nothing misleads whoever sets it."""
    heavy = measured(
        costs=dict.fromkeys(SHARES, Cost(api=9, postgresql=99, worker=9, wal=9, stored=9e3, held=99))
    )
    plain = needs(100 * PEOPLE, heavy, read_assumptions())
    assert any(needs(100 * PEOPLE, heavy, changed(name, times)) != plain for times in (0.01, 100))


def test_every_assumption_says_why() -> None:
    assumed = read_assumptions()
    assert [(place.name, place.people) for place in assumed.place] == [
        ("Province", 1_800_000),
        ("Country", 100_000_000),
    ]
    for name, one in assumed.assumed.items():
        assert one.value > 0, name
        assert one.unit, name
        assert one.why.endswith("."), name


def test_the_document_is_what_was_measured_and_assumed() -> None:
    assert DOC.read_text() == render(read_measured(), read_assumptions())
