"""Somebody of the demo for every word of docs/roles.md, signed in anew whenever a test asks: who wanders
through all operations signs out, changes PINs and ends sessions on the way."""

from dataclasses import dataclass, field
from uuid import UUID

from healthbook.demo_sheet import DemoSheet
from identity import practitioners, sessions
from identity.register import queries as register
from store.database import Store
from tests.support.actors import ROLES, open_operator_session
from tests.support.clock import FrozenClock
from tests.support.oauth import make_partner, open_app
from tests.support.people import make_doctor, make_facility

# Whoever asks at every door comes to each of them.
AT_EVERY_DOOR = {"quota_per_minute": 10_000}


@dataclass
class Cast:
    """Who calls. All staff and machines are of one facility of the demo and know the same patients."""

    store: Store
    clock: FrozenClock
    sheet: DemoSheet
    staff: dict[str, tuple[UUID, UUID]] = field(default_factory=dict)
    lasting: dict[str, str] = field(default_factory=dict)
    operator: UUID | None = None
    turned: int = 0

    async def begin(self) -> None:
        """Enter whom the demo does not have. Credentials are hashed here and never again."""
        sheet = self.sheet
        code = sheet.practitioners[0].facility_code
        facility = await make_facility(self.store, self.clock, code)
        for one in [*sheet.practitioners, *sheet.desk_staff, *sheet.administrators]:
            if one.facility_code == code:
                self.staff.setdefault(one.role, (UUID(one.practitioner_id), UUID(one.practitioner_role_id)))
        for role in ROLES:
            if role not in self.staff:
                made = await make_doctor(self.store, self.clock, facility, role=role)
                self.staff[role] = made.practitioner_id, made.practitioner_role_id
        prepared = await practitioners.prepare_credential(self.store.keys, self.clock.now())
        self.operator = prepared.actor_id
        async with self.store.transaction() as tx:
            now = self.clock.now()
            await register.INSERT_OPERATOR.one(tx, prepared.actor_id, "operator.cast", "Người vận hành", now)
            await practitioners.keep_credential(tx, self.store.keys, prepared, now)
        partner = await make_partner(self.store, self.clock, **AT_EVERY_DOOR)
        self.lasting["partner"] = (await partner.opened(self.store)).token
        self.lasting["app"] = await open_app(self.store, self.clock, **AT_EVERY_DOOR)

    async def turn(self) -> dict[str, str]:
        """Actor word → access token of a new session; the citizen is another one each time."""
        assert self.operator is not None
        citizen = self.sheet.citizens[self.turned % len(self.sheet.citizens)]
        self.turned += 1
        now, code = self.clock.now(), self.sheet.practitioners[0].facility_code
        tokens = dict(self.lasting)
        async with self.store.transaction() as tx:
            patient_id, device_id = UUID(citizen.patient_id), UUID(citizen.device.device_id)
            tokens["citizen"] = (
                await sessions.open_citizen_session(tx, patient_id, device_id, now)
            ).access_token
            for role, (practitioner_id, role_id) in self.staff.items():
                opened = await sessions.open_staff_session(tx, practitioner_id, "practitioner", role_id, now)
                tokens[role] = opened.access_token
            for client in (*self.sheet.facility_systems, *self.sheet.kiosks):
                if client.facility_code == code:
                    opened = await sessions.open_client_session(tx, UUID(client.client_id), client.kind, now)  # type: ignore[arg-type]
                    tokens[client.kind] = opened.access_token
            tokens["operator"] = await open_operator_session(tx, self.operator, self.clock)
        return tokens
