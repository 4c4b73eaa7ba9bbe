"""Settings from the environment, checked when the program starts. README.md lists them."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from consent.links.wire import ADDRESS_MAX, PATH
from ehr.reads.elsewhere import ELSEWHERE_DAYS
from notifications.sms import HOTLINE
from notifications.sms_template import TEMPLATE, Format, TemplateError, read_template
from partners.verifiers import configured
from vitals.accepting import SERIES_DAYS
from vitals.alerts.readings import STEPS_A_MINUTE

# The last label of a host name is never all digits, that of an IP address always is.
_NAME = re.compile(r"([a-z0-9-]+\.)*[a-z0-9-]*[a-z][a-z0-9-]*")

_S3 = "s3://"
SMS_SECRET_MIN = 32


# SMART Health Links: an address has at most 128 characters, and 43 of them are random.
ORIGIN_MAX = ADDRESS_MAX - len(PATH) - 43


class SettingsError(Exception):
    """A variable does not hold what it should; the text names it."""


class Settings(Struct, frozen=True, kw_only=True, rename="upper"):
    """One field per variable; the variable's name is the field's in capitals."""

    healthbook_data: str = ".healthbook"
    healthbook_keys: str = ""
    # Where acts are written that no restored backup may undo: a directory on another volume than the data, or
    # `s3://BUCKET` with object lock at S3_ENDPOINT; unset: beside the data, good for a demo only.
    healthbook_journal: str = ""
    # Where backups go, a directory on another disk or `s3://BUCKET` at S3_ENDPOINT, and the public keys of
    # age that they are sealed to, with commas between.
    healthbook_backup: str = ""
    healthbook_backup_recipients: str = ""
    # Where the database's log waits in the clear until it is sealed; unset: beside the data.
    healthbook_backup_spool: str = ""
    # The signer of certificates (security.md S28): its own key directory, and the socket of one that runs by
    # itself; without that one, `serve` starts one where there are keys.
    healthbook_signer_keys: str = ""
    healthbook_signer: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    # After SIGTERM everybody is answered for so long while /health/ready is red: as long as whoever balances
    # needs to see that. Ctrl-C does not wait.
    drain_seconds: Annotated[int, Meta(ge=0, le=300)] = 5
    app_origin: str = ""
    allowed_hosts: str = ""
    trusted_proxies: str = ""
    database_url: str = ""
    database_delivery_url: str = ""
    database_owner_url: str = ""
    database_signer_url: str = ""
    # Where `healthbook admin copy-database` copies to.
    database_copy_url: str = ""
    # A sign-in with REPLICATION that backups are made as.
    database_backup_url: str = ""
    pool_max: Annotated[int, Meta(ge=2, le=200)] = 10
    fcm_credentials: str = ""
    sms_gateway_url: str = ""
    # How that gateway wants its requests, which of its answers is a yes, and where its own id stands in it.
    sms_gateway_format: Format = "json"
    sms_gateway_template: str = TEMPLATE
    sms_gateway_accepted: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_.-]+=.+)?$(?!\n)")] = ""
    sms_gateway_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")] = "id"
    # Its bearer token, and what both sides sign with.
    sms_gateway_token: str = ""
    sms_gateway_secret: str = ""
    # Another FHIR R4 core to read from. The id stands for it for ever, wherever it moves.
    ehr_core_url: str = ""
    ehr_core_token: str = ""
    ehr_core_name: Annotated[str, Meta(max_length=100)] = ""
    ehr_core_id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$(?!\n)")] = "main"
    # Under which address that core reaches this service, where it should tell of changes itself.
    ehr_core_subscription: str = ""
    # The insurance gateway that desks ask about cards; unset: no card can be checked.
    coverage_check_url: str = ""
    coverage_check_token: str = ""
    # The OpenID Connect issuer that people prove with who they are; unset: nobody does online (README.md).
    identity_issuer: str = ""
    identity_client_id: str = ""
    identity_client_secret: str = ""
    identity_scopes: Annotated[str, Meta(pattern="^openid( [!-~]+)*$(?!\n)")] = "openid profile"
    # `acr=level`, with commas between: which of its answers is level 1 or 2; any other proves nothing.
    identity_levels: str = ""
    # `ours=theirs`, with commas between, for number, name, birth_date, sex, dependents.
    identity_claims: str = ""
    # Further origins that its endpoints lie on, and where browsers go back to: addresses of apps.
    identity_origins: str = ""
    identity_return: str = ""
    # The ministry's axis (QĐ 1551), off while AXIS_URL is unset: its base address, where it gives tokens, and
    # what it told the operator to sign in with and to put into headers; nothing of that is ours to invent.
    # AXIS_TRUSTED_KEYS is a file with the public keys or certificates that its messages to us are signed
    # with; unset: none is taken.
    axis_url: str = ""
    axis_login_url: str = ""
    axis_client_id: str = ""
    axis_client_secret: str = ""
    axis_receiver: str = ""
    axis_version: str = ""
    axis_txn_type: str = ""
    axis_trusted_keys: str = ""
    # Where documents and pictures lie; unset: beside the data. Credentials are AWS_ACCESS_KEY_ID and
    # AWS_SECRET_ACCESS_KEY.
    s3_endpoint: str = ""
    s3_bucket: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$(?!\n)")] = ""
    s3_region: str = "us-east-1"
    # Who countersigns the roots of the access log, and with which Ed25519 key (base64url).
    audit_witness_url: str = ""
    audit_witness_key: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{43})?$(?!\n)")] = ""
    # How many days back a doctor's summary looks for the same test at other facilities; 0: not at all.
    elsewhere_days: Annotated[int, Meta(ge=0, le=366)] = ELSEWHERE_DAYS
    # For how many days a referral counts from the day it was issued, and a revisit letter from the day it
    # names, where the letter does not say; 0: no last day is said. What circulars ask for is unconfirmed.
    letter_referral_days: Annotated[int, Meta(ge=0, le=731)] = 0
    letter_revisit_days: Annotated[int, Meta(ge=0, le=731)] = 0
    # How many days measurements are kept: points of series, single readings, sums of hours (sums of days take
    # their place), and sums at all; 0: for ever.
    vital_series_days: Annotated[int, Meta(ge=30, le=SERIES_DAYS)] = SERIES_DAYS
    vital_samples_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    vital_hours_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    vital_archive_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    # More steps a minute than these explain a high heart rate.
    vital_steps_a_minute: Annotated[int, Meta(ge=20, le=300)] = STEPS_A_MINUTE
    # The viewer that stands before a share link, ending in `#`; unset: the link alone, for any viewer.
    link_viewer: str = ""
    # Where `serve`, or a worker by itself, offers its figures to Prometheus; 0: nowhere. The address is the
    # loopback's unless containers need another, on a network that nobody else is in (security.md S34).
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    metrics_host: str = "127.0.0.1"
    # Where traces go (OTLP over HTTP); unset: nowhere. Needs the extra `tracing`.
    traces_endpoint: str = ""
    # The number that messages tell people to call.
    hotline: Annotated[str, Meta(pattern=r"^[0-9][0-9 ]{2,14}$(?!\n)")] = HOTLINE

    @property
    def data(self) -> Path:
        """The directory of everything this installation keeps."""
        return Path(self.healthbook_data).expanduser().resolve()

    @property
    def keys(self) -> Path:
        """The key directory; keep it off the data volume in production (security.md S15)."""
        return (
            Path(self.healthbook_keys).expanduser().resolve() if self.healthbook_keys else self.data / "keys"
        )

    @property
    def signer_keys(self) -> Path:
        """The signer's key directory; in production of an account of its own."""
        own = self.healthbook_signer_keys
        return Path(own).expanduser().resolve() if own else self.data / "signer"

    @property
    def signer_socket(self) -> Path:
        """Where the signer listens."""
        own = self.healthbook_signer
        return Path(own).expanduser().absolute() if own else self.data / "signer.sock"

    @property
    def backup_spool(self) -> Path:
        """Where the database's log waits until it is sealed, in the clear."""
        own = self.healthbook_backup_spool
        return Path(own).expanduser().resolve() if own else self.data / "backup-spool"

    @property
    def journal(self) -> Path:
        """The journal's directory, where it is one."""
        return (
            Path(self.healthbook_journal).expanduser().resolve()
            if self.healthbook_journal
            else self.data / "journal"
        )

    @property
    def journal_bucket(self) -> str:
        """The journal's bucket, where it is one."""
        return self.healthbook_journal.removeprefix(_S3) if self.healthbook_journal.startswith(_S3) else ""

    @property
    def backup(self) -> Path:
        """The directory of backups, where it is one."""
        return Path(self.healthbook_backup).expanduser().resolve()

    @property
    def backup_bucket(self) -> str:
        """The bucket of backups, where it is one."""
        return self.healthbook_backup.removeprefix(_S3) if self.healthbook_backup.startswith(_S3) else ""

    @property
    def is_new(self) -> bool:
        """True before the first start: no keys and no database of ours."""
        return not self.keys.exists() and not (self.data / "postgres").exists()

    @property
    def embedded(self) -> bool:
        """True where the program starts its own PostgreSQL."""
        return not self.database_url

    @property
    def on_loopback(self) -> bool:
        """True where only this machine can reach the port."""
        return is_loopback(self.host)

    @property
    def base_url(self) -> str:
        """Where people on this machine find the service."""
        host = "localhost" if self.on_loopback or self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Where browsers open the app: WebAuthn credentials are made for it and work nowhere else."""
        return self.app_origin or f"http://localhost:{self.port}"

    def hosts(self) -> list[str]:
        """The names a Host header may carry: the configured ones and, on loopback, the local ones."""
        return words(self.allowed_hosts) + (["localhost", "127.0.0.1", "[::1]"] if self.on_loopback else [])


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(text: str) -> bool:
    """Whether a text is one IP address, as a peer's address reads."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_app_origin(origin: str) -> bool:
    """Scheme and host name, and a port if any, as a browser names it; without TLS on localhost only.

    An IP address is no relying party of WebAuthn (Web Authentication level 2, §4, RP ID).
    """
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host == "localhost")
    port_text = "" if port is None else f":{port}"
    return secure and _NAME.fullmatch(host) is not None and origin == f"{parts.scheme}://{host}{port_text}"


