"""The independent viewer is not left out where everything is to be tested."""

import pytest

from tests.support import viewer


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("HEALTHBOOK_COUNTS", "full")])
def test_without_npm_the_viewer_fails_where_all_is_tested_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("HEALTHBOOK_COUNTS", raising=False)
    monkeypatch.setattr("node_packages.shutil.which", lambda _name: None)
    with pytest.warns(UserWarning, match="npm"), pytest.raises(pytest.skip.Exception):
        viewer.installed()
    monkeypatch.setenv(name, value)
    with pytest.raises(pytest.fail.Exception):
        viewer.installed()
