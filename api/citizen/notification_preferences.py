"""How the citizen wants to be told: zone, quiet hours, language, what is muted."""

from datetime import time
from typing import Annotated, Any

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.problems import INVALID_FIELD
from api.request import Call, answer
from family.problems import NOT_YOUR_BOOK
from identity.problems import ACCOUNT_HELD, DEVICE_ON_PROBATION
from kernel.clock import WallTime
from kernel.problems import Refused
from notifications.groups import MUTABLE
from notifications.models import Language
from notifications.preferences import Preferences, read_preferences, set_preferences
from notifications.problems import PREFERENCE_UNKNOWN

TAGS = ["notifications"]
PATH = "/v1/me/notification-preferences"
Muted = Annotated[str, Meta(max_length=40, description="`<group>:<channel>`, one of `mutable`")]


class PreferencesInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """zone: IANA name. quiet_from, quiet_until: wall times there, both null for none. digest: what comes in
    quiet hours is one push at their end."""

    zone: Annotated[str, Meta(min_length=1, max_length=64)]
    quiet_from: WallTime | None
    quiet_until: WallTime | None
    language: Language
    digest: bool
    muted: Annotated[list[Muted], Meta(max_length=40)]


class PreferencesShown(Struct, kw_only=True):
    """mutable: everything that `muted` may name; security, codes and requests are not in it."""

    zone: str
    quiet_from: str | None
    quiet_until: str | None
    language: Language
    digest: bool
    muted: list[str]
    mutable: list[str]


@get(
    PATH,
    actors=("citizen",),
    operation_id="read_notification_preferences",
    tags=TAGS,
    problems=(NOT_YOUR_BOOK,),
)
async def preferences(call: NamedDependency[Call]) -> Response[PreferencesShown]:
    """What the person chose, or the defaults."""
    async with begin_for(call, "read-notifications") as (tx, access):
        return answer(_shown(await read_preferences(tx, access.patient_id)))


@put(
    PATH,
    actors=("citizen",),
    operation_id="set_notification_preferences",
    tags=TAGS,
    problems=(INVALID_FIELD, PREFERENCE_UNKNOWN, NOT_YOUR_BOOK, ACCOUNT_HELD, DEVICE_ON_PROBATION),
)
async def choose(data: JSONBody[PreferencesInput], call: NamedDependency[Call]) -> Response[PreferencesShown]:
    """Replace all of them. Another zone moves the times of reminders. A device on probation changes none."""
    wanted = Preferences(
        zone=data.zone,
        quiet_from=_time(data.quiet_from),
        quiet_until=_time(data.quiet_until),
        language=data.language,
        digest=data.digest,
        muted=frozenset(data.muted),
    )
    async with begin_for(call, "manage-notices") as (tx, access):
        done = await set_preferences(tx, access, wanted, call.now)
        return answer(done if isinstance(done, Refused) else _shown(done))


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)


def _shown(chosen: Preferences) -> PreferencesShown:
    return PreferencesShown(
        zone=chosen.zone,
        quiet_from=f"{chosen.quiet_from:%H:%M}" if chosen.quiet_from is not None else None,
        quiet_until=f"{chosen.quiet_until:%H:%M}" if chosen.quiet_until is not None else None,
        language=chosen.language,
        digest=chosen.digest,
        muted=sorted(chosen.muted),
        mutable=sorted(MUTABLE),
    )


handlers: list[Any] = [preferences, choose]
