"""A dose that changes: `3 ngày đầu … sau đó …`, `tuần 1: … tuần 2: …`, `ngày 1-3: … ngày 4-6: …`.

A text is cut where a new stage begins, each with the days that its words give it; what cannot be cut so is
not read (words ours and unconfirmed).
"""

import re
from typing import Final

_FIRST: Final = (
    r"(?:trong |từ )?(?:(?P<first>\d{1,2}) (?P<first_unit>ngày|tuần) đầu(?: tiên)?"
    r"|(?P<one>ngày|tuần) đầu(?: tiên)?)"
)
_ORDINAL: Final = (
    r"(?:từ )?(?P<unit>ngày|tuần) (?P<th>thứ )?(?P<from>\d{1,2})"
    r"(?: ?(?:-|–|đến|tới) ?(?:ngày |tuần )?(?:thứ )?(?P<to>\d{1,2}))?(?P<open> trở đi| về sau)?"
    r"(?= ?[:,]| (?:uống|dùng|tiêm|bôi|mỗi|sáng|tối)\b|(?<=trở đi) |(?<=về sau) )"
)
_NEXT: Final = (
    r"(?:(?:sau (?:đó|đấy)|tiếp theo|tiếp đó|kế tiếp|rồi)[ ,:]*(?:trong )?"
    r"(?:(?P<then>\d{1,2}) (?P<then_unit>ngày|tuần)(?: tiếp theo| tiếp| sau| kế tiếp)?(?=[ :,]))?"
    r"|(?P<after>\d{1,2}) (?P<after_unit>ngày|tuần) (?:tiếp theo|tiếp|sau đó|sau|kế tiếp|còn lại|cuối)"
    r"|(?:các|những|mấy) (?:ngày|tuần) (?:sau đó|sau|còn lại|tiếp theo|kế tiếp)|tuần (?:sau|tiếp theo))"
)
_MARK: Final = re.compile(rf"\b(?:{_FIRST}|{_ORDINAL}|{_NEXT})(?: ?[:,-])? ?")
_CHANGE_WORDS: Final = re.compile(
    r"^(?:thì |là |giảm (?:xuống |còn |liều còn |liều xuống )|tăng (?:lên |liều lên )|chuyển sang "
    r"|duy trì |mỗi ngày (?=uống|dùng))+"
)
_UNIT_DAYS: Final = {"ngày": 1, "tuần": 7}
STAGES_MAX: Final = 8
_GAP: Final = -1


def staged(text: str) -> list[tuple[int | None, str]] | None:
    """(days, text) of each stage of a text in one spelling; days: None where its own text says them, or it
    goes on to the end. None where the text is of one stage, or its stages do not follow each other."""
    marks = list(_MARK.finditer(text))
    if not marks or len(marks) > STAGES_MAX or any(mark["first"] or mark["one"] for mark in marks[1:]):
        return None
    head = text[: marks[0].start()].strip(" ,;:.-")
    found: list[tuple[int | None, str]] = []
    if not any(marks[0].group(name) for name in ("from", "first", "one")):
        # What stands before "after that" is the first stage; else it is said of all of them.
        found.append((None, head))
        head = ""
    begun = 0
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        body = text[mark.end() : after.start() if after else len(text)].strip(" ,;:.-")
        days = _days(mark, begun)
        if days == _GAP:
            return None
        begun += days or 0
        found.append((days, f"{head} {_CHANGE_WORDS.sub('', body)}".strip()))
    return found if len(found) > 1 else None


def _days(mark: re.Match[str], begun: int) -> int | None:
    """How long a stage is by its first words; -1 where it does not begin on the day after the last one."""
    for number, unit in (("first", "first_unit"), ("then", "then_unit"), ("after", "after_unit")):
        if mark.group(number):
            return int(mark.group(number)) * _UNIT_DAYS[mark.group(unit)]
    if mark.group("one"):
        return _UNIT_DAYS[mark.group("one")]
    if mark.group("from") is None:
        return None
    unit_days, first = _UNIT_DAYS[mark.group("unit")], int(mark.group("from"))
    if begun != (first - 1) * unit_days:
        return _GAP
    if mark.group("to"):
        return (int(mark.group("to")) - first + 1) * unit_days
    return None if mark.group("open") else unit_days
