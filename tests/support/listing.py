"""A directory of many facilities, written at once."""

import random
import string
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity.units.specialties import by_code
from kernel.ids import uuid7
from store.database import Store
from visits.directory.models import Point
from visits.directory.spots import spot_of

_KINDS = ("Trạm Y tế xã", "Phòng khám Đa khoa", "Bệnh viện Đa khoa huyện", "Nhà thuốc", "Trung tâm Y tế")
_SYLLABLES = (
    "An Bình Cẩm Châu Đông Đức Giang Hà Hải Hòa Hưng Khánh Kim Lạc Lâm Long Lương Mỹ Nam Nghĩa"
    " Ngọc Phú Phước Quang Sơn Tân Thái Thanh Thắng Thịnh Thọ Thủy Tiến Trung Trường Tường Vân Vĩnh Xuân Yên"
)


_SIGNS = string.digits + string.ascii_uppercase


@dataclass(frozen=True)
class Listed:
    facility_id: UUID
    name: str
    at: Point
    specialties: tuple[str, ...]


def invented(count: int, now: datetime, seed: int = 1) -> list[Listed]:
    """As many facilities with invented names, spread over the country; one in a hundred is a dentist."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        middle = chance.choice(((21.03, 105.85), (10.78, 106.70), (16.07, 108.22), (16.0, 107.0)))
        spread = chance.choice((0.2, 1.0, 4.0))
        at = Point(
            latitude=min(23.3, max(8.5, chance.gauss(middle[0], spread))),
            longitude=min(109.4, max(102.2, chance.gauss(middle[1], spread / 2))),
        )
        name = f"{chance.choice(_KINDS)} {' '.join(chance.sample(_SYLLABLES.split(), 3))} {number}"
        specialties = ("general-practice", "dentistry") if number % 100 == 0 else ("general-practice",)
        made.append(Listed(uuid7(now), name, at, specialties))
    return made


def _code(number: int) -> str:
    """Of the numbers 00 to 09, which make_facility gives to nobody."""
    letters = "".join(_SIGNS[number // 36**place % 36] for place in (2, 1, 0))
    return f"{number // 36**3:02d}{letters}"


async def write_listings(owner: Store, listed: list[Listed], now: datetime) -> None:
    """By COPY: fifty thousand in seconds. owner: as hb_owner, who may ANALYZE."""
    async with owner.transaction() as tx:
        await tx.copy_records_to_table(
            "facility",
            columns=["facility_id", "name", "short_name", "discreet_name", "opened_at"],
            records=[(one.facility_id, one.name, "CS", "Cơ sở y tế", now) for one in listed],
        )
        await tx.copy_records_to_table(
            "facility_code",
            columns=["facility_id", "system", "code", "valid_from"],
            records=[
                (one.facility_id, "cskcb-5", _code(number), now.date()) for number, one in enumerate(listed)
            ],
        )
        for one in listed:
            assert set(one.specialties) <= by_code().keys()
        await tx.executemany(
            "INSERT INTO facility_listing (facility_id, latitude, longitude, spot, changed_at)"
            " VALUES ($1, $2, $3, point($4, $5), $6)",
            [(one.facility_id, one.at.latitude, one.at.longitude, *spot_of(one.at), now) for one in listed],
        )
        await tx.executemany(
            "INSERT INTO facility_specialty (facility_id, specialty, spot, is_declared)"
            " VALUES ($1, $2, point($3, $4), true)",
            [
                (one.facility_id, specialty, *spot_of(one.at, by_code()[specialty].place))
                for one in listed
                for specialty in one.specialties
            ],
        )
    async with owner.transaction() as tx:
        for table in ("facility", "facility_code", "facility_listing", "facility_specialty"):
            await tx.execute(f"ANALYZE {table}")
