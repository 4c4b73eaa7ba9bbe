"""Which identity provider this installation asks."""

from healthbook.settings import Settings, words
from partners.verifiers.configured import read_claims, read_levels
from partners.verifiers.models import Issuer

CALLBACK = "/v1/auth/identity/callback"
# The address of an app that nobody made, for whoever plays one against a demo.
DEMO_RETURN = "vn.mo-phong.so-suc-khoe:/xac-minh"


def issuer_of(settings: Settings, *, demo: bool) -> Issuer | None:
    """The configured issuer; a demo without one asks itself (api/pages/demo_identity.py)."""
    redirect_uri = settings.origin + CALLBACK
    if not settings.identity_issuer:
        return _stand_in(settings, redirect_uri) if demo else None
    return Issuer(
        issuer=settings.identity_issuer,
        client_id=settings.identity_client_id,
        client_secret=settings.identity_client_secret,
        redirect_uri=redirect_uri,
        scopes=settings.identity_scopes,
        levels=read_levels(words(settings.identity_levels)),
        claims=read_claims(words(settings.identity_claims)),
        origins=frozenset(words(settings.identity_origins)),
        insecure=demo,
    )


def return_addresses(settings: Settings, *, demo: bool) -> list[str]:
    """Where browsers go on to: the configured addresses of apps, and in a demo that of an invented one."""
    return [*words(settings.identity_return), *([DEMO_RETURN] if demo else [])]


def _stand_in(settings: Settings, redirect_uri: str) -> Issuer:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Issuer(
        issuer=f"http://{host}:{settings.port}/demo/identity",
        client_id="so-suc-khoe",
        redirect_uri=redirect_uri,
        scopes="openid profile",
        levels={"urn:mo-phong:muc-1": 1, "urn:mo-phong:muc-2": 2},
        claims={"number": "so_dinh_danh", "name": "name", "birth_date": "birthdate", "sex": "gender"}
        | {"dependents": "con_phu_thuoc"},
        insecure=True,
    )
