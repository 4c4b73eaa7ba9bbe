"""Appointments and refusals of the record as the schedule takes them. A row without a day or without a
vaccine that is known here says nothing."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec
from msgspec import Struct

from ehr.fhir import Appointment, Coding, Concept
from vaccination.book.antigens import antigens_of, product_of
from vaccination.book.models import Dose
from vaccination.book.policy import days_of
from vaccination.schedule.models import Booked, Given, Hold
from vaccination.schedule.queries import APPOINTMENT_LEAD, BesideRow

# HL7 v3-ActReason, as Immunization.statusReason carries it: a medical precaution.
_PRECAUTION: Final = "MEDPREC"


class _Applied(Struct, kw_only=True, rename="camel"):
    target_disease: list[Concept] = []


class _NotDone(Struct, kw_only=True, rename="camel"):
    """What a refusal says; everything else of the resource is not asked here."""

    vaccine_code: Concept
    occurrence_date_time: str | None = None
    status_reason: Concept | None = None
    protocol_applied: list[_Applied] = []


_appointment = msgspec.json.Decoder(Appointment).decode
_not_done = msgspec.json.Decoder(_NotDone).decode


def given_doses(doses: Iterable[Dose], today: date) -> list[Given]:
    """The doses that count: no copies, none without a day, none of a day that is not there yet. Of a month or
    year the last day counts, so that the next dose is never planned too early."""
    found = []
    for dose in doses:
        day, is_exact = _day_of(dose.given)
        if day is None or not dose.counts_for:
            continue
        day = day if is_exact else min(day, today)
        if day <= today:
            found.append(
                Given(
                    immunization_id=dose.immunization_id,
                    day=day,
                    is_exact=is_exact,
                    antigens=dose.counts_for,
                    dose_state=dose.state,
                )
            )
    return found


def booked_of(rows: Iterable[BesideRow]) -> list[Booked]:
    found = []
    for row in rows:
        if row.rtype == "Appointment":
            doc = _appointment(row.doc)
            starts = (doc.start, *(period.start for period in doc.requested_period))
            day, _ = _day_of(next((text for text in starts if text), None))
            product = product_of(row.title.removeprefix(APPOINTMENT_LEAD))
            if day is not None and product is not None:
                found.append(Booked(antigens=product.antigens, day=day))
    return found


def holds_of(rows: Iterable[BesideRow]) -> list[Hold]:
    found = []
    for row in rows:
        if row.rtype == "Immunization":
            doc = _not_done(row.doc)
            day, is_exact = _day_of(doc.occurrence_date_time)
            antigens = antigens_of(doc.vaccine_code, _diseases(doc), row.title)
            if day is not None and is_exact and antigens:
                found.append(
                    Hold(
                        kind="contraindicated" if _is_medical(doc) else "deferred", antigens=antigens, day=day
                    )
                )
    return found


def _diseases(doc: _NotDone) -> list[Coding]:
    return [code for one in doc.protocol_applied for disease in one.target_disease for code in disease.coding]


def _is_medical(doc: _NotDone) -> bool:
    codes = doc.status_reason.coding if doc.status_reason else []
    return any(code.code == _PRECAUTION for code in codes)


def _day_of(text: str | None) -> tuple[date | None, bool]:
    """The day in Vietnam of a FHIR date, and whether it is one day; of a month or year the last."""
    found = days_of(text)
    return (None, False) if found is None else (found[1], found[0] == found[1])
