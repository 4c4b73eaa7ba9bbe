"""When the person sees a new result: each row gets its time when it is first written, and keeps it."""

from datetime import datetime, timedelta
from uuid import UUID

from ehr.dates import OPEN_END
from ehr.models import NewResource
from ehr.visibility import queries
from ehr.visibility.models import ReleaseCategory, ReleasePolicy
from kernel.ids import bucket_of
from store.database import Tx
from store.due_queue import schedule

KIND = "release"


def category_of(row: NewResource) -> ReleaseCategory | None:
    """The category of a result, report or document; None for what is never held back."""
    if row.section == "results":
        return "laboratory" if row.category == "laboratory" else "other-results"
    if row.section == "imaging":
        return "imaging"
    if row.section == "documents":
        return "documents"
    return "laboratory" if row.rtype == "DiagnosticReport" else None


def release_time(policy: ReleasePolicy | None, now: datetime) -> datetime | None:
    """None = at once, which is the rule where nobody set another."""
    if policy is None or policy.rule == "at-once":
        return None
    return OPEN_END if policy.rule == "after-review" else now + timedelta(hours=policy.hours)


async def set_clocks(tx: Tx, facility_id: UUID | None, rows: list[NewResource], now: datetime) -> bool:
    """Set the release of new rows; whether any has to wait. One look at the rules, where rows need it."""
    held = [(row, category) for row in rows if (category := category_of(row))]
    if facility_id is None or not held:
        return False
    policies = await queries.policies_of(tx, facility_id)
    for row, category in held:
        row.release_at = release_time(policies.get(category), now)
    return any(row.release_at for row, _ in held)


async def arm(tx: Tx, patient_id: UUID) -> None:
    """Set the person's timer to the next release that has a time."""
    due_at = await next_release(tx, patient_id)
    if due_at is not None:
        await schedule(tx, bucket_of(patient_id), due_at, KIND, str(patient_id))


async def next_release(tx: Tx, patient_id: UUID) -> datetime | None:
    return await queries.NEXT_RELEASE.one(tx, patient_id, OPEN_END)
