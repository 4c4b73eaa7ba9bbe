"""Papers of the book: shown, made ready to print with a code, and checked by that code."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ehr.dates import moment
from ehr.merges.service import mark_of
from ehr.paper_proofs import queries
from ehr.paper_proofs.certificates import told_class
from ehr.paper_proofs.codes import draw_code, link_of
from ehr.paper_proofs.facts import KINDS, LETTERS, digest_of, facts_of
from ehr.paper_proofs.models import Facts, Outcome, PaperCheck, Papers, PaperShown, PaperType, Reference
from ehr.paper_proofs.problems import PAPER_NOT_FOUND
from ehr.paper_proofs.queries import PaperRow, StateRow
from ehr.paper_proofs.texts import ENDED_EN, ENDED_VI, SAYS_EN, SAYS_VI
from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.paging import cut, page_size, position
from ehr.reads.raw import encode
from ehr.reads.scope import is_id, scope_of
from identity.merges.aliases import survivor_of
from identity.models import Demographics
from identity.people import person_of
from kernel.access import Access
from kernel.clock import VIETNAM, local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

_KINDS: Final = [kind for kind in KINDS if kind not in LETTERS]
_NOBODY: Final = UUID(int=0)
_UNKNOWN: Final = Reference(owner=_NOBODY, id="0", digest=b"", printed_at=0, holder="")


class ToPrint(Struct, frozen=True):
    """One paper with who it is about and its code. details: what stands at its head beside the facts."""

    facts: Facts
    issued_by: str | None
    known: Demographics
    link: str
    row: tuple[str, str]
    details: list[tuple[str, str]] = []


class Checked(Struct, frozen=True):
    """What a code says, and whose book that is; book is None where nothing of a book is said."""

    answer: PaperCheck
    book: UUID | None
    row: tuple[str, str] | None


async def list_papers(tx: Tx, access: Access, cursor: str | None, limit: int | None, now: datetime) -> Built:
    """A page of papers. Raises `bad-cursor`."""
    size = page_size(limit)
    found = await queries.PAPER_PAGE.all(tx, *scope_of(access, now), _KINDS, *position(cursor), size + 1)
    rows, following = cut(found, size)
    page = Papers(items=[_shown(row) for row in rows], next=following, notice=notice_for(access))
    return Built(encode(page), [(row.rtype, row.id) for row in rows])


async def read_paper(tx: Tx, access: Access, paper_id: str, now: datetime) -> Built | Refused:
    """One paper. Refused: paper-not-found."""
    row = await _paper(tx, access, paper_id, now)
    return row if isinstance(row, Refused) else Built(encode(_shown(row)), [(row.rtype, row.id)])


async def prepare(
    tx: Tx, keys: KeyRing, access: Access, paper_id: str, origin: str, now: datetime
) -> ToPrint | Refused:
    """A paper with its code. Refused: paper-not-found."""
    assert access.action == "print-paper"
    row = await _paper(tx, access, paper_id, now)
    if isinstance(row, Refused):
        return row
    whose = row.origin_patient_id, row.facility_name
    return await with_code(tx, keys, access, (row.rtype, row.id), _facts(row), *whose, origin, now)


async def with_code(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    row: tuple[PaperType, str],
    facts: Facts,
    origin_patient_id: UUID | None,
    issued_by: str | None,
    origin: str,
    now: datetime,
) -> ToPrint:
    """A paper or letter that this access shows, with a fresh code."""
    known = await person_of(tx, keys, access) or Demographics()
    owner = origin_patient_id or access.patient_id
    reference = Reference(
        owner=owner,
        id=row[1].removesuffix(mark_of(owner)),
        digest=digest_of(facts),
        printed_at=int(now.timestamp()),
        holder=holder_of(known),
        rtype=row[0],
        is_letter=facts.kind in LETTERS,
    )
    return ToPrint(facts, issued_by, known, link_of(origin, draw_code(keys, reference, now)), row)


async def check(tx: Tx, reference: Reference | None, now: datetime) -> Checked:
    """What a code says now. The same statements run for a code that is not ours."""
    wanted = reference or _UNKNOWN
    row, book = await _standing(tx, wanted)
    if reference is None:
        return Checked(_says("not-ours"), None, None)
    if row is None or not row.is_standing or row.code not in KINDS:
        return Checked(_says("withdrawn"), None, None)
    facts = facts_of(row.code, row.doc, _text(row.facility_id))
    if facts is None:
        return Checked(_says("withdrawn"), None, None)
    shown = (reference.rtype, row.id)
    if digest_of(facts) != reference.digest:
        said = replace(_says("replaced"), issued_by=row.facility_name, kind_vi=facts.title)
        return Checked(said, book, shown)
    return Checked(_unchanged(row, facts, reference, now), book, shown)


def holder_of(known: Demographics) -> str:
    """Initials and year of birth: enough to see that a paper is not somebody else's."""
    initials = " ".join(f"{word[0]}." for word in (known.name or "").split() if word)
    year = (known.birth_date or "")[:4]
    return ", ".join(part for part in (initials, f"sinh {year}" if year else "") if part)


