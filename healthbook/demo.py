"""`healthbook demo`: an invented country of three facilities and sixteen people, in an empty place only.

Everything goes through the services that everybody uses. The demo is made beside the data
directory's own names and moved there when it is complete, so a demo that was interrupted is no demo.
"""

import asyncio
import io
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import click
import msgspec

from ehr.intake.files import Importer
from healthbook.demo_accounts import (
    PINS,
    Activated,
    DemoError,
    StaffMember,
    activate,
    add_emergency_unit,
    add_staff,
    add_systems,
    begin,
)
from healthbook.demo_apps import allow_apps
from healthbook.demo_booking import book_some
from healthbook.demo_campaign import call_in
from healthbook.demo_certificates import certify_some
from healthbook.demo_checks import check_some
from healthbook.demo_clients import register_clients
from healthbook.demo_consent import let_in_once
from healthbook.demo_counters import open_counters
from healthbook.demo_declarations import fill_in
from healthbook.demo_directory import list_facilities
from healthbook.demo_facilities import CLINIC, HOSPITAL, STATION, DemoFacility
from healthbook.demo_family import attest, name_proxy, verify_number
from healthbook.demo_kiosks import set_up_kiosks
from healthbook.demo_packages import treatment_package
from healthbook.demo_people import DemoPerson, make_people
from healthbook.demo_prescription import prescribe_once
from healthbook.demo_programmes import follow_some
from healthbook.demo_questions import ask_some
from healthbook.demo_records import long_history, vaccination_history
from healthbook.demo_reminders import remind_some
from healthbook.demo_sheet import NOTE, DemoSheet, load_sheet, save_sheet
from healthbook.demo_signers import add_signers
from healthbook.demo_statements import say_some
from healthbook.demo_vaccination import declare_some, doses_again
from healthbook.demo_vitals import measure_some
from healthbook.settings import Settings
from healthbook.signing_process import signing
from healthbook.start_check import reasons_not_to_start
from healthbook.wiring import (
    Place,
    StartError,
    bring_up_to_date,
    open_place,
    opened_store,
    refuse_destroyed,
    signer_of,
)
from identity.models import Facility
from kernel.access import Actor
from kernel.clock import VIETNAM, SystemClock
from store.database import Store
from store.installation import is_demo
from store.keys import KeyRing
from vaccination.signer.ports import Signer

SHEET = "demo.json"
FACILITIES_SINCE = timedelta(days=7 * 365)
ACTIVATED = timedelta(days=10)
IMPORTED = timedelta(days=9)
GUARDED = timedelta(days=8)
LET_IN = timedelta(days=2)
ASKED = timedelta(days=1)

Say = Callable[[str], None]
MakeRecord = Callable[[DemoPerson, DemoFacility, date], bytes]

# Who has been where: person, facility, kind of file.
RECORDS: tuple[tuple[str, DemoFacility, MakeRecord], ...] = (
    ("hung", HOSPITAL, long_history),
    ("hung", CLINIC, partial(treatment_package, years=1)),
    ("lan", CLINIC, long_history),
    ("minh", CLINIC, treatment_package),
    ("huong", HOSPITAL, long_history),
    ("bao-anh", STATION, vaccination_history),
    ("bao-anh", HOSPITAL, treatment_package),
    ("bao-anh", CLINIC, doses_again),
    ("tu", HOSPITAL, treatment_package),
    ("pao", STATION, treatment_package),
    ("my", STATION, treatment_package),
    ("dua", STATION, treatment_package),
    ("dua", STATION, vaccination_history),
    ("bler", HOSPITAL, long_history),
    ("thoan", HOSPITAL, treatment_package),
    ("sa-ray", CLINIC, long_history),
    ("thang", CLINIC, treatment_package),
    ("dong", HOSPITAL, long_history),
    ("ha-my", STATION, treatment_package),
    ("newborn", HOSPITAL, treatment_package),
)


