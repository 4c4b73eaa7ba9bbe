"""May this process start? One demo cell of the matrix is open, every other is refused (security.md S4)."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from healthbook.exchange import axis_reasons
from healthbook.settings import Settings, is_loopback
from healthbook.tracing import NO_EXTRA, can_trace
from notifications.fcm.account import AccountError, read_account


def reasons_not_to_start(settings: Settings, *, demo_database: bool, demo_keys: bool) -> list[str]:
    """Plain sentences; empty where the process may start."""
    reasons = _demo_reasons(settings, demo_keys) if demo_database else _real_reasons(settings, demo_keys)
    untraceable = [NO_EXTRA] if settings.traces_endpoint and not can_trace() else []
    return [*reasons, *axis_reasons(settings), *untraceable]


def _demo_reasons(settings: Settings, demo_keys: bool) -> list[str]:
    checks = [
        (
            not settings.on_loopback,
            f"HOST is {settings.host}: a demo database is served on this machine only. Use HOST=127.0.0.1.",
        ),
        (
            any(is_remote(url) for url in database_urls(settings)),
            "DATABASE_URL names another machine: a demo database stays on this one.",
        ),
        (
            bool(configured_senders(settings)),
            f"{', '.join(configured_senders(settings))} is set: a demo never sends real messages. Unset it.",
        ),
        (
            bool(settings.allowed_hosts),
            "ALLOWED_HOSTS is set: a demo answers to local names only. Unset it.",
        ),
        (
            bool(settings.ehr_core_url) and not is_loopback(urlsplit(settings.ehr_core_url).hostname or ""),
            "EHR_CORE_URL names another machine: a demo database reads no real records. Unset it.",
        ),
        (
            bool(settings.s3_endpoint) and not is_loopback(urlsplit(settings.s3_endpoint).hostname or ""),
            "S3_ENDPOINT names another machine: a demo keeps its files on this one. Unset it.",
        ),
        (
            bool(settings.identity_issuer)
            and not is_loopback(urlsplit(settings.identity_issuer).hostname or ""),
            "IDENTITY_ISSUER names another machine: in a demo nobody proves who they really are. Unset it.",
        ),
        (
            bool(settings.axis_url) and not is_loopback(urlsplit(settings.axis_url).hostname or ""),
            "AXIS_URL names another machine: a demo tells no ministry of anybody. Unset it.",
        ),
        (not demo_keys, "HEALTHBOOK_KEYS are real keys: a demo database uses the keys it was made with."),
    ]
    return [reason for applies, reason in checks if applies]


def _real_reasons(settings: Settings, demo_keys: bool) -> list[str]:
    checks = [
        (demo_keys, "HEALTHBOOK_KEYS are demo keys: make real ones with `healthbook admin make-keys`."),
        (
            not settings.on_loopback and not settings.allowed_hosts,
            "ALLOWED_HOSTS is empty: name the hosts this service answers to.",
        ),
        (
            not settings.on_loopback and not settings.app_origin,
            "APP_ORIGIN is empty: name the address where browsers open this service, "
            "which share links lead to and keys of browsers are made for.",
        ),
        (
            bool(settings.sms_gateway_url)
            and not (settings.sms_gateway_secret or settings.sms_gateway_token),
            "SMS_GATEWAY_URL is set without SMS_GATEWAY_SECRET or SMS_GATEWAY_TOKEN: "
            "a gateway that takes messages from anybody sends none of ours.",
        ),
        (
            bool(settings.axis_trusted_keys) and not settings.axis_url,
            "AXIS_TRUSTED_KEYS is set without AXIS_URL: messages come from the axis that ours go to.",
        ),
        (
            settings.identity_issuer.startswith("http:"),
            "IDENTITY_ISSUER is in clear: only a demo may ask an issuer without TLS.",
        ),
    ]
    return [*(reason for applies, reason in checks if applies), *_push_reasons(settings)]


def _push_reasons(settings: Settings) -> list[str]:
    if not settings.fcm_credentials:
        return []
    try:
        read_account(Path(settings.fcm_credentials))
    except AccountError as error:
        return [f"FCM_CREDENTIALS: {error}."]
    return []


def configured_senders(settings: Settings) -> list[str]:
    """The variables that name a real push or SMS provider."""
    given = {"FCM_CREDENTIALS": settings.fcm_credentials, "SMS_GATEWAY_URL": settings.sms_gateway_url}
    return [name for name, value in given.items() if value]


def missing_providers(settings: Settings) -> list[str]:
    """What /health/ready is red for outside a demo: nobody would receive a message."""
    given = {"push": settings.fcm_credentials, "sms": settings.sms_gateway_url}
    return [name for name, value in given.items() if not value]


def database_urls(settings: Settings) -> list[str]:
    """The database addresses that are set."""
    urls = [settings.database_url, settings.database_delivery_url, settings.database_owner_url]
    return [url for url in urls if url]


def is_remote(url: str) -> bool:
    """Whether a PostgreSQL address leaves this machine; a socket directory does not."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query).get("host", [])
    netloc = parts.netloc.rpartition("@")[2]
    named = [_host_of(part) for part in netloc.split(",")] if netloc else []
    hosts = [unquote(host) for host in [*named, *asked] if host]
    return any(not host.startswith("/") and not is_loopback(host) for host in hosts)


def _host_of(part: str) -> str:
    return part[: part.index("]") + 1] if part.startswith("[") and "]" in part else part.partition(":")[0]