def is_core_url(url: str) -> bool:
    """A FHIR base without user, query or fragment; in clear on this machine alone."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    return secure and bool(host) and "@" not in parts.netloc and not parts.query and not parts.fragment


def is_collector(url: str) -> bool:
    """Where traces are taken; they tell of nobody, so a network of containers may carry them in clear."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc and not parts.query


def is_viewer(address: str) -> bool:
    """A page that takes a share link behind `#`, which no server sees; in clear on this machine alone."""
    return address.endswith("#") and address.count("#") == 1 and is_core_url(address[:-1])


def is_service_address(address: str) -> bool:
    """Scheme, host and port of a service; without TLS on this machine only."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    return (
        bool(host) and plain and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
    )


def words(text: str) -> list[str]:
    """A comma-separated list without its blanks."""
    return [word.strip() for word in text.split(",") if word.strip()]


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsError with the variable's name."""
    environment = os.environ if environment is None else environment
    known = {field.encode_name for field in msgspec.structs.fields(Settings)}
    given: dict[str, Any] = {
        name: value for name, value in environment.items() if name in known and value != ""
    }
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        # msgspec: "Expected `int`, got `str` - at `$.PORT`"; the value itself can be a secret.
        what, _, where = str(error).partition(" - at `$.")
        raise SettingsError(f"{where.rstrip('`') or 'settings'}: {what}") from None
    for name in known & {name for name in given if name.startswith("DATABASE_")}:
        if not given.get(name, "postgresql://").startswith(("postgresql://", "postgres://")):
            raise SettingsError(f"{name}: expected `postgresql://` and an address")
    if not all(is_address(proxy) for proxy in words(settings.trusted_proxies)):
        raise SettingsError("TRUSTED_PROXIES: expected IP addresses, with commas between")
    if bool(settings.s3_endpoint) != bool(settings.s3_bucket):
        raise SettingsError("S3_ENDPOINT, S3_BUCKET: set both or none")
    if settings.s3_endpoint and not is_service_address(settings.s3_endpoint):
        raise SettingsError("S3_ENDPOINT: expected `https://` and a host, or `http://` on this machine")
    if settings.journal_bucket and not settings.s3_endpoint:
        raise SettingsError("HEALTHBOOK_JOURNAL: a bucket needs S3_ENDPOINT")
    if settings.backup_bucket and not settings.s3_endpoint:
        raise SettingsError("HEALTHBOOK_BACKUP: a bucket needs S3_ENDPOINT")
    check_addresses(settings)
    if settings.ehr_core_url and not is_core_url(settings.ehr_core_url):
        raise SettingsError(
            "EHR_CORE_URL: expected `https://`, a host and the FHIR base, or `http://` on this machine; "
            "a secret goes into EHR_CORE_TOKEN"
        )
    told_at = settings.ehr_core_subscription
    if told_at and not (settings.ehr_core_url and is_core_url(told_at)):
        raise SettingsError(
            "EHR_CORE_SUBSCRIPTION: expected `https://` and where the core reaches this service, or "
            "`http://` on this machine; it needs EHR_CORE_URL"
        )
    _check_identity(settings)
    _check_witness(settings)
    _check_gateway(settings)
    _check_axis(settings)
    _check_sms(settings)
    if not settings.ehr_core_token.isascii() or not settings.ehr_core_token.isprintable():
        raise SettingsError("EHR_CORE_TOKEN: expected one line of printable ASCII")
    return settings


