"""What the invented people suffer from, take and have measured: tables for the demo, no medical advice.

Dose texts follow the official grammar of LIEU_DUNG (QĐ 4750/QĐ-BYT): per time * times a day * days
[total a day]. Reference ranges change on a date where a laboratory changed its method, because a
result is read against the range that was valid when it was made.
"""

from datetime import date

from msgspec import Struct


class DemoDrug(Struct, frozen=True, kw_only=True):
    """One medicine line. `per` × `times` is a day's total in `unit`."""

    code: str
    name: str
    strength: str
    unit: str = "viên"
    per: int = 1
    times: int = 1
    advice: str
    slots: str | None = None

    def dose_text(self, days: int) -> str:
        """LIEU_DUNG: the official form, or the form that names the times of day."""
        total = f"[{self.per * self.times} {self.unit}/ngày]"
        if self.slots is not None:
            return f"{self.slots} {total}"
        return f"{self.per} {self.unit}/lần * {self.times} lần/ngày * {days} ngày {total}"

    def quantity(self, days: int) -> int:
        return self.per * self.times * days


class DemoLab(Struct, frozen=True, kw_only=True):
    """One laboratory test; `usual` and `spread` shape its values, `ranges` are (from, low, high)."""

    loinc: str
    service: str
    name: str
    unit: str
    usual: float
    spread: float
    decimals: int = 1
    ranges: tuple[tuple[date, float, float], ...]

    def range_on(self, day: date) -> tuple[float, float]:
        """The range that this laboratory printed on that day."""
        low, high = self.ranges[0][1:]
        for since, newer_low, newer_high in self.ranges:
            if since <= day:
                low, high = newer_low, newer_high
        return low, high


class DemoStory(Struct, frozen=True, kw_only=True):
    """A course of illness that visits repeat: main disease, companions, medicines, tests, advice."""

    main: tuple[str, str]
    comorbid: tuple[tuple[str, str], ...] = ()
    reason: str
    drugs: tuple[str, ...] = ()
    labs: tuple[str, ...] = ()
    plan: str
    advice: str
    every_days: int
    days_supply: int = 28
    imaging: tuple[str, str] | None = None
    blood_pressure: tuple[int, int] = (118, 76)


LONG_AGO = date(2000, 1, 1)

DRUGS: dict[str, DemoDrug] = {
    "amlodipin": DemoDrug(code="40.491", name="Amlodipin", strength="5mg", advice="Uống sáng sau ăn"),
    "losartan": DemoDrug(code="40.493", name="Losartan", strength="50mg", advice="Uống sáng, đứng dậy từ từ"),
    "metformin": DemoDrug(
        code="40.805",
        name="Metformin",
        strength="850mg",
        times=2,
        slots="Sáng: 1 viên, Tối: 1 viên",
        advice="Uống trong hoặc ngay sau bữa ăn",
    ),
    "gliclazid": DemoDrug(
        code="40.800", name="Gliclazid MR", strength="30mg", advice="Uống trước ăn sáng 30 phút"
    ),
    "atorvastatin": DemoDrug(
        code="40.549", name="Atorvastatin", strength="20mg", advice="Uống tối trước khi ngủ"
    ),
    "levothyroxin": DemoDrug(
        code="40.815", name="Levothyroxin", strength="50mcg", advice="Uống sáng lúc đói, trước ăn 30 phút"
    ),
    "omeprazol": DemoDrug(code="40.677", name="Omeprazol", strength="20mg", advice="Uống trước ăn sáng"),
    "allopurinol": DemoDrug(
        code="40.59", name="Allopurinol", strength="300mg", advice="Uống sau ăn, uống nhiều nước"
    ),
    "paracetamol": DemoDrug(
        code="40.48",
        name="Paracetamol",
        strength="500mg",
        times=3,
        advice="Uống khi đau, cách nhau ít nhất 6 giờ",
    ),
    "bisoprolol": DemoDrug(code="40.483", name="Bisoprolol", strength="2,5mg", advice="Uống sáng"),
    "furosemid": DemoDrug(code="40.660", name="Furosemid", strength="40mg", advice="Uống sáng"),
    "sat-folic": DemoDrug(
        code="40.431", name="Sắt fumarat + acid folic", strength="200mg + 1mg", advice="Uống sau ăn trưa"
    ),
    "calci": DemoDrug(
        code="40.1033", name="Calci carbonat + D3", strength="500mg", advice="Uống sau ăn sáng"
    ),
    "salbutamol": DemoDrug(
        code="40.980",
        name="Salbutamol",
        strength="100mcg/liều",
        unit="nhát",
        per=2,
        times=2,
        advice="Xịt khi khò khè, súc miệng sau xịt",
    ),
    "paracetamol-child": DemoDrug(
        code="40.48",
        name="Paracetamol",
        strength="250mg",
        unit="gói",
        times=3,
        advice="Pha với nước, khi sốt trên 38,5 độ",
    ),
    "amoxicilin": DemoDrug(
        code="40.154", name="Amoxicilin", strength="250mg", unit="gói", times=3, advice="Pha với nước, sau ăn"
    ),
}

