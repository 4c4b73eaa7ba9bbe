"""What holds for each platform, entered with the word of two operators (security.md S26)."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from identity.app_versions import queries
from identity.app_versions.models import AppPolicyRow, NewAppPolicy
from identity.app_versions.policy import wrong_field
from identity.app_versions.problems import APP_POLICY_INVALID, APP_POLICY_OVERTAKEN
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx

PLATFORMS_MAX: Final = 20


def judge(new: NewAppPolicy) -> Refused | None:
    """Refused: app-policy-invalid with the field."""
    field = wrong_field(new)
    return None if field is None else Refused(problem=APP_POLICY_INVALID, where=field)


async def put(tx: Tx, new: NewAppPolicy, proposed_at: datetime, now: datetime) -> UUID | Refused:
    """Put this in the place of all that held for the platform. Called by a change that two operators agreed
    on, and by the demo. proposed_at: when it was written. Refused: app-policy-invalid, also for one
    platform too many; app-policy-overtaken where what holds was put there since."""
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
        proposed_at,
    )
    if kept is not None:
        return policy_id
    if any(one.platform == new.platform for one in await all_policies(tx)):
        return Refused(problem=APP_POLICY_OVERTAKEN)
    return Refused(problem=APP_POLICY_INVALID, where="platform")


async def all_policies(tx: Tx) -> list[AppPolicyRow]:
    """What holds for each platform, in the order of their names."""
    return await queries.POLICIES.all(tx)
