"""The published vectors: one form for all, and the reference client reads every one as they say."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import reference, vectors

FILES = sorted(vectors.PLACE.glob("*.json"))


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
    built = reference.compiled()
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", "vectors.test.js"],
        cwd=built,
        env=os.environ | {"VECTORS": str(vectors.PLACE)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = done.stdout.decode()
    assert done.returncode == 0, told[-4000:]
    passed = re.search(r"^# pass (\d+)$", told, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 200