LABS: dict[str, DemoLab] = {
    "glucose": DemoLab(
        loinc="14771-0",
        service="23.0075.1494",
        name="Glucose máu lúc đói",
        unit="mmol/L",
        usual=7.6,
        spread=1.6,
        ranges=((LONG_AGO, 3.9, 6.4), (date(2024, 3, 1), 3.9, 5.6)),
    ),
    "hba1c": DemoLab(
        loinc="4548-4",
        service="23.0083.1523",
        name="HbA1c",
        unit="%",
        usual=7.1,
        spread=0.8,
        ranges=((LONG_AGO, 4.0, 6.0), (date(2023, 6, 1), 4.0, 5.7)),
    ),
    "creatinine": DemoLab(
        loinc="14682-9",
        service="23.0051.1494",
        name="Creatinin máu",
        unit="umol/L",
        usual=92,
        spread=14,
        decimals=0,
        ranges=((LONG_AGO, 62, 120), (date(2024, 1, 1), 59, 104)),
    ),
    "cholesterol": DemoLab(
        loinc="14647-2",
        service="23.0041.1506",
        name="Cholesterol toàn phần",
        unit="mmol/L",
        usual=5.1,
        spread=0.9,
        ranges=((LONG_AGO, 3.9, 5.2),),
    ),
    "triglycerid": DemoLab(
        loinc="14927-8",
        service="23.0158.1506",
        name="Triglycerid",
        unit="mmol/L",
        usual=1.9,
        spread=0.7,
        ranges=((LONG_AGO, 0.46, 1.88), (date(2025, 1, 1), 0.46, 1.7)),
    ),
    "alt": DemoLab(
        loinc="1742-6",
        service="23.0019.1493",
        name="ALT (GPT)",
        unit="U/L",
        usual=31,
        spread=12,
        decimals=0,
        ranges=((LONG_AGO, 0, 41),),
    ),
    "uric": DemoLab(
        loinc="14933-6",
        service="23.0003.1494",
        name="Acid uric",
        unit="umol/L",
        usual=455,
        spread=70,
        decimals=0,
        ranges=((LONG_AGO, 202, 416),),
    ),
    "tsh": DemoLab(
        loinc="3016-3",
        service="23.0162.1570",
        name="TSH",
        unit="mIU/L",
        usual=4.0,
        spread=1.8,
        decimals=2,
        ranges=((LONG_AGO, 0.27, 4.2), (date(2024, 9, 1), 0.4, 4.0)),
    ),
    "haemoglobin": DemoLab(
        loinc="718-7",
        service="22.0121.1369",
        name="Huyết sắc tố (Hb)",
        unit="g/L",
        usual=124,
        spread=10,
        decimals=0,
        ranges=((LONG_AGO, 120, 160),),
    ),
    "leukocytes": DemoLab(
        loinc="6690-2",
        service="22.0121.1369",
        name="Bạch cầu (WBC)",
        unit="G/L",
        usual=7.4,
        spread=1.8,
        ranges=((LONG_AGO, 4.0, 10.0),),
    ),
    "potassium": DemoLab(
        loinc="2823-3",
        service="23.0058.1487",
        name="Kali máu",
        unit="mmol/L",
        usual=4.2,
        spread=0.4,
        ranges=((LONG_AGO, 3.5, 5.0),),
    ),
}

