"""The image and the compose file, as far as can be judged without building them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[1] / "docker"
DOCKERFILES = sorted(DOCKER.rglob("Dockerfile"))
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())


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


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = COMPOSE["services"]
    return found


def test_no_secret_stands_in_the_compose_file() -> None:
    for name, service in services().items():
        variables = service.get("environment", {})
        given = (
            variables.items() if isinstance(variables, dict) else [v.partition("=")[::2] for v in variables]
        )
        for variable, value in given:
            if re.search("PASSWORD|SECRET|TOKEN", variable) and not variable.endswith("_FILE"):
                assert str(value).startswith("${"), (name, variable)


def test_no_container_is_privileged_and_every_image_is_pinned() -> None:
    for name, service in services().items():
        assert not service.get("privileged"), name
        assert "build" in service or re.search(r":\d", service["image"]), name


def test_s33_the_proxy_ends_slow_bodies_and_passes_one_spelling_of_a_path() -> None:
    """Of a proxy_pass without a path nginx forwards the request's own spelling, whatever it merged."""
    directives = set(
        re.findall(r"^\s*([a-z_]+ [^;{]+);", (DOCKER / "proxy" / "nginx.conf").read_text(), re.M)
    )
    assert {"merge_slashes on", "proxy_request_buffering on", "proxy_pass http://api:8000/"} <= directives
    assert {"client_header_timeout 10s", "client_body_timeout 10s"} <= directives
