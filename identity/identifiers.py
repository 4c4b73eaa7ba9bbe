"""Numbers that name a person, brought to one spelling (vietnam.md §2)."""

import re
import unicodedata

_SHAPES = {
    "national-id": re.compile(r"[0-9]{12}"),
    "insurance-card": re.compile(r"[A-Z]{2}[0-9]{13}"),
    "insurance-number": re.compile(r"[0-9]{10}"),
    "old-id": re.compile(r"[0-9]{9}"),
    # The issuing country, as the file or the passport names it, stands before the number: two countries can
    # issue the same one.
    "passport": re.compile(r"(?:[A-Z0-9]{2,3}\|)?[A-Z0-9]{6,12}"),
    "facility-patient-id": re.compile(r"[^\s|]{1,64}"),
}
# Old mobile prefixes with eleven digits became ten digits in 2018 (vietnam.md §2, unconfirmed).
_OLD_MOBILE = {"0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037"} | {
    "0168": "038",
    "0169": "039",
}
_MOBILE = re.compile(r"0[35789][0-9]{8}")
_LANDLINE = re.compile(r"02[0-9]{9}")


def normal_identifier(kind: str, value: str) -> str | None:
    """The one spelling of a number, or None when it does not have the form of its kind."""
    text = unicodedata.normalize("NFKC", value).strip()
    if kind != "facility-patient-id":
        text = re.sub(r"[\s.\-]", "", text).upper()
    shape = _SHAPES.get(kind)
    return text if shape is not None and shape.fullmatch(text) else None


def shown_end(number: str) -> str:
    """As much of a phone or another number as is shown where the whole is not: its last three digits."""
    return f"*** {number[-3:]}"


def normal_phone(text: str) -> str | None:
    """A Vietnamese phone number as E.164 (`+84…`), or None. Accepts `(+84) 903 …`, `84903…`, `0903…`."""
    digits = re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", text))
    national = "0" + digits[2:].lstrip("0") if digits.startswith("84") and len(digits) >= 11 else digits
    if len(national) == 11 and national[:4] in _OLD_MOBILE:
        national = _OLD_MOBILE[national[:4]] + national[4:]
    if not (_MOBILE.fullmatch(national) or _LANDLINE.fullmatch(national)):
        return None
    return "+84" + national[1:]


def is_mobile(number: str) -> bool:
    """True for a normalised number that can receive SMS."""
    return bool(_MOBILE.fullmatch("0" + number.removeprefix("+84")))
