"""Whatever a scanner hands over, told apart: a code of ours, a card, a prescription, a bare number.

Nothing here proves who anybody is. A code of ours is only recognised; its kind's reader checks the signature.
The scanned text and what a card says are neither stored nor logged.
"""

import re
from typing import Final, Literal

from msgspec import Struct

from kernel.problems import ProblemType, Refused
from qr import tokens
from qr.bhyt import END, read_bhyt
from qr.card_texts import CardText, is_personal_number
from qr.cccd import is_labelled, read_cccd
from qr.problems import QR_KIND, QR_UNREADABLE, SCAN_UNKNOWN, SCANNER_KEYBOARD
from qr.scanner import TEXT_MAX, cleaned, fields_of, is_typed_wrong

What = Literal["code", "cccd", "bhyt", "erx", "number", "unknown"]

# Facility, seven signs, kind; what it is a code of, ehr/prescriptions knows.
_PRESCRIPTION: Final = re.compile(r"[0-9]{2}[0-9A-Za-z]{3}[0-9A-Za-z]{7}-[A-Za-z]")
_INSURANCE_CARD: Final = re.compile(r"[A-Z]{2}[0-9]{13}")
_INSURANCE_FIRST: Final = re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{10}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?://\S+#\S+", re.IGNORECASE)
# Codes of health that are read elsewhere: certificates and shared links.
_ELSEWHERE: Final = ("HC1:", "shc:/", "shlink:/")


class Scanned(Struct, frozen=True, kw_only=True):
    """What came. kind and text: of a code of ours, the text to hand to its reader (of a printed address its
    fragment); text also of a prescription. card: what a card or a bare number says. refused: why nothing can
    be done with it."""

    what: What
    kind: tokens.Kind | None = None
    text: str | None = None
    card: CardText | None = None
    refused: Refused | None = None

    def __repr__(self) -> str:
        return f"Scanned({self.what})"


def read_scanned(text: str) -> Scanned:
    """What a scanner handed over. Never raises, whatever it is."""
    text = cleaned(text)
    if problem := _problem(text):
        return _unknown(problem)
    if text.startswith(tokens.FAMILY):
        return _code(text)
    if _ADDRESS.fullmatch(text):
        return _address(text)
    if _PRESCRIPTION.fullmatch(text):
        return Scanned(what="erx", text=text)
    alone = _number_alone(text)
    return Scanned(what="number", card=alone) if alone else _card(text)


def _problem(text: str) -> ProblemType | None:
    """Why nobody needs to look closer."""
    if not text or len(text) > TEXT_MAX:
        return QR_UNREADABLE
    if is_typed_wrong(text):
        return SCANNER_KEYBOARD
    return QR_KIND if text.startswith(_ELSEWHERE) else None


def _code(text: str) -> Scanned:
    kind = tokens.kind_of(text)
    if isinstance(kind, Refused):
        return Scanned(what="unknown", refused=kind)
    return Scanned(what="code", kind=kind, text=text)


def _address(text: str) -> Scanned:
    """A printed paper of ours ends in a fragment; every other address is none of ours."""
    fragment = text.rpartition("#")[2]
    kind = tokens.kind_of(tokens.from_fragment(fragment))
    if isinstance(kind, Refused):
        return _unknown(SCAN_UNKNOWN)
    return Scanned(what="code", kind=kind, text=fragment)


def _card(text: str) -> Scanned:
    if is_labelled(text):
        return _of_card("cccd", read_cccd(text))
    fields = fields_of(text)
    if len(fields) < 2:
        return _unknown(SCAN_UNKNOWN)
    if _INSURANCE_FIRST.fullmatch(fields[0]) or text.endswith(END):
        return _of_card("bhyt", read_bhyt(text))
    # An address or a table of somebody else's is no card whose number is wrong.
    if any(sign.isdigit() for sign in fields[0]) and len(fields[0]) <= 20:
        return _of_card("cccd", read_cccd(text))
    return _unknown(SCAN_UNKNOWN)


def _of_card(what: Literal["cccd", "bhyt"], read: CardText | Refused) -> Scanned:
    if isinstance(read, Refused):
        return Scanned(what="unknown", refused=read)
    return Scanned(what=what, card=read)


def _number_alone(text: str) -> CardText | None:
    """The bar code of an older card, or a number somebody typed. Ten digits may be a phone, and are none."""
    number = text.replace(" ", "")
    if is_personal_number(number):
        return CardText(national_id=number, review=("number-alone",))
    if _INSURANCE_CARD.fullmatch(text.upper()):
        card = text.upper()
        return CardText(insurance_card=card, insurance_number=card[-10:], review=("number-alone",))
    return None


def _unknown(problem: ProblemType) -> Scanned:
    return Scanned(what="unknown", refused=Refused(problem=problem, where="scan"))
