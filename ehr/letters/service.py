"""Letters of a book: shown, made ready to print with a code, and checked by that code.

A letter is a paper of the record; how far it is stands with the request or appointment that it names. Which
place it gave is not known here: whoever composes says it (api/letters.py).
"""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from ehr.dates import moment
from ehr.exports.lines import day_text
from ehr.letters import queries
from ehr.letters.models import BookedPlace, Checked, Kept, LetterShown, Validity
from ehr.letters.policy import (
    BOOKED_HERE_EN,
    BOOKED_HERE_VI,
    BOOKED_VI,
    EARLY,
    STATES_VI,
    TOLD_EN,
    TOLD_VI,
    code_in,
    last_day,
    may_book,
    state_of,
    used,
    with_names,
)
from ehr.letters.problems import LETTER_NOT_FOUND
from ehr.letters.queries import LetterRow
from ehr.paper_proofs import service as papers
from ehr.paper_proofs.facts import facts_of
from ehr.paper_proofs.models import Facts, LetterState, Outcome, PaperCheck, Reference
from ehr.paper_proofs.service import ToPrint
from ehr.reads.paging import cut, page_size, position
from ehr.reads.scope import is_id, scope_of, scope_of_all
from ehr.referrals import service as referrals
from ehr.referrals.models import Referral
from identity.register.facilities import facility_by_code
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

_FAMILY: Final = frozenset({"guardian", "proxy"})
_STATES: Final[dict[Outcome, LetterState]] = {"replaced": "amended", "withdrawn": "withdrawn"}


class _Period(Struct):
    start: str | None = None
    end: str | None = None


class _About(Struct):
    """The parts of an Appointment or ServiceRequest that say for when it is."""

    start: str | None = None
    periods: list[_Period] = field(default_factory=list, name="requestedPeriod")
    occurrence: _Period | None = field(default=None, name="occurrencePeriod")


_about = msgspec.json.Decoder(_About).decode


async def list_letters(
    tx: Tx, access: Access, cursor: str | None, limit: int | None, validity: Validity, now: datetime
) -> tuple[list[Kept], str | None]:
    """A page of letters, newest first. Raises `bad-cursor`."""
    size = page_size(limit)
    place = position(cursor)
    asked = *scope_of(access, now), EARLY, access.basis in _FAMILY
    found = await queries.LETTER_PAGE.all(tx, *asked, *place, size + 1)
    rows, following = cut(found, size)
    return await _kept(tx, access, rows, validity, now), following


async def letter_of(
    tx: Tx, access: Access, letter_id: str, validity: Validity, now: datetime
) -> Kept | Refused:
    """One letter. Refused: letter-not-found."""
    row = await _row(tx, access, letter_id, now)
    return row if isinstance(row, Refused) else (await _kept(tx, access, [row], validity, now))[0]


async def prepare(
    tx: Tx, keys: KeyRing, access: Access, letter_id: str, origin: str, validity: Validity, now: datetime
) -> ToPrint | Refused:
    """A letter with its code. Refused: letter-not-found."""
    assert access.action == "print-paper"
    row = await _row(tx, access, letter_id, now)
    if isinstance(row, Refused):
        return row
    (kept,) = await _kept(tx, access, [row], validity, now)
    made = await papers.with_code(
        tx,
        keys,
        access,
        ("DocumentReference", row.id),
        kept.facts,
        row.origin_patient_id,
        row.facility_name,
        origin,
        now,
    )
    # The code is over what was sent; the names stand beside it.
    return replace(made, facts=replace(made.facts, lines=kept.lines), details=_details(kept))


async def check(tx: Tx, reference: Reference | None, validity: Validity, now: datetime) -> Checked:
    """What a code says now, of a letter or another paper. The same statements run for a code that is no
    letter's, and for one that is not ours."""
    said = await papers.check(tx, reference, now)
    book, ident = said.book or UUID(int=0), said.row[1] if said.row else ""
    row = await queries.LETTER_STANDING.one(tx, *scope_of_all(book, now), EARLY, ident)
    about = [row.about_id] if row is not None and row.about_id is not None else []
    found = await referrals.of_records_for_all(tx, book, about, now)
    if reference is None or not reference.is_letter or row is None or said.answer.outcome != "unchanged":
        return Checked(said.answer, said.book, said.row, None)
    one = next(iter(found), None)
    return Checked(said.answer, said.book, said.row, _read(row, one, None, validity))


def told(
    reference: Reference | None, checked: Checked, place: BookedPlace | None, now: datetime
) -> PaperCheck:
    """The answer to a code: of a letter with its state, and nothing of where or when it was used."""
    said = checked.answer
    if reference is None or not reference.is_letter:
        return said
    if checked.letter is None:
        return replace(said, letter_state=_STATES.get(said.outcome))
    kept, today = checked.letter, local_day(now)
    state = state_of(kept, place, today)
    ended = kept.valid_until is not None and kept.valid_until < today
    return replace(
        said,
        text_vi=" ".join((said.text_vi, TOLD_VI.get(state, ""))).strip(),
        text_en=" ".join((said.text_en, TOLD_EN.get(state, ""))).strip(),
        letter_state=state,
        valid_until=kept.valid_until.isoformat() if kept.valid_until else None,
        expired=ended,
        ended_on=(kept.valid_until + timedelta(days=1)).isoformat() if kept.valid_until and ended else None,
    )


