"""What a process holds of the policy, so that no request asks the database for it.

It is read anew by the first request after READ_EVERY; while one reads, the others go by what was read before.
A change is therefore true in every process after READ_EVERY and the time of one statement.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from identity.app_versions.models import AppPolicyRow
from identity.app_versions.service import all_policies
from store.database import Store

READ_EVERY: Final = timedelta(seconds=10)

log = structlog.get_logger("identity")


class AppPolicies:
    """The rows of one process by platform."""

    def __init__(self) -> None:
        self._rows: dict[str, AppPolicyRow] | None = None
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def of(self, store: Store, platform: str, now: datetime) -> AppPolicyRow | None:
        """What holds for a platform; None: nobody entered it. Where the database is away, what held last, and
        no limit where nothing was ever read: a version is no lock."""
        if not self._is_fresh(now) and (self._rows is None or not self._reading.locked()):
            async with self._reading:
                if not self._is_fresh(now):
                    await self._read(store, now)
        return (self._rows or {}).get(platform)

    def knows(self, platform: str) -> bool:
        """Whether the platform was there when this process read last."""
        return platform in (self._rows or {})

    def _is_fresh(self, now: datetime) -> bool:
        """A clock that was set back makes no copy last longer."""
        return self._read_at is not None and self._read_at <= now < self._read_at + READ_EVERY

    async def _read(self, store: Store, now: datetime) -> None:
        self._read_at = now
        try:
            async with store.transaction() as tx:
                self._rows = {row.platform: row for row in await all_policies(tx)}
        except Exception as error:
            log.warning("versions of apps go by what was read before", error=type(error).__name__)
