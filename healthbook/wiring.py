"""The composition root: which database, which keys, which senders; nothing else decides that."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import asyncpg
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from ehr.core.fhir_http import CoreAddress, FhirCore
from ehr.letters.models import Validity
from healthbook.demo_desk import desk_of
from healthbook.exchange import trusted_keys
from healthbook.identity_provider import issuer_of, return_addresses
from healthbook.settings import Settings, words
from healthbook.start_check import missing_providers, reasons_not_to_start
from healthbook.tracing import opened_tracing
from kernel.clock import Clock, SystemClock
from partners.verifiers.models import Issuer
from partners.verifiers.oidc import OidcVerifier
from store.blobs import BlobStore, FilesystemBlobs
from store.blobs_s3 import open_s3_blobs
from store.database import Store, Tx, open_store
from store.installation import closing, is_demo, is_elsewhere, mark_installation, settle_first
from store.journal import JournalError, JournalFiles, is_ahead, mark_of, open_recovery, position_of
from store.journal_files import DirectoryJournal, open_bucket_journal
from store.keys import KeyRing, KeyRingError
from store.migrate import GRANTS, migrate, prepare_roles
from store.migration_files import MIGRATIONS, MigrationError
from store.postgres import Server, start_server
from vaccination.signer.client import SocketSigner
from visits.coverage_check.http import HttpCoverageCheck
from vitals.alerts.moving import MOVING

if TYPE_CHECKING:
    from api.app import Api

# No connection: nobody there, a wrong address, a wrong password, no such database.
UNREACHABLE = (
    OSError,
    ValueError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
# Beside an embedded database: the digest of the schema that it was brought to.
STAMP = "schema.stamp"
# The certificate that an installation leaves behind (healthbook/handover).
DESTROYED = "destroyed.jws"
Role = Literal["hb_owner", "hb_api", "hb_delivery", "hb_signer", "hb_backup"]


class StartError(Exception):
    """The program cannot start; the text says why and what to do, in plain words."""


class Place(Struct, frozen=True):
    """Where this process finds everything: settings and, when embedded, the running server."""

    settings: Settings
    server: Server | None

    def dsn(self, role: Role) -> str:
        """The database address of a role. It can hold a password: never log it."""
        if self.server is not None:
            return self.server.dsn(role)
        own = {
            "hb_owner": self.settings.database_owner_url,
            "hb_delivery": self.settings.database_delivery_url,
            "hb_signer": self.settings.database_signer_url,
            "hb_backup": self.settings.database_backup_url,
        }
        return own.get(role) or self.settings.database_url

    def stop(self) -> None:
        """Stop the PostgreSQL that this process started."""
        if self.server is not None:
            self.server.stop()


def unusable(error: Exception, names: str) -> StartError:
    """Plain words for a database that does not let us in; the error itself can quote the address."""
    return StartError(f"The database cannot be used ({type(error).__name__}). Check {names}.")


async def refuse_foreign(place: Place, role: Literal["hb_owner", "hb_delivery", "hb_signer"]) -> None:
    """Raises StartError where what signs in for a role may not be that role."""
    try:
        connection = await asyncpg.connect(place.dsn(role), server_settings={"role": role})
    except (*UNREACHABLE, asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError) as error:
        name = f"DATABASE_{role.removeprefix('hb_').upper()}_URL"
        names = f"{name} (unset: DATABASE_URL): it signs in as {role} or as a member of it"
        raise unusable(error, names) from error
    await connection.close()


def refuse_destroyed(settings: Settings) -> None:
    """Nothing starts where an installation ended: not by mistake, and not a new one over its certificate."""
    if (settings.data / DESTROYED).exists():
        raise StartError(
            f"This installation was handed over and destroyed: {settings.data / DESTROYED} certifies it. "
            "Nothing is served here. A new one needs a HEALTHBOOK_DATA of its own."
        )


def open_place(settings: Settings) -> Place:
    """Find or start the database. Call it from the main thread (store/postgres.py)."""
    refuse_destroyed(settings)
    if not settings.embedded:
        return Place(settings, None)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Place(settings, start_server(settings.data / "postgres"))


def load_keys(settings: Settings) -> KeyRing:
    """The key ring. Raises StartError in plain words where there is none."""
    refuse_destroyed(settings)
    if not settings.keys.is_dir():
        raise StartError(
            f"There are no keys in {settings.keys}. `healthbook demo` makes a demo with its own keys; "
            "`healthbook admin make-keys` makes keys for a real installation. "
            "HEALTHBOOK_KEYS names the directory."
        )
    try:
        return KeyRing.load(settings.keys)
    except KeyRingError as error:
        raise StartError(f"The keys cannot be used: {error}.") from error


@asynccontextmanager
async def opened_store(place: Place, role: Role, keys: KeyRing) -> AsyncIterator[Store]:
    """A store as `role`, closed at the end."""
    pool_max, MOVING.steps_a_minute = place.settings.pool_max, place.settings.vital_steps_a_minute
    async with opened_blobs(place.settings, keys) as blobs:
        store = await open_store(place.dsn(role), role=role, keys=keys, blobs=blobs, pool_max=pool_max)
        try:
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def opened_blobs(settings: Settings, keys: KeyRing) -> AsyncIterator[BlobStore]:
    """Where documents and pictures lie: the object store where one is set, else beside the data."""
    if not settings.s3_endpoint:
        yield FilesystemBlobs(settings.data / "blobs", keys)
        return
    async with open_s3_blobs(settings.s3_endpoint, settings.s3_bucket, settings.s3_region, keys) as blobs:
        yield blobs


@asynccontextmanager
async def opened_journal(settings: Settings, clock: Clock) -> AsyncIterator[JournalFiles]:
    """Where the acts are written that no restored backup may undo (security.md S12)."""
    if not settings.journal_bucket:
        yield DirectoryJournal(settings.journal)
        return
    bucket = settings.journal_bucket
    async with open_bucket_journal(settings.s3_endpoint, bucket, settings.s3_region, clock) as journal:
        yield journal


async def bring_up_to_date(place: Place, *, demo: bool = False) -> list[str]:
    """Apply missing migrations and mark a new database as demo or real, once and for ever.

    Skipped where this code did it before on the embedded database; a stamp beside the data says so.
    """
    stamp = place.settings.data / STAMP
    wanted = schema_digest()
    if place.settings.embedded and stamp.exists() and stamp.read_text() == wanted:
        return []
    if not place.settings.embedded:
        try:
            await prepare_roles(place.dsn("hb_owner"))
        except UNREACHABLE as error:
            raise unusable(error, "DATABASE_OWNER_URL or DATABASE_URL") from error
        await refuse_foreign(place, "hb_owner")
    try:
        applied = await migrate(place.dsn("hb_owner"), SystemClock().now())
    except MigrationError as error:
        raise StartError(f"{error}.") from error
    await mark(place, demo=demo)
    if place.settings.embedded:
        stamp.write_text(wanted)
    return applied


async def mark(place: Place, *, demo: bool) -> None:
    """Say what a new database is; a mark that stands is never changed (security.md S4)."""
    connection = await asyncpg.connect(place.dsn("hb_owner"), server_settings={"role": "hb_owner"})
    try:
        await mark_installation(connection, demo, SystemClock().now())
        await settle_first(connection)
    finally:
        await connection.close()


def schema_digest() -> str:
    """SHA-256 over the names and contents of all migrations and rights."""
    digest = hashlib.sha256()
    for path in [*sorted(MIGRATIONS.glob("*.sql")), GRANTS]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


async def check_start(place: Place, keys: KeyRing) -> bool:
    """Whether the database is a demo. Raises StartError where this process must not serve it."""
    try:
        connection = await asyncpg.connect(place.dsn("hb_api"), server_settings={"role": "hb_api"})
        try:
            demo = await is_demo(connection)
            if demo is not None:
                await refuse_closed(connection)
                await refuse_restored(connection, place.settings)
        finally:
            await connection.close()
    except asyncpg.UndefinedTableError:
        raise StartError("The database has no tables yet. Run `healthbook migrate`.") from None
    except (OSError, ValueError, asyncpg.PostgresError) as error:
        raise unusable(error, "DATABASE_URL") from error
    reasons = reasons_not_to_start(place.settings, demo_database=bool(demo), demo_keys=keys.demo)
    if reasons:
        raise StartError(" ".join(reasons))
    return bool(demo)


async def refuse_closed(tx: Tx) -> None:
    """An installation whose end has begun serves nobody: what is handed over must not change."""
    state = await closing(tx)
    if state is not None and state.closed_at is not None:
        raise StartError(
            f"This installation was closed on {state.closed_at:%Y-%m-%d} to be handed over. "
            "Nothing is served. `healthbook decommission reopen` takes that back."
        )


async def refuse_restored(tx: Tx, settings: Settings) -> None:
    """A database that is older than its journal, or that a restore brought here, serves nobody before it was
    recovered (security.md S12)."""
    try:
        async with opened_journal(settings, SystemClock()) as journal:
            mark = await mark_of(journal)
    except JournalError as error:
        raise StartError(f"The journal cannot be read: {error}. Check HEALTHBOOK_JOURNAL.") from error
    if is_ahead(mark, await position_of(tx)) or await open_recovery(tx) is not None:
        raise StartError(
            "This database was restored from a backup, or HEALTHBOOK_JOURNAL is not its journal: "
            "that one knows of later acts, or of none at all. Set the right one and run "
            "`healthbook admin recover`; where it is lost, that holds all that lived. "
            "Nothing is served before."
        )
    if await is_elsewhere(tx):
        raise StartError(
            "This database was restored from a backup, or a standby of it was promoted. Nothing is served "
            "before `healthbook admin recover`; where a standby that lost nothing stands in, "
            "`healthbook admin recover --promoted`."
        )


def core_address(settings: Settings) -> CoreAddress | None:
    """The other core of this installation; None where records come in by import alone."""
    if not settings.ehr_core_url:
        return None
    return CoreAddress(
        url=settings.ehr_core_url,
        source_id=f"core:{settings.ehr_core_id}",
        name=settings.ehr_core_name or urlsplit(settings.ehr_core_url).hostname or "",
        token=settings.ehr_core_token,
    )


@asynccontextmanager
async def opened_core(settings: Settings, clock: Clock) -> AsyncIterator[FhirCore | None]:
    """The other core of this process, closed at the end."""
    address = core_address(settings)
    if address is None:
        yield None
        return
    core = FhirCore(address, clock)
    try:
        yield core
    finally:
        await core.close()


@asynccontextmanager
async def opened_gateway(address: str, token: str) -> AsyncIterator[HttpCoverageCheck]:
    """The insurance gateway of this process, closed at the end."""
    gateway = HttpCoverageCheck(address, token)
    try:
        yield gateway
    finally:
        await gateway.close()


@asynccontextmanager
async def opened_verifier(issuer: Issuer) -> AsyncIterator[OidcVerifier]:
    """The identity provider of this process, closed at the end."""
    verifier = OidcVerifier(issuer)
    try:
        yield verifier
    finally:
        await verifier.close()


def signer_of(settings: Settings) -> SocketSigner:
    """The signer of certificates, behind its socket; it may come and go."""
    return SocketSigner(settings.signer_socket)


def gateway_address(settings: Settings, *, demo: bool) -> str:
    """Where cards are asked about; a demo asks itself (api/pages/demo_gateway.py)."""
    if settings.coverage_check_url or not demo:
        return settings.coverage_check_url
    return f"http://{settings.host}:{settings.port}/demo/coverage-gateway"


class Serving(Struct, frozen=True):
    """What the parent found out and its server processes take over at the fork."""

    place: Place
    keys: KeyRing
    demo: bool


def _axis_keys(settings: Settings) -> list[RSAPublicKey]:
    """What the axis signs with; a file that cannot be read is told by the check of the start."""
    try:
        return trusted_keys(settings)
    except (OSError, ValueError):
        return []


def make_app(settings: Settings, keys: KeyRing, place: Callable[[], Place]) -> "Api":
    """The application of the API processes; each opens its pool when its server's loop runs.

    Built before the database is known (`place` is asked later) to save time at a start. Keys tell a
    demo from a real installation as surely as the database does: check_start refuses a mixture.
    """
    from api.app import create_app  # noqa: PLC0415

    gateway = gateway_address(settings, demo=keys.demo)
    issuer = issuer_of(settings, demo=keys.demo)
    return create_app(
        lambda: opened_store(place(), "hb_api", keys),
        SystemClock(),
        demo=keys.demo,
        allowed_hosts=settings.hosts(),
        trusted_proxies=words(settings.trusted_proxies),
        missing_providers=[] if keys.demo else missing_providers(settings),
        app_origin=settings.origin,
        hotline=settings.hotline,
        sms_secret=settings.sms_gateway_secret,
        elsewhere_days=settings.elsewhere_days,
        letter_validity=Validity(
            referral_days=settings.letter_referral_days, revisit_days=settings.letter_revisit_days
        ),
        vital_series_days=settings.vital_series_days,
        link_viewer=settings.link_viewer,
        signer=signer_of(settings),
        open_core=(lambda: opened_core(settings, SystemClock())) if settings.ehr_core_url else None,
        open_verifier=(lambda: opened_verifier(issuer)) if issuer else None,
        open_trace=(lambda: opened_tracing(settings.traces_endpoint)) if settings.traces_endpoint else None,
        identity_return=return_addresses(settings, demo=keys.demo),
        axis_keys=_axis_keys(settings),
        demo_desk=desk_of(settings, demo=keys.demo),
        open_gateway=(lambda: opened_gateway(gateway, settings.coverage_check_token)) if gateway else None,
    )
