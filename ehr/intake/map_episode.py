"""All tables of one HOSO to one unit, or all its faults."""

from datetime import datetime

from ehr.intake import map_letters, map_orders, map_results, map_visit
from ehr.intake.episode import Episode, Tables
from ehr.intake.models import BadInputError, Reason, Unit, reject
from ehr.intake.xml_fields import Row


def read_episode(tables: Tables, facility: str, where: str, now: datetime) -> Unit:
    """The unit of one HOSO. Raises BadInputError with every wrong field."""
    summaries = tables.of("XML1")
    if len(summaries) != 1:
        raise reject("several-summaries" if summaries else "missing-table", f"{where}/XML1")
    summary = summaries[0]
    ma_lk = summary.required("MA_LK")
    if not ma_lk or len(ma_lk) > 100:
        raise reject("bad-code" if ma_lk else "missing-field", f"{summary.where}.MA_LK")
    code = facility or summary.text("MA_CSKCB")
    episode = Episode(code, ma_lk, tables, now)
    _check_one_episode(episode)
    map_visit.read_stay(summary, episode)
    person = map_visit.read_person(summary, episode)
    episode.refuse_faults()
    map_visit.map_visit(summary, person, episode)
    _map_lines(summary, episode)
    episode.refuse_faults()
    return Unit(
        name=where,
        key=f"episode:{ma_lk}",
        person=person,
        items=episode.items,
        snapshot=True,
        facility_code=code,
        withheld=tables.withheld + int(summary.text("MA_DOITUONG_KCB") == "1.9"),
        documents=tuple(sorted(table for table, rows in tables.rows.items() if rows)),
    )


def _map_lines(summary: Row, episode: Episode) -> None:
    tables = episode.tables
    for row in tables.of("XML2"):
        map_orders.map_medicine(row, episode)
    for row in tables.of("XML3"):
        map_orders.map_service(row, episode)
    for row in tables.of("XML4"):
        map_results.map_result(row, episode)
    for row in tables.of("XML5"):
        map_results.map_course(row, episode)
    for row in tables.of("XML7"):
        map_letters.map_discharge(row, episode)
    for row in tables.of("XML8"):
        map_letters.map_summary(row, episode)
    for row in tables.of("XML13"):
        map_letters.map_referral(row, episode)
    map_letters.map_revisits(summary, tables.of("XML14"), episode)


def _check_one_episode(episode: Episode) -> None:
    """Every row carries the episode's MA_LK, and the summary the facility of the envelope."""
    reasons = [
        Reason("other-episode", f"{row.where}.MA_LK")
        for rows in episode.tables.rows.values()
        for row in rows
        if row.text("MA_LK") != episode.ma_lk
    ]
    summary = episode.tables.of("XML1")[0]
    if summary.text("MA_CSKCB") not in ("", episode.facility_code):
        reasons.append(Reason("facility-mismatch", f"{summary.where}.MA_CSKCB"))
    if reasons:
        raise BadInputError(reasons[:50])
