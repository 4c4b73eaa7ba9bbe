"""An app's version, what operators agreed on for a platform, and how often it called."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

PLATFORM_FORM: Final = r"[a-z][a-z0-9-]{1,19}"
NUMBER_FORM: Final = r"(0|[1-9][0-9]{0,5})"
VERSION_FORM: Final = rf"{NUMBER_FORM}\.{NUMBER_FORM}\.{NUMBER_FORM}"

Platform: TypeAlias = Annotated[
    str, Meta(pattern=rf"^{PLATFORM_FORM}$(?!\n)", max_length=20, examples=["android"])
]
Version: TypeAlias = Annotated[
    str, Meta(pattern=rf"^{VERSION_FORM}$(?!\n)", max_length=20, examples=["2.4.1"])
]
StoreUrl: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^https://[!-~]+$(?!\n)",
        min_length=12,
        max_length=500,
        examples=["https://cua-hang.example/so-suc-khoe"],
    ),
]
# What a screen can be hidden by. A flag is advice to the app: the service decides each call alike with it on
# or off, so nothing that protects anybody hangs on one, and what ends or revokes is behind none.
FeatureName = Literal[
    "vitals-sync", "health-connect", "share-links", "connected-apps", "offline-read-back", "identity-provider"
]
FEATURES: Final[dict[FeatureName, str]] = {
    "vitals-sync": "collects measurements of watches and home devices in the background",
    "health-connect": "hands the book over to the phone's own health records",
    "share-links": "makes SMART Health Links",
    "connected-apps": "lets a partner or an app have parts of the book",
    "offline-read-back": "answers a doctor's code by eight digits without a network (tier C)",
    "identity-provider": "opens the book at the identity provider",
}
State = Literal["current", "update-recommended", "too-old", "unlisted"]


class App(NamedTuple):
    """What calls: `android/2.4.1` is platform and version."""

    platform: str
    version: str


class FeatureFrom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feature that is on from that version on."""

    name: FeatureName
    from_version: Version


class NewAppPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that holds for a platform from now on. minimum: older ones are answered 426 `app-too-old`.
    recommended: older ones are asked to update. store_url: where the app is updated. message_vi, message_en:
    what the app shows beside it, both or neither. features: what is not named is off."""

    platform: Platform
    minimum: Version
    recommended: Version
    store_url: StoreUrl
    message_vi: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    message_en: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    features: Annotated[list[FeatureFrom], Meta(max_length=50)] = []


class AppPolicyRow(Struct, frozen=True):
    """A row of app_policy. features: JSON text of FeatureFrom, maybe of a newer program."""

    platform: str
    policy_id: UUID
    minimum: str
    recommended: str
    store_url: str
    message_vi: str | None
    message_en: str | None
    features: str
    changed_at: datetime


class UseKey(Struct, frozen=True, order=True):
    """One row of a day's counts."""

    platform: str
    version: str
    operation: str


class UseRow(Struct, frozen=True):
    """Calls of one version since a day; operation: empty for all of them."""

    platform: str
    version: str
    operation: str
    last_used_on: date
    calls: int
