"""The vaccination book as a person reads it: by disease, what comes next, what stands no longer."""

from typing import Any, Final

from api.pages.formats import day
from vaccination.book.antigens import ANTIGENS

# How a dose stands in the book, and the tone of its mark.
STATES: Final[dict[str, tuple[str, str, str]]] = {
    "verified": ("Cơ sở xác nhận", "Confirmed by the facility", "good"),
    "self-declared": ("Tự khai, chưa xác nhận", "Self-declared, not confirmed", "plain"),
    "being-corrected": ("Đang đề nghị sửa", "A correction is asked for", "warn"),
}
VERDICTS: Final = {
    "confirmed": ("Bác sĩ đã xem và xác nhận", "Looked at and confirmed by a doctor", "good"),
    "refuted": ("Bác sĩ đã xem và không đồng ý", "Looked at and refuted by a doctor", "warn"),
}
# Rows of the schedule that ask for something, in the order of what matters.
ASKS: Final[dict[str, tuple[str, str, str]]] = {
    "overdue": ("Quá lịch", "Overdue", "bad"),
    "due": ("Đến lịch", "Due", "warn"),
    "deferred": ("Tạm hoãn", "Put off", "plain"),
    "contraindicated": ("Không tiêm được", "Must not be given", "plain"),
}


def name_of(antigen: str, name_vi: str = "", *, english: bool) -> str:
    """A disease in words; what this version does not know keeps the contract's words."""
    known = ANTIGENS.get(antigen)
    if known is None:
        return name_vi or antigen
    return known.name_en if english else known.name_vi


def diseases(book: dict[str, Any], *, english: bool) -> list[dict[str, Any]]:
    """Each disease with its doses, newest first; last those whose disease nobody here knows."""
    by_id = {one["immunization_id"]: one for one in book["doses"]}
    made = []
    for one in book["antigens"]:
        doses = [
            dose_row(by_id[ident], english=english) for ident in reversed(one["doses"]) if ident in by_id
        ]
        made.append({"name": name_of(one["antigen"], one["name_vi"], english=english), "doses": doses})
    unknown = [dose_row(one, english=english) for one in book["doses"] if not one["antigens"]]
    if unknown:
        name = ("Chưa rõ phòng bệnh gì", "Against what is not known")[english]
        made.append({"name": name, "doses": unknown})
    return made


def dose_row(dose: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """One dose, as a line of the book and as a page of its own."""
    state, verdict = STATES[dose["state"]], dose.get("verdict")
    names = [name_of(one, english=english) for one in dose["antigens"]]
    return {
        "id": dose["immunization_id"],
        "title": dose["title"],
        "against": ", ".join(names),
        "day": day(dose["given"]) or ("không rõ ngày", "day unknown")[english],
        "place": dose["facility_name"] or dose.get("source_name") or dose.get("recorded_by") or "",
        "passed_on": dose.get("is_passed_on", False),
        "lot": dose["lot"] or "",
        "product": " · ".join(one for one in (dose["product"], dose["manufacturer"]) if one),
        "number": _number(dose, english=english),
        "state": state[english],
        "tone": state[2],
        "declared": dose["state"] == "self-declared",
        "verdict": VERDICTS[verdict["outcome"]] if verdict else None,
        "hidden": dose.get("hidden", False),
        "note": dose.get("note") or "",
        "copies": dose.get("copies", []),
        "received_at": dose["received_at"],
        "paper_id": dose.get("paper_id"),
    }


def _number(dose: dict[str, Any], *, english: bool) -> str:
    if dose["dose_number"] is None:
        return ""
    of = f"/{dose['series_doses']}" if dose["series_doses"] else ""
    return f"{('Mũi', 'Dose')[english]} {dose['dose_number']}{of}"


def one_dose(book: dict[str, Any], ident: str, *, english: bool) -> dict[str, Any] | None:
    """A dose by its id; None where the book has none such."""
    found = (one for one in book["doses"] if one["immunization_id"] == ident)
    return next((dose_row(one, english=english) for one in found), None)


def plan(schedule: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """What the schedule asks for: `asks` now, `coming` later, `early` what counts for nothing, `over` whether
    nothing of it is for this person any more."""
    rows = [
        (item, row)
        for item in schedule["items"]
        for row in item["rows"]
        if row["state"] in ASKS and not row["waits"]
    ]
    asks = [_asked(item, row, english=english) for item, row in rows]
    order = list(ASKS)
    states = {row["state"] for item in schedule["items"] for row in item["rows"]}
    now = schedule["as_of"]
    return {
        "asks": sorted(asks, key=lambda one: (order.index(one["kind"]), one["since"] or "")),
        "coming": [_visit(one, english=english) for one in schedule["visits"] if one["on"] > now],
        "early": [
            {"name": name_of(item["antigen"], item["name_vi"], english=english), **one}
            for item in schedule["items"]
            for one in item["not_counted"]
        ],
        "over": states <= {"aged_out", "given"} and not schedule["visits"],
        "any_given": "given" in states,
    }


def _asked(item: dict[str, Any], row: dict[str, Any], *, english: bool) -> dict[str, Any]:
    words = ASKS[row["state"]]
    name = name_of(item["antigen"], item["name_vi"], english=english)
    return {
        "kind": row["state"],
        "title": f"{name}, dose {row['number']}" if english else row["title_vi"],
        "word": words[english],
        "tone": words[2],
        "since": row["overdue_from"] if row["state"] == "overdue" else row["due_on"],
        "booked_on": row["booked_on"],
        "confirmed": row["confirmed"],
    }


def _visit(visit: dict[str, Any], *, english: bool) -> dict[str, Any]:
    names = (name_of(one, english=english) for one in visit["antigens"])
    return {"on": visit["on"], "names": ", ".join(names), "confirmed": visit["confirmed"]}


def new_dose(form: dict[str, str]) -> dict[str, Any]:
    """The body of a declared dose from its form. A day may be a year or a month alone: each field says what
    is known of it."""
    parts = [form.get("year", ""), form.get("month", "").zfill(2), form.get("day", "").zfill(2)]
    known = parts[: next((at for at, one in enumerate(parts) if not one.strip("0")), 3)]
    number = form.get("dose_number", "")
    said = {
        "given": "-".join(known),
        "paper_id": form.get("paper_id", ""),
        "vaccine": form.get("vaccine"),
        "antigens": [name.removeprefix("antigen.") for name in form if name.startswith("antigen.")],
        "dose_number": int(number) if number.isdigit() else None,
        "lot": form.get("lot"),
        "facility_name": form.get("facility_name"),
        "said_by": form.get("said_by"),
    }
    return {name: value for name, value in said.items() if value not in (None, "")}
