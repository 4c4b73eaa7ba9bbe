"""The commands. An act on the data needs a named operator and a reason and leaves a row (S26).

Modules are imported inside the commands: `healthbook --help` and a second `serve` stay quick.
"""

import asyncio
import gc
import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import click

from healthbook.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from ehr.cases.workdays import Counted, TermKind
    from ehr.intake.models import Report
    from healthbook.wiring import Place
    from store.database import Store
    from store.keys import KeyRing

T = TypeVar("T")

# Commands that change nothing in the data; every other one writes an admin_event.
READ_ONLY = frozenset(
    {
        *("serve", "worker", "openapi", "as", "admin displays", "admin core-links", "admin articles"),
        *("admin article-text", "audit verify", "audit quarantine", "audit reconcile", "doctor"),
    }
)
# Commands that make what an admin_event would be written to.
BEFORE_THE_LOG = frozenset({"demo", "migrate", "admin make-keys", "admin first-key"})

OPERATOR = click.option("--operator", envvar="HEALTHBOOK_OPERATOR", help="Who does this (a person's name).")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
REASON = click.option("--reason", envvar="HEALTHBOOK_REASON", help="Why; no names or numbers of patients.")


@click.group(context_settings={"max_content_width": 120})
def main() -> None:
    """Sổ sức khỏe điện tử: the back end of a citizen's lifelong electronic health book."""


@main.command()
@click.option("--no-worker", is_flag=True, help="Leave outbox and deliveries to `healthbook worker`.")
@click.option("--die-with-parent", is_flag=True, hidden=True, help="Stop when `make run` is killed.")
def serve(no_worker: bool, die_with_parent: bool) -> None:
    """Serve the API with one worker beside it."""
    gc.disable()  # collecting takes a third of a start, which makes no garbage; fork_child enables it
    from healthbook.announce import announce
    from healthbook.serve import serve as run
    from healthbook.serve import stop_with

    settings = settings_or_exit()
    if die_with_parent:
        stop_with(os.getppid())
    raise SystemExit(or_exit(lambda: run(settings, with_worker=not no_worker, announce=announce)))


@main.command()
def worker() -> None:
    """Run one worker alone: outbox, deliveries, timers."""
    from healthbook.serve import run_worker
    from healthbook.wiring import Serving, check_start, load_keys

    def run(place: "Place") -> None:
        keys = load_keys(place.settings)
        run_worker(Serving(place, keys, asyncio.run(check_start(place, keys))))

    at_place(run)


@main.command()
def migrate() -> None:
    """Bring the database's tables and rights up to date."""
    from healthbook.wiring import bring_up_to_date

    for name in at_place(lambda place: asyncio.run(bring_up_to_date(place))):
        click.echo(f"applied {name}")


@main.command()
def doctor() -> None:
    """Say what is to be mended: keys or journal beside the data, a server whose log would hold rows.

    Exit 1 where something is.
    """
    from healthbook.doctor import examine
    from healthbook.wiring import load_keys

    found = at_place(lambda place: asyncio.run(examine(place, load_keys(place.settings))))
    for text in found:
        click.echo(text)
    if found:
        raise SystemExit(1)
    click.echo("Nothing to mend.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print people and secrets as JSON.")
@click.option("--if-empty", is_flag=True, help="Do nothing where a database is there already.")
def demo(as_json: bool, if_empty: bool) -> None:
    """Make a demo: invented people, facilities and records, in an empty data directory only."""
    settings = settings_or_exit()
    if if_empty and not settings.is_new:
        return
    from healthbook.demo import make_demo

    or_exit(lambda: make_demo(settings, as_json=as_json))


