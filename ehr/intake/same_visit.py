"""One visit of one sender that comes both as a treatment package and in the form of QĐ 831, by one MA_LK.

The package is the visit: it is the richer of the two. The form adds what only it has (signs, findings,
history, advice) to the package's Encounter; its own Encounter and diagnoses, and its services where the
package has results, stand no more. Either may come first.
"""

import json
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw

from ehr.intake import queries
from ehr.intake.models import Item
from identity.merges.aliases import survivor_of
from store.database import Tx

PACKAGE: Final = "episode:"
FORM: Final = "visit831:"
_TOLD_BY_THE_PACKAGE: Final = frozenset({"Encounter", "Condition"})
_SERVICES: Final = frozenset({"laboratory", "imaging"})


async def package_of(tx: Tx, patient_id: UUID, name: str | None, source_id: str) -> queries.PackageRow | None:
    """The package's Encounter in a book, and whether results came with it."""
    return await queries.PACKAGE_OF_VISIT.one(tx, await survivor_of(tx, patient_id), name, source_id)


async def form_of(tx: Tx, patient_id: UUID, name: str | None, source_id: str) -> list[Item]:
    """What a book holds of the form's visit, while it still has a visit of its own."""
    rows = await queries.ROWS_OF_UNIT.all(tx, await survivor_of(tx, patient_id), name, source_id)
    if not any(row.rtype == "Encounter" for row in rows):
        return []
    return [item_of(row.rtype, row.doc) for row in rows]


def item_of(rtype: str, doc: str) -> Item:
    """A kept document as its unit named it."""
    key = f"{rtype}/{msgspec.json.decode(doc)['id']}"
    return Item(rtype=rtype, key=key, raw=doc, where=rtype, aliases=(key,))


def added(items: Iterable[Item], encounter: str, *, has_results: bool) -> list[Item]:
    """What the form adds to the package's visit (`Encounter/id`)."""
    stays: list[Item] = []
    for item in items:
        doc = json.loads(item.raw, parse_float=lambda text: Raw(text.encode()))
        if item.rtype in _TOLD_BY_THE_PACKAGE or (has_results and _is_service(item.rtype, doc)):
            continue
        if "encounter" in doc:
            doc["encounter"] = {"reference": encounter}
        stays.append(msgspec.structs.replace(item, raw=msgspec.json.encode(doc).decode()))
    return stays


def _is_service(rtype: str, doc: dict[str, Any]) -> bool:
    codings = (one.get("code") for kind in doc.get("category", []) for one in kind.get("coding", []))
    return rtype == "DiagnosticReport" or (rtype == "Observation" and not _SERVICES.isdisjoint(codings))
