"""What the commands do with an open store: each act is written down with who and why (S26)."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import msgspec

from audit.accountability.service import set_threshold
from audit.answered.service import reconcile
from audit.service import record_admin_event
from ehr.cases.terms import set_day, set_term
from ehr.cases.workdays import Counted, TermKind
from ehr.core.links import unclear_links
from ehr.coverage import display_coverage
from ehr.imaging.viewer import set_viewer
from ehr.intake.files import import_paths
from ehr.intake.models import BadInputError, Report, UnitReport
from ehr.intake.revert import revert_since
from ehr.intake.trust.service import add_certificate as register_certificate
from ehr.intake.trust.service import end_certificate as end_registered
from ehr.quarantine.units import events_of
from ehr.visibility.models import ANY_FACILITY, ReleaseCategory, ReleaseRule
from ehr.visibility.release import set_policy
from healthbook.statistics_jobs import step
from healthbook.wiring import StartError
from identity.bootstrap import BootstrapPlan, bootstrap
from identity.register.facilities import facility_by_code
from identity.rotation.service import delete_previous, insert_current, people_after
from kernel.clock import SystemClock, local_day
from kernel.problems import Refused
from store.database import Store, Tx

Signed = tuple[str, str]


class Progress:
    """Tells how far an import is, at most once a second."""

    def __init__(self, say: Callable[[str], None], seconds: Callable[[], float] = monotonic) -> None:
        self._say, self._seconds, self._count, self._told = say, seconds, 0, seconds()

    def __call__(self, name: str, _unit: UnitReport) -> None:
        self._count += 1
        now = self._seconds()
        if now - self._told >= 1:
            self._told = now
            self._say(f"{self._count} units, now in {name}")


async def import_records(
    store: Store,
    paths: Sequence[Path],
    facility_code: str | None,
    *,
    dry_run: bool,
    signed: Signed,
    say: Callable[[str], None],
) -> Report:
    """Import files and folders; a dry run leaves nothing behind."""
    clock = SystemClock()
    try:
        report = await import_paths(
            store,
            clock,
            paths,
            facility_code=facility_code,
            dry_run=dry_run,
            operator=signed[0],
            progress=Progress(say),
        )
    except BadInputError as error:
        codes = ", ".join(reason.code for reason in error.reasons)
        raise StartError(f"{codes}: --facility {facility_code} is the code of no facility today.") from error
    if not dry_run:
        count = sum(len(file.units) for file in report.files)
        await write_down(store, signed, "records:import", count)
    return report


async def set_viewer_of(store: Store, code: str, template: str, signed: Signed) -> None:
    """Set where a facility's picture viewer is (security.md S29: an operator's act, never a record's)."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        facility = await facility_by_code(tx, code, local_day(now))
        if facility is None:
            raise StartError(f"{code} is the code of no facility today.")
        try:
            await set_viewer(tx, facility.facility_id, template, now)
        except ValueError as error:
            raise StartError(f"{template}: {error}") from error
        await sign_act(tx, signed, "imaging:set-viewer", 1)


async def set_release(
    store: Store, code: str | None, category: ReleaseCategory, rule: ReleaseRule, hours: int, signed: Signed
) -> None:
    """Set when people see a category of results: of one facility, or wherever none has a rule of its own."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        facility = await facility_by_code(tx, code, local_day(now)) if code else None
        if code and facility is None:
            raise StartError(f"--facility {code} is the code of no facility today.")
        where = facility.facility_id if facility else ANY_FACILITY
        await set_policy(tx, where, category, rule, hours, None, now)
        await sign_act(tx, signed, "results:set-release", 1)


def was_all_rejected(report: Report) -> bool:
    """Whether not one unit was imported or kept for review."""
    return all(unit.status == "rejected" for file in report.files for unit in file.units)


def as_json(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


async def revert_records(
    store: Store,
    credentials: Sequence[str],
    since: datetime,
    *,
    dry_run: bool,
    signed: Signed,
    say: Callable[[str], None],
) -> bytes:
    """Take back what credentials wrote since an instant; a dry run only counts. Returns counts as JSON."""
    done = await revert_since(store, SystemClock(), credentials, since, dry_run=dry_run, say=say)
    if not dry_run:
        count = sum((*done.restored.values(), *done.retracted.values(), done.waiting))
        await write_down(store, signed, "records:revert", count)
    return msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n"


async def add_certificate(store: Store, code: str, data: bytes, signed: Signed, *, required: bool) -> UUID:
    """Register a certificate whose signatures count for the facility of a code."""
    async with store.transaction() as tx:
        try:
            made = await register_certificate(tx, code, data, SystemClock().now(), required=required)
        except BadInputError as error:
            codes = ", ".join(reason.code for reason in error.reasons)
            raise StartError(f"{codes}: the certificate was not registered.") from error
        await sign_act(tx, signed, "certificates:add", 1)
    return made


async def end_certificate(store: Store, certificate_id: UUID, signed: Signed) -> None:
    """From now on nothing is verified with it."""
    async with store.transaction() as tx:
        if not await end_registered(tx, certificate_id, SystemClock().now()):
            raise StartError(f"{certificate_id} is no certificate that counts.")
        await sign_act(tx, signed, "certificates:end", 1)


def read_instant(text: str) -> datetime:
    """An instant with its offset. Raises StartError: an hour of the wrong zone takes back seven too many."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise StartError(f"{text} is no instant with an offset, such as 2026-11-21T08:00+07:00.")
    return instant


