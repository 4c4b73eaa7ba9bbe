"""docs/capacity.md: what was measured, what is assumed, and what a place needs by both."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Final

from bench.capacity_model import MB, Assumptions, Measured, Needs, needs
from bench.morning import SHARES

WIDTH: Final = 150
DOC: Final = Path(__file__).parent.parent / "docs" / "capacity.md"
KINDS: Final = {
    "own_summary": "own summary",
    "own_summary_304": "own summary, nothing new",
    "doctor_summary": "a doctor's summary of a person",
    "inbox": "own notices",
    "latest_vitals": "own latest measurements",
    "vitals": "batch of 20 measurements",
    "check_in_desk": "check-in, code scanned at the desk",
    "check_in_poster": "check-in, poster scanned by phone",
    "consent": "consent, signed by the phone's key",
}
# So often what is assumed of requests.
TIMES: Final = (0.25, 1.0, 4.0)
_HEAD: Final = (
    "# Capacity: what a province and the country need",
    "Written by `python -m bench.capacity --write`, which measures; `--render` writes it again from"
    " `bench/capacity.json` (what was measured) and `bench/capacity.toml` (what is assumed), after a number"
    " there was changed. A test holds it to those two files.",
    "Processor time of each process and bytes are what the sizes are made of, not rates: these suffer less"
    " from what else a machine does. What a place needs is nearly in proportion to `requests_a_day`, which"
    " nobody could tell us: put your own count there first.",
)
_NOT_SAID: Final = (
    "Reminders, imports, certificates and lists are no part of the mix; `python -m bench reminders.peak"
    " ehr.import certificate.text` measures them. What of a core is left free is also for them; a country's"
    " import of old records is planned as a load of its own.",
    "The proxy's TLS, the object store and the metrics' own store are not measured.",
    "The factor of a cluster is of a trial on one machine with two workers. Before a cluster is bought, the"
    " same mix runs against one.",
    "A core here is a core of the machine that measured.",
    "A consent is measured from the request that says yes: the doctor's question before it is an act of its"
    " own. The crowd of the measurement has longer records than most people, so their summaries and the log"
    " of them are larger.",
    "Nothing is taken away before the years are over: where terms are shorter, the database is smaller.",
)


def render(measured: Measured, assumed: Assumptions) -> str:
    parts = [
        *(_wrapped(text) + "\n" for text in _HEAD),
        *_measured(measured),
        *_assumed(assumed),
        *_places(measured, assumed),
        *_otherwise(measured, assumed),
        "## What this does not say",
        *(_wrapped(f"- {text}", "  ") for text in _NOT_SAID),
    ]
    return "\n".join(parts) + "\n"


def _wrapped(text: str, then: str = "") -> str:
    return fill(text, WIDTH, subsequent_indent=then, break_long_words=False, break_on_hyphens=False)


def _measured(measured: Measured) -> list[str]:
    rows = []
    for kind, share in SHARES.items():
        cost = measured.costs[kind]
        times = (cost.api, cost.postgresql, cost.worker, cost.held)
        rows.append(
            [KINDS[kind], f"{share} %", f"{measured.rates[kind]:,.0f}"]
            + [f"{one:.1f}" for one in times]
            + [f"{cost.wal / 1000:.1f}", f"{cost.stored / 1000:.1f}"]
        )
    mean = [f"{measured.mixed(name):.1f}" for name in ("api", "postgresql", "worker", "held")]
    bytes_ = [f"{measured.mixed(name) / 1000:.1f}" for name in ("wal", "stored")]
    rows.append(["**the mix**", "100 %", f"{measured.mix:,.0f}", *mean, *bytes_])
    heads = ["operation", "share", "alone /s", "API ms", "PostgreSQL ms", "worker ms", "answer ms"]
    return [
        "## Measured",
        f"{measured.on}, {measured.rounds} rounds, {measured.machine}.",
        "",
        *_table([*heads, "WAL kB", "stored kB"], rows),
        "",
        _wrapped(_said_of_costs(measured)),
        "",
        _wrapped(
            f"Memory: an API process {measured.api_process / MB:.0f} MB, the worker"
            f" {measured.worker_process / MB:.0f} MB, a connection of PostgreSQL up to"
            f" {measured.connection / MB:.0f} MB. An entry of a record, with its past versions and indexes:"
            f" {measured.entry / 1000:.1f} kB."
        ),
        "",
    ]


def _said_of_costs(measured: Measured) -> str:
    part = measured.mix / measured.predicted
    return (
        "`API`, `PostgreSQL`, `worker`: processor time of one operation. `answer`: median at half of the"
        f" mix's rate. The mix reached {part:.2f} of the {measured.predicted:,.0f}/s that its kinds alone"
        f" predict; at half of its rate p50 is {measured.p50:.0f} ms and p99 {measured.p99:.0f} ms. The"
        f" costs, fitted to the kinds alone, foretell {measured.share_told:.2f} of the processor time that"
        " the mix took."
    )


def _assumed(assumed: Assumptions) -> list[str]:
    rows = [[f"`{name}`", f"{one.value:g}", one.unit, one.why] for name, one in assumed.assumed.items()]
    return ["## Assumed", *_table(["name", "value", "", "why"], rows), ""]


def _places(measured: Measured, assumed: Assumptions) -> list[str]:
    found = [needs(place.people, measured, assumed) for place in assumed.place]
    heads = [f"{place.name}, {place.people / 1e6:g} million" for place in assumed.place]
    rows = [[title, *(show(one) for one in found)] for title, show in _ROWS]
    return ["## Needed", *_table(["", *heads], rows), ""]


def _otherwise(measured: Measured, assumed: Assumptions) -> list[str]:
    rows = []
    for place in assumed.place:
        for times in TIMES:
            one = needs(place.people, measured, assumed, times)
            rows.append(
                [
                    place.name,
                    f"{assumed['requests_a_day'] * times:g}",
                    f"{one.rate:,.0f}",
                    f"{one.api_cores + one.worker_cores:,.1f}",
                    f"{one.postgresql_cores:,.1f}",
                    _cluster(one),
                    f"{one.database:,.1f}",
                ]
            )
    heads = ["", "requests of a person a day", "at the peak /s", "cores of API and worker", "of PostgreSQL"]
    return ["## With other counts", *_table([*heads, "database", "TB"], rows), ""]


def _cluster(one: Needs) -> str:
    return f"Citus, {one.citus} workers" if one.citus else "one machine"


_ROWS: Final = (
    ("requests/s at the peak", lambda one: f"{one.rate:,.0f}"),
    ("cores of the API", lambda one: f"{one.api_cores:,.1f}"),
    ("API processes (`WORKERS`, all machines together)", lambda one: f"{one.api_processes:,}"),
    ("machines for them, at least two", lambda one: f"{one.api_machines:,}"),
    ("memory of the API's processes, GiB", lambda one: f"{one.api_memory:,.1f}"),
    ("cores of the worker", lambda one: f"{one.worker_cores:,.1f}"),
    ("cores of PostgreSQL", lambda one: f"{one.postgresql_cores:,.1f}"),
    ("connections", lambda one: f"{one.connections:,}"),
    ("memory of the database, GiB", lambda one: f"{one.memory:,.0f}"),
    ("database after the years, TB", lambda one: f"{one.database:,.1f}"),
    ("documents after the years, TB", lambda one: f"{one.documents:,.0f}"),
    ("WAL a day, GB", lambda one: f"{one.wal:,.1f}"),
    ("backups, TB before compression", lambda one: f"{one.backups:,.1f}"),
    ("database", _cluster),
    ("decided by", lambda one: one.decides),
    ("database machines with standbys and coordinator", lambda one: f"{one.database_machines:,}"),
)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [list(heads), ["---"] + ["---:"] * (len(heads) - 1), *rows]
    if heads[2:3] == [""]:
        lines[1] = ["---", "---:", "---", "---"]
    return ["| " + " | ".join(line) + " |" for line in lines]
