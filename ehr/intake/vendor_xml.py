"""Files of vendors that look like treatment packages and are not: every wrong field is named."""

import re
from collections.abc import Iterator
from typing import Any, Final

from ehr.intake.models import Reason
from ehr.intake.xml_fields import read_birth, read_moment

REASONS_MAX: Final = 100
_REQUIRED: Final = (
    "MA_LK",
    "HO_TEN",
    "NGAY_SINH",
    "GIOI_TINH",
    "NGAY_VAO",
    "NGAY_RA",
    "MA_LOAI_KCB",
    "MA_CSKCB",
)
_LISTS: Final = {
    "CHI_TIET_THUOC": "DSACH_CHI_TIET_THUOC",
    "CHI_TIET_DVKT": "DSACH_CHI_TIET_DVKT",
    "CHI_TIET_CLS": "DSACH_CHI_TIET_CLS",
    "CHI_TIET_DIEN_BIEN_BENH": "DSACH_CHI_TIET_DIEN_BIEN_BENH",
}


def explain_vendor_file(events: Iterator[tuple[str, Any]], root: Any) -> list[Reason]:
    """Why the file whose root is `root` is refused; `events` is the rest of its iterparse."""
    reasons = [Reason("wrong-root", f"/{_name(root)}")]
    for event, element in events:
        if event == "end" and len(reasons) < REASONS_MAX:
            reasons += _explain(element)
    return reasons[:REASONS_MAX]


def _explain(element: Any) -> list[Reason]:
    name, parent = _name(element), element.getparent()
    place = _place(element)
    if name == "TONG_HOP":
        have = {_name(child) for child in element if (child.text or "").strip()}
        return [Reason("missing-field", f"{place}/{field}") for field in _REQUIRED if field not in have]
    if name in _LISTS and parent is not None and _name(parent) != _LISTS[name]:
        return [Reason("row-without-list", place)]
    if len(element) == 0 and _is_wrong(name, (element.text or "").strip()):
        return [Reason("bad-date" if name.startswith("NGAY") else "bad-code", place)]
    return []


def _is_wrong(name: str, value: str) -> bool:
    if not value:
        return False
    if name == "NGAY_SINH":
        return read_birth(value) is None
    if name.startswith("NGAY_"):
        return read_moment(value) is None
    return name == "MA_LOAI_KCB" and re.fullmatch("[0-9]{2}", value) is None


def _place(element: Any) -> str:
    parts: list[str] = []
    while element is not None:
        name = _name(element)
        twins = [e for e in element.itersiblings(preceding=True) if e.tag == element.tag]
        parts.append(f"{name}[{len(twins) + 1}]" if name in _LISTS else name)
        element = element.getparent()
    return "/" + "/".join(reversed(parts))


def _name(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2][:60] if isinstance(tag, str) else "?"
