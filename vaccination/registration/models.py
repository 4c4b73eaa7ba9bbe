"""A campaign and a registration as kept, and as each side sees them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from identity.models import Sex
from vaccination.registration.screening.forms import (
    NOTE_MAX,
    ScreeningAdvice,
    ScreeningAnswer,
    ScreeningForm,
    Verdict,
)
from visits.slots.models import BookingState, NewSlot, SlotState

CampaignState = Literal["open", "closed"]
CampaignSex = Literal["female", "male"]
Fits = Literal["yes", "no", "unknown"]
Title = Annotated[str, Meta(min_length=3, max_length=150)]
Place = Annotated[str, Meta(min_length=3, max_length=300)]
Months = Annotated[int, Meta(ge=0, le=1500)]


class CampaignRow(Struct, frozen=True):
    """One campaign as kept. Ages in full calendar months, `age_until_months` excluded."""

    campaign_id: UUID
    facility_id: UUID
    title: str
    place: str
    antigens: list[str]
    vaccine: str | None
    sex: CampaignSex | None
    age_from_months: int | None
    age_until_months: int | None
    interval_days: int | None
    screening: str
    screening_version: int
    opens_at: datetime
    closes_at: datetime
    state: CampaignState
    made_by: UUID
    made_at: datetime
    closed_by: UUID | None
    closed_at: datetime | None


class RegistrationRow(Struct, frozen=True):
    """One registration as kept. answers: sealed. registered_by: the person, or who acted in their place."""

    patient_id: UUID
    registration_id: UUID
    campaign_id: UUID
    facility_id: UUID
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    registered_by: UUID
    is_private: bool
    verdict: Verdict
    answers: bytes
    made_at: datetime
    moved_at: datetime


class NewCampaign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign to be made. antigens: keys of the vaccination book. Whoever is `age_from_months` full months
    old on the day of a slot and not yet `age_until_months` fits; without either there is no limit.
    interval_days: who had a dose of one of these antigens so many days before the slot, or fewer, is advised
    to ask; it refuses nobody. opens_at, closes_at: when people register."""

    title: Title
    place: Place
    antigens: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=20)]
    vaccine: Annotated[str, Meta(min_length=1, max_length=150)] | None = None
    sex: CampaignSex | None = None
    age_from_months: Months | None = None
    age_until_months: Months | None = None
    interval_days: Annotated[int, Meta(ge=1, le=3660)] | None = None
    screening: Annotated[str, Meta(max_length=40)] = "general"
    opens_at: Annotated[datetime, Meta(tz=True)]
    closes_at: Annotated[datetime, Meta(tz=True)]


class NewSlots(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: Annotated[list[NewSlot], Meta(min_length=1, max_length=100)]


class Campaign(Struct, frozen=True, kw_only=True):
    """A campaign as everybody sees it."""

    campaign_id: UUID
    facility_id: UUID
    facility_name: str
    title: str
    place: str
    antigens: list[str]
    vaccine: str | None
    sex: CampaignSex | None
    age_from_months: int | None
    age_until_months: int | None
    interval_days: int | None
    opens_at: datetime
    closes_at: datetime
    state: CampaignState


class CampaignSlot(Struct, frozen=True, kw_only=True):
    """A slot. free: places that are left; waiting: who would stand before you. fits: whether the person's age
    and sex are those of the campaign on that day; unknown where the book does not say enough."""

    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    free: int
    waiting: int
    fits: Fits


class CampaignOpened(Campaign, frozen=True, kw_only=True):
    """A campaign with its slots and the questions of a registration. `screening.confirmed` false: the
    questions are this service's, not the ministry's; show that."""

    slots: list[CampaignSlot]
    screening: ScreeningForm


class FacilitySlot(Struct, frozen=True, kw_only=True):
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: int
    state: SlotState
    free: int
    waiting: int


class FacilityCampaign(Campaign, frozen=True, kw_only=True):
    """A campaign as its facility sees it."""

    made_at: datetime
    closed_at: datetime | None
    slots: list[FacilitySlot]


class RegistrationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Register for one slot. answers: to each question of the form once. may_wait: where no place is left,
    stand in the waiting list. is_private: relatives who act for the person never see it; only in the own
    book. One whose campaign, place or facility tells what the person is there for is so without a word."""

    campaign_id: UUID
    slot_id: UUID
    answers: Annotated[list[ScreeningAnswer], Meta(max_length=50)]
    note: Annotated[str, Meta(min_length=1, max_length=NOTE_MAX)] | None = None
    may_wait: bool = True
    is_private: bool = False


class RecentDose(Struct, frozen=True, kw_only=True):
    """A dose of the book that lies closer to the slot than the campaign's interval."""

    antigen: str
    given: str
    vi: str
    en: str


class Registration(Struct, frozen=True, kw_only=True):
    """A registration. waiting_before: how many stand before the person, null unless waiting. verdict, advice:
    what the answers ask of the person; whoever examines on the day decides."""

    registration_id: UUID
    campaign_id: UUID
    facility_id: UUID
    facility_name: str
    title: str
    place: str
    antigens: list[str]
    vaccine: str | None
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    waiting_before: int | None
    by_relative: bool
    is_private: bool
    verdict: Verdict
    made_at: datetime
    moved_at: datetime


class RegistrationOpened(Registration, frozen=True, kw_only=True):
    """A registration whole. answers, note: null for a relative who did not give them. recent: doses of the
    book that the reader may see and that lie within the campaign's interval."""

    screening_form: str
    screening_version: int
    screening_confirmed: bool
    advice: list[ScreeningAdvice]
    answers: list[ScreeningAnswer] | None
    note: str | None
    recent: list[RecentDose]


class ListedRegistration(Struct, frozen=True, kw_only=True):
    """A line of a facility's list of a day, in the order of slots and turns. level: how well the person is
    proven (0: not at all, so look at the card)."""

    registration_id: UUID
    campaign_id: UUID
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    turn: int
    state: BookingState
    person_name: str | None
    birth_date: str | None
    sex: Sex | None
    level: int | None
    by_relative: bool
    verdict: Verdict


class QuestionAnswered(Struct, frozen=True, kw_only=True):
    key: str
    vi: str
    answer: str


class FacilityRegistration(ListedRegistration, frozen=True, kw_only=True):
    """A registration opened by the facility. screening_confirmed false: these are not the ministry's
    questions, and take no examination's place."""

    screening_confirmed: bool
    advice: list[ScreeningAdvice]
    answers: list[QuestionAnswered]
    note: str | None


class VaccinationDay(Struct, frozen=True, kw_only=True):
    """The list of a day. `next` is opaque; null on the last page."""

    day: date
    items: list[ListedRegistration]
    next: str | None
