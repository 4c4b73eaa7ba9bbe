"""The image and the compose files, as far as can be judged without building them."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from healthbook.serve import STOP_SECONDS_MAX
from healthbook.settings import Settings
from store.postgres import LOG_SETTINGS, ROLES
from tests.support.composing import DOCKER, STACKS, configured, copied, make_secrets

DOCKERFILES = sorted(DOCKER.rglob("Dockerfile"))
COMPOSE_FILES = sorted(DOCKER.glob("compose*.yaml"))
PASSWORD = "password|secret|token"


def instructions(path: Path) -> list[tuple[str, str]]:
    """(instruction, rest) of a Dockerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.M).replace("\\\n", " ")
    return [
        (line.split()[0].upper(), line.partition(" ")[2].strip())
        for line in text.splitlines()
        if line.strip()
    ]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda p: str(p.relative_to(DOCKER)))
def test_an_image_is_pinned_and_does_not_run_as_root(path: Path) -> None:
    found = instructions(path)
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]
    stages = {rest.split()[-1] for word, rest in found if word == "FROM" and " as " in rest.lower()}
    assert all(base in stages or ":" in base or "@" in base for base in bases)
    assert not [base for base in bases if base.endswith(":latest")]
    users = [rest for word, rest in found if word == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    assert "ADD" not in {word for word, _ in found}, "COPY says what ADD guesses"


def test_what_is_copied_is_there() -> None:
    for path in DOCKERFILES:
        for word, rest in instructions(path):
            if word == "COPY" and "--from" not in rest:
                sources = [part for part in rest.split()[:-1] if not part.startswith("--")]
                for source in sources:
                    assert list(DOCKER.parent.glob(source.rstrip("/"))) or source == ".", source


def test_the_packages_of_the_program_are_all_in_the_image() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    for package in sorted(
        p.parent.name for p in DOCKER.parent.glob("*/__init__.py") if p.parent.name != "bench"
    ):
        assert re.search(rf"\b{package}\b", text) or "COPY . " in text, package


def test_nothing_that_is_copied_is_kept_out_of_the_build() -> None:
    kept = set((DOCKER / "Dockerfile.dockerignore").read_text().split())
    for word, rest in instructions(DOCKER / "Dockerfile"):
        if word == "COPY" and "--from" not in rest:
            for source in [part for part in rest.split()[:-1] if not part.startswith("--")]:
                assert f"!{source.rstrip('/')}" in kept, source


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda p: str(p.relative_to(DOCKER)))
def test_hadolint_finds_nothing(path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, path], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the secrets made."""
    return copied(tmp_path_factory.mktemp("docker"))


@pytest.fixture(params=STACKS)
def services(request: pytest.FixtureRequest, there: Path) -> dict[str, dict[str, Any]]:
    return _services(there, request.param)


@cache
def _services(there: Path, stack: str) -> dict[str, dict[str, Any]]:
    return configured(there, STACKS[stack])


def test_every_compose_file_is_in_a_stack_that_is_put_together() -> None:
    assert {path.name for path in COMPOSE_FILES} == {name for stack in STACKS.values() for name in stack}


def test_a_compose_file_names_no_image_that_may_not_be_named_and_each_by_its_version(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in services.items():
        assert not service.get("privileged"), name
        assert re.search(r":v?\d", service["image"]), name
        assert "grafana" not in service["image"], "AGPL"
        assert "no-new-privileges:true" in service.get("security_opt", []) or service["restart"] == "no", name


def test_no_secret_is_in_what_docker_inspect_shows(services: dict[str, dict[str, Any]], there: Path) -> None:
    known = {
        path.read_text().strip() for path in (there / "secrets").iterdir() if not path.name.endswith(".pem")
    }
    for name, service in services.items():
        shown = repr(service.get("environment", {})) + repr(service.get("command", ""))
        assert [secret for secret in known if secret in shown] == [], name
        for variable in service.get("environment", {}):
            assert not re.search(PASSWORD, variable, re.I) or variable.endswith(("_FILE", "PGPASSFILE")), (
                variable
            )


def test_every_setting_is_one_of_ours_or_the_images(services: dict[str, dict[str, Any]]) -> None:
    ours = {name.upper() for name in Settings.__struct_fields__}
    ours |= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CA_BUNDLE"}
    for name, service in services.items():
        if service["image"].startswith("healthbook:"):
            given = {variable.removesuffix("_FILE") for variable in service["environment"]}
            assert given <= ours, (name, given - ours)


def test_a_shells_own_variables_change_nothing(services: dict[str, dict[str, Any]]) -> None:
    assert "strange" not in repr(services)


def test_a_container_is_not_killed_before_its_requests_are_over(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if service["image"].startswith("healthbook:"):
            seconds = sum(
                int(number) * {"m": 60, "s": 1}[unit]
                for number, unit in re.findall(r"(\d+)([ms])", service["stop_grace_period"])
            )
            drained = int(service["environment"].get("DRAIN_SECONDS", 0))
            assert seconds > drained + STOP_SECONDS_MAX, name


def test_s22_every_server_keeps_rows_and_keys_out_of_its_log(services: dict[str, dict[str, Any]]) -> None:
    servers = {
        name: service
        for name, service in services.items()
        if "POSTGRES_USER" in service.get("environment", {})
    }
    assert "postgres" in servers
    for name, service in servers.items():
        assert {f"{key}={value}" for key, value in LOG_SETTINGS.items()} <= set(service["command"]), name


def test_s15_s12_keys_and_journal_lie_apart_from_what_is_backed_up(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in ("api", "api2", "worker"):
        assert services[name]["environment"]["HEALTHBOOK_KEYS"].startswith("/run/keys/"), name
        assert "HEALTHBOOK_JOURNAL" in services[name]["environment"], name
    mounts = [str(mount) for mount in services["backup"]["volumes"] + services["postgres"]["volumes"]]
    assert [mount for mount in mounts if "keys" in mount or "journal" in mount or "signer" in mount] == []


def test_an_operator_is_the_owner_and_writes_the_keys_and_no_service_does(
    services: dict[str, dict[str, Any]],
) -> None:
    writers = [
        name
        for name, service in services.items()
        if any("/run/keys" in str(one) and ":ro" not in str(one) for one in service.get("volumes", []))
    ]
    assert writers == ["operator"]
    owners = {
        name for name, one in services.items() if "DATABASE_OWNER_URL_FILE" in one.get("environment", {})
    }
    assert owners == {"migrate", "operator"}
    given = services["operator"]["environment"]
    others = services["worker"]["environment"].keys() - given.keys()
    assert others <= {"METRICS_HOST", "METRICS_PORT"}, "what it does is done as the services do it"


def test_s28_the_keys_of_the_signer_are_in_its_container_alone(services: dict[str, dict[str, Any]]) -> None:
    holders = [
        name for name, one in services.items() if any("/run/signer" in str(m) for m in one.get("volumes", []))
    ]
    if "HEALTHBOOK_SIGNER_KEYS" in services["operator"]["environment"]:
        holders.remove("operator")  # at the end, when no signer runs any more
    assert holders == ["signer"]
    assert services["signer"]["user"].split(":")[0] != "10001"


def test_at_the_end_everything_that_is_destroyed_can_be_written(there: Path) -> None:
    """What no command reaches outlives the certificate that says it is gone."""
    services = _services(there, "end")
    held = {
        variable: services[name]["environment"][variable]
        for name, variable in (("signer", "HEALTHBOOK_SIGNER_KEYS"), ("backup", "HEALTHBOOK_BACKUP"))
    }
    given = services["operator"]
    assert {variable: given["environment"].get(variable) for variable in held} == held
    writable = {one for one, place in mounted(given).items() if not place.endswith(":ro")}
    needed = {name for one in ("backup", "signer", "worker") for name in mounted(services[one])}
    assert needed <= writable
    assert mounted(given)["spool"] == given["environment"]["HEALTHBOOK_BACKUP_SPOOL"]


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """Where each volume or folder, by its own name, lies in a container; `:ro` where it cannot be written."""
    found = dict[str, str]()
    for one in service["volumes"]:
        source, _, target = str(one).partition(":")
        found[Path(source).name] = target.removesuffix(":rw")
    return found


def test_the_first_start_makes_every_role_of_the_program(there: Path) -> None:
    made = re.findall(r"^CREATE ROLE (\w+) ", (there / "postgres" / "roles.sh").read_text(), re.M)
    assert set(made) == set(ROLES)


def test_every_secret_is_made_once_for_the_account_that_reads_it(there: Path) -> None:
    secrets = there / "secrets"
    before = {path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in secrets.iterdir()}
    assert {mode for _, mode in before.values()} == {0o400}
    assert make_secrets(there) == []
    assert before == {
        path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in secrets.iterdir()
    }
    if os.geteuid() == 0:
        owners = {path.name: path.stat().st_uid for path in secrets.iterdir()}
        assert owners["database_url"] == 10001
        assert owners["postgres_password"] == 999
        assert owners["tls_key.pem"] == 101


def test_every_secret_that_is_named_was_made(services: dict[str, dict[str, Any]], there: Path) -> None:
    named = {path.name for path in (there / "secrets").iterdir()}
    for path in COMPOSE_FILES:
        asked = set(re.findall(r"file: \./secrets/(\S+)", path.read_text()))
        assert asked <= named, path.name


def test_the_entry_point_takes_every_secret_from_its_file_and_becomes_the_program(tmp_path: Path) -> None:
    (tmp_path / "healthbook").write_text('#!/bin/sh\nenv | grep DATABASE\necho "$@" "$PPID"\n')
    (tmp_path / "healthbook").chmod(0o755)
    (tmp_path / "address").write_text("postgresql://u:p%20=$x@h/d\n")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DATABASE_URL_FILE": str(tmp_path / "address")}
    done = subprocess.run(
        [DOCKER / "entrypoint.sh", "serve", "--no-worker"],
        env=environment | {"DATABASE_OWNER_URL_FILE": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert "DATABASE_URL=postgresql://u:p%20=$x@h/d\n" in done.stdout
    assert done.stdout.endswith(f"serve --no-worker {os.getpid()}\n"), "signals reach the program itself"
    missing = environment | {"DATABASE_URL_FILE": str(tmp_path / "nowhere")}
    refused = subprocess.run(
        [DOCKER / "entrypoint.sh", "serve"], env=missing, capture_output=True, check=False, timeout=30
    )
    assert refused.returncode != 0, "a secret that cannot be read is no empty one"


def test_s33_the_proxy_ends_slow_bodies_and_passes_one_spelling_of_a_path() -> None:
    """Of a proxy_pass without a path nginx forwards the request's own spelling, whatever it merged."""
    directives = set(
        re.findall(r"^\s*([a-z_]+ [^;{]+);", (DOCKER / "proxy" / "nginx.conf").read_text(), re.M)
    )
    assert {"merge_slashes on", "proxy_request_buffering on", "proxy_pass http://instances/"} <= directives
    assert {"client_header_timeout 10s", "client_body_timeout 10s"} <= directives