class ImportGroup(click.Group):
    """`healthbook import PATHS…` reads files; `healthbook import revert` takes them back."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = ["files", *args]
        return super().parse_args(ctx, args)


@main.group(name="import", cls=ImportGroup)
def import_() -> None:
    """Take in files, or take back what was taken in.

    \b
    healthbook import PATHS...        FHIR Bundles, treatment packages, CDA and QĐ 831, any size;
                                      options: healthbook import files --help
    healthbook import revert ...      what stolen credentials sent
    """


@import_.command(name="files")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--facility", "facility_code", help="Code of the facility the files come from.")
@click.option("--dry-run", is_flag=True, help="Read and check only; nothing is kept.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report to a file.")
@OPERATOR
@REASON
def import_files(
    paths: tuple[Path, ...],
    facility_code: str | None,
    dry_run: bool,
    report: Path | None,
    operator: str | None,
    reason: str | None,
) -> None:
    """Take in FHIR Bundles and treatment packages, any size; print or write a report.

    Exit 1 when every unit was rejected; the report says why.
    """
    from healthbook.commands import as_json, import_records, was_all_rejected

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> "Report":
        return await import_records(
            store, list(paths), facility_code, dry_run=dry_run, signed=signed, say=say
        )

    made = as_operator(run, operator, reason)
    if report is None:
        sys.stdout.buffer.write(as_json(made))
    else:
        report.write_bytes(as_json(made))
    if was_all_rejected(made):
        say("Nothing was imported; the report says why.")
        raise SystemExit(1)


@import_.command()
@click.option("--credential", "credentials", multiple=True, required=True, help="Whose sendings; repeatable.")
@click.option("--since", required=True, help="From when on, with an offset: 2026-11-21T08:00+07:00.")
@click.option("--dry-run", is_flag=True, help="Count only; nothing is changed.")
@OPERATOR
@REASON
def revert(
    credentials: tuple[str, ...], since: str, dry_run: bool, operator: str | None, reason: str | None
) -> None:
    """Take back what stolen credentials sent: every row of a book says again what it said before.

    What of it waits in the quarantine is deleted, and so is what it alone reported of persons. A credential
    is the id of a facility's system, or `operator` for `healthbook import`.
    """
    from healthbook.commands import read_instant, revert_records

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def run(store: "Store", signed: tuple[str, str]) -> bytes:
        instant = read_instant(since)
        return await revert_records(store, credentials, instant, dry_run=dry_run, signed=signed, say=say)

    click.echo(as_operator(run, operator, reason).decode(), nl=False)


@main.command()
@click.option("--check", is_flag=True, help="Compare with the committed files instead of writing them.")
def openapi(check: bool) -> None:
    """Write openapi/openapi.json, mobile-contract/errors.json and errors.md from the code."""
    from healthbook.contract import differing_files, write_files

    root = Path.cwd()
    if not check:
        for path in write_files(root):
            click.echo(f"wrote {path.relative_to(root)}")
        return
    differing = differing_files(root)
    if differing:
        fail(f"{', '.join(differing)}: not what the code generates. Run `healthbook openapi`.")


@main.command(name="as")
@click.argument("who")
@click.argument("verb", type=click.Choice(["GET", "POST", "PUT", "DELETE", "save", "approve", "read-back"]))
@click.argument("target")
@click.argument("body", required=False)
@click.option("--digits", help="approve: the six digits of the doctor's screen (tier B).")
@click.option("--qr", help="approve: the text of the doctor's code (tier A).")
@click.option("--hours", type=int, help="approve: for how long at most.")
@click.option("--types", help="approve: only these types, with commas between.")
def as_(who: str, verb: str, target: str, body: str | None, **choice: Any) -> None:
    """Use the running demo by hand, as WHO of its sheet: one request, or a phone's act.

    \b
    healthbook as hung GET /v1/me/summary
    healthbook as bs.nam POST /v1/doctor/access-requests '{"subject": {...}}'
    healthbook as hung approve REQUEST_ID --digits 123456 --hours 24
    healthbook as hung read-back 'SSK1:...'
    healthbook as hung save /v1/me/exports/book.pdf so.pdf
    """
    from healthbook.demo_hand import HandError, act

    try:
        click.echo(act(settings_or_exit(), who, verb, target, body, choice))
    except HandError as error:
        fail(str(error))


@main.group()
def admin() -> None:
    """Acts of operators."""


@admin.command(name="make-keys")
@click.argument("directory", type=click.Path(path_type=Path))
def make_keys(directory: Path) -> None:
    """Make a new key directory for a real installation; back it up apart from the database."""
    from store.keys import KeyRing

    if directory.exists():
        fail(f"{directory} exists already; keys are never overwritten.")
    KeyRing.create(directory, demo=False)
    click.echo(f"keys made in {directory}")


@admin.command()
@click.argument("plan", type=click.Path(exists=True, path_type=Path))
@OPERATOR
@REASON
def bootstrap(plan: Path, operator: str | None, reason: str | None) -> None:
    """Make the first operators, facilities and administrators, in an empty database only.

    PLAN is a JSON file: {"operators": [{"user_name", "name"}, ...two at least], "facilities": [...],
    "administrators": [...]}. Their secrets are printed once.
    """
    from healthbook.commands import bootstrap_from

    text = plan.read_bytes()

    async def run(store: "Store", signed: tuple[str, str]) -> bytes:
        return await bootstrap_from(store, text, signed)

    click.echo(as_operator(run, operator, reason).decode())


@admin.command(name="add-key")
@click.argument("purpose")
@click.option("--with", "second", envvar="HEALTHBOOK_SECOND_OPERATOR", help="The second operator beside you.")
@OPERATOR
@REASON
def add_key(purpose: str, operator: str | None, reason: str | None) -> None:
    """Add the next key of PURPOSE; it counts once every process has started again."""
    from healthbook.commands import write_down
    from store.keys import FOR_EVER, PURPOSES
    from store.keys import add_key as add

    known = next((known for known in PURPOSES if known == purpose), None)
    if known is None:
        fail(f"{purpose} is none of {', '.join(PURPOSES)}.")
    if known in FOR_EVER:
        fail(f"The key for {known} is never changed.")

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        await write_down(store, with_second(signed, second), f"keys:add-{known}", 1)
        return add(settings_or_exit().keys, known)

    click.echo(f"{purpose} key {as_operator(run, operator, reason)}")


@admin.command(name="first-key")
@click.argument("purpose")
def first_key(purpose: str) -> None:
    """Make the first key of a PURPOSE that came after this installation; before it no process starts."""
    from store.keys import PURPOSES, add_key

    directory = settings_or_exit().keys
    known = next((known for known in PURPOSES if known == purpose), None)
    if known is None or not directory.is_dir():
        fail(f"Name one of {', '.join(PURPOSES)}, and HEALTHBOOK_KEYS a directory that is there.")
    if any(directory.glob(f"{known}.*")):
        fail(f"There is a key for {known} already.")
    click.echo(f"{known} key {add_key(directory, known)}")


@admin.command(name="set-viewer")
@click.argument("facility_code")
@click.argument("template")
@OPERATOR
@REASON
def set_viewer(facility_code: str, template: str, operator: str | None, reason: str | None) -> None:
    """Set a facility's picture viewer: an https address with {study_uid} in its path or query."""
    from healthbook.commands import set_viewer_of

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_viewer_of(store, facility_code, template, signed)

    as_operator(run, operator, reason)
    click.echo(f"viewer of {facility_code} set")


