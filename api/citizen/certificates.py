"""Vaccination certificates: what there is and why not, issuing, and the code as text, picture and paper."""

from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.exporting import PDF, Export, print_own
from api.idempotency import PROBLEMS as REPEATED
from api.idempotency import create_once
from api.reading import OWN_PROBLEMS, Build, read_beside_record
from api.request import Call, answer
from audit.service import record_act
from documents.charts import MEDIA_TYPE as SVG
from ehr.exports.problems import EXPORT_BUSY, EXPORT_OVERTAKEN
from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access, Action
from kernel.problems import ProblemError, Refused
from qr import certificates as codes
from store.database import Tx
from vaccination.certificates import following, issuing, names, printing, reading
from vaccination.certificates.issuing import ToSign
from vaccination.certificates.models import (
    CertificateList,
    CertificateRow,
    CertificateShown,
    CertificateText,
)
from vaccination.certificates.printing import ToPrint
from vaccination.certificates.problems import (
    CERTIFICATE_BEING_MADE,
    CERTIFICATE_NOT_FOUND,
    DOSE_NOT_ELIGIBLE,
    DOSE_NOT_FOUND,
    LATIN_NAME_DIFFERS,
)
from vaccination.signer.problems import SIGNER_AWAY

TAGS = ["certificates"]
BASE_PROBLEMS = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")
PNG: Final = "image/png"
ISSUE: Final[Action] = "issue-certificate"
PRINT: Final[Action] = "print-paper"
# Its word in the log.
PART: Final = "certificate"
Begun: TypeAlias = CertificateRow | ToSign
Latin: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80)]


class DoseToCertify(Struct, kw_only=True, forbid_unknown_fields=True):
    """immunization_id: a dose of the vaccination book."""

    immunization_id: Annotated[str, Meta(min_length=1, max_length=80)]


class LatinNameBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The name as the passport parts it. Letters of the name in the book, with or without marks."""

    family_name: Latin
    given_name: Latin


@get(
    "/v1/me/certificates",
    actors=("citizen",),
    operation_id="list_own_certificates",
    tags=TAGS,
    problems=BASE_PROBLEMS,
)
async def certificates(call: NamedDependency[Call]) -> Response[CertificateList]:
    """Each COVID-19 dose with its certificate, or every reason why it has none and what can be done."""

    async def build(tx: Tx, access: Access) -> Built:
        return await reading.list_certificates(tx, call.keys, access, call.now)

    return await read_beside_record(call, "read-section", build, is_logged=True, part="certificates")


@post(
    "/v1/me/certificates",
    status_code=201,
    actors=("citizen",),
    operation_id="issue_own_certificate",
    tags=TAGS,
    idempotent=True,
    problems=(
        *(*BASE_PROBLEMS, DOSE_NOT_FOUND, DOSE_NOT_ELIGIBLE, CERTIFICATE_BEING_MADE, SIGNER_AWAY),
        *REPEATED,
    ),
)
async def issue(data: JSONBody[DoseToCertify], call: NamedDependency[Call]) -> Response[CertificateShown]:
    """Issue the international certificate of a dose; asked again, it is the same one."""
    async with begin_for(call, ISSUE) as (tx, access):
        begun = await _begun(tx, call, access, data.immunization_id)
    if isinstance(begun, ToSign):
        begun = await _signed(call, access, begun, data.immunization_id)
    shown = begun if isinstance(begun, Refused) else reading.show(begun, data.immunization_id, call.now)
    return answer(shown, status=201)


@get(
    "/v1/me/certificates/{certificate_id:uuid}/text",
    actors=("citizen",),
    operation_id="read_own_certificate",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, CERTIFICATE_NOT_FOUND),
)
async def text(certificate_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[CertificateText]:
    """What the QR code holds, for the app to draw and to keep for times without a network."""
    build = _build(call, certificate_id, "application/json")
    return await read_beside_record(call, PRINT, build, is_logged=True, part=PART)


@get(
    "/v1/me/certificates/{certificate_id:uuid}/code.svg",
    actors=("citizen",),
    operation_id="draw_own_certificate_svg",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, CERTIFICATE_NOT_FOUND),
    produces=SVG,
)
async def code_svg(certificate_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The QR code of a certificate as SVG: error level Q."""
    build = _build(call, certificate_id, SVG)
    return await read_beside_record(call, PRINT, build, is_logged=True, part=PART, media_type=SVG)


