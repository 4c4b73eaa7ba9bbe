"""Whom a campaign is for. Pure; every limit is the campaign's own (vaccination.md §1: calendar months)."""

from datetime import date, timedelta
from typing import Final

from identity.models import Sex
from kernel.clock import add_months
from vaccination.book.policy import days_of
from vaccination.registration.models import CampaignRow, Fits, NewCampaign
from vaccination.registration.screening.forms import ScreeningForm, ScreeningQuestion

# Ours: when who has a place is told of it again.
EVE: Final = timedelta(days=1)
# How long a facility sees who was registered, from the day on (security.md S30).
NAMES_LIFE: Final = timedelta(days=30)
# The timer of a slot; its ref is facility and slot. Of a campaign that closes: its id.
SLOT_JOB: Final = "vaccination-slot"
CLOSE_JOB: Final = "vaccination-campaign-close"


def fits(campaign: CampaignRow, birth_date: str | None, sex: Sex | None, day: date) -> Fits:
    """Whether somebody is of the campaign's age and sex on that day.

    birth_date: FHIR partial date. What it leaves open, and a sex that nobody said, is unknown: whoever
    vaccinates looks at the card.
    """
    told = {_sex_fits(campaign, sex), _age_fits(campaign, birth_date, day)}
    return "no" if "no" in told else "unknown" if "unknown" in told else "yes"


def _sex_fits(campaign: CampaignRow, sex: Sex | None) -> Fits:
    if campaign.sex is None or sex == campaign.sex:
        return "yes"
    return "unknown" if sex in (None, "unknown") else "no"


def _age_fits(campaign: CampaignRow, birth_date: str | None, day: date) -> Fits:
    """The whole of what the date leaves open has to fit, or none of it."""
    first, end = campaign.age_from_months or 0, campaign.age_until_months
    if first == 0 and end is None:
        return "yes"
    oldest, youngest = _earliest(birth_date), _latest(birth_date)
    if oldest is None or youngest is None:
        return "unknown"
    if day < add_months(oldest, first) or (end is not None and day >= add_months(youngest, end)):
        return "no"
    is_whole = day >= add_months(youngest, first) and (end is None or day < add_months(oldest, end))
    return "yes" if is_whole else "unknown"


def asked_of(
    form: ScreeningForm, birth_date: str | None, sex: Sex | None, day: date
) -> list[ScreeningQuestion]:
    """The questions of a form that are for somebody; one that may be is asked."""
    oldest = _earliest(birth_date)
    return [
        one
        for one in form.questions
        if (one.sex is None or sex not in ("female", "male") or sex == one.sex)
        and (one.from_months is None or oldest is None or day >= add_months(oldest, one.from_months))
    ]


def _earliest(birth_date: str | None) -> date | None:
    return (
        None if birth_date is None else date.fromisoformat("-".join([*birth_date.split("-"), "01", "01"][:3]))
    )


def _latest(birth_date: str | None) -> date | None:
    if birth_date is None:
        return None
    first, parts = _earliest(birth_date), birth_date.count("-")
    assert first is not None
    return first if parts == 2 else add_months(first, 1 if parts == 1 else 12) - timedelta(days=1)


def fault_of(new: NewCampaign) -> str | None:
    """The field that does not hold together with another."""
    first, end = new.age_from_months, new.age_until_months
    if end is not None and end <= (first or 0):
        return "age_until_months"
    if new.closes_at <= new.opens_at:
        return "closes_at"
    return "antigens" if len(set(new.antigens)) != len(new.antigens) else None


def is_recent(given: str | None, day: date, interval_days: int) -> bool:
    """Whether a dose of that date, at its precision, may lie within the interval before that day."""
    found = days_of(given)
    return found is not None and found[0] <= day and (day - found[1]).days < interval_days
