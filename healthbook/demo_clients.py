"""The demo's partner and the demo's app that people may choose: keys made here, and an entry in the register
as two operators make it. Both are invented; answers to the partner go to an address where nobody is."""

from datetime import datetime
from typing import Any, Final

import msgspec
from joserfc.jwk import ECKey

from healthbook.demo_accounts import granted
from healthbook.demo_sheet import DemoAppClient
from identity.app_clients import service
from identity.app_clients.models import ClientKeySet, NewAppClient
from kernel.access import PARTNER_GROUPS
from store.database import Store

PARTNER_KEY: Final = "doi-tac"
APP_KEY: Final = "ung-dung"
# .example leads nowhere (RFC 2606): whoever plays the partner reads the code out of the browser's address.
PARTNER_BACK: Final = "https://doi-tac.example/ve"
# Any port of the own machine (RFC 8252 section 7.3).
APP_BACK: Final = "http://127.0.0.1/callback"
HOLDER: Final = "Bên kết nối bịa đặt của bản dùng thử"
APP_SCOPES: Final = ("launch/patient", "offline_access", "patient/*.rs")


async def register_clients(store: Store, since: datetime) -> list[DemoAppClient]:
    """The partner, which may ask for all four groups, and the app, which has no key."""
    key = ECKey.generate_key("P-256", {"kid": "doi-tac-1", "use": "sig"})
    partner = NewAppClient(
        kind="partner",
        name="Đối tác minh họa",
        holder=HOLDER,
        auth="private_key_jwt",
        jwks=msgspec.convert({"keys": [_members(key, private=False)]}, ClientKeySet),
        redirect_uris=[PARTNER_BACK],
        groups_max=list(PARTNER_GROUPS),
    )
    app = NewAppClient(
        kind="app",
        name="Ứng dụng minh họa",
        holder=HOLDER,
        auth="none",
        redirect_uris=[APP_BACK],
        scopes_max=list(APP_SCOPES),
    )
    private = msgspec.json.encode(_members(key, private=True)).decode()
    return [
        await _enter(store, partner, PARTNER_KEY, private, since),
        await _enter(store, app, APP_KEY, "", since),
    ]


async def _enter(
    store: Store, new: NewAppClient, key: str, private_key: str, since: datetime
) -> DemoAppClient:
    async with store.transaction() as tx:
        client_id = granted(await service.enter(tx, new, since))
    return DemoAppClient(
        client_id=str(client_id),
        key=key,
        kind=new.kind,
        name=new.name,
        redirect_uri=new.redirect_uris[0],
        private_key=private_key,
    )


def _members(key: ECKey, *, private: bool) -> dict[str, Any]:
    return dict(key.as_dict(private=private))
