"""What people read beside a limit. Pure."""

from typing import Final

from vitals.rules.models import RuleKind

KIND_VI: Final[dict[RuleKind, str]] = {
    "heart-rate": "Nhịp tim",
    "spo2": "SpO2",
    "resp-rate": "Nhịp thở",
    "temperature": "Nhiệt độ",
    "blood-pressure": "Huyết áp",
    "glucose": "Đường huyết",
}
UNIT_VI: Final = {
    "/min": "lần/phút",
    "count/min": "lần/phút",
    "bpm": "lần/phút",
    "Cel": "°C",
    "[degF]": "°F",
    "mm[Hg]": "mmHg",
}
MEASURE_VI: Final = {
    "week-average": " trung bình 7 ngày",
    "rate": " mỗi phút",
    "lasting": " kéo dài quá {hours} giờ",
}
WARN_VI: Final = "cảnh báo"
CRIT_VI: Final = "báo động"
# Beside a limit of the age that is another for people with some disease, whether this person has it or not.
MAY_DIFFER_VI: Final = ". Đây là ngưỡng chung theo tuổi; một số người có ngưỡng riêng"
NOTICE_VI: Final = (
    "Cảnh báo chỉ so số đo với ngưỡng đã đặt; không phải chẩn đoán và không thay theo dõi cấp cứu. Nếu thấy "
    "không khỏe, gọi 115. Ngưỡng chưa có nguồn y khoa được xác nhận thì chưa dùng."
)


def rule_text(
    kind: RuleKind,
    unit: str,
    limits: list[tuple[str, list[float]]],
    *,
    is_high: bool,
    is_included: bool,
    measure: str,
    hours: int = 0,
) -> str:
    """One line: 'Huyết áp: báo động từ 180/110 mmHg trở lên'. limits: each severity's word and numbers;
    hours: how long something lasts, of a rule about that."""
    named = KIND_VI[kind] + MEASURE_VI.get(measure, "").format(hours=hours)
    said = "; ".join(
        f"{word} {_limit(numbers, unit, is_high=is_high, is_included=is_included)}"
        for word, numbers in limits
    )
    return f"{named}: {said}"


def target_text(numbers: list[float], unit: str) -> str:
    """Where values should lie, after a limit: '; mục tiêu 88–92 %'."""
    return f"; mục tiêu {_number(numbers[0])}–{_number(numbers[-1])} {UNIT_VI.get(unit, unit)}"


def _number(one: float) -> str:
    return f"{one:g}".replace(".", ",")


def _limit(numbers: list[float], unit: str, *, is_high: bool, is_included: bool) -> str:
    value = "/".join(map(_number, numbers))
    unit = UNIT_VI.get(unit, unit)
    if is_high:
        return f"từ {value} {unit} trở lên" if is_included else f"trên {value} {unit}"
    return f"từ {value} {unit} trở xuống" if is_included else f"dưới {value} {unit}"