def _check_identity(settings: Settings) -> None:
    issuer = settings.identity_issuer
    if issuer and not configured.is_issuer(issuer, insecure=True):
        raise SettingsError("IDENTITY_ISSUER: expected `https://` and a host, without query or fragment")
    if bool(issuer) != bool(settings.identity_client_id):
        raise SettingsError("IDENTITY_ISSUER, IDENTITY_CLIENT_ID: set both or none")
    if issuer and not settings.identity_levels:
        raise SettingsError("IDENTITY_LEVELS: without it no answer of the issuer proves anything")
    name = "IDENTITY_LEVELS"
    try:
        configured.read_levels(words(settings.identity_levels))
        name = "IDENTITY_CLAIMS"
        configured.read_claims(words(settings.identity_claims))
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None
    if not all(configured.is_origin(one) for one in words(settings.identity_origins)):
        raise SettingsError("IDENTITY_ORIGINS: expected `https://` and a host, with commas between")
    if not all(configured.is_app_address(one) for one in words(settings.identity_return)):
        raise SettingsError("IDENTITY_RETURN: expected links of apps, `https://…` or `vn.example.app:/…`")


def _check_gateway(settings: Settings) -> None:
    if settings.coverage_check_url and not is_core_url(settings.coverage_check_url):
        raise SettingsError(
            "COVERAGE_CHECK_URL: expected `https://` and a host, or `http://` on this machine; "
            "a secret goes into COVERAGE_CHECK_TOKEN"
        )
    token = settings.coverage_check_token
    if not token.isascii() or not token.isprintable():
        raise SettingsError("COVERAGE_CHECK_TOKEN: expected one line of printable ASCII")


