"""What reminders are measured on: many people with a medicine of a prescription, due at 07:00.

One of them is made by the services; the others are the same rows under ids of their own. A fifth are children
without a phone, each with a guardian among the grown people, who all have one. What the program seals (names
and birth dates of children, addresses of phones) is sealed.
"""

import json
import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
from msgspec import Struct

from ehr.intake.service import Sender
from ehr.prescriptions.policy import prescription_id_of
from ehr.prescriptions.service import send
from identity import people
from identity.people import IdentifierClaim, PersonClaim
from identity.register.facilities import NewFacility, add_facility
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from reminders import queries
from reminders.models import Reminder
from reminders.plans import JOB
from reminders.policy import ZONE, reminder_id_of, source_of
from store.database import Store
from store.fields import seal

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

DOSE: Final = "1 viên/lần * 1 lần/ngày * 30 ngày [1 viên/ngày]"
NAME, BORN, NUMBER, FACILITY = "Trần Thị Đo", "1985-03-12", "079185012345", "25366"
CHUNK: Final = 20_000
# One of so many is a child.
CHILD_OF: Final = 5
CHILD: Final = '{"name":"Trần Bé Đo","birth_date":"2018-03-12","sex":"female"}'
# Where the rows wait that each round begins with.
SAVED: Final = ("reminder", "due_queue")
EMPTIED: Final = ("reminder_occurrence", "notification", "delivery", "reminder", "due_queue")


class Morning(Struct, frozen=True):
    """children: how many of the people; due_at: 07:00 of some day; now: when all of the jitter is over."""

    people: int
    children: int
    due_at: datetime
    now: datetime


async def prepare(store: Store, owner: Owner, count: int) -> Morning:
    due_at = datetime.combine(date(2026, 5, 4), time(7), VIETNAM).astimezone(UTC)
    now = due_at - timedelta(hours=2)
    template = await _template(store, due_at, now)
    children = 0
    for start in range(0, count, CHUNK):
        ids = [uuid7(now) for _ in range(min(CHUNK, count - start))]
        young = len(ids) // CHILD_OF
        await _copies(owner, template, ids)
        await _families(store, owner, ids[:young], ids[young : 2 * young], now)
        await _phones(store, owner, ids[young:], now)
        children += young
    for table in SAVED:
        await owner.execute(f"DROP TABLE IF EXISTS bench_{table}")
    await owner.execute("DELETE FROM reminder WHERE patient_id = $1", template)
    await owner.execute("CREATE TABLE bench_reminder AS SELECT * FROM reminder")
    await owner.execute(
        "CREATE TABLE bench_due_queue AS SELECT get_byte(sha256(uuid_send(patient_id)), 0) AS bucket,"
        f" next_at AS due_at, '{JOB}' AS kind, patient_id || ':' || reminder_id AS ref FROM reminder"
        " ORDER BY 1, 4"
    )
    await owner.execute("ANALYZE")
    return Morning(count, children, due_at, due_at + timedelta(minutes=3))


async def begin_round(owner: Owner) -> None:
    """The rows as they were before anything rang."""
    await owner.execute(f"TRUNCATE {', '.join(EMPTIED)} CASCADE")
    for table in SAVED:
        names = ", ".join(await _columns(owner, table))
        await owner.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM bench_{table}")
    await owner.execute("VACUUM (ANALYZE) " + ", ".join(EMPTIED))


async def _template(store: Store, due_at: datetime, now: datetime) -> UUID:
    """A person with a prescription of one line and its plan."""
    new = NewFacility(
        name="Phòng khám Đo Lường", short_name="PK Do Luong", discreet_name="Cơ sở Đo", code=FACILITY
    )
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", NUMBER)], name=NAME, birth_date=BORN, sex="female"
    )
    code = f"{FACILITY}{secrets.token_hex(4)[:7]}-c".lower()
    async with store.transaction() as tx:
        patient_id = await people.create_person(tx, store.keys, claim, "verified", None, now)
        facility = await add_facility(tx, new, now - timedelta(days=1))
        sender = Sender(facility, "bench", uuid7(now))
        await send(tx, store.keys, sender, _national(code, now), now)
        await queries.insert(tx, _reminder(patient_id, prescription_id_of(code), due_at, now))
    return patient_id


