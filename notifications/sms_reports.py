"""What a gateway reports of an SMS after it took it: that a phone has it, or that the network gave up."""

import re
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from notifications import queries
from store.database import Tx

REPORTS_MAX: Final = 100
# As SmsMessage.reference writes it.
_REFERENCE = re.compile(r"([0-9a-f]{2})([0-9a-f]{32})")
_FINAL: Final = frozenset({"delivered", "failed"})


class SmsReport(Struct, frozen=True):
    """reference: as it went out. status: `delivered`, `failed`, or a word on the way that changes nothing."""

    reference: Annotated[str, Meta(max_length=64)]
    status: Annotated[str, Meta(max_length=32)]


class SmsReports(Struct, frozen=True):
    reports: Annotated[list[SmsReport], Meta(max_length=REPORTS_MAX)]


async def take_reports(tx: Tx, reports: list[SmsReport], now: datetime) -> None:
    """Write what is final. A reference that names nothing of ours changes nothing, a repeat neither."""
    rows = []
    for report in reports:
        found = _REFERENCE.fullmatch(report.reference)
        if found is not None and report.status in _FINAL:
            rows.append((int(found[1], 16), UUID(hex=found[2]), report.status, now))
    await queries.REPORT_SMS.many(tx, sorted(rows))
