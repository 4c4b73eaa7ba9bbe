"""How versions compare and what holds for one: pure."""

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from identity.app_versions.models import (
    FEATURES,
    PLATFORM_FORM,
    VERSION_FORM,
    App,
    AppPolicyRow,
    NewAppPolicy,
    State,
)

APP_FORM: Final = f"{PLATFORM_FORM}/{VERSION_FORM}"
_APP: Final = re.compile(APP_FORM)
# A name of the public network and an address of RFC 3986's own signs: no account, no number, and nothing that
# browsers read another way (a backslash is a slash to them).
_STORE: Final = re.compile(r"https://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HOST: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")


class _Kept(Struct):
    """A feature as kept; the name may be one of a newer program."""

    name: str
    from_version: str


def read_app(text: str) -> App | None:
    """`android/2.4.1` as sent in X-App-Version; None of any other form."""
    return App(*text.split("/")) if _APP.fullmatch(text) else None


def ordered(version: str) -> tuple[int, ...]:
    """What versions are compared by: 2.10.0 comes after 2.9.0."""
    return tuple(int(part) for part in version.split("."))


def state_of(version: str, row: AppPolicyRow | None) -> State:
    """What a version is told. A platform that nobody entered has no limits."""
    if row is None:
        return "unlisted"
    if ordered(version) < ordered(row.minimum):
        return "too-old"
    return "update-recommended" if ordered(version) < ordered(row.recommended) else "current"


def features_on(version: str, row: AppPolicyRow | None) -> list[str]:
    """Names of what is on for a version, in the order of FEATURES. Everything is off that no row names."""
    kept = msgspec.json.decode(row.features, type=list[_Kept]) if row else []
    on = {one.name for one in kept if ordered(version) >= ordered(one.from_version)}
    return [name for name in FEATURES if name in on]


def wrong_field(new: NewAppPolicy) -> str | None:
    """The first field of an entry that cannot be used, or None."""
    names = [one.name for one in new.features]
    faults = {
        "recommended": ordered(new.recommended) < ordered(new.minimum),
        "store_url": not _leads_somewhere(new.store_url),
        "message_en": (new.message_vi is None) != (new.message_en is None),
        "features": len(set(names)) < len(names),
    }
    return next((field for field, wrong in faults.items() if wrong), None)


def _leads_somewhere(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return bool(_STORE.fullmatch(address)) and bool(_HOST.fullmatch(parts.netloc.partition(":")[0]))
