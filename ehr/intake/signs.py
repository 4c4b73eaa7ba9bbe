"""The vital signs that forms, packages and entries name: one table of codes, titles and units."""

from typing import Any, Final, Literal

from msgspec import Struct

from ehr.intake import systems
from ehr.intake.episode import concept, quantity

SignName = Literal[
    "pulse",
    "temperature",
    "respiration",
    "oxygen-saturation",
    "height",
    "weight",
    "body-mass-index",
    "waist",
]


class Sign(Struct, frozen=True):
    """code: LOINC. unit: as people read it; ucum: the same for programs."""

    code: str
    title: str
    unit: str
    ucum: str

    @property
    def concept(self) -> dict[str, Any]:
        return concept(self.title, (systems.LOINC, self.code))

    def amount(self, value: str) -> dict[str, Any]:
        """A decimal text as `valueQuantity`."""
        return {"valueQuantity": quantity(value, self.unit, (systems.UCUM, self.ucum))}


SIGNS: Final[dict[SignName, Sign]] = {
    "pulse": Sign("8867-4", "Mạch", "lần/phút", "/min"),
    "temperature": Sign("8310-5", "Nhiệt độ", "°C", "Cel"),
    "respiration": Sign("9279-1", "Nhịp thở", "lần/phút", "/min"),
    "oxygen-saturation": Sign("59408-5", "SpO2", "%", "%"),
    "height": Sign("8302-2", "Chiều cao", "cm", "cm"),
    "weight": Sign("29463-7", "Cân nặng", "kg", "kg"),
    "body-mass-index": Sign("39156-5", "BMI", "kg/m2", "kg/m2"),
    "waist": Sign("8280-0", "Vòng bụng", "cm", "cm"),
}
SYSTOLIC: Final = Sign("8480-6", "Huyết áp tâm thu", "mmHg", "mm[Hg]")
DIASTOLIC: Final = Sign("8462-4", "Huyết áp tâm trương", "mmHg", "mm[Hg]")
# The panel has no value of its own.
PRESSURE: Final = Sign("85354-9", "Huyết áp", "", "")


def pressure(systolic: str | None, diastolic: str | None) -> dict[str, Any]:
    """The components of a blood pressure; {} when neither was measured."""
    measured = ((SYSTOLIC, systolic), (DIASTOLIC, diastolic))
    parts = [{"code": sign.concept, **sign.amount(value)} for sign, value in measured if value]
    return {"component": parts} if parts else {}
