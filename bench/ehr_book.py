"""ehr.book: the own overview of a book with every section filled, against that of a book without them."""

from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import Any

import httpx

from api.app import create_app
from bench.book_sections import fill, import_visits, open_place
from bench.results import Result, compare
from bench.world import Patient, World, fresh_token
from kernel.clock import SystemClock
from store.database import Store

NAME = "ehr.book"
ROUNDS = 9
READS = 20
Entry = dict[str, Any]
# Where each section is read, and what an entry shows that stands there as the services wrote it.
SECTIONS: dict[str, Callable[[Entry], Any]] = {
    "statements": lambda one: one["item"].get("verdict"),
    "documents": lambda one: one.get("self_declared"),
    "prescriptions": lambda one: one["state"] == "partly",
    "health-checks": lambda one: one["health_class"],
    "programmes": lambda one: one.get("next_visit_on"),
    "referrals": lambda one: one["receiver"],
    "coverage": lambda one: one["valid_until"],
    "costs": lambda one: one["amounts"],
}
# What an episode with a card and a letter has more than one without.
BESIDE = {"Coverage", "ServiceRequest", "DocumentReference"}
ROWS = "SELECT rtype FROM ehr_resource WHERE patient_id = $1 AND NOT deleted"


async def measure(world: World) -> Result:
    """Two people of the crowd with records of one length; seconds of READS overviews each, in turns."""
    full, bare = await _pair(world)
    place = await open_place(world)
    for patient in (full, bare):
        await import_visits(world.store, place, patient, with_money=patient is full)
    await _check_visits(world.store, full, bare)
    await fill(world, place, full)
    ours, theirs = [], []
    transport = httpx.ASGITransport(create_app(world.store, SystemClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        tokens = [await fresh_token(world.store, one) for one in (full, bare)]
        await _check_sections(client, tokens)
        for token in tokens:
            await _read(client, token)
        for _ in range(ROUNDS):
            ours.append(await _read(client, tokens[0]))
            theirs.append(await _read(client, tokens[1]))
    return compare(
        NAME,
        ours=ours,
        against="a book without the sections",
        theirs=theirs,
        target=1.3,
        unit="seconds",
        at_most=True,
    )


async def _read(client: httpx.AsyncClient, token: str) -> float:
    begun = perf_counter()
    for _ in range(READS):
        await _ask(client, "summary", token)
    return perf_counter() - begun


async def _ask(client: httpx.AsyncClient, what: str, token: str) -> httpx.Response:
    answer = await client.get(f"/v1/me/{what}", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{what} answered {answer.status_code}")
    return answer


async def _pair(world: World) -> tuple[Patient, Patient]:
    """Two people whose records hold as many rows of each kind."""
    first = world.patients[0]
    rows = await _rows(world.store, first)
    for other in world.patients[1:]:
        if await _rows(world.store, other) == rows:
            return first, other
    raise RuntimeError("no two people of the crowd have records of one length")


async def _rows(store: Store, patient: Patient) -> Counter[str]:
    async with store.transaction() as tx:
        return Counter(row["rtype"] for row in await tx.fetch(ROWS, patient.patient_id))


async def _check_visits(store: Store, full: Patient, bare: Patient) -> None:
    """Both books have the same rows of visits; card and letter are all that one has more."""
    more, less = await _rows(store, full), await _rows(store, bare)
    if less - more or set(more - less) != BESIDE:
        raise RuntimeError(f"the visits differ by more than card and letter: {more - less}, {less - more}")


async def _check_sections(client: httpx.AsyncClient, tokens: list[str]) -> None:
    """Every section has its entries in the one book and none in the other."""
    for section, shows in SECTIONS.items():
        answers = [(await _ask(client, section, token)).json()["items"] for token in tokens]
        found, none = [[one for one in items if shows(one)] for items in answers]
        if not found or none:
            raise RuntimeError(f"{section}: {len(found)} entries against {len(none)}")
