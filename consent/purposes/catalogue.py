"""The purposes as data: what each is, on what it rests, and its words. A change of words is a new version.

Old versions stay in the file, so that what somebody agreed to can be read again. The bases are our reading of
Law 91/2025 and Decree 356/2025, to be confirmed by counsel (docs/decisions/0010-purposes.md).
"""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, Literal, get_args

import msgspec
import rfc8785
from msgspec import Struct

PurposeKey = Literal["care-record", "statistics", "notices", "research", "wearables"]
# law: shown, and nothing to agree to or withdraw. consent: off until the person says yes.
Basis = Literal["law", "consent"]
Lang = Literal["vi", "en"]
KEYS: Final[tuple[PurposeKey, ...]] = get_args(PurposeKey)


class Words(Struct, frozen=True):
    title: str
    text: str


class Purpose(Struct, frozen=True, kw_only=True):
    """One version of a purpose. shared_outside: others may hold the data, so a withdrawal needs hand work."""

    key: PurposeKey
    version: str
    basis: Basis
    shared_outside: bool
    vi: Words
    en: Words

    def words(self, lang: Lang) -> Words:
        return self.vi if lang == "vi" else self.en


def newest(key: PurposeKey) -> Purpose:
    """The version that is asked about today."""
    return max((one for one in _catalogue() if one.key == key), key=lambda one: int(one.version))


def text_sha256(purpose: Purpose, lang: Lang) -> bytes:
    """SHA-256 of JCS {key, version, lang, title, text}: which words were shown."""
    words = purpose.words(lang)
    shown = {"key": purpose.key, "version": purpose.version, "lang": lang, **msgspec.structs.asdict(words)}
    return hashlib.sha256(rfc8785.dumps(shown)).digest()


@cache
def _catalogue() -> list[Purpose]:
    raw = (files("consent.purposes") / "texts" / "purposes.json").read_bytes()
    return msgspec.json.decode(raw, type=list[Purpose])
