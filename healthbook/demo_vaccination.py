"""Doses of the demo beside those that a station sent: one sent twice, and one that stands on paper alone."""

import hashlib
import io
import json
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec.structs import replace

import documents
from consent.decision import decide
from documents.uploads import Upload
from ehr.own_documents import service as own_documents
from ehr.own_documents.models import DocumentWords, FileRow
from healthbook.demo_accounts import Activated, granted
from healthbook.demo_facilities import STATION, DemoFacility
from healthbook.demo_people import DemoPerson
from healthbook.demo_records import History, vaccination_history
from kernel.access import Access, Actor
from kernel.ids import uuid7
from store.database import Store, Tx
from vaccination.book.declaring import declare_dose
from vaccination.book.models import NewDose

WHO: Final = "sa-ray"
# CVX: the five-in-one vaccine, whose first dose another facility sends under its brand.
FIVE_IN_ONE: Final = "198"
_FONT: Final = Path(documents.__file__).with_name("assets") / "BeVietnamPro_400Regular.ttf"
_BOOKLET: Final = "PHIẾU TIÊM CHỦNG (mẫu thử)\n\nUốn ván (VAT), mũi 2\nTháng 3 năm 2004\nTrạm y tế Mẫu Giang"


def doses_again(person: DemoPerson, facility: DemoFacility, today: date) -> bytes:
    """One dose of the station once more, as the facility to which its record was copied writes it."""
    sent = json.loads(vaccination_history(person, STATION, today))["entry"]
    dose = next(body for entry in sent if _is_five_in_one(body := entry["resource"]))
    history = History(person, facility, Random(f"{person.key}/again"))
    code = {"coding": dose["vaccineCode"]["coding"], "text": "ComBE Five"}
    told = {name: dose[name] for name in ("status", "occurrenceDateTime", "protocolApplied")}
    history.add("Immunization", {**told, "vaccineCode": code, "patient": history.patient})
    return history.bundle()


def _is_five_in_one(body: dict[str, Any]) -> bool:
    coded = body.get("vaccineCode", {}).get("coding", [{}])
    return bool(coded[0].get("code") == FIVE_IN_ONE)


async def declare_some(store: Store, citizens: list[Activated], now: datetime) -> None:
    """A dose of one adult's youth, with the picture of its slip."""
    person = next(one for one in citizens if one.card.key == WHO)
    actor = replace(person.actor, probation=False)
    blob = await store.blobs.put(actor.actor_id, picture())
    async with store.transaction() as tx:
        access = await _adding(tx, store, actor, now)
        words = DocumentWords(kind="vaccination-paper", date="2004-03")
        upload = Upload(picture(), "image/png", hashlib.sha256(picture()).digest())
        paper: FileRow = granted(
            await own_documents.add(
                tx, store.keys, access, words, upload, blob, request_id=str(uuid7(now)), now=now
            )
        )
        dose = NewDose(
            vaccine="Uốn ván (VAT)",
            given="2004-03",
            dose_number=2,
            facility_name="Trạm y tế Mẫu Giang",
            paper_id=paper.item_id,
        )
        granted(await declare_dose(tx, store.keys, access, dose, request_id=str(uuid7(now)), now=now))


async def _adding(tx: Tx, store: Store, actor: Actor, now: datetime) -> Access:
    return granted(await decide(tx, actor, actor.actor_id, "add-to-record", "PATRQT", now, keys=store.keys))


def picture() -> bytes:
    """A slip as somebody might have kept it."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - read only where a demo is made

    slip, sink = Image.new("RGB", (720, 420), (250, 246, 232)), io.BytesIO()
    font = ImageFont.truetype(str(_FONT), 30)
    ImageDraw.Draw(slip).multiline_text((40, 50), _BOOKLET, (40, 50, 90), font, spacing=14)
    slip.save(sink, "PNG")
    return sink.getvalue()
