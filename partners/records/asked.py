"""What a partner asks for."""

from datetime import date
from typing import Final

from msgspec import Struct

from kernel.access import PartnerGroup

# Encounters of one answer: each brings everything that happened in it.
PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 50


class Asked(Struct, frozen=True, kw_only=True):
    """groups: in the consent, each once. since: the first day of the encounters that are wanted; before:
    `next` of the answer before. limit: encounters of one answer, up to PAGE_MAX."""

    groups: list[PartnerGroup]
    since: date | None = None
    before: str | None = None
    limit: int = PAGE_DEFAULT

    @property
    def of_visits(self) -> list[PartnerGroup]:
        """The groups that are made of encounters."""
        return [group for group in self.groups if group in ("encounters", "summary")]
