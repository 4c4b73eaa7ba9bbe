"""The others in the play of the reference client: doctor, desk and SMS, and what is true afterwards."""

import asyncio
import json
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from healthbook.demo_sheet import DemoCitizen
from qr.points import poster_code
from store.keys import KeyRing
from tests.journeys.conftest import People
from tests.journeys.test_main_path import LETTERS, wait_for_sms
from tests.journeys.test_prescription import HOSPITAL, drug, hand_out, ring_now, send
from tests.support.client import Api
from tests.support.faults import BadNetwork
from tests.support.service import Service, rows

APP_VERSION = "android/2.4.1"
STATEMENTS = 6
STATION = "99D02"
DOCTOR, NURSE = "bs.nam", "dd.hoa"
PLAY_SECONDS = 240
# Of the first requests to a path, whatever the seed: every fault meets something that creates.
CERTAIN = {
    "POST /v1/auth/sign-in/verify": ("unheard",),
    "POST /v1/auth/refresh": ("unheard", "broken-after"),
    "POST /v1/me/statements": (
        "lost",
        "unheard",
        "cut",
        "twice",
        "broken",
        "broken-after",
        "refused",
        "late",
    ),
    "POST /v1/me/appointments": ("unheard", "twice"),
    "POST /v1/me/appointments/*/confirm": ("cut",),
    "POST /v1/me/access-requests/scan": ("twice",),
    "POST /v1/me/access-requests/*/approve": ("unheard", "broken-after", "twice"),
    "DELETE /v1/me/grants/*": ("unheard", "twice"),
    "POST /v1/me/vitals/batches": ("unheard", "cut", "twice", "broken-after"),
    "POST /v1/me/check-ins": ("broken-after", "twice"),
    "POST /v1/me/reminders/answers": ("unheard",),
}


def network_of(service: str, seed: int) -> BadNetwork:
    """Three messages an hour go to a phone, so asking for letters is spared what nobody could repeat; but the
    first answer with a session is lost always, and what CERTAIN says befalls each writing path."""
    return BadNetwork(service, seed, calm=("/v1/auth/sign-in",), certain=CERTAIN)


