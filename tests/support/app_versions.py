"""What operators enter about versions of an app, and calls that say theirs."""

from typing import Any

from identity.app_versions.models import NewAppPolicy

STORE_URL = "https://cua-hang.example/so-suc-khoe"


def policy_of(**other: Any) -> NewAppPolicy:
    """Android: 2.9.0 may call, 2.10.0 is recommended; what else is given."""
    fields: dict[str, Any] = {
        "platform": "android",
        "minimum": "2.9.0",
        "recommended": "2.10.0",
        "store_url": STORE_URL,
    }
    return NewAppPolicy(**fields | other)


def saying(version: str) -> dict[str, str]:
    return {"X-App-Version": version}
