"""What a certificate says: facts of person and dose, and the bytes that are signed over them."""

import hashlib
from datetime import date, datetime
from typing import Final

import rfc8785
from msgspec import Struct, to_builtins

from identity.models import Demographics
from kernel.clock import add_months
from vaccination.book.models import Dose
from vaccination.certificates.eligibility import given_day
from vaccination.certificates.models import Facts, Reason
from vaccination.certificates.products import coded, dose_counts
from vaccination.hc1.claims import Name, Vaccination, cwt, dcc_map
from vaccination.hc1.cose import ES256, PS256, protected_header, to_be_signed
from vaccination.hc1.names import FILLER, icao, split_name
from vaccination.signer.models import Algorithm, DocumentSigner
from vaccination.verify.dcc_schema import faults

# Decision 5772/QĐ-BYT: a code ends twelve months after it was made.
LIFE_MONTHS: Final = 12
ALGORITHMS: Final[dict[Algorithm, int]] = {"ES256": ES256, "PS256": PS256}
# Who certifies, as it stands on the certificate. Ours: the official spelling is not published.
ISSUED_BY: Final = "Ministry of Health of Viet Nam"
# Long names are cut at what the schema takes.
NAME_MAX: Final = 80


class LatinName(Struct, frozen=True, kw_only=True):
    """family, given: as in a passport's machine-readable zone, `<` between words."""

    family: str
    given: str


def facts_of(dose: Dose, known: Demographics, latin: LatinName | None) -> Facts | tuple[Reason, ...]:
    """What the certificate of an eligible dose says, or what of its person is not known."""
    product, given = coded(dose), given_day(dose)
    assert product is not None, "the dose was judged"
    assert given is not None, "the dose was judged"
    assert dose.dose_number is not None, "the dose was judged"
    family, others = _parted(known.name or "", latin)
    names = latin or LatinName(family=icao(family), given=icao(others))
    unknown: dict[Reason, bool] = {
        # Version 1.3 of the schema asks for `fnt`.
        "name-unknown": not names.family,
        "birth-date-unknown": known.birth_date is None,
    }
    missing = tuple(reason for reason, holds in unknown.items() if holds)
    if missing:
        return missing
    dn, sd = dose_counts(product, dose.dose_number, dose.series_doses)
    return Facts(
        fn=family[:NAME_MAX],
        fnt=names.family,
        gn=others[:NAME_MAX],
        gnt=names.given,
        birth_date=known.birth_date or "",
        vp=product.vp,
        mp=product.mp,
        ma=product.ma,
        dn=dn,
        sd=sd,
        given=given.isoformat(),
    )


def _parted(name: str, latin: LatinName | None) -> tuple[str, str]:
    """The written name, parted where the Latin one is if that is the same name."""
    words = name.split()
    count = 0 if latin is None else latin.family.count(FILLER) + 1
    if latin is not None and icao(" ".join(words[:count])) == latin.family:
        return " ".join(words[:count]), " ".join(words[count:])
    return split_name(name)


def facts_sha256(facts: Facts) -> bytes:
    return hashlib.sha256(rfc8785.dumps(to_builtins(facts))).digest()


def expiry(now: datetime, signer: DocumentSigner) -> datetime:
    """Twelve calendar months, and never past the signer's certificate. To the second, as CWT counts."""
    last = datetime.combine(add_months(now.date(), LIFE_MONTHS), now.timetz())
    return min(last, signer.not_after).replace(microsecond=0)


def payload(facts: Facts, country: str, uvci: str, issued_at: datetime, expires_at: datetime) -> bytes:
    """The CWT. country: of the signer's certificate."""
    name = Name(fn=facts.fn, fnt=facts.fnt, gn=facts.gn, gnt=facts.gnt)
    dose = Vaccination(
        vp=facts.vp,
        mp=facts.mp,
        ma=facts.ma,
        dn=facts.dn,
        sd=facts.sd,
        dt=date.fromisoformat(facts.given),
        co=country,
        is_=ISSUED_BY,
        ci=uvci,
    )
    content = dcc_map(name, facts.birth_date, dose)
    wrong = faults(content)
    assert not wrong, f"a certificate outside its schema: {wrong}"
    return cwt(content, country, issued_at, expires_at)


def protected_of(signer: DocumentSigner) -> bytes:
    return protected_header(ALGORITHMS[signer.alg], signer.kid)


def signed_bytes(signer: DocumentSigner, body: bytes) -> bytes:
    """What the signer signs: the Sig_structure over header and CWT."""
    return to_be_signed(protected_of(signer), body)