@get(
    "/v1/me/certificates/{certificate_id:uuid}/code.png",
    actors=("citizen",),
    operation_id="draw_own_certificate_png",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, CERTIFICATE_NOT_FOUND),
    produces=PNG,
)
async def code_png(certificate_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """The QR code of a certificate as PNG: error level Q, black and white."""
    build = _build(call, certificate_id, PNG)
    return await read_beside_record(call, PRINT, build, is_logged=True, part=PART, media_type=PNG)


@get(
    "/v1/me/certificates/{certificate_id:uuid}/certificate.pdf",
    actors=("citizen",),
    operation_id="print_own_certificate",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, CERTIFICATE_NOT_FOUND, EXPORT_BUSY, EXPORT_OVERTAKEN),
    produces=PDF,
)
async def paper(certificate_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A certificate to print: its eleven fields in Vietnamese and English, and the code at 42 mm."""
    return await print_own(call, _paper_of(certificate_id))


@put(
    "/v1/me/certificates/latin-name",
    status_code=204,
    actors=("citizen",),
    operation_id="set_own_latin_name",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, LATIN_NAME_DIFFERS),
)
async def latin_name(data: JSONBody[LatinNameBody], call: NamedDependency[Call]) -> Response[None]:
    """Part the Latin name as the passport does (a family name of two words). Certificates follow."""
    async with begin_for(call, ISSUE) as (tx, access):
        family, given, who = data.family_name, data.given_name, access.patient_id
        kept = await names.set_by_person(tx, call.keys, who, family, given, call.now)
        if isinstance(kept, Refused):
            return answer(kept)
        await _log(tx, call, access, "vaccination:latin-name:update", None)
        for owner in (*sorted(access.origins), who):
            await following.follow(tx, call.keys, owner, call.now)
    return answer(None, status=204)


async def _begun(tx: Tx, call: Call, access: Access, dose: str) -> Begun | Refused:
    """The certificate as it begins, or as it stands where the dose has one."""

    async def make() -> Begun | Refused:
        judged = await reading.judged_of(tx, access, dose, call.now)
        if isinstance(judged, Refused):
            return judged
        return await issuing.begin(tx, call.keys, access.patient_id, judged, call.now)

    async def again(_certificate_id: UUID) -> Begun | Refused:
        return await make()

    return await create_once(tx, call, access.actor, 201, make, again, _id_of)


def _id_of(made: Begun | Refused) -> UUID:
    assert not isinstance(made, Refused), "a refusal is kept under no key"
    return made.certificate_id


async def _signed(call: Call, access: Access, begun: ToSign, dose: str) -> CertificateRow | Refused:
    """Through the signer, with no transaction open meanwhile."""
    signature = await issuing.sign(call.signer, begun)
    call.time_went_by()
    async with call.store.transaction() as tx:
        made = await issuing.complete(tx, call.keys, begun, signature, call.now)
        if not isinstance(made, Refused):
            await _log(tx, call, access, "vaccination:certificate:issue", dose)
    return made


def _build(call: Call, certificate_id: UUID, media_type: str) -> Build:
    """The text, or one of its pictures."""

    async def build(tx: Tx, access: Access) -> Built:
        found = await reading.read_text(tx, call.keys, access, certificate_id, call.now)
        if isinstance(found, Refused):
            raise ProblemError(found)
        told, dose = found
        drawn = {SVG: lambda: codes.svg(told.text).encode(), PNG: lambda: codes.png(told.text)}
        body = drawn[media_type]() if media_type in drawn else encode(told)
        return Built(body, [("Immunization", dose)])

    return build


def _paper_of(certificate_id: UUID) -> Export[ToPrint]:
    async def gather(tx: Tx, call: Call, access: Access) -> ToPrint:
        found = await printing.gather(tx, call.keys, access, certificate_id, call.now)
        if isinstance(found, Refused):
            raise ProblemError(found)
        return found

    return Export(
        part=PART,
        name="chung-nhan-tiem-chung",
        media_type=PDF,
        gather=gather,
        build=lambda gathered, call: printing.build(gathered, call.now),
    )


async def _log(tx: Tx, call: Call, access: Access, action: str, dose: str | None) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        action,
        purpose=access.purpose,
        resources=[("Immunization", dose)] if dose else [],
        request_id=call.request_id,
        now=call.now,
        on_behalf_of=access.on_behalf_of,
    )


handlers: list[Any] = [certificates, issue, text, code_svg, code_png, paper, latin_name]
