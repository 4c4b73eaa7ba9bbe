"""The published vectors of device keys hold against the code that checks phones."""

from typing import Any

import msgspec
import pytest

from identity.devices import NewDevice, proven_step_up_key
from identity.signatures import Jwk, es256_holds, is_canonical
from tests.contracts import device_key_vectors as vectors
from tests.support.vectors import read

CASES = read("device-keys")


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), (
        "run: python -m tests.contracts.device_key_vectors"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_a_device_signs_is_judged_as_published(case: dict[str, Any]) -> None:
    key = msgspec.convert(case["keys"][case["input"]["key"]], Jwk)
    text, expect = vectors.expected_text(case), case["expect"]
    if "ok" not in expect:
        assert not es256_holds(key, text, case["input"]["signature"])
        return
    assert text.decode() == expect["ok"]["text"]
    assert is_canonical(text)
    assert es256_holds(key, text, expect["ok"]["signature"])


def test_an_enrolment_is_taken_with_both_published_proofs() -> None:
    by_key = {case["input"]["key"]: case for case in CASES if "challenge" in case["input"]}
    proofs = {name: case["expect"]["ok"]["signature"] for name, case in by_key.items()}
    device = NewDevice(
        name="Máy mẫu",
        user_present=True,
        refresh_key=vectors.jwk_of("refresh"),
        refresh_proof=proofs["refresh"],
        step_up_key=vectors.jwk_of("step_up"),
        step_up_proof=proofs["step_up"],
    )
    assert proven_step_up_key(device, vectors.CHALLENGE, None) is not None
