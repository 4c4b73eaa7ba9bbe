"""The texts of a question, sealed at rest: what a person writes about an illness is a record."""

from typing import Literal
from uuid import UUID

from store.fields import seal, unseal
from store.keys import KeyRing

Column = Literal["body", "answer", "share_code"]


def sealed(keys: KeyRing, patient_id: UUID, column: Column, text: str) -> bytes:
    return seal(keys, patient_id, "consultation", column, text)


def opened(keys: KeyRing, patient_id: UUID, column: Column, kept: bytes | None) -> str | None:
    return None if kept is None else unseal(keys, patient_id, "consultation", column, kept)
