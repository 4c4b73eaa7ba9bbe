"""The published vectors of device keys hold against the code that checks phones."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from identity.devices import NewDevice, enrolment_text, proven_step_up_key
from identity.sessions import refresh_text
from identity.signatures import Jwk, es256_holds, is_canonical

VECTORS = Path(__file__).resolve().parents[2] / "mobile-contract" / "vectors" / "device-keys.json"


@pytest.fixture
def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(VECTORS.read_text())
    return loaded


def key(vectors: dict[str, Any], name: str) -> Jwk:
    return msgspec.convert(vectors[name], Jwk)


def test_an_enrolment_is_the_published_text_under_both_keys(vectors: dict[str, Any]) -> None:
    case = vectors["enrolment"]
    refresh_key, step_up_key = key(vectors, "refresh_key"), key(vectors, "step_up_key")
    assert enrolment_text(case["challenge"], refresh_key, step_up_key).decode() == case["text"]
    device = NewDevice(
        name="Máy mẫu",
        user_present=True,
        refresh_key=refresh_key,
        refresh_proof=case["refresh_proof"],
        step_up_key=step_up_key,
        step_up_proof=case["step_up_proof"],
    )
    assert proven_step_up_key(device, case["challenge"], None) is not None


def test_a_refresh_is_the_published_text_under_the_refresh_key(vectors: dict[str, Any]) -> None:
    case = vectors["refresh"]
    assert refresh_text(case["refresh_token"], case["iat"]).decode() == case["text"]
    assert es256_holds(key(vectors, "refresh_key"), case["text"].encode(), case["signature"])
    assert not es256_holds(key(vectors, "step_up_key"), case["text"].encode(), case["signature"])


def test_a_step_up_act_is_canonical_and_signed_by_the_step_up_key(vectors: dict[str, Any]) -> None:
    case = vectors["step_up"]
    assert is_canonical(case["text"].encode())
    assert es256_holds(key(vectors, "step_up_key"), case["text"].encode(), case["signature"])
