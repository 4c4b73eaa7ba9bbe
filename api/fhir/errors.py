"""Errors of the FHIR endpoint: the same problems and headers as everywhere, as OperationOutcomes."""

from collections.abc import Mapping
from typing import Final

from api.request import Answer, problem_answer
from kernel.problems import Refused
from partners.fhir.outcomes import FHIR_JSON, outcome_body
from partners.fhir.problems import FHIR_SCOPE

PREFIX: Final = "/fhir/"


def fhir_problem(refused: Refused, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal as FHIR has it. A scope that is too narrow says so as RFC 6750 section 3.1 does."""
    extra = dict(headers or {})
    if refused.problem is FHIR_SCOPE:
        extra["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    plain = problem_answer(refused, extra)
    return Answer(
        outcome_body(refused),
        status_code=refused.problem.status,
        headers=dict(plain.headers),
        media_type=FHIR_JSON,
    )
