"""A person with prescriptions, two pharmacies and a worker whose clock stands still until it is moved."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from healthbook.worker import Worker
from identity.models import Facility
from kernel.clock import VIETNAM
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import (
    Citizen,
    Doctor,
    Machine,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    renew_session,
    sign_in_again,
)
from tests.support.prescriptions import national, new_code

SEND = "/v1/facility/prescriptions"
OURS = ("medicine-due", "reminder-question", "prescription-lapsing", "refill-due", "dependent-reminder")


def drug(dose: str, amount: int | str = 10, name: str = "Zinzol 5 mg", unit: str = "viên") -> dict[str, Any]:
    return {"ten_thuoc": name, "don_vi_tinh": unit, "so_luong": amount, "cach_dung": dose}


@dataclass
class Reminding:
    store: Store
    owner: Store
    delivery: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    citizen: Citizen
    clinic: Facility
    pharmacists: list[Doctor]
    dispenses: list[str] = field(default_factory=list)
    clinic_code: str = "25366"
    # The credentials that sent, in order.
    machines: list[str] = field(default_factory=list)

    async def send(
        self, *drugs: dict[str, Any], replaces: str | None = None, code: str | None = None, **more: Any
    ) -> str:
        """A prescription of the clinic, written now. Returns its code."""
        code = code or new_code(self.clinic_code)
        issued = self.clock.now().astimezone(VIETNAM)
        body: dict[str, Any] = {
            "prescription": national(
                self.citizen,
                code,
                thong_tin_don_thuoc=list(drugs),
                ngay_gio_ke_don=f"{issued:%Y-%m-%d %H:%M:%S}",
                ngay_tai_kham="",
                **more,
            )
        }
        if replaces is not None:
            body["replaces"] = replaces
        machine = await self._machine()
        answer = await self.client.post(SEND, json=body, headers=bearer(machine.token))
        assert answer.status_code == 202, answer.text
        await self.work()
        return code

    async def withdraw(self, code: str) -> None:
        machine = await self._machine()
        answer = await self.client.post(
            f"{SEND}/withdraw", json={"code": code}, headers=bearer(machine.token)
        )
        assert answer.status_code < 300, answer.text
        await self.work()

    async def _machine(self) -> Machine:
        machine = await make_machine(self.store, self.clock, self.clinic)
        self.machines.append(str(machine.actor.actor_id))
        return machine

    async def look_up(self, code: str) -> httpx.Response:
        pharmacist = self.pharmacists[0]
        await sign_in_again(self.store, self.clock, pharmacist)
        return await self.client.post(
            f"{SEND}/look-up", json={"code": code}, headers=bearer(pharmacist.token)
        )

    async def take_back(self, code: str, by: int = 0) -> None:
        """All that this pharmacy handed out of it last."""
        pharmacist = self.pharmacists[by]
        await sign_in_again(self.store, self.clock, pharmacist)
        body = {"code": code, "dispense_id": self.dispenses[-1]}
        path = f"{SEND}/dispenses/take-back"
        answer = await self.client.post(path, json=body, headers=bearer(pharmacist.token))
        assert answer.status_code < 300, answer.text
        await self.work()

    async def dispense(self, code: str, *lines: tuple[int, str], by: int = 0, work: bool = True) -> None:
        pharmacist = self.pharmacists[by]
        await sign_in_again(self.store, self.clock, pharmacist)
        body = {"code": code, "lines": [{"line": line, "quantity": amount} for line, amount in lines]}
        answer = await self.client.post(f"{SEND}/dispenses", json=body, headers=bearer(pharmacist.token))
        assert answer.status_code == 201, answer.text
        self.dispenses.append(answer.json()["dispense_id"])
        if work:
            await self.work()

    def worker(self) -> Worker:
        senders = Senders(RecordingPushSender(), RecordingSmsSender())
        return Worker(self.store, self.delivery, senders, self.clock)

    async def work(self) -> None:
        worker = self.worker()
        while await worker.run_once():
            pass

    async def until(self, at: datetime) -> None:
        """Let time go by as a worker sees it that is always there: from one timer to the next."""
        await self.work()
        while True:
            row = await self._row(
                "SELECT min(due_at) FROM due_queue WHERE due_at > $1 AND due_at <= $2", self.clock.now(), at
            )
            if row[0] is None:
                break
            self.clock.set(row[0])
            await self.work()
        self.clock.set(at)
        await self.work()

    async def told(
        self, *types: str, patient_id: UUID | None = None, repeats: bool = False
    ) -> list[tuple[str, str]]:
        """(type, local day and minute) of the notices of ours, oldest first. repeats: also those of times
        that nobody answered, which tests of something else leave out."""
        rows = await self._rows(
            "SELECT type, created_at FROM notification WHERE patient_id = $1 AND type = ANY($2::text[])"
            " AND ($3 OR dedupe_key NOT LIKE '%:again') ORDER BY created_at, type",
            patient_id or self.citizen.patient_id,
            list(types or OURS),
            repeats,
        )
        return [(row[0], f"{row[1].astimezone(VIETNAM):%d %H:%M}") for row in rows]

    async def outcomes(self) -> list[tuple[str, str]]:
        rows = await self._rows(
            "SELECT due_at, outcome FROM reminder_occurrence WHERE patient_id = $1 ORDER BY due_at",
            self.citizen.patient_id,
        )
        return [(f"{row[0].astimezone(VIETNAM):%d %H:%M}", row[1]) for row in rows]

    async def reminders(self, token: str | None = None, **headers: str) -> list[dict[str, Any]]:
        token = token or await renew_session(self.store, self.clock, self.citizen)
        answer = await self.client.get("/v1/me/reminders", headers=bearer(token) | headers)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def change(self, reminder_id: str, **body: Any) -> httpx.Response:
        token = await renew_session(self.store, self.clock, self.citizen)
        path = f"/v1/me/reminders/{reminder_id}"
        if "act" in body:
            return await self.client.post(f"{path}/acts", json=body, headers=bearer(token))
        return await self.client.put(f"{path}/times", json=body, headers=bearer(token))

    async def _rows(self, sql: str, *args: object) -> list[Any]:
        async with self.owner.transaction() as tx:
            return list(await tx.fetch(sql, *args))

    async def _row(self, sql: str, *args: object) -> Any:
        return (await self._rows(sql, *args))[0]


async def make_reminding(
    store: Store, owner: Store, delivery: Store, clock: FrozenClock, client: httpx.AsyncClient, **person: Any
) -> Reminding:
    clinic = await make_facility(store, clock, Reminding.clinic_code)
    pharmacies = [await make_facility(store, clock, name=f"Nhà thuốc {name}") for name in ("Một", "Hai")]
    return Reminding(
        store=store,
        owner=owner,
        delivery=delivery,
        clock=clock,
        client=client,
        citizen=await make_citizen(store, clock, **person),
        clinic=clinic,
        pharmacists=[await make_doctor(store, clock, one, role="pharmacist") for one in pharmacies],
    )


async def set_day(here: Reminding, **times: str) -> None:
    """The person's meal times, of which these are others than ours."""
    ours = {
        "breakfast": "07:00",
        "lunch": "12:00",
        "afternoon": "17:00",
        "dinner": "20:00",
        "bedtime": "21:30",
    }
    token = await renew_session(here.store, here.clock, here.citizen)
    path = "/v1/me/reminders/settings"
    answer = await here.client.put(path, json=ours | times, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    await here.work()