def _check_axis(settings: Settings) -> None:
    told = {
        "AXIS_LOGIN_URL": settings.axis_login_url,
        "AXIS_CLIENT_ID": settings.axis_client_id,
        "AXIS_CLIENT_SECRET": settings.axis_client_secret,
        "AXIS_RECEIVER": settings.axis_receiver,
        "AXIS_VERSION": settings.axis_version,
        "AXIS_TXN_TYPE": settings.axis_txn_type,
    }
    if missing := [name for name, value in told.items() if bool(value) != bool(settings.axis_url)]:
        raise SettingsError(f"AXIS_URL, {', '.join(missing)}: set all that the axis needs, or none")
    for name, value in {"AXIS_URL": settings.axis_url, "AXIS_LOGIN_URL": settings.axis_login_url}.items():
        if value and not is_core_url(value):
            raise SettingsError(
                f"{name}: expected `https://` and a host, or `http://` on this machine; "
                "a secret goes into AXIS_CLIENT_SECRET"
            )
    for name, value in told.items():
        if not value.isascii() or (value and not value.isprintable()):
            raise SettingsError(f"{name}: expected one line of printable ASCII")


def _check_sms(settings: Settings) -> None:
    if settings.sms_gateway_url and not is_core_url(settings.sms_gateway_url):
        raise SettingsError(
            "SMS_GATEWAY_URL: expected `https://` and a host, or `http://` on this machine; "
            "secrets go into SMS_GATEWAY_TOKEN and SMS_GATEWAY_SECRET"
        )
    try:
        read_template(settings.sms_gateway_template, settings.sms_gateway_format)
    except TemplateError as error:
        raise SettingsError(f"SMS_GATEWAY_TEMPLATE: {error}") from None
    token, secret = settings.sms_gateway_token, settings.sms_gateway_secret
    if not token.isascii() or not token.isprintable():
        raise SettingsError("SMS_GATEWAY_TOKEN: expected one line of printable ASCII")
    if secret and len(secret) < SMS_SECRET_MIN:
        raise SettingsError(f"SMS_GATEWAY_SECRET: expected at least {SMS_SECRET_MIN} characters")


def _check_witness(settings: Settings) -> None:
    if bool(settings.audit_witness_url) != bool(settings.audit_witness_key):
        raise SettingsError("AUDIT_WITNESS_URL, AUDIT_WITNESS_KEY: set both or none")
    if settings.audit_witness_url and not is_core_url(settings.audit_witness_url):
        raise SettingsError("AUDIT_WITNESS_URL: expected `https://` and a host, or `http://` on this machine")


def check_addresses(settings: Settings) -> None:
    """Where browsers, viewers and traces are sent, and figures fetched. Raises SettingsError."""
    if not is_address(settings.metrics_host):
        raise SettingsError("METRICS_HOST: expected an IP address of this machine")
    if settings.traces_endpoint and not is_collector(settings.traces_endpoint):
        raise SettingsError("TRACES_ENDPOINT: expected `http://` or `https://`, a host and a path")
    if settings.app_origin and not is_app_origin(settings.app_origin):
        raise SettingsError("APP_ORIGIN: expected `https://` and a host name, or `http://localhost:PORT`")
    if len(settings.origin) > ORIGIN_MAX:
        raise SettingsError(f"APP_ORIGIN: at most {ORIGIN_MAX} characters, for the address of a share link")
    if settings.link_viewer and not is_viewer(settings.link_viewer):
        raise SettingsError("LINK_VIEWER: expected `https://`, a host, a path and `#` at the end")
