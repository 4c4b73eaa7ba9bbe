"""A prescription of a person of the demo, dispensed in part: its code opens the rest, reminders follow."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from consent.decision import decide_prescription
from ehr.intake.service import Sender
from ehr.prescriptions import dispensing
from ehr.prescriptions.dispensing import LineOut
from ehr.prescriptions.service import send
from healthbook.demo_accounts import Activated, DemoError, StaffMember, granted
from healthbook.demo_facilities import HOSPITAL
from identity.models import Facility
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from store.database import Store

WHO: Final = "minh"
PHARMACIST: Final = "ds.kim"
BEFORE: Final = timedelta(hours=1)
# What was handed out of the two lines: the other pharmacy has the rest of the first one to hand out.
HANDED: Final = [LineOut(line=1, quantity="10"), LineOut(line=2, quantity="10")]


def _medicine(name: str, amount: int, dose: str) -> dict[str, Any]:
    return {"ten_thuoc": name, "don_vi_tinh": "viên", "so_luong": amount, "cach_dung": dose}


def prescription_of(person: Activated, code: str, issued: datetime) -> bytes:
    """The national JSON; the field names are those of public clients."""
    card = person.card
    sent = {
        "loai_don_thuoc": code[-1],
        "ma_don_thuoc": code,
        "ho_ten_benh_nhan": card.name,
        "ma_dinh_danh_cong_dan": card.number,
        "ngay_sinh_benh_nhan": card.birth_date,
        "can_nang": "60",
        "gioi_tinh": 3 if card.sex == "female" else 2,
        "chan_doan": [{"ma_chan_doan": "J02", "ten_chan_doan": "Viêm họng cấp", "ket_luan": ""}],
        "thong_tin_don_thuoc": [
            _medicine("Amoxicilin 500 mg", 20, "1 viên/lần * 2 lần/ngày * 10 ngày [2 viên/ngày]"),
            _medicine("Paracetamol 500 mg", 10, "Uống 1 viên khi sốt"),
        ],
        "loi_dan": "Uống nhiều nước.",
        "ngay_gio_ke_don": f"{issued.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}",
    }
    return msgspec.json.encode(sent)


async def prescribe_once(
    store: Store,
    citizens: list[Activated],
    facilities: dict[str, Facility],
    staff: list[StaffMember],
    now: datetime,
) -> None:
    """Sent by the hospital's system an hour before now, and opened by its pharmacist now."""
    person = next(one for one in citizens if one.card.key == WHO)
    pharmacist = next(one.actor for one in staff if one.member.username == PHARMACIST)
    code, issued = f"{HOSPITAL.code}0thuthu-c".lower(), now - BEFORE
    async with store.transaction() as tx:
        sender = Sender(facilities[HOSPITAL.key], "demo", uuid7(issued))
        await send(tx, store.keys, sender, prescription_of(person, code, issued), issued)
    async with store.transaction() as tx:
        found = granted(await dispensing.find(tx, store.keys, pharmacist, code, now))
        if found.patient_id is None:
            raise DemoError(f"nobody is known to be meant by {code}")
        access = granted(await decide_prescription(tx, pharmacist, found.patient_id, found.prescription_id))
        granted(await dispensing.dispense(tx, access, found.prescription_id, HANDED, now))
