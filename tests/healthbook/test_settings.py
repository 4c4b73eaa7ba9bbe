from pathlib import Path

import pytest

from healthbook.settings import SettingsError, read_settings
from healthbook.wiring import core_address


def test_nothing_set_gives_a_loopback_service_with_its_own_database() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.embedded
    assert settings.keys == settings.data / "keys"
    assert settings.base_url == "http://localhost:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eight"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("WORKERS", "-1"),
        ("POOL_MAX", "x"),
        ("HOTLINE", "gọi tôi"),
        ("DATABASE_URL", "mysql://so@db/x"),
        ("TRUSTED_PROXIES", "10.0.0.1, 10.0.0.0/8"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({name: value})
    assert str(raised.value).startswith(f"{name}: ")
    assert "eight" not in str(raised.value)


def test_a_secret_in_a_wrong_place_does_not_reach_the_message() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"PORT": "postgresql://user:geheim@db/x"})
    assert "geheim" not in str(raised.value)


def test_an_empty_variable_is_no_variable() -> None:
    assert read_settings({"PORT": "", "DATABASE_URL": ""}).embedded


def test_directories_may_lie_apart(tmp_path: Path) -> None:
    settings = read_settings({"HEALTHBOOK_DATA": str(tmp_path / "d"), "HEALTHBOOK_KEYS": str(tmp_path / "k")})
    assert settings.data == tmp_path / "d"
    assert settings.keys == tmp_path / "k"


def test_local_names_are_served_only_on_loopback() -> None:
    assert "localhost" in read_settings({}).hosts()
    public = read_settings({"HOST": "0.0.0.0", "ALLOWED_HOSTS": "so.example, api.so.example"})
    assert public.hosts() == ["so.example", "api.so.example"]


@pytest.mark.parametrize(
    "origin",
    ["https://so.example.vn", "https://so.example.vn:8443", "http://localhost:8000", "https://localhost"],
)
def test_the_apps_origin_is_a_name_with_tls_or_this_machine(origin: str) -> None:
    assert read_settings({"APP_ORIGIN": origin}).origin == origin


def test_without_an_origin_it_is_this_machine_at_its_port() -> None:
    assert read_settings({"PORT": "8123"}).origin == "http://localhost:8123"


@pytest.mark.parametrize(
    "origin",
    [
        "so.example.vn",
        "http://so.example.vn",
        "https://so.example.vn/",
        "https://so.example.vn/app",
        "https://user:geheim@so.example.vn",
        "https://10.0.0.5",
        "http://127.0.0.1:8000",
        "https://[::1]",
        "https://so.example.vn:port",
        "https://so.example.vn?x=1",
        "https://SO.example.vn",
        "ftp://localhost",
        "https://",
    ],
)
def test_s11_an_origin_that_no_browser_would_name_stops_the_start(origin: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"APP_ORIGIN": origin})
    assert str(raised.value).startswith("APP_ORIGIN: ")
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"S3_ENDPOINT": "https://s3.example"}, "S3_BUCKET"),
        ({"S3_BUCKET": "files"}, "S3_ENDPOINT"),
        ({"S3_ENDPOINT": "http://s3.example", "S3_BUCKET": "files"}, "S3_ENDPOINT"),
        ({"S3_ENDPOINT": "https://key:secret@s3.example", "S3_BUCKET": "files"}, "S3_ENDPOINT"),
        ({"S3_ENDPOINT": "s3.example", "S3_BUCKET": "files"}, "S3_ENDPOINT"),
        ({"S3_ENDPOINT": "https://s3.example", "S3_BUCKET": "Files!"}, "S3_BUCKET"),
    ],
)
def test_an_object_store_is_named_whole_or_not_at_all(given: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(given)


def test_an_object_store_on_this_machine_needs_no_tls() -> None:
    for endpoint in ("http://127.0.0.1:8333", "https://s3.example:443"):
        assert read_settings({"S3_ENDPOINT": endpoint, "S3_BUCKET": "files"}).s3_endpoint == endpoint


@pytest.mark.parametrize(
    "url",
    [
        "https://fhir.so.example/r4",
        "https://10.0.0.5:8443/fhir",
        "http://127.0.0.1:8190/fhir",
        "http://localhost/fhir",
        "http://[::1]:8190/fhir",
    ],
)
def test_another_core_may_be_private_and_in_clear_on_this_machine_alone(url: str) -> None:
    address = core_address(read_settings({"EHR_CORE_URL": url, "EHR_CORE_TOKEN": "geheim"}))
    assert address is not None
    assert (address.url, address.source_id) == (url, "core:main")
    assert address.name
    assert "geheim" not in repr(address)
    assert core_address(read_settings({})) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EHR_CORE_URL", "fhir.so.example/r4"),
        ("EHR_CORE_URL", "http://fhir.so.example/r4"),
        ("EHR_CORE_URL", "http://10.0.0.5/fhir"),
        ("EHR_CORE_URL", "https://user:geheim@fhir.so.example/r4"),
        ("EHR_CORE_URL", "https://fhir.so.example/r4?key=geheim"),
        ("EHR_CORE_URL", "https://fhir.so.example/r4#x"),
        ("EHR_CORE_URL", "https://fhir.so.example:port/r4"),
        ("EHR_CORE_URL", "file:///etc/passwd"),
        ("EHR_CORE_URL", "https://"),
        ("EHR_CORE_TOKEN", "geheim\r\nX-Other: 1"),
        ("EHR_CORE_TOKEN", "geheim\u00e9"),
        ("EHR_CORE_ID", "Core One"),
    ],
)
def test_s29_a_wrong_core_stops_the_start_without_its_secret(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({name: value})
    assert str(raised.value).startswith(f"{name}: ")
    assert "geheim" not in str(raised.value)
