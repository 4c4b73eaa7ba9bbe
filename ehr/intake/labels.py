"""Sensitivity labels at ingest, by value sets that cover inference (consent.md §4): the second wall."""

import re
from typing import Any

from ehr.intake.folding import fold_for_gate
from ehr.intake.names import Names
from ehr.intake.rules import LABEL_RULES as RULES
from ehr.intake.systems import DEPARTMENT
from kernel.access import Label

# Every name with the label it asks for; the gate looks for them together with its own.
NAMES: list[tuple[str, Label]] = [(n, Label[label]) for label, names in RULES["names"].items() for n in names]
_ICD = {Label[label]: tuple(c.replace(".", "") for c in codes) for label, codes in RULES["icd"].items()}
_SECURITY = {code: Label[label] for code, label in RULES["security_codes"].items()}
_DEPARTMENT_CODES = {code: Label[label] for code, label in RULES["departments"]["codes"].items()}
_DEPARTMENT_NAMES = Names((name, Label[label]) for name, label in RULES["departments"]["names"].items())
_OTHER_SYSTEMS = ("loinc", "snomed", "rxnorm", "cvx", "terminology.hl7.org", "unitsofmeasure")


def labels_of_code(system: str, code: str) -> Label:
    """Labels that one code asks for; a code without a known other system is read as ICD-10."""
    if not code[:1].isalpha() or any(other in system for other in _OTHER_SYSTEMS):
        return Label.NONE
    plain = re.sub(r"[^A-Z0-9]", "", code.upper())
    if len(plain) < 3 or not plain[1:3].isdigit():
        return Label.NONE
    found = Label.NONE
    # F10–F19 are substances; the rest of F is mental health.
    substance = plain.startswith(_ICD[Label.ETH])
    for label, prefixes in _ICD.items():
        if plain.startswith(prefixes) and not (label is Label.PSY and substance):
            found |= label
    return found


def labels_of_security(doc: dict[str, Any]) -> Label:
    """Labels that the sender set itself (meta.security)."""
    meta = doc.get("meta")
    listed = meta.get("security") if isinstance(meta, dict) else None
    found = Label.NONE
    for coding in listed if isinstance(listed, list) else []:
        code = coding.get("code") if isinstance(coding, dict) else None
        found |= _SECURITY.get(code, Label.NONE) if isinstance(code, str) else Label.NONE
    return found


def department_label(encounter: dict[str, Any]) -> Label:
    """The label of a sensitive department, read from Encounter.serviceType; NONE for any other."""
    service = encounter.get("serviceType")
    if not isinstance(service, dict):
        return Label.NONE
    found = Label.NONE
    texts = [service.get("text")]
    for coding in service.get("coding", []):
        if isinstance(coding, dict):
            texts.append(coding.get("display"))
            if coding.get("system") == DEPARTMENT:
                found |= _DEPARTMENT_CODES.get(str(coding.get("code")), Label.NONE)
    text = fold_for_gate("\n".join(t for t in texts if isinstance(t, str)))
    for label in _DEPARTMENT_NAMES.found(text):
        found |= label
    return found
