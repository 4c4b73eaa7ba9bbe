"""Which doses are a ground for a certificate. Pure decisions (security.md S28; vaccination.md §4, §5)."""

from datetime import date, datetime, timedelta
from typing import Final

from kernel.clock import local_day
from vaccination.book.models import Dose
from vaccination.certificates.models import DoseReason, Evidence, Reason
from vaccination.certificates.products import coded

# What was said later than this after its day, a second account confirms (security.md S28).
BACK_DATED: Final = timedelta(days=30)
# What may pass without the dose being another one: no new certificate meanwhile, and the one that is out
# stands.
PASSING: Final[frozenset[Reason]] = frozenset({"being-corrected", "source-stale", "duplicate"})
# What a second account of the facility can say is true: late doses, and what another system says of it,
# however fresh (security.md S28).
CONFIRMABLE: Final[frozenset[Reason]] = frozenset({"passed-on", "back-dated"})
_COVID: Final = "covid-19"
_DOSES_MAX: Final = 99


def why_not(dose: Dose, evidence: Evidence, now: datetime) -> tuple[DoseReason, ...]:
    """Why a dose is no ground for a certificate or health card of any kind; empty where it is."""
    given = given_day(dose)
    reasons: dict[DoseReason, bool] = {
        "self-declared": dose.state == "self-declared",
        "being-corrected": dose.state == "being-corrected",
        "duplicate": not dose.is_counted and dose.state != "self-declared",
        "source-stale": evidence.stale,
        "date-unclear": given is None,
        "date-ahead": given is not None and given > local_day(now),
    }
    if dose.state != "self-declared":
        reasons |= {
            "facility-unknown": dose.facility_id is None,
            "no-authority": dose.facility_id is not None and given is not None and not evidence.authorised,
            "passed-on": dose.is_passed_on and dose.facility_id is not None and not evidence.confirmed,
            "back-dated": not dose.is_passed_on and given is not None and is_back_dated(given, evidence),
        }
    return tuple(reason for reason, holds in reasons.items() if holds)


def why_no_certificate(dose: Dose, evidence: Evidence, now: datetime) -> tuple[Reason, ...]:
    """As `why_not`, and what the COVID-19 certificate needs of the dose besides."""
    if _COVID not in dose.antigens:
        return ("not-covid-19",)
    reasons: dict[Reason, bool] = {
        "product-unknown": coded(dose) is None,
        "dose-number-unknown": dose.dose_number is None or not 1 <= dose.dose_number <= _DOSES_MAX,
    }
    return (*why_not(dose, evidence, now), *(reason for reason, holds in reasons.items() if holds))


def is_back_dated(given: date, evidence: Evidence) -> bool:
    """Whether it was said too late for one account to be believed."""
    return not evidence.confirmed and local_day(evidence.said_at) - given > BACK_DATED


def is_covid(dose: Dose) -> bool:
    return _COVID in dose.antigens


def given_day(dose: Dose) -> date | None:
    """The day in Viet Nam, where the source knows it to the day."""
    if dose.given is None or dose.given_precision not in ("day", "instant"):
        return None
    if dose.given_precision == "day":
        return date.fromisoformat(dose.given[:10])
    moment = datetime.fromisoformat(dose.given)
    return local_day(moment) if moment.tzinfo else moment.date()
