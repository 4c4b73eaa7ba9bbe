"""What an operator writes down about an identity provider."""

import pytest

from healthbook.identity_provider import DEMO_RETURN, issuer_of, return_addresses
from healthbook.settings import SettingsError, read_settings
from healthbook.start_check import reasons_not_to_start
from partners.verifiers import configured

GIVEN = {
    "IDENTITY_ISSUER": "https://id.example/realms/vn",
    "IDENTITY_CLIENT_ID": "so-suc-khoe",
    "IDENTITY_CLIENT_SECRET": "geheim",
    "IDENTITY_LEVELS": "urn:x:loa=2=2, loa1=1",
    "IDENTITY_CLAIMS": "number=citizen_id,dependents=children",
    "IDENTITY_ORIGINS": "https://keys.example, https://id.example:8443",
    "IDENTITY_RETURN": "https://app.example/verified,vn.example.ssk:/verified",
    "APP_ORIGIN": "https://so.example.vn",
}


def test_an_issuer_is_what_the_settings_say() -> None:
    issuer = issuer_of(read_settings(GIVEN), demo=False)
    assert issuer is not None
    assert issuer.redirect_uri == "https://so.example.vn/v1/auth/identity/callback"
    assert issuer.levels == {"urn:x:loa=2": 2, "loa1": 1}
    assert issuer.claims == {
        "number": "citizen_id",
        "name": "name",
        "birth_date": "birthdate",
        "sex": "gender",
        "dependents": "children",
    }
    assert issuer.origins == {"https://keys.example", "https://id.example:8443"}
    assert not issuer.insecure


def test_without_settings_only_a_demo_has_an_issuer_and_it_is_its_own() -> None:
    assert issuer_of(read_settings({}), demo=False) is None
    stand_in = issuer_of(read_settings({"PORT": "8123"}), demo=True)
    assert stand_in is not None
    assert stand_in.issuer == "http://127.0.0.1:8123/demo/identity"
    assert stand_in.redirect_uri == "http://localhost:8123/v1/auth/identity/callback"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IDENTITY_ISSUER", "id.example"),
        ("IDENTITY_ISSUER", "http://id.example"),
        ("IDENTITY_ISSUER", "https://user:pw@id.example"),
        ("IDENTITY_ISSUER", "https://id.example/?a=b"),
        ("IDENTITY_ISSUER", "https://id.example/#"),
        ("IDENTITY_ISSUER", "https://[::1"),
        ("IDENTITY_CLIENT_ID", ""),
        ("IDENTITY_LEVELS", ""),
        ("IDENTITY_LEVELS", "loa3=3"),
        ("IDENTITY_LEVELS", "loa2"),
        ("IDENTITY_LEVELS", "=2"),
        ("IDENTITY_LEVELS", "loa=1,loa=2"),
        ("IDENTITY_CLAIMS", "age=age"),
        ("IDENTITY_CLAIMS", "number"),
        ("IDENTITY_CLAIMS", "number="),
        ("IDENTITY_ORIGINS", "keys.example"),
        ("IDENTITY_ORIGINS", "https://keys.example/path"),
        ("IDENTITY_ORIGINS", "http://keys.example"),
        ("IDENTITY_RETURN", "javascript:alert(1)"),
        ("IDENTITY_RETURN", "http://app.example/"),
        ("IDENTITY_RETURN", "app:/x"),
        ("IDENTITY_RETURN", "https://app.example/#x"),
        ("IDENTITY_RETURN", "https://[::1"),
        ("IDENTITY_SCOPES", "profile"),
        ("IDENTITY_SCOPES", "openid\n"),
    ],
)
def test_a_mistake_is_named_at_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(GIVEN | {name: value})


def test_s4_a_demo_asks_no_identity_provider_outside_and_nobody_else_asks_in_clear() -> None:
    real, local = read_settings(GIVEN), read_settings(GIVEN | {"IDENTITY_ISSUER": "http://localhost:9"})
    refused = [
        any("IDENTITY_ISSUER" in one for one in reasons_not_to_start(s, demo_database=demo, demo_keys=demo))
        for s in (real, local)
        for demo in (True, False)
    ]
    assert refused == [True, False, False, True]


def test_browsers_go_on_to_configured_apps_and_in_a_demo_to_an_invented_one() -> None:
    own = ["https://app.example/verified", "vn.example.ssk:/verified"]
    assert return_addresses(read_settings(GIVEN), demo=False) == own
    assert return_addresses(read_settings({}), demo=False) == []
    assert return_addresses(read_settings({}), demo=True) == [DEMO_RETURN]
    assert configured.is_app_address(DEMO_RETURN)


@pytest.mark.parametrize("scheme", ["javascript", "data", "file", "intent", "", "about", "JavaScript.x"])
def test_a_browser_is_sent_to_no_scheme_of_its_own(scheme: str) -> None:
    assert not configured.is_app_address(f"{scheme}:/verified")
