"""What a report says, sealed at rest: signs of an illness are a record."""

from typing import Final
from uuid import UUID

import msgspec

from store.fields import seal, unseal
from store.keys import KeyRing
from vaccination.reactions.models import Content, StepBody

_encode: Final = msgspec.json.Encoder().encode
_content: Final = msgspec.json.Decoder(Content).decode
_step: Final = msgspec.json.Decoder(StepBody).decode


def sealed_content(keys: KeyRing, patient_id: UUID, content: Content) -> bytes:
    return seal(keys, patient_id, "vaccination_reaction", "content", _encode(content).decode())


def content_of(keys: KeyRing, patient_id: UUID, kept: bytes) -> Content:
    return _content(unseal(keys, patient_id, "vaccination_reaction", "content", kept))


def sealed_step(keys: KeyRing, patient_id: UUID, body: StepBody) -> bytes:
    return seal(keys, patient_id, "vaccination_reaction_step", "body", _encode(body).decode())


def step_of(keys: KeyRing, patient_id: UUID, kept: bytes) -> StepBody:
    return _step(unseal(keys, patient_id, "vaccination_reaction_step", "body", kept))
