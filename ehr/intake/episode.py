"""One episode of a treatment package as a unit of FHIR resources (docs/mapping.md)."""

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from ehr.intake.folding import fold_for_gate
from ehr.intake.ids import name_uuid
from ehr.intake.json_text import compact_object
from ehr.intake.models import BadInputError, Item, Reason
from ehr.intake.xml_fields import Row

REASONS_MAX = 50


class Tables(Struct):
    """The rows of one HOSO by table (XML1 … XML14), and how many tables the gate kept out."""

    rows: dict[str, list[Row]]
    withheld: int

    def of(self, table: str) -> list[Row]:
        return self.rows.get(table, [])


class Episode(Struct):
    """An episode while it is mapped. `start` and `end` are FHIR dates of the visit."""

    facility_code: str
    ma_lk: str
    tables: Tables
    now: datetime
    items: list[Item] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    inpatient: bool = False
    start: str = ""
    end: str = ""

    def name(self, rtype: str, *identity: str) -> str:
        """`Type/id` of a resource of this episode, the same in every resend."""
        text = "\n".join((self.facility_code, self.ma_lk, rtype, *identity))
        return f"{rtype}/{name_uuid(text)}"

    def numbered(self, rtype: str, *identity: str) -> str:
        """The same where several rows may share an identity: matched by code and time, their order
        last, so that a dropped row does not turn the second medicine into the first."""
        kept = (rtype, *identity)
        self.seen["\n".join(kept)] += 1
        return self.name(*kept, str(self.seen["\n".join(kept)]))

    def add(self, reference: str, body: dict[str, Any], row: Row, *, whole_row: bool = True) -> None:
        """Keep one resource. With `whole_row` the gate also reads the row's unmapped fields."""
        rtype, _, local_id = reference.partition("/")
        made = {
            "resourceType": rtype,
            "id": local_id,
            **{k: v for k, v in body.items() if v not in ("", [], {}, None)},
        }
        raw = compact_object(msgspec.json.encode(made), row.where).decode()
        self.items.append(
            Item(
                rtype=rtype,
                key=reference,
                raw=raw,
                where=row.where,
                aliases=(reference,),
                hints=_hints(row) if whole_row else "",
            )
        )

    @property
    def encounter(self) -> dict[str, str]:
        return {"reference": self.name("Encounter")}

    @property
    def patient(self) -> dict[str, str]:
        return {"reference": self.name("Patient")}

    def refuse_faults(self) -> None:
        """Raise when any field of any row was wrong: an episode is never half-imported."""
        reasons: list[Reason] = [r for rows in self.tables.rows.values() for row in rows for r in row.reasons]
        if reasons:
            raise BadInputError(reasons[:REASONS_MAX])


def _hints(row: Row) -> str:
    texts = [fold_for_gate("\n".join(value for value in row.fields.values() if value))]
    paid = row.text("NGUON_CTRA")
    return "\n".join([*texts, f"nguon_ctra:{paid}"] if paid else texts)


def concept(text: str, *codings: tuple[str, str]) -> dict[str, Any]:
    """A CodeableConcept of the codings that have a code, and its text; {} when there is nothing."""
    made: dict[str, Any] = {}
    if listed := [{"system": system, "code": code} for system, code in codings if code]:
        made["coding"] = listed
    if text:
        made["text"] = text
    return made


def quantity(value: str, unit: str, ucum: tuple[str, str] | None = None) -> dict[str, Any]:
    """A Quantity whose decimal keeps its zeros."""
    made: dict[str, Any] = {"value": Raw(number(value).encode())}
    if unit:
        made["unit"] = unit
    if ucum is not None:
        made |= {"system": ucum[0], "code": ucum[1]}
    return made


def number(value: str) -> str:
    """A decimal text as a JSON number: no leading zeros, `-` kept."""
    sign, digits = ("-", value[1:]) if value.startswith("-") else ("", value)
    whole, point, rest = digits.partition(".")
    return sign + (whole.lstrip("0") or "0") + point + rest
