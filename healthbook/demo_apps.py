"""What the demo says of versions of apps: below 1.0.0 is too old, so that a client can play it."""

from datetime import datetime
from typing import Final, get_args

from identity.app_versions import service
from identity.app_versions.models import FeatureFrom, FeatureName, NewAppPolicy
from kernel.problems import Refused
from store.database import Store

PLATFORMS: Final = ("android", "ios")
FIRST: Final = "1.0.0"


async def allow_apps(store: Store, now: datetime) -> None:
    """Every feature is on from the first version; the store is nobody's."""
    features = [FeatureFrom(name=name, from_version=FIRST) for name in get_args(FeatureName)]
    async with store.transaction() as tx:
        for platform in PLATFORMS:
            policy = NewAppPolicy(
                platform=platform,
                minimum=FIRST,
                recommended=FIRST,
                store_url=f"https://cua-hang.example/so-suc-khoe-mo-phong/{platform}",
                features=features,
            )
            kept = await service.put(tx, policy, now, now)
            assert not isinstance(kept, Refused), kept
