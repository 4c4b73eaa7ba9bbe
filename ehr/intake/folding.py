"""Text as the gate compares it: case, tones, NFD, entities, zero-width and look-alike characters folded."""

import html
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote

_MARKS = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e007f]"
)
_TAGS = re.compile(r"<[^<>]{0,4000}>")
_ZEROS = re.compile(r"(&#[xX]?)0+(?=[0-9a-fA-F])")
_TOO_LONG = re.compile(r"&#[0-9]{8,}")
_ESCAPED = re.compile(r"%[0-9a-fA-F]{2}")
# Cyrillic, Greek and phonetic letters that look like the Latin ones of the names and codes we look for.
_SIMILAR = str.maketrans(
    "đнНіІѵѴаАѕЅоОеЕрРсСтТмМΗΙνΝαΑοΟΡτΤӀӏıɪʜᴠιвВΒΖᴀᴅꜱᴿʀɑɡһⅼǀ׀ߊ∣｜ꓧꓲꓦꓮꓓꓢᎻᏙᎪᎠᏚհіѡԁ",
    "dhhiivvaassooeeppccttmmhivvaaoopttiiiihvibbbzadsrraghiiiiiihivadshvadshiwd",
)
# Letters in boxes and circles, and those of flags: A stands first of 26.
_BOXED = {start + step: ord("a") + step for start in (0x1F150, 0x1F170, 0x1F1E6) for step in range(26)}
_LOOKALIKES = _SIMILAR | _BOXED
_LAYERS = 4


def fold_for_gate(text: str) -> str:
    """Lower case and bare; where the text holds mark-up or %-escapes, both readings (with and without)."""
    if "&" in text:
        text = _peeled(text, _unescape)
    if "%" in text and _ESCAPED.search(text):
        text = f"{text}\n{_peeled(text, unquote)}"
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LOOKALIKES)
    text = text.lower()
    if not text.isascii():
        text = text.translate(_LOOKALIKES)
    if "<" in text:
        bare = _TAGS.sub("", text)
        if bare != text:
            text = f"{text}\n{bare}"
    return text


def _peeled(text: str, peel: Callable[[str], str]) -> str:
    """Escapes of escapes, at most four layers."""
    for _ in range(_LAYERS):
        before, text = text, peel(text)
        if text == before:
            break
    return text


def _unescape(text: str) -> str:
    """HTML's own unescape, which raises for a number of thousands of digits: no character has eight."""
    return html.unescape(_TOO_LONG.sub(" ", _ZEROS.sub(r"\1", text)))