@admin.command(name="set-release")
@click.argument("category", type=click.Choice(["laboratory", "other-results", "imaging", "documents"]))
@click.argument("rule", type=click.Choice(["at-once", "after-review", "after-hours"]))
@click.option("--hours", type=click.IntRange(0, 720), default=0, help="after-hours: how many.")
@click.option("--facility", "facility_code", help="Code of one facility; none: wherever no own rule is.")
@OPERATOR
@REASON
def set_release(
    category: Any, rule: Any, hours: int, facility_code: str | None, operator: str | None, reason: str | None
) -> None:
    """Set when people see a category of results; what waits already keeps its time."""
    from healthbook.commands import set_release as release

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await release(store, facility_code, category, rule, hours, signed)

    as_operator(run, operator, reason)
    click.echo(f"{category}: {rule}")


@admin.command(name="rotate-lookup")
@OPERATOR
@REASON
def rotate_lookup(operator: str | None, reason: str | None) -> None:
    """Move every look-up hash to the current key, once every process has loaded it."""
    from healthbook.commands import rotate_lookup as rotate

    click.echo(f"{as_operator(rotate, operator, reason, role='hb_owner')} hashes moved")


@admin.command(name="add-certificate")
@click.argument("code")
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--required", is_flag=True, help="Refuse what this facility sends unsigned, JSON too.")
@OPERATOR
@REASON
def add_certificate(
    code: str, certificate: Path, required: bool, operator: str | None, reason: str | None
) -> None:
    """Verify what the facility of CODE signs with CERTIFICATE (PEM or DER) from now on."""
    from ehr.intake.trust.service import told_of
    from healthbook.commands import add_certificate as add

    data = certificate.read_bytes()

    async def run(store: "Store", signed: tuple[str, str]) -> str:
        return str(await add(store, code, data, signed, required=required))

    click.echo(as_operator(run, operator, reason))
    click.echo(told_of(data))


