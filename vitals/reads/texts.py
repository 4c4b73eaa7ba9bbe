"""What people read beside measurements."""

from typing import Final

SELF_MEASURED_VI: Final = "Số tự đo bằng thiết bị cá nhân, không phải kết quả của cơ sở y tế."
NO_DIAGNOSIS_VI: Final = (
    "Biểu đồ giúp theo dõi, không phải chẩn đoán và không thay cho cấp cứu. Nếu thấy không khỏe, gọi 115."
)
TITLES_VI: Final[dict[str, str]] = {
    "heart-rate": "Nhịp tim",
    "resting-hr": "Nhịp tim lúc nghỉ",
    "hrv-sdnn": "Biến thiên nhịp tim (SDNN)",
    "hrv-rmssd": "Biến thiên nhịp tim (RMSSD)",
    "spo2": "Độ bão hòa oxy (SpO2)",
    "resp-rate": "Nhịp thở",
    "temperature": "Nhiệt độ cơ thể",
    "temperature-wrist": "Nhiệt độ cổ tay",
    "blood-pressure": "Huyết áp",
    "glucose": "Đường huyết",
    "weight": "Cân nặng",
    "height": "Chiều cao",
    "steps": "Số bước",
    "sleep-in-bed": "Thời gian trên giường",
    "sleep-asleep": "Thời gian ngủ",
    "sleep-light": "Ngủ nông",
    "sleep-deep": "Ngủ sâu",
    "sleep-rem": "Ngủ REM",
    "sleep-awake": "Thức trong đêm",
    "active-energy": "Năng lượng vận động",
}
# Of units whose UCUM code is no word of everyday.
UNITS_VI: Final[dict[str, str]] = {
    "/min": "lần/phút",
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "{steps}": "bước",
    "min": "phút",
}
# Of pictures: the axes, and what is told beside them. {names} are filled in.
CLOCK_VI: Final = "Giờ Việt Nam"
DAY_VI: Final = "Ngày"
HOUR_OF_DAY_VI: Final = "Giờ trong ngày"
NOTHING_VI: Final = "Chưa có số đo trong khoảng thời gian này."
VALUE_AT_VI: Final = "{at}: {value} {unit}."
TITLE_OF_DAY_VI: Final = "{title}, {since}"
TITLE_OF_DAYS_VI: Final = "{title}, {since} - {until}"
SUMS_OF_HOURS_VI: Final = "{unit}, tổng mỗi {n} giờ"
SUMS_OF_DAYS_VI: Final = "{unit}, tổng mỗi {n} ngày"
AGP_NOTHING_VI: Final = "Chưa có số đo đường huyết liên tục trong khoảng thời gian này."
AGP_LINES_VI: Final = (
    "{readings} lần đo trong {days} ngày, đủ {coverage:g}% số lần có thể đo.",
    "Trong khoảng {low}-{high} mg/dL: {in_range:g}% thời gian.",
    "Dưới {low}: {below:g}%. Trên {high}: {above:g}%.",
    "Trung bình {mean:g} mg/dL, GMI {gmi:g}%.",
)
AGP_TITLE_VI: Final = "Đường huyết theo giờ trong ngày"
AGP_TOO_LITTLE_VI: Final = (
    "Chưa đủ dữ liệu để đánh giá: cần ít nhất 14 ngày và 70% số lần đo. Các số dưới đây chỉ để tham khảo."
)
BP_TOO_LITTLE_VI: Final = (
    "Chưa đủ để tính trung bình: đo buổi sáng và buổi tối, mỗi buổi 2 lần cách nhau 1-2 phút, trong 7 ngày "
    "(ít nhất 3 ngày). Ngày đầu không tính."
)
BP_HIGH_VI: Final = (
    "Trung bình đo ở nhà từ 135/85 mmHg trở lên, không tính ngày đầu. Hãy cho bác sĩ xem kết quả này."
)
BP_WITHIN_VI: Final = "Trung bình đo ở nhà dưới 135/85 mmHg, không tính ngày đầu."
