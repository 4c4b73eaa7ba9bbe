"""Emergencies as pages show them: each time the glass was broken, who is told, what is left out."""

from typing import Any, Final

from api.pages.doctor.emergency import REASONS
from api.pages.scope_words import LABELS, Words, said
from consent.emergency.models import Category, Verdict
from consent.emergency_card.models import Relation
from identity.identifiers import is_mobile, normal_phone

TEXT_MAX: Final = 1000
NAME_MAX: Final = 80
_WHY: Final[dict[str, Words]] = {str(name): words for name, words in REASONS.items()}
DISPUTES: Final[dict[str, Words]] = {
    "not-there": ("Tôi không ở cơ sở đó lúc ấy", "I was not there then"),
    "not-needed": ("Tôi còn tự trả lời được, không cần mở khẩn cấp", "I could have answered myself"),
    "not-me": ("Người được cấp cứu không phải tôi", "It was not me who was treated"),
    "other": ("Lý do khác", "Another reason"),
}
_VERDICTS: Final[dict[Verdict, tuple[str, Words]]] = {
    "justified": ("good", ("Đã xem xét: mở đúng quy định", "Reviewed: it was right")),
    "not-justified": ("bad", ("Đã xem xét: không đáng phải mở", "Reviewed: it was not needed")),
    "misuse": ("bad", ("Đã xem xét: lạm dụng", "Reviewed: it was misuse")),
}

# In the order in which the contract names them, and in which they are signed.
PARTS: Final[dict[Category, Words]] = {
    "problems": ("Bệnh đang có", "Illnesses"),
    "medicines": ("Thuốc đang dùng", "Medicines"),
    "blood-group": ("Nhóm máu", "Blood group"),
    "implants": ("Máy và vật cấy trong người", "Implants"),
    "pregnancy": ("Thai kỳ", "Pregnancy"),
    "results": ("Kết quả xét nghiệm", "Test results"),
    "imaging": ("Chẩn đoán hình ảnh (X-quang, siêu âm…)", "Imaging (X-ray, ultrasound …)"),
}
RELATIONS: Final[dict[Relation, Words]] = {
    "spouse": ("Vợ hoặc chồng", "Husband or wife"),
    "parent": ("Cha hoặc mẹ", "Parent"),
    "child": ("Con", "Child"),
    "sibling": ("Anh, chị, em ruột", "Brother or sister"),
    "relative": ("Họ hàng", "Relative"),
    "friend": ("Bạn", "Friend"),
    "neighbour": ("Hàng xóm", "Neighbour"),
    "carer": ("Người chăm sóc", "Carer"),
}
_RELATED: Final[dict[str, Words]] = {str(name): words for name, words in RELATIONS.items()}


def withheld_of(form: dict[str, str]) -> list[str]:
    """What a form leaves out: every part that is not ticked as seen, in the order in which it is signed."""
    return [name for name in PARTS if f"shown.{name}" not in form]


def contact_wrong(form: dict[str, str]) -> dict[str, Words]:
    """What is missing in the form of a contact, by field."""
    wrong: dict[str, Words] = {}
    if not 0 < len(form.get("name", "").strip()) <= NAME_MAX:
        wrong["name"] = ("Hãy ghi họ tên người này.", "Give this person's name.")
    phone = normal_phone(form.get("phone", ""))
    if phone is None or not is_mobile(phone):
        wrong["phone"] = ("Hãy ghi một số di động Việt Nam.", "Give a Vietnamese mobile number.")
    if form.get("relation") not in RELATIONS:
        wrong["relation"] = ("Hãy chọn người này là gì của bạn.", "Choose what this person is to you.")
    return wrong


def contact_typed(form: dict[str, str]) -> dict[str, str]:
    """What is signed and sent of a form without a mistake."""
    return {
        "name": form["name"].strip(),
        "phone": normal_phone(form["phone"]) or "",
        "relation": form["relation"],
    }


def contact_words(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """One contact with the relation in words."""
    return one | {"relation_words": said(_RELATED, one["relation"], english=english)}


def emergency_card(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """tone, state: how it stands now. can_dispute: nobody has yet, and no matter whether it ended."""
    tone, words = _state(one)
    return one | {
        "tone": tone,
        "state_words": words[english],
        "reason_words": said(_WHY, one["reason"], english=english),
        "shown": [said(LABELS, name, english=english) for name in one["labels"]],
        "dispute_words": said(DISPUTES, one["dispute"], english=english) if one["dispute"] else "",
        "can_end": one["live"] or one["waiting"],
        "can_dispute": one["disputed_at"] is None,
    }


def _state(one: dict[str, Any]) -> tuple[str, Words]:
    if one["outcome"]:
        return _VERDICTS[one["outcome"]]
    if one["live"]:
        return "bad", ("Đang mở", "Open now")
    if one["disputed_at"]:
        return "warn", ("Bạn đã phản đối, đang chờ xem xét", "You disputed it; the review is due")
    if one["waiting"]:
        return "warn", ("Chờ người thứ hai xác nhận", "Waits for a second clinician")
    return "plain", ("Đã kết thúc, chờ xem xét", "Ended, the review is due")