def _national(code: str, now: datetime) -> bytes:
    drug = {"ten_thuoc": "Amlodipin 5 mg", "don_vi_tinh": "viên", "so_luong": 30, "cach_dung": DOSE}
    sent: dict[str, Any] = {
        "loai_don_thuoc": "c",
        "ma_don_thuoc": code,
        "ho_ten_benh_nhan": NAME,
        "ma_dinh_danh_cong_dan": NUMBER,
        "ngay_sinh_benh_nhan": "/".join(reversed(BORN.split("-"))),
        "can_nang": "52",
        "gioi_tinh": 3,
        "chan_doan": [{"ma_chan_doan": "I10", "ten_chan_doan": "Tăng huyết áp", "ket_luan": ""}],
        "thong_tin_don_thuoc": [drug],
        "ngay_gio_ke_don": f"{now.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}",
    }
    return json.dumps(sent).encode()


def _reminder(patient_id: UUID, prescription_id: UUID, due_at: datetime, now: datetime) -> Reminder:
    return Reminder(
        patient_id=patient_id,
        reminder_id=reminder_id_of(patient_id, prescription_id, 1),
        kind="medication",
        prescription_id=prescription_id,
        line=1,
        state="active",
        asks=None,
        own_times=False,
        times=[time(7)],
        interval_hours=None,
        zone=ZONE,
        checks=[],
        starts_on=due_at.astimezone(VIETNAM).date(),
        doses=30,
        doses_due=0,
        next_at=due_at,
        last_at=None,
        end_reason=None,
        version=1,
        changed_at=now,
        source=source_of(prescription_id, 1),
    )


async def _copies(owner: Owner, template: UUID, ids: list[UUID]) -> None:
    """The template's rows again for each of these people."""
    for table in ("citizen", "ehr_head", "prescription", "prescription_line", "ehr_resource", "reminder"):
        values = {"patient_id": "p.id", "reminder_id": "gen_random_uuid()"}
        names = await _columns(owner, table)
        taken = ", ".join(values.get(name, f"t.{name}") for name in names)
        await owner.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {taken}"
            f" FROM {table} t CROSS JOIN unnest($2::uuid[]) AS p (id) WHERE t.patient_id = $1",
            template,
            ids,
        )


async def _columns(owner: Owner, table: str) -> list[str]:
    rows = await owner.fetch(
        "SELECT column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        table,
    )
    return [row[0] for row in rows]


async def _families(
    store: Store, owner: Owner, children: list[UUID], guardians: list[UUID], now: datetime
) -> None:
    """Each child's card, and who was attested as its guardian."""
    sealed = [seal(store.keys, child, "citizen", "demographics", CHILD) for child in children]
    await owner.execute(
        "UPDATE citizen c SET demographics = u.sealed FROM unnest($1::uuid[], $2::bytea[]) AS u (id, sealed)"
        " WHERE c.patient_id = u.id",
        children,
        sealed,
    )
    rows = [
        (child, guardian, uuid7(now), "facility-attested", now, 0)
        for child, guardian in zip(children, guardians, strict=True)
    ]
    names = ["patient_id", "guardian_id", "link_id", "proof", "since", "ticked"]
    await owner.copy_records_to_table("guardianship", records=rows, columns=names)


async def _phones(store: Store, owner: Owner, ids: list[UUID], now: datetime) -> None:
    rows = [
        (
            patient_id,
            uuid7(now),
            "fid",
            secrets.token_bytes(32),
            seal(store.keys, patient_id, "push_target", "value_sealed", secrets.token_urlsafe(16)),
            now,
            "android",
        )
        for patient_id in ids
    ]
    names = ["patient_id", "device_id", "kind", "value_hash", "value_sealed", "updated_at", "platform"]
    await owner.copy_records_to_table("push_target", records=rows, columns=names)
