"""The problem tree.

ProblemType   what can go wrong, declared once in a package's problems.py
Refused       a refusal that a use case returns; its transaction commits: charge and audit row stay
ProblemError  the same, raised where nothing may be kept; the transaction rolls back
"""

from typing import NoReturn

from msgspec import Struct


class ProblemType(Struct, frozen=True, kw_only=True):
    """One refusal or error. `next_*` say what the person can do about it."""

    code: str
    status: int
    vi: str
    en: str
    next_vi: str
    next_en: str
    retryable: bool = False


class Refused(Struct, frozen=True, kw_only=True):
    """A problem that happened. `where` names a field or an element, never a value. `link`: an address of ours
    or of an app's store where the way on begins, the same for everybody."""

    problem: ProblemType
    where: str | None = None
    retry_after_seconds: int | None = None
    remaining: int | None = None
    link: str | None = None


class ProblemError(Exception):
    """A problem whose transaction must roll back."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.problem.code)
        self.refused = refused


PROBLEMS: dict[str, ProblemType] = {}


def declare(problem: ProblemType) -> ProblemType:
    """Enter a problem type into the catalogue that errors.json is generated from."""
    if problem.code in PROBLEMS:
        raise ValueError(f"problem code declared twice: {problem.code}")
    PROBLEMS[problem.code] = problem
    return problem


def refuse(problem: ProblemType, where: str | None = None) -> NoReturn:
    """Raise a problem that leaves nothing behind."""
    raise ProblemError(Refused(problem=problem, where=where))
