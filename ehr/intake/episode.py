"""One episode of a treatment package as a unit of FHIR resources (docs/mapping.md)."""

import re
from collections import Counter
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from ehr.costs.models import Costs
from ehr.intake.ids import name_uuid
from ehr.intake.models import Item
from ehr.intake.xml_fields import Row
from ehr.referrals.models import Letter

REASONS_MAX = 50

_NUMBER = re.compile(r"[0-9.,]*")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(?:[.,][0-9]{1,6})?")
_encode = msgspec.json.Encoder().encode


class Tables(Struct):
    """The rows of one HOSO by table (XML0 … XML15), and how many parts the gate kept out."""

    rows: dict[str, list[Row]]
    withheld: int

    def of(self, table: str) -> list[Row]:
        return self.rows.get(table, [])


class Episode(Struct, dict=True):
    """An episode while it is mapped. `start` and `end` are FHIR dates of the visit.

    visit: whether what is made here belongs to an Encounter (a birth note and an assessment do not).
    """

    facility_code: str
    ma_lk: str
    tables: Tables
    now: datetime
    items: list[Item] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    inpatient: bool = False
    visit: bool = True
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

    def add(
        self,
        reference: str,
        body: dict[str, Any],
        row: Row,
        *,
        whole_row: bool = True,
        costs: Costs | None = None,
        letter: Letter | None = None,
    ) -> None:
        """Keep one resource. With `whole_row` the gate also reads the row's unmapped fields."""
        rtype, _, local_id = reference.partition("/")
        made = {"resourceType": rtype, "id": local_id, **{k: v for k, v in body.items() if v}}
        raw = _encode(made).decode()
        hints = _hints(row, raw) if whole_row else ""
        self.items.append(
            Item(
                rtype=rtype,
                key=reference,
                raw=raw,
                where=row.where,
                aliases=(reference,),
                hints=hints,
                costs=costs,
                letter=letter,
            )
        )

    @cached_property
    def encounter(self) -> dict[str, str]:
        return {"reference": self.name("Encounter")} if self.visit else {}

    @cached_property
    def patient(self) -> dict[str, str]:
        return {"reference": self.name("Patient")}


def _hints(row: Row, raw: str) -> str:
    """What the row says beside the resource made of it, as written; bare numbers say nothing."""
    texts = [
        value
        for name, value in row.fields.items()
        if value and not value.isdigit() and name != "MA_LK" and _adds(value, raw)
    ]
    if paid := row.text("NGUON_CTRA"):
        texts.append(f"nguon_ctra:{paid}")
    return "\n".join(texts)


def _adds(value: str, raw: str) -> bool:
    return f'"{value}"' not in raw and _NUMBER.fullmatch(value) is None


def concept(text: str, *codings: tuple[str, str]) -> dict[str, Any]:
    """A CodeableConcept of the codings that have a code, and its text; {} when there is nothing."""
    made: dict[str, Any] = {}
    if listed := [{"system": system, "code": code} for system, code in codings if code]:
        made["coding"] = listed
    if text:
        made["text"] = text
    return made


def identified(system: str, value: str) -> dict[str, Any]:
    """A logical reference: what is named by a number and never looked up; {} without one."""
    return {"identifier": {"system": system, "value": value}} if value else {}


def extensions(*named: tuple[str, str, Any]) -> list[dict[str, Any]]:
    """Extensions of ours as (url, name of value[x], value), those that have a value."""
    return [{"url": url, kind: value} for url, kind, value in named if value]


def quantity(value: str, unit: str, ucum: tuple[str, str] | None = None) -> dict[str, Any]:
    """A Quantity whose decimal keeps its zeros."""
    made: dict[str, Any] = {"value": Raw(number(value).encode())}
    if unit:
        made["unit"] = unit
    if ucum is not None:
        made |= {"system": ucum[0], "code": ucum[1]}
    return made


def value_of(text: str, unit: str = "") -> dict[str, Any]:
    """The value[x] of a result: a number, comma or point, is a Quantity with its zeros, all else is text."""
    if not text:
        return {}
    if _DECIMAL.fullmatch(text):
        return {"valueQuantity": quantity(text.replace(",", "."), unit)}
    return {"valueString": f"{text} {unit}".strip()}


def number(value: str) -> str:
    """A decimal text as a JSON number: no leading zeros, `-` kept."""
    sign, digits = ("-", value[1:]) if value.startswith("-") else ("", value)
    whole, point, rest = digits.partition(".")
    return sign + (whole.lstrip("0") or "0") + point + rest
