"""All tables of one HOSO to its units, or all its faults."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from ehr.intake import map_birth, map_certificates, map_letters, map_orders, map_results, map_visit
from ehr.intake.episode import REASONS_MAX, Episode, Tables
from ehr.intake.map_course import map_course
from ehr.intake.map_person import read_person
from ehr.intake.map_tuberculosis import map_tuberculosis
from ehr.intake.models import BadInputError, PersonFacts, Reason, Unit, reject
from ehr.intake.xml_fields import Row
from ehr.intake.xml_tables import TABLES_APART, TABLES_OF_EPISODE

# The tables whose rows become resources of the visit one by one, in this order.
_LINES: Final[dict[str, Callable[[Row, Episode], None]]] = {
    "XML2": map_orders.map_medicine,
    "XML3": map_orders.map_service,
    "XML5": map_course,
    "XML7": map_letters.map_discharge,
    "XML8": map_letters.map_summary,
    "XML9": map_birth.map_birth,
    "XML10": map_certificates.map_antenatal_leave,
    "XML11": map_certificates.map_sick_leave,
    "XML13": map_letters.map_referral,
    "XML15": map_tuberculosis,
}


def read_episode(tables: Tables, facility: str, where: str, now: datetime) -> list[Unit]:
    """The units of one HOSO: the visit, each newborn, an assessment. Raises BadInputError with every
    wrong field of all of them: a HOSO is taken in whole or not at all."""
    if len(tables.of("XML1")) > 1:
        raise reject("several-summaries", f"{where}/XML1")
    head = next((rows[0] for name in ("XML1", "XML0") if (rows := tables.of(name))), None)
    if not any(tables.rows.values()):
        raise reject("missing-table", f"{where}/XML1")
    code = facility or (head.text("MA_CSKCB") if head else "")
    _check_one_episode(tables, code, head)
    units = [] if head is None else [_read_visit(head, Episode(code, head.text("MA_LK"), tables, now), where)]
    if not tables.of("XML1"):
        units += _read_parts(tables, code, where, now)
    for number, row in enumerate(tables.of("XML9"), start=1):
        identity = f"{row.text('MA_LK')}\n{map_birth.identity_of(row)}"
        own = Episode(code, f"{identity}\nXML9", tables, now, visit=False)
        units.append(map_birth.read_newborn(row, own, identity, f"{where}/XML9[{number}]"))
    for number, row in enumerate(tables.of("XML12"), start=1):
        own = Episode(code, f"{row.text('SO_BIEN_BAN')}\n{row.text('NGAY_HOP')}", tables, now, visit=False)
        units.append(map_certificates.read_assessment(row, own, f"{where}/XML12[{number}]"))
    _refuse_faults(tables)
    units[0].withheld += tables.withheld
    return units


def _read_visit(head: Row, episode: Episode, where: str) -> Unit:
    """The unit of the visit: whole with XML1; only begun, and never over what is known, with XML0."""
    begun = head.table == "XML0"
    (map_visit.read_arrival if begun else map_visit.read_stay)(head, episode)
    person = read_person(head, episode)
    _refuse_faults(episode.tables)
    if begun:
        map_visit.map_arrival(head, person, episode)
    else:
        map_visit.map_visit(head, person, episode)
        _map_lines(head, episode)
    return Unit(
        name=where,
        key=f"episode:{episode.ma_lk}",
        person=person,
        items=episode.items,
        snapshot=True,
        only_first=begun,
        facility_code=episode.facility_code,
        withheld=int(head.text("MA_DOITUONG_KCB") == "1.9"),
        documents=("XML0",) if begun else tuple(sorted(t for t, rows in episode.tables.rows.items() if rows)),
        visit=None if begun else episode.name("Encounter"),
    )


def _read_parts(tables: Tables, code: str, where: str, now: datetime) -> list[Unit]:
    """Each table of a visit whose summary is not here as a unit of its own (ehr/intake/apart.py)."""
    ma_lk = next((row.text("MA_LK") for table in TABLES_APART for row in tables.of(table)), "")
    episode = Episode(code, ma_lk, tables, now)
    units: list[Unit] = []
    for table in TABLES_APART:
        if not tables.of(table):
            continue
        begin = len(episode.items)
        _map_table(table, None, episode)
        units.append(
            Unit(
                name=f"{where}/{table}",
                key=f"episode:{ma_lk}",
                person=PersonFacts(),
                items=episode.items[begin:],
                snapshot=True,
                facility_code=code,
                documents=(table,),
                visit=episode.name("Encounter"),
                apart=True,
            )
        )
    return units


def _map_lines(head: Row, episode: Episode) -> None:
    for table in (*_LINES, "XML4", "XML14"):
        _map_table(table, head, episode)


def _map_table(table: str, head: Row | None, episode: Episode) -> None:
    rows = episode.tables.of(table)
    if table == "XML14":
        map_letters.map_revisits(head, rows, episode)
    elif table == "XML4":
        map_results.map_results(_in_order(rows), episode)
    else:
        for row in _in_order(rows):
            _LINES[table](row, episode)


def _in_order(rows: list[Row]) -> list[Row]:
    """By STT where every row has one: two lines of one code and time keep their places in a resend."""
    numbers = [row.text("STT") for row in rows]
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
        return rows
    return sorted(rows, key=lambda row: int(row.text("STT")))


def _refuse_faults(tables: Tables) -> None:
    told = (reason for rows in tables.rows.values() for row in rows for reason in row.reasons)
    if reasons := list(dict.fromkeys(told)):
        raise BadInputError(reasons[:REASONS_MAX])


def _check_one_episode(tables: Tables, code: str, head: Row | None) -> None:
    """Every row carries the episode's MA_LK, and the summary the facility of the envelope."""
    linked = [row for name, rows in tables.rows.items() if name in TABLES_OF_EPISODE for row in rows]
    first = head or next(iter(linked), None)
    ma_lk = first.text("MA_LK") if first else ""
    reasons = [Reason("other-episode", f"{row.where}.MA_LK") for row in linked if row.text("MA_LK") != ma_lk]
    if first is not None and not 0 < len(ma_lk) <= 100:
        reasons = [Reason("bad-code" if ma_lk else "missing-field", f"{first.where}.MA_LK")]
    if head is not None and head.text("MA_CSKCB") not in ("", code):
        reasons.append(Reason("facility-mismatch", f"{head.where}.MA_CSKCB"))
    if reasons:
        raise BadInputError(reasons[:REASONS_MAX])
