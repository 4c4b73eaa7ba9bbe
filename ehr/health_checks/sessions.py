"""A whole session by file: a class, a factory. Its columns are the person's, the check's and the form's."""

from datetime import date, datetime
from typing import Final

from msgspec.structs import replace

from ehr.entry.service import Desk
from ehr.health_checks.mapping import check_id_of, id_in, unit_of
from ehr.health_checks.models import FieldShown, Filled, FormShown, FormsShown
from ehr.health_checks.service import ENTERED, entered_by, keep
from ehr.health_checks.templates import CheckForm, CheckKind, Place, forms, places_of
from ehr.intake.models import Reason, Unit
from ehr.rows.models import Column, Row, RowKind
from ehr.rows.person import PERSON_COLUMNS, fhir_day, person_of
from kernel.clock import Clock
from store.database import Tx

KIND: Final = "health-check/"
_NO_DAY: Final = date(1900, 1, 1)
CHECK_COLUMNS: Final = (
    Column("check_number", "Số phiếu khám", is_required=True, length_max=60),
    Column("done_on", "Ngày khám", length_max=10),
    Column("health_class", "Phân loại sức khỏe", length_max=100),
    Column("conclusion", "Kết luận", length_max=2000),
    Column("valid_until", "Có giá trị đến", length_max=10),
)


def columns_of(form: CheckForm) -> tuple[Column, ...]:
    own = [Column(one.name, _title(one), length_max=one.field.length_max) for one in places_of(form)]
    return (*PERSON_COLUMNS, *CHECK_COLUMNS, *_with_own_titles(own))


def _title(place: Place) -> str:
    return f"{place.field.title} {place.number}" if place.number else place.field.title


def _with_own_titles(columns: list[Column]) -> list[Column]:
    """A title that another column has too stands for none; the name does."""
    taken = [column.title for column in (*PERSON_COLUMNS, *CHECK_COLUMNS, *columns)]
    return [
        column if taken.count(column.title) == 1 else Column(column.name, length_max=column.length_max)
        for column in columns
    ]


def session_of(form: CheckForm, kind: CheckKind, done_on: date | None, desk: Desk, clock: Clock) -> RowKind:
    """How the rows of one session are taken in. done_on: the day of rows that name none."""
    by = entered_by(desk.actor, desk.facility.name)

    def make(row: Row) -> Unit:
        faults: list[Reason] = []
        filled = _filled(row, form, kind, done_on, faults)
        check_id = check_id_of(desk.facility.facility_id, kind, filled.done_on, filled.number)
        return unit_of(filled, check_id, by, clock.now(), faults)

    async def note(tx: Tx, unit: Unit, now: datetime) -> Reason | None:
        kept = await keep(tx, replace(desk, now=now), unit)
        return Reason("health-check-withdrawn", "check_number") if kept is None else None

    day = done_on.isoformat() if done_on else ""
    return RowKind(
        name=f"{KIND}{kind}/{form.form}.{form.version}/{day}",
        columns=columns_of(form),
        unit_of=make,
        action=ENTERED,
        id_of=id_in,
        beside=note,
    )


def _filled(row: Row, form: CheckForm, kind: CheckKind, done_on: date | None, faults: list[Reason]) -> Filled:
    day = _day(row, "done_on", faults) or done_on
    if day is None and not row.text("done_on"):
        faults.append(Reason("missing-field", "done_on"))
    ours = {column.name for column in (*PERSON_COLUMNS, *CHECK_COLUMNS)}
    return Filled(
        form=form,
        kind=kind,
        number=row.text("check_number"),
        # Whatever stands for a day that is missing: the row is refused for it.
        done_on=day or _NO_DAY,
        person=person_of(row, faults),
        values={name: text for name, text in row.fields.items() if name not in ours},
        health_class=row.text("health_class") or None,
        conclusion=row.text("conclusion") or None,
        valid_until=_day(row, "valid_until", faults),
    )


def _day(row: Row, column: str, faults: list[Reason]) -> date | None:
    text = row.text(column)
    if not text:
        return None
    day = fhir_day(text)
    if day is None or len(day) != 10:
        faults.append(Reason("bad-date", column))
        return None
    return date.fromisoformat(day)


def forms_shown() -> FormsShown:
    """Every form that a check may be filled in on, with the headings of a session's table."""
    return FormsShown(forms=[_shown(form) for _, form in sorted(forms().items())])


def _shown(form: CheckForm) -> FormShown:
    columns = columns_of(form)
    return FormShown(
        form=form.form,
        version=form.version,
        title=form.title,
        source=form.source,
        note=form.note,
        kinds=form.kinds,
        fields=[_field_shown(place) for place in places_of(form)],
        columns=[column.name for column in columns],
        required_columns=[column.name for column in columns if column.is_required],
    )


def _field_shown(place: Place) -> FieldShown:
    field = place.field
    bounds = field.plausible
    return FieldShown(
        name=place.name,
        title=_title(place),
        type=field.type,
        section=place.section.title,
        unit=field.unit,
        is_required=field.is_required,
        plausible=f"{bounds.low}–{bounds.high}" if bounds else "",
        choices={one.code: one.title for one in field.choices},
        length_max=field.length_max,
    )
