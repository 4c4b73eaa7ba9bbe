"""Dose files of the nation's systems as tests write them; every person is invented."""

from pathlib import Path
from typing import Any

from ehr.intake.models import Reason
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen
from vaccination.first_fill.fields import read_fields
from vaccination.first_fill.models import Summary
from vaccination.first_fill.service import Fill

EPI = "national-immunisation"
COVID = "national-covid"
OPERATOR = "Nguyễn Văn Vận Hành"
FIELDS = read_fields()
HEADINGS = (
    *("dose_id", "national_id", "full_name", "birth_date", "sex", "vaccine", "given_on", "dose_number"),
    *("antigen", "facility", "facility_code", "lot_number", "next_on"),
)


def dose(who: Citizen | None = None, **changed: str) -> dict[str, str]:
    """One row. who: whose; without one the person is one that nobody knows."""
    row = {
        "dose_id": "TC-1",
        "national_id": who.number if who else "079188000001",
        "full_name": who.name if who else "Đặng Thị Chưa Có",
        "birth_date": who.birth_date if who else "1988-04-05",
        "sex": "Nam" if who and who.sex == "male" else "Nữ",
        "vaccine": "Vero Cell",
        "given_on": "05/08/2021",
        "dose_number": "1",
        "antigen": "COVID-19",
        "facility": "Trạm Y tế phường Thử",
        "facility_code": "79123",
        "lot_number": "L-202108",
        "next_on": "",
    }
    return row | changed


def table(rows: list[dict[str, str]], headings: tuple[str, ...] = HEADINGS, divider: str = ";") -> bytes:
    lines = [divider.join(headings), *(divider.join(row.get(name, "") for name in headings) for row in rows)]
    return "\r\n".join(lines).encode("utf-8-sig")


def file_of(directory: Path, body: bytes, name: str = "doses.csv") -> Path:
    path = directory / name
    path.write_bytes(body)
    return path


def fill_of(store: Store, clock: FrozenClock, path: Path, system: str = EPI, **more: Any) -> Fill:
    return Fill(store, clock, path, system, FIELDS, operator=OPERATOR, **more)


async def take(
    store: Store, clock: FrozenClock, path: Path, system: str = EPI, **more: Any
) -> tuple[Fill, Summary]:
    fill = fill_of(store, clock, path, system, **more)
    return fill, await fill.run()


async def said(fill: Fill) -> dict[int, tuple[str, list[Reason]]]:
    """What became of each row of which anything is to be said."""
    return {given.number: (line.status, line.reasons) async for given, line in fill.lines()}
