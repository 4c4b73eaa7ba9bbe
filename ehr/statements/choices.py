"""Which fields each kind of statement has, and the code lists of QĐ 831 that a form can offer
(vietnam.md §3).

Drug use (DSYEUTO LOAI 3) stands in no list: the book does not take it in (vietnam.md §5).
"""

from typing import Final, Literal, get_args

from msgspec import Struct

from ehr.intake.phr831_fields import ALLERGIES, DISABILITIES, DISEASES, RISKS

Kind = Literal[
    "allergy",
    "disease",
    "operation",
    "family-history",
    "risk-factor",
    "disability",
    "medicine",
    "blood-group",
    "birth",
    "reproductive-health",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# Of these a person has one; a second one is an amendment.
SINGLE: Final[frozenset[Kind]] = frozenset({"blood-group", "birth", "reproductive-health"})

RTYPES: Final[dict[Kind, str]] = {
    "allergy": "AllergyIntolerance",
    "disease": "Condition",
    "operation": "Procedure",
    "family-history": "FamilyMemberHistory",
    "risk-factor": "Observation",
    "disability": "Condition",
    "medicine": "MedicationStatement",
    "blood-group": "Observation",
    "birth": "Observation",
    "reproductive-health": "Observation",
}
TITLES: Final[dict[Kind, str]] = {
    "allergy": "Dị ứng",
    "disease": "Bệnh đã hoặc đang mắc",
    "operation": "Phẫu thuật",
    "family-history": "Tiền sử gia đình",
    "risk-factor": "Yếu tố nguy cơ",
    "disability": "Khuyết tật",
    "medicine": "Thuốc đang tự dùng",
    "blood-group": "Nhóm máu",
    "birth": "Tình trạng lúc sinh",
    "reproductive-health": "Sức khỏe sinh sản",
}

Field = Literal[
    "name",
    "code",
    "since",
    "until",
    "reaction",
    "severity",
    "relative",
    "state",
    "amount",
    "dosage",
    "origin",
    "value",
    "facts",
    "note",
]
# Required fields, then those that may stand beside them. Of name and code one is enough where both are named.
FIELDS: Final[dict[Kind, tuple[frozenset[Field], frozenset[Field]]]] = {
    "allergy": (frozenset({"name"}), frozenset({"code", "since", "reaction", "severity", "note"})),
    "disease": (frozenset(), frozenset({"name", "code", "since", "until", "note"})),
    "operation": (frozenset({"name"}), frozenset({"since", "note"})),
    "family-history": (frozenset({"relative"}), frozenset({"name", "code", "note"})),
    "risk-factor": (frozenset({"state"}), frozenset({"name", "code", "amount", "note"})),
    "disability": (frozenset(), frozenset({"name", "code", "since", "note"})),
    "medicine": (frozenset({"name", "origin"}), frozenset({"dosage", "since", "until", "note"})),
    "blood-group": (frozenset({"value"}), frozenset({"note"})),
    "birth": (frozenset({"facts"}), frozenset({"note"})),
    "reproductive-health": (frozenset({"facts"}), frozenset({"note"})),
}
# Where a code of the list can stand for the name.
NAMED_BY_CODE: Final[frozenset[Kind]] = frozenset({"disease", "family-history", "risk-factor", "disability"})

CODES: Final[dict[Kind, dict[str, str]]] = {
    "allergy": {"1": "Thuốc", "2": "Hóa chất", "3": "Thực phẩm", "4": "Khác"},
    "disease": DISEASES,
    "family-history": DISEASES,
    "risk-factor": RISKS,
    "disability": DISABILITIES,
}
ALLERGY_CATEGORIES: Final = ALLERGIES


class Fact(Struct, frozen=True):
    """One element of the form. pattern: what its value looks like; choices: code → words."""

    title: str
    pattern: str = r"[^\r\n]{1,300}"
    choices: dict[str, str] = {}
    unit: str = ""


_YES_NO: Final = {"0": "Không", "1": "Có"}
_COUNT: Final = r"[0-9]{1,2}"


def _one_of(choices: dict[str, str]) -> str:
    return "|".join(choices)


_DELIVERY: Final = {"0": "Đẻ thường", "1": "Đẻ mổ"}
FACTS: Final[dict[Kind, dict[str, Fact]]] = {
    "birth": {
        "LOAIDE": Fact("Hình thức đẻ", _one_of(_DELIVERY), _DELIVERY),
        "DETHIEUTHANG": Fact("Đẻ thiếu tháng", _one_of(_YES_NO), _YES_NO),
        "BINGAT_LUCDE": Fact("Bị ngạt lúc đẻ", _one_of(_YES_NO), _YES_NO),
        "CANNANG": Fact("Cân nặng lúc sinh", r"[0-9]{3,4}", unit="g"),
        "CHIEUDAI": Fact("Chiều dài lúc sinh", r"[0-9]{2}(\.[0-9])?", unit="cm"),
        "DITAT_BAMSINH": Fact("Dị tật bẩm sinh"),
        "KHAC": Fact("Vấn đề khác lúc sinh"),
    },
    "reproductive-health": {
        "BIENPHAP_TRANHTHAI": Fact("Biện pháp tránh thai"),
        "KYTHAICUOI": Fact("Kỳ có thai cuối cùng"),
        "SOLAN_COTHAI": Fact("Số lần có thai", _COUNT),
        "SOLAN_SAYTHAI": Fact("Số lần sảy thai", _COUNT),
        "SOLAN_PHATHAI": Fact("Số lần phá thai", _COUNT),
        "SOLAN_SINHDE": Fact("Số lần sinh đẻ", _COUNT),
        "SOLAN_DETHUONG": Fact("Số lần đẻ thường", _COUNT),
        "SOLAN_DEMO": Fact("Số lần đẻ mổ", _COUNT),
        "SOLANDEKHO": Fact("Số lần đẻ khó", _COUNT),
        "SOLANDE_DUTHANG": Fact("Số lần đẻ đủ tháng", _COUNT),
        "SOLAN_DENON": Fact("Số lần đẻ non", _COUNT),
        "SOCON_HIENSONG": Fact("Số con hiện sống", _COUNT),
        "BENH_PHUKHOA": Fact("Bệnh phụ khoa"),
    },
}
