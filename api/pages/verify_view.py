"""What /verify says, in words: one verdict for several statuses of the verifier, and names of vaccines."""

from functools import cache
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from vaccination.book.antigens import ANTIGENS
from vaccination.certificates.products import PRODUCTS

Words = tuple[str, str]


class Meaning(Struct, frozen=True, kw_only=True):
    """One verdict: the statuses it stands for, its mark, and words in both languages. asks: whether the
    service could know more than a browser without a network."""

    statuses: tuple[str, ...]
    tone: Literal["good", "warn", "bad", "unknown"]
    word: Words
    why: Words
    asks: bool = False


MEANINGS: Final = (
    Meaning(
        statuses=("VERIFIED",),
        tone="good",
        word=("Hợp lệ", "Valid"),
        why=(
            "Chứng nhận thật. Hãy so họ tên và ngày sinh với giấy tờ tùy thân.",
            "The certificate is genuine. Compare name and birth date with an identity document.",
        ),
    ),
    Meaning(
        statuses=("EXPIRED", "EXPIRED_KEYS"),
        tone="warn",
        word=("Hết hạn", "Expired"),
        why=(
            "Chứng nhận đã quá hạn. Người này có thể lấy bản mới trong sổ sức khỏe.",
            "The certificate is past its date. Its holder can get a new one from the health book.",
        ),
    ),
    Meaning(
        statuses=("NOT_YET_VALID",),
        tone="warn",
        word=("Chưa có hiệu lực", "Not yet valid"),
        why=(
            "Chứng nhận chỉ có hiệu lực từ một ngày sau hôm nay. Hãy xem lại ngày giờ của máy này.",
            "The certificate begins on a later day. Check the date of this device too.",
        ),
    ),
    Meaning(
        statuses=("REVOKED", "REVOKED_KEYS", "TERMINATED_KEYS"),
        tone="bad",
        word=("Đã thu hồi", "Revoked"),
        why=(
            "Nơi cấp đã thu hồi chứng nhận này. Nó không còn giá trị.",
            "Its issuer has revoked this certificate. It no longer counts.",
        ),
    ),
    Meaning(
        statuses=("ISSUER_NOT_TRUSTED", "KID_NOT_INCLUDED"),
        tone="warn",
        word=("Không rõ nơi cấp", "Issuer unknown"),
        why=(
            "Danh sách trên máy này không có nơi cấp ấy, nên không biết chứng nhận thật hay giả.",
            "The lists on this device do not name this issuer, so nobody can say whether it is genuine.",
        ),
        asks=True,
    ),
    Meaning(
        statuses=(
            "INVALID_SIGNATURE",
            "INVALID_ENCODING",
            "INVALID_COMPRESSION",
            "INVALID_SIGNING_FORMAT",
            "INVALID_SCHEMA",
        ),
        tone="bad",
        word=("Giả hoặc hỏng", "False or damaged"),
        why=(
            "Nội dung không khớp chữ ký của nơi cấp. Hãy đọc mã lại một lần; nếu vẫn vậy thì đừng tin.",
            "It does not fit its issuer's signature. Read it once more; if this stays, do not trust it.",
        ),
    ),
    Meaning(
        statuses=("NOT_SUPPORTED",),
        tone="unknown",
        word=("Không phải chứng nhận", "Not a certificate"),
        why=(
            "Mã này không phải chứng nhận tiêm chủng, hoặc là loại mà trang này không đọc.",
            "This code is no vaccination certificate, or of a kind that this page does not read.",
        ),
    ),
    Meaning(
        statuses=("TRUST_DATA_STALE",),
        tone="warn",
        word=("Chưa kết luận được", "Cannot tell"),
        why=(
            "Danh sách trên máy này đã quá cũ hoặc chưa tải về. Hãy nối mạng rồi kiểm tra lại.",
            "The lists on this device are too old or missing. Connect to the network and check again.",
        ),
        asks=True,
    ),
)


def meaning_of(status: str) -> Meaning:
    """What a status of the verifier says to people."""
    return next(one for one in MEANINGS if status in one.statuses)


@cache
def vaccine_words() -> dict[str, Words]:
    """What the codes on certificates stand for: products by name, others by what they protect against."""
    against: dict[str, list[Words]] = {}
    for antigen in ANTIGENS.values():
        for code in (*antigen.cvx, *antigen.atc):
            against.setdefault(code, []).append((antigen.name_vi, antigen.name_en))
    words = {code: _joined(names) for code, names in against.items()}
    return words | {one.mp: (one.name, one.name) for one in PRODUCTS.products}


def _joined(names: list[Words]) -> Words:
    return "Phòng " + ", ".join(vi for vi, _ in names), "Against " + ", ".join(en for _, en in names)


@cache
def vaccine_words_json(english: bool) -> str:
    """The words of one language, for the script of the page."""
    return msgspec.json.encode({code: both[english] for code, both in vaccine_words().items()}).decode()


def facts_of(verdict: dict[str, Any], english: bool) -> dict[str, Any]:
    """What the page shows of the service's answer: only of one that is VERIFIED, else anybody's words."""
    if verdict["status"] != "VERIFIED":
        return {}
    holder = verdict.get("holder") or {}
    return {
        "name": _name(holder, "family_name", "given_name"),
        "latin": _name(holder, "family_name_latin", "given_name_latin").replace("<", " "),
        "birth_date": holder.get("birth_date") or "",
        "expires": verdict.get("expires_at") or "",
        "doses": [_dose(one, english) for one in verdict.get("statements", ())],
    }


def _name(holder: dict[str, Any], *members: str) -> str:
    return " ".join(holder[name] for name in members if holder.get(name))


def _dose(said: dict[str, Any], english: bool) -> dict[str, str]:
    words, number, series = vaccine_words(), said.get("dose_number"), said.get("series_doses")
    code = said.get("product") or said.get("vaccine") or ""
    return {
        "kind": said["kind"],
        "what": words[code][english] if code in words else code,
        "number": f"{'Dose' if english else 'Mũi'} {number}/{series}" if number and series else "",
        "day": (said.get("occurred") or "")[:10],
        "issuer": said.get("issuer") or "",
    }