def told_where_booked(said: PaperCheck, checked: Checked) -> PaperCheck:
    """The same for the desk of a visit that was booked by it, which is no use of it that is over."""
    if checked.letter is None or checked.letter.visited_on is not None:
        return said
    texts = said.text_vi.removesuffix(TOLD_VI["used"]), said.text_en.removesuffix(TOLD_EN["used"])
    text_vi, text_en = (text.strip() for text in texts)
    return replace(said, text_vi=f"{text_vi} {BOOKED_HERE_VI}", text_en=f"{text_en} {BOOKED_HERE_EN}")


def shown(kept: Kept, place: BookedPlace | None, now: datetime) -> LetterShown:
    """As its person, or who may act for them, reads it."""
    today, use, referral = local_day(now), used(kept, place), kept.referral
    state = state_of(kept, place, today)
    return LetterShown(
        id=kept.id,
        kind=kept.kind,
        title_vi=kept.facts.title,
        number=", ".join(kept.facts.numbers) or None,
        issued_on=kept.facts.date,
        issued_by=kept.issued_by,
        author=kept.facts.author,
        lines=kept.lines,
        due_at=kept.due_at,
        receiver=kept.receiver,
        receiver_code=referral.receiver_code if referral else None,
        state=state,
        state_vi=BOOKED_VI if use and use[0] == "booked" else STATES_VI[state],
        used_by=use[0] if use else None,
        used_on=use[1] if use and use[0] == "visited" else None,
        booked_for=use[1] if use and use[0] == "booked" else None,
        valid_until=kept.valid_until,
        valid_by=kept.valid_by,
        referral_id=referral.referral_id if referral else None,
        step=referral.state if referral else None,
        appointment_id=place.appointment_id if place else None,
        may_book=may_book(kept, place, today),
        pdf=f"letters/{kept.id}/letter.pdf",
    )


async def _row(tx: Tx, access: Access, letter_id: str, now: datetime) -> LetterRow | Refused:
    asked = *scope_of(access, now), EARLY, access.basis in _FAMILY
    row = await queries.LETTER.one(tx, *asked, letter_id) if is_id(letter_id) else None
    return row or Refused(problem=LETTER_NOT_FOUND)


async def _kept(
    tx: Tx, access: Access, rows: list[LetterRow], validity: Validity, now: datetime
) -> list[Kept]:
    """No proxy of an adult learns how far a referral is (docs/book.md)."""
    found: list[Referral] = []
    if access.basis != "proxy":
        about = [row.about_id for row in rows if row.about_type == "ServiceRequest" and row.about_id]
        found = await referrals.of_records(tx, access, about, now)
    names = await referrals.names_of(tx, [one.receiver_id for one in found])
    of_row = {one.record_id: one for one in found}
    made = []
    for row in rows:
        one = of_row.get(row.about_id or "")
        made.append(_read(row, one, names.get(one.receiver_id) if one else None, validity))
    places = await _names_in(tx, made, local_day(now))
    return [replace(one, lines=with_names(one.lines, places)) for one in made]


async def _names_in(tx: Tx, letters: list[Kept], today: date) -> dict[str, str]:
    """The names of the facilities whose codes stand on these letters."""
    codes = {code for one in letters for line in one.lines if (code := code_in(line)) is not None}
    found = {code: await facility_by_code(tx, code, today) for code in sorted(codes)}
    return {code: facility.name for code, facility in found.items() if facility is not None}


def _read(row: LetterRow, referral: Referral | None, receiver: str | None, validity: Validity) -> Kept:
    facts, about = _facts(row), _decoded(row.about_doc)
    due_at = about.start or next((one.start for one in about.periods if one.start), None)
    counted_from = _day(due_at if row.code == "revisit" else facts.date)
    valid_until, valid_by = last_day(row.code, _said(row, about), counted_from, validity)
    came_at = referral.seen_at if referral else row.came_at
    return Kept(
        id=row.id,
        kind=row.code,
        facts=facts,
        lines=facts.lines,
        issued_by=row.facility_name,
        about=(row.about_type, row.about_id) if row.about_type and row.about_id else None,
        due_at=due_at if row.code == "revisit" else None,
        valid_until=valid_until,
        valid_by=valid_by,
        visited_on=local_day(came_at) if came_at else None,
        referral=referral,
        receiver=receiver,
    )


def _said(row: LetterRow, about: _About) -> date | None:
    """The last day that the facility sent itself: of a referral's period, or of days to choose from. One day
    alone is the appointment and no last day."""
    if row.code == "referral":
        return _day(about.occurrence.end) if about.occurrence else None
    ends = [end for one in about.periods if (end := _day(one.end)) and end != _day(one.start)]
    return max(ends, default=None)


def _facts(row: LetterRow) -> Facts:
    facts = facts_of(row.code, row.doc, str(row.facility_id) if row.facility_id else None)
    assert facts is not None, "a letter is a document"
    return facts


def _decoded(doc: str | None) -> _About:
    try:
        return _about(doc) if doc else _About()
    except msgspec.MsgspecError:
        # A request is kept as its core sent it, whatever stands there.
        return _About()


def _day(text: str | None) -> date | None:
    try:
        return local_day(moment(text).last) if text else None
    except msgspec.MsgspecError:
        return None


def _details(kept: Kept) -> list[tuple[str, str]]:
    rows = (
        ("Hẹn khám lại", day_text(kept.due_at, with_time=True)),
        ("Nơi đến", kept.receiver or ""),
        ("Dùng được đến hết", f"{kept.valid_until:%d/%m/%Y}" if kept.valid_until else ""),
    )
    return [(label, value) for label, value in rows if value]
