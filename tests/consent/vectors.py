"""The published vectors of tier C, airplane mode: the doctor's screen, the phone without a network, and the
digits that the doctor types. `python -m tests.consent.vectors` writes them again.

The codes are drawn by the service's own code with keys of fixed bytes; what the doctor's side answers comes
of the same code, which knows the counters of the codes that it drew lately.
"""

import base64
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from consent.models import AccessRequest
from consent.problems import OTP_INVALID
from consent.transfer import canonical_text, counter_of, draw, live_counters, nonce_at, request_body, step_of
from identity.hotp import hotp_at
from qr import base45
from qr.tokens import PREFIX, sign_payload
from store.keys import KeyRing
from tests.qr.vectors import SERVER, STRANGER
from tests.support import vectors
from tests.support.clock import START
from tests.support.phone import base64url
from tests.support.vectors import Case, refused, taken

FILE: Final = vectors.PLACE / "consent-code.json"
SECRET: Final = base64url(b"12345678901234567890123456789012")
KEY_ID: Final = "0001"
REQUEST: Final = AccessRequest(
    patient_id=UUID("019aa3f0-0000-7000-8000-00000000000a"),
    request_id=UUID("019aa3f0-0000-7000-8000-000000000001"),
    practitioner_id=UUID("019aa3f0-0000-7000-8000-00000000000b"),
    practitioner_role_id=UUID("019aa3f0-0000-7000-8000-00000000000c"),
    practitioner_name="Nguyễn Văn An",
    licence="000123/HCM-CCHN",
    role="doctor",
    facility_id=UUID("019aa3f0-0000-7000-8000-00000000000d"),
    facility_name="Bệnh viện Thử",
    purpose="TREAT",
    types=["AllergyIntolerance", "Condition", "Observation.laboratory"],
    since=date(2025, 11, 21),
    until=None,
    duration_seconds=86400,
    presence=True,
    delivery="app",
    status="pending",
    attempts=0,
    created_at=START,
    expires_at=START + timedelta(minutes=15),
)


@cache
def ring() -> KeyRing:
    """A key ring of published test keys: nothing but vectors is ever made with it."""
    found = KeyRing()
    found._held.secrets["pepper"] = {KEY_ID: bytes(range(32))}
    found._held.signers["qr"] = {KEY_ID: SERVER}
    return found


def scanned(request: AccessRequest = REQUEST, now: datetime = START) -> str:
    return draw(ring(), request, now).qr


def digits_of(request: AccessRequest = REQUEST, now: datetime = START) -> str:
    return hotp_at(SECRET, counter_of(canonical_text(request, nonce_of(request, now))))


def nonce_of(request: AccessRequest, now: datetime) -> str:
    return nonce_at(ring(), request.request_id, step_of(now))


def doctor_answers(digits: str, now: datetime) -> dict[str, Any]:
    """Of the request that the doctor opened, whatever code it was that the phone scanned."""
    live = [hotp_at(SECRET, counter) for counter in live_counters(ring(), REQUEST, now)]
    return taken({"tier": "C"}) if digits in live else refused(OTP_INVALID.code)


def phone_shows(request: AccessRequest, now: datetime) -> dict[str, Any]:
    nonce = nonce_of(request, now)
    text = canonical_text(request, nonce)
    return {
        "shown": request_body(request, nonce),
        "text": text.decode(),
        "counter": f"{counter_of(text):016x}",
        "digits": digits_of(request, now),
    }


def answered(
    name: str,
    request: AccessRequest = REQUEST,
    *,
    at: datetime = START,
    typed: str | None = None,
    typed_after: int = 20,
) -> Case:
    """The phone scans at `at`; seconds later the doctor types `typed`, or what the phone shows."""
    shows = phone_shows(request, at)
    digits = shows["digits"] if typed is None else typed
    typed_at = at + timedelta(seconds=typed_after)
    given = {
        "scanned": scanned(request, at),
        "doctor_types": {"digits": digits, "at": vectors.instant(typed_at)},
    }
    expect = taken(shows | {"doctor": doctor_answers(digits, typed_at)})
    return vectors.case(name, given, expect, now=at, keys=held())


def not_shown(name: str, text: str, code: str, at: datetime = START) -> Case:
    """The phone shows nothing and gives no digits."""
    return vectors.case(name, {"scanned": text, "doctor_types": None}, refused(code), now=at, keys=held())


def held() -> dict[str, Any]:
    raw = SERVER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"qr": {KEY_ID: base64.b64encode(raw).decode()}, "hotp_secret": SECRET}


def cases() -> list[Case]:
    return [*answered_ones(), *requests_apart(), *refused_ones()]


def answered_ones() -> list[Case]:
    right = digits_of()
    off = right[:-1] + str((int(right[-1]) + 1) % 10)
    other = replace(REQUEST, request_id=UUID("019aa3f0-0000-7000-8000-000000000002"))
    return [
        answered("a usual request"),
        answered("airplane mode: typed four minutes later", typed_after=240),
        answered("expired: typed six minutes later", typed_after=360),
        answered("one digit is wrong", typed=off),
        answered("the digits of another request", typed=digits_of(other)),
        answered("the code of another request was scanned", other),
        answered("the next minute's code", at=START + timedelta(seconds=60)),
    ]


def requests_apart() -> list[Case]:
    """What makes the digits others: every byte of what is asked for."""
    colleague = replace(REQUEST, practitioner_name="Nguyễn Văn Ân", licence="000124/HCM-CCHN")
    return [
        answered("one second longer", replace(REQUEST, duration_seconds=86401)),
        answered("another doctor", colleague),
        answered("another facility", replace(REQUEST, facility_name="Bệnh viện Khác")),
        answered("the whole history", replace(REQUEST, since=None)),
        answered("one type more", replace(REQUEST, types=[*REQUEST.types, "Procedure"])),
    ]


def refused_ones() -> list[Case]:
    text = scanned()
    body = request_body(REQUEST, nonce_of(REQUEST, START))
    exp = int((START + timedelta(seconds=60)).timestamp())
    longer = PREFIX + base45.encode(base45.decode(text[len(PREFIX) :]).replace(b":86400,", b":86401,"))
    forged = sign_payload(STRANGER, KEY_ID, "doctor-request", body, exp)
    other = sign_payload(SERVER, KEY_ID, "counter", {"facility": "01028", "counter": "A12"}, exp)
    return [
        not_shown("expired", text, "qr-expired", START + timedelta(seconds=60)),
        not_shown("wrong key", forged, "qr-signature-invalid"),
        not_shown("tampered byte", longer, "qr-signature-invalid"),
        not_shown("future version", "SSK2:" + text[5:], "qr-version-unknown"),
        not_shown("another kind", other, "qr-wrong-kind"),
        not_shown("truncated", text[: len(text) // 2], "qr-unreadable"),
        not_shown("lower-cased", text.lower(), "qr-unreadable"),
    ]


def document() -> bytes:
    about = (
        "Tier C in airplane mode. input.scanned: the doctor's code, checked with keys.qr at `now`; "
        "expect.ok.shown: its body, which the person sees before the digits; text = JCS of that body; "
        "counter = first 8 bytes of SHA-256(text), big-endian, in hexadecimal; digits = HOTP (RFC 4226, "
        "SHA-1, 8 digits) of keys.hotp_secret (base64url) at that counter. input.doctor_types: what the "
        "doctor types and when; expect.ok.doctor: what POST /v1/doctor/access-requests/{request_id}/code "
        "answers. A refused code is not shown and has no digits."
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
