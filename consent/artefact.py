"""The signed artefact of a grant and its FHIR R4 Consent.

The artefact is a compact JWS (RFC 7515, ES256, typ `ssk-consent+jws`) over JCS bytes, made by the
key of purpose `consent-artefact` alone; a third party checks it with the published key.
"""

import hashlib
import json
from typing import Any, Final

import rfc8785
from joserfc import jws
from joserfc.jwk import ECKey

from consent import role_caps
from consent.models import Grant
from kernel.access import ALL_LABELS, Label
from store.keys import KeyRing

TYP: Final = "ssk-consent+jws"
VERSION: Final = "1"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OUR_TYPES: Final = "urn:vn:so-suc-khoe:record-type"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def sign_artefact(
    keys: KeyRing, grant: Grant, *, role: str, choice: bytes | None, signature: str | None
) -> str:
    """choice: the bytes that the citizen's device signed, None when a code was read to the doctor."""
    key_id, private = keys.signer("consent-artefact")
    payload = rfc8785.dumps(_payload(grant, role, choice, signature))
    key = ECKey.import_key(private)  # type: ignore[arg-type]
    return jws.serialize_compact({"alg": "ES256", "kid": key_id, "typ": TYP}, payload, key)


def role_in(artefact: str) -> str:
    """The role that an artefact of ours was made for."""
    payload = json.loads(jws.extract_compact(artefact.encode()).payload)
    return str(payload["requester"]["role"])


def label_names(labels: Label | int) -> list[str]:
    """The single labels of a mask, by name."""
    return [label.name for label in Label if label & labels and label.name]


def _payload(grant: Grant, role: str, choice: bytes | None, signature: str | None) -> dict[str, Any]:
    return {
        "v": VERSION,
        "id": str(grant.grant_id),
        "version": grant.version,
        "supersedes": str(grant.supersedes) if grant.supersedes else None,
        "created": int(grant.created_at.timestamp()),
        "purpose": grant.purpose,
        "patient": str(grant.patient_id),
        "requester": {
            "practitioner": str(grant.practitioner_id),
            "name": grant.practitioner_name,
            "licence": grant.licence,
            "role": role,
            "facility": str(grant.facility_id),
            "facility_name": grant.facility_name,
        },
        "request": str(grant.request_id),
        "tier": grant.tier,
        "presence": grant.presence,
        "types": sorted(grant.types),
        "labels_left_out": label_names(ALL_LABELS & ~Label(grant.labels)),
        "record_since": grant.since.isoformat() if grant.since else None,
        "record_until": grant.until.isoformat() if grant.until else None,
        "not_before": int(grant.starts_at.timestamp()),
        "expires": int(grant.ends_at.timestamp()),
        "narrowed": int(grant.narrowed_at.timestamp()) if grant.narrowed_at else None,
        "access_mode": "VIEW",
        "role_caps": role_caps.VERSION,
        "choice_sha256": hashlib.sha256(choice).hexdigest() if choice is not None else None,
        "device_signature": signature,
    }


def fhir_consent(grant: Grant) -> dict[str, Any]:
    """FHIR R4 Consent: patient-privacy, opt-in, one permit with a nested deny by security label."""
    left_out = label_names(ALL_LABELS & ~Label(grant.labels) & ~Label.RESTRICTED)
    return {
        "resourceType": "Consent",
        "id": str(grant.grant_id),
        "meta": {"versionId": str(grant.version)},
        "status": "active",
        "scope": _concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [_concept("http://loinc.org", "59284-0")],
        "patient": {"reference": f"Patient/{grant.patient_id}"},
        "dateTime": grant.created_at.isoformat(),
        "policyRule": _concept(ACT_CODE, "OPTIN"),
        "verification": [{"verified": True, "verificationDate": grant.created_at.isoformat()}],
        "provision": _provision(grant, left_out),
    }


def _provision(grant: Grant, left_out: list[str]) -> dict[str, Any]:
    provision: dict[str, Any] = {
        "type": "permit",
        "period": {"start": grant.starts_at.isoformat(), "end": grant.ends_at.isoformat()},
        "actor": [
            {
                "role": _concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
                "reference": {
                    "reference": f"Practitioner/{grant.practitioner_id}",
                    "display": grant.practitioner_name,
                },
            }
        ],
        "purpose": [{"system": ACT_REASON, "code": grant.purpose}],
        "class": _classes(grant),
    }
    data_period = {
        "start": grant.since.isoformat() if grant.since else None,
        "end": grant.until.isoformat() if grant.until else None,
    }
    if any(data_period.values()):
        provision["dataPeriod"] = {key: value for key, value in data_period.items() if value}
    if left_out:
        labels = [{"system": ACT_CODE, "code": name} for name in left_out]
        provision["provision"] = [{"type": "deny", "securityLabel": labels}]
    return provision


def _classes(grant: Grant) -> list[dict[str, str]]:
    """Resource types, and beside them what is opt-in within one: Observation alone would not tell."""
    names = sorted({one.partition(".")[0] for one in grant.types} - {"Other"})
    opted = [one for one in grant.types if one == "Observation.wearable"]
    types = [{"system": "http://hl7.org/fhir/resource-types", "code": name} for name in names]
    return types + [{"system": OUR_TYPES, "code": name} for name in opted]


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
