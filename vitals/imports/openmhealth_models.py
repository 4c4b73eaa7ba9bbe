"""Bodies and headers of Open mHealth, and the shapes Granola gives to what HealthKit exports.

Words that a schema lists are types here, so that another word is refused. Where two versions of a schema
differ, both are taken, except what openmhealth.py asks for by version.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]
Activity = Literal["at rest", "active", "before exercise", "after exercise", "during exercise"]
Statistic = Literal[
    "average",
    "count",
    "lower quartile",
    "maximum",
    "median",
    "minimum",
    "quartile deviation",
    "standard deviation",
    "sum",
    "upper quartile",
    "variance",
]


class UnitValue(Struct):
    value: float
    unit: str


class Span(Struct):
    """Two of start, end and duration; or a day and a part of it, which is no time."""

    start_date_time: Time | None = None
    end_date_time: Time | None = None
    duration: UnitValue | None = None
    date: str | None = None
    part_of_day: str | None = None


class Frame(Struct):
    """One of the two."""

    date_time: Time | None = None
    time_interval: Span | None = None


class Body(Struct):
    """Every field that the adapter knows of any schema."""

    effective_time_frame: Frame | None = None
    blood_glucose: UnitValue | None = None
    systolic_blood_pressure: UnitValue | None = None
    diastolic_blood_pressure: UnitValue | None = None
    body_temperature: UnitValue | None = None
    body_weight: UnitValue | None = None
    heart_rate: UnitValue | None = None
    oxygen_saturation: UnitValue | None = None
    respiratory_rate: UnitValue | None = None
    step_count: int | UnitValue | None = None
    rr_interval: UnitValue | None = None
    total_sleep_time: UnitValue | None = None
    descriptive_statistic: Statistic | None = None
    blood_specimen_type: Literal["serum", "plasma", "whole blood"] | None = None
    specimen_source: (
        Literal["interstitial fluid", "capillary blood", "plasma", "serum", "tears", "whole blood"] | None
    ) = None
    temporal_relationship_to_meal: str | None = None
    temporal_relationship_to_sleep: str | None = None
    temporal_relationship_to_physical_activity: Activity | None = None
    measurement_location: str | None = None


class SchemaId(Struct, frozen=True):
    """namespace: omh or granola. version: `major.minor`."""

    namespace: str
    name: str
    version: str


class Provenance(Struct):
    source_name: str
    modality: Literal["sensed", "self-reported"] | None = None


class Header(Struct):
    id: UUID
    creation_date_time: Time
    schema_id: SchemaId
    acquisition_provenance: Provenance | None = None
    user_id: str | None = None


class Metadata(Struct):
    key: str
    value: str | float


class QuantitySample(Struct):
    """One of unit_value and count."""

    quantity_type: Annotated[str, Meta(pattern="^HKQuantityTypeIdentifier")]
    effective_time_frame: Frame
    unit_value: UnitValue | None = None
    count: float | None = None
    metadata: list[Metadata] = []


class CategorySample(Struct):
    category_type: Annotated[str, Meta(pattern="^HKCategoryTypeIdentifier")]
    category_value: str
    effective_time_frame: Frame
    metadata: list[Metadata] = []


class Correlation(Struct):
    correlation_type: Literal["HKCorrelationTypeIdentifierFood", "HKCorrelationTypeIdentifierBloodPressure"]
    effective_time_frame: Frame
    quantity_samples: list[QuantitySample] = []
    category_samples: list[CategorySample] = []
    metadata: list[Metadata] = []


class Seconds(Struct):
    value: float
    unit: Literal["sec"]


class Workout(Struct):
    activity_name: str
    effective_time_frame: Frame
    duration: Seconds | None = None
    metadata: list[Metadata] = []


class DataPoint(Struct):
    header: Header
    body: dict[str, Any]
