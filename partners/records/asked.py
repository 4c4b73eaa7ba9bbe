"""What a partner asks for."""

from datetime import date

from msgspec import Struct

from kernel.access import PartnerGroup


class Asked(Struct, frozen=True, kw_only=True):
    """groups: in the consent, each once. since: the first day of the encounters that are wanted; before:
    `next` of the answer before."""

    groups: list[PartnerGroup]
    since: date | None = None
    before: str | None = None

    @property
    def of_visits(self) -> list[PartnerGroup]:
        """The groups that are made of encounters."""
        return [group for group in self.groups if group in ("encounters", "summary")]
