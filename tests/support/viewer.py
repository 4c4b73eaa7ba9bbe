"""The judges of tests/interop: software of others that runs on Node."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import npm
from tests.support.shared import ROOT

PLACE = ROOT / "tests" / "interop"


def installed() -> Path:
    """Where the judges' node_modules are."""
    return npm.installed(PLACE)


def open_link(link: str, passcode: str, recipient: str = "Dr. Weber", **more: Any) -> dict[str, Any]:
    """What the viewer read: {label, status, resources}, or {error}."""
    read: dict[str, Any] = _ask(
        "open_link.mjs", {"link": link, "passcode": passcode, "recipient": recipient} | more
    )
    return read


def read_cards(texts: list[str], jwks: dict[str, Any]) -> list[dict[str, Any]]:
    """What `jose` read of health cards, each a QR's text or a JWS: {header, payload}, or {error}."""
    read: list[dict[str, Any]] = _ask("read_card.mjs", [{"text": text, "jwks": jwks} for text in texts])
    return read


def read_jws(texts: list[str], jwks: dict[str, Any], algorithms: list[str]) -> list[dict[str, Any]]:
    """What `jose` read of compact JWS with JSON in them: {header, payload}, or {error}."""
    asked = [{"jws": text, "jwks": jwks, "algorithms": algorithms} for text in texts]
    read: list[dict[str, Any]] = _ask("read_jws.mjs", asked)
    return read


def sign_in_at(issuer: str, redirect_uri: str, form: dict[str, str], wrong: str = "") -> dict[str, Any]:
    """What `openid-client` read at an OpenID Connect issuer: {claims, userinfo}, or {error}."""
    asked = {"issuer": issuer, "redirect_uri": redirect_uri, "form": form, "wrong": wrong}
    read: dict[str, Any] = _ask("identity_client.mjs", asked)
    return read


@contextmanager
def issuer_of_others(redirect_uri: str, alg: str, accounts: dict[str, Any]) -> Iterator[str]:
    """The address of an OpenID Connect issuer by `oidc-provider`; it ends with the block."""
    asked = json.dumps({"redirect_uri": redirect_uri, "alg": alg, "accounts": accounts})
    process = subprocess.Popen(
        ["node", str(PLACE / "identity_issuer.mjs"), str(installed()), asked],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["issuer"]
    finally:
        process.kill()
        process.wait(30)


def read_certificates(judge: str, asked: list[tuple[str, str, str]]) -> list[str]:
    """`valid`, `invalid` or an error of each (HC1 text, key as PEM, `ES256` or `PS256`), by `cose-kit` or
    `@auth0/cose`."""
    cases = [{"text": text, "key": pem, "alg": alg} for text, pem, alg in asked]
    read: list[str] = _ask("read_certificate.mjs", cases, judge)
    return read


def _ask(script: str, asked: Any, *more: str) -> Any:
    done = subprocess.run(
        ["node", str(PLACE / script), str(installed()), *more],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)
