"""From an issuer's claims to what we take for proven; pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from identity.identifiers import normal_identifier
from identity.models import Sex
from identity.verification.models import Level, Verified
from kernel.text import fold
from partners.verifiers.models import ProviderError

NAME_MAX: Final = 200
DEPENDENTS_MAX: Final = 20
_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_SEX: Final[dict[str, Sex]] = {"male": "male", "nam": "male", "female": "female", "nu": "female"}


def level_of(levels: Mapping[str, Level], acr: str | None) -> Level:
    """An acr that nobody put on the list proves nothing."""
    return levels.get(acr, 0) if acr is not None else 0


def verified(level: Level, names: Mapping[str, str], claims: Mapping[str, Any]) -> Verified:
    """The person, as far as the level goes: at 0 nobody, at 2 with children. Raises ProviderError without a
    personal number, for then it is about nobody we could know."""
    if level == 0:
        return Verified(level=0)
    number = normal_identifier("national-id", _text(claims, names.get("number", "")) or "")
    if number is None:
        raise ProviderError("number")
    birth_date = _text(claims, names.get("birth_date", "")) or ""
    sex = _text(claims, names.get("sex", "")) or ""
    return Verified(
        level=level,
        number=number,
        name=_text(claims, names.get("name", "")),
        # OIDC Core §5.1: 0000 where the year is not told, which is no date.
        birth_date=birth_date if _DATE.fullmatch(birth_date) and not birth_date.startswith("0000") else None,
        sex=_SEX.get(fold(sex)),
        dependents=_numbers(claims, names.get("dependents", "")) if level == 2 else (),
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name) if name else None
    return value if isinstance(value, str) and 0 < len(value) <= NAME_MAX and "\0" not in value else None


def _numbers(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name) if name else None
    if not isinstance(value, list) or len(value) > DEPENDENTS_MAX:
        return ()
    read = [normal_identifier("national-id", one) for one in value if isinstance(one, str)]
    return tuple(number for number in read if number is not None)
