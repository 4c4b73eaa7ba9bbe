"""The ministry's axis of this installation: where it is, and whose messages count (AXIS_…)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from healthbook.axis_jobs import Exchange
from healthbook.settings import Settings
from kernel.clock import Clock
from partners.axis.http import AxisAddress, HttpAxis
from partners.axis.message import read_keys
from partners.axis.outgoing import Terms


@asynccontextmanager
async def opened_exchange(settings: Settings, clock: Clock) -> AsyncIterator[Exchange | None]:
    """The axis of this process, closed at the end; None where there is none."""
    if not settings.axis_url:
        yield None
        return
    address = AxisAddress(
        url=settings.axis_url,
        login_url=settings.axis_login_url,
        client_id=settings.axis_client_id,
        client_secret=settings.axis_client_secret,
    )
    terms = Terms(settings.axis_version, settings.axis_receiver, settings.axis_txn_type)
    axis = HttpAxis(address, clock)
    try:
        yield Exchange(axis, terms)
    finally:
        await axis.close()


def trusted_keys(settings: Settings) -> list[rsa.RSAPublicKey]:
    """The keys that messages to us are signed with; none where no file is set. Raises OSError, ValueError."""
    return read_keys(Path(settings.axis_trusted_keys).read_bytes()) if settings.axis_trusted_keys else []


def axis_reasons(settings: Settings) -> list[str]:
    """Why a process with these settings must not start, in plain sentences."""
    reasons = []
    if settings.axis_url and not any(settings.keys.glob("axis.*.key")):
        reasons.append(
            "AXIS_URL is set and there is no key to sign with: `healthbook admin first-key axis` makes one; "
            "give its public half to the ministry."
        )
    try:
        trusted_keys(settings)
    except (OSError, ValueError):
        reasons.append(
            "AXIS_TRUSTED_KEYS: expected a file of RSA public keys or certificates (PEM, 2048 bits)."
        )
    return reasons
