"""Tier C as an app team reads it: mobile-contract/vectors/consent-code.json, checked from both sides."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from consent.transfer import counter_of
from identity.hotp import hotp_at
from tests.support.phone import Phone

VECTORS = json.loads(
    (Path(__file__).parents[2] / "mobile-contract" / "vectors" / "consent-code.json").read_text()
)
CASES = VECTORS["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_s5_an_offline_answer_follows_its_vector(case: dict[str, Any]) -> None:
    expected, secret = case["expect"]["ok"], case["keys"]["hotp_secret"]
    text = rfc8785.dumps(case["input"]["request"])
    assert text.decode() == expected["text"]
    assert f"{counter_of(text):016x}" == expected["counter"]
    assert hotp_at(secret, counter_of(text)) == expected["digits"]
    phone = Phone()
    phone.hotp_secret = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    assert phone.hotp(text) == expected["digits"]


def test_s5_no_two_vectors_share_their_digits() -> None:
    assert len({case["expect"]["ok"]["digits"] for case in CASES}) == len(CASES)
