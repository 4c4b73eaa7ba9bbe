"""How much a place needs, from what was measured (capacity.json) and what is assumed (capacity.toml)."""

import tomllib
from math import ceil
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench.morning import SHARES

ASSUMPTIONS: Final = Path(__file__).parent / "capacity.toml"
MEASURED: Final = Path(__file__).parent / "capacity.json"
DAY, YEAR = 86_400, 365
GIB, TB, MB = 2**30, 1e12, 1e6


class Cost(Struct, frozen=True, kw_only=True):
    """Of one operation. api, postgresql, worker: milliseconds of a core. wal, stored: bytes. held:
    milliseconds that it takes while little is asked, for which it may hold a connection."""

    api: float
    postgresql: float
    worker: float
    wal: float
    stored: float
    held: float


class Measured(Struct, frozen=True, kw_only=True):
    """One run of capacity.py. rates: requests/s of each kind alone; mix, predicted: of the mix. p50, p99: its
    milliseconds at half of its rate. share_told: what the costs foretell of the processor time that the
    mix took, from the kinds alone. api_process, worker_process, connection: bytes of memory. entry: bytes
    of a record's entry with its indexes."""

    on: str
    machine: str
    rounds: int
    rates: dict[str, float]
    mix: float
    predicted: float
    p50: float
    p99: float
    costs: dict[str, Cost]
    share_told: float
    api_process: float
    worker_process: float
    connection: float
    entry: float

    def mixed(self, name: str) -> float:
        """A cost of the mean operation of the mix."""
        return sum(share * getattr(self.costs[kind], name) for kind, share in SHARES.items()) / 100


class Assumption(Struct, frozen=True):
    value: float
    unit: str
    why: str


class PlaceNamed(Struct, frozen=True):
    name: str
    people: int


class Assumptions(Struct, frozen=True):
    place: list[PlaceNamed]
    assumed: dict[str, Assumption]

    def __getitem__(self, name: str) -> float:
        return self.assumed[name].value


class Needs(Struct, frozen=True, kw_only=True):
    """rate: requests/s at the peak. Cores: of the API, the worker, PostgreSQL. api_memory, memory: GiB of the
    API's and of PostgreSQL's machines. database: TB after the years; wal: GB a day; backups, documents: TB.
    citus: workers of a cluster without their standbys, 0 where one machine does; decides: what they are so
    many for; database_machines: with standbys and, of a cluster, the coordinator."""

    rate: float
    api_cores: float
    api_processes: int
    api_machines: int
    api_memory: float
    worker_cores: float
    postgresql_cores: float
    connections: int
    memory: float
    database: float
    wal: float
    backups: float
    documents: float
    citus: int
    decides: str
    database_machines: int


class Machines(Struct, frozen=True):
    """What a database wants in all: cores, GiB of memory, bytes of disk."""

    cores: float
    memory: float
    database: float


def read_assumptions() -> Assumptions:
    return msgspec.convert(tomllib.loads(ASSUMPTIONS.read_text()), Assumptions)


def read_measured() -> Measured:
    return msgspec.json.decode(MEASURED.read_bytes(), type=Measured)


def needs(people: int, measured: Measured, assumed: Assumptions, times: float = 1.0) -> Needs:
    """times: so often what is assumed of requests."""
    a_day = people * assumed["requests_a_day"] * times
    rate = a_day * assumed["peak_hour"] / 3600 * assumed["peak_in_hour"]

    def cores(part: str) -> float:
        return rate * measured.mixed(part) / 1000 / assumed["busy"]

    processes = max(2, ceil(cores("api")))
    in_use = rate * measured.mixed("held") / 1000
    connections = max(2 * processes, ceil(in_use * assumed["held"]))
    left = a_day * measured.mixed("stored")
    records = people * assumed["entries_a_year"] * assumed["years"] * measured.entry
    database = left * YEAR * assumed["years"] + records
    hot = left * assumed["hot_days"] + records * assumed["hot_records"]
    memory = (hot + connections * measured.connection) / GIB
    wal = a_day * measured.mixed("wal")
    one_machine = Machines(cores("postgresql"), memory, database)
    citus, work, decides = _citus(one_machine, assumed)
    return Needs(
        rate=rate,
        api_cores=cores("api"),
        api_processes=processes,
        api_machines=max(2, ceil(cores("api") / assumed["cores"])),
        api_memory=processes * measured.api_process / GIB,
        worker_cores=cores("worker"),
        postgresql_cores=work,
        connections=connections,
        memory=memory,
        database=database / TB,
        wal=wal / 1e9,
        backups=(wal * assumed["backup_days"] + 2 * database) / TB,
        documents=people * assumed["documents"] * MB * assumed["years"] / TB,
        citus=citus,
        decides=decides,
        database_machines=ceil(((citus + 1) if citus else 1) * assumed["copies"]),
    )


def _citus(all_of_it: Machines, assumed: Assumptions) -> tuple[int, float, str]:
    """Workers, 0 where one machine holds all; the cores that PostgreSQL then needs; and what decides."""
    at_once = {
        "cores": all_of_it.cores / assumed["cores"],
        "memory": all_of_it.memory / assumed["memory"],
        "disk": all_of_it.database / (assumed["disk"] * assumed["disk_filled"] * TB),
    }
    if max(at_once.values()) <= 1:
        return 0, all_of_it.cores, max(at_once, key=at_once.__getitem__)
    at_once["cores"] *= assumed["clustered"]
    decides = max(at_once, key=at_once.__getitem__)
    return max(2, ceil(at_once[decides])), all_of_it.cores * assumed["clustered"], decides
