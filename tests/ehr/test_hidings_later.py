"""What is hidden does not come back by what is sent later, in whatever order, batch or name it comes."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.models import Source
from ehr.visibility import hidings
from store.database import Store
from tests.ehr.test_hidings import doctor, hide
from tests.ehr.test_redaction import bare, everything
from tests.support.clock import FrozenClock
from tests.support.record import hospital, our_id, own, write
from tests.support.registry import make_officers, merged, separated

SECRET = "zqxsecret"
AT = "2026-11-02T08:00:00+07:00"


def lab(ident: str, value: str = "4.1", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": SECRET},
        "effectiveDateTime": AT,
        "valueQuantity": {"value": float(value), "unit": "mmol/L"},
    } | more


def paper(ident: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": ident,
        "status": "current",
        "type": {"text": SECRET},
        "date": AT,
        "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
    } | more


def study(ident: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy",
        "id": ident,
        "status": "available",
        "started": AT,
        "description": SECRET,
    } | more


def report(ident: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": ident,
        "status": "final",
        "code": {"text": SECRET},
        "effectiveDateTime": "2026-11-02T09:00:00+07:00",
        "conclusion": SECRET,
    } | more


def visit(ident: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": ident,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": SECRET}],
        "period": {"start": AT, "end": AT},
    } | more


def naming(ident: str, kind: str, target: str) -> dict[str, Any]:
    """A report that names another row in its own way."""
    link = {"reference": f"{kind}/{target}", "display": SECRET}
    if kind == "ImagingStudy":
        return report(ident, imagingStudy=[link])
    return (
        report(ident, result=[link]) if kind == "Observation" else paper(ident, context={"related": [link]})
    )


def batch_of(source: Source) -> Source:
    return msgspec.structs.replace(source, batch=uuid4())


async def traces(store: Store, person: UUID, now: datetime) -> bool:
    return SECRET in "".join(await everything(store, doctor(person), now))


THINGS = {"Observation": lab, "DocumentReference": paper, "ImagingStudy": study}


@pytest.mark.parametrize("kind", list(THINGS))
async def test_s23_a_report_that_is_sent_later_does_not_tell_of_what_is_hidden(
    store: Store, clock: FrozenClock, kind: str
) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [THINGS[kind]("x")], now, source=batch_of(hospital()))
    await hide(store, person, kind, our_id("a", "x"), now)
    await write(store, person, [naming("r", kind, "x")], now, source=batch_of(hospital()))
    assert not await traces(store, person, now)


async def test_s23_what_another_spelling_names_is_found(store: Store, clock: FrozenClock) -> None:
    """The sender's `urn:uuid:` of today and `Observation/` of yesterday are one."""
    now, person, name = clock.now(), await bare(store, clock), str(uuid4())
    await write(store, person, [lab(name)], now)
    await hide(store, person, "Observation", our_id("a", name), now)
    await write(store, person, [report("r", result=[{"reference": f"urn:uuid:{name}"}])], now)
    assert not await traces(store, person, now)


async def test_s23_a_report_that_came_long_before_goes_with_its_result(
    store: Store, clock: FrozenClock
) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [naming("r", "Observation", "x")], now, source=batch_of(hospital()))
    await write(store, person, [lab("x")], now, source=batch_of(hospital()))
    await hide(store, person, "Observation", our_id("a", "x"), now)
    assert not await traces(store, person, now)


async def test_s23_a_corrected_copy_stays_hidden_and_so_do_the_others(
    store: Store, clock: FrozenClock
) -> None:
    now, person = clock.now(), await bare(store, clock)
    for source in ("a", "b", "c"):
        await write(store, person, [lab(f"o{source}")], now, source=hospital(source))
    await hide(store, person, "Observation", our_id("b", "ob"), now)
    for source in ("a", "b"):
        await write(store, person, [lab(f"o{source}", "4.2")], now, source=hospital(source))
        assert not await traces(store, person, now), source
    await write(store, person, [lab("od", "4.3")], now, source=hospital("d"))
    assert not await traces(store, person, now)


@pytest.mark.parametrize("units", [("u1", "u1"), ("u1", "u2"), (None, None)])
async def test_s23_a_hidden_visit_stays_hidden_under_other_names(
    store: Store, clock: FrozenClock, units: tuple[str | None, str | None]
) -> None:
    now, person = clock.now(), await bare(store, clock)
    for name, unit in zip(("1", "9"), units, strict=True):
        inside = lab(f"o{name}", encounter={"reference": f"Encounter/e{name}"})
        await write(store, person, [visit(f"e{name}"), inside], now, unit=unit)
        if name == "1":
            await hide(store, person, "Encounter", our_id("a", "e1"), now)
    assert not await traces(store, person, now)


async def test_s23_another_visit_of_another_day_is_seen(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [visit("e1")], now, unit="u1")
    await hide(store, person, "Encounter", our_id("a", "e1"), now)
    later = {"start": "2026-11-03T08:00:00+07:00"}
    await write(store, person, [visit("e2", period=later)], now, unit="u2")
    await write(store, person, [visit("e3")], now, unit="u1", source=hospital("b"))
    assert our_id("a", "e2") in "".join(await everything(store, doctor(person), now))
    assert our_id("b", "e3") in "".join(await everything(store, doctor(person), now))