async def bootstrap_from(store: Store, text: bytes, signed: Signed) -> bytes:
    """Make what a plan (JSON of BootstrapPlan) names. Returns the secrets as JSON; they are shown once."""
    try:
        plan = msgspec.json.decode(text, type=BootstrapPlan)
    except msgspec.MsgspecError as error:
        raise StartError(f"The plan cannot be read: {error}.") from error
    made = await bootstrap(store, plan, SystemClock().now())
    if isinstance(made, Refused):
        raise StartError(f"{made.problem.en} {made.problem.next_en}")
    await write_down(store, signed, "accounts:bootstrap", len(made))
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


async def rotate_lookup(store: Store, signed: Signed, told: Callable[[int], None] = lambda _: None) -> int:
    """Move every look-up hash to the current key: all new rows first, then the old ones go (S15).

    Run it as hb_owner, once every process uses the new key. told: how many people are done since the last
    call; everybody comes twice. Returns how many hashes moved.
    """
    now, keys = SystemClock().now(), store.keys
    async for page in pages_of_people(store):
        async with store.transaction() as tx:
            for patient_id in page:
                await insert_current(tx, keys, patient_id, now)
        told(len(page))
    moved = 0
    async for page in pages_of_people(store):
        async with store.transaction() as tx:
            moved += sum([await delete_previous(tx, keys, patient_id) for patient_id in page])
        told(len(page))
    await write_down(store, signed, "keys:rotate-lookup", moved)
    return moved


async def pages_of_people(store: Store) -> AsyncIterator[list[UUID]]:
    """Everybody, a page at a time, each page read in a transaction of its own."""
    last = UUID(int=0)
    while True:
        async with store.transaction() as tx:
            page = await people_after(tx, last)
        if not page:
            return
        yield page
        last = page[-1]


async def sign_act(tx: Tx, signed: Signed, what: str, count: int) -> None:
    """The row of an act in the global chain, in the act's own transaction: no act stands without it (S26)."""
    operator, reason = signed
    await record_admin_event(tx, operator, what, reason, count, SystemClock().now())


async def write_down(store: Store, signed: Signed, what: str, count: int) -> None:
    """The row of an act that took many transactions, or none: an import, a key file."""
    async with store.transaction() as tx:
        await sign_act(tx, signed, what, count)


async def set_accountability_threshold(store: Store, name: str, value: int, signed: Signed) -> None:
    async with store.transaction() as tx:
        await set_threshold(tx, name, value)
        await sign_act(tx, signed, f"accountability:threshold-{name}", value)


async def reconciled(store: Store, days: int) -> tuple[str, bool]:
    """What left and what is logged, in words, and whether every read that left is logged."""
    found = await reconcile(store, SystemClock().now() - timedelta(days=days))
    lines = [
        f"{found.answered} reads left under {found.bases} grants and emergency accesses; {found.logged} rows,"
        f" {found.uncounted} of them of answers that were not counted."
    ]
    lines += [f"Gap: {one.basis_id} answered {one.answered}, logged {one.logged}" for one in found.gaps]
    return "\n".join(lines), not found.gaps


async def coverage_table(store: Store) -> str:
    """How many of the codes in use have a Vietnamese name, by code system and by use."""
    async with store.transaction() as tx:
        coverage = await display_coverage(tx)
    head = f"{'codes':>7} {'named':>7} {'uses':>9} {'covered':>9}  system"
    rows = [
        f"{s.codes:>7} {s.codes_named:>7} {s.uses:>9} {s.uses_named:>9}  {s.system}" for s in coverage.systems
    ]
    return "\n".join([head, *rows])


async def unclear_table(store: Store) -> str:
    """One line per person and core, oldest first: ids, what is unclear and since when; no name, no number."""
    async with store.transaction() as tx:
        found = await unclear_links(tx)
    lines = [f"{one.patient_id}  {one.source_id}  {one.state}  {one.since:%Y-%m-%d %H:%M}" for one in found]
    return "\n".join(lines) if lines else "Nobody: every person that a core knows is clear."


async def quarantine_events(store: Store, quarantine_id: UUID) -> bytes:
    """Everything that was done with something in the quarantine, as JSON."""
    async with store.transaction() as tx:
        return msgspec.json.format(msgspec.json.encode(await events_of(tx, quarantine_id)), indent=2)


async def set_calendar_day(store: Store, day: date, *, works: bool, signed: Signed) -> None:
    """A day that the government moved; the terms of new cases count with it."""
    async with store.transaction() as tx:
        await set_day(tx, day, works=works)
        await sign_act(tx, signed, f"calendar:{'work' if works else 'off'}:{day.isoformat()}", 1)


async def set_case_term(store: Store, kind: TermKind, days: int, counted: Counted, signed: Signed) -> None:
    """How long facilities have to answer cases of a kind from now on."""
    async with store.transaction() as tx:
        await set_term(tx, kind, days, counted)
        await sign_act(tx, signed, f"cases:term-{kind}", days)


async def count_statistics(store: Store, signed: Signed) -> int:
    """Make today's set of statistics (security.md S30); how many steps it took, 0 where it is published."""
    clock, steps = SystemClock(), 0
    while await step(store, clock.now()):
        steps += 1
    await write_down(store, signed, "statistics:count", steps)
    return steps
