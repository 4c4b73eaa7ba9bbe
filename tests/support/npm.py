"""Node packages for tests: without npm they skip, or fail where everything is to be tested."""

import os
import warnings
from pathlib import Path

import pytest
from node_packages import NoNodeError, node_modules


def installed(place: Path) -> Path:
    """The directory with the node_modules of `place`, for a test.

    Without npm it skips, loudly, on a machine of somebody's own alone: where everything is to be tested (CI,
    HEALTHBOOK_COUNTS=full) it fails.
    """
    try:
        return node_modules(place)
    except NoNodeError as error:
        if os.environ.get("CI") or os.environ.get("HEALTHBOOK_COUNTS") == "full":
            pytest.fail(f"nothing that runs on Node can be tested: {error}")
        warnings.warn("no npm: what runs on Node was NOT tested", stacklevel=1)
        pytest.skip(f"this was NOT tested: {error}")
