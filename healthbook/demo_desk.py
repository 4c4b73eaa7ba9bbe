"""The sheet of a demo for its own pages, and its phones at work (api/pages/demo_people.py).

A phone asks over HTTP, as `healthbook as` does, with the same session beside the data: a refresh token serves
once, so both take turns and neither signs the other out.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from api.pages.demo_people import DemoKiosk, DemoOwner, DemoPeople, DemoWorker
from healthbook.demo_acts import HandError
from healthbook.demo_hand import SHEET, Hand, own_turn
from healthbook.demo_sheet import DemoCitizen, DemoPractitioner, DemoSheet, load_sheet
from healthbook.settings import Settings
from identity.practitioners import TOTP_SECONDS, totp_at

# What each of the cast is an example of (healthbook/demo_people.py).
SAYS: Final = {
    "hung": ("Đái tháo đường, dị ứng penicilin", "Diabetes, allergic to penicillin"),
    "lan": ("Tăng huyết áp", "High blood pressure"),
    "minh": ("Gút, dị ứng tôm cua", "Gout, allergic to shellfish"),
    "huong": ("Đang mang thai; mở được sổ của con gái", "Pregnant; may open her daughter's book"),
    "tu": ("Bệnh tim, chỉ rõ năm sinh", "Heart disease, known by year of birth alone"),
    "pao": ("Đau dạ dày, sống ở vùng cao", "Stomach pain, lives in the highlands"),
}


class SheetDesk:
    """Reads the sheet at each question: a demo is made after its program was started, too."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data / SHEET
        self._sessions = settings.data / "sessions"
        self._base_url = settings.base_url

    def people(self, now: datetime) -> DemoPeople | None:
        """None where there is no sheet."""
        sheet = self._sheet()
        if sheet is None:
            return None
        step = int(now.timestamp()) // TOTP_SECONDS + 1
        staff = (*sheet.practitioners, *sheet.desk_staff, *sheet.administrators)
        return DemoPeople(
            owners=[_owner(one) for one in sheet.citizens],
            workers=[_worker(one, now) for one in staff],
            kiosks=[
                DemoKiosk(client_id=one.client_id, client_secret=one.client_secret, facility=one.facility)
                for one in sheet.kiosks
            ],
            changes_at=datetime.fromtimestamp(step * TOTP_SECONDS, UTC),
        )

    async def ask(self, key: str, path: str) -> Any | None:
        """GET as that citizen's phone; None for a refusal, and where nobody answers."""
        return await asyncio.to_thread(self._with_phone, key, lambda hand: hand.ask("GET", path))

    async def trust(self, key: str, device_id: str) -> bool:
        """The act `trust-device`, signed by that citizen's phone."""
        path = f"/v1/me/devices/{device_id}/trust"
        done = await asyncio.to_thread(self._with_phone, key, lambda hand: hand.sign(path, {}))
        return done is not None

    async def allow(self, key: str, request_id: str, digits: str) -> bool:
        """The approval of tier B, signed by that citizen's phone."""
        done = await asyncio.to_thread(
            self._with_phone, key, lambda hand: hand.approve(request_id, "B", digits, {})
        )
        return done is not None

    def _with_phone(self, key: str, act: Any) -> Any | None:
        sheet = self._sheet()
        if sheet is None:
            return None
        try:
            with own_turn(self._sessions, key):
                answer: httpx.Response = act(Hand(sheet.at(self._base_url), key, self._sessions))
        except (HandError, httpx.HTTPError):
            return None
        return None if answer.is_error else answer.json() if answer.content else {}

    def _sheet(self) -> DemoSheet | None:
        return load_sheet(self._path) if self._path.exists() else None


def _owner(citizen: DemoCitizen) -> DemoOwner:
    return DemoOwner(
        key=citizen.key,
        patient_id=citizen.patient_id,
        device_id=citizen.device.device_id,
        name=citizen.name,
        number=citizen.number,
        phone=citizen.phone,
        pin=citizen.pin,
        says=SAYS.get(citizen.key, ("", "")),
    )


def _worker(one: DemoPractitioner, now: datetime) -> DemoWorker:
    return DemoWorker(
        name=one.name,
        role=one.role,
        username=one.username,
        password=one.password,
        code=totp_at(one.totp_secret, now),
        next_code=totp_at(one.totp_secret, now + timedelta(seconds=TOTP_SECONDS)),
        facility=one.facility,
    )


def desk_of(settings: Settings, *, demo: bool) -> SheetDesk | None:
    """Nobody's outside of a demo (security.md S4)."""
    return SheetDesk(settings) if demo else None
