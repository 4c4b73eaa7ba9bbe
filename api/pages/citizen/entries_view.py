"""Entries of a book in the order and the words in which a person reads them. Pure.

What the contract says is passed on; nothing is judged here: whether a value is high is what the contract says
of it, by the range that was valid at that result.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from litestar.params import FromPath, PathParameter
from msgspec import Struct

from api.pages.formats import number

# An address names an entry by its id, which goes on into a path of the contract: nothing else fits.
EntryId = FromPath[Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9.\-]{1,64}$(?!\n)")]]
# One entry of the contract (ehr/models.py Item), as JSON.
Entry = dict[str, Any]


class Word(Struct, frozen=True):
    """A word in both languages, with the mark and the tone it is shown in."""

    vi: str
    en: str
    tone: str = "plain"
    mark: str = ""


FLAGS: Final[Mapping[str, Word]] = {
    "normal": Word("Bình thường", "Normal", "good"),
    "low": Word("Thấp", "Low", "warn", "↓"),
    "high": Word("Cao", "High", "warn", "↑"),
    "abnormal": Word("Bất thường", "Abnormal", "warn"),
    "critical": Word("Cần bác sĩ xem sớm", "Needs a doctor soon", "bad"),
    "critical-low": Word("Rất thấp, cần bác sĩ xem sớm", "Very low, needs a doctor soon", "bad", "↓"),
    "critical-high": Word("Rất cao, cần bác sĩ xem sớm", "Very high, needs a doctor soon", "bad", "↑"),
}

_RESULTS: Final = ("Observation.laboratory", "Observation.pregnancy", "Observation.other")
# What a visit holds, the important first.
PARTS: Final[tuple[tuple[tuple[str, ...], Word], ...]] = (
    (("CarePlan",), Word("Lời dặn và kế hoạch", "Advice and plan")),
    (("Condition",), Word("Chẩn đoán", "Diagnoses")),
    (("MedicationRequest", "MedicationStatement"), Word("Thuốc được kê", "Medicines given")),
    (_RESULTS, Word("Kết quả xét nghiệm", "Test results")),
    (("DiagnosticReport", "ImagingStudy"), Word("Chẩn đoán hình ảnh và phiếu kết quả", "Images and reports")),
    (("Procedure",), Word("Thủ thuật, phẫu thuật", "Procedures and operations")),
    (("Observation.vital-signs",), Word("Dấu hiệu sinh tồn", "Vital signs")),
    (("Immunization",), Word("Tiêm chủng", "Vaccinations")),
    (("AllergyIntolerance",), Word("Dị ứng", "Allergies")),
    (("DocumentReference",), Word("Giấy tờ", "Documents")),
)
OTHER: Final = Word("Thông tin khác", "Other")


class Part(Struct, frozen=True):
    """Entries of one kind in one visit."""

    name: Word
    kind: str
    entries: list[Entry]


class Stack(Struct, frozen=True):
    """Entries that say the same by their title, the newest first."""

    title: str
    entries: list[Entry]

    @property
    def first(self) -> Entry:
        return self.entries[0]


def flag_of(entry: Mapping[str, Any]) -> Word | None:
    """The word for what the contract says of a value; None where it says nothing of it."""
    return FLAGS.get(entry.get("flag") or "")


def by_part(entries: Iterable[Entry]) -> list[Part]:
    """The entries of a visit by what they are; what has no heading of its own stands last."""
    left = list(entries)
    found = []
    for kinds, name in PARTS:
        if own := [one for one in left if one["kind"] in kinds]:
            found.append(Part(name, kinds[0], own))
            left = [one for one in left if one["kind"] not in kinds]
    return [*found, Part(OTHER, "Other", left)] if left else found


def stacked(entries: Iterable[Entry]) -> list[Stack]:
    """Entries of one title together, in the order in which they come."""
    found: dict[str, list[Entry]] = {}
    for one in entries:
        found.setdefault(one["title"].casefold().strip(), []).append(one)
    return [Stack(group[0]["title"], group) for group in found.values()]


def section(summary: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """A section of the summary; None where this reader is shown none."""
    return next((one for one in summary["sections"] if one["key"] == key), None)


def bounds_text(bounds: Mapping[str, Any] | None) -> str:
    """The range that was valid at a result, as people read it: `59 – 104`."""
    if not bounds:
        return ""
    low, high = bounds.get("low"), bounds.get("high")
    if low is not None and high is not None:
        return f"{number(low)} – {number(high)}"
    if low is not None:
        return f"≥ {number(low)}"
    return f"≤ {number(high)}" if high is not None else str(bounds.get("text") or "")


def dose_words(text: str) -> str:
    """The prescriber's words with commas and brackets where the form has signs (QĐ 4750, LIEU_DUNG):
    `1 viên/lần * 2 lần/ngày [2 viên/ngày]`. No word is added, dropped or read."""
    return text.replace(" * ", ", ").replace("[", "(").replace("]", ")")


# What citizen/entries.html needs of a page that imports it.
SHOWING: Final[Mapping[str, Any]] = {
    "flag_of": flag_of,
    "bounds_text": bounds_text,
    "dose_words": dose_words,
}
