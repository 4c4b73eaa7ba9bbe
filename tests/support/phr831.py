"""SYNTHETIC messages of QĐ 831, made from the published element list; every person is invented."""

import json
from typing import Any
from xml.sax.saxutils import escape

from tests.support.people import Citizen
from tests.support.shared import shared

# Values of fields that are not free text; every other field holds `SYNTHETIC <NAME>`.
FIXED = {
    "NGAYSINH": "12/03/1980",
    "GIOITINH": "1",
    "MADINHDANH": "079080001234",
    "VNEID": "079080001234",
    "MABHXH": "7908000123",
    "MATHE": "DN4797908000123",
    "SOCMND": "079080001234",
    "NGAYCAP": "01/02/2020",
    "GIAMHO": "1",
    "LOAIDE": "1",
    "DETHIEUTHANG": "0",
    "BINGAT_LUCDE": "1",
    "CHIEUDAI": "49,5",
    "CANNANG": "58,50",
    "LOAI": "1",
    "TRANGTHAI": "1",
    "DABO": "1",
    "LOAIBENH": "2",
    "NGAYTIEM": "05/06/2024",
    "NGAYHENTIEM": "05/07/2027",
    "NGAYKHAM": "02/03/2026",
    "NGAYBATDAU": "02/03/2026 08:15",
    "NGAYKETTHUC": "02/03/2026",
    "MACH": "75",
    "NHIETDO": "37.2",
    "HUYETAPTT": "125",
    "HUYETAPTD": "82",
    "NHIPTHO": "18",
    "CHIEUCAO": "165",
    "CHISOBMI": "21.5",
    "VONGBUNG": "80",
    "MANHOM": "1",
    "MABENH": "I10",
    "SENDER_CODE": "",
}
_BOOK = "BODY/HOSOSUCKHOE"


def element_list() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data/vietnam/qd831_xml_elements.json").read_text("utf-8"))
    return found


def sample(values: dict[str, str] | None = None, citizen: Citizen | None = None) -> str:
    """A whole message with every element of the list once. values: other texts by element name."""
    given = FIXED | (values or {})
    if citizen is not None:
        year, month, day = citizen.birth_date.split("-")
        given |= {"HOTEN": citizen.name, "NGAYSINH": f"{day}/{month}/{year}"}
        given |= {"GIOITINH": "1" if citizen.sex == "male" else "2"}
        given |= dict.fromkeys(("MADINHDANH", "VNEID", "SOCMND"), citizen.number)
        given |= {"MABHXH": "", "MATHE": "", "MA_NHANKHAU": ""} | (values or {})
    elements = element_list()
    header = _leaves(elements["HEADER"], given)
    body = "".join(_block(name, inside, given) for name, inside in elements[_BOOK].items())
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n<!-- SYNTHETIC -->\n"
        f"<DATA><HEADER>{header}</HEADER><BODY><HOSOSUCKHOE>{body}</HOSOSUCKHOE></BODY>"
        "<SECURITY><SIGNATURE/></SECURITY></DATA>"
    )


def _block(path: str, inside: Any, given: dict[str, str]) -> str:
    """One block of the list: `A/B[]` is a path, `A and B` are two blocks alike."""
    if " and " in path:
        return "".join(_block(one, inside, given) for one in path.split(" and "))
    names = path.split(" (", maxsplit=1)[0].replace("[]", "").split("/")
    if isinstance(inside, dict):
        text = "".join(_block(name, below, given) for name, below in inside.items())
    else:
        text = _leaves(inside if isinstance(inside, list) else names[-1:], given)
        names = names if isinstance(inside, list) else names[:-1]
    for name in reversed(names):
        text = f"<{name}>{text}</{name}>"
    return text


def _leaves(names: list[Any], given: dict[str, str]) -> str:
    made = ""
    for name in names:
        if isinstance(name, dict):
            made += "".join(_block(path, inside, given) for path, inside in name.items())
        elif "{" in name:
            path, _, fields = name.rstrip("}").partition("{")
            made += _block(path, fields.split(","), given)
        else:
            made += f"<{name}>{escape(given.get(name, f'SYNTHETIC {name}'))}</{name}>"
    return made
