"""Verifying with files alone: lists of keys and of revocations, no database and no network."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from vaccination.revocation.models import Hashes, RevocationList
from vaccination.revocation.service import shown
from vaccination.trust.certificates import as_its_demo_takes
from vaccination.trust.models import CardRevocations, Form, TrustedKey
from vaccination.trust.readers import BYTES_MAX, ListError, read_card_revocations, read_list
from vaccination.verify.judging import Known
from vaccination.verify.reading import Reading


class Revocations:
    """What pages say of one key, of one state of its list or of several."""

    def __init__(self) -> None:
        self._pages: dict[int, dict[str | None, RevocationList]] = {}
        self._named: set[tuple[str, str]] = set()

    def add(self, page: RevocationList) -> None:
        self._pages.setdefault(page.changes, {})[page.behind] = page
        self._named.update((kind, value) for kind, values in page.hashes.items() for value in values)

    def names(self, hashes: Hashes) -> bool:
        """Whether any page does; none of them has to be the newest."""
        return any((kind, shown(kind, value)) in self._named for kind, value in hashes.items())

    @property
    def is_whole(self) -> bool:
        return bool(self._whole())

    @property
    def issued_at(self) -> datetime | None:
        """Of the oldest page of the whole list."""
        return min((page.issued_at for page in self._whole() if page.issued_at is not None), default=None)

    def _whole(self) -> list[RevocationList]:
        """The pages of the newest state of which all are here, from the first to the last."""
        chains = (self._chain(changes) for changes in sorted(self._pages, reverse=True))
        return next((chain for chain in chains if chain and chain[-1].after is None), [])

    def _chain(self, changes: int) -> list[RevocationList]:
        left = dict(self._pages[changes])
        chain: list[RevocationList] = []
        while (page := left.pop(chain[-1].after if chain else None, None)) is not None:
            chain.append(page)
        return chain


class Files:
    """What the files say together. demo: a demo's keys among them may sign vaccinations, as in the demo."""

    def __init__(self, *, demo: bool = False) -> None:
        self._demo = demo
        self._keys: dict[str, list[TrustedKey]] = {}
        self._revoked: dict[str, Revocations] = {}
        self._max_age = timedelta()
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
            page = _page(data)
            self._revoked.setdefault(page.kid, Revocations()).add(page)
            self._max_age = max_age
        else:
            return self._add_keys(data, max_age, issuer)
        return None

    def known(self, reading: Reading) -> Known:
        kid = reading.kid or ""
        listed = self.revocations_of(kid)
        return Known(
            keys=tuple(self._keys.get(kid, ())),
            is_revoked=self._is_revoked(kid, reading),
            missing="part-of-list" if kid in self._revoked else "no-list",
            list_until=None if listed.issued_at is None else _later(listed.issued_at, self._max_age),
        )

    def revocations_of(self, kid: str) -> Revocations:
        return self._revoked.get(kid, Revocations())

    def _add_keys(self, data: bytes, max_age: timedelta, issuer: str | None) -> Form:
        listed = read_list(data, issuer)
        until = None if listed.issued_at is None else _later(listed.issued_at, max_age)
        for one in listed.keys:
            key = as_its_demo_takes(one) if self._demo else one
            self._keys.setdefault(key.kid, []).append(replace(key, source=listed.form, fresh_until=until))
        self._crl_versions |= listed.crl_versions
        return listed.form

    def _is_revoked(self, kid: str, reading: Reading) -> bool | None:
        """None: no file speaks of this key, or pages of its list are missing."""
        listed, cards = self.revocations_of(kid), self._cards.get(kid)
        if any(listed.names(hashes) for hashes in reading.hashes) or _is_revoked_card(cards, reading):
            return True
        return False if listed.is_whole or cards is not None else None


def _is_revoked_card(listed: CardRevocations | None, reading: Reading) -> bool:
    if listed is None or reading.rid is None or reading.rid not in listed.rids:
        return False
    before = listed.rids[reading.rid]
    return before is None or reading.issued_at is None or reading.issued_at < before


def _page(data: bytes) -> RevocationList:
    try:
        page = msgspec.json.decode(data, type=RevocationList)
    except msgspec.DecodeError:
        raise ListError("revocation-list", "form") from None
    if page.issued_at is not None and page.issued_at.tzinfo is None:
        raise ListError("revocation-list", "issued_at")
    return page


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
