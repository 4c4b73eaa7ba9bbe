"""Certificates as their person sees them: what there is, what there could be, and why not."""

from datetime import datetime
from typing import cast
from uuid import UUID

from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from identity.models import Demographics
from identity.people import person_of
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.book.models import Dose
from vaccination.book.reading import doses_of
from vaccination.certificates import queries
from vaccination.certificates.claims import LatinName
from vaccination.certificates.eligibility import is_covid
from vaccination.certificates.ending import text_of
from vaccination.certificates.evidence import Judged, judge
from vaccination.certificates.issuing import weigh
from vaccination.certificates.models import (
    CertificateList,
    CertificateRow,
    CertificateShown,
    CertificateText,
    DoseStanding,
    Owned,
    ShownState,
)
from vaccination.certificates.names import latin_name
from vaccination.certificates.problems import CERTIFICATE_NOT_FOUND, DOSE_NOT_FOUND
from vaccination.certificates.texts import MISSING_EN, MISSING_VI, REASONS, STATES_VI
from vaccination.hc1.cose import ES256

_HOLDING = ("valid", "renewed")


async def list_certificates(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """Every COVID-19 dose that the reader may see with its certificate or why it has none. What was ended
    is listed where the whole book is read."""
    judged = await _judged(tx, access, now)
    rows = await _certificates(tx, access)
    valid = {_owned(row): row for row in rows if row.state == "valid" and row.expires_at > now}
    known = await person_of(tx, keys, access) or Demographics()
    latin = await latin_name(tx, keys, access.patient_id)
    visible = {one.owned: one.dose.immunization_id for one in judged}
    ended = [row for row in rows if row not in valid.values() and _may_see_ended(access)]
    page = CertificateList(
        doses=[_standing(one, valid.get(one.owned), known, latin, now) for one in judged],
        ended=[show(row, visible.get(_owned(row), row.dose_id), now) for row in ended],
        latin_family_name=latin.family if latin else None,
        latin_given_name=latin.given if latin else None,
        missing_vi=MISSING_VI,
        missing_en=MISSING_EN,
        notice=notice_for(access),
    )
    return Built(encode(page), [("Immunization", one.dose.immunization_id) for one in judged])


async def judged_of(tx: Tx, access: Access, immunization_id: str, now: datetime) -> Judged | Refused:
    """One dose that the reader may see, as it stands. Refused: dose-not-found."""
    judged = await _judged(tx, access, now, whichever=True)
    found = next((one for one in judged if one.dose.immunization_id == immunization_id), None)
    return found or Refused(problem=DOSE_NOT_FOUND)


async def certificate_of(
    tx: Tx, access: Access, certificate_id: UUID, now: datetime
) -> tuple[CertificateRow, str] | Refused:
    """A certificate that verifiers accept, and the id of its dose in this book. Refused:
    certificate-not-found, also where the reader may not see the dose."""
    rows = await _certificates(tx, access)
    row = next((one for one in rows if one.certificate_id == certificate_id), None)
    if row is None or row.state not in _HOLDING or row.expires_at <= now:
        return Refused(problem=CERTIFICATE_NOT_FOUND)
    seen = {one.owned: one.dose.immunization_id for one in await _judged(tx, access, now)}
    if _owned(row) not in seen:
        return Refused(problem=CERTIFICATE_NOT_FOUND)
    return row, seen[_owned(row)]


async def read_text(
    tx: Tx, keys: KeyRing, access: Access, certificate_id: UUID, now: datetime
) -> tuple[CertificateText, str] | Refused:
    """The text of the code and the id of its dose. Refused: certificate-not-found."""
    found = await certificate_of(tx, access, certificate_id, now)
    if isinstance(found, Refused):
        return found
    return CertificateText(certificate_id=certificate_id, text=text_of(keys, found[0])), found[1]


def show(row: CertificateRow, immunization_id: str, now: datetime) -> CertificateShown:
    """A certificate that was signed, as it stands now."""
    assert row.issued_at is not None, "not signed"
    assert row.state not in ("signing", "abandoned"), "not signed"
    is_over = row.state in _HOLDING and row.expires_at <= now
    state: ShownState = "expired" if is_over else cast("ShownState", row.state)
    return CertificateShown(
        certificate_id=row.certificate_id,
        immunization_id=immunization_id,
        state=state,
        state_vi=STATES_VI[state],
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        algorithm="ES256" if row.algorithm == ES256 else "PS256",
        replaces=row.replaces,
        replaced_by=row.replaced_by,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


async def _certificates(tx: Tx, access: Access) -> list[CertificateRow]:
    """Of the person and of whoever was merged into it: a certificate stays with whose dose it is of."""
    people = (access.patient_id, *sorted(access.origins))
    return [row for one in people for row in await queries.CERTIFICATES.all(tx, one)]


async def _judged(tx: Tx, access: Access, now: datetime, *, whichever: bool = False) -> list[Judged]:
    doses = [dose for dose in await doses_of(tx, access, now) if whichever or is_covid(dose)]
    return await judge(tx, access.patient_id, doses, now)


def _standing(
    one: Judged, row: CertificateRow | None, known: Demographics, latin: LatinName | None, now: datetime
) -> DoseStanding:
    dose: Dose = one.dose
    weighed = weigh(one, known, latin, now)
    reasons = weighed if isinstance(weighed, tuple) else ()
    return DoseStanding(
        immunization_id=dose.immunization_id,
        title=dose.title,
        given=dose.given,
        facility_name=dose.facility_name,
        eligible=not reasons,
        reasons=[REASONS[reason] for reason in reasons],
        certificate=show(row, dose.immunization_id, now) if row is not None else None,
    )


def _owned(row: CertificateRow) -> Owned:
    return Owned(patient_id=row.patient_id, dose_id=row.dose_id)


def _may_see_ended(access: Access) -> bool:
    """A certificate that ended can tell of a dose that is hidden from whoever acts for the person."""
    return access.is_own
