"""Encounters, procedures, plans, devices, alerts."""

from typing import Final

from ehr import titles
from ehr.dates import OPEN_END
from ehr.fhir import (
    Appointment,
    CarePlan,
    Concept,
    Device,
    DeviceUseStatement,
    Encounter,
    EpisodeOfCare,
    Extension,
    FlagResource,
    Procedure,
    Reference,
)
from ehr.intake.systems import PROGRAMME, PROGRAMME_STATE
from ehr.titles import title_of
from ehr.views.draft import (
    Draft,
    Refer,
    active_until,
    code_of,
    end,
    first_date,
    last_instant,
    name_of,
    new_item,
    notes,
    start,
)
from kernel.access import RecordType

_CLASSES = {
    "AMB": "Khám ngoại trú",
    "EMER": "Cấp cứu",
    "IMP": "Điều trị nội trú",
    "ACUTE": "Điều trị nội trú",
    "NONAC": "Điều trị nội trú",
    "SS": "Lưu theo dõi trong ngày",
    "HH": "Khám tại nhà",
    "VR": "Khám từ xa",
}
_VISIT = "Lượt khám"
_PLAN = "Kế hoạch chăm sóc"
_EPISODE = "Đợt theo dõi"
PROGRAMMES: Final = "programmes"
PREGNANCY: Final = "pregnancy"
# What the person reads beside the sentence, in this order.
SPOKEN: Final = ("stage", "ending", "freshness")
APPOINTMENT = "appointment"
_REVISIT = "Hẹn khám lại"
_AHEAD = frozenset({"proposed", "pending", "booked", "waitlist"})
_KEPT_TO = frozenset({"arrived", "checked-in", "fulfilled"})


def encounter(ident: str, e: Encounter, _refer: Refer) -> Draft:
    """The title here is the kind of visit; the main disease is looked up when read, because it may be
    withheld from the reader."""
    when = first_date(start(e.period))
    setting = _CLASSES.get(e.class_.code or "") or _VISIT
    kind = e.type[0] if e.type else e.service_type
    title = (titles.name_of(kind) if kind else None) or setting
    item = new_item(ident, "Encounter", title, e.status, when)
    item.category = e.class_.code
    item.end_date = end(e.period)
    item.reasons = [title_of(reason) for reason in e.reason_code]
    department = titles.name_of(e.service_type) if e.service_type else None
    item.lines = [setting, department] if department else [setting]
    if e.hospitalization and e.hospitalization.discharge_disposition:
        item.lines.append(title_of(e.hospitalization.discharge_disposition))
    return Draft(
        item=item,
        section="encounters",
        concept=kind,
        concepts=e.reason_code,
        when=when,
        until=last_instant(end(e.period)),
        category=e.class_.code,
        main=_main_diagnosis(e),
    )


def _main_diagnosis(e: Encounter) -> Reference | None:
    """The ChiefComplaint_CDBenhChinh slice of VN Core (use = CC); elsewhere rank 1, or the only one."""
    chief = next((d for d in e.diagnosis if d.use and any(c.code == "CC" for c in d.use.coding)), None)
    first = next((d for d in e.diagnosis if d.rank == 1), None)
    found = chief or first or next(iter(e.diagnosis), None)
    return found.condition if found else None


def procedure(ident: str, p: Procedure, _refer: Refer) -> Draft:
    when = first_date(p.performed_date_time, start(p.performed_period))
    item = new_item(ident, "Procedure", title_of(p.code, "Thủ thuật chưa rõ tên"), p.status, when)
    item.end_date = end(p.performed_period)
    item.recorded_by = next((name_of(x.actor) for x in p.performer), None)
    item.lines = [title_of(p.outcome)] if p.outcome else []
    item.text = notes(p.note)
    return Draft(
        item=item,
        section="procedures",
        concept=p.code,
        when=when,
        until=last_instant(end(p.performed_period)),
        encounter=p.encounter,
        category=code_of(p.category),
    )


def programme_of(concepts: list[Concept]) -> Concept | None:
    """The programme that a plan or an episode is part of (ehr/programmes)."""
    return next((c for c in concepts if any(x.system == PROGRAMME for x in c.coding)), None)


def _kind_of(programme: Concept) -> RecordType:
    """A grant opens what is told of a pregnancy by its own name (consent.md §4)."""
    return "Observation.pregnancy" if code_of(programme) == PREGNANCY else "CarePlan"


def state_of(extensions: list[Extension]) -> dict[str, Extension]:
    """What the plan of a programme carries beside FHIR's own fields, by its short name."""
    whole = next((one for one in extensions if one.url == PROGRAMME_STATE), None)
    return {part.url or "": part for part in whole.extension} if whole else {}


