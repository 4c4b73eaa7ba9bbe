"""OperationOutcome: every error of the FHIR endpoint, in both languages, with our code beside FHIR's."""

from typing import Any, Final

import msgspec

from kernel.problems import Refused

FHIR_JSON: Final = "application/fhir+json"
PROBLEM_SYSTEM: Final = "urn:vn:so-suc-khoe:problem"
# http://hl7.org/fhir/issue-type
_TYPES: Final = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}


def outcome_body(refused: Refused) -> bytes:
    """The refusal as FHIR has it; nothing in it differs between two requests that fail in the same way."""
    problem = refused.problem
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _TYPES.get(problem.status, "exception" if problem.status >= 500 else "processing"),
        "details": {
            "coding": [{"system": PROBLEM_SYSTEM, "code": problem.code, "display": problem.en}],
            "text": f"{problem.vi} {problem.next_vi}",
        },
        "diagnostics": f"{problem.en} {problem.next_en}",
    }
    if refused.where:
        issue["diagnostics"] += f" [{refused.where}]"
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]})
