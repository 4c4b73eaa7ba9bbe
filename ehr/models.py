"""What the record is made of: a row to write, its source, and the reading view of one resource."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from ehr.costs.models import Costs
from ehr.referrals.models import Letter
from kernel.access import RecordType

EffPrecision = Literal["instant", "day", "month", "year"]

Section = Literal[
    "allergies",
    "problems",
    "medications",
    "immunizations",
    "results",
    "vital-signs",
    "procedures",
    "devices",
    "encounters",
    "care-plans",
    "programmes",
    "health-checks",
    "imaging",
    "documents",
    "social",
    "pregnancy",
    "alerts",
    "family-history",
    "other",
]

# How the units of ehr/programmes are called: their facility keeps a paper of its own beside the book.
PROGRAMME_UNIT: Final = "programme:"
# And those of ehr/health_checks; a UUID follows.
CHECK_UNIT: Final = "check:"

State = Literal["verified", "self-declared", "disputed"]

Flag = Literal["normal", "low", "high", "abnormal", "critical", "critical-low", "critical-high"]


class Source(Struct, frozen=True, kw_only=True):
    """Who writes. `source_id` is the owner of the rows (security.md S3): nobody else changes them."""

    source_id: str
    facility_id: UUID | None
    credential: str
    batch: UUID | None = None
    method: str = "import"
    state: State = "verified"


class Referred(Struct, frozen=True):
    """What a reference inside a resource points at: our id, and the title of a Medication."""

    id: str
    title: str = ""


class NewResource(Struct, kw_only=True):
    """One resource as it will be stored: minified raw text, index columns and reading view.

    costs: of a visit, what it cost, kept beside the record; None: the sender's format has none. letter: of a
    referral, where it goes.
    """

    rtype: str
    id: str
    doc: str
    content_sha256: bytes
    record_type: RecordType
    section: Section | None
    eff: datetime | None
    eff_until: datetime | None
    eff_precision: EffPrecision | None
    sort_at: datetime
    active_until: datetime | None
    negative: bool
    flag: int
    code_system: str | None
    code: str | None
    category: str | None
    status: str
    labels: int
    title: str
    title_folded: str
    encounter_id: str | None
    main_id: str | None
    item: str
    body: str | None
    fold_key: bytes | None = None
    refs: str | None = None
    release_at: datetime | None = None
    costs: Costs | None = None
    letter: Letter | None = None


class WriteResult(Struct, frozen=True, kw_only=True):
    """What a write did, counted per resource type."""

    created: dict[str, int]
    updated: dict[str, int]
    unchanged: dict[str, int]
    retracted: dict[str, int]
    head_seq: int


class Range(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The reference range that was valid at this result. low, high: decimal texts. text: as the laboratory
    wrote it."""

    low: str | None = None
    high: str | None = None
    unit: str | None = None
    text: str | None = None


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One component of a result: systolic and diastolic of a blood pressure."""

    title: str
    code: str | None = None
    value: str | None = None
    unit: str | None = None
    range: Range | None = None
    flag: Flag | None = None


class ItemSource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of several senders of the same thing."""

    facility_name: str | None
    date: str | None


class DoneElsewhere(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest result of the same test at another facility, within the days that are looked back."""

    facility_name: str | None
    date: str | None
    value: str | None
    unit: str | None


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a doctor made of a declared entry, as it stood then. date: an instant; the family reads
    the outcome and the day alone."""

    outcome: Literal["confirmed", "refuted"]
    date: str | None = None
    doctor: str | None = None
    facility_name: str | None = None
    note: str | None = None


class Item(Struct, kw_only=True, omit_defaults=True):
    """The reading view of one resource. `date` is text as the source gave it, never completed.

    Quantities are decimal texts with their zeros. Absent fields are not sent. hidden: by the person, who
    alone sees it; not_yet_released: the person does not see it yet; disputed: the person says that it is
    wrong; sources: of what several senders sent. self_declared: the person or a relative said it
    (recorded_by: who), and verdict what a doctor made of it; the entry itself stays as it was said.
    """

    id: str
    kind: RecordType
    title: str
    status: str
    date: str | None = None
    date_precision: EffPrecision | None = None
    end_date: str | None = None
    code: str | None = None
    code_system: str | None = None
    display: str | None = None
    category: str | None = None
    facility_name: str | None = None
    recorded_by: str | None = None
    self_declared: bool = False
    # results
    value: str | None = None
    unit: str | None = None
    range: Range | None = None
    flag: Flag | None = None
    notice_vi: str | None = None
    parts: list[Part] = []
    # allergies
    criticality: str | None = None
    reactions: list[str] = []
    # medicines
    dosage: list[str] = []
    course_end: str | None = None
    # medicines of an e-prescription: how far the line was dispensed, and on which day last
    prescription_id: str | None = None
    prescription_line: int | None = None
    dispensed: Literal["partly", "wholly"] | None = None
    last_dispensed: str | None = None
    # immunizations
    dose_number: str | None = None
    lot_number: str | None = None
    # encounters, plans, reports, documents
    main_diagnosis: str | None = None
    reasons: list[str] = []
    lines: list[str] = []
    text: str | None = None
    next_visit_on: str | None = None
    content_type: str | None = None
    # imaging: DICOM modality, body sites and our ids of key pictures among the documents
    modality: str | None = None
    modality_vi: str | None = None
    body_sites: list[str] = []
    pictures: list[str] = []
    has_viewer: bool = False
    # added when it is read
    hidden: bool = False
    not_yet_released: bool = False
    disputed: bool = False
    sources: list[ItemSource] = []
    verdict: Verdict | None = None
    done_elsewhere: DoneElsewhere | None = None
