"""The parts of FHIR R4 that are read of somebody else's Observation; everything else is passed over."""

from msgspec import Raw, Struct


class Coding(Struct, frozen=True):
    system: str = ""
    code: str = ""


class Concept(Struct, frozen=True):
    coding: tuple[Coding, ...] = ()


class Reference(Struct, frozen=True):
    reference: str = ""


class Identifier(Struct, frozen=True):
    system: str = ""
    value: str = ""


class Meta(Struct, frozen=True, rename="camel"):
    version_id: str = ""


class Extension(Struct, frozen=True, rename="camel"):
    url: str
    value_code: str | None = None


class Quantity(Struct, frozen=True):
    value: float | None = None
    unit: str = ""
    code: str = ""


class Period(Struct, frozen=True):
    start: str = ""
    end: str = ""


class SampledData(Struct, frozen=True):
    origin: Quantity
    period: float
    dimensions: int
    data: str = ""
    factor: float = 1


class Component(Struct, frozen=True, rename="camel"):
    code: Concept
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None


class Observation(Struct, frozen=True, rename="camel"):
    status: str
    code: Concept
    id: str = ""
    meta: Meta = Meta()
    identifier: tuple[Identifier, ...] = ()
    extension: tuple[Extension, ...] = ()
    effective_date_time: str | None = None
    effective_period: Period | None = None
    value_quantity: Quantity | None = None
    value_sampled_data: SampledData | None = None
    value_date_time: str | None = None
    component: tuple[Component, ...] = ()
    device: Reference | None = None
    performer: tuple[Reference, ...] = ()


class Name(Struct, frozen=True):
    name: str = ""


class Specialization(Struct, frozen=True, rename="camel"):
    system_type: Concept


class Device(Struct, frozen=True, rename="camel"):
    id: str = ""
    identifier: tuple[Identifier, ...] = ()
    type: Concept = Concept()
    specialization: tuple[Specialization, ...] = ()
    device_name: tuple[Name, ...] = ()
    manufacturer: str = ""
    model_number: str = ""


class Resource(Struct, frozen=True, rename="camel"):
    """Of any kind; `-`: it names none."""

    resource_type: str = "-"


class Document(Struct, frozen=True, rename="camel"):
    """entry: of a Bundle, each as it stands."""

    resource_type: str = ""
    entry: list[Raw] = []


class Entry(Struct, frozen=True, rename="camel"):
    full_url: str = ""
    resource: Raw = Raw(b"{}")
