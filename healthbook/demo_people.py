"""Invented people of all ages: families, a newborn without a number, an elder known by year of birth.

Nobody here exists. The 12-digit numbers follow the structure of TT 59/2021 (province of birth
registration, century and sex, year, six digits) with a low serial, and phones begin 0900 00.
"""

from datetime import date, timedelta
from random import Random
from typing import Literal

from msgspec import Struct

Sex = Literal["male", "female"]


class DemoPerson(Struct, frozen=True, kw_only=True):
    """One invented person. `birth_date` is a FHIR partial date; `key` is stable over runs."""

    key: str
    name: str
    sex: Sex
    birth_date: str
    number: str | None
    insurance_card: str | None
    phone: str | None
    address: str
    ethnic_group: str = "01"
    mother: str | None = None
    blood_group: str = "O+"
    story: str = "cold"
    allergies: tuple[str, ...] = ()
    signs_in: bool = False

    @property
    def born(self) -> date:
        """The birth date, the middle of the year where only the year is known."""
        if len(self.birth_date) == 4:
            return date(int(self.birth_date), 7, 1)
        return date.fromisoformat(self.birth_date)

    def age(self, today: date) -> int:
        born = self.born
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def card_text(person: DemoPerson) -> str:
    """What the QR code of the person's identity card would hold (vietnam.md §2); empty without a number."""
    if person.number is None:
        return ""
    born = "".join(reversed(person.birth_date.split("-")))
    sex = "Nam" if person.sex == "male" else "Nữ"
    # Nobody of the cast who carries a card was born later.
    return f"{person.number}||{person.name}|{born}|{sex}|{person.address}|01072024"


class _Line(Struct, frozen=True):
    """A line of the cast: what makes a person this person; the rest is derived."""

    key: str
    name: str
    sex: Sex
    age: int
    province: str
    household: str
    story: str
    signs_in: bool = False
    ethnic_group: str = "01"
    mother: str | None = None
    allergies: tuple[str, ...] = ()
    year_only: bool = False


HOUSEHOLDS = {
    "A": "Số 12 phố Ví Dụ, Phường Mẫu Đơn, Thành phố Hà Nội",
    "B": "Bản Ví Dụ, Xã Mẫu Sơn, tỉnh Lào Cai",
    "C": "Buôn Ví Dụ, Xã Mẫu Nguyên, tỉnh Đắk Lắk",
    "D": "Ấp Ví Dụ, Xã Mẫu Giang, Thành phố Cần Thơ",
    "E": "Thôn Ví Dụ, Xã Mẫu Lâm, tỉnh Cao Bằng",
    "F": "Số 7 đường Ví Dụ, Phường Mẫu Hải, Thành phố Đà Nẵng",
}

# Ethnic groups by the national list: 01 Kinh, 02 Tày, 05 Khơ-me, 08 HMông, 10 Gia-rai, 12 Ê-đê.
CAST: tuple[_Line, ...] = (
    _Line("hung", "Nguyễn Văn Hùng", "male", 58, "001", "A", "diabetes", True, allergies=("penicilin",)),
    _Line("lan", "Trần Thị Lan", "female", 54, "001", "A", "hypertension", True),
    _Line("minh", "Nguyễn Đức Minh", "male", 31, "001", "A", "gout", True, allergies=("tom-cua",)),
    _Line("huong", "Phạm Thị Hường", "female", 29, "001", "A", "pregnancy", True),
    _Line("bao-anh", "Nguyễn Ngọc Bảo Anh", "female", 6, "001", "A", "asthma", mother="huong"),
    _Line("tu", "Nguyễn Thị Tư", "female", 85, "001", "A", "heart", True, year_only=True),
    _Line("pao", "Giàng A Páo", "male", 41, "015", "B", "stomach", True, "08"),
    _Line("my", "Vàng Thị Mỷ", "female", 38, "015", "B", "cold", ethnic_group="08"),
    _Line("dua", "Giàng Seo Dủa", "male", 9, "015", "B", "child-cold", ethnic_group="08", mother="my"),
    _Line("bler", "H'Blêr Niê", "female", 27, "066", "C", "cold", True, "12"),
    _Line("thoan", "Y Thoan Ksơr", "male", 63, "064", "C", "hypertension", ethnic_group="10"),
    _Line("sa-ray", "Thạch Thị Sa Rây", "female", 46, "094", "D", "stomach", True, "05"),
    _Line("thang", "Nông Văn Thắng", "male", 35, "004", "E", "gout", ethnic_group="02"),
    _Line("dong", "Đặng Quốc Đông", "male", 72, "048", "F", "diabetes", True, allergies=("aspirin",)),
    _Line("ha-my", "Lê Hà My", "female", 16, "048", "F", "cold"),
)

SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương")
MIDDLE = {"male": ("Văn", "Đức", "Quốc", "Minh", "Hữu"), "female": ("Thị", "Ngọc", "Thu", "Thanh", "Kim")}
GIVEN = {
    "male": ("An", "Bình", "Cường", "Dũng", "Đạt", "Hải", "Khánh", "Long", "Nam", "Phúc", "Sơn", "Tuấn"),
    "female": ("Ánh", "Bích", "Chi", "Duyên", "Giang", "Hạnh", "Linh", "Mai", "Nga", "Oanh", "Thảo", "Yến"),
}
BLOOD_GROUPS = ("O+", "A+", "B+", "AB+", "O-")


def personal_number(province: str, sex: Sex, born_year: int, serial: int) -> str:
    """A 12-digit number by the structure of TT 59/2021; it has no check digit."""
    century = 2 * (born_year // 100 - 19) + (sex == "female")
    return f"{province}{century}{born_year % 100:02d}{serial:06d}"


def make_people(today: date, seed: int = 831) -> list[DemoPerson]:
    """The cast of the demo with birth dates that keep their ages on `today`, the newborn last."""
    random = Random(seed)
    people = [_person(line, serial, today, random) for serial, line in enumerate(CAST, start=101)]
    return [*people, _newborn(people, today)]


def make_crowd(count: int, today: date, seed: int = 4210) -> list[DemoPerson]:
    """Adults with long histories, for measurements; the same for the same arguments."""
    random = Random(seed)
    crowd = []
    for index in range(count):
        sex: Sex = random.choice(("male", "female"))
        words = (random.choice(SURNAMES), random.choice(MIDDLE[sex]), random.choice(GIVEN[sex]))
        line = _Line(
            f"crowd-{index}", " ".join(words), sex, random.randint(35, 80), "079", "F", "diabetes", True
        )
        crowd.append(_person(line, 1000 + index, today, random))
    return crowd


def _person(line: _Line, serial: int, today: date, random: Random) -> DemoPerson:
    born = today - timedelta(days=line.age * 365 + line.age // 4 + random.randint(20, 330))
    if line.year_only:
        born = date(today.year - line.age, 7, 1)
    return DemoPerson(
        key=line.key,
        name=line.name,
        sex=line.sex,
        birth_date=str(born.year) if line.year_only else born.isoformat(),
        number=personal_number(line.province, line.sex, born.year, serial),
        insurance_card=f"GD401{serial:010d}",
        phone=f"0900{serial:06d}" if line.signs_in else None,
        address=HOUSEHOLDS[line.household],
        ethnic_group=line.ethnic_group,
        mother=line.mother,
        blood_group=random.choice(BLOOD_GROUPS),
        story=line.story,
        allergies=line.allergies,
        signs_in=line.signs_in,
    )


def _newborn(people: list[DemoPerson], today: date) -> DemoPerson:
    """Twelve days old, without a number; files carry the mother's name (vietnam.md §4, NGAY_SINH)."""
    mother = next(person for person in people if person.key == "huong")
    return DemoPerson(
        key="newborn",
        name=mother.name,
        sex="male",
        birth_date=(today - timedelta(days=12)).isoformat(),
        number=None,
        insurance_card="TE1010000000777",
        phone=None,
        address=mother.address,
        mother=mother.key,
        story="jaundice",
    )
