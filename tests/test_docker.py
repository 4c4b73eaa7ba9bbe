"""docker/ without an engine: what can be read from the files must hold."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from store.postgres import LOG_SETTINGS, ROLES

DOCKER = Path(__file__).resolve().parents[1] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of the Dockerfile, continued lines joined, comments gone."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def test_base_images_are_pinned_to_a_full_version() -> None:
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    images += [service["image"] for service in SERVICES.values()]
    for image in images:
        name, _, tag = image.rpartition(":")
        assert name, image
        assert re.match(r"\d+\.\d+", tag), image


def test_the_image_runs_as_an_ordinary_user_with_commands_in_exec_form() -> None:
    found = instructions()
    assert [rest for word, rest in found if word == "USER"] == ["10001:10001"]
    assert found.index(("USER", "10001:10001")) > max(i for i, (word, _) in enumerate(found) if word == "RUN")
    for word, rest in found:
        if word in {"ENTRYPOINT", "CMD"}:
            assert rest.startswith("["), rest
        assert word != "ADD"
    assert any(word == "HEALTHCHECK" for word, _ in found)


def test_packages_are_installed_by_hash_and_sources_exist() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert all("--require-hashes" in rest or "--no-deps" in rest for rest in installs)
    for word, rest in instructions():
        if word == "COPY" and "--from=" not in rest:
            for source in [part for part in shlex.split(rest) if not part.startswith("--")][:-1]:
                assert (DOCKER.parent / source).exists(), source


def test_every_package_of_the_wheel_is_in_the_image() -> None:
    import tomllib

    project = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    copied = {rest.split()[-1] for word, rest in instructions() if word == "COPY"}
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert packages <= copied
    assert {f"!{package}" for package in packages} <= set(ignored)
    assert "**/*.key" in ignored


def test_no_secret_stands_in_an_environment() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|KEY|DATABASE", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"
                assert str(value).startswith("/run/secrets/")
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    ignored = (DOCKER / ".gitignore").read_text().split()
    assert {"secrets/", "keys/"} <= set(ignored)


def test_services_have_checks_and_no_needless_rights() -> None:
    for name, service in SERVICES.items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "healthcheck" in service or service["image"].startswith("healthbook:"), name
        assert not service.get("privileged"), name
        if name != "postgres":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_s22_the_container_logs_no_more_than_the_embedded_server() -> None:
    command = SERVICES["postgres"]["command"]
    given = dict(part.split("=", 1) for part in command if "=" in part)
    assert LOG_SETTINGS.items() <= given.items()


def test_s21_the_containers_roles_are_the_programs_and_none_is_superuser() -> None:
    script = (DOCKER / "postgres" / "roles.sh").read_text()
    assert set(re.findall(r"CREATE ROLE (\w+)", script)) == set(ROLES)
    assert "SUPERUSER" not in script


def test_s34_the_proxy_logs_no_path_and_no_address() -> None:
    text = (DOCKER / "proxy" / "nginx.conf").read_text()
    log_format = text[text.index("log_format") : text.index("access_log")]
    logged = set(re.findall(r"\$(\w+)", log_format))
    assert logged == {
        "time_iso8601",
        "request_method",
        "status",
        "body_bytes_sent",
        "request_time",
        "sent_http_x_request_id",
    }
    assert "error_log stderr emerg;" in text


@pytest.mark.parametrize("script", ["entrypoint.sh", "postgres/roles.sh"])
def test_shell_scripts_parse_and_stop_at_errors(script: str) -> None:
    path = DOCKER / script
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
    assert "set -eu" in path.read_text()
    assert path.stat().st_mode & 0o111


def test_the_entrypoint_reads_addresses_from_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p@h/d\n")
    (tmp_path / "healthbook").write_text('#!/bin/sh\necho "$DATABASE_URL|$1|${DATABASE_OWNER_URL:-none}"\n')
    (tmp_path / "healthbook").chmod(0o755)
    told = subprocess.run(
        [DOCKER / "entrypoint.sh", "serve"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "DATABASE_URL_FILE": str(tmp_path / "url")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "postgresql://u:p@h/d|serve|none\n"
