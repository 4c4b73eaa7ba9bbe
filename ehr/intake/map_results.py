"""XML4 and XML5: results of tests and imaging, the course of the stay and its vital signs."""

import re
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept, quantity
from ehr.intake.map_orders import practitioner
from ehr.intake.xml_fields import Row

_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(?:[.,][0-9]{1,6})?\Z")
# First two digits of the national service code: 18 imaging (chapter of the service list; unconfirmed).
_IMAGING: Final = "18"
_REPORT_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
# CSST<M75_T37_HA120/70_NT18_SP97_HL2>; HL has no published meaning and stays in the text alone.
_CSST: Final = re.compile(r"CSST\s*<([^<>]{1,200})>", re.IGNORECASE)
_SIGNS: Final = {
    "M": ("8867-4", "Mạch", "lần/phút", "/min"),
    "T": ("8310-5", "Nhiệt độ", "°C", "Cel"),
    "NT": ("9279-1", "Nhịp thở", "lần/phút", "/min"),
    "SP": ("59408-5", "SpO2", "%", "%"),
}
_SIGN: Final = re.compile(r"(M|T|NT|SP)\s*([0-9]{1,3}(?:[.,][0-9]{1,2})?)\s*(?:o?C)?\Z", re.IGNORECASE)
_PRESSURE: Final = re.compile(r"HA\s*([0-9]{2,3})\s*/\s*([0-9]{2,3})\Z", re.IGNORECASE)


def map_result(row: Row, episode: Episode) -> None:
    """One line of XML4: an Observation, or a DiagnosticReport where only a description is given."""
    reported = row.moment("NGAY_KQ")
    name = row.first("TEN_CHI_SO", "MA_CHI_SO")
    if not row.text("GIA_TRI") and not name:
        _map_report(row, episode, reported)
        return
    value = _value(row.text("GIA_TRI"), row.text("DON_VI_DO"))
    codes = ((systems.INDICATOR, row.text("MA_CHI_SO")), (systems.SERVICE, row.text("MA_DICH_VU")))
    identity = (row.text("MA_DICH_VU"), row.first("MA_CHI_SO", "TEN_CHI_SO"), row.text("NGAY_KQ"))
    notes = [text for text in (row.text("MO_TA"),) if text]
    reader = practitioner(row.text("MA_BS_DOC_KQ"))
    episode.add(
        episode.numbered("Observation", "XML4", *identity),
        {
            "status": "final" if value else "registered",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "laboratory"))],
            "code": concept(name, *codes),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": reported or episode.start,
            "performer": [reader] if reader else [],
            **value,
            "interpretation": [concept(row.text("KET_LUAN"))] if row.text("KET_LUAN") else [],
            "note": [{"text": text} for text in notes],
        },
        row,
    )


def _value(text: str, unit: str) -> dict[str, Any]:
    if not text:
        return {}
    if _NUMBER.match(text):
        return {"valueQuantity": quantity(text.replace(",", "."), unit)}
    return {"valueString": f"{text} {unit}".strip()}


def _map_report(row: Row, episode: Episode, reported: str) -> None:
    code = row.text("MA_DICH_VU")
    if not code or not (row.text("MO_TA") or row.text("KET_LUAN")):
        return
    kind = "RAD" if code.startswith(_IMAGING) else "OTH"
    texts = [text for text in (row.text("KET_LUAN"), row.text("MO_TA")) if text]
    named = {r.text("MA_DICH_VU"): r.text("TEN_DICH_VU") for r in episode.tables.of("XML3")}
    episode.add(
        episode.numbered("DiagnosticReport", "XML4", code, row.text("NGAY_KQ")),
        {
            "status": "final",
            "category": [concept("", (_REPORT_CATEGORY, kind))],
            "code": concept(named.get(code, ""), (systems.SERVICE, code)),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": reported or episode.start,
            "conclusion": "\n".join(texts),
        },
        row,
    )


def map_course(row: Row, episode: Episode) -> None:
    """One line of XML5: the note as written, and the vital signs inside it."""
    moment = row.moment("THOI_DIEM_DBLS") or episode.start
    text = row.first("DIEN_BIEN_LS", "DIEN_BIEN")
    notes = [t for t in (text, row.text("HOI_CHAN"), row.text("PHAU_THUAT")) if t]
    if not notes:
        return
    episode.add(
        episode.numbered("ClinicalImpression", "XML5", row.text("THOI_DIEM_DBLS")),
        {
            "status": "completed",
            "subject": episode.patient,
            "encounter": episode.encounter,
            "date": moment,
            "summary": "\n".join(notes),
        },
        row,
    )
    for block in _CSST.findall(text):
        _map_signs(block, moment, row, episode)


def _map_signs(block: str, moment: str, row: Row, episode: Episode) -> None:
    for part in block.split("_"):
        if pressure := _PRESSURE.match(part.strip()):
            _add_sign("85354-9", "Huyết áp", _components(pressure), moment, row, episode)
        elif sign := _SIGN.match(part.strip()):
            code, name, unit, ucum = _SIGNS[sign.group(1).upper()]
            value = quantity(sign.group(2).replace(",", "."), unit, (systems.UCUM, ucum))
            _add_sign(code, name, {"valueQuantity": value}, moment, row, episode)


def _components(pressure: re.Match[str]) -> dict[str, Any]:
    names = (("8480-6", "Huyết áp tâm thu"), ("8462-4", "Huyết áp tâm trương"))
    return {
        "component": [
            {
                "code": concept(name, (systems.LOINC, code)),
                "valueQuantity": quantity(value, "mmHg", (systems.UCUM, "mm[Hg]")),
            }
            for (code, name), value in zip(names, pressure.groups(), strict=True)
        ]
    }


def _add_sign(code: str, name: str, value: dict[str, Any], moment: str, row: Row, episode: Episode) -> None:
    episode.add(
        episode.numbered("Observation", "XML5", code, row.text("THOI_DIEM_DBLS")),
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "vital-signs"))],
            "code": concept(name, (systems.LOINC, code)),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": moment,
            **value,
        },
        row,
        whole_row=False,
    )
