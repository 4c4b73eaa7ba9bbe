"""Tier C as an app team reads it: mobile-contract/vectors/consent-code.json, checked from both sides."""

import base64
from datetime import datetime
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.transfer import counter_of
from identity.hotp import hotp_at
from kernel.problems import Refused
from qr.tokens import read_with
from tests.consent import vectors
from tests.support.phone import Phone
from tests.support.vectors import read

CASES = read("consent-code")
ANSWERED = [case for case in CASES if "ok" in case["expect"]]


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), "run: python -m tests.consent.vectors"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_s5_the_phone_reads_the_doctor_s_code_as_published(case: dict[str, Any]) -> None:
    pinned = {
        kid: Ed25519PublicKey.from_public_bytes(base64.b64decode(x)) for kid, x in case["keys"]["qr"].items()
    }
    found = read_with(pinned, "doctor-request", case["input"]["scanned"], datetime.fromisoformat(case["now"]))
    if isinstance(found, Refused):
        assert case["expect"] == {"problem_code": found.problem.code}
    else:
        assert found == case["expect"]["ok"]["shown"]


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case["name"])
def test_s5_an_offline_answer_follows_its_vector(case: dict[str, Any]) -> None:
    expected, secret = case["expect"]["ok"], case["keys"]["hotp_secret"]
    text = rfc8785.dumps(expected["shown"])
    assert text.decode() == expected["text"]
    assert f"{counter_of(text):016x}" == expected["counter"]
    assert hotp_at(secret, counter_of(text)) == expected["digits"]
    phone = Phone()
    phone.hotp_secret = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    assert phone.hotp(text) == expected["digits"]


def test_s5_what_the_doctor_types_is_taken_only_where_it_answers_this_request_in_time() -> None:
    taken = [case["name"] for case in ANSWERED if "ok" in case["expect"]["ok"]["doctor"]]
    assert taken == [
        "a usual request",
        "airplane mode: typed four minutes later",
        "the next minute's code",
    ]


def test_s5_no_two_requests_share_their_digits() -> None:
    digits = {(case["expect"]["ok"]["text"], case["expect"]["ok"]["digits"]) for case in ANSWERED}
    assert len(digits) == len({text for text, _ in digits}) == len({digits for _, digits in digits})
