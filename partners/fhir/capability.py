"""The CapabilityStatement: what is served, said from the tables that serve it."""

from typing import Any, Final

from partners.fhir.kinds import IPA, KINDS, PATIENT, Dates, Kind
from partners.fhir.outcomes import FHIR_JSON

_OAUTH: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
# The day the statement last changed.
_DATE: Final = "2026-11-23"


def capability_statement(origin: str, base: str) -> dict[str, Any]:
    """origin: where the authorization server is; base: this endpoint's address."""
    addresses = {
        "authorize": f"{origin}/oauth/authorize",
        "token": f"{origin}/oauth/token",
        "revoke": f"{origin}/oauth/revoke",
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "Sổ sức khỏe điện tử"},
        "implementation": {"description": "Hồ sơ sức khỏe của một người, chỉ đọc", "url": base},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON, "json"],
        "implementationGuide": ["http://hl7.org/fhir/uv/ipa/ImplementationGuide/hl7.fhir.uv.ipa"],
        "instantiates": ["http://hl7.org/fhir/uv/ipa/CapabilityStatement/ipa-server"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": True,
                    "service": [{"coding": [{"system": _SERVICE, "code": "SMART-on-FHIR"}]}],
                    "extension": [
                        {
                            "url": _OAUTH,
                            "extension": [{"url": name, "valueUri": uri} for name, uri in addresses.items()],
                        }
                    ],
                },
                "resource": [_person(), *(_resource(name, kind) for name, kind in KINDS.items())],
            }
        ],
    }


def _person() -> dict[str, Any]:
    parameters = [{"name": "_id", "type": "token"}, {"name": "identifier", "type": "token"}]
    return _entry(PATIENT, IPA + "patient", parameters)


def _resource(name: str, kind: Kind) -> dict[str, Any]:
    parameters = [{"name": "_id", "type": "token"}, {"name": "patient", "type": "reference"}]
    parameters += [
        {"name": one, "type": "date" if isinstance(how, Dates) else "token"}
        for one, how in kind.parameters.items()
    ]
    return _entry(name, kind.profile, parameters) | (
        {"searchInclude": list(kind.includes)} if kind.includes else {}
    )


def _entry(name: str, profile: str | None, parameters: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "type": name,
        **({"supportedProfile": [profile]} if profile else {}),
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "readHistory": False,
        "searchParam": parameters,
    }