STORIES: dict[str, DemoStory] = {
    "diabetes": DemoStory(
        main=("E11.9", "Đái tháo đường típ 2 không có biến chứng"),
        comorbid=(("I10", "Tăng huyết áp vô căn"), ("E78.5", "Rối loạn chuyển hóa lipid, không đặc hiệu")),
        reason="Khám lại theo hẹn",
        drugs=("metformin", "amlodipin", "atorvastatin"),
        labs=("glucose", "hba1c", "creatinine", "cholesterol"),
        plan="Thuốc uống hằng ngày, kiểm tra HbA1c mỗi 3 tháng, khám mắt và bàn chân mỗi năm",
        advice="Ăn giảm tinh bột và muối, đi bộ 30 phút mỗi ngày, tái khám đúng hẹn",
        every_days=32,
        imaging=("Siêu âm ổ bụng", "Gan nhiễm mỡ độ I. Thận hai bên kích thước bình thường."),
        blood_pressure=(138, 86),
    ),
    "hypertension": DemoStory(
        main=("I10", "Tăng huyết áp vô căn"),
        comorbid=(("E03.9", "Suy giáp, không đặc hiệu"),),
        reason="Khám lại theo hẹn",
        drugs=("losartan", "levothyroxin"),
        labs=("tsh", "creatinine", "potassium"),
        plan="Thuốc uống hằng ngày, kiểm tra TSH mỗi 6 tháng",
        advice="Ăn nhạt, đo huyết áp buổi sáng và ghi lại",
        every_days=90,
        imaging=("Siêu âm tuyến giáp", "Tuyến giáp kích thước bình thường, không thấy nhân."),
        blood_pressure=(142, 88),
    ),
    "heart": DemoStory(
        main=("I50.9", "Suy tim, không đặc hiệu"),
        comorbid=(("M17.9", "Thoái hóa khớp gối, không đặc hiệu"),),
        reason="Mệt, khó thở khi gắng sức",
        drugs=("bisoprolol", "furosemid", "paracetamol"),
        labs=("creatinine", "potassium", "haemoglobin"),
        plan="Điều trị nội khoa, theo dõi cân nặng mỗi ngày",
        advice="Ăn nhạt, báo ngay khi tăng trên 2 kg trong 3 ngày",
        every_days=60,
        imaging=("X-quang ngực thẳng", "Bóng tim to vừa. Hai phế trường sáng."),
        blood_pressure=(128, 74),
    ),
    "gout": DemoStory(
        main=("M10.9", "Gút, không đặc hiệu"),
        reason="Đau khớp bàn ngón chân",
        drugs=("allopurinol", "paracetamol"),
        labs=("uric", "creatinine", "alt"),
        plan="Hạ acid uric, mục tiêu dưới 360 umol/L",
        advice="Hạn chế rượu bia, nội tạng và hải sản; uống đủ nước",
        every_days=120,
    ),
    "stomach": DemoStory(
        main=("K29.7", "Viêm dạ dày, không đặc hiệu"),
        reason="Đau thượng vị sau ăn",
        drugs=("omeprazol",),
        labs=("haemoglobin", "alt"),
        plan="Điều trị nội khoa 4 tuần",
        advice="Ăn đúng bữa, tránh cay nóng, cà phê",
        every_days=200,
        imaging=("Nội soi dạ dày", "Viêm xung huyết hang vị, không loét."),
    ),
    "pregnancy": DemoStory(
        main=("Z34.9", "Theo dõi thai bình thường, không đặc hiệu"),
        reason="Khám thai định kỳ",
        drugs=("sat-folic", "calci"),
        labs=("haemoglobin", "glucose"),
        plan="Khám thai định kỳ, tiêm uốn ván theo lịch",
        advice="Ăn đủ chất, nghỉ ngơi, đến ngay khi đau bụng hoặc ra máu",
        every_days=45,
        imaging=("Siêu âm thai", "Một thai sống trong tử cung, phát triển phù hợp tuổi thai."),
        blood_pressure=(108, 68),
    ),
    "asthma": DemoStory(
        main=("J45.9", "Hen, không đặc hiệu"),
        reason="Ho, khò khè về đêm",
        drugs=("salbutamol",),
        labs=("leukocytes",),
        plan="Thuốc cắt cơn khi cần, đánh giá lại sau 3 tháng",
        advice="Tránh khói thuốc, bụi; mang theo bình xịt",
        every_days=150,
        blood_pressure=(98, 62),
    ),
    "jaundice": DemoStory(
        main=("P59.9", "Vàng da sơ sinh, không đặc hiệu"),
        reason="Vàng da từ ngày thứ hai",
        plan="Chiếu đèn 24 giờ, theo dõi bilirubin",
        advice="Bú mẹ theo nhu cầu, khám lại ngay khi bé bú kém hoặc vàng da tăng",
        every_days=60,
        blood_pressure=(70, 42),
    ),
    "child-cold": DemoStory(
        main=("J06.9", "Nhiễm trùng đường hô hấp trên cấp, không đặc hiệu"),
        reason="Sốt, ho, chảy mũi",
        drugs=("paracetamol-child",),
        labs=("leukocytes",),
        plan="Điều trị triệu chứng tại nhà",
        advice="Uống nhiều nước, khám lại nếu sốt trên 3 ngày hoặc thở nhanh",
        every_days=240,
        days_supply=3,
        blood_pressure=(96, 60),
    ),
    "cold": DemoStory(
        main=("J06.9", "Nhiễm trùng đường hô hấp trên cấp, không đặc hiệu"),
        reason="Sốt, ho, chảy mũi",
        drugs=("paracetamol",),
        labs=("leukocytes", "haemoglobin"),
        plan="Điều trị triệu chứng tại nhà",
        advice="Uống nhiều nước, khám lại nếu sốt trên 3 ngày",
        every_days=330,
        days_supply=5,
    ),
}

