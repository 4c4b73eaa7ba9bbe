"""The demo's directory: where its invented facilities are, when they are open, which departments."""

from datetime import datetime
from pathlib import Path
from typing import Final

from healthbook.demo_accounts import granted
from identity.models import Facility
from identity.units import service as units
from identity.units.models import Department
from store.database import Store
from visits.directory.models import Details, Hours, Opening
from visits.directory.service import follow_units, set_details
from visits.places.reading import read_places
from visits.places.service import keep

_PLACES: Final = Path(__file__).parent / "samples" / "places_SAMPLE.csv"
_WEEKDAYS: Final = [1, 2, 3, 4, 5]
_OFFICE: Final = Hours(
    openings=[
        Opening(days=_WEEKDAYS, opens="07:00", closes="11:30"),
        Opening(days=_WEEKDAYS, opens="13:30", closes="16:30"),
    ]
)
# Invented as their addresses are: three points a few kilometres apart.
DETAILS: Final = {
    "hospital": Details(
        address="Số 1 đường Ví Dụ, Phường Mẫu Đơn",
        commune_code="MAU-A-2",
        latitude=20.95,
        longitude=105.95,
        phone="02400000101",
        specialties=["general-practice", "emergency-medicine"],
        hours=Hours(openings=_OFFICE.openings, emergency_always=True),
    ),
    "station": Details(
        address="Thôn Ví Dụ, Xã Mẫu Sơn",
        commune_code="MAU-A-1",
        former_commune_code="MAU-1-1-1",
        latitude=20.99,
        longitude=105.91,
        phone="02400000202",
        specialties=["general-practice", "vaccination"],
        hours=_OFFICE,
    ),
    "clinic": Details(
        address="Số 7 phố Minh Họa, Phường Mẫu Hải",
        commune_code="MAU-A-2",
        former_commune_code="MAU-1-1-2",
        latitude=20.93,
        longitude=105.99,
        phone="02400000303",
        specialties=["dentistry"],
        hours=Hours(openings=[Opening(days=[*_WEEKDAYS, 6, 7], opens="17:00", closes="20:30")]),
    ),
}
DEPARTMENTS: Final = (
    Department(name="Khoa Khám bệnh", specialty="general-practice"),
    Department(name="Khoa Nội tổng hợp", specialty="internal-medicine"),
    Department(name="Khoa Nhi", specialty="paediatrics"),
    # Sensitive by its name: family and lock screens read the other one.
    Department(name="Khoa Tâm thần", specialty="psychiatry", discreet_name="Phòng khám số 7"),
)


async def list_facilities(
    store: Store, facilities: dict[str, Facility], since: datetime, now: datetime
) -> None:
    """What the directory says of the demo's three facilities, and units before and after the reform: the
    sample's, each of which says that it is not true."""
    read = read_places(_PLACES)
    assert not read.bad, read.bad
    async with store.transaction() as tx:
        await keep(tx, read.places)
        for department in DEPARTMENTS:
            granted(await units.open_department(tx, facilities["hospital"].facility_id, department, since))
        for key, details in DETAILS.items():
            granted(await set_details(tx, facilities[key].facility_id, details, now))
        await follow_units(tx, facilities["hospital"].facility_id)
