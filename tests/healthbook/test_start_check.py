"""S4: of all combinations of a demo database with addresses, senders and keys one cell may start."""

import itertools

import pytest

from healthbook.settings import read_settings
from healthbook.start_check import is_remote, missing_providers, reasons_not_to_start

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
    named = read_settings({"HOST": "0.0.0.0", "ALLOWED_HOSTS": "so.example"})
    assert reasons_not_to_start(bare, demo_database=False, demo_keys=False)
    assert reasons_not_to_start(named, demo_database=False, demo_keys=False) == []


def test_s4_ready_is_red_for_each_kind_of_message_without_a_provider() -> None:
    assert missing_providers(read_settings({})) == ["push", "sms"]


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
