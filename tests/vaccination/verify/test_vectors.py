"""The published vectors of certificates: our verifier, with files alone, says what they say."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support import vectors as published
from tests.vaccination.verify import vectors
from vaccination.verify.judging import judge
from vaccination.verify.models import Verdict
from vaccination.verify.offline import Files
from vaccination.verify.texts import read

CASES = published.read("certificates")


def verdict(case: dict[str, Any]) -> Verdict:
    files, lists = Files(), case["keys"]["lists"]
    age = timedelta(days=case["keys"]["max_age_days"])
    for document in (*lists["keys"], *lists["revocations"], *lists["cardRevocations"]):
        if document.get("certificates") != []:
            files.add(json.dumps(document).encode(), age)
    for issuer in lists["cards"]:
        files.add(json.dumps({"keys": issuer["keys"]}).encode(), age, issuer["issuer"])
    reading = read(case["input"]["text"])
    return judge(reading, files.known(reading), datetime.fromisoformat(case["now"]))


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), "run: python -m tests.vaccination.verify.vectors"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_verifier_agrees_with_the_vector(case: dict[str, Any]) -> None:
    found, expect = verdict(case), case["expect"]
    if "ok" not in expect:
        failed = next(step for step in found.steps if step.status)
        assert (found.status, failed.name) == (expect["problem_code"], expect["step"])
        return
    assert found.status == expect["ok"]["status"]
    assert found.holder is not None
    said = {name: getattr(found.holder, name) for name in expect["ok"]["holder"]}
    assert said == expect["ok"]["holder"]
    revocation = next(step for step in found.steps if step.name == "revocation")
    assert (revocation.outcome == "passed") == expect["ok"]["revocation_known"]


@pytest.mark.parametrize(
    "kind",
    [
        *("valid", "expired", "wrong key", "tampered byte", "future version", "another kind"),
        *("truncated", "lower-cased", "airplane mode", "revoked", "health card"),
    ],
)
def test_there_is_a_vector_of_every_kind(kind: str) -> None:
    assert [case for case in CASES if kind in case["name"]]
