"""Rows of a person's log as FHIR R4 AuditEvents, made when they are asked for (IHE BALP, consent.md §10).

A read under a consent is two events: the decision (AuthZconsent: agents client, user, organisation,
authoriser; entities patient and consent) and the answer (PatientRead: agents client, server, user; entities
patient, data, X-Request-Id). A refusal is a decision that failed, with its reason. An event names the profile
that it keeps; where a row lacks what a profile asks for (a consent, a reader's facility), it has the same
shape and names none. We keep no network address: the element says so with a data-absent-reason.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import uuid5

from audit.models import Entry
from audit.protection.models import Shown

Json: TypeAlias = dict[str, Any]

_BALP: Final = "https://profiles.ihe.net/ITI/BALP"
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem"
_OURS: Final = "urn:healthbook"
_SERVICE: Final[Json] = {"display": "Sổ sức khỏe điện tử"}
_NO_ADDRESS: Final[Json] = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}
_SUCCESS, _FAILURE = "0", "8"


def bundle_of(rows: Sequence[Shown], *, this: str, following: str | None) -> Json:
    """A page as a searchset, newest first. this, following: addresses of this page and the next one."""
    links = [{"relation": "self", "url": this}]
    if following is not None:
        links.append({"relation": "next", "url": following})
    events = [event for row in rows for event in events_of(row)]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links,
        "entry": [
            {"fullUrl": f"urn:uuid:{event['id']}", "resource": event, "search": {"mode": "match"}}
            for event in events
        ],
    }


def events_of(row: Shown) -> list[Json]:
    """One or two events of a row."""
    entry = row.entry
    if entry.outcome == "refused":
        return [_decision(row)]
    if not entry.action.endswith(":read") or entry.basis is None:
        return [_act(row)]
    return [_read(row)] if entry.basis == "self" else [_read(row), _decision(row)]


def _decision(row: Shown) -> Json:
    entry = row.entry
    consent = entry.grant if entry.basis in (None, "grant") else None
    entities = [_patient_entity(entry)]
    if consent is not None:
        entities.append(
            {
                "type": _coding("http://hl7.org/fhir/resource-types", "Consent"),
                "what": {"reference": f"Consent/{consent.id}"},
            }
        )
    keeps = consent is not None and entry.facility_id is not None
    made = _event(row, "decision", "E", "IHE.BasicAudit.AuthZconsent" if keeps else None)
    subtype = "AuthZ-Consent" if consent is not None else "AuthZ-Role"
    return made | {
        "type": _coding(_DCM, "110113", "Security Alert"),
        "subtype": [_coding(f"{_BALP}/CodeSystem/AuthZsubType", subtype)],
        "agent": [
            _client(entry, "110150", "Application"),
            _user(row),
            *_organisation(row),
            _agent(_coding(f"{_TERMS}/extra-security-role-type", "authserver"), _SERVICE),
        ],
        "entity": entities,
    }


def _read(row: Shown) -> Json:
    made = _event(row, "read", "R", "IHE.BasicAudit.PatientRead")
    return made | {
        "type": _coding(f"{_TERMS}/audit-event-type", "rest", "Restful Operation"),
        "subtype": [_coding("http://hl7.org/fhir/restful-interaction", "read", "read"), _tag(row.entry)],
        "agent": _reading_agents(row),
        "entity": [_patient_entity(row.entry), _data_entity(row.entry), _request_entity(row.entry)],
    }


def _act(row: Shown) -> Json:
    made = _event(row, "act", "E", None)
    return made | {
        "type": _coding(f"{_TERMS}/audit-event-type", "rest", "Restful Operation"),
        "subtype": [_tag(row.entry)],
        "agent": _reading_agents(row),
        "entity": [_patient_entity(row.entry), _data_entity(row.entry), _request_entity(row.entry)],
    }


def _event(row: Shown, part: str, action: str, profile: str | None) -> Json:
    entry = row.entry
    made: Json = {
        "resourceType": "AuditEvent",
        "id": str(uuid5(entry.patient_id, f"{row.row.seq}:{part}")),
        "action": action,
        "recorded": entry.at,
        "outcome": _FAILURE if entry.outcome == "refused" else _SUCCESS,
        "source": {
            "observer": _SERVICE,
            "type": [_coding(f"{_TERMS}/security-source-type", "4", "Application Server")],
        },
    }
    if profile is not None:
        made["meta"] = {"profile": [f"{_BALP}/StructureDefinition/{profile}"]}
    if entry.outcome == "refused" and entry.reason:
        made["outcomeDesc"] = entry.reason
    if entry.purpose:
        made["purposeOfEvent"] = [_purpose(entry.purpose)]
    return made


def _reading_agents(row: Shown) -> list[Json]:
    server = _agent(_coding(_DCM, "110153", "Source Role ID"), _SERVICE) | {"network": _NO_ADDRESS}
    return [_client(row.entry, "110152", "Destination Role ID"), server, _user(row)]


def _client(entry: Entry, code: str, display: str) -> Json:
    device = entry.actor.device_id
    who: Json = {"reference": f"Device/{device}"} if device else {"display": "không ghi lại thiết bị"}
    return _agent(_coding(_DCM, code, display), who) | {"network": _NO_ADDRESS}


def _user(row: Shown) -> Json:
    """The person who acted; a protected practitioner by the alias alone."""
    entry = row.entry
    agent = _agent(_coding(f"{_TERMS}/v3-ParticipationType", "IRCP", "information recipient"), _who(row))
    agent["requestor"] = True
    if entry.actor.role:
        agent["role"] = [{"text": entry.actor.role}]
    if row.alias is None and row.row.actor_licence:
        agent["altId"] = row.row.actor_licence
    if row.alias is None and row.row.actor_name:
        agent["name"] = row.row.actor_name
    if entry.purpose:
        agent["purposeOfUse"] = [_purpose(entry.purpose)]
    return agent


def _who(row: Shown) -> Json:
    if row.alias is not None:
        return {"identifier": {"system": f"{_OURS}:alias", "value": row.alias}}
    actor = row.entry.actor
    if actor.kind == "practitioner":
        return {"reference": f"Practitioner/{actor.id}"}
    if actor.kind == "citizen":
        own = actor.id == row.entry.patient_id
        return {"reference": f"{'Patient' if own else 'RelatedPerson'}/{actor.id}"}
    return {"identifier": {"system": f"{_OURS}:{actor.kind}", "value": str(actor.id)}}


def _organisation(row: Shown) -> list[Json]:
    if row.entry.facility_id is None:
        return []
    who: Json = {"reference": f"Organization/{row.entry.facility_id}"}
    if row.row.facility_name:
        who["display"] = row.row.facility_name
    return [_agent(_coding(f"{_TERMS}/v3-RoleClass", "PROV", "healthcare provider"), who)]


def _patient_entity(entry: Entry) -> Json:
    return {
        "what": {"reference": f"Patient/{entry.patient_id}"},
        "type": _coding(f"{_TERMS}/audit-entity-type", "1", "Person"),
        "role": _coding(f"{_TERMS}/object-role", "1", "Patient"),
    }


def _data_entity(entry: Entry) -> Json:
    """What the answer held: its salted digest, and the ids by type."""
    what: Json = {"identifier": {"system": f"{_OURS}:body-sha256", "value": entry.body_sha256 or "-"}}
    if entry.body_sha256 is None:
        what = {"display": entry.action}
    entity: Json = {
        "what": what,
        "type": _coding(f"{_TERMS}/audit-entity-type", "2", "System Object"),
        "role": _coding(f"{_TERMS}/object-role", "4", "Domain Resource"),
    }
    if entry.resources:
        entity["detail"] = [
            {"type": name, "valueString": " ".join(ids)} for name, ids in sorted(entry.resources.items())
        ]
    return entity


def _request_entity(entry: Entry) -> Json:
    return {
        "what": {"identifier": {"value": entry.request_id}},
        "type": _coding(f"{_BALP}/CodeSystem/BasicAuditEntityType", "XrequestId"),
    }


def _agent(type_: Json, who: Json) -> Json:
    return {"type": {"coding": [type_]}, "who": who, "requestor": False}


def _tag(entry: Entry) -> Json:
    return _coding(f"{_OURS}:audit-action", entry.action)


def _purpose(code: str) -> Json:
    return {"coding": [_coding(f"{_TERMS}/v3-ActReason", code)]}


def _coding(system: str, code: str, display: str | None = None) -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}
