"""`python -m bench`: measure everything, print a table, write bench/results.json.

Exit code 1 when a target is missed. About six minutes; names as arguments choose benchmarks:
`python -m bench ehr.summary audit.append`.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

from bench import (
    audit_append,
    audit_roots,
    certificate_png,
    certificates,
    check_in,
    check_in_morning,
    ehr_book,
    ehr_core,
    ehr_import,
    ehr_import_xml,
    ehr_long_record,
    ehr_summary,
    health_checks,
    installation,
    morning,
    partner_export,
    population,
    push,
    qr,
    reminders,
    store_start,
    vitals,
)
from bench import directory as searches
from bench.results import Result, table, write
from bench.server import environment
from bench.world import PEOPLE, YEARS, World, build
from healthbook.demo_facilities import HOSPITAL
from healthbook.demo_people import make_crowd
from healthbook.demo_records import long_history
from healthbook.wiring import Place
from kernel.clock import VIETNAM, SystemClock

RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    wanted = sys.argv[1:]
    with installation.scratch() as directory:
        results = _run(directory, wanted)
    print(table(results))
    if not wanted:
        write(results, RESULTS)
    return 0 if all(result.ok for result in results) else 1


def _run(directory: Path, wanted: list[str]) -> list[Result]:
    results = []
    if _is_wanted("store.second_start", wanted):
        _say("store.second_start")
        results.append(_second_start(directory / "start"))
    if _is_wanted(certificate_png.NAME, wanted):
        _say(certificate_png.NAME)
        results.append(certificate_png.measure())
    if any(_is_wanted(name, wanted) for name in qr.NAMES):
        _say(", ".join(qr.NAMES))
        results += qr.measure(wanted)
    if _is_wanted(push.NAME, wanted):
        _say(push.NAME)
        results.append(push.measure())
    if any(_is_wanted(name, wanted) for name in certificates.TARGETS):
        _say(", ".join(certificates.TARGETS))
        results += certificates.measure()
    with installation.running(directory / "crowd") as place:
        results += asyncio.run(_run_on(place, directory, wanted))
    if any(_is_wanted(name, wanted) for name in morning.NAMES):
        _say(", ".join(morning.NAMES))
        results += morning.measure(directory / "morning")
    return sorted(results, key=lambda result: result.name)


async def _run_on(place: Place, directory: Path, wanted: list[str]) -> list[Result]:
    """Everything that needs the crowd."""
    data, results = place.settings.data, []
    async with installation.prepared(place) as store:
        if _is_wanted("audit.append", wanted):
            _say("audit.append")
            results.append(await audit_append.measure(store, place.dsn("hb_owner")))
        if _is_wanted(check_in.NAME, wanted):
            _say(check_in.NAME)
            results.append(await check_in.measure(store, place.dsn("hb_owner")))
        if _is_wanted(check_in_morning.NAME, wanted):
            _say(check_in_morning.NAME)
            results.append(await check_in_morning.measure(store, place.dsn("hb_owner"), data))
        if any(_is_wanted(name, wanted) for name in population.NAMES):
            _say(", ".join(population.NAMES))
            results += await population.measure(store, place.dsn("hb_owner"), data, wanted)
        if any(_is_wanted(name, wanted) for name in audit_roots.NAMES):
            _say("audit.root, audit.proof")
            results += await audit_roots.measure(store, place.dsn("hb_owner"), wanted)
        if any(_is_wanted(name, wanted) for name in reminders.NAMES):
            _say(", ".join(reminders.NAMES))
            dsns = place.dsn("hb_api"), place.dsn("hb_delivery")
            results += await reminders.measure(store, place.dsn("hb_owner"), dsns, data)
        if any(_is_wanted(name, wanted) for name in vitals.NAMES):
            _say(", ".join(name for name in vitals.NAMES if _is_wanted(name, wanted)))
            dsns = place.dsn("hb_owner"), place.dsn("hb_api")
            results += await vitals.measure(store, *dsns, data, wanted)
        imports = ("ehr.import", "ehr.import_xml", health_checks.NAME)
        on_records = (*imports, ehr_book.NAME, partner_export.NAME, *SUMMARIES, *ehr_core.NAMES)
        if any(_is_wanted(name, wanted) for name in on_records):
            _say(f"{PEOPLE} people with long records")
            world = await build(data, store, place.dsn("hb_owner"))
            results += await _on_records(world, place, directory, wanted)
        if _is_wanted(searches.NAME, wanted):
            _say(searches.NAME)
            results.append(await searches.measure(store, place.dsn("hb_owner"), data, store.keys))
    return results


SUMMARIES = (
    "ehr.summary",
    ehr_summary.DECIDED,
    "ehr.summary.304",
    "ehr.summary.vs_everything",
    ehr_long_record.NAME,
)


async def _on_records(world: World, place: Place, directory: Path, wanted: list[str]) -> list[Result]:
    results = []
    if _is_wanted("ehr.import", wanted):
        _say("ehr.import")
        results.append(
            await ehr_import.measure(world.store, world.owner_dsn, _new_bundles(), HOSPITAL.code, directory)
        )
    if _is_wanted("ehr.import_xml", wanted):
        _say("ehr.import_xml")
        results.append(await ehr_import_xml.measure(world.store, world.owner_dsn, HOSPITAL.code, directory))
    if _is_wanted(health_checks.NAME, wanted):
        _say(health_checks.NAME)
        results.append(
            await health_checks.measure(world.store, world.owner_dsn, world.facility, world.doctor)
        )
    dsn = place.dsn("hb_api")
    if _is_wanted("ehr.summary", wanted):
        _say("ehr.summary")
        recorded = await ehr_summary.record_doctor(world, world.patients)
        results.append(await asyncio.to_thread(ehr_summary.measure_summary, world, recorded, dsn, directory))
    if _is_wanted(ehr_summary.DECIDED, wanted):
        _say(ehr_summary.DECIDED)
        recorded = await ehr_summary.record_doctor(world, world.patients)
        results.append(await asyncio.to_thread(ehr_summary.measure_decided, world, recorded, dsn, directory))
    if _is_wanted("ehr.summary.304", wanted):
        _say("ehr.summary.304")
        recorded, requests = await ehr_summary.record_own_304(world)
        results.append(
            await asyncio.to_thread(ehr_summary.measure_304, world, recorded, requests, dsn, directory)
        )
    if _is_wanted("ehr.summary.vs_everything", wanted):
        _say("ehr.summary.vs_everything")
        results.append(await asyncio.to_thread(ehr_summary.measure_against_everything, world, directory))
    if any(_is_wanted(name, wanted) for name in ehr_core.NAMES):
        _say("ehr.*.vs_* against the same peer")
        results += await ehr_core.measure_races(world, directory, wanted)
    if _is_wanted(partner_export.NAME, wanted):
        _say(partner_export.NAME)
        let = await partner_export.prepare(world)
        results.append(await asyncio.to_thread(partner_export.measure, world, let, directory))
    if _is_wanted(ehr_book.NAME, wanted):
        _say(ehr_book.NAME)
        results.append(await ehr_book.measure(world))
    if _is_wanted(ehr_long_record.NAME, wanted):
        # Last: two records of the crowd are others from here on.
        _say(ehr_long_record.NAME)
        long, short = world.patients[-2:]
        await ehr_long_record.prepare(world, long, short)
        results.append(await asyncio.to_thread(ehr_long_record.measure_long, world, long, short, directory))
    return results


def _new_bundles() -> list[bytes]:
    """People that nobody has seen yet."""
    today = SystemClock().now().astimezone(VIETNAM).date()
    count = ehr_import.ROUNDS * ehr_import.BUNDLES_PER_ROUND
    crowd = make_crowd(PEOPLE + count, today)[PEOPLE:]
    return [long_history(person, HOSPITAL, today, years=YEARS) for person in crowd]


def _second_start(data: Path) -> Result:
    command = [sys.executable, "-m", "healthbook", "demo"]
    subprocess.run(command, env=environment(data, 8000), check=True, capture_output=True)
    return store_start.measure(data)


def _is_wanted(name: str, wanted: list[str]) -> bool:
    return not wanted or name in wanted


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
