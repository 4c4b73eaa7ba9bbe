from pathlib import Path

import pytest

from healthbook.settings import SettingsError, read_settings


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
