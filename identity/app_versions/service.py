"""What holds for each platform, entered with the word of two operators (security.md S26)."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from identity.app_versions import queries
from identity.app_versions.models import AppPolicyRow, NewAppPolicy
from identity.app_versions.policy import wrong_field
from identity.app_versions.problems import APP_POLICY_INVALID
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx

PLATFORMS_MAX: Final = 20


def judge(new: NewAppPolicy) -> Refused | None:
    """Refused: app-policy-invalid with the field."""
    field = wrong_field(new)
    return None if field is None else Refused(problem=APP_POLICY_INVALID, where=field)


async def put(tx: Tx, new: NewAppPolicy, now: datetime) -> UUID | Refused:
    """Put this in the place of all that held for the platform. Called by a change that two operators agreed
    on, and by the demo. Refused: app-policy-invalid, also for a platform too many."""
    wrong = judge(new)
    if wrong is not None:
        return wrong
    policy_id = uuid7(now)
    kept = await queries.PUT_POLICY.one(
        tx,
        new.platform,
        policy_id,
        new.minimum,
        new.recommended,
        new.store_url,
        new.message_vi,
        new.message_en,
        msgspec.json.encode(new.features).decode(),
        now,
        PLATFORMS_MAX,
    )
    return Refused(problem=APP_POLICY_INVALID, where="platform") if kept is None else policy_id


async def all_policies(tx: Tx) -> list[AppPolicyRow]:
    """What holds for each platform, in the order of their names."""
    return await queries.POLICIES.all(tx)