@admin.command(name="end-certificate")
@click.argument("certificate_id", type=click.UUID)
@OPERATOR
@REASON
def end_certificate(certificate_id: "UUID", operator: str | None, reason: str | None) -> None:
    """Let a certificate count no more; what was signed with it before keeps its verdict."""
    from healthbook.commands import end_certificate as end

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await end(store, certificate_id, signed)

    as_operator(run, operator, reason)


@admin.command(name="calendar-day")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--off/--worked", default=True, help="A day off, or a Saturday that is worked instead.")
@OPERATOR
@REASON
def calendar_day(day: "datetime", off: bool, operator: str | None, reason: str | None) -> None:
    """Say that DAY is a day off, or worked: the government moves days every year.

    Terms of cases opened from now on count with it; the public holidays of the law are known.
    """
    from healthbook.commands import set_calendar_day

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_calendar_day(store, day.date(), works=not off, signed=signed)

    as_operator(run, operator, reason)
    click.echo(f"{day:%Y-%m-%d} is {'a day off' if off else 'worked'}")


@admin.command(name="case-term")
@click.argument("kind", type=click.Choice(["correction", "not-mine", "missing-visit", "access-report"]))
@click.argument("days", type=click.IntRange(1, 90))
@click.option("--counted", type=click.Choice(["calendar", "working"]), default="calendar")
@OPERATOR
@REASON
def case_term(
    kind: "TermKind", days: int, counted: "Counted", operator: str | None, reason: str | None
) -> None:
    """Set within how many DAYS a facility answers a case of KIND; open cases keep their term."""
    from healthbook.commands import set_case_term

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_case_term(store, kind, days, counted, signed)

    as_operator(run, operator, reason)
    click.echo(f"{kind}: {days} {counted} days")


@admin.command()
@click.option("--restored", is_flag=True, help="A backup was restored; the journal need not show it.")
@OPERATOR
@REASON
def recover(restored: bool, operator: str | None, reason: str | None) -> None:
    """Make a restored database fit to serve: a new epoch, the journal replayed, each log's gap marked.

    Nothing is served before it ran to its end; run it again where it was stopped.
    """
    from healthbook.recovery.commands import recover_place
    from healthbook.wiring import load_keys

    def run(place: "Place") -> str:
        return asyncio.run(
            recover_place(place, load_keys(place.settings), operator, reason, forced=restored)
        )

    click.echo(at_place(run))


@admin.command(name="accountability-threshold")
@click.argument("name")
@click.argument("value", type=click.IntRange(1, 100_000))
@OPERATOR
@REASON
def accountability_threshold(name: str, value: int, operator: str | None, reason: str | None) -> None:
    """Set from how many on the monthly file says that a line is worth a question."""
    from audit.accountability.service import patterns
    from healthbook.commands import set_accountability_threshold

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await set_accountability_threshold(store, name, value, signed)

    known = sorted(patterns().thresholds)
    if name not in known:
        fail(f"{name} is none of {', '.join(known)}.")
    as_operator(run, operator, reason)
    click.echo(f"{name}: {value}")


@admin.command()
def displays() -> None:
    """Print how many of the stored codes have a Vietnamese display, by code system."""
    from healthbook.commands import coverage_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await coverage_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@admin.command(name="core-links")
def core_links() -> None:
    """List the people whose record at EHR_CORE_URL is not read: it is not clear who they are there."""
    from healthbook.commands import unclear_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await unclear_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@admin.command(name="core-subscribe")
