"""Doses and cards of nobody, for tests."""

import json
import random
import zlib
from base64 import urlsafe_b64decode
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tests.support.clock import START
from vaccination.book.antigens import CVX
from vaccination.certificates.models import Owned
from vaccination.shc.models import CardDose, CardPerson
from vaccination.shc.packing import Frame

PERSON = CardPerson(name="Nguyễn Thị Minh Khai", birth_date="2019-02-28")
FRAME = Frame(
    issuer="https://sosuckhoe.example.vn/shc",
    kid="3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s",
    person=PERSON,
    rid="dGhlLXJpZA",
    valid_from=START,
)
# A childhood by the expanded programme and what parents buy beside it, in its order.
CHILDHOOD = (
    "19 45 198 02 198 02 198 02 10 10 05 134 134 04 107 134 122 122 88 88 109 109 109 137 137 31 21 90 25 213"
)
PLACES = ("Trạm Y tế phường Bến Thành", "Bệnh viện Từ Dũ", "Trung tâm Y tế Quận 1")
LOT_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def doses(count: int, seed: int = 0) -> list[CardDose]:
    """So many doses with lots of seven characters, all different, over a childhood."""
    draw, day, made = random.Random(seed), date(2019, 3, 1), []
    codes = CHILDHOOD.split()
    for number in range(count):
        made.append(
            CardDose(
                immunization_id=f"dose-{number}",
                owned=Owned(patient_id=UUID(int=7), dose_id=f"dose-{number}"),
                code_system=CVX,
                code=codes[number % len(codes)],
                given=day.isoformat(),
                facility_id=None,
                lot="".join(draw.choices(LOT_LETTERS, k=7)),
                place=draw.choice(PLACES),
            )
        )
        day += timedelta(days=draw.choice((28, 30, 31, 61, 180)))
    return made


def payload_of(jws: str) -> dict[str, Any]:
    """What a card says, without a look at its signature."""
    part = jws.split(".")[1]
    read: dict[str, Any] = json.loads(
        zlib.decompress(urlsafe_b64decode(part + "=" * (-len(part) % 4)), wbits=-15)
    )
    return read
