"""Who is needed outside: providers that are set, answer, and have a certificate for some weeks yet."""

import asyncio
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from msgspec import Struct

from healthbook.doctor.findings import Finding
from healthbook.settings import Settings
from healthbook.start_check import missing_providers

ASKED_SECONDS_MAX: Final = 5.0
# Ours: long enough to renew by hand after a renewal by itself failed.
CERTIFICATE_SOON: Final = timedelta(days=21)
FIREBASE: Final = ("https://fcm.googleapis.com", "https://oauth2.googleapis.com")
_WHY_MESSAGES: Final = "Nobody receives a code or a request by it; /health/ready stays red."


class Place(Struct, frozen=True):
    """A service that we call: the setting that names it, where it listens, whether over TLS."""

    setting: str
    host: str
    port: int
    encrypted: bool


def unset_providers(settings: Settings, *, demo: bool) -> list[Finding]:
    """Ways of messages and the witness that nobody set."""
    if demo:
        return []
    variables = {"push": "FCM_CREDENTIALS", "sms": "SMS_GATEWAY_URL"}
    found = [
        Finding(
            name="no-provider",
            what=f"No provider of {kind} messages is set.",
            why=_WHY_MESSAGES,
            do=f"Set {variables[kind]} (runbook, Firebase and the SMS gateway).",
        )
        for kind in missing_providers(settings)
    ]
    if not settings.audit_witness_url:
        found.append(
            Finding(
                name="no-witness",
                what="Nobody outside countersigns the roots of the access log.",
                why="Whoever holds this installation's keys could sign another past and nobody would know "
                "(S25).",
                do="Set AUDIT_WITNESS_URL and AUDIT_WITNESS_KEY (runbook, the log's roots and the witness).",
            )
        )
    return found


def places(settings: Settings) -> list[Place]:
    """Every address that this installation calls or is called at, by its setting."""
    named = {
        "APP_ORIGIN": settings.app_origin,
        "SMS_GATEWAY_URL": settings.sms_gateway_url,
        "EHR_CORE_URL": settings.ehr_core_url,
        "COVERAGE_CHECK_URL": settings.coverage_check_url,
        "IDENTITY_ISSUER": settings.identity_issuer,
        "AXIS_URL": settings.axis_url,
        "AXIS_LOGIN_URL": settings.axis_login_url,
        "S3_ENDPOINT": settings.s3_endpoint,
        "AUDIT_WITNESS_URL": settings.audit_witness_url,
        "TRACES_ENDPOINT": settings.traces_endpoint,
    }
    pairs = list(named.items())
    if settings.fcm_credentials:
        pairs += [("FCM_CREDENTIALS", address) for address in FIREBASE]
    return [_place(setting, address) for setting, address in pairs if address]


def _place(setting: str, address: str) -> Place:
    parts = urlsplit(address)
    encrypted = parts.scheme == "https"
    return Place(setting, parts.hostname or "", parts.port or (443 if encrypted else 80), encrypted)


async def unreachable(
    settings: Settings, now: datetime, context: ssl.SSLContext | None = None
) -> list[Finding]:
    """Everybody is asked for a connection at once, for five seconds at most; nothing is sent.

    context: whose certificates are taken, as the program's own calls take them unless given.
    """
    trusted = context or httpx.create_ssl_context()
    looks = [_look(place, trusted, now) for place in dict.fromkeys(places(settings))]
    return [found for found in await asyncio.gather(*looks) if found is not None]


async def _look(place: Place, trusted: ssl.SSLContext, now: datetime) -> Finding | None:
    try:
        async with asyncio.timeout(ASKED_SECONDS_MAX):
            _, writer = await asyncio.open_connection(
                place.host, place.port, ssl=trusted if place.encrypted else None
            )
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        return _certificate(place, f"is not accepted: {reason}")
    except (OSError, TimeoutError) as error:
        return Finding(
            name="unreachable",
            what=f"{place.setting}: {place.host}:{place.port} gives no connection ({type(error).__name__}).",
            why="What goes there waits; what hangs on it fails for the people who need it.",
            do="Check the address, name service and firewall from this host. If only the processes reach "
            "it, run "
            "`healthbook doctor` where they run.",
        )
    der = None
    if (tls := writer.get_extra_info("ssl_object")) is not None:
        der = tls.getpeercert(binary_form=True)
    writer.close()
    return None if der is None else _ending(place, x509.load_der_x509_certificate(der), now)


def _ending(place: Place, certificate: x509.Certificate, now: datetime) -> Finding | None:
    if (until := certificate.not_valid_after_utc) - now >= CERTIFICATE_SOON:
        return None
    return _certificate(place, f"ends on {until:%Y-%m-%d}")


def _certificate(place: Place, said: str) -> Finding:
    return Finding(
        name="certificate",
        what=f"{place.setting}: the certificate of {place.host} {said}.",
        why="From its end on apps, browsers or this program refuse to talk.",
        do="Renew it, or tell its owner; for a private authority name its certificate in SSL_CERT_FILE.",
    )


def trusted_certificates(settings: Settings, now: datetime) -> list[Finding]:
    """Certificates in AXIS_TRUSTED_KEYS that end; bare keys have no end."""
    if not settings.axis_trusted_keys:
        return []
    try:
        held = x509.load_pem_x509_certificates(Path(settings.axis_trusted_keys).read_bytes())
    except (OSError, ValueError):
        return []  # public keys, or nothing readable: the start says so
    soon = [one.not_valid_after_utc for one in held if one.not_valid_after_utc - now < CERTIFICATE_SOON]
    if not soon:
        return []
    return [
        Finding(
            name="certificate",
            what=f"AXIS_TRUSTED_KEYS: a certificate of the axis ends on {min(soon):%Y-%m-%d}.",
            why="Messages signed with its key would still be taken afterwards.",
            do="Ask the ministry for the next one and put it beside the old one, then take the old one out.",
        )
    ]
