"""`healthbook axis` and the settings of the exchange: nothing half, nothing unsigned, nothing invented."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from healthbook import axis_commands
from healthbook.exchange import opened_exchange, trusted_keys
from healthbook.settings import SettingsError, read_settings
from healthbook.start_check import reasons_not_to_start
from healthbook.wiring import StartError
from identity.register import queries as register
from kernel.clock import SystemClock, local_day
from kernel.ids import uuid7
from partners.axis import operating
from partners.axis.models import SEND_JOB
from store.database import Store
from store.keys import KeyRing, add_key
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen, make_facility

SIGNED = ("Trần Một + Lê Hai", "bắt đầu gửi")
AXIS = {
    "AXIS_URL": "https://axis.example",
    "AXIS_LOGIN_URL": "https://axis.example/login",
    "AXIS_CLIENT_ID": "id",
    "AXIS_CLIENT_SECRET": "secret",
    "AXIS_RECEIVER": "0100000000000",
    "AXIS_VERSION": "1.0",
    "AXIS_TXN_TYPE": "T-1",
}


async def test_a_facility_is_let_in_held_out_and_listed_by_its_code(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock, code="01K28")
    with pytest.raises(StartError, match="13-digit"):
        await axis_commands.allow_facility(store, "01K28", "QĐ thử", SIGNED)
    async with store.transaction() as tx:
        day = local_day(SystemClock().now())
        await register.INSERT_FACILITY_CODE.run(
            tx, facility.facility_id, "qd1551-13", "7940000000011", day.replace(year=2025), None
        )
    await axis_commands.allow_facility(store, "7940000000011", "QĐ thử 7/2026", SIGNED)
    assert "exchanged" in await axis_commands.table(store)
    assert "QĐ thử 7/2026" in await axis_commands.table(store)
    assert await axis_commands.resume(store, "7940000000011", SIGNED) == 0
    await axis_commands.end_facility(store, "7940000000011", SIGNED)
    assert "ended" in await axis_commands.table(store)
    for wrong in (
        axis_commands.end_facility(store, "7940000000011", SIGNED),
        axis_commands.end_facility(store, "7940000000099", SIGNED),
        axis_commands.resume(store, "01a1fbd4-f500-7141-9155-eed76ed4749a", SIGNED),
    ):
        with pytest.raises(StartError):
            await wrong
    async with store.transaction() as tx:
        acts = await tx.fetch("SELECT entry FROM admin_event WHERE entry LIKE '%axis:%' ORDER BY seq")
    assert [next(act for act in ("allow", "resume", "end") if f"axis:{act}" in row[0]) for row in acts] == [
        "allow",
        "resume",
        "end",
    ]


async def test_everything_that_stopped_of_a_facility_goes_on(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    facility, citizen = await make_facility(store, clock, code="01K29"), await make_citizen(store, clock)
    monkeypatch.setattr(operating, "STEP", 2)
    now, code = SystemClock().now(), "7940000000029"
    stopped = {uuid7(now): now for _ in range(5)}
    anew = uuid7(now)
    async with store.transaction() as tx:
        since = local_day(now).replace(year=2025, day=1)
        await register.INSERT_FACILITY_CODE.run(tx, facility.facility_id, "qd1551-13", code, since, None)
        await operating.allow(tx, facility.facility_id, "QĐ thử 8/2026", now)
        for message_id, settled_at in (stopped | {anew: now + timedelta(hours=1)}).items():
            await tx.execute(
                "INSERT INTO axis_message (patient_id, message_id, facility_id, check_id, state, planned_at,"
                " due_by, settled_at, reason) VALUES ($1, $2, $3, $4, 'stopped', $5, $5, $6,"
                " 'signature-invalid')",
                citizen.patient_id,
                message_id,
                facility.facility_id,
                uuid7(now),
                now,
                settled_at,
            )
    assert await axis_commands.resume(store, code, SIGNED) == 5
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT message_id FROM axis_message WHERE state = 'stopped'")
        timers = await tx.fetchval("SELECT count(*) FROM due_queue WHERE kind = $1", SEND_JOB)
    # One that stopped anew meanwhile is not tried again and again.
    assert [row[0] for row in rows] == [anew]
    assert timers >= 5


@pytest.mark.parametrize("missing", AXIS)
def test_the_axis_is_set_whole_or_not_at_all(missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        read_settings({name: value for name, value in AXIS.items() if name != missing})
    with pytest.raises(SettingsError, match="AXIS"):
        read_settings({missing: AXIS[missing]})


@pytest.mark.parametrize(
    "changed",
    [
        {"AXIS_URL": "http://axis.example"},
        {"AXIS_LOGIN_URL": "ftp://axis.example"},
        {"AXIS_URL": "https://user:secret@axis.example"},
        {"AXIS_CLIENT_SECRET": "two\nlines"},
        {"AXIS_RECEIVER": "bộ"},
    ],
)
def test_an_address_or_word_that_cannot_be_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changed))):
        read_settings(AXIS | changed)


def test_without_a_key_or_with_a_wrong_list_of_keys_nothing_starts(tmp_path: Path) -> None:
    KeyRing.create(tmp_path / "keys", demo=False)
    here = {"HEALTHBOOK_KEYS": str(tmp_path / "keys")}
    reasons = reasons_not_to_start(read_settings(AXIS | here), demo_database=False, demo_keys=False)
    assert any("first-key axis" in one for one in reasons)
    add_key(tmp_path / "keys", "axis")
    assert not reasons_not_to_start(read_settings(AXIS | here), demo_database=False, demo_keys=False)
    assert KeyRing.load(tmp_path / "keys").axis_signer() is not None
    demo = reasons_not_to_start(read_settings(AXIS | here), demo_database=True, demo_keys=True)
    assert any("AXIS_URL" in one for one in demo)
    keys = tmp_path / "ministry.pem"
    for wrong in (b"", b"no key", pem(ec.generate_private_key(ec.SECP256R1()).public_key())):
        keys.write_bytes(wrong)
        settings = read_settings(AXIS | here | {"AXIS_TRUSTED_KEYS": str(keys)})
        assert any(
            "AXIS_TRUSTED_KEYS" in one
            for one in reasons_not_to_start(settings, demo_database=False, demo_keys=False)
        )
    two = [rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key() for _ in range(2)]
    keys.write_bytes(b"".join(pem(key) for key in two))
    settings = read_settings(AXIS | here | {"AXIS_TRUSTED_KEYS": str(keys)})
    assert [key.public_numbers() for key in trusted_keys(settings)] == [key.public_numbers() for key in two]


async def test_the_exchange_is_off_until_it_is_set(clock: FrozenClock) -> None:
    async with opened_exchange(read_settings({}), clock) as exchange:
        assert exchange is None
    async with opened_exchange(read_settings(AXIS), clock) as exchange:
        assert exchange is not None
        assert exchange.terms.receiver_id == "0100000000000"


def pem(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
