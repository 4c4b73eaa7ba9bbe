"""What the reference client promises about repeats, sessions and signatures: its own tests, run by node."""

import os
import re
import subprocess

from tests.support import reference, vectors


def test_the_reference_client_holds_its_own_rules() -> None:
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", "client.test.js"],
        cwd=reference.compiled(),
        env=os.environ | {"VECTORS": str(vectors.PLACE)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = done.stdout.decode()
    assert done.returncode == 0, told[-4000:]
    passed = re.search(r"^# pass (\d+)$", told, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= 10
