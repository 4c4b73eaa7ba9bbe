"""Lists as authorities send them; every person is invented."""

import itertools
from pathlib import Path
from typing import Any

from identity.models import Sex
from identity.population.models import ListKind, Reason, Summary
from identity.population.service import PopulationLoad
from store.database import Store
from tests.support.clock import FrozenClock

OPERATOR = "Nguyễn Văn Vận Hành"
HEADINGS = (
    *(
        "national_id",
        "insurance_number",
        "insurance_card",
        "full_name",
        "birth_date",
        "sex",
        "phone",
        "address",
    ),
    *("commune", "household", "household_role", "groups", "valid_from", "valid_until", "initial_facility"),
)
_RUNNING = itertools.count(1)


def number(sex: Sex = "female", year: int = 1985) -> str:
    """A new personal number that agrees with sex and year of birth (TT 59/2021)."""
    digit = (year - 1900) // 100 * 2 + (sex == "female")
    return f"001{digit}{year % 100:02d}{next(_RUNNING):06d}"


def insured() -> str:
    """A new number of an insured person."""
    return f"79{next(_RUNNING):08d}"


def resident(**changed: str) -> dict[str, str]:
    row = {
        "national_id": number(),
        "full_name": "Trần Thị Thử",
        "birth_date": "12/03/1985",
        "sex": "Nữ",
        "address": "Thôn 3",
        "commune": "12345",
        "household": "HK-01",
    }
    return row | changed


def table(rows: list[dict[str, str]], divider: str = ",") -> bytes:
    used = [name for name in HEADINGS if any(row.get(name) for row in rows)]
    lines = [divider.join(used), *(divider.join(row.get(name, "") for name in used) for row in rows)]
    return "\r\n".join(lines).encode("utf-8-sig")


def file_of(directory: Path, body: bytes, name: str = "list.csv") -> Path:
    path = directory / name
    path.write_bytes(body)
    return path


async def take(
    store: Store, clock: FrozenClock, path: Path, kind: ListKind = "residents", **more: Any
) -> tuple[PopulationLoad, Summary]:
    load = PopulationLoad(store, clock, path, kind, operator=OPERATOR, **more)
    return load, await load.run()


async def said(load: PopulationLoad) -> dict[int, tuple[str, tuple[Reason, ...]]]:
    """What is told of each line."""
    return {line: (status, reasons) async for line, status, reasons in load.lines()}