@dataclass
class Stage:
    """Answers what the client's script asks. `network`: where the client believes the service to be."""

    api: Api
    people: People
    service: Service
    citizen: DemoCitizen
    network: BadNetwork
    grants: list[str] = field(default_factory=list)
    ended: dict[str, Any] = field(default_factory=dict)
    letters: str = ""
    prescription: str = ""

    def answer(self, asked: dict[str, Any]) -> Any:
        what = asked.pop("what").replace("-", "_")
        return getattr(self, f"on_{what}")(**asked)

    def on_play(self) -> dict[str, Any]:
        keys = self.api.ask("GET", "/.well-known/qr-keys.json")["keys"]
        device = self.citizen.device
        return {
            "baseUrl": self.network.base_url,
            "appVersion": APP_VERSION,
            "qrKeys": {key["kid"]: key["x"] for key in keys},
            "citizen": {
                "patient_id": self.citizen.patient_id,
                "number": self.citizen.number,
                "device": {name: getattr(device, name) for name in device.__struct_fields__},
            },
            "newcomer": {"number": self.citizen.number, "pin": self.citizen.pin},
            "statements": STATEMENTS,
        }

    def on_letters(self) -> dict[str, str]:
        """The newest letters, and never those of an earlier try."""
        deadline = time.monotonic() + 10
        before = self.letters
        while self.letters == before and time.monotonic() < deadline:
            time.sleep(0.5)
            self.letters = wait_for_sms(self.api, self.citizen.phone, LETTERS)
        return {"letters": self.letters}

    def on_record_comes_in(self) -> dict[str, str]:
        one = drug("1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]", 10)
        self.prescription = send(self.api, self.people.machine(HOSPITAL), self.citizen, one)
        return {"title": str(one["ten_thuoc"])}

    def on_doctor_asks(self, qr: str) -> dict[str, Any]:
        opened = self.people.staff(DOCTOR).ask("citizen-qr", qr)
        return {"request_id": opened["request_id"], **opened["display"]}

    def on_doctor_types(self, request_id: str, digits: str, **_: str) -> dict[str, Any]:
        verdict: dict[str, Any] = self.people.staff(DOCTOR).type_code(request_id, digits)
        return verdict

    def on_doctor_reads(self, patient_id: str, grant_id: str) -> None:
        assert self.people.staff(DOCTOR).read(patient_id)["sections"]
        self.grants.append(grant_id)

    def on_doctor_is_refused(self, patient_id: str) -> None:
        self.people.staff(DOCTOR).read(patient_id, expect=403)

    def on_free_slot(self) -> dict[str, str]:
        nurse, reason = self.people.staff(NURSE), {"reason": "lịch khám của khoa"}
        name = {"name": f"Khám {uuid4().hex[:6]}"}
        plan = nurse.post("/v1/facility/schedules", reason | name, 201)
        starts = datetime.now(UTC) + timedelta(days=3)
        slot = {
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(),
            "capacity": 5,
        }
        path = f"/v1/facility/schedules/{plan['schedule_id']}/slots"
        made = nurse.post(path, {"slots": [slot]}, 201)
        return {
            "facility_id": made["facility_id"],
            "schedule_id": made["schedule_id"],
            "slot_id": made["slots"][0]["slot_id"],
        }

    def on_counter(self) -> dict[str, str]:
        nurse = self.people.staff(NURSE)
        counter = nurse.get("/v1/facility/counters")["items"][0]
        screen = nurse.get(f"/v1/facility/counters/{counter['counter_id']}/screen")
        return {"screen": screen["qr"], "poster": self._poster()}

    def on_handed_out(self) -> dict[str, str]:
        hand_out(self.people.staff("ds.kim"), self.prescription, "10")
        return {"prescription": "Zinzol"}

    def on_rings(self, reminder_id: str) -> dict[str, str]:
        """Its next time was a minute ago, and the worker has come to it."""
        return {"due_at": asyncio.run(self._rung(reminder_id)).isoformat()}

    async def _rung(self, reminder_id: str) -> datetime:
        due = await ring_now(self.service, reminder_id)
        for _ in range(300):
            found = await rows(
                self.service,
                "SELECT due_at FROM reminder_occurrence WHERE reminder_id = $1::uuid AND due_at = $2",
                reminder_id,
                due,
            )
            if found:
                return due
            await asyncio.sleep(0.1)
        raise AssertionError("the worker did not come to it")

    def on_rooted(self) -> None:
        """A public root stands over all that was written until now."""
        asyncio.run(self._rooted())

    async def _rooted(self) -> None:
        newest = "SELECT count(*) FROM audit_root"
        ((before,),) = await rows(self.service, newest)
        await rows(self.service, "UPDATE due_queue SET due_at = now() WHERE kind = 'audit-roots'")
        for _ in range(300):
            ((now,),) = await rows(self.service, newest)
            if now > before:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the worker made no root")

    def _poster(self) -> str:
        """Of another facility: what stands in the poster's picture; the PDF itself is read by other tests."""
        keys = KeyRing.load(self.service.data / "keys")
        return poster_code(keys, STATION, "TD-1", datetime.now(UTC)).qr

    def on_end(self, **said: Any) -> None:
        self.ended = said


def play(script: Path, stage: Stage) -> None:
    """Run the client's script to its end, answering it."""
    with subprocess.Popen(
        ["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stderr is not None
        deadline = time.monotonic() + PLAY_SECONDS
        try:
            for line in client.stdout:
                assert time.monotonic() < deadline, "the play did not end"
                client.stdin.write(json.dumps(stage.answer(json.loads(line))).encode() + b"\n")
                client.stdin.flush()
            assert client.wait(30) == 0, client.stderr.read().decode()[-4000:]
        finally:
            client.kill()