@pytest.mark.parametrize("kind", list(THINGS))
async def test_s23_a_hidden_entry_stays_hidden_under_another_id(
    store: Store, clock: FrozenClock, kind: str
) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [THINGS[kind]("x")], now, unit="u")
    await hide(store, person, kind, our_id("a", "x"), now)
    await write(store, person, [THINGS[kind]("y")], now, unit="u")
    assert not await traces(store, person, now)


async def test_showing_again_shows_what_came_later_too(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [lab("x")], now)
    first = await hide(store, person, "Observation", our_id("a", "x"), now)
    other = await hide(store, person, "Observation", our_id("a", "x"), now, UUID(int=8))
    await write(store, person, [naming("r", "Observation", "x")], now)
    await write(store, person, [lab("x", "5.5")], now, source=hospital("b"))
    async with store.transaction() as tx:
        await hidings.end(tx, own(person), first, now)
    seen = "".join(await everything(store, doctor(person), now))
    assert our_id("a", "r") in seen
    async with store.transaction() as tx:
        await hidings.end(tx, own(person), other, now)
        left = "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND hidden_from IS NOT NULL"
        assert await tx.fetchval(left, person) == 0


async def test_s10_what_one_hides_covers_the_others_copy_only_while_they_are_one(
    store: Store, clock: FrozenClock
) -> None:
    now, officers = clock.now(), await make_officers(store, clock)
    one, other = await bare(store, clock), await bare(store, clock)
    await write(store, one, [lab("x"), naming("r", "Observation", "x")], now)
    await write(store, other, [lab("x", "4.9")], now)
    await write(store, other, [lab("y")], now, source=hospital("b"))
    await hide(store, one, "Observation", our_id("a", "x"), now)
    merge_id = await merged(store, officers, one, other, now)
    await write(
        store, other, [report("s", result=[{"reference": "Observation/y"}])], now, source=hospital("b")
    )
    hidden = "SELECT id FROM ehr_resource WHERE patient_id = $1 AND hidden_from IS NOT NULL ORDER BY id"
    async with store.transaction() as tx:
        together = [row[0] for row in await tx.fetch(hidden, other)]
    assert {our_id("a", "r"), our_id("b", "y"), our_id("b", "s")} - set(together) == {
        our_id("b", "y"),
        our_id("b", "s"),
    }, "what goes over stays hidden"
    await hide(store, other, "Observation", our_id("b", "y"), now)
    async with store.transaction() as tx:
        assert len(await tx.fetch(hidden, other)) > len(together)
    await separated(store, officers, merge_id, now)
    async with store.transaction() as tx:
        assert {row[0] for row in await tx.fetch(hidden, one)} == {our_id("a", "x"), our_id("a", "r")}
        assert {row[0] for row in await tx.fetch(hidden, other)} >= {our_id("b", "y"), our_id("b", "s")}


# Everything that tells of one result of one visit, in two copies, and what each is sent with.
PIECES: list[tuple[str, dict[str, Any]]] = [
    ("a", visit("e")),
    ("a", lab("x", encounter={"reference": "Encounter/e"})),
    ("a", naming("r", "Observation", "x")),
    ("a", report("panel", result=[{"reference": "Observation/x"}], encounter={"reference": "Encounter/e"})),
    ("a", {"resourceType": "Provenance", "id": "p", "target": [{"reference": "DiagnosticReport/r"}]}),
    ("b", lab("y", "4.4")),
    ("b", naming("s", "Observation", "y")),
]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(PIECES),
    cuts=st.sets(st.integers(1, len(PIECES) - 1)),
    after=st.integers(0, len(PIECES)),
    again=st.lists(st.integers(0, len(PIECES) - 1), max_size=4),
)
async def test_s23_no_order_of_sending_brings_a_hidden_result_back(
    store: Store,
    clock: FrozenClock,
    order: list[tuple[str, dict[str, Any]]],
    cuts: set[int],
    after: int,
    again: list[int],
) -> None:
    """Each batch is a sending of its own; the result is hidden as soon as it is there, or later."""
    now, person = clock.now(), await bare(store, clock)
    batches = [batch_of(hospital(name)) for name in ("a", "b")]
    is_hidden = False
    for number, (name, body) in enumerate(order):
        if number in cuts:
            batches = [batch_of(one) for one in batches]
        await write(store, person, [body], now, source=batches[name == "b"])
        sent = {one["id"] for _, one in order[: number + 1]}
        if not is_hidden and "x" in sent and number >= after:
            await hide(store, person, "Observation", our_id("a", "x"), now)
            is_hidden = True
    if not is_hidden:
        await hide(store, person, "Observation", our_id("a", "x"), now)
    for number in again:
        name, body = order[number]
        await write(store, person, [body | {"language": "vi"}], now, source=batch_of(hospital(name)))
    told = "".join(await everything(store, doctor(person), now))
    for name, ident in (("a", "x"), ("a", "r"), ("a", "panel"), ("b", "y"), ("b", "s")):
        assert our_id(name, ident) not in told, ident
