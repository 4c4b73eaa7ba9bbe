"""What the book takes from the FHIR text of a vaccination, beside its reading view."""

from typing import Final

import msgspec
from msgspec import field

from ehr.fhir import Concept, Extension, Identifier, Immunization, ProtocolApplied, Reference

# The document that a declared dose rests on, by its id.
PAPER: Final = "urn:vn:so-suc-khoe:own-paper"


class Protocol(ProtocolApplied):
    series_doses_positive_int: int | None = None
    series_doses_string: str | None = None
    target_disease: list[Concept] = field(default_factory=list)


class Given(Immunization):
    """A vaccination with what others seldom read: the sender's numbers of it, the disease it is against."""

    identifier: list[Identifier] = field(default_factory=list)
    location: Reference | None = None
    primary_source: bool | None = None
    report_origin: Concept | None = None
    extension: list[Extension] = field(default_factory=list)
    protocol_applied: list[Protocol] = field(default_factory=list)  # type: ignore[assignment]

    @property
    def protocol(self) -> Protocol:
        return self.protocol_applied[0] if self.protocol_applied else Protocol()

    @property
    def dose_number(self) -> int | None:
        return _number(self.protocol.dose_number_positive_int, self.protocol.dose_number_string)

    @property
    def series_doses(self) -> int | None:
        return _number(self.protocol.series_doses_positive_int, self.protocol.series_doses_string)

    @property
    def number(self) -> str | None:
        """`system|value` of the sender's own number of the dose."""
        named = (one for one in self.identifier if one.system and one.value)
        return next((f"{one.system}|{one.value}" for one in named), None)

    @property
    def is_passed_on(self) -> bool:
        """Whether its sender says that somebody else gave it."""
        return self.primary_source is False

    @property
    def place(self) -> str | None:
        return self.location.display if self.location else None

    @property
    def paper_id(self) -> str | None:
        return next((one.value_string for one in self.extension if one.url == PAPER), None)


_whole = msgspec.json.Decoder(Given).decode
_plain = msgspec.json.Decoder(Immunization).decode


def given_of(doc: str) -> Given:
    """The vaccination of a row. The record checked only what its views show: where a sender wrote something
    else wrongly, the dose is read without it."""
    try:
        return _whole(doc)
    except msgspec.ValidationError:
        plain = _plain(doc)
        return Given(
            status=plain.status,
            vaccine_code=plain.vaccine_code,
            lot_number=plain.lot_number,
            performer=plain.performer,
            manufacturer=plain.manufacturer,
            protocol_applied=[
                Protocol(dose_number_positive_int=one.dose_number_positive_int)
                for one in plain.protocol_applied
            ],
        )


def _number(number: int | None, text: str | None) -> int | None:
    """A count as it is written; words like `nhắc lại` are none."""
    if number is None and text is not None and text.strip().isdecimal():
        number = int(text.strip()[:4])
    return number if number is not None and 1 <= number <= 99 else None
