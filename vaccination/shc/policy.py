"""What stands on a card, and whether it is true still. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from msgspec import Struct

from family.policy import ADULT_AGE, is_of_age
from identity.models import Demographics
from vaccination.book.models import Dose
from vaccination.certificates.eligibility import CONFIRMABLE, PASSING, given_day, why_not
from vaccination.certificates.evidence import Judged
from vaccination.certificates.models import Owned
from vaccination.shc.codes import code_of
from vaccination.shc.models import Book, CardDose, CardPerson, CardReason, Content, EndReason


class Weighed(Struct, frozen=True, kw_only=True):
    """A dose with what a card would say of it, None where it would say nothing; and why."""

    judged: Judged
    card: CardDose | None
    reasons: tuple[CardReason, ...]

    @property
    def dose(self) -> Dose:
        return self.judged.dose

    @property
    def can_be_confirmed(self) -> bool:
        """Whether only a second account of its facility is wanting."""
        return bool(self.reasons) and set(self.reasons) <= CONFIRMABLE


def weigh(judged: Judged, now: datetime) -> Weighed:
    """Whether a dose can stand on a card."""
    dose, card = judged.dose, card_dose(judged)
    reasons: list[CardReason] = list(why_not(dose, judged.evidence, now))
    if dose.hidden:
        reasons.append("hidden")
    if code_of(dose) is None:
        reasons.append("no-code")
    return Weighed(judged=judged, card=card if not reasons else None, reasons=tuple(reasons))


def card_dose(judged: Judged) -> CardDose | None:
    """All that a card can say of a dose; None without a code or a day."""
    dose = judged.dose
    code, given = code_of(dose), given_day(dose)
    if code is None or given is None:
        return None
    system, value = code
    return CardDose(
        immunization_id=dose.immunization_id,
        owned=judged.owned,
        code_system=system,
        code=value,
        given=given.isoformat(),
        lot=dose.lot,
        facility_id=dose.facility_id,
        place=dose.facility_name,
    )


def person_of_card(known: Demographics | None) -> CardPerson | None:
    """None without a name or a birth date."""
    if known is None or not known.name or not known.birth_date:
        return None
    return CardPerson(name=known.name, birth_date=known.birth_date)


def book_of(dose: CardDose, person: CardPerson) -> Book:
    """In which book a dose stands: by the age at which it was given."""
    given = date.fromisoformat(dose.given)
    return "adult" if is_of_age(person.birth_date, ADULT_AGE, given) else "childhood"


def doses_of_book(weighed: Sequence[Weighed], person: CardPerson, book: Book) -> tuple[CardDose, ...]:
    """What a card of this book would speak of, oldest first."""
    found = [one.card for one in weighed if one.card is not None and book_of(one.card, person) == book]
    return tuple(sorted(found, key=lambda dose: (dose.given, dose.immunization_id)))


def says_all_of(content: Content, person: CardPerson, doses: Sequence[CardDose]) -> bool:
    """Whether a card speaks of just these doses and says what they say."""
    return len(doses) == len(content.doses) and why_untrue(content, person, by_owner(doses)) is None


def by_owner(doses: Iterable[CardDose]) -> dict[Owned, CardDose]:
    return {dose.owned: dose for dose in doses}


def standing(judged: Sequence[Judged], now: datetime) -> list[CardDose]:
    """The doses that a card may speak of: what only awaits an answer leaves a card as it is."""
    stand = (one for one in judged if not set(why_not(one.dose, one.evidence, now)) - PASSING)
    return [card for one in stand if (card := card_dose(one)) is not None]


def why_untrue(content: Content, person: CardPerson | None, doses: dict[Owned, CardDose]) -> EndReason | None:
    """Why a card says what the book does not say any more; None where it is true."""
    if person != content.person:
        return "person-changed"
    if any(dose.owned not in doses for dose in content.doses):
        return "dose-gone"
    if any(not _is_true(dose, doses[dose.owned]) for dose in content.doses):
        return "dose-changed"
    return None


def _is_true(said: CardDose, now: CardDose) -> bool:
    """What a card does not say cannot be wrong, and a facility may be renamed."""
    return (
        (said.code_system, said.code, said.given) == (now.code_system, now.code, now.given)
        and (said.lot is None or said.lot == now.lot)
        and (said.place is None or said.facility_id == now.facility_id)
    )
