"""The published vectors: one form for all, and the reference client reads every one as they say."""

import json
from pathlib import Path

import pytest

from tests.support import reference, vectors

FILES = sorted(vectors.PLACE.glob("*.json"))
# What a phone never reads by itself: scanners of desks, share links, tolerance of the generated clients.
ELSEWHERE = {"card-texts", "sharing", "tolerance"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_vectors_has_the_one_form(file: Path) -> None:
    document = json.loads(file.read_bytes())
    assert set(document) == {"v", "about", "cases"}
    assert document["v"] == "1"
    names = [case["name"] for case in document["cases"]]
    assert len(names) == len(set(names)) > 0
    for case in document["cases"]:
        assert tuple(case) == vectors.MEMBERS, case["name"]
        assert len(case["expect"].keys() & {"ok", "problem_code"}) == 1, case["name"]


def test_the_reference_client_reads_every_vector_as_published() -> None:
    read = [file for file in FILES if file.stem not in ELSEWHERE]
    # Each case, and one more of each file.
    assert reference.tested("vectors.test.ts") == sum(
        1 + len(json.loads(file.read_bytes())["cases"]) for file in read
    )
