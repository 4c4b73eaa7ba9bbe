"""Verifying with files alone: lists of keys and of revocations, no database and no network."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from vaccination.revocation.models import Hashes, RevocationList
from vaccination.revocation.service import shown
from vaccination.trust.models import CardRevocations, Form, TrustedKey
from vaccination.trust.readers import BYTES_MAX, ListError, read_card_revocations, read_list
from vaccination.verify.judging import Known
from vaccination.verify.reading import Reading


class Files:
    """What the files say together."""

    def __init__(self) -> None:
        self._keys: dict[str, list[TrustedKey]] = {}
        self._revoked: dict[str, set[tuple[str, str]]] = {}
        self._cards: dict[str, CardRevocations] = {}
        self._crl_versions: dict[str, int] = {}

    def add(self, data: bytes, max_age: timedelta, issuer: str | None = None) -> Form | None:
        """One file: keys, or revocations; a key set before its own revocation list, whose number it names. A
        list that says when it was made counts for max_age from then on. The form of a list of keys. Raises
        ListError."""
        kind = _kind_of(data)
        if kind == "card-revocations":
            found = read_card_revocations(data)
            if self._crl_versions.get(found.kid, found.changes) != found.changes:
                raise ListError("revocation-list", "version")
            self._cards[found.kid] = found
        elif kind == "revocations":
            self._add_revocations(data)
        else:
            return self._add_keys(data, max_age, issuer)
        return None

    def known(self, reading: Reading) -> Known:
        kid = reading.kid or ""
        return Known(keys=tuple(self._keys.get(kid, ())), is_revoked=self._is_revoked(kid, reading))

    def _add_revocations(self, data: bytes) -> None:
        try:
            page = msgspec.json.decode(data, type=RevocationList)
        except msgspec.DecodeError:
            raise ListError("revocation-list", "form") from None
        named = ((kind, value) for kind, values in page.hashes.items() for value in values)
        self._revoked.setdefault(page.kid, set()).update(named)

    def _add_keys(self, data: bytes, max_age: timedelta, issuer: str | None) -> Form:
        listed = read_list(data, issuer)
        until = None if listed.issued_at is None else _later(listed.issued_at, max_age)
        for key in listed.keys:
            self._keys.setdefault(key.kid, []).append(replace(key, source=listed.form, fresh_until=until))
        self._crl_versions |= listed.crl_versions
        return listed.form

    def _is_revoked(self, kid: str, reading: Reading) -> bool | None:
        """None: no file speaks of this key."""
        if kid not in self._revoked and kid not in self._cards:
            return None
        named = self._revoked.get(kid, set())
        return any(
            entry in named for hashes in reading.hashes for entry in _entries(hashes)
        ) or _is_revoked_card(self._cards.get(kid), reading)


def _is_revoked_card(listed: CardRevocations | None, reading: Reading) -> bool:
    if listed is None or reading.rid is None or reading.rid not in listed.rids:
        return False
    before = listed.rids[reading.rid]
    return before is None or reading.issued_at is None or reading.issued_at < before


def _entries(hashes: Hashes) -> Iterable[tuple[str, str]]:
    return ((kind, shown(kind, value)) for kind, value in hashes.items())


def _kind_of(data: bytes) -> str:
    """Told by its members; what is no JSON object is a list of keys in one of its other forms."""
    try:
        document = msgspec.json.decode(data) if len(data) <= BYTES_MAX else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return "keys"
    if isinstance(document, dict) and isinstance(document.get("kid"), str):
        return "card-revocations" if "rids" in document else "revocations"
    return "keys"


def _later(when: datetime, by: timedelta) -> datetime | None:
    try:
        return when + by
    except OverflowError:
        return None
