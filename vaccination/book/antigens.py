"""From the code or the name of a vaccine to what it protects against. Data with a version: antigens.json
by code, products.json by name."""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from ehr.fhir import Coding, Concept
from kernel.text import fold

_HERE: Final = Path(__file__).parent
CVX: Final = "http://hl7.org/fhir/sid/cvx"
ATC: Final = "http://www.whocc.no/atc"
# Ours: a sender that names the disease itself writes it as ProtocolApplied.targetDisease.
ANTIGEN_SYSTEM: Final = "urn:vn:so-suc-khoe:antigen"
_PARTS: Final = re.compile(r"[^a-z0-9]+")
_LEAD: Final = re.compile(r"^(vac xin|vaccine|vaccin|vacxin|tiem|phong|benh| )+")


class Antigen(Struct, frozen=True, kw_only=True):
    """One disease. key: the word by which everything else names it; cvx, atc: vaccines that hold it."""

    key: str
    name_vi: str
    name_en: str
    cvx: tuple[str, ...]
    atc: tuple[str, ...]


class Catalogue(Struct, frozen=True, kw_only=True):
    version: str
    source: str
    confirmed: bool
    antigens: tuple[Antigen, ...]


class Product(Struct, frozen=True, kw_only=True):
    """A vaccine by its names, folded words in order. name: of a brand, how it is shown; None for words that
    only say what is in it. alone: names that count only where nothing else stands beside them."""

    antigens: tuple[str, ...]
    names: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    name: str | None = None
    manufacturer: str | None = None


class Products(Struct, frozen=True, kw_only=True):
    version: str
    source: str
    confirmed: bool
    products: tuple[Product, ...]


CATALOGUE: Final = msgspec.json.decode((_HERE / "antigens.json").read_bytes(), type=Catalogue)
ANTIGENS: Final = {one.key: one for one in CATALOGUE.antigens}
_ORDER: Final = {key: number for number, key in enumerate(ANTIGENS)}
PRODUCTS: Final = msgspec.json.decode((_HERE / "products.json").read_bytes(), type=Products)
VERSION: Final = f"{CATALOGUE.version}/{PRODUCTS.version}"


def in_order(keys: set[str]) -> tuple[str, ...]:
    """Keys in the order of the catalogue."""
    return tuple(sorted(keys, key=_ORDER.__getitem__))


def of_code(system: str | None, code: str | None) -> tuple[str, ...]:
    """The antigens of a vaccine code; none for a system or code that is not in the catalogue."""
    return _by_code().get((system or "", (code or "").strip()), ())


@lru_cache(maxsize=2048)
def product_of(title: str) -> Product | None:
    """The product that a vaccine's name speaks of: of the names in it, the longest."""
    told = _PARTS.sub(" ", fold(title)).strip()
    alone = _LEAD.sub("", told)
    found = next((product for product in PRODUCTS.products if alone in product.alone), None)
    return found or next((product for name, product in _by_name() if f" {name} " in f" {told} "), None)


def antigens_of(concept: Concept | None, named: list[Coding], title: str) -> tuple[str, ...]:
    """What a dose protects against. named: diseases that its sender names; they hold before the vaccine's
    code, and that before its name."""
    told = {one.code for one in named if one.system == ANTIGEN_SYSTEM and one.code in ANTIGENS}
    if told:
        return in_order({key for key in told if key})
    codes = {key for one in (concept.coding if concept else ()) for key in of_code(one.system, one.code)}
    if codes:
        return in_order(codes)
    product = product_of(title)
    return product.antigens if product else ()


@cache
def _by_code() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in CATALOGUE.antigens:
        for system, codes in ((CVX, one.cvx), (ATC, one.atc)):
            for code in codes:
                found.setdefault((system, code), []).append(one.key)
    return {code: tuple(keys) for code, keys in found.items()}


@cache
def _by_name() -> list[tuple[str, Product]]:
    pairs = [(name, product) for product in PRODUCTS.products for name in product.names]
    return sorted(pairs, key=lambda pair: (-len(pair[0]), pair[0]))
