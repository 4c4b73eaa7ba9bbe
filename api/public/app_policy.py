"""What an app asks before anything else: may this version call, and what may it show?"""

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.problems import INVALID_FIELD
from api.reading import kept_by_anybody
from api.request import Call
from identity.app_versions.models import FEATURES, App, AppPolicyRow, State, StoreUrl, Version
from identity.app_versions.policy import features_on, read_app, state_of
from kernel.problems import refuse

MAX_AGE_SECONDS: Final = 60


class AppFeature(Struct, kw_only=True):
    """A part of the app that can be hidden. Names that an app does not know are left alone; what is not named
    is off."""

    name: str
    is_on: bool


class AppPolicy(Struct, kw_only=True):
    """What holds for the version that asks. state: `too-old` is answered 426 by nearly everything else;
    `unlisted` is a platform that nobody entered, without limits. message_vi, message_en: shown beside it, if
    there are any."""

    platform: str
    version: Version
    state: State
    minimum: Version | None
    recommended: Version | None
    store_url: StoreUrl | None
    message_vi: str | None
    message_en: str | None
    features: list[AppFeature]


@get(
    "/v1/app-policy",
    actors=("public",),
    operation_id="read_app_policy",
    tags=["app-policy"],
    any_app=True,
    app_version_required=True,
    conditional=True,
    problems=(INVALID_FIELD,),
)
async def app_policy(call: NamedDependency[Call]) -> Response[AppPolicy]:
    """Whether this version of the app may call, where it is updated, and what it may show.

    The version is that of X-App-Version. A change is true everywhere within 30 seconds; an app keeps the
    answer for a minute, and asks with If-None-Match after it.
    """
    app = read_app(call.joined_header("x-app-version") or "") or refuse(INVALID_FIELD, "X-App-Version")
    row = await call.app_policies.of(call.store, app.platform, call.now)
    return kept_by_anybody(call, _told(app, row), MAX_AGE_SECONDS, vary="X-App-Version")


def _told(app: App, row: AppPolicyRow | None) -> AppPolicy:
    on = features_on(app.version, row)
    return AppPolicy(
        platform=app.platform,
        version=app.version,
        state=state_of(app.version, row),
        minimum=row.minimum if row else None,
        recommended=row.recommended if row else None,
        store_url=row.store_url if row else None,
        message_vi=row.message_vi if row else None,
        message_en=row.message_en if row else None,
        features=[AppFeature(name=name, is_on=name in on) for name in FEATURES],
    )


handlers: list[Any] = [app_policy]
