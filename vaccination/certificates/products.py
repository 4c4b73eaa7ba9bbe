"""From a COVID-19 dose to the value sets of the certificate. Data with a version: products.json."""

import re
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from kernel.text import fold
from vaccination.book.antigens import CVX
from vaccination.book.models import Dose

_GAPS: Final = re.compile(r"[^a-z0-9]+")


class CodedProduct(Struct, frozen=True, kw_only=True):
    """vp, mp, ma: as on the certificate. names: folded; generic: those that count where no other one does;
    cvx: codes of this vaccine alone. doses: of the first course."""

    name: str
    names: tuple[str, ...]
    cvx: tuple[str, ...]
    vp: str
    mp: str
    ma: str
    doses: int
    generic: tuple[str, ...] = ()


class CodedProducts(Struct, frozen=True, kw_only=True):
    """unlike: words of vaccines that are none of these, whatever else the name says."""

    version: str
    source: str
    confirmed: bool
    unlike: tuple[str, ...]
    products: tuple[CodedProduct, ...]
    makers: dict[str, str]
    vaccines: dict[str, str]


PRODUCTS: Final = msgspec.json.decode(
    Path(__file__).with_name("products.json").read_bytes(), type=CodedProducts
)


def coded(dose: Dose) -> CodedProduct | None:
    """The product by the dose's code, else by the one that its name speaks of; None where there is none, or
    where code and name speak of two."""
    words = fold(f"{dose.title} {dose.product}" if dose.product else dose.title)
    told = f" {_GAPS.sub(' ', words).strip()} "
    if _speaks_of(told, PRODUCTS.unlike):
        return None
    named = [one for one in PRODUCTS.products if _speaks_of(told, one.names)]
    named = named or [one for one in PRODUCTS.products if _speaks_of(told, one.generic)]
    by_code = [one for one in PRODUCTS.products if dose.code_system == CVX and dose.code in one.cvx]
    found = {one.mp: one for one in (*by_code, *named)}
    return next(iter(found.values())) if len(found) == 1 else None


def _speaks_of(told: str, names: tuple[str, ...]) -> bool:
    return any(f" {name} " in told for name in names)


def dose_counts(product: CodedProduct, number: int, series: int | None) -> tuple[int, int]:
    """(dn, sd): 1/2 and 2/2 of a course, 3/3 for a booster after two, 2/1 after one; never 3/2, which apps
    in the field read wrongly (vaccination.md §4)."""
    course = series or product.doses
    if number <= course:
        return number, course
    return number, 1 if course == 1 else number
