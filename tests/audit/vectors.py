"""The published vectors of the audit chain; `python -m tests.audit.vectors` writes them again."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import rfc8785

from audit.chain import GENESIS, body_digest, digest, link, name_commitment
from audit.models import Entry, EntryActor, EntryGrant
from audit.policy import utc_text
from audit.verify import ExportRow
from tests.support import vectors
from tests.support.clock import START
from tests.support.vectors import refused, taken

FILE = vectors.PLACE / "audit-chain.json"
PATIENT = UUID("019aa3f0-0000-7000-8000-000000000001")
DOCTOR = UUID("019aa3f0-0000-7000-8000-000000000002")
ROLE = UUID("019aa3f0-0000-7000-8000-000000000003")
FACILITY = UUID("019aa3f0-0000-7000-8000-000000000004")
GRANT = UUID("019aa3f0-0000-7000-8000-000000000005")
NAME, LICENCE = "Nguyễn Văn An", "000123/HNO-CCHN"


def salt_of(seq: int, what: str) -> bytes:
    return hashlib.sha256(f"{what}{seq}".encode()).digest()[:16]


def entry_of(seq: int, action: str) -> Entry:
    return Entry(
        action=action,
        actor=EntryActor(
            commitment=name_commitment(salt_of(seq, "actor"), NAME, LICENCE),
            device_id=None,
            id=DOCTOR,
            kind="practitioner",
            role="doctor",
            role_id=ROLE,
        ),
        at=utc_text(START + timedelta(seconds=seq)),
        basis="grant",
        body_sha256=body_digest(salt_of(seq, "body"), b'{"answer":%d}' % seq),
        count=1,
        facility_id=FACILITY,
        grant=EntryGrant(id=GRANT, version=1),
        on_behalf_of=None,
        outcome="ok",
        patient_id=PATIENT,
        purpose="TREAT",
        reason=None,
        request_id=f"request-{seq}",
        resources={"Observation": [f"lab-{seq}"]},
    )


def export_of(count: int, action: str = "record:summary:read") -> list[ExportRow]:
    """A chain of `count` rows, the same in every run."""
    rows: list[ExportRow] = []
    prev = GENESIS
    for seq in range(1, count + 1):
        row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(entry_of(seq, action)))
        h = link(prev, seq, digest(rfc8785.dumps(row)))
        rows.append(
            ExportRow(
                seq=seq,
                row=row,
                prev=prev.hex(),
                h=h.hex(),
                salt=salt_of(seq, "body").hex(),
                actor_salt=salt_of(seq, "actor").hex(),
                actor_name=NAME,
                actor_licence=LICENCE,
            )
        )
        prev = h
    return rows


def case(name: str, rows: list[ExportRow], expect: dict[str, Any], **more: Any) -> dict[str, Any]:
    return vectors.case(name, {"rows": rows}, expect, keys=more)


def cases() -> list[dict[str, Any]]:
    rows = export_of(5)
    edited = msgspec.structs.replace(rows[2], row={**rows[2].row, "outcome": "refused"})
    renamed = msgspec.structs.replace(rows[2], actor_name="Trần Thị Bình")
    licence_alone = msgspec.structs.replace(rows[2], actor_name=None, actor_licence="999/FAKE")
    nobody = msgspec.structs.replace(rows[2], actor_name=None, actor_licence=None)
    masked = msgspec.structs.replace(nobody, actor_salt="")
    masked_licence = msgspec.structs.replace(masked, actor_licence="999/FAKE")
    pin = {"seq": 5, "h": rows[4].h}
    return [
        case("an untouched log", rows, taken({"rows": 5})),
        case("an edited row", [*rows[:2], edited, *rows[3:]], broken(3, "link-does-not-match")),
        case("a deleted row", [*rows[:2], *rows[3:]], broken(3, "row-missing-or-moved")),
        case("two rows in another order", [rows[1], rows[0], *rows[2:]], broken(1, "row-missing-or-moved")),
        case("an inserted row", [*rows[:3], rows[1], *rows[3:]], broken(4, "row-missing-or-moved")),
        case("another clinician's name", [*rows[:2], renamed, *rows[3:]], broken(3, "name-does-not-match")),
        case(
            "a licence without a name",
            [*rows[:2], licence_alone, *rows[3:]],
            broken(3, "name-does-not-match"),
        ),
        case("a name that was taken away", [*rows[:2], nobody, *rows[3:]], broken(3, "name-does-not-match")),
        case("a masked row", [*rows[:2], masked, *rows[3:]], taken({"rows": 5})),
        case(
            "a masked row with a licence",
            [*rows[:2], masked_licence, *rows[3:]],
            broken(3, "name-does-not-match"),
        ),
        case("a cut tail without a pin", rows[:3], taken({"rows": 3})),
        case("a cut tail with the pinned head", rows[:3], broken(4, "pinned-head-missing"), pin=pin),
    ]


def broken(at: int, reason: str) -> dict[str, Any]:
    return refused(reason, at=at)


def document() -> bytes:
    about = (
        "h = SHA-256(0x01 | prev | seq as 8 bytes, big-endian | SHA-256(JCS(row))); the first prev is 32 "
        "zero bytes; JCS is RFC 8785; body_sha256 = SHA-256(salt | returned bytes); commitment = "
        "SHA-256(actor_salt | JCS([actor_name, actor_licence])); a row without actor_salt is masked and "
        "shows neither name nor licence; keys.pin: a head that was kept, which the rows must pass through. "
        "expect: how many rows hold, or the first place that does not (a word of audit/texts/verdicts.json)"
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
