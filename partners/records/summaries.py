"""Group (d): what an encounter came to, from its papers, its plan and its prescription."""

from typing import Final

import msgspec
from msgspec import Struct

from ehr.intake import systems
from ehr.intake.map_letters import PAPERS
from ehr.intake.papers import fields_of
from ehr.views.care import APPOINTMENT
from partners.records.faces import is_disputed
from partners.records.found import Found, Paper, Plan
from partners.records.models import VisitSummary


class _Named(Struct):
    display: str | None = None


class _Signed(Struct):
    author: list[_Named] = []


_paper: Final = msgspec.json.Decoder(_Signed).decode


class _Said(Struct):
    """What the papers and plans of an encounter say, in the order of the rows."""

    course: list[str] = []
    results: list[str] = []
    treatment: list[str] = []
    onward_plan: list[str] = []
    advice: list[str] = []
    revisits: list[str] = []
    doctors: list[str] = []


# Field of a paper (XML7, XML8, XML13) -> where it goes.
_PLACES: Final = {
    "QT_BENHLY": "course",
    "TOMTAT_KQ": "results",
    "PP_DIEUTRI": "treatment",
    "HUONG_DIEU_TRI": "onward_plan",
    "GHI_CHU": "advice",
}


def summary_of(found: Found) -> VisitSummary:
    """Group (d) of one encounter. What no paper of it says is absent."""
    row, visit, said = found.row, found.item, _Said()
    for plan in found.plans:
        _plan(plan, said)
    for paper in found.papers:
        _read_paper(paper, said)
    people = (one.individual for one in found.doc.participant)
    said.doctors += [one.display for one in people if one and one.display]
    return VisitSummary(
        encounter_id=row.id,
        facility=visit.facility_name,
        start=visit.date,
        end=visit.end_date,
        course=_joined(said.course),
        results=_joined(said.results),
        treatment=_once(said.treatment),
        onward_plan=_joined(said.onward_plan),
        prescription=found.medicines,
        advice=_once(said.advice),
        revisits=sorted(set(said.revisits)),
        doctors=_once(said.doctors),
        disputed=is_disputed(row.mark),
        more=found.more,
    )


def _plan(item: Plan, said: _Said) -> None:
    if item.category == APPOINTMENT:
        said.revisits += [item.date] if item.date else []
        return
    said.treatment += item.lines
    said.advice += [item.text] if item.text else []


def _read_paper(paper: Paper, said: _Said) -> None:
    """Papers of a kind that we know: what another one says nobody has put in order."""
    kind = PAPERS.get(paper.code or "") if paper.code_system == systems.DOCUMENT_KIND else None
    if kind is None:
        return
    for name, value in fields_of(kind, paper.body or "").items():
        if name in _PLACES and value:
            getattr(said, _PLACES[name]).append(value)
    if paper.doc is not None:
        said.doctors += [one.display for one in _paper(paper.doc).author if one.display]


def _once(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _joined(texts: list[str]) -> str | None:
    return "\n".join(_once(texts)) or None
