"""XML2 and XML3: medicines as prescribed, services and procedures."""

from typing import Any, Final

from ehr.dosage.instruction import dosage_instruction
from ehr.intake import systems
from ehr.intake.episode import Episode, concept, extensions, identified, quantity
from ehr.intake.map_visit import disease
from ehr.intake.xml_fields import Row

# MA_NHOM of services that are no procedure: laboratory, examination, bed, transport (unconfirmed).
_NO_PROCEDURE: Final = frozenset({"1", "12", "13", "14", "15", "16"})
_ANAESTHESIA: Final = {"1": "Gây mê", "2": "Gây tê", "3": "Châm tê", "4": "Phương pháp khác"}


def map_medicine(row: Row, episode: Episode) -> None:
    """One line of XML2. The dose text is kept as written, what was read of it beside it."""
    name, strength = row.required("TEN_THUOC"), row.text("HAM_LUONG")
    title = name if not strength or strength.lower() in name.lower() else f"{name} {strength}"
    ordered = row.moment("NGAY_YL", required=True)
    amount, unit = row.decimal("SO_LUONG"), row.text("DON_VI_TINH")
    codes = (
        (systems.DRUG, row.text("MA_THUOC")),
        (systems.DRUG_REGISTRATION, row.text("SO_DANG_KY")),
        (systems.DRUG_PREPARATION, row.text("MA_PP_CHEBIEN")),
    )
    route = concept("", (systems.ROUTE, row.text("DUONG_DUNG")))
    during = identified(systems.SERVICE, row.text("MA_DICH_VU"))
    episode.add(
        episode.numbered("MedicationRequest", "XML2", row.text("MA_THUOC") or name, row.text("NGAY_YL")),
        {
            "extension": extensions(
                (systems.DOSE_FORM, "valueString", row.text("DANG_BAO_CHE")),
                (systems.CARRIED_OUT, "valueDateTime", row.moment("NGAY_TH_YL")),
            ),
            "status": "completed" if episode.inpatient else "active",
            "intent": "order",
            "medicationCodeableConcept": concept(title, *codes),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "supportingInformation": [during] if during else [],
            "authoredOn": ordered,
            "requester": practitioner(row.text("MA_BAC_SI")),
            "reasonCode": [disease(code, episode.end) for code in row.parts("MA_BENH")],
            "dosageInstruction": dosage_instruction(
                row.text("LIEU_DUNG"), row.text("CACH_DUNG"), ordered, route
            ),
            "dispenseRequest": {"quantity": quantity(amount, unit)} if amount else {},
        },
        row,
    )


def map_service(row: Row, episode: Episode) -> None:
    """One line of XML3; supplies (no MA_DICH_VU) are not part of a health record."""
    code = row.text("MA_DICH_VU")
    if not code:
        return
    service = concept(
        row.required("TEN_DICH_VU"),
        (systems.SERVICE, code),
        *((systems.ICD9_PROCEDURE, part) for part in row.parts("MA_PTTT_QT")),
    )
    reasons = [disease(part, episode.end) for part in row.parts("MA_BENH")]
    reasons += [concept("", (systems.TRADITIONAL_DISEASE, part)) for part in row.parts("MA_BENH_YHCT")]
    common = {
        "code": service,
        "subject": episode.patient,
        "encounter": episode.encounter,
        "reasonCode": reasons,
    }
    if row.text("MA_NHOM") in _NO_PROCEDURE:
        _add_order(row, episode, code, common)
    else:
        _add_procedure(row, episode, code, common)


def _add_order(row: Row, episode: Episode, code: str, common: dict[str, Any]) -> None:
    done = row.moment("NGAY_TH_YL") or row.moment("NGAY_KQ")
    site = concept("", (systems.BODY_SITE, row.text("VI_TRI_TH_DVKT")))
    place = identified(systems.DEPARTMENT, row.text("MA_KHOA"))
    order = {
        "status": "completed",
        "intent": "order",
        **common,
        "occurrenceDateTime": done,
        "authoredOn": row.moment("NGAY_YL"),
        "requester": practitioner(row.text("MA_BAC_SI")),
        "performer": practitioners(row.text("NGUOI_THUC_HIEN")),
        "locationReference": [place] if place else [],
        "bodySite": [site] if site else [],
    }
    episode.add(episode.numbered("ServiceRequest", "XML3", code, row.text("NGAY_YL")), order, row)


def _add_procedure(row: Row, episode: Episode, code: str, common: dict[str, Any]) -> None:
    ordered, result = row.moment("NGAY_YL"), row.moment("NGAY_KQ")
    kind = row.text("PP_VO_CAM")
    site = concept("", (systems.BODY_SITE, row.text("VI_TRI_TH_DVKT")))
    act = {
        "extension": extensions(
            (systems.ORDERED, "valueDateTime", ordered),
            (systems.RESULT_AT, "valueDateTime", result),
            (
                systems.ANAESTHESIA,
                "valueCodeableConcept",
                concept(_ANAESTHESIA.get(kind, ""), (systems.ANAESTHESIA, kind)),
            ),
        ),
        "status": "completed",
        **common,
        "performedDateTime": row.moment("NGAY_TH_YL") or result or ordered or episode.start,
        "recorder": practitioner(row.text("MA_BAC_SI")),
        "performer": [{"actor": actor} for actor in practitioners(row.first("NGUOI_THUC_HIEN", "MA_BAC_SI"))],
        "location": identified(systems.DEPARTMENT, row.text("MA_KHOA")),
        "bodySite": [site] if site else [],
        "usedReference": [identified(systems.MACHINE, part) for part in row.parts("MA_MAY")],
    }
    episode.add(episode.numbered("Procedure", "XML3", code, row.text("NGAY_YL")), act, row)


def practitioners(codes: str) -> list[dict[str, Any]]:
    """Practitioners as the file names them (`a;b`): licence numbers, for display only."""
    return [identified(systems.PROVIDER_CODE, part) for one in codes.split(";") if (part := one.strip())]


def practitioner(codes: str) -> dict[str, Any]:
    """The first of several, where only one can stand."""
    return next(iter(practitioners(codes)), {})
