"""Every verdict of the offline verifier has plain words in both languages, and no words wait in vain."""

import ast
import json
import string
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS: dict[str, dict[str, str]] = json.loads((ROOT / "audit" / "texts" / "verdicts.json").read_bytes())
# Said of what holds, of what a restored backup lost, and of a file that does not read (healthbook/proofs.py).
GOOD = {"whole", "not-covered", "masked", "rooted", "head", "gap", "gap-open", "not-roots", "not-a-pin"}


def reasons() -> set[str]:
    """Texts with a hyphen that verifiers give as a reason."""
    files = [ROOT / "audit" / name for name in ("verify.py", "export.py", "operators.py", "roots/verify.py")]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if "-" in text and " " not in text}


def test_every_verdict_has_words_and_no_words_wait_in_vain() -> None:
    assert reasons() == set(WORDS) - GOOD


@pytest.mark.parametrize("reason", sorted(WORDS))
def test_both_languages_name_the_same_places(reason: str) -> None:
    vi, en = (
        {name for _, name, _, _ in string.Formatter().parse(WORDS[reason][key]) if name}
        for key in ("vi", "en")
    )
    assert vi == en
