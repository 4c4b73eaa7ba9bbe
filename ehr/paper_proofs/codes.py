"""The code on a printed paper: signed so that nobody else can make one, sealed so that nobody else reads it.

Nothing is stored for a code, and two codes of one person cannot be linked. Its address holds all of it behind
`#`, which no browser sends (security.md S34).
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from ehr.paper_proofs.models import Reference
from kernel.problems import Refused
from qr import tokens
from qr.scanned import read_scanned
from qr.sealing import open_reference, seal_reference
from store.keys import KeyRing

# Where a phone's camera lands.
PAGE_PATH: Final = "/kiem-tra-giay-to"
# As long as a paper is likely to be shown; a birth note is for a childhood. Ours.
CODE_LIFE: Final = timedelta(days=30 * 365)
_LABEL: Final = b"healthbook paper code"
CODE_CHARACTERS_MAX: Final = 2_000


def draw_code(keys: KeyRing, reference: Reference, now: datetime) -> str:
    """The fragment of a fresh code."""
    body = seal_reference(keys, "paper-reference", _LABEL, msgspec.msgpack.encode(reference))
    kind: tokens.Kind = "letter" if reference.is_letter else "paper"
    return tokens.to_fragment(tokens.sign(keys, kind, body, now + CODE_LIFE, now))


def link_of(origin: str, fragment: str) -> str:
    """The text of the QR code."""
    return f"{origin}{PAGE_PATH}#{fragment}"


def handed_over(text: str) -> str:
    """The fragment in what a scanner read, which hands over the whole text of the QR code; else the text."""
    scanned = read_scanned(text)
    return scanned.text if scanned.text is not None and scanned.kind in ("letter", "paper") else text


def read_code(keys: KeyRing, code: str, now: datetime) -> Reference | None:
    """What a code refers to; None where we did not make it, or somebody changed it."""
    text = tokens.from_fragment(code)
    kind: tokens.Kind = "letter" if tokens.kind_of(text) == "letter" else "paper"
    body = tokens.read(keys, kind, text, now)
    # One code has one spelling: the same bytes written otherwise were changed by somebody.
    if isinstance(body, Refused) or tokens.to_fragment(text) != code:
        return None
    opened = open_reference(keys, "paper-reference", _LABEL, body)
    try:
        found = None if opened is None else msgspec.msgpack.decode(opened, type=Reference)
    except msgspec.MsgspecError:
        return None
    return found if found is not None and found.is_letter == (kind == "letter") else None
