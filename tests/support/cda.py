"""SYNTHETIC CDA R2 documents; every person in them is invented."""

from msgspec import Struct

from tests.support.people import Citizen


class Invented(Struct):
    """A person that no database knows."""

    number: str = "079080001234"
    name: str = "Trần Văn Thử"
    birth_date: str = "1980-03-12"
    sex: str = "male"


LOINC = "2.16.840.1.113883.6.1"
SNOMED = "2.16.840.1.113883.6.96"


def code(value: str, name: str, system: str = LOINC, tag: str = "code", more: str = "") -> str:
    return f'<{tag} code="{value}" codeSystem="{system}" displayName="{name}"{more}/>'


def section(loinc: str, title: str, text: str, *entries: str) -> str:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f"<component><section>{code(loinc, title)}<title>{title}</title><text>{text}</text>{inside}"
        "</section></component>"
    )


PROBLEM = (
    '<act classCode="ACT" moodCode="EVN"><statusCode code="active"/><entryRelationship typeCode="SUBJ">'
    '<observation classCode="OBS" moodCode="EVN"><id root="1.2.3" extension="p1"/>'
    '<effectiveTime><low value="202405"/></effectiveTime>'
    '<value xsi:type="CD" code="I10" codeSystem="2.16.840.1.113883.6.3" displayName="Tăng huyết áp"/>'
    "</observation></entryRelationship></act>"
)
ALLERGY = (
    '<act classCode="ACT" moodCode="EVN"><entryRelationship><observation classCode="OBS" moodCode="EVN">'
    '<participant typeCode="CSM"><participantRole><playingEntity>'
    '<code nullFlavor="OTH"><originalText><reference value="#al1"/></originalText></code>'
    "</playingEntity></participantRole></participant>"
    '<entryRelationship typeCode="MFST"><observation><code code="ASSERTION"/>'
    f"{code('247472004', 'Mày đay', SNOMED, 'value', ' xsi:type=' + chr(34) + 'CD' + chr(34))}"
    '<entryRelationship><observation><code code="SEV"/><value xsi:type="CD" code="6736007"/></observation>'
    "</entryRelationship></observation></entryRelationship></observation></entryRelationship></act>"
)
MEDICINE = (
    '<substanceAdministration classCode="SBADM" moodCode="INT"><text>Uống 1 viên/lần, 2 lần/ngày</text>'
    '<statusCode code="active"/><effectiveTime xsi:type="IVL_TS"><low value="20260302"/>'
    '<high value="20260401"/></effectiveTime><doseQuantity value="1"/>'
    "<consumable><manufacturedProduct><manufacturedMaterial>"
    f"{code('C08CA01', 'Amlodipin 5 mg', '2.16.840.1.113883.6.73')}"
    "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
)
VACCINE = (
    '<substanceAdministration classCode="SBADM" moodCode="EVN"><effectiveTime value="20250911"/>'
    '<repeatNumber value="1"/><consumable><manufacturedProduct><manufacturedMaterial>'
    f"{code('08', 'Viêm gan B', '2.16.840.1.113883.12.292')}<lotNumberText>LOT-7</lotNumberText>"
    "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
)
RESULT = (
    '<organizer classCode="BATTERY" moodCode="EVN"><code code="24326-1" displayName="Điện giải"/>'
    '<component><observation classCode="OBS" moodCode="EVN">'
    f'{code("2823-3", "Kali máu")}<statusCode code="completed"/><effectiveTime value="202603020830+0700"/>'
    '<value xsi:type="PQ" value="4.10" unit="mmol/L"/>'
    '<interpretationCode code="N" codeSystem="2.16.840.1.113883.5.83"/>'
    '<referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="3.5" unit="mmol/L"/>'
    '<high value="5.1" unit="mmol/L"/></value></observationRange></referenceRange>'
    "</observation></component></organizer>"
)
SIGNS = (
    '<organizer classCode="CLUSTER" moodCode="EVN"><effectiveTime value="202603020820"/>'
    f'<component><observation>{code("8480-6", "Tâm thu")}<value xsi:type="PQ" value="128" unit="mm[Hg]"/>'
    f"</observation></component><component><observation>{code('8462-4', 'Tâm trương')}"
    '<value xsi:type="PQ" value="84" unit="mm[Hg]"/></observation></component>'
    f'<component><observation>{code("8867-4", "Mạch")}<value xsi:type="PQ" value="76" unit="/min"/>'
    "</observation></component></organizer>"
)
PROCEDURE = (
    '<procedure classCode="PROC" moodCode="EVN">'
    f'{code("80146002", "Cắt ruột thừa", SNOMED)}<statusCode code="completed"/>'
    '<effectiveTime value="2019"/></procedure>'
)
VISIT = (
    '<encounter classCode="ENC" moodCode="EVN"><id root="1.2.3" extension="e9"/>'
    '<code code="99213" displayName="Khám định kỳ"/><effectiveTime value="20250101"/></encounter>'
)
SECTIONS = (
    section("11450-4", "Vấn đề sức khỏe", "Tăng huyết áp", PROBLEM),
    section(
        "48765-2",
        "Dị ứng",
        '<list><item><content ID="al1">Penicillin</content></item><item>khác</item></list>',
        ALLERGY,
    ),
    section("10160-0", "Thuốc", "Amlodipin", MEDICINE),
    section("11369-6", "Tiêm chủng", "Viêm gan B", VACCINE),
    section("30954-2", "Kết quả", "Kali 4.10", RESULT),
    section("8716-3", "Sinh hiệu", "HA 128/84", SIGNS),
    section("47519-4", "Thủ thuật", "Cắt ruột thừa", PROCEDURE),
    section("46240-8", "Lượt khám", "Khám định kỳ", VISIT),
    section("10164-2", "Bệnh sử", "<paragraph>Bệnh nhân đau đầu hai ngày.</paragraph>"),
)


