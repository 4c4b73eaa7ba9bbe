"""The compose files as docker-compose itself puts them together, with secrets of a test's own."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.support.debian import program

DOCKER = Path(__file__).resolve().parents[2] / "docker"
# Which files are put on top of each other, and what of them stays away unless asked for.
STACKS = {
    "one node": ("compose.yaml",),
    "cluster": ("compose.yaml", "compose.citus.yaml"),
    "metrics": ("compose.yaml", "compose.metrics.yaml"),
    "cluster with metrics": ("compose.yaml", "compose.citus.yaml", "compose.metrics.yaml"),
    "end": ("compose.yaml", "compose.end.yaml"),
}
PROFILES = ("backup", "operator", "signer")


def copied(place: Path) -> Path:
    """The folder as an operator has it after `make-secrets.sh`."""
    there = place / "docker"
    shutil.copytree(DOCKER, there, ignore=shutil.ignore_patterns("secrets", "keys", "signer", ".env"))
    make_secrets(there)
    return there


def make_secrets(there: Path) -> list[str]:
    """What the script says that it made."""
    done = subprocess.run(
        [str(there / "make-secrets.sh"), "so.example.vn"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def configured(there: Path, stack: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The services of a stack with everything that is set, by name."""
    files = [word for name in stack for word in ("-f", str(there / name))]
    chosen = [word for name in PROFILES for word in ("--profile", name)]
    done = subprocess.run(
        [program(["docker-compose"], "docker-compose"), *files, *chosen, "config"],
        # An operator's shell may hold anything: credentials of another cloud, a bundle of another company.
        env={"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "strange", "AWS_CA_BUNDLE": "/strange"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    services: dict[str, dict[str, Any]] = yaml.safe_load(done.stdout)["services"]
    return services