def _programme(ident: str, c: CarePlan, programme: Concept) -> Draft:
    """What the person is followed for: the sentence is the facility's, with the day to come next."""
    when = first_date(start(c.period), c.created)
    item = new_item(ident, _kind_of(programme), c.title or title_of(programme), c.status, when)
    item.end_date = end(c.period)
    item.category = PROGRAMMES
    item.text = c.description
    state = state_of(c.extension)
    item.lines = [text for name in SPOKEN if name in state and (text := state[name].value_string)]
    if "next-visit" in state:
        item.next_visit_on = state["next-visit"].value_date
    return Draft(
        item=item,
        section=PROGRAMMES,
        concept=programme,
        when=when,
        until=last_instant(end(c.period)) if c.period and c.period.end else OPEN_END,
        active_until=active_until(c.status == "active", end(c.period)),
        category=PROGRAMMES,
    )


def episode_of_care(ident: str, e: EpisodeOfCare, _refer: Refer) -> Draft:
    """Kept with its plan, which is what people read."""
    programme = programme_of(e.type)
    when = first_date(start(e.period))
    title = title_of(programme or next(iter(e.type), None), _EPISODE)
    item = new_item(ident, _kind_of(programme) if programme else "CarePlan", title, e.status, when)
    item.end_date = end(e.period)
    return Draft(
        item=item,
        section=None,
        concept=programme or next(iter(e.type), None),
        when=when,
        until=last_instant(end(e.period)),
    )


def care_plan(ident: str, c: CarePlan, _refer: Refer) -> Draft:
    """Advice and treatment plan of a visit: `description` is the advice, activities are the plan."""
    programme = programme_of(c.category)
    if programme is not None and c.encounter is None:
        return _programme(ident, c, programme)
    when = first_date(start(c.period), c.created)
    concept = next((x for x in c.category if code_of(x) != "assess-plan"), None)
    kind: RecordType = _kind_of(programme) if programme else "CarePlan"
    item = new_item(ident, kind, c.title or title_of(concept, _PLAN), c.status, when)
    item.end_date = end(c.period)
    item.text = c.description or notes(c.note)
    details = [a.detail for a in c.activity if a.detail]
    item.lines = [d.description or title_of(d.code) for d in details if d.description or d.code]
    return Draft(
        item=item,
        section="care-plans",
        concept=concept,
        when=when,
        until=last_instant(end(c.period)),
        active_until=active_until(c.status == "active", end(c.period)),
        encounter=c.encounter,
    )


def appointment(ident: str, a: Appointment, _refer: Refer) -> Draft:
    """The day to come back, among the plans of the visit that gave it. Without that visit nobody knows of
    which department it is, nor would it be hidden with the visit: it stays out of the views."""
    when = first_date(a.start, *(start(period) for period in a.requested_period))
    item = new_item(ident, "CarePlan", a.description or _REVISIT, a.status, when)
    item.category = APPOINTMENT
    visits = (r for r in a.supporting_information if r.reference and "Encounter/" in r.reference)
    visit = next(visits, None)
    is_shown = visit is not None and when is not None and a.status in _AHEAD | _KEPT_TO
    return Draft(
        item=item,
        section="care-plans" if is_shown else None,
        when=when,
        active_until=when.last if when and is_shown and a.status in _AHEAD else None,
        encounter=visit,
        category=APPOINTMENT,
    )


def device(ident: str, d: Device, _refer: Refer) -> Draft:
    status = d.status or "unknown"
    item = new_item(ident, "Device", title_of(d.type, "Thiết bị chưa rõ tên"), status, None)
    return Draft(item=item, section="devices", concept=d.type)


def device_use(ident: str, d: DeviceUseStatement, _refer: Refer) -> Draft:
    when = first_date(d.timing_date_time, start(d.timing_period), d.recorded_on)
    title = name_of(d.device) or "Thiết bị chưa rõ tên"
    item = new_item(ident, "Device", title, d.status, when)
    return Draft(item=item, section="devices", when=when)


def alert(ident: str, f: FlagResource, _refer: Refer) -> Draft:
    when = first_date(start(f.period))
    item = new_item(ident, "Other", title_of(f.code, "Cảnh báo"), f.status, when)
    item.end_date = end(f.period)
    return Draft(
        item=item,
        section="alerts",
        concept=f.code,
        when=when,
        until=last_instant(end(f.period)),
        active_until=active_until(f.status == "active", end(f.period)),
        encounter=f.encounter,
    )
