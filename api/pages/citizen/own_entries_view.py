"""The forms of what a person adds to the own book: their fields in plain words, and what was typed as the
contract takes it. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from api.pages.citizen.entries_view import Word
from api.pages.formats import day

RELATIVES: Final[Mapping[str, Word]] = {
    "spouse": Word("Vợ hoặc chồng", "Spouse"),
    "parent": Word("Cha hoặc mẹ", "Parent"),
    "child": Word("Con", "Child"),
    "sibling": Word("Anh, chị, em", "Brother or sister"),
    "relative": Word("Người thân khác", "Another relative"),
    "guardian": Word("Người giám hộ", "Guardian"),
    "carer": Word("Người chăm sóc", "Carer"),
}
KINDS_EN: Final[Mapping[str, str]] = {
    "allergy": "Allergy",
    "disease": "Disease, now or before",
    "operation": "Operation",
    "family-history": "Disease in the family",
    "risk-factor": "Habit that matters for health",
    "disability": "Disability",
    "medicine": "Medicine you take by yourself",
    "blood-group": "Blood group",
    "birth": "How the birth went",
    "reproductive-health": "Reproductive health",
}
DOCUMENT_KINDS: Final[Mapping[str, Word]] = {
    "paper-book": Word("Sổ khám bệnh giấy", "Paper health book"),
    "prescription": Word("Đơn thuốc giấy", "Paper prescription"),
    "result": Word("Phiếu kết quả giấy", "Paper result"),
    "imaging": Word("Phim hoặc ảnh chụp chẩn đoán", "Film or image"),
    "discharge-paper": Word("Giấy ra viện", "Discharge paper"),
    "vaccination-paper": Word("Sổ hoặc phiếu tiêm chủng giấy", "Vaccination paper"),
    "other": Word("Giấy tờ khác", "Another paper"),
}
_DAY: Final = Word("Viết 23/11/2026, 11/2026 hoặc 2026", "23/11/2026, 11/2026 or 2026")


class Field(Struct, frozen=True):
    """One field. choices: value → words, where it is one of these; long: several lines."""

    name: str
    label: Word
    hint: Word | None = None
    choices: Mapping[str, Word] = {}
    long: bool = False
    required: bool = False


def _same(*words: str) -> dict[str, Word]:
    return {word: Word(word, word) for word in words}


# In the order in which they are asked.
_FIELDS: Final = (
    Field("code", Word("Chọn trong danh sách", "Choose from the list")),
    Field("name", Word("Tên, theo lời bạn", "Its name, in your words")),
    Field(
        "state",
        Word("Bạn có không?", "Do you?"),
        choices={
            "no": Word("Không", "No"),
            "yes": Word("Có", "Yes"),
            "often": Word("Thường xuyên", "Often"),
            "stopped": Word("Đã bỏ", "Stopped"),
        },
    ),
    Field(
        "relative",
        Word("Ai trong nhà mắc?", "Which relative?"),
        Word("Ví dụ: mẹ, ông nội", "Such as: mother"),
    ),
    Field(
        "value",
        Word("Nhóm máu", "Blood group"),
        choices=_same("A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-", "A", "B", "AB", "O"),
    ),
    Field(
        "origin",
        Word("Thuốc từ đâu?", "Where does it come from?"),
        choices={
            "own": Word("Thuốc có sẵn ở nhà", "From home"),
            "herbal": Word("Thuốc nam, thuốc bắc", "Herbal medicine"),
            "over-the-counter": Word("Tự mua ở nhà thuốc", "Bought at a pharmacy"),
        },
    ),
    Field("dosage", Word("Uống thế nào?", "How is it taken?"), long=True),
    Field(
        "reaction",
        Word("Bị thế nào khi dị ứng?", "What happens?"),
        Word("Ví dụ: nổi mày đay", "Such as: a rash"),
    ),
    Field(
        "severity",
        Word("Nặng hay nhẹ?", "How bad?"),
        choices={
            "mild": Word("Nhẹ", "Mild"),
            "moderate": Word("Vừa", "Moderate"),
            "severe": Word("Nặng", "Severe"),
        },
    ),
    Field("amount", Word("Bao nhiêu?", "How much?"), Word("Ví dụ: 5 điếu mỗi ngày", "Such as: 5 a day")),
    Field("since", Word("Từ khi nào?", "Since when?"), _DAY),
    Field("until", Word("Đến khi nào?", "Until when?"), _DAY),
    Field("note", Word("Ghi thêm", "Anything else"), long=True),
)
_FACT: Final = "fact-"


def fields_of(kind: Mapping[str, Any]) -> list[Field]:
    """The fields of a kind as the contract lists them, the required ones marked."""
    named = {*kind["required"], *kind["optional"]}
    codes = {one["code"]: Word(one["title_vi"], one["title_vi"]) for one in kind["codes"]}
    found = []
    for one in _FIELDS:
        if one.name in named:
            choices = codes if one.name == "code" else one.choices
            is_required = one.name in kind["required"]
            found.append(Field(one.name, one.label, one.hint, choices, one.long, is_required))
    return found + [_fact(one) for one in kind["facts"]]


def _fact(fact: Mapping[str, Any]) -> Field:
    title = f"{fact['title_vi']} ({fact['unit']})" if fact["unit"] else fact["title_vi"]
    choices = {one["code"]: Word(one["title_vi"], one["title_vi"]) for one in fact["choices"]}
    return Field(_FACT + fact["code"], Word(title, title), choices=choices)


def body_of(kind: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as the contract takes it; a field of another kind is left out."""
    said: dict[str, Any] = {"kind": kind["kind"]}
    for one in fields_of(kind):
        value = typed.get(one.name, "").strip()
        if value and not one.name.startswith(_FACT):
            said[one.name] = fhir_day(value) if one.name in ("since", "until") else value
    facts = [
        {"code": name.removeprefix(_FACT), "value": value.strip()}
        for name, value in typed.items()
        if name.startswith(_FACT) and value.strip()
    ]
    if facts:
        said["facts"] = facts
    return said | ({"said_by": typed["said_by"]} if typed.get("said_by") else {})


def typed_of(kind: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, str]:
    """What the form of a kind shows of an entry that stands, as far as the entry says it back."""
    title, codes = item["title"], {one["title_vi"]: one["code"] for one in kind["codes"]}
    since = "" if item.get("date_precision") == "instant" else day(item.get("date"))
    said = {
        "kind": kind["kind"],
        "name": "" if title in codes else title,
        "code": codes.get(title, ""),
        "since": since,
        "until": day(item.get("end_date")),
        "reaction": "; ".join(item.get("reactions", ())),
        "dosage": "\n".join(item.get("dosage", ())),
        "value": item.get("value") or "",
        "note": item.get("text") or "",
    }
    return {name: value for name, value in said.items() if value}


def fhir_day(text: str) -> str:
    """`23/11/2026`, `11/2026` and `2026` as a FHIR date; text of another form stays, and is refused."""
    parts = re.fullmatch(r"(?:(?:(\d{1,2})[/.-])?(\d{1,2})[/.-])?(\d{4})", text.strip())
    if parts is None:
        return text.strip()
    of_month, month, year = parts.groups()
    return "-".join(one if one == year else f"{int(one):02d}" for one in (year, month, of_month) if one)


def wrong_field(where: str | None) -> str:
    """The field that a refusal names: `$.since`, `name` or `facts[0]`."""
    return re.split(r"[.\[ ]", (where or "").removeprefix("$."))[0]
