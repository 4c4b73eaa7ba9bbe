"""Reads a person's book with PyPI `fhirclient`, in its environment: a SMART standalone launch, and FHIR.

One JSON line in, one out. First {api_base, app_id, redirect_uri, scope}: the address for the browser. Then
one of {callback}: the address it came back to, {read: types}, {refresh: true}.
"""

import importlib
import json
import sys
from typing import Any

from fhirclient import client
from fhirclient.models.bundle import Bundle


def of_type(name: str) -> Any:
    return getattr(importlib.import_module(f"fhirclient.models.{name.lower()}"), name)


def everything(smart: client.FHIRClient, name: str) -> list[Any]:
    """Every page of a search, each parsed by the strict models."""
    asked = {"patient": smart.patient_id, "_count": "60"}
    bundle, found = of_type(name).where(asked).perform(smart.server), []
    while bundle is not None:
        found += [entry.resource for entry in bundle.entry or []]
        following = [link.url for link in bundle.link or [] if link.relation == "next"]
        bundle = Bundle.read_from(following[0], smart.server) if following else None
    return found


def answer(smart: client.FHIRClient, asked: dict[str, Any]) -> dict[str, Any]:
    if "callback" in asked:
        smart.handle_callback(asked["callback"])
        return {"patient": smart.patient.as_json(), "ready": smart.ready}
    if "refresh" in asked:
        before = smart.server.auth.access_token
        return {"again": smart.reauthorize(), "new": smart.server.auth.access_token != before}
    read = {}
    for name in asked["read"]:
        found = everything(smart, name)
        for one in found[:1]:
            assert type(one).read(one.id, smart.server).as_json() == one.as_json()
        read[name] = [one.as_json() for one in found]
    return read


def say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    smart = client.FHIRClient(settings=json.loads(sys.stdin.readline()))
    smart.prepare()
    say({"authorize": smart.authorize_url})
    for line in sys.stdin:
        try:
            told = answer(smart, json.loads(line))
        except Exception as error:
            response = getattr(error, "response", None)
            told = {
                "error": f"{type(error).__name__}: {error}",
                "status": getattr(response, "status_code", 0),
            }
        say(told)


if __name__ == "__main__":
    main()