@click.option("--topic", help="The address of a topic that the core has; unset: ours is put there.")
@OPERATOR
@REASON
def core_subscribe(topic: str | None, operator: str | None, reason: str | None) -> None:
    """Make the core at EHR_CORE_URL tell of changes at EHR_CORE_SUBSCRIPTION."""
    from healthbook.core_commands import subscribe_to_core

    settings = settings_or_exit()

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await subscribe_to_core(store, settings, topic, signed)

    as_operator(run, operator, reason)
    click.echo("Asked for. A log line core_silent of the worker says when the core does not speak.")


@admin.command(name="core-unsubscribe")
@OPERATOR
@REASON
def core_unsubscribe(operator: str | None, reason: str | None) -> None:
    """Listen no more to what the core at EHR_CORE_URL tells."""
    from healthbook.core_commands import unsubscribe_from_core

    settings = settings_or_exit()

    async def run(store: "Store", signed: tuple[str, str]) -> bool:
        return await unsubscribe_from_core(store, settings, signed)

    told = as_operator(run, operator, reason)
    click.echo("Ended." if told else "Ended here; the core did not answer: delete its Subscription there.")


@admin.command()
def articles() -> None:
    """List the articles, and which are published by whose review."""
    from healthbook.articles import articles_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await articles_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@admin.command(name="article-text")
@click.argument("slug")
def article_text(slug: str) -> None:
    """Print an article for its reviewer, with every stand-in marked."""
    from healthbook.articles import article_text as text

    click.echo(or_exit(lambda: text(slug)))


