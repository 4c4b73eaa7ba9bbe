"""Versions of people's apps: two operators say which may call (security.md S26), and see who uses which."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Struct

from api.admin.registry import ProposedChange, Reason, propose_change
from api.idempotency import PROBLEMS
from api.request import Call, answer
from identity.app_versions.models import AppPolicyRow, NewAppPolicy, StoreUrl, Version
from identity.app_versions.problems import APP_POLICY_INVALID
from identity.app_versions.service import all_policies
from identity.app_versions.uses import uses_since
from identity.problems import NOT_YOURS_TO_CHANGE
from kernel.clock import local_day

TAGS: Final = ["app-policies"]
DAYS_DEFAULT: Final = 30
Days: TypeAlias = Annotated[
    int | None,
    QueryParameter(ge=1, le=400, description="How many days back, today among them; 30 unless said."),
]


class AppPolicyBody(Struct, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
    policy: NewAppPolicy


class KeptFeature(Struct, kw_only=True):
    """A feature that is on from that version on."""

    name: str
    from_version: Version


class KeptPolicy(Struct, kw_only=True):
    """All that holds for a platform."""

    platform: str
    minimum: Version
    recommended: Version
    store_url: StoreUrl
    message_vi: str | None
    message_en: str | None
    features: list[KeptFeature]
    changed_at: datetime


class KeptPolicies(Struct, kw_only=True):
    """Every platform that was entered, by name; there are 20 at most, so next is always null."""

    items: list[KeptPolicy]
    next: str | None = None


class AppUse(Struct, kw_only=True):
    """Calls of one version. operation: null for all of them, else one that is on its way out. platform
    `none`: calls that name no app; `other`: platforms that nobody entered, and versions too many."""

    platform: str
    version: Version
    operation: str | None
    last_used_on: date
    calls: int


class AppUseList(Struct, kw_only=True):
    """The most used ones, those of operations on their way out first; 500 at most, so next is always null."""

    since: date
    items: list[AppUse]
    next: str | None = None


@get("/v1/admin/app-policies", actors=("operator",), operation_id="list_app_policies", tags=TAGS, problems=())
async def list_policies(call: NamedDependency[Call]) -> Response[KeptPolicies]:
    """Which versions of the apps may call, for every platform."""
    async with call.begin() as (tx, _):
        return answer(KeptPolicies(items=[_view(row) for row in await all_policies(tx)]))


@post(
    "/v1/admin/app-policies",
    status_code=202,
    actors=("operator",),
    operation_id="propose_app_policy",
    tags=TAGS,
    idempotent=True,
    problems=(APP_POLICY_INVALID, NOT_YOURS_TO_CHANGE, *PROBLEMS),
)
async def propose_policy(
    data: JSONBody[AppPolicyBody], call: NamedDependency[Call]
) -> Response[ProposedChange]:
    """Propose all that holds for a platform; true within 30 seconds of the confirmation."""
    return await propose_change(call, "app-policy", data.policy, data.reason)


@get("/v1/admin/app-use", actors=("operator",), operation_id="list_app_use", tags=TAGS, problems=())
async def list_use(call: NamedDependency[Call], days: Days = None) -> Response[AppUseList]:
    """How often each version of the apps called, and which still use what is on its way out."""
    since = local_day(call.now) - timedelta(days=(days or DAYS_DEFAULT) - 1)
    async with call.begin() as (tx, _):
        found = await uses_since(tx, since)
    items = [
        AppUse(
            platform=one.platform,
            version=one.version,
            operation=one.operation or None,
            last_used_on=one.last_used_on,
            calls=one.calls,
        )
        for one in found
    ]
    return answer(AppUseList(since=since, items=items))


def _view(row: AppPolicyRow) -> KeptPolicy:
    return KeptPolicy(
        platform=row.platform,
        minimum=row.minimum,
        recommended=row.recommended,
        store_url=row.store_url,
        message_vi=row.message_vi,
        message_en=row.message_en,
        features=msgspec.json.decode(row.features, type=list[KeptFeature]),
        changed_at=row.changed_at,
    )


handlers: list[Any] = [list_policies, propose_policy, list_use]
