"""A demo and a running service (two API processes, a worker) for each file of journeys, and for no other.

The sheet holds one refresh token for each phone, a one-time password works once, and a day's budgets are a
person's: whoever one file used up would be missing in the next.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from healthbook.demo_sheet import DemoSheet, load_sheet
from tests.support.client import Api, App, Machine, Staff
from tests.support.cluster import CITUS_URL, move_to_cluster
from tests.support.service import Service, start_service


@pytest.fixture(scope="module")
def sheet(place: Path) -> DemoSheet:
    return load_sheet(place / "demo.json")


# With a cluster at hand every journey is gone a second time there, after the move from one machine.
_WHERE = [pytest.param("cluster", marks=pytest.mark.citus)] if CITUS_URL else []


@pytest.fixture(scope="module", params=["one machine", *_WHERE] if CITUS_URL else None)
def service(place: Path, request: pytest.FixtureRequest) -> Iterator[Service]:
    if getattr(request, "param", "one machine") == "cluster":
        move_to_cluster(place)
    running = start_service(place, workers=2)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def api(service: Service) -> Api:
    return Api(service.base_url)


class People:
    """Everybody of the sheet, signed in when first asked for (a one-time password works once)."""

    def __init__(self, api: Api, sheet: DemoSheet) -> None:
        self.api, self.sheet = api, sheet
        self._staff: dict[str, Staff] = {}
        self._apps: dict[str, App] = {}

    def staff(self, username: str) -> Staff:
        if username not in self._staff:
            everybody = [*self.sheet.practitioners, *self.sheet.desk_staff, *self.sheet.administrators]
            card = next(one for one in everybody if one.username == username)
            self._staff[username] = Staff.sign_in(self.api, card)
        return self._staff[username]

    def app(self, key: str) -> App:
        if key not in self._apps:
            citizen = next(one for one in self.sheet.citizens if one.key == key)
            self._apps[key] = App.of_sheet(self.api, citizen)
        return self._apps[key]

    def machine(self, facility_code: str) -> Machine:
        found = next(one for one in self.sheet.facility_systems if one.facility_code == facility_code)
        return Machine.sign_in(self.api, found)


@pytest.fixture(scope="module")
def people(api: Api, sheet: DemoSheet) -> People:
    return People(api, sheet)
