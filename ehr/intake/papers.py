"""A paper of a package as DocumentReference: its lines as text, with the dates and numbers it carries.

Once signed no paper is issued: the electronic letter is the document (vietnam.md §4).
"""

import base64
from datetime import date
from typing import Any

from msgspec import Struct

from ehr.intake import systems
from ehr.intake.episode import Episode, concept
from ehr.intake.xml_fields import Row, read_moment


class Paper(Struct, frozen=True, kw_only=True):
    """A kind of paper. lines: field → label, in the order of the text. numbers: fields of its own numbers.
    signed: fields of the day it was issued. period: fields of the first and last day it is about."""

    kind: str
    title: str
    lines: dict[str, str]
    numbers: tuple[str, ...] = ()
    author: str = ""
    signed: str = "NGAY_CT"
    period: tuple[str, str] = ("NGAY_VAO", "NGAY_RA")
    department: str = ""
    words: dict[str, dict[str, str]] = {}


def add_paper(paper: Paper, row: Row, episode: Episode, *identity: str, about: str = "") -> None:
    """One DocumentReference of the row's fields. about: the resource that it is the letter of, which tells
    how far that is, and is hidden with it."""
    attachment = {
        "contentType": "text/plain; charset=utf-8",
        "language": "vi",
        "data": base64.b64encode(_text(paper, row).encode()).decode(),
        "title": paper.title,
    }
    author = row.text(paper.author)
    episode.add(
        episode.numbered("DocumentReference", row.table, paper.kind, *identity),
        {
            "identifier": [
                {"system": f"{systems.LETTER_NUMBER}:{name.lower()}", "value": row.text(name)}
                for name in paper.numbers
                if row.text(name)
            ],
            "status": "current",
            "type": concept(paper.title, (systems.DOCUMENT_KIND, paper.kind)),
            "subject": episode.patient,
            "date": row.moment(paper.signed) or episode.end or episode.start,
            "author": [{"display": author}] if author else [],
            "description": paper.title,
            "content": [{"attachment": attachment}],
            "context": _context(paper, row, episode, about),
        },
        row,
        whole_row=False,
    )


def _text(paper: Paper, row: Row) -> str:
    lines = []
    for name, label in paper.lines.items():
        value = row.text(name)
        if value:
            said = _date_text(value) if "NGAY" in name or name == "THOIGIAN_DINHCHI" else value
            lines.append(f"{label}: {paper.words.get(name, {}).get(value, said)}")
    return "\n".join(lines)


def fields_of(paper: Paper, text: str) -> dict[str, str]:
    """The fields that the text of such a paper was made of: the other way of `add_paper`. Of fields with one
    label the first."""
    names = {label: name for name, label in reversed(paper.lines.items())}
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        label, colon, value = line.partition(": ")
        if colon and label in names and names[label] not in found:
            lines = found.setdefault(names[label], [value])
        else:
            lines.append(line)
    return {name: "\n".join(values).strip() for name, values in found.items()}


def _date_text(value: str) -> str:
    """`202611280800` as people read it; what is no date stays as it is."""
    moment = read_moment(value)
    if moment is None:
        return value
    day = date.fromisoformat(moment[:10])
    return f"{day:%d/%m/%Y}" + (f" {moment[11:16]}" if len(moment) > 10 else "")


def _context(paper: Paper, row: Row, episode: Episode, about: str) -> dict[str, Any]:
    start, end = (row.moment(name) if name else "" for name in paper.period)
    period = {key: value for key, value in (("start", start), ("end", end)) if value}
    made = {
        "encounter": [episode.encounter] if episode.encounter else [],
        "period": period,
        "practiceSetting": concept("", (systems.DEPARTMENT, row.text(paper.department))),
        "related": [{"reference": about}] if about else [],
    }
    return {key: value for key, value in made.items() if value}