class FixedClock:
    """The past, where the demo's own history lies."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


def make_demo(settings: Settings, *, as_json: bool) -> None:
    """Make the demo where there is nothing yet, then print who can sign in; print it again later.

    Raises StartError where something else is there, or where a demo may not be served.
    """
    path = settings.data / SHEET

    def say(text: str) -> None:
        click.echo(text, err=as_json)

    if not path.exists():
        _refuse_unless_empty(settings)
        _make(settings, say)
    sheet = load_sheet(path).at(settings.base_url)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(sheet)).decode())
    else:
        say(f"The demo is in {settings.data}: {len(sheet.citizens)} people with an account. {NOTE}")


async def build_demo(store: Store, signer: Signer, now: datetime, base_url: str, say: Say) -> DemoSheet:
    """Fill an empty, migrated database. `store` acts as hb_api."""
    people = {person.key: person for person in make_people(now.astimezone(VIETNAM).date())}
    say("facilities, operators, staff")
    since = now - FACILITIES_SINCE
    facilities, operators, administrators = await begin(store, since)
    staff = await add_staff(store, facilities, since, now - ACTIVATED)
    await add_emergency_unit(store, facilities["hospital"], staff, since)
    await list_facilities(store, facilities, since, now)
    counters = await open_counters(store, facilities, since)
    systems = await add_systems(store, facilities, since)
    kiosks = await set_up_kiosks(store, facilities, counters, administrators, since)
    app_clients = await register_clients(store, since)
    await allow_apps(store, since)
    citizens = await _activate_all(store, people, staff, now - ACTIVATED, say)
    await _import_all(store, people, facilities, now - IMPORTED, say)
    child = await attest(store, people["bao-anh"], people["huong"], _desk(staff), now - GUARDED)
    unlinked = await verify_number(store, people["dua"], people["pao"], now - GUARDED)
    relative = next(one for one in citizens if one.card.key == "bler")
    elder = await name_proxy(store, people["thoan"], relative, _desk(staff), now - GUARDED)
    await say_some(store, citizens, now - LET_IN)
    await declare_some(store, citizens, now - LET_IN)
    await check_some(store, people, facilities, staff, now - LET_IN)
    await follow_some(store, people, facilities, staff, now - LET_IN)
    await ask_some(store, citizens, facilities, staff, now - ASKED)
    await call_in(store, citizens, child, staff, now - ASKED)
    await book_some(store, citizens, child, staff, now - ASKED)
    await fill_in(store, citizens, administrators, facilities["hospital"], now - ASKED)
    await prescribe_once(store, citizens, facilities, staff, now - ASKED)
    await certify_some(store, signer, citizens, base_url, now)
    await remind_some(store, citizens, child, now)
    await measure_some(store, citizens, child, now)
    say("a doctor who was let in and looked")
    await let_in_once(store, citizens[0], _doctor(staff), now - LET_IN)
    return DemoSheet(
        note=NOTE,
        base_url=base_url,
        inbox_url=f"{base_url}/demo/inbox",
        citizens=[citizen.card for citizen in citizens],
        practitioners=[one.card for one in staff if one.card.role != "clerk"],
        desk_staff=[one.card for one in staff if one.card.role == "clerk"],
        administrators=administrators,
        facility_systems=systems,
        kiosks=kiosks,
        operators=operators,
        children=[child],
        elders=[elder],
        unlinked_children=[unlinked],
        app_clients=app_clients,
    )


def _refuse_unless_empty(settings: Settings) -> None:
    reasons = reasons_not_to_start(settings, demo_database=True, demo_keys=True)
    if reasons:
        raise StartError(" ".join(reasons))
    refuse_destroyed(settings)
    if not settings.is_new:
        raise StartError(f"{settings.data} is not empty: a demo is made in an empty place only.")


def _make(settings: Settings, say: Say) -> None:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = settings.data / "demo.partial"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    apart = msgspec.structs.replace(
        settings,
        healthbook_data=str(unfinished),
        healthbook_keys=str(unfinished / "keys"),
        healthbook_signer_keys=str(unfinished / "signer"),
        healthbook_signer="",
    )
    keys = KeyRing.create(apart.keys, demo=True)
    say("database")
    place = open_place(apart)
    try:
        save_sheet(asyncio.run(_fill(place, keys, settings.base_url, say)), unfinished / SHEET)
    except DemoError as error:
        raise StartError(f"The demo could not be made: {error}.") from error
    finally:
        place.stop()
    _move(unfinished, settings)


def _move(unfinished: Path, settings: Settings) -> None:
    """Put the finished demo in its place; the keys come last, for nothing starts without them."""
    for made in sorted(unfinished.iterdir()):
        if made.name not in ("keys", "signer"):
            made.rename(settings.data / made.name)
    for name, directory in (("signer", settings.signer_keys), ("keys", settings.keys)):
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(unfinished / name, directory)
    unfinished.rmdir()


async def _fill(place: Place, keys: KeyRing, base_url: str, say: Say) -> DemoSheet:
    await bring_up_to_date(place, demo=True)
    async with opened_store(place, "hb_api", keys) as store:
        async with store.transaction() as tx:
            if not await is_demo(tx):
                raise StartError("This database was marked as a real one: it never becomes a demo.")
        async with opened_store(place, "hb_owner", keys) as owner:
            await add_signers(owner, place.settings.signer_keys, SystemClock().now())
        async with signing(place):
            return await build_demo(store, signer_of(place.settings), SystemClock().now(), base_url, say)


async def _activate_all(
    store: Store, people: dict[str, DemoPerson], staff: list[StaffMember], now: datetime, say: Say
) -> list[Activated]:
    """Everybody who signs in, at the hospital's desk; two clerks are needed for each."""
    account_holders = [person for person in people.values() if person.signs_in]
    say(f"accounts of {len(account_holders)} people")
    return [
        await activate(store, person, pin, _desk(staff), now)
        for person, pin in zip(account_holders, PINS, strict=False)
    ]


async def _import_all(
    store: Store, people: dict[str, DemoPerson], facilities: dict[str, Facility], now: datetime, say: Say
) -> None:
    """Each file through the intake, as its facility's own system sends it."""
    today = now.astimezone(VIETNAM).date()
    for number, (key, place, make) in enumerate(RECORDS, start=1):
        say(f"records {number} of {len(RECORDS)}")
        importer = Importer(store, FixedClock(now), facilities[place.key], f"demo:{place.code}")
        reports = await importer.stream(io.BytesIO(make(people[key], place, today)), f"{key}-{place.code}")
        refused = {report.status for report in reports} - {"imported"}
        if refused:
            raise DemoError(f"a file of {place.code} was {', '.join(sorted(refused))}")


def _desk(staff: list[StaffMember]) -> tuple[Actor, Actor]:
    """The hospital's two clerks."""
    first, second = (
        one.actor for one in staff if one.card.role == "clerk" and one.member.facility == "hospital"
    )
    return first, second


def _doctor(staff: list[StaffMember]) -> Actor:
    return next(one.actor for one in staff if one.card.role == "doctor")