# CVX code, name, manufacturer, age of each dose in full months and days more (national programme and common
# extra doses). 178 is the bivalent oral vaccine, 39 the one from mouse brain that VABIOTECH makes.
VACCINES: tuple[tuple[str, str, str, tuple[tuple[int, int], ...]], ...] = (
    ("19", "BCG (lao)", "IVAC", ((0, 2),)),
    ("08", "Viêm gan B sơ sinh", "VABIOTECH", ((0, 0),)),
    ("198", "DPT-VGB-Hib (5 trong 1)", "Serum Institute of India", ((2, 0), (3, 0), (4, 0))),
    ("178", "Bại liệt uống (bOPV)", "POLYVAC", ((2, 0), (3, 0), (4, 0))),
    ("10", "Bại liệt tiêm (IPV)", "Sanofi Pasteur", ((5, 0), (9, 0))),
    ("05", "Sởi đơn", "POLYVAC", ((9, 0),)),
    ("04", "Sởi - Rubella", "POLYVAC", ((18, 0),)),
    ("01", "DPT", "IVAC", ((18, 0),)),
    ("39", "Viêm não Nhật Bản", "VABIOTECH", ((12, 0), (12, 14), (25, 0))),
)
ADULT_VACCINES: tuple[tuple[str, str, str], ...] = (
    ("208", "COVID-19 mRNA", "Pfizer-BioNTech"),
    ("141", "Cúm mùa", "Sanofi Pasteur"),
)
ALLERGIES: dict[str, tuple[str, str, str, str]] = {
    # code (RxNorm or SNOMED CT), name, reaction, criticality
    "penicilin": ("7980", "Penicilin", "Nổi mày đay, phù mặt", "high"),
    "tom-cua": ("735029006", "Tôm, cua", "Ngứa, nổi mẩn", "low"),
    "aspirin": ("1191", "Aspirin", "Cơn hen", "high"),
}