@admin.command(name="review-article")
@click.argument("slug")
@click.argument("digest")
@click.option("--reviewer", required=True, help="The clinician who read the text, by name.")
@click.option("--licence", required=True, help="The clinician's licence number.")
@click.option("--on", "reviewed_on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="When.")
@OPERATOR
@REASON
def review_article(
    slug: str,
    digest: str,
    reviewer: str,
    licence: str,
    reviewed_on: "datetime",
    operator: str | None,
    reason: str | None,
) -> None:
    """Publish the text of SLUG whose DIGEST a clinician reviewed; an edited text waits again."""
    from healthbook.articles import review_article as review

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await review(store, slug, digest, reviewer, licence, reviewed_on.date(), signed)

    as_operator(run, operator, reason)
    click.echo(f"{slug} is published")


@admin.command(name="withdraw-article")
@click.argument("slug")
@OPERATOR
@REASON
def withdraw_article(slug: str, operator: str | None, reason: str | None) -> None:
    """Stop showing SLUG to people."""
    from healthbook.articles import withdraw_article as withdraw

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await withdraw(store, slug, signed)

    as_operator(run, operator, reason)
    click.echo(f"{slug} is not shown any more")


@admin.command()
@OPERATOR
@REASON
def statistics(operator: str | None, reason: str | None) -> None:
    """Count today's statistics now instead of tonight; a day that is published stays as it is."""
    from healthbook.commands import count_statistics

    click.echo(f"{as_operator(count_statistics, operator, reason)} steps")


@main.group()
def audit() -> None:
    """The logs that prove who did what."""


@audit.command(name="quarantine")
@click.argument("quarantine_id", type=click.UUID)
def audit_quarantine(quarantine_id: "UUID") -> None:
    """Print who looked at something in the quarantine, proposed, placed or returned it."""
    from healthbook.commands import quarantine_events
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> bytes:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await quarantine_events(store, quarantine_id)

    click.echo(at_place(lambda place: asyncio.run(run(place))).decode())


@audit.command()
@click.option("--days", type=click.IntRange(1, 3650), default=2, help="Read under since then; 2 unless set.")
def reconcile(days: int) -> None:
    """Hold the reads that left the API against the rows of the log, per grant and emergency access.

    Exit 1 when a read left that no row tells of.
    """
    from healthbook.commands import reconciled
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> tuple[str, bool]:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await reconciled(store, days)

    text, is_whole = at_place(lambda place: asyncio.run(run(place)))
    click.echo(text)
    if not is_whole:
        raise SystemExit(1)


@audit.command()
@click.argument("exports", nargs=-1, type=FILE)
@click.option("--roots", multiple=True, type=FILE, help="Published roots, of the service or a witness.")
@click.option("--pin", type=FILE, help="What an earlier check kept: nothing of it may have changed.")
@click.option("--witness", metavar="KEY", help="The witness's Ed25519 key (base64url): it must have signed.")
@click.option("--keep", type=NEW_FILE, help="Write what to keep for the next check.")
@click.option("--operators", is_flag=True, help="The operators' log of this installation instead.")
def verify(
    exports: tuple[Path, ...],
    roots: tuple[Path, ...],
    pin: Path | None,
    witness: str | None,
    keep: Path | None,
    operators: bool,
) -> None:
    """Check an exported access log offline, or the operators' log in the database.

    EXPORTS are the pages of `GET /v1/me/access-log/export`, in their order; --roots what
    `GET /.well-known/audit-roots` says. Neither a database nor keys are needed for them.
    Exit 0: whole. 1: something was changed, and where. 2: cannot be checked, and why.
    3: whole, but a restored backup lost rows, and which.
    """
    from healthbook.proofs import ProofError, check_exports, check_operators
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await check_operators(store, roots)

    if operators == bool(exports) or (operators and (pin or keep or witness)) or (witness and not roots):
        fail("Name the files of an export, or --operators alone or with --roots; --witness needs --roots.")
    try:
        if operators:
            click.echo(at_place(lambda place: asyncio.run(run(place))))
        else:
            click.echo(or_exit(lambda: check_exports(exports, roots, pin, witness, keep)))
    except ProofError as error:
        click.echo(str(error), err=True)
        raise SystemExit(error.status) from error


def settings_or_exit() -> Settings:
    """The settings, or exit 2 with the name of the variable that is wrong."""
    try:
        return read_settings()
    except SettingsError as error:
        fail(str(error))


def or_exit(run: Callable[[], T]) -> T:
    """Run; a reason not to start becomes one plain line and exit 2."""
    from healthbook.wiring import StartError
    from store.postgres_binaries import PostgresError

    try:
        return run()
    except (StartError, PostgresError) as error:
        fail(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        # A full or read-only disk, a file where a directory should be, somebody else's directory.
        fail(f"{error.filename}: {error.strerror}. HEALTHBOOK_DATA names the data directory.")


def at_place(run: Callable[["Place"], T]) -> T:
    """Run with the database found or started, and stopped again where we started it."""
    from healthbook.wiring import open_place

    def opened() -> T:
        place = open_place(settings_or_exit())
        try:
            return run(place)
        finally:
            place.stop()

    return or_exit(opened)


def as_operator(
    run: Callable[["Store", tuple[str, str]], Awaitable[T]],
    operator: str | None,
    reason: str | None,
    role: Literal["hb_api", "hb_owner"] = "hb_api",
) -> T:
    """Run an act with a named operator and a reason; a demo needs neither."""
    from healthbook.wiring import check_start, load_keys, opened_store

    async def act(place: "Place", keys: "KeyRing") -> T:
        signed = sign_act(operator, reason, demo=await check_start(place, keys))
        async with opened_store(place, role, keys) as store:
            return await run(store, signed)

    return at_place(lambda place: asyncio.run(act(place, load_keys(place.settings))))


def with_second(signed: tuple[str, str], second: str | None) -> tuple[str, str]:
    """Both names in the row; exit 2 where the second is missing or the same, but in a demo."""
    operator, reason = signed
    if operator.startswith("demo:"):
        return signed
    if not second or second.strip().casefold() == operator.strip().casefold():
        fail("Keys are changed by two people: --with (or HEALTHBOOK_SECOND_OPERATOR) names the other one.")
    return f"{operator} + {second}", reason


def sign_act(operator: str | None, reason: str | None, *, demo: bool) -> tuple[str, str]:
    """Operator and reason; exit 2 where one is missing outside a demo (S26)."""
    if demo:
        return operator or f"demo:{getpass.getuser()}", reason or "demo"
    if not operator or not reason:
        fail("This act needs --operator and --reason (or HEALTHBOOK_OPERATOR and HEALTHBOOK_REASON).")
    return operator, reason


def fail(text: str) -> NoReturn:
    """One line on standard error and exit 2."""
    click.echo(text, err=True)
    raise SystemExit(2)
