"""A unit while it is put together: stable names, items, and every fault that was found."""

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct, field

from ehr.intake.ids import name_uuid
from ehr.intake.json_text import compact_object
from ehr.intake.models import BadInputError, Item, PersonFacts, Reason, Unit

REASONS_MAX = 50


class UnitDraft(Struct):
    """scope: what the sender calls the unit; names are made from it, the same in every resend."""

    scope: str
    items: list[Item] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    withheld: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def name(self, rtype: str, *identity: str) -> str:
        """`Type/id` of a resource of this unit."""
        return f"{rtype}/{name_uuid(chr(10).join((self.scope, rtype, *identity)))}"

    def numbered(self, rtype: str, *identity: str) -> str:
        """The same where several may share an identity: their order comes last."""
        key = "\n".join((rtype, *identity))
        self.seen[key] += 1
        return self.name(rtype, *identity, str(self.seen[key]))

    @property
    def patient(self) -> dict[str, str]:
        return {"reference": self.name("Patient")}

    def fault(self, code: str, where: str) -> None:
        self.reasons.append(Reason(code, where))

    def add(self, reference: str, body: dict[str, Any], where: str, hints: str = "") -> None:
        """Keep one resource; members that hold nothing are left out."""
        rtype, _, local_id = reference.partition("/")
        told = {key: value for key, value in body.items() if value not in ("", [], {}, None)}
        raw = msgspec.json.encode({"resourceType": rtype, "id": local_id, **told})
        item = Item(
            rtype=rtype,
            key=reference,
            raw=compact_object(raw, where).decode(),
            where=where,
            aliases=(reference,),
            hints=hints,
        )
        self.items.append(item)

    def refuse_faults(self) -> None:
        """Raise when anything was wrong: a unit is never half-imported."""
        if self.reasons:
            raise BadInputError(self.reasons[:REASONS_MAX])

    def unit(self, name: str, kind: str, person: PersonFacts, facility_code: str | None = None) -> Unit:
        """The finished unit; a resend of the same scope replaces it. kind: what statistics count it as."""
        self.refuse_faults()
        return Unit(
            name=name,
            key=self.scope,
            person=person,
            items=self.items,
            snapshot=True,
            facility_code=facility_code,
            withheld=self.withheld,
            documents=(kind,),
        )
