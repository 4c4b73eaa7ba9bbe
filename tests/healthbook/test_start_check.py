"""S4: of all combinations of a demo database with addresses, senders and keys one cell may start."""

import itertools
import json
from pathlib import Path

import pytest

from healthbook.settings import SettingsError, read_settings
from healthbook.start_check import is_remote, missing_providers, reasons_not_to_start
from tests.support.fcm_server import new_key, service_account_of

HOSTS = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "10.0.0.5")
DATABASES = (
    "",
    "postgresql://u@/db?host=/run/pg",
    "postgresql://u@localhost/db",
    "postgresql://u:p@db.example/db",
)
SENDERS = ({}, {"FCM_CREDENTIALS": "/k.json"}, {"SMS_GATEWAY_URL": "https://sms.example"})
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}


@pytest.mark.parametrize("host", HOSTS)
def test_s4_a_demo_database_starts_in_one_cell_only(host: str) -> None:
    for database, senders, demo_keys in itertools.product(DATABASES, SENDERS, (True, False)):
        settings = read_settings({"HOST": host, "DATABASE_URL": database, **senders})
        reasons = reasons_not_to_start(settings, demo_database=True, demo_keys=demo_keys)
        allowed = host in LOCAL_HOSTS and "example" not in database and not senders and demo_keys
        assert (reasons == []) is allowed, (host, database, senders, demo_keys)


def test_s4_demo_keys_never_open_a_real_database() -> None:
    settings = read_settings({})
    assert reasons_not_to_start(settings, demo_database=False, demo_keys=True)
    assert reasons_not_to_start(settings, demo_database=False, demo_keys=False) == []


def test_s20_a_public_address_needs_named_hosts() -> None:
    bare = read_settings({"HOST": "0.0.0.0"})
    origin = {"APP_ORIGIN": "https://so.example"}
    named = read_settings({"HOST": "0.0.0.0", "ALLOWED_HOSTS": "so.example", **origin})
    assert reasons_not_to_start(bare, demo_database=False, demo_keys=False)
    assert reasons_not_to_start(named, demo_database=False, demo_keys=False) == []


def test_s34_a_public_address_needs_the_one_that_browsers_open() -> None:
    """Without it share links, keys of browsers and health cards are made for http://localhost:PORT."""
    (reason,) = real(HOST="0.0.0.0", ALLOWED_HOSTS="so.example")
    assert reason.startswith("APP_ORIGIN is empty: ")
    assert real(HOST="127.0.0.1") == []


def test_s4_ready_is_red_for_each_kind_of_message_without_a_provider() -> None:
    assert missing_providers(read_settings({})) == ["push", "sms"]


def real(**variables: str) -> list[str]:
    return reasons_not_to_start(read_settings(variables), demo_database=False, demo_keys=False)


def test_s4_a_real_installation_starts_with_an_account_of_firebase_that_only_it_can_read(
    tmp_path: Path,
) -> None:
    account = tmp_path / "account.json"
    whole = service_account_of(new_key(), "https://oauth2.googleapis.com/token")
    account.touch(mode=0o600)
    account.write_text(json.dumps(whole))
    assert real(FCM_CREDENTIALS=str(account)) == []
    assert missing_providers(read_settings({"FCM_CREDENTIALS": str(account)})) == ["sms"]
    account.chmod(0o640)
    assert "0600" in real(FCM_CREDENTIALS=str(account))[0]
    account.chmod(0o600)
    for field, value in (
        ("type", "authorized_user"),
        ("project_id", ""),
        ("private_key", "-----BEGIN"),
        ("token_uri", "http://tokens.example/"),
        ("client_email", 7),
    ):
        account.write_text(json.dumps(whole | {field: value}))
        (reason,) = real(FCM_CREDENTIALS=str(account))
        assert reason.startswith("FCM_CREDENTIALS: "), field
    account.unlink()
    assert "cannot be read" in real(FCM_CREDENTIALS=str(account))[0]


def test_s4_a_gateway_that_takes_messages_from_anybody_is_refused() -> None:
    url = "https://sms.example/send"
    assert "anybody" in real(SMS_GATEWAY_URL=url)[0]
    assert real(SMS_GATEWAY_URL=url, SMS_GATEWAY_SECRET="s" * 32) == []
    assert real(SMS_GATEWAY_URL=url, SMS_GATEWAY_TOKEN="t") == []
    assert missing_providers(read_settings({"SMS_GATEWAY_URL": url})) == ["push"]


@pytest.mark.parametrize(
    "variables",
    [
        {"SMS_GATEWAY_URL": "http://sms.example"},
        {"SMS_GATEWAY_URL": "https://sms.example/send?key=secret"},
        {"SMS_GATEWAY_TEMPLATE": "to={phone}"},
        {"SMS_GATEWAY_TEMPLATE": '{"to": "{phone}"}'},
        {"SMS_GATEWAY_TEMPLATE": '{"text": "{text}"}'},
        {"SMS_GATEWAY_TEMPLATE": '{"to": "{phone}", "text": "{text}", "who": "{patient}"}'},
        {
            "SMS_GATEWAY_FORMAT": "form",
            "SMS_GATEWAY_TEMPLATE": '{"to": ["{phone}"], "text": "{text}"}',
        },
        {"SMS_GATEWAY_FORMAT": "xml"},
        {"SMS_GATEWAY_ACCEPTED": "code"},
        {"SMS_GATEWAY_ID": "data id"},
        {"SMS_GATEWAY_SECRET": "short"},
        {"SMS_GATEWAY_TOKEN": "a\nb"},
    ],
)
def test_a_gateway_set_up_wrongly_is_named_at_the_start(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=list(variables)[-1]):
        read_settings(variables)


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        ("postgresql://u@/db?host=/run/pg", False),
        ("postgresql://u@/db?host=%2Frun%2Fpg", False),
        ("postgresql:///db", False),
        ("postgresql://u:p@127.0.0.1:5432/db", False),
        ("postgresql://u:p@[::1]:5432/db", False),
        ("postgresql://u:p@10.0.0.7/db", True),
        ("postgresql://u:p@localhost,db2.example/db", True),
        ("postgresql://u@/db?host=db.example", True),
        ("postgresql://localhost:x@db.example/db", True),
    ],
)
def test_s4_a_database_address_is_remote_when_any_host_of_it_is(url: str, remote: bool) -> None:
    assert is_remote(url) is remote


def test_s4_a_demo_reads_no_core_of_another_machine() -> None:
    for url, allowed in (("http://127.0.0.1:8190/fhir", True), ("https://fhir.so.example/r4", False)):
        settings = read_settings({"EHR_CORE_URL": url})
        reasons = reasons_not_to_start(settings, demo_database=True, demo_keys=True)
        assert (reasons == []) is allowed
        assert reasons_not_to_start(settings, demo_database=False, demo_keys=False) == []