def document(
    citizen: Citizen | Invented,
    *sections: str,
    set_id: str = "set-1",
    version: str = "1",
    custodian: str = "",
    body: str | None = None,
) -> str:
    """One ClinicalDocument about a citizen, with the sections given or all of SECTIONS."""
    inside = body or f"<structuredBody>{''.join(sections or SECTIONS)}</structuredBody>"
    sex = "M" if citizen.sex == "male" else "F"
    place = (
        f'<id root="2.999.2" extension="{custodian}" assigningAuthorityName="MACSKCB"/>' if custodian else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!-- SYNTHETIC -->'
        '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<id root="2.999.1" extension="{set_id}-{version}"/>{code("34133-9", "Tóm tắt đợt khám")}'
        '<title>Tóm tắt đợt khám</title><effectiveTime value="20260302093000+0700"/>'
        f'<setId root="2.999.3" extension="{set_id}"/><versionNumber value="{version}"/>'
        "<recordTarget><patientRole>"
        f'<id root="2.999.4" extension="{citizen.number}" assigningAuthorityName="SO_CCCD"/>'
        f"<patient><name>{citizen.name}</name>"
        f'<administrativeGenderCode code="{sex}"/><birthTime value="{citizen.birth_date.replace("-", "")}"/>'
        "</patient></patientRole></recordTarget>"
        "<custodian><assignedCustodian><representedCustodianOrganization>"
        f"{place}<name>Trạm y tế</name></representedCustodianOrganization></assignedCustodian></custodian>"
        '<componentOf><encompassingEncounter><id root="2.999.5" extension="V-1"/>'
        '<code code="AMB" codeSystem="2.16.840.1.113883.5.4"/>'
        '<effectiveTime><low value="202603020800"/><high value="202603020930"/></effectiveTime>'
        "</encompassingEncounter></componentOf>"
        f"<component>{inside}</component></ClinicalDocument>"
    )
