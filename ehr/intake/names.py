"""Finding names in folded text quickly: a pattern runs only where the first letters of its name occur."""

import re
from collections.abc import Iterable

_SPACED = frozenset({"hiv", "aids", "arv"})
_GAP = r"[\W_]*"
_SQUEEZE = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """Letters and digits only, for the look at first letters."""
    return _SQUEEZE.sub("", text)


class Names:
    """A set of folded names. Short ones must stand alone, longer ones may take an ending."""

    def __init__(self, names: Iterable[str]) -> None:
        stems: dict[str, list[str]] = {}
        for name in names:
            stems.setdefault(squeeze(name)[:5], []).append(_word(name))
        self._patterns = {stem: re.compile("|".join(words)) for stem, words in stems.items()}
        self._stems = tuple(self._patterns)

    def may_be_in(self, squeezed: str) -> bool:
        """Whether the first letters of any name occur in squeeze(text): the quick look."""
        for stem in self._stems:  # noqa: SIM110 - a plain loop is twice as fast as any() here
            if stem in squeezed:
                return True
        return False

    def found(self, text: str, squeezed: str) -> set[str]:
        """What of `text` matches; `squeezed` is squeeze(text), made once for several sets."""
        hits: set[str] = set()
        for stem, pattern in self._patterns.items():
            if stem in squeezed:
                hits.update(match.group() for match in pattern.finditer(text))
        return hits


def _word(name: str) -> str:
    if name in _SPACED:
        letters = r"[\W_]{1,3}".join(name)
        solid = rf"(?:(?<![a-z])|(?<=anti)|(?<=xn)){name}(?:ag|ab|rna|dna|combo|test|am|duong)?\d*(?![a-z])"
        return rf"{solid}|(?<![a-z0-9]){letters}(?![a-z])"
    body = _GAP.join(re.escape(part) for part in name.split())
    return rf"(?<![a-z]){body}" + (r"(?![a-z])" if len(name) <= 4 else "")