async def _standing(tx: Tx, wanted: Reference) -> tuple[StateRow | None, UUID]:
    """The row, in the book of whoever the person is now; after a merge it goes over in its own time."""
    book = await survivor_of(tx, wanted.owner)
    ids = [wanted.id, wanted.id + mark_of(wanted.owner)]
    row = await queries.state_of(tx, book, ids, wanted.owner, wanted.rtype)
    if row is None and book != wanted.owner:
        row = await queries.state_of(tx, wanted.owner, ids, wanted.owner, wanted.rtype)
        return row, wanted.owner
    return row, book


def _unchanged(row: StateRow, facts: Facts, reference: Reference, now: datetime) -> PaperCheck:
    told, ended_on = _says("unchanged"), _ended_on(facts.valid_until, now)
    if ended_on is not None:
        told = replace(
            told,
            text_vi=f"{told.text_vi} {ENDED_VI.format(day=f'{ended_on:%d/%m/%Y}')}",
            text_en=f"{told.text_en} {ENDED_EN.format(day=ended_on)}",
        )
    return replace(
        told,
        issued_by=row.facility_name,
        kind_vi=facts.title,
        number=", ".join(facts.numbers) or None,
        date=_day(facts.date),
        period_start=_day(facts.period_start) if facts.valid_until else None,
        valid_until=_day(facts.valid_until),
        expired=ended_on is not None,
        ended_on=ended_on.isoformat() if ended_on else None,
        health_class=told_class(facts),
        holder=reference.holder or None,
        printed_at=datetime.fromtimestamp(reference.printed_at, VIETNAM),
    )


def _says(outcome: Outcome) -> PaperCheck:
    return PaperCheck(outcome=outcome, text_vi=SAYS_VI[outcome], text_en=SAYS_EN[outcome])


def _ended_on(valid_until: str | None, now: datetime) -> date | None:
    """The day after the last on which a paper counts, where that has come."""
    last = local_day(moment(valid_until).last) if valid_until else None
    return last + timedelta(days=1) if last is not None and last < local_day(now) else None


def _day(text: str | None) -> str | None:
    """Dates stand on the paper as days."""
    return text[:10] if text else None


async def _paper(tx: Tx, access: Access, paper_id: str, now: datetime) -> PaperRow | Refused:
    row = await queries.PAPER.one(tx, *scope_of(access, now), _KINDS, paper_id) if is_id(paper_id) else None
    return row or Refused(problem=PAPER_NOT_FOUND)


def _facts(row: PaperRow) -> Facts:
    facts = facts_of(row.code, row.doc, _text(row.facility_id))
    assert facts is not None, "the section holds checks alone"
    return facts


def _text(facility_id: UUID | None) -> str | None:
    return str(facility_id) if facility_id else None


def _shown(row: PaperRow) -> PaperShown:
    facts = _facts(row)
    return PaperShown(
        id=row.id,
        kind=facts.kind,
        title_vi=facts.title,
        number=", ".join(facts.numbers) or None,
        date=facts.date,
        period_start=facts.period_start,
        period_end=facts.period_end,
        valid_until=facts.valid_until,
        issued_by=row.facility_name,
        author=facts.author,
        lines=facts.lines,
        pdf=f"papers/{row.id}/paper.pdf",
    )
