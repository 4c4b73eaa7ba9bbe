"""Letters that prove a phone, and what rests of an account between two transactions."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

ProofPurpose: TypeAlias = Literal["sign-up", "enrolment", "phone-change"]
# What letters are asked for before anybody is signed in.
StartPurpose: TypeAlias = Literal["sign-up", "enrolment"]


class ProofStarted(Struct, frozen=True, kw_only=True):
    """The same for every phone. challenge_id is opaque and names nobody."""

    challenge_id: str
    expires_in_seconds: int


class ProofRow(Struct, frozen=True):
    """A proof after one of its tries was charged."""

    patient_id: UUID
    phone_hash: bytes
    phone: bytes
    pepper_id: str
    code_hash: bytes
    attempts: int


class ProofDelivery(Struct, frozen=True):
    purpose: ProofPurpose
    patient_id: UUID
    phone: bytes
    code: bytes | None
    expires_at: datetime


class PhoneCode(Struct, frozen=True, kw_only=True):
    """What the delivery needs, opened at the last moment. holder: whose keys sealed it."""

    purpose: ProofPurpose
    holder: UUID
    number: str
    code: str
    expires_at: datetime


class ProvenPhone(Struct, frozen=True, kw_only=True):
    """The letters were right. holder: who changes the phone, or the id of the account to be made."""

    holder: UUID
    number: str
    phone_hash: bytes
